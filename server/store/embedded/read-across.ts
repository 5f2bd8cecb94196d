import type { Folder } from '../../domain/document.ts';
import type { RecordId } from '../../domain/record.ts';
import { matchesFolder } from '../matching.ts';
import type { DocumentFilter, FolderFilter } from '../port.ts';
import type { Database } from './driver.ts';
import { filterCondition } from './filter.ts';
import { whereNow } from './moved.ts';
import { readJson } from './names.ts';

/** Records that are looked through in one go. */
const slice = 500;

type Between = { readonly first: number; readonly last: number };

/** Which records hold what is looked for, a slice of records at a time: a whole look through the store takes nobody else's turn. */
export function makeAcrossReads(database: Database) {
  const next = database.prepare<{ first: number | null; last: number | null }>(
    `SELECT min(key) AS first, max(key) AS last FROM (SELECT key FROM record WHERE key > ? ORDER BY key LIMIT ${slice})`,
  );
  const idOf = database.prepare<{ id: RecordId }>('SELECT id FROM record WHERE key = ?');
  const folders = database.prepare<{ record: number; latest: number; json: Uint8Array }>(
    `SELECT f.record, f.json, f.key = max(f.key) OVER (PARTITION BY f.record, f.logical)
       AND ifnull(${whereNow('folder', 'f.logical')}, f.record) = f.record AS latest
     FROM folder f WHERE f.record BETWEEN ? AND ? ORDER BY f.record`,
  );

  /** Slice after slice, until `limit` records are found or there are no more; the store may be asked for other things in between. */
  async function* found(keysIn: (between: Between) => readonly number[], limit: number): AsyncGenerator<RecordId> {
    let left = limit;
    for (let after = 0; left > 0; ) {
      const { first, last } = next.get(after) ?? {};
      if (first === undefined || last === undefined || first === null || last === null) return;
      for (const key of keysIn({ first, last }).slice(0, left)) {
        left--;
        yield idOf.get(key)?.id ?? '';
      }
      after = last;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  return {
    ofDocuments(filter: DocumentFilter, limit: number): AsyncGenerator<RecordId> {
      const { sql, params } = filterCondition(filter);
      const holding = database.prepare<{ record: number }>(
        `SELECT DISTINCT record FROM search s WHERE record BETWEEN ? AND ? AND ${sql} ORDER BY record`,
      );
      return found(({ first, last }) => holding.all(first, last, ...params).map(({ record }) => record), limit);
    },
    ofFolders(filter: FolderFilter, limit: number): AsyncGenerator<RecordId> {
      return found(({ first, last }) => {
        // JSON of the store's own writing.
        const matching = folders
          .all(first, last)
          .filter((row) => matchesFolder(readJson(row.json) as Folder, row.latest === 1, filter));
        return [...new Set(matching.map(({ record }) => record))];
      }, limit);
    },
  };
}
