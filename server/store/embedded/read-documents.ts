import type { DocumentEntry } from '../../domain/document.ts';
import type { ContentPlace, DocumentFilter, Page, PageRequest, StoredDocument } from '../port.ts';
import { every, ownFilter, type SqlCondition, visibilityFilter } from '../visibility.ts';
import type { Database } from './driver.ts';
import { filterCondition } from './filter.ts';
import { readJson, statuses, uniqueIdHash } from './names.ts';
import { namesIn, namesOf, type Reading } from './visible.ts';

type Row = {
  readonly position: number;
  readonly status: number;
  readonly own: number;
  readonly latest: number;
  readonly registered: number;
  readonly sha256: Uint8Array | null;
  readonly segment: number | null;
  readonly start: number | null;
  readonly length: number | null;
  readonly file: string | null;
  readonly sealedFor: string | null;
  readonly json: Uint8Array;
};

const columns =
  's.position, s.status, s.latest, d.registered, d.sha256, d.segment, d.start, d.length, d.file, d.sealed_for AS sealedFor, d.json';
const ofRecord = 's.record = (SELECT key FROM record WHERE id = ?)';

/** Reads of documents: filtered on the narrow search rows, so that JSON is read for nothing but what is answered. */
export function makeDocumentReads(database: Database) {
  function find(reading: Reading, from: SqlCondition, where: SqlCondition, limit?: number): StoredDocument[] {
    const own = ownFilter(reading.visibility.viewer);
    const page = limit === undefined ? '' : 'ORDER BY s.position DESC LIMIT ?';
    const rows = database
      .prepare<Row>(
        `SELECT ${columns}, ${own.sql} AS own FROM ${from.sql} CROSS JOIN document d ON d.position = s.position
         WHERE ${where.sql} ${page}`,
      )
      .all(...own.params, ...from.params, ...where.params, ...(limit === undefined ? [] : [limit]));
    return rows.map((row) => documentOf(reading, row));
  }

  /** Sorted here: SQLite sorts by moving the JSON about, which costs more than the rest of the read. */
  const named = (reading: Reading, from: SqlCondition, where: SqlCondition) =>
    find(reading, from, where).sort((a, b) => b.position - a.position);

  const inRecord = ({ record }: Reading): SqlCondition => ({ sql: ofRecord, params: [record] });
  const all: SqlCondition = { sql: 'search s', params: [] };
  const byUuid = (entryUUIDs: readonly string[]): SqlCondition => ({
    sql: `(SELECT record, key FROM name WHERE kind = 0 AND uuid IN (${namesIn})) n
      CROSS JOIN search s ON s.record = n.record AND s.position = n.key`,
    params: [namesOf(entryUUIDs)],
  });
  const ofLine = (logicalIDs: readonly string[]): SqlCondition => ({
    sql: `s.logical IN (${namesIn})`,
    params: [namesOf(logicalIDs)],
  });
  const byUniqueId = (uniqueIds: readonly string[]): SqlCondition => ({
    sql: `(SELECT record, key FROM unique_id WHERE kind = 0 AND hash IN (SELECT value FROM json_each(?))) n
      CROSS JOIN search s ON s.record = n.record AND s.position = n.key`,
    params: [JSON.stringify([...new Set(uniqueIds)].map(uniqueIdHash))],
  });
  const visible = (reading: Reading, filter?: DocumentFilter) =>
    every([
      inRecord(reading),
      visibilityFilter(reading.visibility),
      ...(filter === undefined ? [] : [filterCondition(filter)]),
    ]);

  return {
    documents(reading: Reading, filter: DocumentFilter, { before, limit }: PageRequest): Page<StoredDocument> {
      const where = every([
        inRecord(reading),
        ...(before === undefined ? [] : [{ sql: 's.position < ?', params: [before] }]),
        visibilityFilter(reading.visibility),
        filterCondition(filter),
      ]);
      const found = find(reading, all, where, limit + 1);
      return { items: found.slice(0, limit), more: found.length > limit };
    },
    countDocuments(reading: Reading, filter: DocumentFilter): number {
      const where = visible(reading, filter);
      return (
        database
          .prepare<{ total: number }>(`SELECT count(*) AS total FROM search s WHERE ${where.sql}`)
          .get(...where.params)?.total ?? 0
      );
    },
    documentsByUuid: (reading: Reading, ids: readonly string[], filter?: DocumentFilter) =>
      named(reading, byUuid(ids), visible(reading, filter)),
    targets: (reading: Reading, ids: readonly string[]) => named(reading, byUuid(ids), inRecord(reading)),
    documentsByUniqueId: (reading: Reading, ids: readonly string[], filter?: DocumentFilter) =>
      named(reading, byUniqueId(ids), visible(reading, filter)).filter(({ entry }) => ids.includes(entry.uniqueId)),
    documentsByLogicalId(reading: Reading, ids: readonly string[], filter?: DocumentFilter): StoredDocument[] {
      return named(reading, all, every([visible(reading, filter), ofLine(ids)]));
    },
    everyVersion: (reading: Reading, ids: readonly string[]) =>
      named(reading, all, every([inRecord(reading), ofLine(ids)])),
  };
}

function documentOf({ record }: Reading, row: Row): StoredDocument {
  // JSON of the store's own writing; the status lives in its column.
  const entry = { ...(readJson(row.json) as DocumentEntry), status: statuses[row.status] ?? 'deleted' };
  const content = placeOf(row);
  return {
    entry,
    record,
    position: row.position,
    registeredAt: row.registered,
    sealedFor: row.sealedFor ?? record,
    own: row.own === 1,
    latest: row.latest === 1,
    ...(row.sha256 !== null && { sha256: Buffer.from(row.sha256).toString('hex') }),
    ...(content !== undefined && { content }),
  };
}

function placeOf({ segment, start, length, file }: Row): ContentPlace | undefined {
  if (length === null) return undefined;
  if (file !== null) return { file, length };
  return segment === null || start === null ? undefined : { segment, offset: start, length };
}
