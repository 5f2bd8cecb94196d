import type { Actor, Caller } from '../domain/actor.ts';
import type { Identifier } from '../domain/identifier.ts';
import { patientOf, practiceOf, type SandboxPerson } from './people.ts';

/** The sandbox person as a caller of the use cases, in normal mode, proven by ourselves: how the sandbox acts in a person's name. */
export function callerOf(person: SandboxPerson): Caller {
  return { actor: actorOf(person), mode: 'normal', secret: false, credential: { kind: 'internal', id: 'sandbox' } };
}

/** The identifier of a holder or representative. */
export function identifierOf({ ins, insOid }: { readonly ins: string; readonly insOid: string }): Identifier {
  return { value: ins, oid: insOid };
}

/** The actor that the person's VIHF or token makes too. */
export function actorOf(person: SandboxPerson): Actor {
  switch (person.kind) {
    case 'professional': {
      const { idNat, card, profession, specialty, structIdNat } = person;
      const place = practiceOf(person);
      return {
        kind: 'professional',
        id: idNat,
        name: nameOf(person),
        card,
        profession,
        ...(specialty !== undefined && { specialty }),
        structure: { id: structIdNat, ...(place && { name: place.display }) },
      };
    }
    case 'structure':
      return {
        kind: 'structure',
        structure: { id: person.structIdNat, name: person.display },
        employee: { id: `${person.structIdNat}/${person.employee.id}`, name: nameOf(person.employee) },
      };
    case 'patient':
      return { kind: 'patient', ins: identifierOf(person), name: nameOf(person) };
    case 'representative': {
      const minor = patientOf(person.of);
      return {
        kind: 'representative',
        id: person.ins,
        name: nameOf(person),
        of: minor === undefined ? identifierOf(person) : identifierOf(minor),
      };
    }
    case 'system':
      return { kind: 'system', id: person.id, name: person.display, rights: person.rights };
  }
}

function nameOf({ given, family }: { readonly given: string; readonly family: string }): string {
  return `${given} ${family}`;
}
