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
 * interrupted is erased at the next call: one is made when the store is opened. Where the disk refuses, later ones try again. A segment that
 * held them and in which no document is left gives its room back, at the latest when the store is opened again. To be called between groups.
 */
export function makeErasure(database: Database, { segments, files }: Erasers): () => Promise<void> {
  const waiting = database.prepare<Erasable>(
    'SELECT number, segment, start, length, file FROM erasable ORDER BY number',
  );
  const note = database.prepare(
    `INSERT OR IGNORE INTO emptied (segment) SELECT DISTINCT e.segment FROM erasable e
     WHERE e.segment IS NOT NULL AND NOT EXISTS (SELECT 1 FROM document d WHERE d.segment = e.segment)`,
  );
  const forget = database.prepare('DELETE FROM erasable WHERE number <= ?');
  const emptied = database.prepare<{ segment: number; used: number }>(
    'SELECT segment, EXISTS (SELECT 1 FROM document d WHERE d.segment = emptied.segment) AS used FROM emptied',
  );
  const settle = database.prepare('DELETE FROM emptied WHERE segment = ?');

  async function erase(all: readonly Erasable[]): Promise<void> {
    await segments.erase(
      all.flatMap(({ segment, start, length }) =>
        segment === null || start === null ? [] : [{ segment, offset: start, length }],
      ),
    );
    for (const { file } of all) if (file !== null) await files.erase(file);
    database.transaction(() => {
      note.run();
      forget.run(all.at(-1)?.number ?? 0);
    });
  }

  return async () => {
    const all = waiting.all();
    try {
      if (all.length > 0) await erase(all);
      for (const { segment, used } of emptied.all()) if (used === 1 || segments.release(segment)) settle.run(segment);
    } catch {
      return;
    }
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
