import type { Blobs } from '../blobs/port.ts';
import type { Keyring } from '../crypto/keyring.ts';
import type { Outbox } from '../store/port.ts';

/** An answer that goes to an address of its own. `length` in bytes. */
export type OwnWay = {
  readonly to: string;
  readonly contentType: string;
  readonly length: number;
  readonly bytes: Uint8Array | AsyncIterable<Uint8Array>;
};

export type AnswerQueue = {
  /** Whether another answer may wait. */
  readonly hasRoom: () => Promise<boolean>;
  /** Keeps an answer, sealed, until it is delivered; it would survive a power cut when this resolves. @throws StoreBusy, StoreFull */
  readonly add: (answer: OwnWay) => Promise<void>;
};

type Tools = {
  /** A place of its own, where everything is a file. */
  readonly blobs: Blobs;
  readonly keyring: Keyring;
  readonly outbox: Outbox;
  readonly now: () => number;
  readonly newId: () => string;
  /** Most answers that wait. */
  readonly most: number;
  readonly queued: () => void;
};

export function makeAnswerQueue({ blobs, keyring, outbox, now, newId, most, queued }: Tools): AnswerQueue {
  return {
    hasRoom: async () => (await outbox.waiting('deliverAnswer')) < most,
    async add({ to, contentType, length: size, bytes }) {
      const name = `answer|${newId()}`;
      const wrapped = keyring.newKey(name);
      const received = await blobs.receive(bytes instanceof Uint8Array ? one(bytes) : bytes, size);
      try {
        const content = await received.keep(keyring.unwrap(name, wrapped));
        if (!('file' in content)) throw new Error('an answer has no file of its own');
        const key = { name, wrapped: Buffer.from(wrapped).toString('base64') };
        await outbox.add({ kind: 'deliverAnswer', to, contentType, size, content, key }, now());
      } catch (error) {
        await received.discard();
        throw error;
      }
      queued();
    },
  };
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(bytes);
}
