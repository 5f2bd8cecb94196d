import type { RecordId } from '../../domain/record.ts';
import { type ChangeKind, changeKinds, strongest, type Watched } from '../../domain/subscription.ts';
import { type Change, loggedNotices, type Notice, type StoredSubscription, type Subscription } from '../port.ts';
import { codesIn, ownersIn } from '../visibility.ts';
import type { Database } from './driver.ts';
import type { PlainRow } from './encode.ts';
import { kinds, statuses, uuidBytes, uuidText } from './names.ts';

const watched = ['document', 'submissionSet', 'folder'] as const satisfies readonly Watched[];
const deleted = statuses.indexOf('deleted');

type State = {
  readonly logical: Uint8Array;
  readonly flags: number;
  readonly type: string;
  readonly owners: string;
  readonly status: number;
  readonly latest: number;
};

type Touched = {
  readonly object: Watched;
  readonly name: string;
  kind: ChangeKind;
  readonly before: Change['before'];
  readonly members: string[];
  /** A version was taken away: others may be left. */
  left?: true;
};

/** What a change set will change for those who wait for it: looked at before and after its rows are written. */
export function makeWatch(database: Database) {
  const awaited = database.prepare(
    `SELECT 1 FROM subscription WHERE live = 1 AND record = ?
     UNION ALL SELECT 1 FROM subscription WHERE live = 1 AND record IS NULL LIMIT 1`,
  );
  const stateOf = database.prepare<State>(
    `SELECT s.logical, s.flags, s.type, s.owners, s.status, s.latest FROM name n
     JOIN search s ON s.record = n.record AND s.position = n.key WHERE n.uuid = ? AND n.kind = 0 AND n.record = ?`,
  );
  const folderOf = database.prepare<{ logical: Uint8Array }>(
    `SELECT f.logical FROM name n JOIN folder f ON f.key = n.key
     WHERE n.uuid = ? AND n.kind = ${kinds.indexOf('folder')} AND n.record = ?`,
  );
  const remains = database.prepare('SELECT 1 FROM search WHERE record = ? AND logical = ? LIMIT 1');
  const remainsFolder = database.prepare('SELECT 1 FROM folder WHERE record = ? AND logical = ? LIMIT 1');
  const add = database.prepare('INSERT INTO change (record, object, name, kind, at, more) VALUES (?, ?, ?, ?, ?, ?)');
  // Two statements: one with an OR would look at every subscription.
  const [callOfRecord, callOfAll] = ['record = ?2', '?2 IS NOT NULL AND record IS NULL'].map((whose) =>
    database.prepare(
      `UPDATE subscription SET due = min(ifnull(due, ?1), ?1) WHERE live = 1 AND pushed = 1 AND failing = 0 AND ${whose}`,
    ),
  );

  /** `taken`: new versions in another record of what this one has so far. */
  function before(
    rows: readonly PlainRow[],
    record: number | undefined,
    taken: readonly PlainRow[] = [],
  ): readonly Touched[] {
    if (![...rows, ...taken].some(({ kind }) => interesting.has(kind)) || awaited.get(record ?? -1) === undefined)
      return [];
    const touched = new Map<string, Touched>();
    const key = record ?? -1;
    const versions = new Set<string>();

    function touch(object: Watched, name: string, kind: ChangeKind, state?: State, left?: true): void {
      const id = `${object}|${name}`;
      const known = touched.get(id);
      if (known !== undefined) known.kind = strongest(known.kind, kind);
      else touched.set(id, { object, name, kind, before: state && factsOf(state), members: [] });
      const held = touched.get(id);
      if (held !== undefined && left) held.left = true;
    }

    function grow(folder: Uint8Array, member: string): void {
      const name = uuidText(folder);
      touch('folder', name, 'grown');
      touched.get(`folder|${name}`)?.members.push(member);
    }

    for (const row of taken)
      if (row.kind === 'document' && row.of !== undefined) {
        versions.add(row.logicalID);
        touch('document', row.logicalID, 'removed', stateOf.get(uuidBytes(row.of), key));
      } else if (row.kind === 'folder' && row.logicalID !== undefined) touch('folder', row.logicalID, 'removed');
    for (const row of rows)
      if (row.kind === 'document') {
        const state = row.of === undefined ? undefined : stateOf.get(uuidBytes(row.of), key);
        versions.add(row.logicalID);
        const isOther = state !== undefined && state.status !== row.status;
        const kind = state === undefined ? 'created' : isOther ? statusKind(row.status) : 'changed';
        touch('document', row.logicalID, kind, state);
      } else if (row.kind === 'submissionSet') touch('submissionSet', row.entryUUID, 'created');
      else if (row.kind === 'folder') {
        const { entryUUID, logicalID = entryUUID, from } = row;
        touch('folder', logicalID, from !== undefined || entryUUID === logicalID ? 'created' : 'changed');
      } else if (row.kind === 'folderState') {
        const folder = folderOf.get(uuidBytes(row.folder), key);
        const kind = row.changes.status === undefined ? 'changed' : 'statusChanged';
        if (folder !== undefined) touch('folder', uuidText(folder.logical), kind);
      } else if (row.kind === 'association' && row.ends !== undefined) {
        const folder = isMembership(row.json) ? folderOf.get(uuidBytes(row.ends[0]), key) : undefined;
        if (folder !== undefined) grow(folder.logical, row.ends[1]);
      } else if (row.kind === 'remove' && row.object === 'document') {
        const state = stateOf.get(uuidBytes(row.name), key);
        if (state !== undefined) touch('document', uuidText(state.logical), 'removed', state, true);
      } else if (row.kind === 'remove' && row.object === 'folder') {
        const folder = folderOf.get(uuidBytes(row.name), key);
        if (folder !== undefined) touch('folder', uuidText(folder.logical), 'removed', undefined, true);
      }
    for (const row of rows) {
      const state = row.kind === 'status' ? stateOf.get(uuidBytes(row.document), key) : undefined;
      if (row.kind !== 'status' || state?.latest !== 1 || state.status === row.status) continue;
      const name = uuidText(state.logical);
      if (!versions.has(name)) touch('document', name, statusKind(row.status), state);
    }
    return [...touched.values()];
  }

  function after(touched: readonly Touched[], record: number, at: number): void {
    for (const { object, name, kind, left, before: facts, members } of touched) {
      const remaining = object === 'folder' ? remainsFolder : remains;
      const isLeft = left === true && remaining.get(record, uuidBytes(name)) !== undefined;
      const become = isLeft ? 'changed' : kind;
      const [place, told] = [watched.indexOf(object), changeKinds.indexOf(become)];
      const more = { ...(facts && { before: facts }), ...(become === 'grown' && { members }) };
      const text = Object.keys(more).length === 0 ? null : JSON.stringify(more);
      add.run(record, place, uuidBytes(name), told, at, text);
    }
    callOfRecord?.run(at, record);
    callOfAll?.run(at, record);
  }
  return { before, after };
}

const interesting: ReadonlySet<PlainRow['kind']> = new Set([
  'document',
  'submissionSet',
  'folder',
  'folderState',
  'association',
  'status',
  'remove',
]);

function statusKind(status: number): ChangeKind {
  return status === deleted ? 'removed' : 'statusChanged';
}

function isMembership(json: string): boolean {
  // JSON of an association, of our own writing.
  return (JSON.parse(json) as { readonly type: string }).type === 'HasMember';
}

function factsOf({ flags, type, owners }: State): Change['before'] {
  const [code = ''] = (type.split('|')[1] ?? '').split('^');
  return { codes: codesIn(flags), typeCode: decodeURIComponent(code), owners: ownersIn(owners) };
}

export function makeSubscriptionWrites(database: Database, keyOf: (record: RecordId) => number | undefined) {
  const put = database.prepare(
    `INSERT INTO subscription (id, revision, owner, record, live, pushed, failing, cursor, due, json)
     VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, CASE WHEN ?9 THEN (SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = 'change') ELSE ?10 END, ?7, ?8)
     ON CONFLICT (id) DO UPDATE SET revision = revision + 1, owner = excluded.owner, record = excluded.record, live = excluded.live,
       pushed = excluded.pushed, failing = excluded.failing, cursor = excluded.cursor, due = excluded.due, json = excluded.json`,
  );
  const exists = database.prepare('SELECT 1 FROM subscription WHERE id = ?');
  const call = database.prepare(
    `UPDATE subscription SET due = 0 WHERE id = ? AND live = 1 AND pushed = 1 AND failing = 0
       AND EXISTS (SELECT 1 FROM change c WHERE c.position > subscription.cursor AND (subscription.record IS NULL OR c.record = subscription.record))`,
  );
  const log = database.prepare('INSERT INTO notice (subscription, number, json) VALUES (?, ?, ?)');
  const forget = database.prepare('DELETE FROM notice WHERE subscription = ? AND number <= ?');
  const drop = database.prepare('DELETE FROM subscription WHERE id = ?');
  // What every subscription concerned has looked at is needed no more.
  const behind = (whose: string) =>
    `EXISTS (SELECT 1 FROM subscription s WHERE s.live = 1 AND ${whose} AND s.cursor < change.position)`;
  const needless = `NOT ${behind('s.record = change.record')} AND NOT ${behind('s.record IS NULL')}`;
  const clean = database.prepare(`DELETE FROM change WHERE record = ? AND ${needless}`);
  const cleanAll = database.prepare(`DELETE FROM change WHERE ${needless}`);
  const move = database.prepare(
    "UPDATE subscription SET record = ?, json = json_set(json, '$.record', ?), revision = revision + 1 WHERE record = ?",
  );
  const moveChanges = database.prepare('UPDATE change SET record = ? WHERE record = ?');
  const forgetTold = database.prepare(
    'DELETE FROM notice WHERE subscription IN (SELECT id FROM subscription WHERE record = ?)',
  );
  const dropAll = database.prepare('DELETE FROM subscription WHERE record = ?');
  const dropChanges = database.prepare('DELETE FROM change WHERE record = ?');
  const recordOf = database.prepare<{ record: number | null }>('SELECT record FROM subscription WHERE id = ?');

  function cleanFor(record: number | null): void {
    if (record === null) cleanAll.run();
    else clean.run(record);
  }

  return {
    put({ subscription, told = [], restart }: Extract<PlainRow, { kind: 'subscription' }>): void {
      const { id, owner, record: of, status, channel, failures, cursor, due } = subscription;
      const record = of === undefined ? null : keyOf(of);
      if (record === undefined) throw new TypeError('The record of a subscription is not in the store');
      const fromNow = restart === true || exists.get(id) === undefined ? 1 : 0;
      const live = status === 'off' ? 0 : 1;
      const pushed = channel.kind === 'rest-hook' ? 1 : 0;
      const failing = failures > 0 ? 1 : 0;
      const json = JSON.stringify(subscription);
      put.run(id, owner, record, live, pushed, failing, due ?? null, json, fromNow, cursor);
      for (const notice of told) log.run(id, notice.number, JSON.stringify(notice));
      if (told.length > 0) forget.run(id, subscription.count - loggedNotices);
      cleanFor(record);
      call.run(id);
    },
    /** What is told of the subsumed record is told of the one that holds it now. */
    follow(from: number, into: number, record: RecordId): void {
      moveChanges.run(into, from);
      move.run(into, record, from);
    },
    /** Of a record that is destroyed nobody is told anything. */
    forgetRecord(record: number): void {
      forgetTold.run(record);
      dropAll.run(record);
      dropChanges.run(record);
    },
    drop(id: string): void {
      const found = recordOf.get(id);
      drop.run(id);
      forget.run(id, Number.MAX_SAFE_INTEGER);
      if (found !== undefined) cleanFor(found.record);
    },
  };
}

type SubscriptionRow = {
  readonly revision: number;
  readonly cursor: number;
  readonly due: number | null;
  readonly json: string;
};
type ChangeRow = {
  readonly position: number;
  readonly record: RecordId;
  readonly object: number;
  readonly name: Uint8Array;
  readonly kind: number;
  readonly at: number;
  readonly more: string | null;
};

export function makeSubscriptionReads(database: Database) {
  const columns = 'revision, cursor, due, json';
  const find = database.prepare<SubscriptionRow>(`SELECT ${columns} FROM subscription WHERE id = ?`);
  const ofOwner = database.prepare<SubscriptionRow>(
    `SELECT ${columns} FROM subscription WHERE owner = ? ORDER BY rowid DESC`,
  );
  const due = database.prepare<SubscriptionRow>(
    `SELECT ${columns} FROM subscription WHERE due IS NOT NULL AND due <= ? ORDER BY due LIMIT ?`,
  );
  const next = database.prepare<{ due: number | null }>('SELECT min(due) AS due FROM subscription WHERE due > ?');
  const ofChange =
    'c.position, r.id AS record, c.object, c.name, c.kind, c.at, c.more FROM change c JOIN record r ON r.key = c.record';
  const inRecord = database.prepare<ChangeRow>(
    `SELECT ${ofChange} WHERE c.record = (SELECT key FROM record WHERE id = ?) AND c.position > ? ORDER BY c.position LIMIT ?`,
  );
  const inAll = database.prepare<ChangeRow>(`SELECT ${ofChange} WHERE c.position > ? ORDER BY c.position LIMIT ?`);
  const told = database.prepare<{ json: string }>(
    'SELECT json FROM notice WHERE subscription = ? AND number BETWEEN ? AND ? ORDER BY number LIMIT ?',
  );
  return {
    find: (id: string): StoredSubscription | undefined => subscriptionOf(find.get(id)),
    ofOwner: (owner: string): StoredSubscription[] => ofOwner.all(owner).map((row) => subscriptionOf(row)),
    due: (now: number, limit: number): StoredSubscription[] => due.all(now, limit).map((row) => subscriptionOf(row)),
    nextDue: (now: number): number | undefined => next.get(now)?.due ?? undefined,
    changes: ({ cursor, record }: Pick<Subscription, 'cursor' | 'record'>, limit: number): Change[] =>
      (record === undefined ? inAll.all(cursor, limit) : inRecord.all(record, cursor, limit)).map(changeOf),
    told: (id: string, from: number, to: number, limit: number): Notice[] =>
      // JSON of the store's own writing, here and below.
      told.all(id, from, to, limit).map(({ json }) => JSON.parse(json) as Notice),
  };
}

function subscriptionOf(row: SubscriptionRow): StoredSubscription;
function subscriptionOf(row: SubscriptionRow | undefined): StoredSubscription | undefined;
function subscriptionOf(row: SubscriptionRow | undefined): StoredSubscription | undefined {
  if (row === undefined) return undefined;
  const { due: _due, ...stored } = JSON.parse(row.json) as Subscription;
  const { revision, cursor, due } = row;
  return { ...stored, revision, cursor, ...(due !== null && { due }) };
}

function changeOf({ object, kind, name, more, ...row }: ChangeRow): Change {
  return {
    ...row,
    object: watched[object] ?? 'document',
    kind: changeKinds[kind] ?? 'changed',
    name: uuidText(name),
    ...(more !== null && (JSON.parse(more) as Pick<Change, 'before' | 'members'>)),
  };
}
