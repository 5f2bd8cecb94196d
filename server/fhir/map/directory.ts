import type { CodeableConcept, Device, HumanName, Organization, Practitioner, PractitionerRole } from 'fhir/r4.js';
import { type Code, sameCode } from '../../domain/code.ts';
import type { Portrait } from '../../usecases/directory.ts';
import { identifierTypes } from '../vocabulary.ts';
import { conceptOf } from './code.ts';
import { organisation, practitionerOf } from './people.ts';

/** A professional with every name that documents give, the newest first. */
export function professionalOf(said: Portrait<'professional'>): Practitioner {
  const [{ id, person }] = said;
  const names = said.flatMap((one): HumanName[] => practitionerOf(one.person, id).name ?? []);
  const { identifier = [], name: _name, ...practitioner } = practitionerOf(person, id);
  const rpps = identifierTypes.rpps;
  const number = person.id?.startsWith('8') === true ? person.id.slice(1) : undefined;
  return {
    ...practitioner,
    identifier: [
      ...identifier,
      ...(number === undefined
        ? []
        : [
            {
              type: { coding: [{ system: identifierTypes.system, code: rpps.code }] },
              system: rpps.system,
              value: number,
            },
          ]),
    ],
    ...(names.length > 0 && { name: names }),
  };
}

/** A structure by the newest name that documents give; the others are aliases. */
export function structureOf(said: Portrait<'structure'>): Organization {
  const [{ id, organisation: xon }, ...others] = said;
  const { extension: _whole, ...structure } = organisation(xon, id);
  const aliases = [...new Set(others.map((one) => one.organisation.name))].filter((name) => name !== xon.name);
  return { ...structure, ...(aliases.length > 0 && { alias: aliases }) };
}

/** A system with every name that documents give, the newest first. */
export function systemOf(said: Portrait<'system'>): Device {
  const [{ id, person }] = said;
  const names = said.flatMap((one) => one.person.family ?? []);
  return {
    resourceType: 'Device',
    id,
    identifier: [{ system: `urn:oid:${person.authority?.oid ?? ''}`, value: person.id ?? '' }],
    ...(names.length > 0 && { deviceName: names.map((name) => ({ name, type: 'user-friendly-name' as const })) }),
  };
}

/** A professional at a structure, with every specialty that documents give. */
export function roleOf(said: Portrait<'role'>): PractitionerRole {
  const [{ id, professional, structure }] = said;
  const specialty = conceptsOf(said.flatMap(({ specialties }) => specialties));
  return {
    resourceType: 'PractitionerRole',
    id,
    practitioner: { reference: `Practitioner/${professional}` },
    organization: { reference: `Organization/${structure}` },
    ...(specialty.length > 0 && { specialty }),
  };
}

/** Each code once. */
function conceptsOf(codes: readonly Code[]): CodeableConcept[] {
  return codes.filter((code, i) => codes.findIndex((other) => sameCode(code, other)) === i).map(conceptOf);
}
