import type {
  Association,
  AssociationDraft,
  DocumentEntry,
  EntryDraft,
  EntryUuid,
  Folder,
  FolderDraft,
  SetDraft,
  SubmissionSet,
} from './document.ts';
import { isUuid } from './identifier.ts';
import { nameOf } from './rules/facts.ts';
import { dtmOf } from './time.ts';

/** The UUID that a message's id stands for. */
export type Naming = (id: string) => EntryUuid;

/** The same UUID for the same symbolic id, each time it is named; UUIDs stay. IHE ITI TF-3 4.2.3.1.5. */
export function naming(newId: () => string): Naming {
  const given = new Map<string, EntryUuid>();
  return (id) => {
    const name = nameOf(id);
    const uuid = isUuid(name) ? name : (given.get(name) ?? newUuid(newId));
    given.set(name, uuid);
    return uuid;
  };
}

/** The entryUUID of an object that the registry makes. IHE ITI TF-3 4.2.3.2.7. */
export function newUuid(newId: () => string): EntryUuid {
  return `urn:uuid:${newId()}`;
}

/** @throws TypeError, here and below, for a draft that the rules refuse */
export function registeredSet({ id, ...draft }: SetDraft, uuidOf: Naming): SubmissionSet {
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

/** What the registry sets on an entry, whatever was sent; `hash` and `size` are absent on an on-demand one. */
export type EntryState = Pick<DocumentEntry, 'logicalID' | 'version' | 'status' | 'repositoryUniqueId'> & {
  readonly hash?: string;
  readonly size?: number;
};

/** A document as it is registered: hash and size are those of `state`, of what was received. @throws TypeError */
export function registeredEntry(
  { id, hash: _hash, size: _size, ...draft }: EntryDraft,
  uuidOf: Naming,
  state: EntryState,
): DocumentEntry {
  return {
    ...draft,
    entryUUID: uuidOf(id),
    objectType: need(draft.objectType, 'objectType'),
    uniqueId: need(draft.uniqueId, 'uniqueId'),
    patientId: need(draft.patientId, 'patientId'),
    sourcePatientId: need(draft.sourcePatientId, 'sourcePatientId'),
    sourcePatientInfo: draft.sourcePatientInfo ?? [],
    mimeType: need(draft.mimeType, 'mimeType'),
    languageCode: need(draft.languageCode, 'languageCode'),
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
    ...state,
  };
}

/** `now` in milliseconds since 1970. */
export function registeredFolder(
  { id, ...draft }: FolderDraft,
  uuidOf: Naming,
  state: Pick<Folder, 'logicalID' | 'version' | 'status'>,
  now: number,
): Folder {
  return {
    ...draft,
    entryUUID: uuidOf(id),
    uniqueId: need(draft.uniqueId, 'uniqueId'),
    patientId: need(draft.patientId, 'patientId'),
    title: need(draft.title, 'title'),
    codes: need(draft.codes, 'codeList'),
    lastUpdateTime: dtmOf(now),
    extra: draft.extra ?? [],
    ...state,
  };
}

/** An association between registered objects, approved. @throws TypeError */
export function registeredAssociation({ id, ...draft }: AssociationDraft, uuidOf: Naming): Association {
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

/** A membership that the registry adds by itself. */
export function member(source: EntryUuid, target: EntryUuid, entryUUID: EntryUuid): Association {
  return { entryUUID, type: 'HasMember', source, target, status: 'approved', extra: [] };
}

/** What the rules made sure of. @throws TypeError where they did not: a fault of ours, answered without detail */
export function need<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new TypeError(`A submission without ${what} cannot be registered`);
  return value;
}
