import type { AvailabilityStatus, DocumentEntry } from '../../domain/document.ts';
import type { RecordId } from '../../domain/record.ts';
import type { ContentPlace, DocumentFilter, Page, PageRequest, StoredDocument } from '../port.ts';
import { every, ownFilter, type SqlCondition, visibilityFilter } from '../visibility.ts';
import type { ChangeCounts } from './change-counts.ts';
import type { Database, Statement } from './driver.ts';
import { filterCondition } from './filter.ts';
import { statuses, uniqueIdHash } from './names.ts';
import { makeRecall } from './recall.ts';
import { makeRecent } from './recent.ts';
import type { RecordKeys } from './record-keys.ts';
import { makeSharedReads } from './shared-values.ts';
import { namesIn, namesOf, type Reading } from './visible.ts';

/** In the order of `columns`. */
type Row = readonly [
  position: number,
  status: number,
  latest: number,
  registered: number,
  /** Empty where there are no bytes. */
  sha256: string,
  segment: number | null,
  start: number | null,
  length: number | null,
  file: string | null,
  sealedFor: string | null,
  json: string,
  revision: number,
  changedAt: number,
  relates: number,
  own: number,
];

const columns =
  's.position, s.status, s.latest, d.registered, lower(hex(d.sha256)), d.segment, d.start, d.length, d.file, d.sealed_for, CAST(d.json AS TEXT), s.revision, s.changed, s.relates';
/** The same of an earlier state. */
const pastColumns = columns
  .replace('s.status, s.latest', 'p.status, 0')
  .replace('s.revision, s.changed', 'p.revision, p.changed');
const past: SqlCondition = { sql: 'search s CROSS JOIN past p ON p.position = s.position', params: [] };

/** Reads of documents: filtered on the narrow search rows, so that JSON is read for nothing but what is answered. */
export function makeDocumentReads(database: Database, counts: ChangeCounts, keys: RecordKeys) {
  const entryOf = makeEntryReader(keptEntries, makeSharedReads(database));
  const recall = makeRecall<Answer>(
    counts,
    keptDocuments,
    ({ record }) => record,
    ({ documents = [] }) => documents.length,
  );

  function find(
    reading: Reading,
    from: SqlCondition,
    where: SqlCondition,
    limit?: number,
    of = columns,
  ): readonly StoredDocument[] {
    const own = ownFilter(reading.visibility.viewer);
    // A limit that is bound makes SQLite plan the statement anew each time.
    const page = limit === undefined ? '' : `ORDER BY s.position DESC LIMIT ${Math.trunc(limit)}`;
    const sql = `SELECT ${of}, ${own.sql} FROM ${from.sql} CROSS JOIN document d ON d.position = s.position
         WHERE ${where.sql} ${page}`;
    const params = [...own.params, ...from.params, ...where.params];
    const statement = database.prepare<Row>(sql, 'arrays');
    const read = () => {
      const rows = statement.all(...params);
      return { record: reading.record, documents: rows.map((row) => documentOf(reading, row, entryOf)) };
    };
    return recall(questionOf(reading, statement, params), read).documents ?? [];
  }

  /** Sorted here: SQLite sorts by moving the JSON about, which costs more than the rest of the read. */
  const named = (reading: Reading, from: SqlCondition, where: SqlCondition) =>
    find(reading, from, where).toSorted((a, b) => b.position - a.position);

  const inRecord = ({ record }: Reading): SqlCondition => ({ sql: 's.record = ?', params: [keys.of(record) ?? 0] });
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
      ...(filter === undefined ? [] : [filterCondition(filter)]),
      visibilityFilter(reading.visibility),
    ]);

  return {
    documents(reading: Reading, filter: DocumentFilter, { before, limit }: PageRequest): Page<StoredDocument> {
      const where = every([
        inRecord(reading),
        ...(before === undefined ? [] : [{ sql: 's.position < ?', params: [before] }]),
        filterCondition(filter),
        visibilityFilter(reading.visibility),
      ]);
      const found = find(reading, all, where, limit + 1);
      return { items: found.slice(0, limit), more: found.length > limit };
    },
    countDocuments(reading: Reading, filter: DocumentFilter): number {
      const { sql, params } = visible(reading, filter);
      const statement = database.prepare<{ total: number }>(`SELECT count(*) AS total FROM search s WHERE ${sql}`);
      const count = () => ({ record: reading.record, total: statement.get(...params)?.total });
      return recall(questionOf(reading, statement, params), count).total ?? 0;
    },
    documentsByUuid: (reading: Reading, ids: readonly string[], filter?: DocumentFilter) =>
      named(reading, byUuid(ids), visible(reading, filter)),
    targets: (reading: Reading, ids: readonly string[]) => named(reading, byUuid(ids), inRecord(reading)),
    documentsByUniqueId: (reading: Reading, ids: readonly string[], filter?: DocumentFilter) =>
      named(reading, byUniqueId(ids), visible(reading, filter)).filter(({ entry }) => ids.includes(entry.uniqueId)),
    documentsByLogicalId(reading: Reading, ids: readonly string[], filter?: DocumentFilter): StoredDocument[] {
      const where = visible(reading, filter);
      // A first version that is the latest is the only one, and found by its name; for others the record is searched.
      const only = find(reading, byUuid(ids), where).filter(
        ({ entry, latest }) => latest && entry.logicalID === entry.entryUUID,
      );
      const found = new Set(only.map(({ entry }) => entry.logicalID));
      const rest = ids.filter((id) => !found.has(id));
      const others = rest.length === 0 ? [] : find(reading, all, every([where, ofLine(rest)]));
      return [...only, ...others].sort((a, b) => b.position - a.position);
    },
    history(reading: Reading, ids: readonly string[]): StoredDocument[] {
      const lines = every([visible(reading), ofLine(ids)]);
      const now = find(reading, all, every([lines, { sql: 's.latest = 1', params: [] }]));
      const then = find(reading, past, lines, undefined, pastColumns);
      return [...now, ...then].sort((a, b) => b.revision - a.revision);
    },
    everyVersion: (reading: Reading, ids: readonly string[]) =>
      named(reading, all, every([inRecord(reading), ofLine(ids)])),
  };
}

/** What one read found, of one record. */
type Answer = {
  readonly record: RecordId;
  readonly documents?: readonly StoredDocument[];
  readonly total?: number | undefined;
};

/** Whose answer it is does not matter but for what the parameters say of them. */
function questionOf({ record }: Reading, { number }: Statement<unknown>, params: SqlCondition['params']): string {
  return `${record} ${number} ${JSON.stringify(params)}`;
}

/** How many documents all answers that one thread keeps may hold, each in one or several of them. */
const keptDocuments = 4096;

/** How many entries one thread keeps: some 20 kB each, with what the faces keep beside them. */
const keptEntries = 4096;
/** How many places it has to remember in what it read once: what comes again much later would be gone before its next time. */
const placesSeen = keptEntries;

type EntryOf = (position: number, json: string, status: AvailabilityStatus) => Pick<StoredDocument, 'entry' | 'kept'>;

/**
 * Keeps the entries that were read last, from the second time on: what is read once makes no work for the collector of garbage. JSON that is the same as then is not read again: it gives the same object, by which whoever
 * wrote it for an answer knows it again.
 */
function makeEntryReader(kept: number, read: (json: string, status: AvailabilityStatus) => DocumentEntry): EntryOf {
  const known = makeRecent<number, { readonly json: string; readonly entry: DocumentEntry }>(kept);
  const seen = new Float64Array(placesSeen);
  return (position, json, status) => {
    const found = known.get(position);
    if (found?.json === json && found.entry.status === status) return { entry: found.entry, kept: true };
    const entry = read(json, status);
    const place = position % placesSeen;
    if (found === undefined && seen[place] !== position) {
      seen[place] = position;
      return { entry };
    }
    seen[place] = 0;
    known.put(position, { json, entry });
    return { entry, kept: true };
  };
}

function documentOf({ record }: Reading, row: Row, entryOf: EntryOf): StoredDocument {
  const [position, status, latest, registeredAt, sha256, segment, start, length, file, sealedFor, json] = row;
  const [, , , , , , , , , , , revision, changedAt, relates, own] = row;
  const { entry, kept } = entryOf(position, json, statuses[status] ?? 'deleted');
  const document: { -readonly [K in keyof StoredDocument]: StoredDocument[K] } = {
    entry,
    record,
    position,
    registeredAt,
    sealedFor: sealedFor ?? record,
    own: own === 1,
    relates: relates === 1,
    latest: latest === 1,
    revision,
    changedAt,
  };
  const content = placeOf(segment, start, length, file);
  if (kept === true) document.kept = kept;
  if (sha256 !== '') document.sha256 = sha256;
  if (content !== undefined) document.content = content;
  return document;
}

function placeOf(
  segment: number | null,
  start: number | null,
  length: number | null,
  file: string | null,
): ContentPlace | undefined {
  if (length === null) return undefined;
  if (file !== null) return { file, length };
  return segment === null || start === null ? undefined : { segment, offset: start, length };
}
