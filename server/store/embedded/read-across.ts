import type { Folder } from '../../domain/document.ts';
import type { RecordId } from '../../domain/record.ts';
import { matchesFolder } from '../matching.ts';
import type { DocumentFilter, FolderFilter } from '../port.ts';
import type { Database } from './driver.ts';
import { filterCondition } from './filter.ts';
import { readJson } from './names.ts';

/** Which records hold what is looked for: reads of the whole store, whose cost grows with it. */
export function makeAcrossReads(database: Database) {
  const folders = database.prepare<{ id: string; latest: number; json: Uint8Array }>(
    `SELECT r.id, f.json, f.key IN (SELECT max(key) FROM folder GROUP BY record, logical) AS latest
     FROM folder f JOIN record r ON r.key = f.record`,
  );
  return {
    ofDocuments(filter: DocumentFilter): RecordId[] {
      const { sql, params } = filterCondition(filter);
      return database
        .prepare<{ id: string }>(
          `SELECT id FROM record WHERE key IN (SELECT record FROM search s WHERE ${sql}) ORDER BY key`,
        )
        .all(...params)
        .map(({ id }) => id);
    },
    ofFolders(filter: FolderFilter): RecordId[] {
      // JSON of the store's own writing.
      const found = folders
        .all()
        .filter((row) => matchesFolder(readJson(row.json) as Folder, row.latest === 1, filter));
      return [...new Set(found.map(({ id }) => id))];
    },
  };
}
