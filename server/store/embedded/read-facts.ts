import type { Consent } from '../../domain/consent.ts';
import type { RecordFacts } from '../../domain/decision.ts';
import { type EventDraft, writtenAt } from '../../domain/event.ts';
import type { PatientRecord, RecordId } from '../../domain/record.ts';
import type { ToldPlace } from '../port.ts';
import type { ChangeCounts } from './change-counts.ts';
import type { Database } from './driver.ts';
import { whereNow } from './moved.ts';
import { readJson, uuidHex } from './names.ts';
import { makeRecall } from './recall.ts';

/** One for each consent, or one without. */
type FactsRow = readonly [version: number, changed: number, record: Uint8Array, consent: Uint8Array | null];
type RecordRow = { readonly key: number; readonly version: number };

const recordWhere = (condition: string) => `SELECT key, version FROM record WHERE key = (${condition})`;

/** How many records a thread keeps the facts of. */
const kept = 4096;

/** Reads of what `decide()` needs, each of one state of the store. */
export function makeFactReads(database: Database, counts: ChangeCounts) {
  const byIdentifier = database.prepare<RecordRow>(
    recordWhere('SELECT record FROM identifier WHERE value = ? AND oid = ?'),
  );
  const byId = database.prepare<RecordRow>(recordWhere('SELECT key FROM record WHERE id = ?'));
  const ofDocument = database.prepare<RecordRow>(
    recordWhere(
      `SELECT ifnull(${whereNow('document', 'unhex(?1)')}, (SELECT record FROM name WHERE uuid = unhex(?1) AND kind = 0))`,
    ),
  );
  const ofConsent = database.prepare<RecordRow>(recordWhere('SELECT record FROM consent WHERE grouped = ? LIMIT 1'));
  const ofEvent = database.prepare<RecordRow>(recordWhere('SELECT record FROM event WHERE sequence = ?'));
  const told = database.prepare<{ sequence: number; json: Uint8Array }>(
    'SELECT sequence, json FROM event WHERE told = unhex(?)',
  );
  const whole = database.prepare<FactsRow>(
    `SELECT r.version, r.changed, r.json, c.json FROM record r LEFT JOIN consent c ON c.record = r.key
     WHERE r.key = ? ORDER BY c.key`,
    'arrays',
  );
  const known = new Map<number, RecordFacts>();
  const recall = makeRecall<RecordFacts | undefined>(counts, 2 * kept, (facts) => facts?.record.id);

  const named = database.prepare<{ found: number }>(
    'SELECT 1 AS found FROM document WHERE file = ? AND file IS NOT NULL',
  );

  /** The version says whether what is kept still holds: every change of the record and of its consents moves it. */
  function factsOf(find: () => RecordRow | undefined): RecordFacts | undefined {
    for (;;) {
      const row = find();
      if (row === undefined) return undefined;
      const before = known.get(row.key);
      known.delete(row.key);
      const facts = before?.record.version === row.version ? before : read(row.key);
      if (facts === undefined) return undefined;
      known.set(row.key, facts);
      if (known.size > kept) known.delete(known.keys().next().value ?? row.key);
      // A change that came in between may have given the name to another record.
      if (facts.record.version === row.version) return facts;
    }
  }

  function read(key: number): RecordFacts | undefined {
    const rows = whole.all(key);
    const [first] = rows;
    if (first === undefined) return undefined;
    const [version, changedAt, json] = first;
    // JSON of the store's own writing; version and time live in columns, which a change of consents moves too.
    const record = { ...(readJson(json) as PatientRecord), version, changedAt };
    return { record, consents: rows.flatMap(([, , , consent]) => (consent ? [readJson(consent) as Consent] : [])) };
  }

  return {
    recordByIdentifier: ({ value, oid }: { readonly value: string; readonly oid: string }) =>
      recall(`identifier ${oid} ${value}`, () => factsOf(() => byIdentifier.get(value, oid))),
    recordById: (id: string) => recall(`id ${id}`, () => factsOf(() => byId.get(id))),
    recordOfDocument: (entryUUID: string) =>
      recall(`document ${entryUUID}`, () => factsOf(() => ofDocument.get(uuidHex(entryUUID) ?? ''))),
    recordOfConsent: (id: string) => factsOf(() => ofConsent.get(id)),
    recordOfEvent: (sequence: number) =>
      factsOf(() => (Number.isSafeInteger(sequence) ? ofEvent.get(sequence) : undefined)),
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
