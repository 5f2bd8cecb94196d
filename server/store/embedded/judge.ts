import type { Association, DocumentEntry, Folder } from '../../domain/document.ts';
import type { Identifier } from '../../domain/identifier.ts';
import type { Expectation, ObjectKind } from '../port.ts';
import type { Database } from './driver.ts';
import type { PlainRow, PlainSet } from './encode.ts';
import { whereNow } from './moved.ts';
import { kinds, readJson, statuses, uniqueIdHash, uuidBytes } from './names.ts';
import { makeEmptiness } from './read-facts.ts';
import { makeStagingReads } from './staging.ts';
import { namesIn, namesOf } from './visible.ts';

/** Answers which expectations of a change set do not hold, those implied by its rows included: names and identifiers are held once. */
export type Judge = (set: PlainSet) => Expectation[];

/** Only indexed reads. The writer is alone, so what holds here holds until it writes. */
export function makeJudge(database: Database): Judge {
  const named = database.prepare<{ key: number }>('SELECT key FROM name WHERE uuid = ? AND kind = ?');
  const anyNamed = database.prepare('SELECT 1 FROM name WHERE uuid IN (?, ?, ?, ?) LIMIT 1');
  const holders = database.prepare<{ kind: number; key: number }>('SELECT kind, key FROM unique_id WHERE hash = ?');
  const documentJson = database.prepare<{ json: Uint8Array }>('SELECT json FROM document WHERE position = ?');
  const setJson = database.prepare<{ json: Uint8Array }>('SELECT json FROM submission_set WHERE key = ?');
  const folderJson = database.prepare<{ json: Uint8Array }>('SELECT json FROM folder WHERE key = ?');
  const holder = database.prepare<{ id: string }>(
    'SELECT r.id FROM identifier i JOIN record r ON r.key = i.record WHERE i.value = ? AND i.oid = ?',
  );
  const version = database.prepare<{ version: number }>('SELECT version FROM record WHERE id = ?');
  const status = database.prepare<{ status: number }>(
    'SELECT s.status FROM name n JOIN search s ON s.record = n.record AND s.position = n.key WHERE n.uuid = ? AND n.kind = 0',
  );

  const latest = database.prepare<{ latest: number }>(
    'SELECT s.latest FROM name n JOIN search s ON s.record = n.record AND s.position = n.key WHERE n.uuid = ? AND n.kind = 0',
  );
  const laterFolder = database.prepare(
    `SELECT 1 FROM folder f JOIN folder later ON later.record = f.record AND later.logical = f.logical AND later.key > f.key
     WHERE f.key = ?
     UNION ALL SELECT 1 FROM folder f WHERE f.key = ? AND ${whereNow('folder', 'f.logical')} <> f.record`,
  );
  const isEmpty = makeEmptiness(database);
  const associationJson = database.prepare<{ json: Uint8Array }>('SELECT json FROM association WHERE key = ?');

  const staged = database.prepare('SELECT 1 FROM staged WHERE id = ?');
  const told = database.prepare('SELECT 1 FROM event WHERE told = unhex(?)');
  const waiting = makeStagingReads(database);
  const subscription = database.prepare<{ revision: number }>('SELECT revision FROM subscription WHERE id = ?');
  const referring = database.prepare<{ json: Uint8Array }>(
    `SELECT json FROM association WHERE key IN
       (SELECT key FROM association WHERE source IN (${namesIn}) UNION SELECT key FROM association WHERE target IN (${namesIn}))`,
  );

  const isNamed = (kind: ObjectKind, entryUUID: string) =>
    named.get(uuidBytes(entryUUID), kinds.indexOf(kind)) !== undefined;

  function uniqueIdIsFree({ uniqueIdFree, unless }: Extract<Expectation, { uniqueIdFree: string }>): boolean {
    return holders.all(uniqueIdHash(uniqueIdFree)).every(({ kind, key }) => {
      const json = [documentJson, setJson, folderJson][kind]?.get(key)?.json;
      if (json === undefined) return true;
      // Written by this store from a value of this type.
      const held = readJson(json) as Pick<DocumentEntry, 'uniqueId' | 'hash' | 'size'>;
      if (held.uniqueId !== uniqueIdFree) return true;
      return kind === 0 && unless !== undefined && held.hash === unless.hash && held.size === unless.size;
    });
  }

  function holds(expectation: Expectation): boolean {
    if ('absent' in expectation) return !isNamed(expectation.absent.kind, expectation.absent.entryUUID);
    if ('uniqueIdFree' in expectation) return uniqueIdIsFree(expectation);
    if ('insFree' in expectation) return expectation.insFree.every(({ value, oid }) => !holder.get(value, oid));
    if ('recordAt' in expectation)
      return version.get(expectation.recordAt.record)?.version === expectation.recordAt.version;
    if ('stateIs' in expectation) return hasState(expectation.stateIs);
    if ('unreferenced' in expectation) return isUnreferenced(expectation);
    if ('latest' in expectation) return isLatest(expectation.latest);
    if ('empty' in expectation) return isEmpty(expectation.empty);
    if ('subscriptionAt' in expectation)
      return subscription.get(expectation.subscriptionAt.id)?.revision === expectation.subscriptionAt.revision;
    if ('untold' in expectation) return told.get(expectation.untold) === undefined;
    if ('staged' in expectation) return staged.get(expectation.staged) !== undefined;
    if ('waiting' in expectation) {
      const { owner, at, most } = expectation.waiting;
      return waiting.waiting(owner, at) <= most;
    }
    const found = status.get(uuidBytes(expectation.statusIs.document));
    return found !== undefined && statuses[found.status] === expectation.statusIs.status;
  }

  function hasState({ kind, entryUUID, status: wanted }: Extract<Expectation, { stateIs: unknown }>['stateIs']) {
    const key = named.get(uuidBytes(entryUUID), kinds.indexOf(kind))?.key;
    const json = key === undefined ? undefined : (kind === 'folder' ? folderJson : associationJson).get(key)?.json;
    // Written by this store from a value of this type.
    return json !== undefined && (readJson(json) as Pick<Folder, 'status'>).status === wanted;
  }

  function isUnreferenced({ unreferenced, save = [] }: Extract<Expectation, { unreferenced: unknown }>): boolean {
    const names = namesOf(unreferenced);
    const expected = new Set([...unreferenced, ...save]);
    return referring.all(names, names).every(({ json }) => {
      // Written by this store from a value of this type.
      const { entryUUID } = readJson(json) as Pick<Association, 'entryUUID'>;
      return expected.has(entryUUID);
    });
  }

  function isLatest({ kind, entryUUID }: Extract<Expectation, { latest: unknown }>['latest']) {
    if (kind === 'document') return latest.get(uuidBytes(entryUUID))?.latest === 1;
    const key = named.get(uuidBytes(entryUUID), kinds.indexOf(kind))?.key;
    return key !== undefined && laterFolder.get(key, key) === undefined;
  }

  function isHeldElsewhere(ids: readonly string[], { value, oid }: Identifier): boolean {
    const found = holder.get(value, oid);
    return found !== undefined && !ids.includes(found.id);
  }

  /** Those among these rows whose name is taken. New names are looked for four at a time. */
  function namedAlready(rows: readonly Registered[]): Registered[] {
    const found: Registered[] = [];
    for (let i = 0; i < rows.length; i += 4) {
      const four = rows.slice(i, i + 4);
      const [a = null, b = null, c = null, d = null] = four.map(({ entryUUID }) => uuidBytes(entryUUID));
      if (anyNamed.get(a, b, c, d) !== undefined) found.push(...four.filter((row) => isNamed(row.kind, row.entryUUID)));
    }
    return found;
  }

  return ({ expect, rows }) => {
    const asked = new Set(expect.map((e) => ('absent' in e ? nameOf(e.absent.kind, e.absent.entryUUID) : '')));
    const leaving = rows.flatMap((row) => (row.kind === 'merge' ? [row.id] : []));
    const held = rows.flatMap((row): Expectation[] =>
      row.kind !== 'record'
        ? []
        : row.identifiers
            .filter((i) => isHeldElsewhere([row.id, ...leaving], i))
            .map(({ value, oid }) => ({ insFree: [{ value, oid }] })),
    );
    const registered = rows.filter(isRegistered).filter((row) => !asked.has(nameOf(row.kind, row.entryUUID)));
    const taken = namedAlready(registered).map(({ kind, entryUUID }) => ({ absent: { kind, entryUUID } }));
    return [...expect.filter((e) => !holds(e)), ...held, ...taken];
  };
}

const nameOf = (kind: ObjectKind, entryUUID: string) => `${kind}|${entryUUID}`;

type Registered = Extract<PlainRow, { kind: ObjectKind }>;

function isRegistered(row: PlainRow): row is Registered {
  return 'entryUUID' in row;
}
