import { type Author, professionalAuthority, structureAuthority, type Xcn, type Xon } from '../domain/people.ts';
import type { Referred } from './search-conditions.ts';

/** Given names of a person. */
export function givensOf(person: Xcn | undefined): string[] {
  return [person?.given, person?.second].filter((name) => name !== undefined);
}

/** Authors as searches name them: by the national ids of persons and institutions. IHE MHD, mapping of author. */
export function authorReferred(authors: readonly Author[]): Referred {
  const all = authors.flatMap(({ person, institutions }) => [
    personReferred(person),
    ...institutions.map(institutionReferred),
  ]);
  return {
    references: all.flatMap(({ references }) => references),
    identifiers: all.flatMap(({ identifiers }) => identifiers),
  };
}

/** A person, likewise. */
export function personReferred(person: Xcn | undefined): Referred {
  return person === undefined ? nobody : referred('Practitioner', professionalAuthority, person);
}

function institutionReferred(institution: Xon): Referred {
  return referred('Organization', structureAuthority, institution);
}

const nobody: Referred = { references: [], identifiers: [] };

function referred(type: string, authority: string, { id, authority: own }: Pick<Xcn, 'id' | 'authority'>): Referred {
  if (id === undefined) return nobody;
  const system = own?.oid;
  return {
    references: system === authority ? [`${type}/${id}`] : [],
    identifiers: [{ code: id, ...(system !== undefined && { system }) }],
  };
}
