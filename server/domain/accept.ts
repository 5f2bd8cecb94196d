import type {
  Association,
  AssociationDraft,
  AvailabilityStatus,
  DocumentEntry,
  EntryDraft,
  EntryUuid,
  Folder,
  FolderDraft,
  SetDraft,
  Submission,
  SubmissionSet,
} from './document.ts';
import { isUuid } from './identifier.ts';
import { nameOf, type RegistryFacts } from './rules/facts.ts';
import { dtmOf } from './time.ts';

/** What becomes registered, and what it does to documents that are registered already. */
export type Acceptance = {
  readonly set: SubmissionSet;
  readonly entries: readonly DocumentEntry[];
  /** Folders that the message creates. */
  readonly folders: readonly Folder[];
  readonly associations: readonly Association[];
  /** Registered documents that become deprecated: those replaced, their transformations and their addenda. */
  readonly deprecated: readonly EntryUuid[];
  /** Registered documents that must still be approved when this is written, the deprecated ones included. */
  readonly approved: readonly EntryUuid[];
};

export type AcceptFacts = Pick<RegistryFacts, 'documents' | 'targets' | 'folders' | 'associations'> & {
  /** Status of the documents that transform or complete a target. */
  readonly dependents: ReadonlyMap<EntryUuid, AvailabilityStatus>;
  readonly repositoryUniqueId: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** A new UUID, lower case, without prefix. */
  readonly newId: () => string;
};

/**
 * Turns a submission that the rules let pass into registered objects: symbolic ids become UUIDs wherever they stand, given UUIDs stay;
 * first versions, approved; hash and size of the bytes; our repositoryUniqueId. A replacement deprecates its target with what transforms
 * or completes it, and takes its place in current folders. IHE ITI TF-2 3.41.4.1.3, 3.42.4.1.3; TF-3 4.2.2.2.
 * @throws TypeError for a submission that the rules refuse.
 */
export function accept(submission: Submission, facts: AcceptFacts): Acceptance {
  const uuidOf = naming(facts.newId);
  const [draft] = submission.sets;
  const set = registeredSet(need(draft, 'submission set'), uuidOf);
  const entries = submission.entries.map((entry) => registeredEntry(entry, uuidOf, facts));
  const folders = submission.folders.map((folder) => registeredFolder(folder, uuidOf, facts.now));
  const sent = submission.associations.map((association) => registeredAssociation(association, uuidOf));
  const added = inFoldersOfReplaced(sent, set, facts);
  const replaced = sent.filter(replaces).map(({ target }) => target);
  const deprecated = [...new Set([...replaced, ...dependentsOf(replaced, facts)])];
  const bound = sent.filter((a) => needsApproved(a, set)).map(({ target }) => target);
  const approved = [...new Set([...deprecated, ...bound.filter((target) => facts.targets.has(target))])];
  return { set, entries, folders, associations: [...sent, ...added], deprecated, approved };
}

type Naming = (id: string) => EntryUuid;

/** The same UUID for the same symbolic id, each time it is named. */
function naming(newId: () => string): Naming {
  const given = new Map<string, EntryUuid>();
  return (id) => {
    const name = nameOf(id);
    const uuid = isUuid(name) ? name : (given.get(name) ?? newUuid(newId));
    given.set(name, uuid);
    return uuid;
  };
}

function registeredSet({ id, ...draft }: SetDraft, uuidOf: Naming): SubmissionSet {
  return {
    ...draft,
    entryUUID: uuidOf(id),
    status: 'approved',
    uniqueId: need(draft.uniqueId, 'uniqueId'),
    sourceId: need(draft.sourceId, 'sourceId'),
    patientId: need(draft.patientId, 'patientId'),
    submissionTime: need(draft.submissionTime, 'submissionTime'),
    contentTypeCode: need(draft.contentTypeCode, 'contentTypeCode'),
    authors: draft.authors ?? [],
    intendedRecipients: draft.intendedRecipients ?? [],
    extra: draft.extra ?? [],
  };
}

function registeredEntry(
  { id, ...draft }: EntryDraft,
  uuidOf: Naming,
  { documents, repositoryUniqueId }: AcceptFacts,
): DocumentEntry {
  const entryUUID = uuidOf(id);
  const { sha1, size } = need(
    documents.find((document) => nameOf(document.id) === nameOf(id)),
    'document',
  );
  return {
    ...draft,
    entryUUID,
    logicalID: uuidOf(draft.logicalID ?? id),
    version: 1,
    objectType: need(draft.objectType, 'objectType'),
    status: 'approved',
    uniqueId: need(draft.uniqueId, 'uniqueId'),
    patientId: need(draft.patientId, 'patientId'),
    sourcePatientId: need(draft.sourcePatientId, 'sourcePatientId'),
    sourcePatientInfo: draft.sourcePatientInfo ?? [],
    mimeType: need(draft.mimeType, 'mimeType'),
    languageCode: need(draft.languageCode, 'languageCode'),
    hash: sha1,
    size,
    repositoryUniqueId,
    classCode: need(draft.classCode, 'classCode'),
    typeCode: need(draft.typeCode, 'typeCode'),
    formatCode: need(draft.formatCode, 'formatCode'),
    healthcareFacilityTypeCode: need(draft.healthcareFacilityTypeCode, 'healthcareFacilityTypeCode'),
    practiceSettingCode: need(draft.practiceSettingCode, 'practiceSettingCode'),
    confidentialityCodes: need(draft.confidentialityCodes, 'confidentialityCode'),
    eventCodes: draft.eventCodes ?? [],
    authors: draft.authors ?? [],
    referenceIds: draft.referenceIds ?? [],
    extra: draft.extra ?? [],
  };
}

function registeredFolder({ id, ...draft }: FolderDraft, uuidOf: Naming, now: number): Folder {
  return {
    ...draft,
    entryUUID: uuidOf(id),
    logicalID: uuidOf(draft.logicalID ?? id),
    version: 1,
    status: 'approved',
    uniqueId: need(draft.uniqueId, 'uniqueId'),
    patientId: need(draft.patientId, 'patientId'),
    title: need(draft.title, 'title'),
    codes: need(draft.codes, 'codeList'),
    lastUpdateTime: dtmOf(now),
    extra: draft.extra ?? [],
  };
}

function registeredAssociation({ id, ...draft }: AssociationDraft, uuidOf: Naming): Association {
  return {
    ...draft,
    entryUUID: uuidOf(id),
    type: need(draft.type, 'associationType'),
    source: uuidOf(need(draft.source, 'sourceObject')),
    target: uuidOf(need(draft.target, 'targetObject')),
    status: 'approved',
    extra: draft.extra ?? [],
  };
}

function replaces({ type }: Association): boolean {
  return type === 'RPLC' || type === 'XFRM_RPLC';
}

function needsApproved({ type, source }: Association, set: SubmissionSet): boolean {
  return type === 'HasMember' ? source !== set.entryUUID : type !== 'signs';
}

/** What transforms or completes a replaced document is out of date with it. IHE ITI TF-3 4.2.2.2.1. */
function dependentsOf(replaced: readonly EntryUuid[], { associations, dependents }: AcceptFacts): EntryUuid[] {
  return associations
    .filter(({ type, status }) => (type === 'XFRM' || type === 'APND') && status === 'approved')
    .filter(({ source, target }) => replaced.includes(target) && dependents.get(source) === 'approved')
    .map(({ source }) => source);
}

/** A replacement is put into every current folder that holds its target, as its submission set records. IHE ITI TF-2 3.42.4.1.3.5. */
function inFoldersOfReplaced(
  sent: readonly Association[],
  set: SubmissionSet,
  { associations, folders, newId }: AcceptFacts,
): Association[] {
  const holds = (folder: EntryUuid, entry: EntryUuid) =>
    sent.some((a) => a.type === 'HasMember' && a.source === folder && a.target === entry);
  return sent.filter(replaces).flatMap(({ source: entry, target: old }) =>
    associations
      .filter((a) => a.type === 'HasMember' && a.status === 'approved' && a.target === old)
      .filter((a) => folders.get(a.source)?.status === 'approved' && !holds(a.source, entry))
      .flatMap(({ source: folder }) => {
        const membership = member(folder, entry, newUuid(newId));
        return [membership, member(set.entryUUID, membership.entryUUID, newUuid(newId))];
      }),
  );
}

function newUuid(newId: () => string): EntryUuid {
  return `urn:uuid:${newId()}`;
}

function member(source: EntryUuid, target: EntryUuid, entryUUID: EntryUuid): Association {
  return { entryUUID, type: 'HasMember', source, target, status: 'approved', extra: [] };
}

function need<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new TypeError(`A submission without ${what} cannot be registered`);
  return value;
}
