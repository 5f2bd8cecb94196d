import type { Association, AssociationDraft, AvailabilityStatus } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { nameOf } from '../rules/facts.ts';
import type { Known } from '../surrounding.ts';
import { type Decoded, isFrom, logicalIdOf, type Message, unknownEnd } from './message.ts';
import { type KnownFolder, latestEntry, latestFolder } from './operation.ts';

/** What a status belongs to. */
type Held =
  | { readonly kind: 'entryStatus'; readonly of: Known }
  | { readonly kind: 'folderStatus'; readonly of: KnownFolder }
  | { readonly kind: 'associationStatus'; readonly of: Association; readonly own: boolean };

/**
 * A new status of the latest version of an entry or folder, or of an association that is no member of a set. Deleted is the end of it (DMP),
 * and a document that was replaced does not become current by leaving the archive. IHE Metadata Update 3.57.4.1.3 (Update AvailabilityStatus).
 */
export function decodeStatus(association: AssociationDraft, message: Message): Decoded {
  const { id, target, originalStatus: from, newStatus: to } = association;
  if (target === undefined) return [];
  if (!isFrom(message.set, association))
    return [problem('updateUndecodable', { object: id, detail: 'its source is not the submission set' })];
  if (from === undefined || to === undefined)
    return [problem('updateUndecodable', { object: id, detail: 'OriginalStatus and NewStatus have one value each' })];
  const held = heldBy(nameOf(target), message);
  if (held === undefined) return [unknownEnd('targetObject', nameOf(target), target, message.facts)];
  const object = nameOf(target);
  const problems = [...commonProblems(object, held, from, to), ...problemsOf(object, held, to, message)];
  if (problems.length > 0) return problems;
  if (held.kind === 'entryStatus') return [{ ...held, object, from, to }];
  return isPlain(from) && isPlain(to) ? [{ ...held, object, from, to }] : [];
}

/** The object itself, or the one of which the message brings a new version. */
function heldBy(name: string, { submission, facts }: Message): Held | undefined {
  const entry = submission.entries.find((e) => nameOf(e.id) === name);
  const folder = submission.folders.find((f) => nameOf(f.id) === name);
  const known = entry === undefined ? facts.entries.get(name) : latestEntry(facts, logicalIdOf(entry) ?? '');
  if (known !== undefined) return { kind: 'entryStatus', of: known };
  const knownFolder = folder === undefined ? facts.folders.get(name) : latestFolder(facts, logicalIdOf(folder) ?? '');
  if (knownFolder !== undefined) return { kind: 'folderStatus', of: knownFolder };
  const association = facts.associations.get(name);
  if (association === undefined) return undefined;
  const { source } = association;
  const own = (facts.entries.get(source) ?? facts.folders.get(source))?.own === true;
  return { kind: 'associationStatus', of: association, own };
}

function commonProblems(object: string, held: Held, from: AvailabilityStatus, to: AvailabilityStatus): Problem[] {
  const current = currentOf(held);
  const isLatest = held.kind === 'associationStatus' || held.of.latest;
  return [
    ...(isLatest ? [] : ['it is not the latest version']),
    ...(from === current ? [] : [`its status is ${current}`]),
    ...(from === current && to === current ? [`it is ${current} already`] : []),
    ...(held.kind === 'entryStatus' || isPlain(to) ? [] : [`only documents are ${to}`]),
  ].map((detail) => problem('updateInvalid', { object, detail }));
}

function problemsOf(object: string, held: Held, to: AvailabilityStatus, { facts }: Message): Problem[] {
  const invalid = (detail: string) => [problem('updateInvalid', { object, detail })];
  if (held.kind === 'associationStatus') {
    const { type, source } = held.of;
    const isFree = type !== 'HasMember' || facts.around.folders.has(source) || facts.folders.has(source);
    if (!isFree) return invalid('a member of a submission set stays as it was filed');
    return to === 'approved' && isSaidByAnother(held.of, facts.around.associations)
      ? invalid('another association says the same')
      : [];
  }
  if (held.kind === 'folderStatus') return [];
  const { entryUUID, status } = held.of.entry;
  if (status === 'deleted') return invalid('it is deleted, for good');
  const isReplaced = facts.around.associations.some(
    (a) => a.target === entryUUID && a.status === 'approved' && (a.type === 'RPLC' || a.type === 'XFRM_RPLC'),
  );
  return status === 'archived' && to === 'approved' && isReplaced
    ? invalid('it was replaced: out of the archive it is deprecated')
    : [];
}

/** Between these ends there is one current association of a type: a folder holds a document once. */
function isSaidByAnother({ entryUUID, type, source, target }: Association, around: readonly Association[]): boolean {
  return around.some(
    (a) =>
      a.entryUUID !== entryUUID &&
      a.status === 'approved' &&
      a.type === type &&
      a.source === source &&
      a.target === target,
  );
}

function currentOf(held: Held): AvailabilityStatus {
  if (held.kind === 'entryStatus') return held.of.entry.status;
  return held.kind === 'folderStatus' ? held.of.folder.status : held.of.status;
}

function isPlain(status: AvailabilityStatus): status is 'approved' | 'deprecated' {
  return status === 'approved' || status === 'deprecated';
}
