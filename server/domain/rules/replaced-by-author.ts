import { type Actor, structureId } from '../actor.ts';
import type { DocumentEntry, Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { type Author, isOneOf, structuresAmong } from '../people.ts';
import { resolve } from './ends.ts';
import type { RegistryFacts } from './facts.ts';

/**
 * A document is replaced by its author or the author's structure alone; the patient's own also by whoever represents him. Where a repository
 * registers for others, the author of the set counts. DMP TD2.1b.
 */
export function replacedByAuthor(submission: Submission, facts: RegistryFacts): Problem[] {
  return resolve(submission, facts).flatMap(({ association: { id: object, type }, target }) => {
    if ((type !== 'RPLC' && type !== 'XFRM_RPLC') || target?.kind !== 'registeredEntry') return [];
    const { entry, own } = target.target;
    if (own || isOfStructure(entry, facts.caller.actor) || isOfHolder(entry, facts)) return [];
    if (facts.caller.actor.kind === 'system' && isOfAuthor(entry, submission)) return [];
    return [problem('notYoursToReplace', { object, value: entry.entryUUID })];
  });
}

function isOfStructure({ authors }: DocumentEntry, actor: Actor): boolean {
  const structure = structureId(actor);
  return structure !== undefined && structuresAmong(authors).includes(structure);
}

function isOfHolder({ authors }: DocumentEntry, { caller: { actor }, holder }: RegistryFacts): boolean {
  if (actor.kind !== 'patient' && actor.kind !== 'representative') return false;
  return authors.some(({ person }) => isOneOf(person, holder));
}

function isOfAuthor({ authors }: DocumentEntry, { sets }: Submission): boolean {
  const names = new Set(authors.flatMap(namesOfAuthor));
  return sets.flatMap(({ authors: filers = [] }) => filers.flatMap(namesOfAuthor)).some((name) => names.has(name));
}

/** Identifiers of the person and of the structures, each with its authority. */
function namesOfAuthor({ person, institutions }: Author): string[] {
  return [person, ...institutions].flatMap((named) =>
    named?.id !== undefined && named.authority?.oid !== undefined ? [`${named.id}^${named.authority.oid}`] : [],
  );
}
