import type { System } from '../domain/system.ts';
import { people } from './people.ts';

/** The systems of the sandbox, with the rights that each was given. */
export function sandboxSystems(): System[] {
  return people.flatMap((person) =>
    person.kind === 'system'
      ? [{ id: person.id, name: person.display, structure: person.structIdNat, rights: person.rights }]
      : [],
  );
}

/** In which structures the professionals of the sandbox work, by national id. */
export function sandboxActivities(): [professional: string, structures: readonly string[]][] {
  return people.flatMap((person) => (person.kind === 'professional' ? [[person.idNat, [person.structIdNat]]] : []));
}
