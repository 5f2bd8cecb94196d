import type { Consent } from '../../domain/consent.ts';
import type { StoredConsents } from '../port.ts';
import type { Database } from './driver.ts';
import type { PlainRow } from './encode.ts';
import { readJson } from './names.ts';
import type { Reading } from './visible.ts';

type PlainConsent = Extract<PlainRow, { kind: 'consent' }>;

/** Writes of consents: the statements as they stand, and one version of each group that a change set touches. */
export function makeConsentWrites(database: Database) {
  const put = database.prepare(
    `INSERT INTO consent (id, record, grouped, json) VALUES (?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET json = excluded.json WHERE record = excluded.record AND grouped = excluded.grouped`,
  );
  const elsewhere = database.prepare('SELECT 1 FROM consent WHERE grouped = ? AND record <> ? LIMIT 1');
  const ofGroup = database.prepare<{ json: Uint8Array }>('SELECT json FROM consent WHERE grouped = ? ORDER BY key');
  const addVersion = database.prepare(
    `INSERT INTO consent_version (grouped, version, record, at, json, form)
     SELECT ?1, (SELECT ifnull(max(version), 0) + 1 FROM consent_version WHERE grouped = ?1), ?2, ?3, ?4,
       ifnull(?5, (SELECT form FROM consent_version WHERE grouped = ?1 ORDER BY version DESC LIMIT 1))`,
  );
  return {
    put(row: PlainConsent, record: number): void {
      const isTaken = elsewhere.get(row.group, record) !== undefined;
      if (isTaken || put.run(row.id, record, row.group, Buffer.from(row.json)).changes === 0)
        throw new TypeError("A consent is not of the permit's record");
    },
    /** After all rows of a change set. */
    addVersions(rows: readonly PlainConsent[], record: number, at: number): void {
      for (const group of new Set(rows.map((row) => row.group))) {
        const form = rows.find((row) => row.group === group && row.form !== undefined)?.form ?? null;
        const consents = ofGroup.all(group).map(({ json }) => Buffer.from(json).toString());
        addVersion.run(group, record, at, Buffer.from(`[${consents.join(',')}]`), form);
      }
    },
  };
}

type VersionRow = {
  readonly position: number;
  readonly grouped: string;
  readonly version: number;
  readonly at: number;
  readonly json: Uint8Array;
  readonly form: string | null;
};

const columns = 'position, grouped, version, at, json, form';
const ofRecord = 'record = (SELECT key FROM record WHERE id = ?)';

/** Reads of a record's consents with their versions. */
export function makeConsentReads(database: Database) {
  const latest = database.prepare<VersionRow>(
    `SELECT ${columns} FROM consent_version v WHERE ${ofRecord}
       AND version = (SELECT max(version) FROM consent_version w WHERE w.grouped = v.grouped) ORDER BY position DESC`,
  );
  const versions = database.prepare<VersionRow>(
    `SELECT ${columns} FROM consent_version WHERE ${ofRecord} AND grouped = ? ORDER BY version DESC`,
  );
  const stored = (record: string, row: VersionRow): StoredConsents => ({
    id: row.grouped,
    record,
    version: row.version,
    at: row.at,
    position: row.position,
    // JSON of the store's own writing.
    consents: readJson(row.json) as Consent[],
    ...(row.form !== null && { form: row.form }),
  });
  return {
    consents: ({ record }: Reading) => latest.all(record).map((row) => stored(record, row)),
    consentVersions: ({ record }: Reading, id: string) => versions.all(record, id).map((row) => stored(record, row)),
  };
}
