import { type Actor, statedStructureId } from '../actor.ts';
import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { writeXcn, writeXon } from '../hl7v2.ts';
import type { Identifier } from '../identifier.ts';
import { type Author, isOneOf, professionalAuthority, structuresAmong } from '../people.ts';
import type { RegistryFacts } from './facts.ts';

/**
 * The author of the set is the caller, by identifiers (XCN components 1 and 9, XON component 10) and never by names.
 * DMP TD2.1: the author of the set is the user of the VIHF. A system acts for others.
 */
export function authorIsCaller({ sets }: Submission, { caller: { actor }, holder }: RegistryFacts): Problem[] {
  if (actor.kind === 'system') return [];
  return sets
    .filter(({ authors = [] }) => !authors.some((author) => isActor(author, actor, holder)))
    .map(({ id, authors: [first] = [] }) => {
      const value = first && shown(first);
      return problem('authorNotCaller', { object: id, ...(value !== undefined && { value }) });
    });
}

function isActor(author: Author, actor: Actor, holder: readonly Identifier[]): boolean {
  switch (actor.kind) {
    case 'professional':
    case 'air':
      return (
        isOneOf(author.person, [{ value: actor.id, oid: professionalAuthority }]) &&
        isFrom(author, statedStructureId(actor))
      );
    case 'structure':
      return structuresAmong([author]).includes(actor.structure.id);
    case 'patient':
      return isOneOf(author.person, holder);
    case 'representative':
      return author.person?.id === actor.id || isOneOf(author.person, holder);
    case 'system':
    case 'administrator':
      return author.person?.id === actor.id;
  }
}

/** Institutions may be left out; where one is named, the caller's is among them. */
function isFrom(author: Author, structure: string | undefined): boolean {
  const named = structuresAmong([author]);
  return named.length === 0 || (structure !== undefined && named.includes(structure));
}

function shown({ person, institutions: [institution] }: Author): string | undefined {
  if (person !== undefined) return writeXcn(person);
  return institution && writeXon(institution);
}
