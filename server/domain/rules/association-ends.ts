import type { AssociationDraft, Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { resolve } from './ends.ts';
import { nameOf, type RegistryFacts } from './facts.ts';

/**
 * Both ends of an association name an object of the message or a registered one of this record. A document that does not exist for the
 * caller is not found. One of another patient may be a member by reference and nothing else.
 * IHE ITI TF-2 3.42.4.1.3 (UnresolvedReferenceException, XDSPatientIdDoesNotMatch).
 */
export function associationEnds(submission: Submission, facts: RegistryFacts): Problem[] {
  return resolve(submission, facts).flatMap(({ association, source, target }) => [
    ...(source === undefined ? missing('sourceObject', association, association.source, facts) : []),
    ...(target === undefined ? missing('targetObject', association, association.target, facts) : []),
  ]);
}

function missing(
  attribute: string,
  { id: object, type, submissionSetStatus }: AssociationDraft,
  value: string | undefined,
  { elsewhere }: RegistryFacts,
): Problem[] {
  if (value === undefined) return [];
  if (!elsewhere.has(nameOf(value))) return [problem('referenceUnresolved', { attribute, object, value })];
  return type === 'HasMember' && submissionSetStatus === 'Reference'
    ? []
    : [problem('targetOfAnotherPatient', { attribute, object, value })];
}
