import { parentPort, workerData } from 'node:worker_threads';
import { openSegmentReader } from '../../server/blobs/segments.ts';

const reader = openSegmentReader(workerData.folder);
parentPort.on('message', ({ segment, offset, length }) =>
  parentPort.postMessage(reader.read(segment, offset, length)?.toString()),
);
parentPort.postMessage('ready');
