import type {
  Association,
  AssociationDraft,
  AvailabilityStatus,
  DocumentEntry,
  EntryUuid,
  Folder,
  Submission,
  SubmissionSet,
} from '../document.ts';
import type { RecordId } from '../record.ts';
import {
  member,
  type Naming,
  naming,
  need,
  newUuid,
  registeredAssociation,
  registeredEntry,
  registeredFolder,
  registeredSet,
} from '../registered.ts';
import { nameOf } from '../rules/facts.ts';
import { type Operation, type OperationOf, propagates, type UpdateFacts } from './operation.ts';
import { propagated } from './propagation.ts';
import { comingAlong } from './reconciliation.ts';
import { changesVisibilityAlone } from './rights.ts';

/** A new version with the one before; `from`: the record of that, where it is another. */
export type Version<T> = { readonly next: T; readonly before: T; readonly from?: RecordId };
/** A status that changes, with what it is until then. */
export type StatusChange<S> = { readonly entryUUID: EntryUuid; readonly from: S; readonly to: S };
type TwoStates = 'approved' | 'deprecated';

/** What an update registers, and what it does to objects that are registered already. */
export type Changes = {
  readonly set: SubmissionSet;
  readonly entries: readonly Version<DocumentEntry>[];
  readonly folders: readonly Version<Folder>[];
  readonly associations: readonly Association[];
  readonly statuses: readonly StatusChange<AvailabilityStatus>[];
  readonly folderStatuses: readonly StatusChange<TwoStates>[];
  readonly associationStatuses: readonly StatusChange<TwoStates>[];
  /** Registered folders that receive a document: their lastUpdateTime is now. */
  readonly touched: readonly EntryUuid[];
};

export type ChangeFacts = Pick<UpdateFacts, 'around' | 'arriving'> & {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly newId: () => string;
  /** Whether visibility codes count: then a version that changes nothing else keeps everything else as it was registered. */
  readonly codesCount: boolean;
};

/**
 * Turns the operations of an update that may be done into registered objects. A new version has the status of the one before unless the message
 * changes it too; the one before becomes deprecated. IHE Metadata Update 3.57.4.1.3.
 * @throws TypeError for operations that the rules refuse
 */
export function changesOf(submission: Submission, operations: readonly Operation[], facts: ChangeFacts): Changes {
  const { newId, around, arriving, now } = facts;
  const uuidOf = naming(newId);
  const set = registeredSet(need(submission.sets[0], 'submission set'), uuidOf);
  const statusOf = newStatuses(operations);
  const entryOperations = operations.filter((o) => o.kind === 'entry');
  const folderOperations = operations.filter((o) => o.kind === 'folder');
  const entries = entryOperations.map((o) => entryVersion(o, statusOf, uuidOf, facts));
  const folders = folderOperations.map((o) => folderVersion(o, statusOf, uuidOf, now));
  const sent = sentAssociations(submission, operations, uuidOf);
  const next = propagating(entryOperations, folderOperations, uuidOf);
  const repeated = propagated(next, set.entryUUID, around, newId, sent);
  const along = { ...arriving.around, associations: comingAlong(next, arriving.around) };
  const brought = propagated(next, set.entryUUID, along, newId, sent);
  const associations = [...sent, ...filed(sent, set, newId), ...repeated, ...brought];
  const updated = new Set([...entries, ...folders].map(({ before }) => before.entryUUID));
  const made = new Set(folders.map(({ next }) => next.entryUUID));
  const filled = associations
    .filter(({ type, source }) => type === 'HasMember' && source !== set.entryUUID && !made.has(source))
    .map(({ source }) => source);
  return {
    set,
    entries,
    folders,
    associations,
    statuses: [
      ...entries.flatMap(({ before }) => outdated(before.entryUUID, before.status)),
      ...operations
        .filter((o) => o.kind === 'entryStatus')
        .filter((o) => !updated.has(o.of.entry.entryUUID))
        .map((o) => statusChange(o.of.entry.entryUUID, o)),
    ],
    folderStatuses: [
      ...folders.flatMap(({ before }) => outdated(before.entryUUID, before.status)),
      ...operations
        .filter((o) => o.kind === 'folderStatus')
        .filter((o) => !updated.has(o.of.folder.entryUUID))
        .map((o) => statusChange(o.of.folder.entryUUID, o)),
    ],
    associationStatuses: operations
      .filter((o) => o.kind === 'associationStatus')
      .map((o) => statusChange(o.of.entryUUID, o)),
    touched: [...new Set(filled)],
  };
}

/** New statuses by the version that is the latest until now. */
function newStatuses(operations: readonly Operation[]): ReadonlyMap<EntryUuid, AvailabilityStatus> {
  return new Map(
    operations.flatMap((o) => {
      if (o.kind === 'entryStatus') return [[o.of.entry.entryUUID, o.to] as const];
      return o.kind === 'folderStatus' ? [[o.of.folder.entryUUID, o.to] as const] : [];
    }),
  );
}

function entryVersion(
  operation: OperationOf<'entry'>,
  statusOf: ReadonlyMap<EntryUuid, AvailabilityStatus>,
  uuidOf: Naming,
  { codesCount }: ChangeFacts,
): Version<DocumentEntry> {
  const {
    draft,
    before: { entry: before, from },
  } = operation;
  const { hash, size, logicalID, version, status } = before;
  const { entryUUID: _name, confidentialityCodes: _codes, ...registered } = before;
  const { id, confidentialityCodes } = draft;
  const isVisibility = codesCount && changesVisibilityAlone(operation);
  const source = isVisibility ? { ...registered, id, ...(confidentialityCodes && { confidentialityCodes }) } : draft;
  const next = registeredEntry(source, uuidOf, {
    logicalID,
    version: version + 1,
    status: statusOf.get(before.entryUUID) ?? status,
    repositoryUniqueId: source.repositoryUniqueId ?? before.repositoryUniqueId,
    ...(hash !== undefined && { hash }),
    ...(size !== undefined && { size }),
  });
  return { next, before, ...(from !== undefined && { from }) };
}

function folderVersion(
  { draft, before: { folder: before, from } }: OperationOf<'folder'>,
  statusOf: ReadonlyMap<EntryUuid, AvailabilityStatus>,
  uuidOf: Naming,
  now: number,
): Version<Folder> {
  const { logicalID, version, status } = before;
  const isDeprecated = (statusOf.get(before.entryUUID) ?? status) === 'deprecated';
  const state = { logicalID, version: version + 1, status: isDeprecated ? 'deprecated' : 'approved' } as const;
  return { next: registeredFolder(draft, uuidOf, state, now), before, ...(from !== undefined && { from }) };
}

/** Members of the set and submitted associations; what only triggers an operation is done, not kept. */
function sentAssociations(
  { associations }: Submission,
  operations: readonly Operation[],
  uuidOf: Naming,
): Association[] {
  const isTrigger = ({ type }: AssociationDraft) => type === 'UpdateAvailabilityStatus' || type === 'SubmitAssociation';
  const sent = new Set(associations.map(({ id }) => nameOf(id)));
  const added = operations.filter((o) => o.kind === 'entry').map((o) => o.member);
  return [...associations.filter((a) => !isTrigger(a)), ...added.filter(({ id }) => !sent.has(nameOf(id)))].map((a) =>
    registeredAssociation(a, uuidOf),
  );
}

/** The set has every association that it files as a member, whether it said so or not. */
function filed(sent: readonly Association[], { entryUUID: set }: SubmissionSet, newId: () => string): Association[] {
  const members = new Set(sent.filter(({ source }) => source === set).map(({ target }) => target));
  return sent
    .filter(({ source, entryUUID }) => source !== set && !members.has(entryUUID))
    .map(({ entryUUID }) => member(set, entryUUID, newUuid(newId)));
}

function propagating(
  entries: readonly OperationOf<'entry'>[],
  folders: readonly OperationOf<'folder'>[],
  uuidOf: Naming,
): ReadonlyMap<EntryUuid, EntryUuid> {
  return new Map([
    ...entries.filter(propagates).map((o) => [o.before.entry.entryUUID, uuidOf(o.draft.id)] as const),
    ...folders.filter(propagates).map((o) => [o.before.folder.entryUUID, uuidOf(o.draft.id)] as const),
  ]);
}

function outdated<S extends AvailabilityStatus>(entryUUID: EntryUuid, from: S): StatusChange<S | 'deprecated'>[] {
  return from === 'deprecated' ? [] : [{ entryUUID, from, to: 'deprecated' }];
}

function statusChange<S>(entryUUID: EntryUuid, { from, to }: { readonly from: S; readonly to: S }): StatusChange<S> {
  return { entryUUID, from, to };
}
