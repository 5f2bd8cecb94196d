import {
  type AssociationDraft,
  type DocumentEntry,
  type EntryDraft,
  type Submission,
  visibilityOf,
} from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { writeCx } from '../hl7v2.ts';
import { type Cx, sameCx } from '../identifier.ts';
import { nameOf } from '../rules/facts.ts';
import type { Known } from '../surrounding.ts';
import { changed, originalProblems, unknownVersion, versionProblems } from './decode-version.ts';
import { type Decoded, isFrom, isOperation, logicalIdOf, type Message, messageOf } from './message.ts';
import { latestEntry, type OperationOf, type UpdateFacts } from './operation.ts';

/**
 * What a restricted update asks for: new versions of entries and nothing else, their identity, place and state unchanged.
 * IHE Restricted Metadata Update 3.92.4.1.
 */
export function decodeRestricted(
  submission: Submission,
  facts: UpdateFacts,
): { operations: OperationOf<'entry'>[]; problems: Problem[] } {
  const message = messageOf(submission, facts);
  if (message === undefined) return { operations: [], problems: [] };
  const decoded: Decoded = [
    ...submission.entries.flatMap((entry) => decodeEntry(entry, message)),
    ...submission.folders.map(({ id }) => problem('objectNotUpdatable', { object: id })),
    ...submission.associations.flatMap((association) => checkAssociation(association, message)),
  ];
  const operations = decoded.filter(isOperation).filter((o) => o.kind === 'entry');
  const problems = decoded.filter((d): d is Problem => !isOperation(d));
  return { operations, problems: [...problems, ...doubled(operations)] };
}

function decodeEntry(draft: EntryDraft, { facts, members }: Message): Decoded {
  const logicalID = logicalIdOf(draft);
  const before = (logicalID === undefined ? undefined : latestEntry(facts, logicalID)) ?? sameDocument(draft, facts);
  if (before === undefined) return [unknownVersion(draft.id, logicalID ?? draft.uniqueId ?? draft.id, facts)];
  const member = members.get(nameOf(draft.id));
  const problems = [
    ...memberProblems(draft.id, member, before.entry.version),
    ...(logicalID === undefined || logicalID === before.entry.logicalID
      ? []
      : [problem('identityChanged', { attribute: 'logicalID', object: draft.id, value: logicalID })]),
    ...changed(draft, before.entry, ['uniqueId']),
    ...fixed(draft, before.entry),
    ...patientProblems(draft, before.entry),
    ...policyProblems(draft, before.entry, facts),
  ];
  return problems.length > 0 || member === undefined ? problems : [{ kind: 'entry', draft, before, member }];
}

/** An entry may be named by its uniqueId alone. */
function sameDocument({ uniqueId }: EntryDraft, { entries }: UpdateFacts): Known | undefined {
  return [...entries.values()].find(({ latest, entry }) => latest && entry.uniqueId === uniqueId);
}

function memberProblems(object: string, member: AssociationDraft | undefined, version: number): Problem[] {
  if (member === undefined)
    return [problem('annotationInvalid', { object, detail: 'the submission set has no such member' })];
  const isOff = member.associationPropagation === false;
  return [
    ...versionProblems(object, member, version),
    ...originalProblems(object, member),
    ...(isOff ? [problem('annotationInvalid', { object, detail: 'AssociationPropagation is "no"' })] : []),
  ];
}

/** What a restricted update leaves as it is; what was not sent says nothing. */
function fixed(draft: EntryDraft, before: DocumentEntry): Problem[] {
  const availability = (entry: EntryDraft | DocumentEntry) => entry.documentAvailability ?? 'online';
  const { repositoryUniqueId, sourcePatientId, status, version } = draft;
  const values: readonly (readonly [attribute: string, sent: string | undefined, registered: string | undefined])[] = [
    ['objectType', draft.objectType, before.objectType],
    ['repositoryUniqueId', repositoryUniqueId, before.repositoryUniqueId],
    ['sourcePatientId', shownCx(sourcePatientId), shownCx(before.sourcePatientId)],
    ['availabilityStatus', status, before.status],
    ['documentAvailability', availability(draft), availability(before)],
    ['version', version?.toString(), before.version.toString()],
    ['hash', draft.hash?.toLowerCase(), before.hash],
    ['size', draft.size?.toString(), before.size?.toString()],
  ];
  return values
    .filter(([, sent, registered]) => sent !== undefined && sent !== registered)
    .map(([attribute, sent = '', registered]) => {
      const detail = `it is ${registered ?? 'not registered'}`;
      return problem('attributeUnmodifiable', { attribute, object: draft.id, value: sent, detail });
    });
}

/** Of a patient's identifier what makes it another. */
function shownCx(cx: Cx | undefined): string | undefined {
  return cx && `${cx.id}^^^&${cx.authority.oid ?? ''}&ISO`;
}

function patientProblems({ id, patientId }: EntryDraft, before: DocumentEntry): Problem[] {
  return patientId === undefined || sameCx(patientId, before.patientId)
    ? []
    : [problem('patientNotReconciled', { object: id, value: writeCx(patientId) })];
}

/** Who sees a document is for those to change whom the law names, where visibility codes count at all. */
function policyProblems(
  { id, confidentialityCodes = [] }: EntryDraft,
  before: DocumentEntry,
  facts: UpdateFacts,
): Problem[] {
  if (facts.domain.credentials === 'none') return [];
  const [wanted, had] = [visibilityOf(confidentialityCodes), visibilityOf(before.confidentialityCodes)];
  if (wanted.join() === had.join()) return [];
  return [problem('policyForbids', { attribute: 'confidentialityCode', object: id, detail: 'visibility codes stay' })];
}

function checkAssociation(association: AssociationDraft, { submission, set }: Message): Decoded {
  const { id, type, target } = association;
  if (type === undefined || target === undefined) return [];
  const named = [...submission.entries, ...submission.folders].some((object) => nameOf(object.id) === nameOf(target));
  if (type === 'HasMember' && isFrom(set, association) && named) return [];
  if (type === 'UpdateAvailabilityStatus')
    return [problem('attributeUnmodifiable', { attribute: 'availabilityStatus', object: nameOf(target) })];
  return [problem('updateUndecodable', { object: id, detail: 'a restricted update has new versions alone' })];
}

function doubled(operations: readonly OperationOf<'entry'>[]): Problem[] {
  const first = new Map<string, OperationOf<'entry'>>();
  return operations.flatMap((operation) => {
    const { logicalID } = operation.before.entry;
    if (first.has(logicalID))
      return [
        problem('updateUndecodable', { object: operation.draft.id, detail: 'the message changes its entry twice' }),
      ];
    first.set(logicalID, operation);
    return [];
  });
}
