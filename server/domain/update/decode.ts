import type { AssociationDraft, Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { nameOf } from '../rules/facts.ts';
import { repeated } from '../rules/repeated.ts';
import { decodeStatus } from './decode-status.ts';
import { decodeSubmitted } from './decode-submitted.ts';
import { decodeEntry, decodeFolder } from './decode-version.ts';
import { type Decoded, isFrom, isOperation, type Message, messageOf, unknownEnd } from './message.ts';
import { beforeOf, type NewVersion, type Operation, propagates, type UpdateFacts } from './operation.ts';
import { unreconciled } from './reconciliation.ts';

/**
 * What the message asks for, and everything that keeps it from being done. IHE Metadata Update 3.57.4.1.3.
 * A message without exactly one set is not decoded at all: another rule tells that.
 */
export function decodeUpdate(
  submission: Submission,
  facts: UpdateFacts,
): { operations: Operation[]; problems: Problem[] } {
  const message = messageOf(submission, facts);
  if (message === undefined) return { operations: [], problems: [] };
  const decoded: Decoded = [
    ...submission.entries.flatMap((entry) => decodeEntry(entry, message)),
    ...submission.folders.flatMap((folder) => decodeFolder(folder, message)),
    ...submission.associations.flatMap((association) => decodeAssociation(association, message)),
  ];
  const operations = decoded.filter(isOperation);
  const problems = decoded.filter((d): d is Problem => !isOperation(d));
  return {
    operations,
    problems: [
      ...problems,
      ...doubledMembers(message),
      ...doubled(operations),
      ...saidTwice(operations),
      ...unequalPropagation(operations, facts),
      ...unreconciled(operations, facts),
    ],
  };
}

function decodeAssociation(association: AssociationDraft, message: Message): Decoded {
  const { type, id } = association;
  if (type === undefined) return [];
  if (type === 'UpdateAvailabilityStatus') return decodeStatus(association, message);
  if (type === 'SubmitAssociation') return checkTrigger(association, message);
  if (type === 'HasMember' && isFrom(message.set, association)) return checkMember(association, message);
  const triggers = message.submission.associations.filter(
    (a) => a.type === 'SubmitAssociation' && a.target !== undefined && nameOf(a.target) === nameOf(id),
  );
  if (triggers.length === 1) return decodeSubmitted(association, message);
  const detail = triggers.length === 0 ? 'no SubmitAssociation names it' : 'several SubmitAssociation name it';
  return [problem('updateUndecodable', { object: id, detail })];
}

function checkTrigger(association: AssociationDraft, { set, submission }: Message): Decoded {
  const { id, target } = association;
  if (target === undefined) return [];
  if (!isFrom(set, association))
    return [problem('updateUndecodable', { object: id, detail: 'its source is not the submission set' })];
  const named = submission.associations.find((a) => nameOf(a.id) === nameOf(target));
  if (named === undefined)
    return [problem('referenceUnresolved', { attribute: 'targetObject', object: id, value: target })];
  const isTrigger = named.type === 'SubmitAssociation' || named.type === 'UpdateAvailabilityStatus';
  if (!isTrigger && !(named.type === 'HasMember' && isFrom(set, named))) return [];
  return [problem('updateUndecodable', { object: id, detail: 'its target is no association to be submitted' })];
}

/** Members are the new versions and the associations of the message, and registered documents by reference. */
function checkMember({ id, target, submissionSetStatus }: AssociationDraft, { submission, facts }: Message): Decoded {
  if (target === undefined) return [];
  const name = nameOf(target);
  const own = [...submission.entries, ...submission.folders, ...submission.associations];
  if (own.some((object) => nameOf(object.id) === name)) return [];
  const known = facts.entries.get(name);
  if (known === undefined) return [unknownEnd('targetObject', id, target, facts)];
  const { status } = known.entry;
  if (status !== 'approved') return [problem('targetDeprecated', { object: id, value: target, detail: status })];
  return submissionSetStatus === 'Reference'
    ? []
    : [problem('associationInvalid', { object: id, detail: 'SubmissionSetStatus of this member is Reference' })];
}

function doubledMembers({ submission, set }: Message): Problem[] {
  const members = submission.associations.filter((a) => a.type === 'HasMember' && isFrom(set, a));
  return repeated(members.flatMap(({ target }) => (target === undefined ? [] : [nameOf(target)]))).map((object) =>
    problem('updateUndecodable', { object, detail: 'it is a member of the submission set twice' }),
  );
}

/** Between two ends the message brings one association of a type, new or current again; the second one is at fault. */
function saidTwice(operations: readonly Operation[]): Problem[] {
  const said = new Set<string>();
  return operations.flatMap((o) => {
    const [object, of] =
      o.kind === 'association'
        ? [o.draft.id, o.draft]
        : o.kind === 'associationStatus' && o.to === 'approved'
          ? [o.object, o.of]
          : ['', undefined];
    if (of === undefined) return [];
    const before = said.size;
    said.add([of.type, nameOf(of.source ?? ''), nameOf(of.target ?? '')].join(' '));
    return said.size > before
      ? []
      : [problem('updateInvalid', { object, detail: 'another association says the same' })];
  });
}

/** One new version and one new status of a logical object, no more; the second one is at fault, by the name that the message gives it. */
function doubled(operations: readonly Operation[]): Problem[] {
  const done = new Set<string>();
  return operations.flatMap((operation) => {
    if (operation.kind === 'association') return [];
    const isVersion = 'draft' in operation;
    const change = `${isVersion ? 'version' : 'status'} ${logicalId(operation)}`;
    const isFirst = !done.has(change);
    done.add(change);
    const object = isVersion ? operation.draft.id : operation.object;
    return isFirst ? [] : [problem('updateUndecodable', { object, detail: 'the message changes it twice' })];
  });
}

function logicalId(operation: Exclude<Operation, { kind: 'association' }>): string {
  switch (operation.kind) {
    case 'entry':
      return operation.before.entry.logicalID;
    case 'folder':
      return operation.before.folder.logicalID;
    case 'entryStatus':
      return operation.of.entry.logicalID;
    case 'folderStatus':
      return operation.of.folder.logicalID;
    case 'associationStatus':
      return operation.of.entryUUID;
  }
}

/** Two related objects are both updated with propagation or both without. */
function unequalPropagation(operations: readonly Operation[], { around, arriving }: UpdateFacts): Problem[] {
  const updates = new Map<string, NewVersion>(
    operations.flatMap((o) => (o.kind === 'entry' || o.kind === 'folder' ? [[beforeOf(o), o] as const] : [])),
  );
  return [...around.associations, ...arriving.around.associations].flatMap(({ source, target, status }) => {
    const [one, other] = [updates.get(source), updates.get(target)];
    if (one === undefined || other === undefined || status !== 'approved' || propagates(one) === propagates(other))
      return [];
    const detail = `AssociationPropagation is another for ${one.draft.id}, which is related to it`;
    return [problem('updateInvalid', { object: other.draft.id, detail })];
  });
}
