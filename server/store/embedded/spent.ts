import { hash } from 'node:crypto';
import type { Spend } from '../port.ts';
import type { Database } from './driver.ts';

const digestLength = 16;

/** Credentials that served once, and until when a second use is refused. Held in memory; written once for each group of change sets. */
export type SpentCredentials = {
  isSpent(spend: Spend, at: number): boolean;
  mark(spend: Spend): void;
  /** Writes what was marked since the last call. */
  write(at: number): void;
  /** Forgets what was marked and not kept, after a rollback. */
  forget(): void;
  /** What was written is committed. */
  keep(): void;
};

/** Times are milliseconds since 1970 as the events give them: the store has no clock of its own. Rows that ended are dropped once a minute of that time. */
export function openSpent(database: Database): SpentCredentials {
  const add = database.prepare('INSERT INTO spent (until, digests) VALUES (?, ?)');
  const prune = database.prepare('DELETE FROM spent WHERE until <= ?');
  const untilOf = new Map<string, number>();
  let marked: (readonly [key: string, until: number])[] = [];
  let prunedAt = 0;

  for (const { digests } of database.prepare<{ digests: Uint8Array }>('SELECT digests FROM spent').all()) {
    const bytes = Buffer.from(digests.buffer, digests.byteOffset, digests.byteLength);
    for (let i = 0; i + digestLength + 6 <= bytes.length; i += digestLength + 6)
      untilOf.set(bytes.toString('latin1', i, i + digestLength), bytes.readUIntBE(i + digestLength, 6));
  }

  return {
    isSpent: ({ key }, at) => (untilOf.get(digestOf(key)) ?? 0) > at,
    mark({ key, until }) {
      const digest = digestOf(key);
      untilOf.set(digest, until);
      marked.push([digest, until]);
    },
    write(at) {
      if (marked.length === 0) return;
      const bytes = Buffer.alloc(marked.length * (digestLength + 6));
      marked.forEach(([digest, until], i) => {
        bytes.write(digest, i * (digestLength + 6), 'latin1');
        bytes.writeUIntBE(Math.min(until, 2 ** 48 - 1), i * (digestLength + 6) + digestLength, 6);
      });
      add.run(
        marked.reduce((latest, [, until]) => Math.max(latest, until), 0),
        bytes,
      );
      if (at < prunedAt + 60_000) return;
      prunedAt = at;
      prune.run(at);
      for (const [digest, until] of untilOf) if (until <= at) untilOf.delete(digest);
    },
    forget() {
      for (const [digest] of marked) untilOf.delete(digest);
      marked = [];
    },
    keep() {
      marked = [];
    },
  };
}

function digestOf(key: string): string {
  return hash('sha256', key, 'buffer').toString('latin1', 0, digestLength);
}
