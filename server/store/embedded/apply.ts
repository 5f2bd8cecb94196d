import type { RecordId } from '../../domain/record.ts';
import type { ContentPlace } from '../port.ts';
import { chainHash } from '../trail.ts';
import { joinedOwners } from '../visibility.ts';
import { makeConsentWrites } from './consents.ts';
import type { Database } from './driver.ts';
import type { PlainDocument, PlainPackage, PlainRow, PlainSet } from './encode.ts';
import { makeHolderWrites } from './holders.ts';
import { makeJobWrites } from './jobs.ts';
import { makeMerge } from './merge.ts';
import { makeMoving } from './moved.ts';
import { kinds, readJson, uniqueIdHash, uuidBytes } from './names.ts';
import { makeRecordKeys } from './record-keys.ts';
import { makeRelating } from './relations.ts';
import { makeRemoval } from './remove.ts';
import { makeSharedWrites } from './shared-values.ts';
import { makeStagingWrites } from './staging.ts';
import { makeSubscriptionWrites, makeWatch } from './subscriptions.ts';

type Before = {
  readonly sha256: Uint8Array | null;
  readonly segment: number | null;
  readonly start: number | null;
  readonly length: number | null;
  readonly file: string | null;
  readonly sealed_for: string | null;
  readonly owners: string;
  readonly revision: number;
};

export type Applied = { readonly sequences: readonly number[]; readonly head: string; readonly awaited?: true };

/** Writes a change set whose expectations hold; `places` are those of its sealed bytes, `head` the hash of the last event. */
export type Apply = {
  (set: PlainSet, places: readonly ContentPlace[], head: string): Applied;
  /** After a rollback, to the savepoint or of all. */
  rolledBack(): void;
};

/** Where the bytes of a document are, as the tables say it. */
function columnsOf({ content }: PlainDocument, places: readonly ContentPlace[]) {
  const place = typeof content === 'number' ? places[content] : content;
  const [segment, start] = place !== undefined && 'segment' in place ? [place.segment, place.offset] : [null, null];
  return {
    segment,
    start,
    length: place?.length ?? null,
    file: place !== undefined && 'file' in place ? place.file : null,
  };
}

/** Throws when a row contradicts the tables: a fault of the caller, of which the savepoint leaves nothing. */
export function makeApply(database: Database): Apply {
  const addRecord = database.prepare('INSERT INTO record (id, version, json, changed) VALUES (?, ?, ?, ?)');
  const changeRecord = database.prepare('UPDATE record SET version = ?, json = ?, changed = ? WHERE key = ?');
  const touchRecord = database.prepare('UPDATE record SET version = version + 1, changed = ? WHERE key = ?');
  const dropIdentifiers = database.prepare('DELETE FROM identifier WHERE record = ?');
  const addIdentifier = database.prepare('INSERT INTO identifier (value, oid, record) VALUES (?, ?, ?)');
  const shred = database.prepare(
    `INSERT OR IGNORE INTO shred (record)
     SELECT id FROM record WHERE id = ?1 OR merged = (SELECT key FROM record WHERE id = ?1)`,
  );
  const addName = database.prepare('INSERT INTO name (uuid, kind, key, record) VALUES (?, ?, ?, ?)');
  const addUniqueId = database.prepare('INSERT INTO unique_id (hash, kind, key, record) VALUES (?, ?, ?, ?)');
  const addDocument = database.prepare(
    'INSERT INTO document (registered, sha256, segment, start, length, file, json, sealed_for) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const addSearch = database.prepare(
    `INSERT INTO search (record, position, status, on_demand, flags, logical, created, started, stopped,
       class, type, format, setting, facility, event, confidentiality, reference, authors, owners, offline, revision, changed)
     VALUES (${Array(22).fill('?').join(', ')})`,
  );
  const before = database.prepare<Before>(
    `SELECT d.sha256, d.segment, d.start, d.length, d.file, d.sealed_for, s.owners,
       (SELECT max(revision) FROM search l WHERE l.record = s.record AND l.logical = s.logical) AS revision FROM name n
     JOIN search s ON s.record = n.record AND s.position = n.key JOIN document d ON d.position = s.position
     WHERE n.uuid = ? AND n.kind = 0 AND n.record = ? AND s.logical = ?`,
  );
  const heldHere = database.prepare<Omit<Before, 'owners' | 'revision'>>(
    `SELECT d.sha256, d.segment, d.start, d.length, d.file, d.sealed_for FROM search s JOIN document d ON d.position = s.position
     WHERE s.record = ? AND s.logical = ? AND d.length IS NOT NULL ORDER BY s.position DESC LIMIT 1`,
  );
  const outdate = database.prepare(
    'UPDATE search SET latest = 0, flags = ?, owners = ? WHERE record = ? AND logical = ?',
  );
  const documentKey = database.prepare<{ key: number }>(
    'SELECT key FROM name WHERE uuid = ? AND kind = 0 AND record = ?',
  );
  const changeStatus = database.prepare(
    `UPDATE search SET status = ?, revision = revision + latest, changed = CASE latest WHEN 1 THEN ? ELSE changed END
     WHERE record = ? AND position = ?`,
  );
  const keepState = database.prepare(
    `INSERT OR IGNORE INTO past (position, revision, status, changed)
     SELECT position, revision, status, changed FROM search WHERE record = ? AND position = ? AND latest = 1`,
  );
  const keepLatest = database.prepare(
    `INSERT OR IGNORE INTO past (position, revision, status, changed)
     SELECT position, revision, status, changed FROM search WHERE record = ? AND logical = ? AND latest = 1`,
  );
  const addSet = database.prepare('INSERT INTO submission_set (record, owners, json) VALUES (?, ?, ?)');
  const addFolder = database.prepare('INSERT INTO folder (record, logical, json) VALUES (?, ?, ?)');
  const stateOf = (table: 'folder' | 'association') => ({
    read: database.prepare<{ key: number; json: Uint8Array }>(
      `SELECT o.key, o.json FROM name n JOIN ${table} o ON o.key = n.key
       WHERE n.uuid = ? AND n.kind = ${kinds.indexOf(table)} AND n.record = ?`,
    ),
    write: database.prepare(`UPDATE ${table} SET json = ? WHERE key = ?`),
  });
  const folderState = stateOf('folder');
  const associationState = stateOf('association');
  const addAssociation = database.prepare('INSERT INTO association (record, source, target, json) VALUES (?, ?, ?, ?)');
  const addEvent = database.prepare(
    'INSERT INTO event (record, at, actors, hash, json, told) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const consents = makeConsentWrites(database);
  const holders = makeHolderWrites(database);
  const merging = makeMerge(database);
  const removal = makeRemoval(database);
  const shared = makeSharedWrites(database);
  const staging = makeStagingWrites(database);
  const watch = makeWatch(database);
  const moving = makeMoving(database);
  const relate = makeRelating(database);

  let recordKeys = makeRecordKeys(database);
  const keyOf = (record: RecordId | undefined) => (record === undefined ? undefined : recordKeys.of(record));
  const jobs = makeJobWrites(database, keyOf);
  const subscriptions = makeSubscriptionWrites(database, keyOf);

  function putRecord(row: Extract<PlainRow, { kind: 'record' }>, at: number): number {
    const { id, version, identifiers, names, json } = row;
    const known = keyOf(id);
    if (known !== undefined) {
      changeRecord.run(version, Buffer.from(json), at, known);
      dropIdentifiers.run(known);
    }
    const key = known ?? addRecord.run(id, version, Buffer.from(json), at).key;
    for (const { value, oid } of identifiers) addIdentifier.run(value, oid, key);
    holders.put(key, names);
    return key;
  }

  function jsonOf({ json }: PlainDocument): Buffer {
    return Buffer.from(typeof json === 'string' ? json : shared.join(json));
  }

  function putDocument(row: PlainDocument, record: number, places: readonly ContentPlace[]): number {
    if (row.of !== undefined) return putVersion(row, row.of, record, places);
    const { segment, start, length, file } = columnsOf(row, places);
    const sha256 = row.sha256 === undefined ? null : Buffer.from(row.sha256, 'hex');
    const { key } = addDocument.run(row.registeredAt, sha256, segment, start, length, file, jsonOf(row), null);
    const { status, onDemand, flags, logicalID, times, texts, offline } = row;
    const logical = uuidBytes(logicalID);
    addSearch.run(record, key, status, onDemand, flags, logical, ...times, ...texts, offline, 1, row.registeredAt);
    return key;
  }

  function putVersion(row: PlainDocument, of: string, record: number, places: readonly ContentPlace[]): number {
    const logical = uuidBytes(row.logicalID);
    const from = row.from === undefined ? record : keyOf(row.from);
    const old = from === undefined ? undefined : before.get(uuidBytes(of), from, logical);
    if (from === undefined || old === undefined) throw new TypeError('A version follows no document of the record');
    const own = row.content === undefined ? heldHere.get(record, logical) : undefined;
    const bytes = from === record ? old : (own ?? { ...columnsOf(row, places), sealed_for: null });
    const { segment, start, length, file, sealed_for: sealedFor } = bytes;
    const owners = joinedOwners(old.owners, row.texts.at(-1) ?? '');
    const { registeredAt } = row;
    const { key } = addDocument.run(registeredAt, old.sha256, segment, start, length, file, jsonOf(row), sealedFor);
    keepLatest.run(from, logical);
    for (const holding of new Set([from, record])) outdate.run(row.flags, owners, holding, logical);
    const { status, onDemand, flags, times, offline } = row;
    const texts = [...row.texts.slice(0, -1), owners];
    const state = [old.revision + 1, registeredAt];
    addSearch.run(record, key, status, onDemand, flags, logical, ...times, ...texts, offline, ...state);
    if (from !== record) moving.move('document', logical, from, record);
    return key;
  }

  function putState(table: typeof folderState, entryUUID: string, record: number, changes: object): void {
    const found = table.read.get(uuidBytes(entryUUID), record);
    if (found === undefined) throw new TypeError('A change of state names no object of the record');
    // JSON of the store's own writing.
    table.write.run(Buffer.from(JSON.stringify({ ...(readJson(found.json) as object), ...changes })), found.key);
  }

  function putFolder({ logicalID = '', from, json }: PlainPackage, record: number): number {
    const logical = uuidBytes(logicalID);
    const before = keyOf(from);
    if (before !== undefined) moving.move('folder', logical, before, record);
    return addFolder.run(record, logical, Buffer.from(json)).key;
  }

  function register(
    row: Extract<PlainRow, { entryUUID: string }>,
    record: number,
    places: readonly ContentPlace[],
  ): void {
    let key: number;
    if (row.kind === 'document') key = putDocument(row, record, places);
    else if (row.kind === 'submissionSet') key = addSet.run(record, row.owners, Buffer.from(row.json)).key;
    else if (row.kind === 'folder') key = putFolder(row, record);
    else {
      const [source, target] = row.ends ?? ['', ''];
      key = addAssociation.run(record, uuidBytes(source), uuidBytes(target), Buffer.from(row.json)).key;
    }
    const kind = kinds.indexOf(row.kind);
    addName.run(uuidBytes(row.entryUUID), kind, key, record);
    if (row.uniqueId !== undefined) addUniqueId.run(uniqueIdHash(row.uniqueId), kind, key, record);
  }

  function putRow(row: PlainRow, record: number, places: readonly ContentPlace[], at: number): void {
    if (row.kind === 'record' || row.kind === 'merge' || isOfNoRecord(row)) return;
    if (row.kind === 'consent') consents.put(row, record);
    else if (row.kind === 'status') {
      const key = documentKey.get(uuidBytes(row.document), record)?.key;
      if (key === undefined) throw new TypeError('A status names no document of the record');
      keepState.run(record, key);
      changeStatus.run(row.status, row.at ?? at, record, key);
    } else if (row.kind === 'folderState') putState(folderState, row.folder, record, row.changes);
    else if (row.kind === 'associationState')
      putState(associationState, row.association, record, { status: row.status });
    else if (row.kind === 'patientId') merging.readdress(row, record);
    else if (row.kind === 'remove') removal.remove(row, record, at);
    else if (row.kind === 'removeContent') removal.removeContent(row, record);
    else if (row.kind === 'destroyKey') {
      shred.run(row.record);
      subscriptions.forgetRecord(record);
    } else if (row.kind !== 'key') register(row, record, places);
  }

  function putMerge(row: Extract<PlainRow, { kind: 'merge' }>, record: RecordId | undefined): void {
    const into = keyOf(record);
    if (into === undefined) throw new TypeError('The record of the permit is not in the store');
    const from = keyOf(row.id);
    merging.merge(row, into);
    if (from !== undefined && record !== undefined) subscriptions.follow(from, into, record);
  }

  /** Answers whether a subscription waits for something of it; `looked` is what was found to wait before other parts were written. */
  function putRows(
    { record, rows, at }: Pick<PlainSet, 'record' | 'rows' | 'at'>,
    places: readonly ContentPlace[],
    looked?: ReturnType<typeof watch.before>,
  ): boolean {
    for (const row of rows)
      if (row.kind === 'staged') staging.add(row.staged);
      else if (row.kind === 'unstaged') staging.remove(row.id);
      else if (row.kind === 'subscription') subscriptions.put(row);
      else if (row.kind === 'unsubscribe') subscriptions.drop(row.id);
    if (rows.every(isOfNoRecord) && looked === undefined) return false;
    for (const row of rows) if (row.kind === 'merge') putMerge(row, record);
    for (const row of rows) if (row.kind === 'record') putRecord(row, at);
    const key = keyOf(record);
    if (key === undefined) throw new TypeError('The record of the permit is not in the store');
    const touched = looked ?? watch.before(rows, key);
    for (const row of rows) putRow(row, key, places, at);
    // A row may name a document that comes after it.
    for (const row of rows) if ('relating' in row && row.relating !== undefined) relate(row.relating, key);
    const stated = rows.filter((row) => row.kind === 'consent');
    consents.addVersions(stated, key, at);
    if (stated.length > 0 && !rows.some((row) => row.kind === 'record')) touchRecord.run(at, key);
    if (touched.length > 0) watch.after(touched, key, at);
    return touched.length > 0;
  }

  const apply = (set: PlainSet, places: readonly ContentPlace[], head: string): Applied => {
    const others = (set.elsewhere ?? []).map(({ record, rows }) => {
      const taken = set.rows.filter((row) => 'from' in row && row.from === record);
      return { part: { record, rows, at: set.at }, looked: watch.before(rows, keyOf(record), taken) };
    });
    const isAwaited = [putRows(set, places), ...others.map(({ part, looked }) => putRows(part, [], looked))].some(
      (awaited) => awaited,
    );
    let last = head;
    const sequences = set.events.map(({ record, at, actors, json, told }) => {
      last = chainHash(last, json);
      const digest = told === undefined ? null : Buffer.from(told, 'hex');
      return addEvent.run(keyOf(record) ?? null, at, actors, Buffer.from(last, 'hex'), Buffer.from(json), digest).key;
    });
    for (const job of set.jobs) jobs.add(job, sequences[0], set.at);
    for (const settlement of set.settled) jobs.settle(settlement);
    if (set.stagedUntil !== undefined) staging.expire(set.stagedUntil);
    return { sequences, head: last, ...(isAwaited && { awaited: true }) };
  };
  return Object.assign(apply, {
    rolledBack() {
      shared.forget();
      // A key that was read may have been that of a record that is none.
      recordKeys = makeRecordKeys(database);
    },
  });
}

function isOfNoRecord(
  row: PlainRow,
): row is Extract<PlainRow, { kind: 'staged' | 'unstaged' | 'subscription' | 'unsubscribe' }> {
  return ['staged', 'unstaged', 'subscription', 'unsubscribe'].includes(row.kind);
}
