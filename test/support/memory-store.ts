import type { Code } from '../../server/domain/code.ts';
import { type Consent, groupOf } from '../../server/domain/consent.ts';
import type { Permit, RecordFacts, Visibility } from '../../server/domain/decision.ts';
import { type DirectoryEntry, directoryEntriesOf } from '../../server/domain/directory.ts';
import {
  type Association,
  type DocumentEntry,
  type Folder,
  type SubmissionSet,
  type VisibilityCode,
  visibilityOf,
} from '../../server/domain/document.ts';
import { type AuditEvent, actorsOf, type EventDraft, writtenAt } from '../../server/domain/event.ts';
import { writeCxi, writeXcn } from '../../server/domain/hl7v2.ts';
import type { Cx, Identifier } from '../../server/domain/identifier.ts';
import type { PatientRecord, RecordId } from '../../server/domain/record.ts';
import { earliest } from '../../server/domain/time.ts';
import { holderNames, matchesHolder } from '../../server/store/holders.ts';
import { matchesFolder, matchesSet } from '../../server/store/matching.ts';
import { changedRecords, checkAcross, checkDirectory, checkHolders, readingOf } from '../../server/store/permit.ts';
import {
  type ChangeSet,
  type CodeMatch,
  type ContentPlace,
  type DocumentFilter,
  directoryRows,
  type Exclusion,
  type Expectation,
  type Holder,
  type Job,
  type ObjectKind,
  type Outcome,
  type Owners,
  type Page,
  type PageRequest,
  type QueuedJob,
  type Row,
  type SealedContent,
  type Staged,
  type Store,
  type StoredConsents,
  type StoredDocument,
  type StoredFolder,
  type StoredSet,
  StoreStopped,
  type TimeRange,
} from '../../server/store/port.ts';
import { chainHash, chainStart, withoutHidden } from '../../server/store/trail.ts';
import { factsOfDocument, isOwn, isVisible, seesEverything, seesOwnAlone } from '../../server/store/visibility.ts';

import {
  copyOfSubscriptions,
  dropSubscription,
  followMerge,
  forgetRecord,
  type HeldSubscriptions,
  type Known,
  keepChanges,
  noSubscriptions,
  putSubscription,
  subscriptionsOf,
  touchedBy,
} from './memory-subscriptions.ts';

type Placed = Omit<StoredDocument, 'own' | 'relates'>;
/** Facts are those of the latest version. */
type State = Pick<StoredDocument, 'revision' | 'changedAt'> & Pick<DocumentEntry, 'status'>;
type HeldDocument = Placed & {
  readonly owners: Owners;
  readonly codes: readonly VisibilityCode[];
  /** Earlier states of the version. */
  readonly past: readonly State[];
};
type Held<T> = { readonly record: RecordId; readonly object: T };
type Contents = {
  readonly records: Map<RecordId, PatientRecord>;
  readonly consents: Map<string, Consent>;
  readonly consentVersions: StoredConsents[];
  readonly keys: Map<RecordId, Uint8Array>;
  readonly documents: Map<string, HeldDocument>;
  /** What removed documents were to their viewers. */
  readonly removed: Map<string, HeldDocument>;
  readonly sets: Map<string, Held<SubmissionSet> & { readonly owners: Owners }>;
  readonly folders: Map<string, Held<Folder>>;
  readonly associations: Map<string, Held<Association>>;
  /** By their JSON, in the order in which they were first said. */
  readonly directory: Map<string, DirectoryEntry>;
  readonly spent: Map<string, number>;
  readonly events: AuditEvent[];
  /** Of jobs, shared by all states. */
  readonly numbers: { last: number };
  readonly jobs: (QueuedJob & { readonly due: number })[];
  /** Into which record another was merged. */
  readonly merged: Map<RecordId, RecordId>;
  readonly sealed: Uint8Array[];
  readonly staged: Map<string, Staged>;
  readonly subscriptions: HeldSubscriptions;
};

export type MemoryStore = Store & {
  /** Jobs owed so far, in order. */
  readonly jobs: () => readonly Job[];
  /** All events, those of no record included, in order. */
  readonly events: () => readonly AuditEvent[];
  /** The sealed bytes that a place names. */
  readonly sealed: (place: ContentPlace) => Uint8Array | undefined;
  /** How many objects of each kind are held, whatever is hidden. */
  readonly held: () => Readonly<Record<'record' | 'document' | 'submission_set' | 'folder' | 'association', number>>;
};

/** A store that keeps its promises until the process ends. `fault` is asked before each change; what it answers is thrown instead. */
export function memoryStore({ fault }: { readonly fault?: () => Error | undefined } = {}): MemoryStore {
  let held: Contents = {
    records: new Map(),
    consents: new Map(),
    consentVersions: [],
    keys: new Map(),
    documents: new Map(),
    removed: new Map(),
    sets: new Map(),
    folders: new Map(),
    associations: new Map(),
    directory: new Map(),
    spent: new Map(),
    events: [],
    jobs: [],
    numbers: { last: 0 },
    merged: new Map(),
    sealed: [],
    staged: new Map(),
    subscriptions: noSubscriptions(),
  };
  let open = true;
  const reading = <T>(read: () => T): Promise<T> =>
    Promise.resolve().then(() => {
      if (!open) throw new StoreStopped('The store is closed');
      return read();
    });
  const ofNoRecord = { record: undefined, others: [] };
  const apply = ({ record, others }: ReturnType<typeof changedRecords>, given: ChangeSet): Promise<Outcome> =>
    reading(() => {
      const error = fault?.();
      if (error) throw error;
      const { elsewhere: _elsewhere, ...own } = given;
      const changes = structuredClone(own);
      const [event] = changes.events;
      const at = event === undefined ? 0 : writtenAt(event);
      const { spend } = changes;
      if (spend !== undefined && (held.spent.get(spend.key) ?? 0) > at)
        return { done: false, conflicts: [], spent: true };
      const next = copyOf(held);
      const conflicts = [...changes.expect, ...implied(next, changes.put)].filter((e) => !holds(next, e));
      if (conflicts.length > 0) return { done: false, conflicts, spent: false };
      const rows = [...changes.put].sort((a, b) => Number(b.kind === 'merge') - Number(a.kind === 'merge'));
      const touched = touchedBy(rows, knownIn(held, record));
      for (const row of rows) put(next, record ?? '', row, at);
      let isAwaited = keepChanges(next.subscriptions, touched, record ?? '', at, remainsIn(next, record));
      for (const [index, other] of others.entries()) {
        const there = given.elsewhere?.[index]?.put ?? [];
        const taken = rows.filter((row) => 'from' in row && row.from === other);
        const touchedThere = touchedBy(there, knownIn(held, other), taken);
        for (const row of there) put(next, other, row, at);
        isAwaited = keepChanges(next.subscriptions, touchedThere, other, at, remainsIn(next, other)) || isAwaited;
      }
      addConsentVersions(next, changes.put, at);
      bumpVersion(next, changes.put, at);
      const sequences = changes.events.map((event) => trace(next, event));
      for (const job of changes.jobs) queue(next, job, at);
      if (spend !== undefined) next.spent.set(spend.key, spend.until);
      held = next;
      return { done: true, sequences, ...(isAwaited && { awaited: true }) };
    });

  const factsOf = (record: PatientRecord | undefined): RecordFacts | undefined =>
    record && { record, consents: [...held.consents.values()].filter((c) => c.record === record.id) };
  const found = (permit: Permit, matches: (d: HeldDocument) => boolean, visibility?: Visibility): StoredDocument[] => {
    const { record, visibility: own } = readingOf(permit);
    return [...held.documents.values()]
      .filter((d) => d.record === record && visible(d, visibility ?? own) && matches(d))
      .sort((a, b) => b.position - a.position)
      .map(({ owners, codes: _codes, past: _past, ...document }) => ({
        ...document,
        own: isOwn(owners, own.viewer),
        relates: targetsOf(document.entry.entryUUID).length > 0,
      }));
  };
  const versionsOf = (permit: Permit) => {
    const { record } = readingOf(permit);
    return held.consentVersions.filter((v) => v.record === record).reverse();
  };
  const everything: Visibility = { viewer: {}, hidden: [], refusedTypes: [], only: 'all', content: 'all' };
  const hiddenFrom = (permit: Permit) => {
    const { record, visibility } = readingOf(permit);
    if (seesEverything(visibility)) return () => false;
    return (entryUUID: string): boolean => {
      const document = held.documents.get(entryUUID) ?? held.removed.get(entryUUID);
      if (document !== undefined) return document.record !== record || !visible(document, visibility);
      const folder = held.folders.get(entryUUID);
      if (folder !== undefined) return folder.record !== record || isHiddenFolder(permit, entryUUID);
      const association = held.associations.get(entryUUID)?.object;
      return association !== undefined && [association.source, association.target].some(hiddenFrom(permit));
    };
  };
  const targetsOf = (entryUUID: string): string[] =>
    [...held.associations.values()].filter((a) => a.object.source === entryUUID).map((a) => a.object.target);
  const isHiddenFolder = (permit: Permit, entryUUID: string): boolean => {
    const members = targetsOf(entryUUID);
    return members.length === 0 ? seesOwnAlone(permit.visibility) : members.every(hiddenFrom(permit));
  };
  const storedFolders = (permit: Permit): StoredFolder[] => {
    const { record } = readingOf(permit);
    const all = [...held.folders.values()];
    return all.flatMap(({ object: folder, record: of }, index) => {
      if (of !== record || hiddenFrom(permit)(folder.entryUUID)) return [];
      const latest = isLatestFolder(held, folder);
      return [{ folder, record, position: index + 1, latest }];
    });
  };
  const storedSets = (permit: Permit): StoredSet[] => {
    const { record, visibility } = readingOf(permit);
    return [...held.sets.values()].flatMap(({ object: set, record: of, owners }, index) => {
      const own = isOwn(owners, visibility.viewer);
      const isShown =
        of === record &&
        (own || seesEverything(visibility) || targetsOf(set.entryUUID).some((member) => !hiddenFrom(permit)(member)));
      return isShown ? [{ set, record, position: index + 1, own }] : [];
    });
  };
  const shownFolders = (permit: Permit, matches: (folder: Folder) => boolean): Folder[] =>
    storedFolders(permit)
      .map(({ folder }) => folder)
      .filter(matches);
  const everyAssociation = (permit: Permit, matches: (association: Association) => boolean): Association[] => {
    const { record } = readingOf(permit);
    return [...held.associations.values()].filter((a) => a.record === record && matches(a.object)).map((a) => a.object);
  };
  const referencesTo = (permit: Permit, ids: readonly string[]): Association[] => {
    const { record } = readingOf(permit);
    return [...held.associations.values()]
      .filter((a) => a.record !== record && ids.includes(a.object.target))
      .filter((a) => held.documents.get(a.object.target)?.record === record)
      .map((a) => a.object);
  };
  const shownAssociations = (permit: Permit, matches: (association: Association) => boolean): Association[] =>
    everyAssociation(permit, matches).filter((a) => !hiddenFrom(permit)(a.source) && !hiddenFrom(permit)(a.target));
  const naming = (ids: readonly string[]) => (a: Association) => ids.includes(a.source) || ids.includes(a.target);
  const trail = (permit: Permit): AuditEvent[] => {
    const { record } = readingOf(permit);
    const sets = storedSets(permit).map(({ set }) => set.entryUUID);
    const isHidden = (name: string): boolean =>
      (held.sets.has(name) ? !sets.includes(name) : hiddenFrom(permit)(name)) ||
      [...uniqueHolders(name), ...formerHolders(name)].some(({ entryUUID }) => isHidden(entryUUID));
    return held.events
      .filter((e) => heir(held, e.record) === record)
      .flatMap((e) => withoutHidden(e, isHidden) ?? [])
      .reverse();
  };
  const formerHolders = (uniqueId: string) =>
    [...held.removed.values()].map(({ entry }) => entry).filter((entry) => entry.uniqueId === uniqueId);
  const uniqueHolders = (uniqueId: string): Holder[] => [
    ...[...held.documents.values()]
      .filter(({ entry }) => entry.uniqueId === uniqueId)
      .map(({ entry: { entryUUID, hash, size } }) => ({
        kind: 'document' as const,
        entryUUID,
        ...(hash !== undefined && { hash }),
        ...(size !== undefined && { size }),
      })),
    ...[...held.sets.values()]
      .filter(({ object }) => object.uniqueId === uniqueId)
      .map(({ object }) => ({ kind: 'submissionSet' as const, entryUUID: object.entryUUID })),
    ...[...held.folders.values()]
      .filter(({ object }) => object.uniqueId === uniqueId)
      .map(({ object }) => ({ kind: 'folder' as const, entryUUID: object.entryUUID })),
  ];

  return {
    facts: {
      recordByIdentifier: (identifier) => reading(() => factsOf(holderOf(held, identifier))),
      recordById: (id) => reading(() => factsOf(held.records.get(id))),
      recordOfDocument: (entryUUID) =>
        reading(() => {
          const now = [...held.documents.values()].find((d) => d.latest && d.entry.logicalID === entryUUID);
          return factsOf(held.records.get((now ?? held.documents.get(entryUUID))?.record ?? ''));
        }),
      recordsOfObjects: (names) =>
        reading(() => {
          const all = [
            ...[...held.documents.values()].map(({ record, entry }) => ({ record, object: entry })).reverse(),
            ...[...held.sets.values(), ...held.folders.values(), ...held.associations.values()].reverse(),
          ];
          const isNamed = (name: string, object: { entryUUID: string; uniqueId?: string }) =>
            object.entryUUID === name || object.uniqueId === name;
          return [
            ...new Set(
              names.flatMap((n) => all.filter(({ object }) => isNamed(n, object)).map(({ record }) => record)),
            ),
          ];
        }),
      recordsOfVersions: (names, which) =>
        reading(() => {
          const all = [
            ...[...held.documents.values()].map(({ record, entry, latest }) => ({ record, object: entry, latest })),
            ...[...held.sets.values()].map(({ record, object: { uniqueId } }) => ({
              record,
              object: { logicalID: undefined, uniqueId },
              latest: true,
            })),
            ...[...held.folders.values()].map((folder) => ({ ...folder, latest: isLatestFolder(held, folder.object) })),
          ].reverse();
          return distinctRecords(
            names.flatMap((name) =>
              all.filter(
                ({ object, latest }) =>
                  (object.logicalID === name || object.uniqueId === name) && (latest || which === 'all'),
              ),
            ),
          );
        }),
      recordsReferring: (ids) =>
        reading(() => [
          ...new Set(
            [...held.associations.values()].flatMap(({ record, object }) =>
              ids.includes(object.target) ? [record] : [],
            ),
          ),
        ]),
      recordOfConsent: (id) =>
        reading(() => factsOf(held.records.get(held.consentVersions.find((v) => v.id === id)?.record ?? ''))),
      recordOfEvent: (sequence) =>
        reading(() => factsOf(held.records.get(heir(held, held.events[sequence - 1]?.record) ?? ''))),
      toldEvent: (digest) =>
        reading(() => {
          const found = held.events.find(({ told }) => told?.digest === digest);
          return found && { sequence: found.sequence, receivedAt: writtenAt(found) };
        }),
      isNamed: (file) =>
        reading(() =>
          [...held.documents.values()].some(
            ({ content }) => content !== undefined && 'file' in content && content.file === file,
          ),
        ),
      isAuthority: (oid) =>
        reading(() => [...held.records.values()].some(({ identifiers }) => identifiers.some((id) => id.oid === oid))),
    },
    read: {
      documents: (permit, filter, page) =>
        reading(() =>
          pageOf(
            found(permit, (d) => matchesFilter(d, filter)),
            page,
            (d) => d.position,
          ),
        ),
      countDocuments: (permit, filter) => reading(() => found(permit, (d) => matchesFilter(d, filter)).length),
      documentsByUuid: (permit, ids, filter) =>
        reading(() => found(permit, (d) => ids.includes(d.entry.entryUUID) && matchesIfAny(d, filter))),
      documentsByUniqueId: (permit, ids, filter) =>
        reading(() => found(permit, (d) => ids.includes(d.entry.uniqueId) && matchesIfAny(d, filter))),
      documentsByLogicalId: (permit, ids, filter) =>
        reading(() => found(permit, (d) => ids.includes(d.entry.logicalID) && matchesIfAny(d, filter))),
      history: (permit, ids) =>
        reading(() =>
          found(permit, ({ entry }) => ids.includes(entry.logicalID))
            .flatMap((document) => {
              const states = held.documents.get(document.entry.entryUUID)?.past ?? [];
              const earlier = states.map(({ status, ...state }) => ({
                ...document,
                ...state,
                latest: false,
                entry: { ...document.entry, status },
              }));
              return document.latest ? [document, ...earlier] : earlier;
            })
            .sort((a, b) => b.revision - a.revision),
        ),
      targets: (permit, ids) => reading(() => found(permit, ({ entry }) => ids.includes(entry.entryUUID), everything)),
      submissionSets: (permit, filter, page) =>
        reading(() => {
          const sets = storedSets(permit).filter(({ set }) => matchesSet(set, filter));
          return pageOf(sets.reverse(), page, ({ position }) => position);
        }),
      foldersMatching: (permit, filter, page) =>
        reading(() => {
          const folders = storedFolders(permit).filter(({ folder, latest }) => matchesFolder(folder, latest, filter));
          return pageOf(folders.reverse(), page, ({ position }) => position);
        }),
      folders: (permit, ids) => reading(() => shownFolders(permit, ({ entryUUID }) => ids.includes(entryUUID))),
      foldersByLogicalId: (permit, ids) =>
        reading(() => shownFolders(permit, ({ logicalID }) => ids.includes(logicalID))),
      associations: (permit, ids) =>
        reading(() => shownAssociations(permit, ({ entryUUID }) => ids.includes(entryUUID))),
      associationsOf: (permit, ids) => reading(() => shownAssociations(permit, naming(ids))),
      everyAssociationOf: (permit, ids) =>
        reading(() => [...everyAssociation(permit, naming(ids)), ...referencesTo(permit, ids)]),
      everyVersion: (permit, ids) =>
        reading(() => found(permit, ({ entry }) => ids.includes(entry.logicalID), everything)),
      everyFolder: (permit, ids) =>
        reading(() => {
          const { record } = readingOf(permit);
          return [...held.folders.values()]
            .filter((f) => f.record === record && ids.includes(f.object.entryUUID))
            .map((f) => f.object);
        }),
      recordsWithDocuments: (permit, filter, limit) =>
        reading(() => {
          checkAcross(permit);
          return distinctRecords([...held.documents.values()].filter((d) => matchesFilter(d, filter))).slice(0, limit);
        }),
      recordsWithFolders: (permit, filter, limit) =>
        reading(() => {
          checkAcross(permit);
          const all = [...held.folders.values()];
          return distinctRecords(
            all.filter(({ object }) => {
              const last = all.findLast((other) => other.object.logicalID === object.logicalID);
              return matchesFolder(object, last?.object === object, filter);
            }),
          ).slice(0, limit);
        }),
      recordsOfHolders: (permit, filter, limit) =>
        reading(() => {
          checkHolders(permit);
          return [...held.records.values()]
            .map((record, index) => ({ record, position: index + 1 }))
            .filter(({ record }) => holderNames(record).some((name) => matchesHolder(name, filter)))
            .slice(0, limit)
            .map(({ record: { id }, position }) => ({ record: id, position }));
        }),
      holders: (permit, uniqueIds) =>
        reading(() => {
          readingOf(permit);
          return new Map(uniqueIds.map((id) => [id, uniqueHolders(id)] as const).filter(([, h]) => h.length > 0));
        }),
      taken: (permit, ids) =>
        reading(() => {
          readingOf(permit);
          return new Set(
            ids.filter((id) =>
              (['document', 'submissionSet', 'folder', 'association'] as const).some((k) => taken(held, k, id)),
            ),
          );
        }),
      consents: (permit) =>
        reading(() => {
          const versions = versionsOf(permit);
          return versions.filter(({ id, version }) => versions.every((v) => v.id !== id || v.version <= version));
        }),
      consentVersions: (permit, id) => reading(() => versionsOf(permit).filter((v) => v.id === id)),
      events: (permit, { from, to, actor }, { before, limit }) =>
        reading(() => {
          const found = trail(permit)
            .filter(
              (e) =>
                e.at >= (from ?? e.at) &&
                (to === undefined || e.at < to) &&
                (actor === undefined || actorsOf(e).includes(actor)),
            )
            .sort((a, b) => b.at - a.at || b.sequence - a.sequence);
          const rest = found.filter(
            ({ at, sequence }) =>
              before === undefined || at < before.at || (at === before.at && sequence < before.sequence),
          );
          return { items: rest.slice(0, limit), more: rest.length > limit };
        }),
      event: (permit, sequence) => reading(() => trail(permit).find((e) => e.sequence === sequence)),
      directory: (permit, asked) =>
        reading(() => {
          checkDirectory(permit);
          const said = [...held.directory.values()].reverse();
          const of = (matches: (entry: DirectoryEntry) => boolean) => said.filter(matches).slice(0, directoryRows);
          return 'rolesOf' in asked
            ? asked.rolesOf.flatMap((id) => of((e) => e.kind === 'role' && e.professional === id))
            : asked.ids.flatMap((id) => of((e) => e.kind === asked.kind && e.id === id));
        }),
      isEmpty: (permit) => reading(() => isEmpty(held, readingOf(permit).record)),
      wrappedKey: (permit, of) =>
        reading(() => {
          const { record } = readingOf(permit);
          return heir(held, of ?? record) === record ? held.keys.get(of ?? record) : undefined;
        }),
    },
    write: {
      commit: (permit, changes) =>
        reading(() => changedRecords(permit, changes)).then((changed) => apply(changed, changes)),
      note: (events, spend) => apply(ofNoRecord, { expect: [], put: [], events, jobs: [], ...(spend && { spend }) }),
    },
    close: () => {
      open = false;
      return Promise.resolve();
    },
    outbox: {
      add: (job, now) => reading(() => queue(held, structuredClone(job), now)),
      remove: (number) =>
        reading(() => void held.jobs.splice(0, Infinity, ...held.jobs.filter((queued) => queued.number !== number))),
      putOff: (number, until) =>
        reading(() => {
          for (const [index, queued] of held.jobs.entries())
            if (queued.number === number) held.jobs[index] = { ...queued, due: until, attempts: queued.attempts + 1 };
        }),
      due: (kinds, now, limit) =>
        reading(() =>
          held.jobs
            .filter(({ job, due }) => kinds.includes(job.kind) && due <= now)
            .slice(0, limit)
            .map(({ due: _due, ...queued }) => queued),
        ),
      nextDue: (kinds, now) =>
        reading(() => {
          const later = held.jobs.filter(({ job, due }) => kinds.includes(job.kind) && due > now).map(({ due }) => due);
          return later.length === 0 ? undefined : Math.min(...later);
        }),
      waiting: (kind) => reading(() => held.jobs.filter(({ job }) => job.kind === kind).length),
      isNamed: (file) =>
        reading(() => held.jobs.some(({ job }) => job.kind === 'deliverAnswer' && job.content.file === file)),
    },
    staging: {
      find: (id) => reading(() => held.staged.get(id)),
      waiting: (owner, now) => reading(() => waitingFor(held, owner, now)),
      isNamed: (file) => reading(() => [...held.staged.values()].some(({ content }) => content.file === file)),
      expire: (now) =>
        reading(() => {
          for (const [id, { until }] of held.staged) if (until <= now) held.staged.delete(id);
        }),
    },
    subscriptions: subscriptionsOf(() => held.subscriptions, reading),
    jobs: () => held.jobs.map(({ job }) => job),
    events: () => held.events,
    sealed: (place) => ('segment' in place ? held.sealed[place.segment] : undefined),
    held: () => ({
      record: held.records.size,
      document: held.documents.size,
      submission_set: held.sets.size,
      folder: held.folders.size,
      association: held.associations.size,
    }),
  };
}

/** What the store holds of a record's objects that may be waited for. */
function knownIn(held: Contents, record: RecordId | undefined): Known {
  return {
    document(entryUUID) {
      const found = held.documents.get(entryUUID);
      if (found === undefined || found.record !== record) return undefined;
      const { entry, latest, codes, owners } = found;
      return {
        logicalID: entry.logicalID,
        status: entry.status,
        latest,
        facts: { codes, typeCode: entry.typeCode.code, owners },
      };
    },
    folder(entryUUID) {
      const found = held.folders.get(entryUUID);
      return found?.record === record ? found?.object.logicalID : undefined;
    },
  };
}

function remainsIn(held: Contents, record: RecordId | undefined) {
  return (object: 'document' | 'submissionSet' | 'folder', name: string): boolean =>
    object === 'folder'
      ? [...held.folders.values()].some((folder) => folder.record === record && folder.object.logicalID === name)
      : [...held.documents.values()].some((d) => d.record === record && d.entry.logicalID === name);
}

function queue(held: Contents, job: Job, at: number): void {
  held.numbers.last += 1;
  held.jobs.push({ number: held.numbers.last, job, queuedAt: at, attempts: 0, due: at });
}

function copyOf(held: Contents): Contents {
  return {
    records: new Map(held.records),
    consents: new Map(held.consents),
    consentVersions: [...held.consentVersions],
    keys: new Map(held.keys),
    documents: new Map(held.documents),
    removed: new Map(held.removed),
    sets: new Map(held.sets),
    folders: new Map(held.folders),
    associations: new Map(held.associations),
    directory: new Map(held.directory),
    spent: new Map(held.spent),
    events: [...held.events],
    jobs: [...held.jobs],
    numbers: held.numbers,
    merged: new Map(held.merged),
    sealed: [...held.sealed],
    staged: new Map(held.staged),
    subscriptions: copyOfSubscriptions(held.subscriptions),
  };
}

/** Uniqueness that holds whether a change set asks for it or not. */
function implied(held: Contents, rows: readonly Row[]): Expectation[] {
  const leaving = rows.flatMap((row) => (row.kind === 'merge' ? [row.subsumed.id] : []));
  return rows.flatMap((row): Expectation[] => {
    if (row.kind === 'document' || row.kind === 'version')
      return [{ absent: { kind: 'document', entryUUID: row.entry.entryUUID } }];
    if (row.kind === 'submissionSet') return [{ absent: { kind: row.kind, entryUUID: row.set.entryUUID } }];
    if (row.kind === 'folder') return [{ absent: { kind: row.kind, entryUUID: row.folder.entryUUID } }];
    if (row.kind === 'association') return [{ absent: { kind: row.kind, entryUUID: row.association.entryUUID } }];
    if (row.kind !== 'record') return [];
    return row.record.identifiers
      .filter((identifier) => ![row.record.id, ...leaving].includes(holderOf(held, identifier)?.id ?? row.record.id))
      .map(({ value, oid }) => ({ insFree: [{ value, oid }] }));
  });
}

function waitingFor(held: Contents, owner: string, now: number): number {
  return [...held.staged.values()]
    .filter((staged) => staged.owner === owner && staged.until > now)
    .reduce((sum, { size }) => sum + size, 0);
}

function holds(held: Contents, expectation: Expectation): boolean {
  if ('absent' in expectation) return !taken(held, expectation.absent.kind, expectation.absent.entryUUID);
  if ('untold' in expectation) return held.events.every(({ told }) => told?.digest !== expectation.untold);
  if ('insFree' in expectation) return expectation.insFree.every((i) => holderOf(held, i) === undefined);
  if ('recordAt' in expectation)
    return held.records.get(expectation.recordAt.record)?.version === expectation.recordAt.version;
  if ('statusIs' in expectation)
    return held.documents.get(expectation.statusIs.document)?.entry.status === expectation.statusIs.status;
  if ('stateIs' in expectation) {
    const { kind, entryUUID, status } = expectation.stateIs;
    return (kind === 'folder' ? held.folders : held.associations).get(entryUUID)?.object.status === status;
  }
  if ('subscriptionAt' in expectation) {
    const { id, revision } = expectation.subscriptionAt;
    return held.subscriptions.all.get(id)?.revision === revision;
  }
  if ('staged' in expectation) return held.staged.has(expectation.staged);
  if ('waiting' in expectation) {
    const { owner, at, most } = expectation.waiting;
    return waitingFor(held, owner, at) <= most;
  }
  if ('latest' in expectation) {
    const { kind, entryUUID } = expectation.latest;
    if (kind === 'document') return held.documents.get(entryUUID)?.latest === true;
    const folder = held.folders.get(entryUUID)?.object;
    return (
      folder !== undefined &&
      [...held.folders.values()].filter(({ object }) => object.logicalID === folder.logicalID).at(-1)?.object === folder
    );
  }
  if ('empty' in expectation) return isEmpty(held, expectation.empty);
  if ('unreferenced' in expectation) {
    const { unreferenced: names, save = [] } = expectation;
    return [...held.associations.values()].every(
      ({ object: { entryUUID, source, target } }) =>
        names.includes(entryUUID) || save.includes(entryUUID) || ![source, target].some((end) => names.includes(end)),
    );
  }
  const { uniqueIdFree, unless } = expectation;
  const documents = [...held.documents.values()].filter(({ entry }) => entry.uniqueId === uniqueIdFree);
  return (
    documents.every(({ entry }) => unless !== undefined && entry.hash === unless.hash && entry.size === unless.size) &&
    ![...held.sets.values(), ...held.folders.values()].some(({ object }) => object.uniqueId === uniqueIdFree)
  );
}

function isEmpty({ documents, sets, folders, consents }: Contents, record: RecordId): boolean {
  return ![documents, sets, folders, consents].some((kind) =>
    [...kind.values()].some((held) => held.record === record),
  );
}

function taken(held: Contents, kind: ObjectKind, entryUUID: string): boolean {
  const of = {
    document: held.documents,
    submissionSet: held.sets,
    folder: held.folders,
    association: held.associations,
  };
  return of[kind].has(entryUUID);
}

function holderOf(held: Contents, { value, oid }: Identifier): PatientRecord | undefined {
  return [...held.records.values()].find((r) => r.identifiers.some((i) => i.value === value && i.oid === oid));
}

function isLatestFolder({ folders }: Contents, { entryUUID, logicalID }: Folder): boolean {
  const last = [...folders.values()].findLast(({ object }) => object.logicalID === logicalID);
  return last?.object.entryUUID === entryUUID;
}

function distinctRecords(found: readonly { readonly record: RecordId }[]): RecordId[] {
  return [...new Set(found.map(({ record }) => record))];
}

function nextPosition({ documents, removed }: Contents): number {
  return 1 + Math.max(0, ...[...documents.values(), ...removed.values()].map(({ position }) => position));
}

function remove(
  held: Contents,
  record: RecordId,
  { object, name }: Extract<Row, { kind: 'remove' }>,
  at: number,
): void {
  const { documents, sets, folders, associations } = held;
  const kept = { document: documents, submissionSet: sets, folder: folders, association: associations }[object];
  const document = documents.get(name);
  if (kept.get(name)?.record !== record) throw new TypeError('A removal names no object of the record');
  kept.delete(name);
  if (object !== 'document' || document === undefined) return;
  held.removed.set(name, document);
  const versions = [...documents].filter(([, d]) => d.entry.logicalID === document.entry.logicalID);
  const last = versions.map(([, d]) => d).sort((a, b) => b.position - a.position)[0];
  if (last === undefined) return;
  const codes = visibilityOf(last.entry.confidentialityCodes);
  for (const [other, d] of versions) {
    const isRestored = d.position === last.position && !d.latest;
    const state = isRestored ? { revision: document.revision + 1, changedAt: at } : {};
    documents.set(other, { ...d, codes, latest: d.position === last.position, ...state });
  }
}

function say({ directory }: Contents, entry: DocumentEntry): void {
  for (const said of directoryEntriesOf(entry)) {
    const json = JSON.stringify(said);
    if (!directory.has(json)) directory.set(json, said);
  }
}

function put(held: Contents, record: RecordId, row: Row, at: number): void {
  switch (row.kind) {
    case 'staged':
      held.staged.set(row.staged.id, row.staged);
      break;
    case 'unstaged':
      held.staged.delete(row.id);
      break;
    case 'subscription':
      putSubscription(held.subscriptions, row);
      break;
    case 'unsubscribe':
      dropSubscription(held.subscriptions, row.id);
      break;
    case 'record':
      held.records.set(row.record.id, { ...row.record, changedAt: at });
      break;
    case 'key':
      if (held.keys.has(row.record)) throw new TypeError('The record has a key already');
      held.keys.set(row.record, row.wrapped);
      break;
    case 'destroyKey':
      for (const id of held.keys.keys()) if (heir(held, id) === row.record) held.keys.delete(id);
      forgetRecord(held.subscriptions, record);
      break;
    case 'merge':
      merge(held, record, row);
      break;
    case 'patientId':
      readdress(held, record, row);
      break;
    case 'consent':
      if (
        (held.consents.get(row.consent.id)?.record ?? record) !== record ||
        (held.consentVersions.find(({ id }) => id === groupOf(row.consent))?.record ?? record) !== record
      )
        throw new TypeError("A consent is not of the permit's record");
      held.consents.set(row.consent.id, row.consent);
      break;
    case 'document': {
      const { entry, registeredAt, sha256, content, owners } = row;
      say(held, entry);
      const place = content === undefined ? undefined : placeOf(held, content);
      const document: Placed = {
        entry,
        record,
        sealedFor: record,
        position: nextPosition(held),
        registeredAt,
        latest: true,
        revision: 1,
        changedAt: registeredAt,
        ...(sha256 === undefined ? {} : { sha256 }),
        ...(place === undefined ? {} : { content: place }),
      };
      const codes = visibilityOf(entry.confidentialityCodes);
      held.documents.set(entry.entryUUID, {
        ...document,
        owners: factsOfDocument(entry, owners).owners,
        codes,
        past: [],
      });
      break;
    }
    case 'version': {
      const { entry, of, registeredAt, from = record } = row;
      say(held, entry);
      const old = held.documents.get(of);
      if (old?.record !== from || old.entry.logicalID !== entry.logicalID)
        throw new TypeError('A version follows no document of the record');
      const { owners, codes } = factsOfDocument(entry, old.owners);
      const {
        content: bytes,
        sealedFor,
        ...version
      } = from === record ? old : { ...old, ...bytesIn(held, record, row) };
      for (const [name, document] of held.documents)
        if ([record, from].includes(document.record) && document.entry.logicalID === entry.logicalID)
          held.documents.set(name, { ...document, owners, codes, latest: false, past: pastOf(document) });
      const position = nextPosition(held);
      const state = { revision: old.revision + 1, changedAt: registeredAt, past: [] };
      held.documents.set(entry.entryUUID, {
        ...version,
        ...(bytes && { content: bytes }),
        sealedFor,
        record,
        ...state,
        entry,
        registeredAt,
        position,
        owners,
        codes,
        latest: true,
      });
      break;
    }
    case 'folderState': {
      const { kind: _kind, folder: name, ...changes } = row;
      const folder = held.folders.get(name);
      if (folder?.record !== record) throw new TypeError('A change of state names no object of the record');
      held.folders.set(name, { record, object: { ...folder.object, ...changes } });
      break;
    }
    case 'associationState': {
      const association = held.associations.get(row.association);
      if (association?.record !== record) throw new TypeError('A change of state names no object of the record');
      held.associations.set(row.association, { record, object: { ...association.object, status: row.status } });
      break;
    }
    case 'remove':
      remove(held, record, row, at);
      break;
    case 'removeContent': {
      const { entry, record: of, content: bytes } = held.documents.get(row.document) ?? {};
      if (of !== record) throw new TypeError('A removal names no object of the record');
      for (const [name, { content: _content, ...document }] of held.documents)
        if (
          document.record === record &&
          document.entry.logicalID === entry?.logicalID &&
          JSON.stringify(held.documents.get(name)?.content) === JSON.stringify(bytes)
        )
          held.documents.set(name, document);
      break;
    }
    case 'submissionSet':
      held.sets.set(row.set.entryUUID, { record, object: row.set, owners: row.owners });
      break;
    case 'folder':
      held.folders.set(row.folder.entryUUID, { record, object: row.folder });
      break;
    case 'association':
      held.associations.set(row.association.entryUUID, { record, object: row.association });
      break;
    case 'status': {
      const document = held.documents.get(row.document);
      if (document?.record !== record) throw new TypeError('A status names no document of the record');
      const state = document.latest
        ? { revision: document.revision + 1, changedAt: row.at ?? at, past: pastOf(document) }
        : {};
      held.documents.set(row.document, { ...document, ...state, entry: { ...document.entry, status: row.status } });
      break;
    }
    default:
      row satisfies never;
  }
}

/** What a version that comes from another record has here. */
function bytesIn(
  held: Contents,
  record: RecordId,
  { entry, content }: Extract<Row, { kind: 'version' }>,
): { readonly content: ContentPlace | undefined; readonly sealedFor: RecordId } {
  const given = content && placeOf(held, content);
  const own = [...held.documents.values()].findLast(
    (d) => d.record === record && d.entry.logicalID === entry.logicalID && d.content !== undefined,
  );
  if (given === undefined && own !== undefined) return { content: own.content, sealedFor: own.sealedFor };
  return { content: given, sealedFor: record };
}

/** The record that holds today what this one held. */
function heir(held: Contents, record: RecordId | undefined): RecordId | undefined {
  const next = held.merged.get(record ?? '');
  return next === undefined ? record : heir(held, next);
}

function merge(held: Contents, record: RecordId, { subsumed, patientId }: Extract<Row, { kind: 'merge' }>): void {
  if (!held.records.has(subsumed.id) || subsumed.id === record)
    throw new TypeError('A merge names no other record of the store');
  held.records.set(subsumed.id, subsumed);
  held.merged.set(subsumed.id, record);
  followMerge(held.subscriptions, subsumed.id, record);
  for (const [name, document] of held.documents)
    if (document.record === subsumed.id)
      held.documents.set(name, { ...document, record, entry: { ...document.entry, patientId } });
  for (const [name, document] of held.removed)
    if (document.record === subsumed.id) held.removed.set(name, { ...document, record });
  for (const [name, set] of held.sets)
    if (set.record === subsumed.id) held.sets.set(name, { ...set, record, object: { ...set.object, patientId } });
  for (const [name, { record: of, object }] of held.folders)
    if (of === subsumed.id) held.folders.set(name, { record, object: { ...object, patientId } });
  for (const [name, { record: of, object }] of held.associations)
    if (of === subsumed.id) held.associations.set(name, { record, object });
  for (const [index, queued] of held.jobs.entries())
    if (queued.job.kind !== 'deliverAnswer' && queued.job.record === subsumed.id)
      held.jobs[index] = { ...queued, job: { ...queued.job, record } };
}

function readdress(held: Contents, record: RecordId, { of, patientId }: Extract<Row, { kind: 'patientId' }>): void {
  const isOne = ({ id, authority }: Cx) => of.some(({ value, oid }) => id === value && authority.oid === oid);
  for (const [name, document] of held.documents)
    if (document.record === record && isOne(document.entry.patientId))
      held.documents.set(name, { ...document, entry: { ...document.entry, patientId } });
  for (const [name, set] of held.sets)
    if (set.record === record && isOne(set.object.patientId))
      held.sets.set(name, { ...set, object: { ...set.object, patientId } });
  for (const [name, { record: at, object }] of held.folders)
    if (at === record && isOne(object.patientId)) held.folders.set(name, { record, object: { ...object, patientId } });
}

function addConsentVersions(held: Contents, rows: readonly Row[], at: number): void {
  const stated = rows.filter((row) => row.kind === 'consent');
  for (const id of new Set(stated.map((row) => groupOf(row.consent)))) {
    const consents = [...held.consents.values()].filter((consent) => groupOf(consent) === id);
    const before = held.consentVersions.findLast((v) => v.id === id);
    const form = stated.find((row) => groupOf(row.consent) === id && row.form !== undefined)?.form ?? before?.form;
    held.consentVersions.push({
      id,
      record: stated[0]?.consent.record ?? '',
      version: (before?.version ?? 0) + 1,
      at,
      position: held.consentVersions.length + 1,
      consents,
      ...(form !== undefined && { form }),
    });
  }
}

/** A change of consents alone is a change of the record too. */
function bumpVersion(held: Contents, rows: readonly Row[], at: number): void {
  const consent = rows.find((row) => row.kind === 'consent')?.consent;
  const record = held.records.get(consent?.record ?? '');
  if (record && !rows.some((row) => row.kind === 'record'))
    held.records.set(record.id, { ...record, version: record.version + 1, changedAt: at });
}

/** The states of a version that is the latest one, before it changes. */
function pastOf({ latest, revision, changedAt, entry: { status }, past }: HeldDocument): readonly State[] {
  return latest ? [...past, { revision, changedAt, status }] : past;
}

function placeOf(held: Contents, content: SealedContent): ContentPlace {
  if ('file' in content) return content;
  held.sealed.push(content.sealed);
  return { segment: held.sealed.length - 1, offset: 0, length: content.sealed.byteLength };
}

function trace(held: Contents, event: EventDraft): number {
  const previous = held.events.at(-1)?.hash ?? chainStart;
  const sequence = held.events.length + 1;
  held.events.push({ ...event, sequence, previous, hash: chainHash(previous, JSON.stringify(event)) });
  return sequence;
}

function visible({ entry, owners, codes }: HeldDocument, visibility: Visibility): boolean {
  return isVisible({ codes, typeCode: entry.typeCode.code, owners }, visibility);
}

function pageOf<T>(items: readonly T[], { before, limit }: PageRequest, positionOf: (item: T) => number): Page<T> {
  const rest = items.filter((item) => before === undefined || positionOf(item) < before);
  return { items: rest.slice(0, limit), more: rest.length > limit };
}

function matchesIfAny(document: HeldDocument, filter: DocumentFilter | undefined): boolean {
  return filter === undefined || matchesFilter(document, filter);
}

function matchesFilter({ entry, latest, changedAt }: HeldDocument, filter: DocumentFilter): boolean {
  const { statuses, availabilities, exclude, changedAt: { from = changedAt, to } = {} } = filter;
  return (
    (latest || filter.allVersions === true) &&
    changedAt >= from &&
    (to === undefined || changedAt < to) &&
    (statuses === undefined || statuses.includes(entry.status)) &&
    (availabilities === undefined || availabilities.includes(entry.documentAvailability ?? 'online')) &&
    attributeTests(entry, filter).every(Boolean) &&
    !attributeTests(entry, exclude ?? {}).some(Boolean) &&
    within(entry.creationTime, filter.creationTime, filter.creationTime?.orAbsent === true) &&
    within(entry.serviceStartTime, filter.serviceStartTime, filter.serviceStartTime?.present !== true) &&
    within(entry.serviceStopTime, filter.serviceStopTime, filter.serviceStopTime?.present !== true)
  );
}

/** For each field that is given, whether the entry matches it. */
function attributeTests(entry: DocumentEntry, filter: Exclusion): boolean[] {
  const any = <T>(wanted: readonly T[] | undefined, matches: (value: T) => boolean) =>
    wanted === undefined ? [] : [wanted.some(matches)];
  const all = <T>(wanted: readonly (readonly T[])[] | undefined, matches: (value: T) => boolean) =>
    wanted === undefined ? [] : [wanted.every((some) => some.some(matches))];
  const coded = (values: readonly Code[]) => (wanted: CodeMatch) =>
    values.some((v) => v.code === wanted.code && (wanted.system === undefined || v.system === wanted.system));
  const persons = entry.authors.flatMap(({ person }) => (person === undefined ? [] : [writeXcn(person)]));
  return [
    ...any(filter.objectTypes, (type) => type === entry.objectType),
    ...any(filter.classCodes, coded([entry.classCode])),
    ...any(filter.typeCodes, coded([entry.typeCode])),
    ...any(filter.formatCodes, coded([entry.formatCode])),
    ...any(filter.practiceSettingCodes, coded([entry.practiceSettingCode])),
    ...any(filter.healthcareFacilityTypeCodes, coded([entry.healthcareFacilityTypeCode])),
    ...all(filter.eventCodes, coded(entry.eventCodes)),
    ...all(filter.confidentialityCodes, coded(entry.confidentialityCodes)),
    ...all(filter.referenceIds, (pattern) => entry.referenceIds.some((id) => likePattern(pattern).test(writeCxi(id)))),
    ...any(filter.authorPersons, (pattern) => persons.some((person) => likePattern(pattern).test(person))),
  ];
}

function within(dtm: string | undefined, range: TimeRange | undefined, absentMatches: boolean): boolean {
  if (range === undefined) return true;
  if (dtm === undefined) return absentMatches;
  const time = earliest(dtm);
  return (range.from === undefined || time >= range.from) && (range.to === undefined || time < range.to);
}

function likePattern(pattern: string): RegExp {
  const source = pattern
    .replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)
    .replace(/%/g, '.*')
    .replace(/_/g, '.');
  return new RegExp(`^${source}$`, 'su');
}
