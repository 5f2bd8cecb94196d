import { hash } from 'node:crypto';
import type { Spend } from '../port.ts';
import type { Database } from './driver.ts';

const digestLength = 16;

type Told = { readonly digest: string; readonly until: number };

/** Credentials that served once, and until when a second use is refused. Held in memory; written once for each group of change sets. */
export type SpentCredentials = {
  /** By what a credential is known here. */
  told(spend: Spend): Told;
  isSpent(spend: Told, at: number): boolean;
  mark(spend: Told, at: number): void;
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
  const lasting = database.prepare<{ digests: Uint8Array }>('SELECT digests FROM spent WHERE until > ?');
  let known: Map<string, number> | undefined;
  let marked: (readonly [key: string, until: number])[] = [];
  let prunedAt = 0;

  /** Those of earlier runs that still hold are read with the first question: a store at rest keeps none in memory, and an old one's ended long ago. */
  function untils(at: number): Map<string, number> {
    if (known !== undefined) return known;
    known = new Map();
    for (const { digests } of lasting.all(at)) {
      const bytes = Buffer.from(digests.buffer, digests.byteOffset, digests.byteLength);
      for (let i = 0; i + digestLength + 6 <= bytes.length; i += digestLength + 6) {
        const until = bytes.readUIntBE(i + digestLength, 6);
        if (until > at) known.set(bytes.toString('latin1', i, i + digestLength), until);
      }
    }
    return known;
  }

  return {
    told: ({ key, until }) => ({ digest: digestOf(key), until }),
    isSpent: ({ digest }, at) => (untils(at).get(digest) ?? 0) > at,
    mark({ digest, until }, at) {
      untils(at).set(digest, until);
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
      for (const [digest, until] of untils(at)) if (until <= at) known?.delete(digest);
    },
    forget() {
      for (const [digest] of marked) known?.delete(digest);
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
