import type { AssociationDraft, AssociationType } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { nameOf } from '../rules/facts.ts';
import { type Decoded, logicalIdOf, type Message, unknownEnd } from './message.ts';
import { latestEntry, type SubmittedEnd } from './operation.ts';

const relationships: readonly AssociationType[] = ['RPLC', 'XFRM', 'APND', 'XFRM_RPLC', 'signs', 'IsSnapshotOf'];

/**
 * A new association between two current objects that are registered, or new versions of the message: a document in a folder, or a relationship
 * of documents. IHE Metadata Update 3.57.4.1.3 (Submit Association).
 */
export function decodeSubmitted(draft: AssociationDraft, message: Message): Decoded {
  const { id, type, documentation } = draft;
  const source = endOf(draft.source, message);
  const target = endOf(draft.target, message);
  const problems = [
    ...endProblems(draft, 'sourceObject', draft.source, source, message),
    ...endProblems(draft, 'targetObject', draft.target, target, message),
  ];
  if (problems.length > 0 || typeof source !== 'object' || typeof target !== 'object') return problems;
  const invalid = (detail: string) => [problem('associationInvalid', { object: id, detail })];
  if (target.kind !== 'document') return invalid('its target is a document');
  if (type === 'HasMember' && source.kind !== 'folder') return invalid('only folders receive members');
  if (type === 'HasMember' && documentation !== undefined) return invalid('HasMember carries no documentation');
  if (type !== 'HasMember' && (type === undefined || !relationships.includes(type) || source.kind !== 'document'))
    return invalid('a relationship joins two documents');
  if (source.kind === 'document' && source.entry === target.entry)
    return invalid('a document is not related to itself');
  if (type === 'IsSnapshotOf' && target.entry.objectType !== 'onDemand')
    return invalid('a snapshot is taken of an on-demand entry');
  if (exists(draft, message)) return [problem('updateInvalid', { object: id, detail: 'it is registered already' })];
  return [{ kind: 'association', draft, source, target }];
}

/** An end; `out of date` for a registered object that is not current. */
function endOf(id: string | undefined, { submission, facts }: Message): SubmittedEnd | 'outdated' | undefined {
  if (id === undefined) return undefined;
  const name = nameOf(id);
  const draft = submission.entries.find((entry) => nameOf(entry.id) === name);
  if (draft !== undefined) {
    const before = latestEntry(facts, logicalIdOf(draft) ?? '');
    return { kind: 'document', entry: draft, own: before?.own === true };
  }
  const folderDraft = submission.folders.find((folder) => nameOf(folder.id) === name);
  if (folderDraft !== undefined) return { kind: 'folder', folder: folderDraft };
  const known = facts.entries.get(name);
  if (known !== undefined) {
    const { entry, own, latest } = known;
    const isUpdated = submission.entries.some((e) => logicalIdOf(e) === entry.logicalID);
    return entry.status === 'approved' && latest && !isUpdated ? { kind: 'document', entry, own } : 'outdated';
  }
  const folder = facts.folders.get(name);
  if (folder === undefined) return undefined;
  const isUpdated = submission.folders.some((f) => logicalIdOf(f) === folder.folder.logicalID);
  return folder.folder.status === 'approved' && folder.latest && !isUpdated
    ? { kind: 'folder', folder: folder.folder }
    : 'outdated';
}

function endProblems(
  { id }: AssociationDraft,
  attribute: string,
  value: string | undefined,
  end: SubmittedEnd | 'outdated' | undefined,
  { facts }: Message,
): Problem[] {
  if (value === undefined) return [];
  if (end === undefined) return [unknownEnd(attribute, id, value, facts)];
  return end === 'outdated' ? [problem('updateInvalid', { object: id, detail: `${value} is not current` })] : [];
}

function exists({ type, source, target }: AssociationDraft, { facts }: Message): boolean {
  return facts.around.associations.some(
    (a) =>
      a.status === 'approved' &&
      a.type === type &&
      a.source === nameOf(source ?? '') &&
      a.target === nameOf(target ?? ''),
  );
}
