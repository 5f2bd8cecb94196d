import type { HolderFilter } from '../../domain/demographics.ts';
import type { PatientRecord } from '../../domain/record.ts';
import { dayNumber, type HolderName, holderNames } from '../holders.ts';
import type { FoundHolder } from '../port.ts';
import type { Database, Value } from './driver.ts';
import { readJson } from './names.ts';

/** Writes of the names by which holders are found. */
export function makeHolderWrites(database: Database) {
  const drop = database.prepare('DELETE FROM holder WHERE record = ?');
  const add = database.prepare(
    'INSERT OR REPLACE INTO holder (family, born, record, givens, gender) VALUES (?, ?, ?, ?, ?)',
  );
  return {
    put(record: number, names: readonly HolderName[]): void {
      drop.run(record);
      for (const { family, born, givens, gender } of names) add.run(family, born, record, givens, gender);
    },
  };
}

/** Records are read in slices of so many, so that a large store does not stand in memory. */
const slice = 1000;

/** Names the holders of records that were there before the table. */
export function nameHolders(database: Database): void {
  const read = database.prepare<{ key: number; json: Uint8Array }>(
    `SELECT key, json FROM record WHERE key > ? ORDER BY key LIMIT ${slice}`,
  );
  const writes = makeHolderWrites(database);
  for (let rows = read.all(0); rows.length > 0; rows = read.all(rows.at(-1)?.key ?? 0))
    // JSON of the store's own writing.
    for (const { key, json } of rows) writes.put(key, holderNames(readJson(json) as PatientRecord));
}

/** A day range up to this many days is looked up by day, a wider one by family where that is asked. */
const narrow = 366;

/** Reads of the names by which holders are found: by family or by day of birth, whichever is narrower. */
export function makeHolderReads(database: Database) {
  const authority = database.prepare('SELECT 1 FROM identifier WHERE oid = ? LIMIT 1');
  return {
    find(filter: HolderFilter, limit: number): FoundHolder[] {
      const { sql, params } = condition(filter);
      return database
        .prepare<FoundHolder>(
          `SELECT id AS record, key AS position FROM record
           WHERE key IN (SELECT DISTINCT record FROM holder WHERE ${sql} LIMIT ?)`,
        )
        .all(...params, limit);
    },
    isAuthority: (oid: string) => authority.get(oid) !== undefined,
  };
}

function condition({ families, givens, born, genders }: HolderFilter): { sql: string; params: Value[] } {
  const [from, to] = [dayNumber(born?.from ?? ''), born?.to === undefined ? undefined : dayNumber(born.to)];
  const byDay = to !== undefined && from > 0 && days(born) <= narrow;
  const [familyColumn, bornColumn] = byDay ? ['+family', 'born'] : ['family', families ? '+born' : 'born'];
  const parts: { sql: string; params: Value[] }[] = [{ sql: '1', params: [] }];
  if (families) parts.push(any(families, `${familyColumn} >= ? AND ${familyColumn} < ?`, (f) => [f, `${f}\u{10FFFF}`]));
  if (born) parts.push({ sql: `${bornColumn} >= ?`, params: [Math.max(1, from)] });
  if (to !== undefined) parts.push({ sql: `${bornColumn} < ?`, params: [to] });
  if (givens) parts.push(any(givens, 'instr(givens, ?) > 0', (given) => [`|${given}`]));
  if (genders) parts.push(any(genders, 'gender = ?', (gender) => [gender]));
  return { sql: parts.map(({ sql }) => sql).join(' AND '), params: parts.flatMap(({ params }) => params) };
}

function any(wanted: readonly string[], sql: string, params: (one: string) => Value[]) {
  return { sql: `(${wanted.map(() => `(${sql})`).join(' OR ') || '0'})`, params: wanted.flatMap(params) };
}

function days(born: HolderFilter['born']): number {
  return (Date.parse(born?.to ?? '') - Date.parse(born?.from ?? '')) / 86_400_000;
}
