import { parentPort, workerData } from 'node:worker_threads';
import { openSegmentReader } from '../../server/blobs/segments.ts';

const reader = openSegmentReader(workerData.folder);
parentPort.on('message', ({ segment, offset, length }) => {
  const bytes = Buffer.alloc(length);
  parentPort.postMessage(reader.read(segment, offset, bytes) ? bytes.toString() : undefined);
});
parentPort.postMessage('ready');
