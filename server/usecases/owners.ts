import { professionalId, structureId } from '../domain/actor.ts';
import { type Author, professionalAuthority, structureAuthority } from '../domain/people.ts';
import type { Owners } from '../store/port.ts';
import type { Request } from './perform.ts';

/** Whose an object is: of its authors by their national identifiers, and of whoever brings it. */
export function ownersOf({ caller: { actor } }: Request, authors: readonly Author[]): Owners {
  const professionals = authors.map(({ person }) =>
    person?.authority?.oid === professionalAuthority ? person.id : undefined,
  );
  const structures = authors
    .flatMap(({ institutions }) => institutions)
    .map(({ id, authority }) => (authority?.oid === structureAuthority ? id : undefined));
  return {
    professionals: distinct([professionalId(actor), ...professionals]),
    structures: distinct([structureId(actor), ...structures]),
    patient: actor.kind === 'patient' || actor.kind === 'representative',
  };
}

function distinct(ids: readonly (string | undefined)[]): string[] {
  return [...new Set(ids)].filter((id) => id !== undefined);
}
