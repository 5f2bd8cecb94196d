import { hash } from 'node:crypto';
import { type Blobs, ContentTooLarge, type Received } from '../../server/blobs/port.ts';
import type { MemoryStore } from './memory-store.ts';

/** Documents' bytes beside a memory store, hashed but in clear: for tests of what lies above the port. */
export function memoryBlobs(store: MemoryStore): Blobs {
  return {
    async receive(source, limit) {
      const pieces: Uint8Array[] = [];
      let size = 0;
      for await (const piece of source) {
        size += piece.length;
        if (size > limit) throw new ContentTooLarge(`more than ${limit} bytes`);
        pieces.push(piece);
      }
      return received(Buffer.concat(pieces));
    },
    receiveBytes: received,
    open: (_key, place) => Promise.resolve(store.sealed(place) ?? new Uint8Array()),
    sweep: () => Promise.resolve(0),
  };
}

function received(bytes: Uint8Array): Received {
  return {
    size: bytes.length,
    sha1: hash('sha1', bytes, 'hex'),
    sha256: hash('sha256', bytes, 'hex'),
    open: () => Promise.resolve(bytes),
    keep: () => Promise.resolve({ sealed: bytes }),
    discard: () => Promise.resolve(),
  };
}
