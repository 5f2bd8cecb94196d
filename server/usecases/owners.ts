import { professionalId, structureId } from '../domain/actor.ts';
import { type Author, professionalsAmong, structuresAmong } from '../domain/people.ts';
import type { Owners } from '../store/port.ts';
import type { Request } from './perform.ts';

/** Whose an object is: of its authors by their national identifiers, and of whoever brings it. */
export function ownersOf({ caller: { actor } }: Request, authors: readonly Author[]): Owners {
  return {
    professionals: distinct([professionalId(actor), ...professionalsAmong(authors)]),
    structures: distinct([structureId(actor), ...structuresAmong(authors)]),
    patient: actor.kind === 'patient' || actor.kind === 'representative',
  };
}

function distinct(ids: readonly (string | undefined)[]): string[] {
  return [...new Set(ids)].filter((id) => id !== undefined);
}
