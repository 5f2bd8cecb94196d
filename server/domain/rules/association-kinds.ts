import type { AssociationType, Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { type End, type Resolved, resolve } from './ends.ts';
import { nameOf, type RegistryFacts } from './facts.ts';

type Kind = End['kind'];
const documents: readonly Kind[] = ['entry', 'registeredEntry'];
/** What no submission set has as a member. IHE ITI TF-3 4.2.2.1. */
const noMembers: readonly Kind[] = ['set', 'registeredSet', 'registeredFolder', 'registeredAssociation'];

/** Kinds of object that each relationship may point to; its source is an entry of the message. IHE ITI TF-3 table 4.2.2-1. */
const relationTargets: { readonly [T in AssociationType]?: readonly Kind[] } = {
  RPLC: ['registeredEntry'],
  XFRM_RPLC: ['registeredEntry'],
  IsSnapshotOf: ['registeredEntry'],
  XFRM: documents,
  APND: documents,
  signs: [...documents, 'set'],
};

/** Associations have a legal type, legal ends and the slots of their type. IHE ITI TF-3 4.2.2. */
export function associationKinds(submission: Submission, facts: RegistryFacts): Problem[] {
  return [
    ...resolve(submission, facts).flatMap((resolved) => [...illegalEnds(resolved), ...illegalSlots(resolved)]),
    ...doubled(submission),
    ...heldAlready(submission, facts),
  ];
}

function illegalEnds({ association: { id, type }, source, target }: Resolved): Problem[] {
  if (type === undefined || source === undefined) return [];
  const wrong = illegalSource(id, type, source);
  if (wrong !== undefined) return [wrong];
  return target === undefined ? [] : illegalTarget(id, type, source, target);
}

function invalid(object: string, detail: string): Problem {
  return problem('associationInvalid', { object, detail });
}

/** What is wrong with the source, whatever the target is. */
function illegalSource(id: string, type: AssociationType, source: End): Problem | undefined {
  if (type === 'HasMember') {
    if (source.kind === 'registeredSet') return invalid(id, 'a registered submission set receives no members');
    return ['set', 'folder', 'registeredFolder'].includes(source.kind)
      ? undefined
      : invalid(id, 'only a submission set or a folder has members');
  }
  if (relationTargets[type] === undefined) return invalid(id, `${type} belongs to updates of metadata`);
  if (source.kind === 'registeredEntry')
    return problem('referenceUnresolved', {
      attribute: 'sourceObject',
      object: id,
      value: source.target.entry.entryUUID,
      detail: 'it is not in this message',
    });
  return source.kind === 'entry' ? undefined : invalid(id, `the source of ${type} is a document of this message`);
}

function illegalTarget(id: string, type: AssociationType, source: End, target: End): Problem[] {
  if (type === 'HasMember') {
    if (source.kind !== 'set')
      return documents.includes(target.kind) ? [] : [invalid(id, 'members of a folder are documents')];
    return noMembers.includes(target.kind)
      ? [invalid(id, 'a submission set has entries, its own folders and associations as members')]
      : [];
  }
  const targets = relationTargets[type] ?? [];
  if (source.kind === 'entry' && target.kind === 'entry' && target.entry.id === source.entry.id)
    return [invalid(id, 'a document is not related to itself')];
  if (target.kind === 'entry' && !targets.includes('entry'))
    return [
      problem('referenceUnresolved', {
        attribute: 'targetObject',
        object: id,
        value: target.entry.id,
        detail: `the target of ${type} is registered before`,
      }),
    ];
  if (!targets.includes(target.kind)) return [invalid(id, `the target of ${type} cannot be such an object`)];
  if (type === 'IsSnapshotOf' && target.kind === 'registeredEntry' && target.target.entry.objectType !== 'onDemand')
    return [invalid(id, 'a snapshot is taken of an on-demand entry')];
  return [];
}

function illegalSlots({ association, source, target }: Resolved): Problem[] {
  const { id, type, submissionSetStatus: status, documentation, previousVersion } = association;
  const problems: Problem[] = [];
  if (type === 'HasMember' && documentation !== undefined)
    problems.push(problem('associationInvalid', { object: id, detail: 'HasMember carries no documentation' }));
  if (previousVersion !== undefined)
    problems.push(
      problem('attributeForbidden', { attribute: 'PreviousVersion', object: id, detail: 'it belongs to updates' }),
    );
  if (type !== 'HasMember' || source?.kind !== 'set' || target === undefined) return problems;
  const wanted = target.kind === 'entry' ? 'Original' : target.kind === 'registeredEntry' ? 'Reference' : undefined;
  if (wanted !== undefined && status === undefined)
    problems.push(problem('attributeMissing', { attribute: 'SubmissionSetStatus', object: id }));
  else if (wanted !== undefined && status !== wanted)
    problems.push(
      problem('associationInvalid', { object: id, detail: `SubmissionSetStatus of this member is ${wanted}` }),
    );
  return problems;
}

/** Two associations of one type between the same ends. */
function doubled({ associations }: Submission): Problem[] {
  const keys = associations.map(({ type, source, target }) =>
    type === undefined || source === undefined || target === undefined
      ? undefined
      : [type, nameOf(source), nameOf(target)].join(' '),
  );
  return associations
    .filter((_, index) => keys[index] !== undefined && keys.indexOf(keys[index]) < index)
    .map(({ id }) => problem('associationInvalid', { object: id, detail: 'another one says the same' }));
}

/**
 * A folder does not receive what it holds: FD-DE HasMember says that a document is in a folder, and the set that puts it there is recorded with it.
 * IHE ITI TF-3 4.2.2.1.3, 4.2.2.1.4.
 */
function heldAlready({ associations }: Submission, { folders, associations: registered }: RegistryFacts): Problem[] {
  const held = new Set(
    registered
      .filter(({ type, status, source }) => type === 'HasMember' && status === 'approved' && folders.has(source))
      .map(({ source, target }) => `${source} ${target}`),
  );
  return associations
    .filter((a) => a.type === 'HasMember' && held.has(`${nameOf(a.source ?? '')} ${nameOf(a.target ?? '')}`))
    .map(({ id }) => problem('associationInvalid', { object: id, detail: 'the folder holds the document already' }));
}
