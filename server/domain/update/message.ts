import type { AssociationDraft, EntryDraft, FolderDraft, Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { nameOf } from '../rules/facts.ts';
import type { Operation, UpdateFacts } from './operation.ts';

/** A message of an update while it is decoded. Ids are written as `nameOf` writes them. */
export type Message = {
  readonly submission: Submission;
  readonly set: string;
  /** HasMember associations of the set, by what they name. */
  readonly members: ReadonlyMap<string, AssociationDraft>;
  readonly facts: UpdateFacts;
};

/** Either an operation, or why there is none. */
export type Decoded = readonly (Operation | Problem)[];

export function messageOf(submission: Submission, facts: UpdateFacts): Message | undefined {
  const [set, ...more] = submission.sets;
  if (set === undefined || more.length > 0) return undefined;
  const name = nameOf(set.id);
  const members = submission.associations.filter((a) => a.type === 'HasMember' && isFrom(name, a));
  return {
    submission,
    set: name,
    members: new Map(members.flatMap((a) => (a.target === undefined ? [] : [[nameOf(a.target), a] as const]))),
    facts,
  };
}

export function isFrom(set: string, { source }: AssociationDraft): boolean {
  return source !== undefined && nameOf(source) === set;
}

export function isOperation(decoded: Operation | Problem): decoded is Operation {
  return 'kind' in decoded;
}

/** The logicalID of an earlier object; undefined on a first version. */
export function logicalIdOf({ id, logicalID }: EntryDraft | FolderDraft): string | undefined {
  const name = logicalID === undefined ? undefined : nameOf(logicalID);
  return name === nameOf(id) ? undefined : name;
}

/** What is named is of a kind that is no end, does not exist for the caller, or is another patient's, which is told where nothing is hidden from anybody. */
export function unknownEnd(
  attribute: string,
  object: string,
  value: string,
  { others, elsewhere }: UpdateFacts,
): Problem {
  const kind = others.get(nameOf(value));
  if (kind !== undefined) {
    const what = kind === 'registeredSet' ? 'a submission set' : 'an association';
    return problem('associationInvalid', { object, detail: `its ${attribute}, ${value}, is ${what}` });
  }
  const name = elsewhere.has(nameOf(value)) ? 'patientNotReconciled' : 'referenceUnresolved';
  return problem(name, { attribute, object, value });
}
