import type { LargeFiles } from '../../blobs/files.ts';
import type { SegmentWriter } from '../../blobs/segments.ts';
import type { Database } from './driver.ts';

type Erasable = {
  readonly number: number;
  readonly segment: number | null;
  readonly start: number | null;
  readonly length: number;
  readonly file: string | null;
};

/** What makes removed documents unreadable, beside the database that says which. */
export type Erasers = { readonly segments: SegmentWriter; readonly files: Pick<LargeFiles, 'erase'> };

/**
 * Erases the bytes that committed removals gave up, and forgets them when that would survive a power cut. A removal whose erasure was
 * interrupted is erased at the next call: one is made when the store is opened. Where the disk refuses, later ones try again.
 */
export function makeErasure(database: Database, { segments, files }: Erasers): () => Promise<void> {
  const waiting = database.prepare<Erasable>(
    'SELECT number, segment, start, length, file FROM erasable ORDER BY number',
  );
  const forget = database.prepare('DELETE FROM erasable WHERE number <= ?');
  return async () => {
    const all = waiting.all();
    const last = all.at(-1);
    if (last === undefined) return;
    try {
      await segments.erase(
        all.flatMap(({ segment, start, length }) =>
          segment === null || start === null ? [] : [{ segment, offset: start, length }],
        ),
      );
      for (const { file } of all) if (file !== null) await files.erase(file);
    } catch {
      return;
    }
    forget.run(last.number);
  };
}

/** Notes the bytes of a document, in the transaction that gives them up. */
export function makeErasableWrites(database: Database): (position: number) => void {
  const note = database.prepare(
    `INSERT OR IGNORE INTO erasable (segment, start, length, file)
     SELECT segment, start, length, file FROM document WHERE position = ? AND length IS NOT NULL`,
  );
  return (position) => void note.run(position);
}
