import { hash, randomUUID } from 'node:crypto';
import { type Blobs, ContentTooLarge, type Received } from '../../server/blobs/port.ts';
import type { MemoryStore } from './memory-store.ts';

/** Documents' bytes beside a memory store, hashed but in clear: for tests of what lies above the port. */
export function memoryBlobs(store: MemoryStore): Blobs {
  const files = new Map<string, Uint8Array>();
  const receivedAs = (bytes: Uint8Array): Received => ({
    ...received(bytes),
    stage: () => {
      const file = randomUUID();
      files.set(file, bytes);
      return Promise.resolve({ file, length: bytes.length, header: '' });
    },
  });
  return {
    async receive(source, limit) {
      const pieces: Uint8Array[] = [];
      let size = 0;
      for await (const piece of source) {
        size += piece.length;
        if (size > limit) throw new ContentTooLarge(`more than ${limit} bytes`);
        pieces.push(piece);
      }
      return receivedAs(Buffer.concat(pieces));
    },
    receiveBytes: received,
    resume: (_key, { content }) => received(files.get(content.file) ?? new Uint8Array()),
    open: (_key, place, span) => {
      const bytes = store.sealed(place) ?? new Uint8Array();
      return Promise.resolve(span === undefined ? bytes : bytes.subarray(span.from, span.to));
    },
    sweep: () => Promise.resolve(0),
  };
}

function received(bytes: Uint8Array): Received {
  return {
    size: bytes.length,
    sha1: hash('sha1', bytes, 'hex'),
    sha256: hash('sha256', bytes, 'hex'),
    open: (span) => Promise.resolve(span === undefined ? bytes : bytes.subarray(span.from, span.to)),
    keep: () => Promise.resolve({ sealed: bytes }),
    stage: () => Promise.reject(new TypeError('What is staged is received into a file')),
    discard: () => Promise.resolve(),
  };
}
