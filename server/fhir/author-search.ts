import { type Author, professionalAuthority, structureAuthority, type Xcn, type Xon } from '../domain/people.ts';
import { kindOf } from './map/people.ts';
import { type ParameterTable, underType } from './search.ts';
import { type Conditions, type Referred, stringRows } from './search-conditions.ts';

/** Given names of a person. */
export function givensOf(person: Xcn | undefined): string[] {
  return [person?.given, person?.second].filter((name) => name !== undefined);
}

/**
 * The chains to the names of authors, also by the type of the resource that stands for the author: patients are found as patients alone.
 * FHIR R4 search.html#chaining; IHE MHD 2:3.67.4.1.2.1.
 */
export function authorNames<Subject>(
  name: string,
  who: string,
  of: (subject: Subject) => readonly Author[],
): ParameterTable<Conditions<Subject>> {
  const rows = (persons: (subject: Subject) => readonly Xcn[]) => ({
    ...stringRows<Subject>(`${name}.family`, `Begin of the family name of ${who}`, (subject) =>
      persons(subject).flatMap(({ family }) => family ?? []),
    ),
    ...stringRows<Subject>(`${name}.given`, `Begin of a given name of ${who}`, (subject) =>
      persons(subject).flatMap(givensOf),
    ),
  });
  const persons = (subject: Subject) => of(subject).flatMap(({ person }) => person ?? []);
  const shownAs = (kind: ReturnType<typeof kindOf>) =>
    rows((subject) => persons(subject).filter((person) => kindOf(person) === kind));
  return {
    ...rows(persons),
    ...underType(shownAs('Patient'), name, 'Patient'),
    ...underType(shownAs('Practitioner'), name, 'Practitioner'),
    ...underType(shownAs('Practitioner'), name, 'PractitionerRole.practitioner'),
  };
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
