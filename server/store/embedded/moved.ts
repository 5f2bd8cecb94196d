import type { ObjectKind } from '../port.ts';
import type { Database } from './driver.ts';
import { kinds } from './names.ts';

/** What has versions, and may therefore have some in one record and later ones in another. */
export type Versioned = Extract<ObjectKind, 'document' | 'folder'>;

/**
 * The key of the record that holds the latest version of a logical object; NULL where all of its versions are in one. SQL.
 * @param logical an expression for the logicalID
 */
export function whereNow(kind: Versioned, logical: string): string {
  return `(SELECT m.record FROM moved m WHERE m.kind = ${kinds.indexOf(kind)} AND m.logical = ${logical} ORDER BY m.number DESC LIMIT 1)`;
}

/** Writes of where the versions of one logical object lie: a row for each record, the highest number is that of the latest version. */
export function makeMoving(database: Database) {
  const add = database.prepare('INSERT OR IGNORE INTO moved (kind, logical, record) VALUES (?, ?, ?)');
  const drop = database.prepare('DELETE FROM moved WHERE kind = ? AND logical = ? AND record = ?');
  const now = {
    document: database.prepare<{ record: number | null }>(`SELECT ${whereNow('document', '?')} AS record`),
    folder: database.prepare<{ record: number | null }>(`SELECT ${whereNow('folder', '?')} AS record`),
  };
  const earlier = database.prepare(
    `DELETE FROM moved WHERE number IN (
       SELECT min(a.number, b.number) FROM moved a JOIN moved b ON b.kind = a.kind AND b.logical = a.logical
       WHERE a.record = ? AND b.record = ?)`,
  );
  const rename = database.prepare('UPDATE moved SET record = ? WHERE record = ?');

  const recordNow = (kind: Versioned, logical: Uint8Array) => now[kind].get(logical)?.record ?? undefined;

  return {
    /** The record that holds the latest version; undefined where all versions are in one. */
    whereNow: recordNow,
    /** From now on the latest version is in another record. */
    move(kind: Versioned, logical: Uint8Array, from: number, into: number): void {
      const number = kinds.indexOf(kind);
      add.run(number, logical, from);
      drop.run(number, logical, into);
      add.run(number, logical, into);
    },
    /** A record has no version any more. Answers the record that has the latest of those that are left elsewhere. */
    leave(kind: Versioned, logical: Uint8Array, record: number): number | undefined {
      drop.run(kinds.indexOf(kind), logical, record);
      return recordNow(kind, logical);
    },
    merge(from: number, into: number): void {
      earlier.run(from, into);
      rename.run(into, from);
    },
  };
}
