import type { AssociationDraft, DocumentEntry, EntryDraft, FolderDraft } from '../document.ts';
import { type About, type Problem, problem } from '../error.ts';
import { writeCx } from '../hl7v2.ts';
import type { Identifier } from '../identifier.ts';
import { nameOf } from '../rules/facts.ts';
import { saidOfBytes } from '../rules/on-demand-entries.ts';
import { type Decoded, logicalIdOf, type Message, unknownEnd } from './message.ts';
import { latestEntry, latestFolder, type UpdateFacts } from './operation.ts';

/**
 * A new version of an entry: it follows the latest one, of which logicalID, uniqueId, objectType and document stay.
 * IHE Metadata Update 3.57.4.1.3 (Update DocumentEntry).
 */
export function decodeEntry(draft: EntryDraft, message: Message): Decoded {
  const { facts } = message;
  const logicalID = logicalIdOf(draft);
  if (logicalID === undefined) return [problem('initialVersion', { object: draft.id })];
  const before = latestEntry(facts, logicalID);
  if (before === undefined) return [unknownVersion(draft.id, logicalID, facts)];
  const member = message.members.get(nameOf(draft.id));
  const problems = [
    ...memberProblems(draft.id, member, before.entry.version),
    ...originalProblems(draft.id, member),
    ...changed(draft, before.entry, ['uniqueId', 'objectType']),
    ...documentProblems(draft, before.entry, facts),
    ...patientProblems(draft, facts),
  ];
  return problems.length > 0 || member === undefined ? problems : [{ kind: 'entry', draft, before, member }];
}

/** A new version of a current folder. IHE Metadata Update 3.57.4.1.3 (Update Folder). */
export function decodeFolder(draft: FolderDraft, message: Message): Decoded {
  const { facts } = message;
  const logicalID = logicalIdOf(draft);
  if (logicalID === undefined) return [problem('initialFolder', { object: draft.id })];
  const before = latestFolder(facts, logicalID);
  if (before === undefined) return [unknownVersion(draft.id, logicalID, facts)];
  const member = message.members.get(nameOf(draft.id));
  const { folder } = before;
  const problems = [
    ...memberProblems(draft.id, member, folder.version),
    ...(folder.status === 'approved'
      ? []
      : [problem('updateInvalid', { object: draft.id, detail: 'the folder is deprecated' })]),
    ...changed(draft, folder, ['uniqueId']),
    ...patientProblems(draft, facts),
  ];
  return problems.length > 0 || member === undefined ? problems : [{ kind: 'folder', draft, before, member }];
}

/** What the message brings a version of is unknown, or another patient's and cannot be taken over from his record. */
export function unknownVersion(object: string, value: string, facts: UpdateFacts): Problem {
  return unknownEnd('logicalID', object, value, facts);
}

function memberProblems(object: string, member: AssociationDraft | undefined, version: number): Problem[] {
  return member === undefined
    ? [problem('updateUndecodable', { object, detail: 'it is no member of the submission set' })]
    : versionProblems(object, member, version);
}

/** PreviousVersion names the latest version. */
export function versionProblems(object: string, { previousVersion }: AssociationDraft, version: number): Problem[] {
  if (previousVersion === String(version)) return [];
  const about: About = { object, detail: `the latest version is ${version}` };
  return [problem('versionNotLatest', { ...about, ...(previousVersion !== undefined && { value: previousVersion }) })];
}

export function originalProblems(object: string, member: AssociationDraft | undefined): Problem[] {
  if (member === undefined || member.submissionSetStatus === 'Original') return [];
  if (member.submissionSetStatus === undefined)
    return [problem('attributeMissing', { attribute: 'SubmissionSetStatus', object })];
  return [
    problem('associationInvalid', { object: member.id, detail: 'SubmissionSetStatus of this member is Original' }),
  ];
}

export function changed<K extends string>(
  draft: { readonly id: string } & { readonly [A in K]?: string },
  before: { readonly [A in K]: string },
  attributes: readonly K[],
): Problem[] {
  return attributes.flatMap((attribute) => {
    const value = draft[attribute];
    return value === undefined || value === before[attribute]
      ? []
      : [problem('identityChanged', { attribute, object: draft.id, value })];
  });
}

/** Metadata change, the document does not: hash and size stay, and it stays where it is when it is here. */
function documentProblems(
  draft: EntryDraft,
  before: Pick<DocumentEntry, 'objectType' | 'hash' | 'size' | 'repositoryUniqueId'>,
  facts: UpdateFacts,
): Problem[] {
  const { id, hash, size, repositoryUniqueId } = draft;
  const onDemand = before.objectType === 'onDemand';
  const moved =
    repositoryUniqueId !== undefined &&
    repositoryUniqueId !== before.repositoryUniqueId &&
    before.repositoryUniqueId === facts.repositoryUniqueId;
  const others = [
    ...(onDemand || hash === undefined || hash.toLowerCase() === before.hash ? [] : ['hash']),
    ...(onDemand || size === undefined || size === before.size ? [] : ['size']),
    ...(moved ? ['repositoryUniqueId'] : []),
  ];
  return [
    ...(onDemand ? saidOfBytes(draft) : []),
    ...others.map((attribute) =>
      problem('updateInvalid', { attribute, object: id, detail: `${attribute} is that of another document` }),
    ),
  ];
}

/**
 * Whatever the set files belongs to its patient, by whichever of his identifiers. IHE Metadata Update 3.57.4.1.3 (patient ID reconciliation).
 */
function patientProblems({ id, patientId }: EntryDraft | FolderDraft, { holder }: UpdateFacts): Problem[] {
  if (patientId === undefined) return [];
  const isHolder = ({ value, oid }: Identifier) => patientId.id === value && patientId.authority.oid === oid;
  return holder.some(isHolder) ? [] : [problem('patientNotReconciled', { object: id, value: writeCx(patientId) })];
}
