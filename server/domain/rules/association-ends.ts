import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { resolve } from './ends.ts';
import type { RegistryFacts } from './facts.ts';

/**
 * Both ends of an association name an object of the message or a registered one of this record. A document that does not exist for the
 * caller is not found. IHE ITI TF-2 3.42.4.1.3 (UnresolvedReferenceException).
 */
export function associationEnds(submission: Submission, facts: RegistryFacts): Problem[] {
  return resolve(submission, facts).flatMap(({ association, source, target }) => [
    ...unresolved('sourceObject', association.id, association.source, source !== undefined),
    ...unresolved('targetObject', association.id, association.target, target !== undefined),
  ]);
}

function unresolved(attribute: string, object: string, value: string | undefined, isKnown: boolean): Problem[] {
  return value === undefined || isKnown ? [] : [problem('referenceUnresolved', { attribute, object, value })];
}
