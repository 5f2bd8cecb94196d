import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { ChangeCounts } from './change-counts.ts';
import { counting } from './counting-writer.ts';
import { openWriterFiles, type WriterFiles } from './files.ts';
import { serve } from './serve.ts';

/** What the thread is started with. */
export type WriterThreadData = {
  readonly files: WriterFiles;
  readonly maxWaiting: number;
  readonly port: MessagePort;
  readonly counts: ChangeCounts;
};

/** What it tells once: it serves, or why it cannot. */
export type WriterThreadState = { readonly opened: true } | { readonly failed: string; readonly name: string };

// Made by openEmbedded from this type.
const { files, maxWaiting, port, counts } = workerData as WriterThreadData;
try {
  serve(counting(openWriterFiles(files), counts), port, { maxWaiting, held: true });
  parentPort?.postMessage({ opened: true } satisfies WriterThreadState);
  // What was needed to start is given back.
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
} catch (error) {
  const { name, message } = Error.isError(error) ? error : new Error(String(error));
  parentPort?.postMessage({ failed: message, name } satisfies WriterThreadState);
  port.close();
}
