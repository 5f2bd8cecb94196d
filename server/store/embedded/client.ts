import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { changedRecords } from '../permit.ts';
import {
  type ChangeSet,
  type Outbox,
  type Outcome,
  type Staging,
  StoreBusy,
  StoreFull,
  StoreStopped,
  type Subscriptions,
  type Writer,
} from '../port.ts';
import { encodeChanges, encodeOutbox, type PlainSet } from './encode.ts';
import type { FromWriter, Reply, ToWriter } from './serve.ts';

export type WriterClient = {
  readonly write: Writer;
  readonly outbox: Pick<Outbox, 'add' | 'remove' | 'putOff'>;
  readonly expireStaged: Staging['expire'];
  readonly advance: Subscriptions['advance'];
  /** A port by which another thread reaches the same writer. */
  newPort(): MessagePort;
  /** Lets go of the port; `writer` closes the writer itself, after all that waits. */
  close(what: 'port' | 'writer'): Promise<void>;
};

type Promised = { readonly resolve: (outcome: Outcome) => void; readonly reject: (error: Error) => void };

/** Change sets of one turn of the event loop go to the writer in one message. */
export function connectWriter(port: MessagePort): WriterClient {
  const promised = new Map<number, Promised>();
  let batch: { id: number; set: PlainSet }[] = [];
  let last = 0;
  let stopped: string | undefined;
  let closed: (() => void) | undefined;
  let idle: (() => void) | undefined;

  port.on('message', (message: FromWriter) => {
    if (message.tell === 'closed') closed?.();
    else for (const { id, answer } of message.answers) settle(id, answer);
  });
  port.on('close', () => stop('The writer is gone'));
  port.unref();

  function stop(why: string): void {
    stopped ??= why;
    for (const id of [...promised.keys()]) settle(id, { refused: 'stopped', why: stopped });
    closed?.();
  }

  function settle(id: number, answer: Reply): void {
    const promise = promised.get(id);
    promised.delete(id);
    if (promised.size === 0) {
      port.unref();
      idle?.();
    }
    if ('done' in answer) promise?.resolve(answer);
    else promise?.reject(errorOf(answer));
  }

  function send(set: PlainSet): Promise<Outcome> {
    if (stopped !== undefined) return Promise.reject(new StoreStopped(stopped));
    if (promised.size === 0) port.ref();
    const id = ++last;
    if (batch.length === 0) setImmediate(flush);
    batch.push({ id, set });
    return new Promise((resolve, reject) => promised.set(id, { resolve, reject }));
  }

  function flush(): void {
    if (batch.length === 0) return;
    const sets = batch;
    batch = [];
    ask(
      { ask: 'commit', sets },
      sets.flatMap(({ set }) => set.sealed.map((bytes) => bytes.buffer as ArrayBuffer)),
    );
  }

  function ask(message: ToWriter, transfer: readonly (ArrayBuffer | MessagePort)[] = []): void {
    port.postMessage(message, [...transfer]);
  }

  return {
    write: {
      commit: async (permit, changes) => {
        const { record, others } = changedRecords(permit, changes);
        return send(encodeChanges(record, changes, others));
      },
      note: async (events, spend) => {
        const changes: ChangeSet = { expect: [], put: [], events, jobs: [], ...(spend && { spend }) };
        return send(encodeChanges(undefined, changes));
      },
    },
    outbox: {
      add: async (job, now) => void (await send(encodeOutbox([job], [], now))),
      remove: async (number) => void (await send(encodeOutbox([], [{ number }], 0))),
      putOff: async (number, until) => void (await send(encodeOutbox([], [{ number, until }], 0))),
    },
    async advance({ id, revision }, subscription, told) {
      const changes: ChangeSet = {
        expect: [{ subscriptionAt: { id, revision } }],
        put: [{ kind: 'subscription', subscription, told }],
        events: [],
        jobs: [],
      };
      return (await send(encodeChanges(undefined, changes))).done;
    },
    expireStaged: async (now) => void (await send({ ...encodeOutbox([], [], now), stagedUntil: now })),
    newPort() {
      const { port1, port2 } = new MessageChannel();
      ask({ ask: 'port', port: port1 }, [port1]);
      return port2;
    },
    async close(what) {
      if (stopped !== undefined) return;
      stopped = 'The store is closed';
      flush();
      if (what === 'writer')
        await new Promise<void>((resolve) => {
          closed = resolve;
          port.ref();
          ask({ ask: 'close' });
        });
      else if (promised.size > 0) await new Promise<void>((resolve) => (idle = resolve));
      port.close();
    },
  };
}

function errorOf({ refused, why }: Exclude<Reply, Outcome>): Error {
  if (refused === 'busy') return new StoreBusy(why);
  if (refused === 'full') return new StoreFull(why);
  return refused === 'stopped' ? new StoreStopped(why) : new Error(why);
}
