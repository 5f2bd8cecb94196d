import type { Consent } from '../../domain/consent.ts';
import type { RecordFacts } from '../../domain/decision.ts';
import { type EventDraft, writtenAt } from '../../domain/event.ts';
import type { PatientRecord, RecordId } from '../../domain/record.ts';
import type { ToldPlace } from '../port.ts';
import type { ChangeCounts } from './change-counts.ts';
import type { Database, Statement, Value } from './driver.ts';
import { whereNow } from './moved.ts';
import { readJson, uuidHex } from './names.ts';
import { makeRecall } from './recall.ts';
import { makeRecent } from './recent.ts';
import type { RecordKeys } from './record-keys.ts';

/** One for each consent, or one without. */
type FactsRow = readonly [key: number, version: number, changed: number, record: string, consent: string | null];
type RecordRow = { readonly id: RecordId; readonly version: number };

/** A record that something names: its version, by which what is known of it may still hold, or all of it. */
type Named = { readonly version: Statement<RecordRow>; readonly whole: Statement<FactsRow> };

/** How many records a thread keeps the facts of. */
const kept = 4096;

/** Reads of what `decide()` needs, each of one state of the store. */
export function makeFactReads(database: Database, counts: ChangeCounts, keys: RecordKeys) {
  const namedBy = (key: string): Named => ({
    version: database.prepare(`SELECT id, version FROM record WHERE key = (${key})`),
    whole: database.prepare(
      `SELECT r.key, r.version, r.changed, CAST(r.json AS TEXT), CAST(c.json AS TEXT) FROM record r LEFT JOIN consent c ON c.record = r.key
       WHERE r.key = (${key}) ORDER BY c.key`,
      'arrays',
    ),
  });
  const byIdentifier = namedBy('SELECT record FROM identifier WHERE value = ? AND oid = ?');
  const byId = namedBy('SELECT key FROM record WHERE id = ?');
  const ofDocument = namedBy(
    `SELECT ifnull(${whereNow('document', 'unhex(?1)')}, (SELECT record FROM name WHERE uuid = unhex(?1) AND kind = 0))`,
  );
  const ofConsent = namedBy('SELECT record FROM consent WHERE grouped = ? LIMIT 1');
  const ofEvent = namedBy('SELECT record FROM event WHERE sequence = ?');
  const told = database.prepare<{ sequence: number; json: Uint8Array }>(
    'SELECT sequence, json FROM event WHERE told = unhex(?)',
  );
  const known = makeRecent<RecordId, RecordFacts>(kept);
  const recall = makeRecall<RecordFacts | undefined>(counts, 2 * kept, (facts) => facts?.record.id);

  const named = database.prepare<{ found: number }>(
    'SELECT 1 AS found FROM document WHERE file = ? AND file IS NOT NULL',
  );

  /**
   * Facts of the record that was named before, where they are known, of a version that still holds: every change of the record and of its
   * consents moves it. Otherwise all is read at once.
   */
  function factsOf({ version, whole }: Named, names: readonly Value[], before = ''): RecordFacts | undefined {
    const facts = known.get(before);
    const row = facts && version.get(...names);
    return row?.id === before && row.version === facts?.record.version ? facts : read(whole, names);
  }

  function read(whole: Named['whole'], names: readonly Value[]): RecordFacts | undefined {
    const rows = whole.all(...names);
    const [first] = rows;
    if (first === undefined) return undefined;
    const [key, number, changedAt, json] = first;
    // JSON of the store's own writing; version and time live in columns, which a change of consents moves too.
    const record = { ...(JSON.parse(json) as PatientRecord), version: number, changedAt };
    const consents = rows.flatMap(([, , , , consent]) => (consent === null ? [] : [JSON.parse(consent) as Consent]));
    const facts = { record, consents };
    known.put(record.id, facts);
    keys.put(record.id, key);
    return facts;
  }

  return {
    recordByIdentifier: ({ value, oid }: { readonly value: string; readonly oid: string }) =>
      recall(`identifier ${oid} ${value}`, (before) => factsOf(byIdentifier, [value, oid], before)),
    recordById: (id: string) => recall(`id ${id}`, (before) => factsOf(byId, [id], before)),
    recordOfDocument: (entryUUID: string) =>
      recall(`document ${entryUUID}`, (before) => factsOf(ofDocument, [uuidHex(entryUUID) ?? ''], before)),
    recordOfConsent: (id: string) => factsOf(ofConsent, [id]),
    recordOfEvent: (sequence: number) => (Number.isSafeInteger(sequence) ? factsOf(ofEvent, [sequence]) : undefined),
    toldEvent(digest: string): ToldPlace | undefined {
      const row = told.get(digest);
      // JSON of the store's own writing.
      return row && { sequence: row.sequence, receivedAt: writtenAt(readJson(row.json) as EventDraft) };
    },
    isNamed: (file: string) => named.get(file) !== undefined,
  };
}

/** Whether no document, set, folder or consent is in a record. */
export function makeEmptiness(database: Database): (record: RecordId) => boolean {
  const held = (['search', 'submission_set', 'folder', 'consent'] as const).map((table) =>
    database.prepare(`SELECT 1 FROM ${table} WHERE record = (SELECT key FROM record WHERE id = ?) LIMIT 1`),
  );
  return (record) => held.every((statement) => statement.get(record) === undefined);
}
