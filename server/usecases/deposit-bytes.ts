import type { Received } from '../blobs/port.ts';
import type { RecordKey } from '../crypto/keyring.ts';
import type { SealedContent } from '../store/port.ts';
import type { Deposit } from './deposit.ts';

/** What becomes of the documents that were handed over: each is kept or discarded. */
export type Keeping = {
  /** Binds every document to the record; a second call, after a conflict, answers the same. */
  readonly keep: (key: RecordKey) => Promise<ReadonlyMap<Received, SealedContent>>;
  /** Forgets the bytes of documents that were not kept. What was kept and never committed is swept by its store. */
  readonly discardRest: () => Promise<void>;
};

export function keeping({ documents }: Pick<Deposit, 'documents'>): Keeping {
  const kept = new Map<Received, Promise<SealedContent>>();
  const discarded = new Set<Received>();
  return {
    async keep(key) {
      const sealed = documents.map(async ({ received }) => {
        const content = kept.get(received) ?? received.keep(key);
        kept.set(received, content);
        return [received, await content] as const;
      });
      return new Map(await Promise.all(sealed));
    },
    async discardRest() {
      const rest = documents.filter(({ received }) => !kept.has(received) && !discarded.has(received));
      for (const { received } of rest) discarded.add(received);
      await Promise.allSettled(rest.map(({ received }) => received.discard()));
    },
  };
}
