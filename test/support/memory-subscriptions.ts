import type { RecordId } from '../../server/domain/record.ts';
import { type ChangeKind, strongest, type Watched } from '../../server/domain/subscription.ts';
import {
  type Change,
  loggedNotices,
  type Notice,
  type Row,
  type StoredSubscription,
  type Subscription,
  type Subscriptions,
} from '../../server/store/port.ts';

/** What a memory store keeps of subscriptions; shared by all its states. */
export type HeldSubscriptions = {
  readonly all: Map<string, StoredSubscription>;
  readonly told: Map<string, Notice[]>;
  changes: Change[];
  last: number;
};

export function noSubscriptions(): HeldSubscriptions {
  return { all: new Map(), told: new Map(), changes: [], last: 0 };
}

export function copyOfSubscriptions({ all, told, changes, last }: HeldSubscriptions): HeldSubscriptions {
  return {
    all: new Map(all),
    told: new Map([...told].map(([id, notices]) => [id, [...notices]])),
    changes: [...changes],
    last,
  };
}

/** What the store knows of an object before a change set: a document by its entryUUID, the logicalID of a folder. */
export type Known = {
  readonly document: (entryUUID: string) =>
    | {
        readonly logicalID: string;
        readonly status: string;
        readonly latest: boolean;
        readonly facts: Change['before'];
      }
    | undefined;
  readonly folder: (entryUUID: string) => string | undefined;
};

type Touch = {
  object: Watched;
  name: string;
  kind: ChangeKind;
  before: Change['before'];
  versionGone: boolean;
  members: string[];
};

/** What a change set does to objects that may be waited for; `taken`: new versions in another record of what this one has so far. */
export function touchedBy(rows: readonly Row[], known: Known, taken: readonly Row[] = []): readonly Touch[] {
  const found = new Map<string, Touch>();
  const touch = (object: Watched, name: string, kind: ChangeKind, before?: Change['before'], versionGone = false) => {
    const held = found.get(object + name);
    if (held === undefined) found.set(object + name, { object, name, kind, before, versionGone, members: [] });
    else {
      held.kind = strongest(held.kind, kind);
      held.versionGone ||= versionGone;
    }
  };
  const withVersion = new Set(
    [...rows, ...taken].flatMap((row) => (row.kind === 'version' ? [row.entry.logicalID] : [])),
  );
  const ofStatus = (status: string): ChangeKind => (status === 'deleted' ? 'removed' : 'statusChanged');
  for (const row of taken) {
    if (row.kind === 'version') touch('document', row.entry.logicalID, 'removed', known.document(row.of)?.facts);
    if (row.kind === 'folder') touch('folder', row.folder.logicalID, 'removed');
  }
  for (const row of rows) {
    if (row.kind === 'document') touch('document', row.entry.logicalID, 'created');
    if (row.kind === 'version') {
      const old = known.document(row.of);
      const changed = old?.status === row.entry.status ? 'changed' : ofStatus(row.entry.status);
      touch('document', row.entry.logicalID, old === undefined ? 'created' : changed, old?.facts);
    }
    if (row.kind === 'status') {
      const old = known.document(row.document);
      const isNews = old?.latest === true && old.status !== row.status && !withVersion.has(old.logicalID);
      if (old !== undefined && isNews) touch('document', old.logicalID, ofStatus(row.status), old.facts);
    }
    if (row.kind === 'submissionSet') touch('submissionSet', row.set.entryUUID, 'created');
    if (row.kind === 'folder') {
      const { entryUUID, logicalID } = row.folder;
      touch('folder', logicalID, row.from !== undefined || entryUUID === logicalID ? 'created' : 'changed');
    }
    if (row.kind === 'folderState') {
      const name = known.folder(row.folder);
      if (name !== undefined) touch('folder', name, row.status === undefined ? 'changed' : 'statusChanged');
    }
    if (row.kind === 'association' && row.association.type === 'HasMember') {
      const name = known.folder(row.association.source);
      if (name !== undefined) {
        touch('folder', name, 'grown');
        found.get(`folder${name}`)?.members.push(row.association.target);
      }
    }
    if (row.kind === 'remove' && row.object === 'document') {
      const old = known.document(row.name);
      if (old !== undefined) touch('document', old.logicalID, 'removed', old.facts, true);
    }
    if (row.kind === 'remove' && row.object === 'folder') {
      const name = known.folder(row.name);
      if (name !== undefined) touch('folder', name, 'removed', undefined, true);
    }
  }
  return [...found.values()];
}

/** Keeps what somebody waits for; `remains` says whether a version of the object is left. Answers whether anybody does. */
export function keepChanges(
  held: HeldSubscriptions,
  touched: readonly Touch[],
  record: RecordId,
  at: number,
  remains: (object: Watched, name: string) => boolean,
): boolean {
  const waiting = [...held.all.values()].filter((s) => s.status !== 'off' && (s.record ?? record) === record);
  if (waiting.length === 0 || touched.length === 0) return false;
  for (const { object, name, kind, before, versionGone, members } of touched) {
    const become = versionGone && remains(object, name) ? 'changed' : kind;
    held.last += 1;
    const more = { ...(before && { before }), ...(become === 'grown' && { members }) };
    held.changes.push({ position: held.last, record, object, name, kind: become, at, ...more });
  }
  for (const s of waiting)
    if (s.channel.kind === 'rest-hook' && s.failures === 0)
      held.all.set(s.id, { ...s, due: Math.min(s.due ?? at, at) });
  return true;
}

export function putSubscription(
  held: HeldSubscriptions,
  { subscription, told = [], restart }: Extract<Row, { kind: 'subscription' }>,
): void {
  const { id, count, record, channel, failures, status } = subscription;
  const old = held.all.get(id);
  const cursor = old === undefined || restart === true ? held.last : subscription.cursor;
  const isCalled =
    status !== 'off' &&
    channel.kind === 'rest-hook' &&
    failures === 0 &&
    held.changes.some((change) => change.position > cursor && (record ?? change.record) === change.record);
  held.all.set(id, { ...subscription, cursor, revision: (old?.revision ?? 0) + 1, ...(isCalled && { due: 0 }) });
  const log = [...(held.told.get(id) ?? []), ...told].filter(({ number }) => number > count - loggedNotices);
  held.told.set(id, log);
  clean(held);
}

export function dropSubscription(held: HeldSubscriptions, id: string): void {
  held.all.delete(id);
  held.told.delete(id);
  clean(held);
}

/** What is told of the subsumed record is told of the one that holds it now. */
export function followMerge(held: HeldSubscriptions, from: RecordId, record: RecordId): void {
  held.changes = held.changes.map((change) => (change.record === from ? { ...change, record } : change));
  for (const s of held.all.values())
    if (s.record === from) held.all.set(s.id, { ...s, record, revision: s.revision + 1 });
}

/** Of a record that is destroyed nobody is told anything. */
export function forgetRecord(held: HeldSubscriptions, record: RecordId): void {
  for (const { id } of [...held.all.values()].filter((s) => s.record === record)) {
    held.all.delete(id);
    held.told.delete(id);
  }
  held.changes = held.changes.filter((change) => change.record !== record);
}

function clean(held: HeldSubscriptions): void {
  const live = [...held.all.values()].filter(({ status }) => status !== 'off');
  held.changes = held.changes.filter(({ position, record }) =>
    live.some((s) => (s.record ?? record) === record && s.cursor < position),
  );
}

/** The port over what is held now. */
export function subscriptionsOf(
  now: () => HeldSubscriptions,
  reading: <T>(read: () => T) => Promise<T>,
): Subscriptions {
  const all = () => [...now().all.values()];
  return {
    find: (id) => reading(() => now().all.get(id)),
    ofOwner: (owner) =>
      reading(() =>
        all()
          .filter((s) => s.owner === owner)
          .reverse(),
      ),
    due: (at, limit) =>
      reading(() =>
        all()
          .filter(({ due }) => due !== undefined && due <= at)
          .sort((a, b) => (a.due ?? 0) - (b.due ?? 0))
          .slice(0, limit),
      ),
    nextDue: (at) =>
      reading(() => {
        const later = all().flatMap(({ due }) => (due !== undefined && due > at ? [due] : []));
        return later.length === 0 ? undefined : Math.min(...later);
      }),
    changes: ({ cursor, record }, limit) =>
      reading(() =>
        now()
          .changes.filter((change) => change.position > cursor && (record ?? change.record) === change.record)
          .slice(0, limit),
      ),
    told: (id, from, to, limit) =>
      reading(() => (now().told.get(id) ?? []).filter(({ number }) => number >= from && number <= to).slice(0, limit)),
    advance: ({ id, revision }, next: Subscription, told) =>
      reading(() => {
        if (now().all.get(id)?.revision !== revision) return false;
        putSubscription(now(), { kind: 'subscription', subscription: structuredClone(next), told });
        return true;
      }),
  };
}
