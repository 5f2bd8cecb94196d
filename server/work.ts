import { join } from 'node:path';
import { openBlobs } from './blobs/sealed.ts';
import type { Config } from './config/config.ts';
import { documentWriter } from './fhir/document-writer.ts';
import type { Subscribing } from './fhir/exchange.ts';
import { notificationWriter } from './fhir/map/notification.ts';
import { makeAllowList } from './jobs/allow-list.ts';
import { makeAnswerQueue } from './jobs/answers.ts';
import { makeDeliverAnswer } from './jobs/handlers/deliver-answer.ts';
import type { NotifierTools } from './jobs/handlers/notify-subscriber.ts';
import { openNotifier } from './jobs/notifier.ts';
import { openWorker } from './jobs/worker.ts';
import { sandboxSystems } from './sandbox/systems.ts';
import type { Tools } from './usecases/perform.ts';
import type { Log } from './watch/log.ts';
import type { OwnWay } from './xds/dispatch.ts';

/** What is done behind the answers: one thread of the process does it, all of them may queue something. */
export type BackgroundWork = {
  readonly ownWay: OwnWay;
  readonly subscribing: Subscribing;
  /** What notifications are made with, for those that leave by websocket. */
  readonly notifying: NotifierTools;
  /** Tells that something was queued, or changed that somebody waits for, here or in another thread. */
  readonly wake: () => void;
  /** Calls whoever is to know of changes in this thread. */
  readonly changed: () => void;
  /** From now on the listener is called at changes that somebody waits for; answers how to end that. */
  readonly onChange: (listener: () => void) => () => void;
  /** Unlinks files that no job names. */
  readonly sweep: (olderThan: number) => Promise<number>;
  readonly stop: () => Promise<void>;
};

/** @param tell how to tell the thread that does the work; absent in that thread itself */
export function openBackgroundWork(
  { env, data, systems, sandbox }: Config,
  tools: Tools,
  log: Log,
  tell: (() => void) | undefined,
): BackgroundWork {
  const { store, keyring, now, newId } = tools;
  const { outbox } = store;
  const blobs = openBlobs({ folder: join(data, 'answers'), inlineLimit: 0 });
  const allowList = makeAllowList(env.DMP_REPLY_TO);
  const base = `${env.DMP_PUBLIC_URL}/fhir`;
  const receivers = makeAllowList(env.DMP_NOTIFY_TO);
  const notifying: NotifierTools = {
    tools,
    allowList: receivers,
    write: notificationWriter({ base, writeDocument: documentWriter(base), newId, now }),
    systems: [...systems, ...(sandbox ? sandboxSystems() : [])],
    endpoint: base,
    log,
  };
  const lines =
    tell === undefined
      ? [
          openWorker({ outbox, now, log, handlers: [makeDeliverAnswer({ blobs, keyring, allowList, log })] }),
          openNotifier(notifying),
        ]
      : [];
  const listeners = new Set<() => void>();
  const changed = () => {
    for (const listener of listeners) listener();
  };
  const wake =
    tell ??
    (() => {
      for (const line of lines) line.wake();
      changed();
    });
  const queue = makeAnswerQueue({ blobs, keyring, outbox, now, newId, most: env.DMP_MAX_REPLIES, queued: wake });
  return {
    ownWay: { ...queue, isAllowed: (address) => allowList.allowed(address) !== undefined },
    subscribing: {
      isAllowed: (address) => receivers.allowed(address) !== undefined,
      socketUrl: `${base.replace(/^http/, 'ws')}/ws`,
      queued: wake,
    },
    notifying,
    wake,
    changed,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    sweep: (olderThan) => blobs.sweep(olderThan, (file) => outbox.isNamed(file)),
    async stop() {
      await Promise.all(lines.map((line) => line.stop()));
      blobs.close();
    },
  };
}
