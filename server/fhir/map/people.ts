import type {
  ContactPoint,
  Device,
  Extension,
  Identifier as FhirIdentifier,
  HumanName,
  Organization,
  Patient,
  Practitioner,
} from 'fhir/r4.js';
import { writeXcn, writeXon, writeXtn } from '../../domain/hl7v2.ts';
import { professionalAuthority, structureAuthority, type Xcn, type Xon, type Xtn } from '../../domain/people.ts';
import { extensions, identifierTypes, uris } from '../vocabulary.ts';
import { ownerOf } from './code.ts';

/** Which resource stands for a person: systems are Devices, and who is named by an identifier of patients is one. */
export function kindOf({ nameType, idType, authority }: Xcn): 'Practitioner' | 'Patient' | 'Device' {
  if (nameType === 'U' || idType === 'RI') return 'Device';
  return idType === 'NH' || identifierTypes.ofPatient[authority?.oid ?? ''] !== undefined ? 'Patient' : 'Practitioner';
}

/** A patient or a system as author, without what is not of the person. */
export function personResource(person: Xcn, id: string): (Patient | Device) & { id: string } {
  const identifier = identifiersOf(person);
  if (kindOf(person) === 'Patient')
    return { resourceType: 'Patient', id, ...losses(person), ...(identifier && { identifier }), ...namesOf(person) };
  const name = person.family ?? person.id;
  return {
    resourceType: 'Device',
    id,
    ...losses(person),
    ...(identifier && { identifier }),
    ...(name !== undefined && { deviceName: [{ name, type: 'user-friendly-name' }] }),
  };
}

/** A person named by an XCN; whatever FHIR has no element for is kept in an extension, the whole XCN. */
export function practitionerOf(person: Xcn, id: string): Practitioner & { id: string } {
  const identifier = identifiersOf(person);
  return { resourceType: 'Practitioner', id, ...losses(person), ...(identifier && { identifier }), ...namesOf(person) };
}

function namesOf({ family, given, second, prefix, suffix }: Xcn): { name?: HumanName[] } {
  const givens = [given, second].filter((name) => name !== undefined);
  if (family === undefined && givens.length === 0) return {};
  return {
    name: [
      {
        ...(family !== undefined && { family }),
        ...(givens.length > 0 && { given: givens }),
        ...(prefix !== undefined && { prefix: [prefix] }),
        ...(suffix !== undefined && { suffix: [suffix] }),
      },
    ],
  };
}

function identifiersOf({ id, authority = {}, idType }: Xcn): FhirIdentifier[] | undefined {
  if (id === undefined) return undefined;
  const code =
    authority.oid === professionalAuthority && idType === 'IDNPS'
      ? identifierTypes.professional
      : identifierTypes.ofPatient[authority.oid ?? ''];
  return [{ ...typed(code), ...ownerOf(authority), value: id }];
}

function typed(code: string | undefined): Pick<FhirIdentifier, 'type'> {
  return code === undefined ? {} : { type: { coding: [{ system: identifierTypes.system, code }] } };
}

/** The XCN as sent, where name and identifier do not say all of it. */
function losses(person: Xcn): { extension?: Extension[] } {
  const { degree, second, given, rest, nameType, idType, authority } = person;
  const usual = nameType === 'D' && idType === 'IDNPS' && authority?.oid === professionalAuthority;
  const whole = usual && degree === undefined && rest === undefined && (second === undefined || given !== undefined);
  return whole ? {} : { extension: [{ url: extensions.hl7v2, valueString: writeXcn(person) }] };
}

/** An institution named by an XON; where it is not one of the French directory by its number, the extension keeps the whole XON. */
export function organisation(xon: Xon, id: string): Organization & { id: string } {
  const { name, authority, idType, id: number, rest } = xon;
  const usual =
    authority?.oid === structureAuthority && idType === 'IDNST' && rest === undefined && number !== undefined;
  return {
    resourceType: 'Organization',
    id,
    ...(!usual && { extension: [{ url: extensions.hl7v2, valueString: writeXon(xon) }] }),
    ...(number !== undefined && {
      identifier: [
        authority === undefined
          ? { system: uris, value: `urn:oid:${number}` }
          : { ...typed(usual ? identifierTypes.structure : undefined), ...ownerOf(authority), value: number },
      ],
    }),
    name,
  };
}

/** A telecommunication address; the extension keeps the whole XTN, which says more than FHIR. */
export function contactPoint(xtn: Xtn): ContactPoint {
  const { use, type, address, country, area, number, unformatted } = xtn;
  const dialled = [country === undefined ? undefined : `+${country}`, area, number].filter(
    (part) => part !== undefined,
  );
  const value = address ?? (dialled.length > 0 ? dialled.join(' ') : unformatted);
  return {
    extension: [{ url: extensions.hl7v2, valueString: writeXtn(xtn) }],
    system: address !== undefined ? 'email' : type === 'FX' ? 'fax' : 'phone',
    ...(value !== undefined && { value }),
    ...(type === 'CP' ? { use: 'mobile' } : use === 'WPN' ? { use: 'work' } : use === 'PRN' ? { use: 'home' } : {}),
  };
}
