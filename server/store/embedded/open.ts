import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { type Store, StoreStopped } from '../port.ts';
import { type ChangeCounts, makeChangeCounts } from './change-counts.ts';
import { connectWriter, type WriterClient } from './client.ts';
import { counting } from './counting-writer.ts';
import { filesOf, openWriterFiles, type WriterFiles } from './files.ts';
import { StoreTaken } from './lock.ts';
import { openReader } from './reader.ts';
import { StoreTooNew } from './schema.ts';
import { serve } from './serve.ts';
import type { WriterThreadData, WriterThreadState } from './writer-thread.ts';

export type EmbeddedOptions = WriterFiles & {
  /** Whether the writer has a thread of its own; without, it works in this one and stops it during each commit. */
  readonly threads: boolean;
  /** Most change sets that wait, of all threads together: beyond it StoreBusy. */
  readonly maxWaiting?: number;
};

/** The store of the thread that opened the writer. */
export type EmbeddedStore = Store & {
  /** A way for `connectEmbedded` in another thread, to which its port is transferred. */
  newWay(): Promise<WayToWriter>;
};

/** How a thread reaches the writer, and hears what it changes. */
export type WayToWriter = { readonly port: MessagePort; readonly counts: ChangeCounts };

/**
 * Opens the store of a data folder, made when absent, with its one writer. Closing it closes the writer: other threads close first.
 * @throws StoreTaken when another process has the folder, StoreTooNew when a newer server wrote it
 */
export async function openEmbedded({ threads, maxWaiting = 1000, ...files }: EmbeddedOptions): Promise<EmbeddedStore> {
  const { port1, port2 } = new MessageChannel();
  const counts = makeChangeCounts();
  const thread = threads ? await startThread({ files, maxWaiting, port: port1, counts }) : undefined;
  if (thread === undefined) serve(counting(openWriterFiles(files), counts), port1, { maxWaiting, held: false });
  const client = connectWriter(port2);
  return {
    ...storeOf(files.folder, client, counts, async () => {
      await client.close('writer');
      await thread?.ended();
    }),
    newWay: () => Promise.resolve({ port: client.newPort(), counts }),
  };
}

/** The store of a further thread: its own reads, its changes on a way of `newWay()`. */
export function connectEmbedded(folder: string, { port, counts }: WayToWriter): Promise<Store> {
  const client = connectWriter(port);
  return Promise.resolve(storeOf(folder, client, counts, () => client.close('port')));
}

function storeOf(folder: string, client: WriterClient, counts: ChangeCounts, closeWriter: () => Promise<void>): Store {
  const files = filesOf(folder);
  const reader = openReader(files.main, files.keys, counts);
  let closing: Promise<void> | undefined;
  return {
    facts: reader.facts,
    read: reader.read,
    write: client.write,
    outbox: { ...reader.outbox, ...client.outbox },
    staging: { ...reader.staging, expire: client.expireStaged },
    subscriptions: { ...reader.subscriptions, advance: client.advance },
    close() {
      if (closing === undefined) {
        reader.close();
        closing = closeWriter();
      }
      return closing;
    },
  };
}

/** Answers when the thread serves. A failure of the thread closes its port, which stops the client. */
async function startThread(workerData: WriterThreadData): Promise<{ readonly ended: () => Promise<void> }> {
  const worker = new Worker(new URL('./writer-thread.ts', import.meta.url), {
    workerData,
    transferList: [workerData.port],
  });
  const failed = new Promise<WriterThreadState>((resolve) =>
    worker.on('error', (error) => resolve({ failed: String(error), name: 'Error' })),
  );
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  // `node --watch` hears from threads on the same channel which files they load.
  const told = new Promise<WriterThreadState>((resolve) =>
    worker.on('message', (message: WriterThreadState | object) => {
      if ('opened' in message || 'failed' in message) resolve(message);
    }),
  );
  const state = await Promise.race([told, failed]);
  if ('failed' in state) throw errorOf(state);
  worker.unref();
  return {
    ended() {
      worker.ref();
      return ended;
    },
  };
}

function errorOf({ failed, name }: Extract<WriterThreadState, { failed: string }>): Error {
  const known = [StoreTaken, StoreTooNew].find((kind) => kind.name === name) ?? StoreStopped;
  return new known(failed);
}
