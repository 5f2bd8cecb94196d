import type {
  ContactPoint,
  Device,
  Extension,
  Identifier as FhirIdentifier,
  FhirResource,
  HumanName,
  Organization,
  Patient,
  Practitioner,
  PractitionerRole,
  Reference,
} from 'fhir/r4.js';
import { writeXcn, writeXon, writeXtn } from '../../domain/hl7v2.ts';
import {
  type Author,
  professionalAuthority,
  structureAuthority,
  type Xcn,
  type Xon,
  type Xtn,
} from '../../domain/people.ts';
import { extensions, identifierTypes, uris } from '../vocabulary.ts';
import { ownerOf, roleOf } from './code.ts';

/**
 * An author as contained resources, and the reference to what stands for the author: a PractitionerRole for a professional or an institution,
 * a Patient or a Device for what XCN names as such; what these cannot hold of an author becomes extensions of them.
 * IHE MHD, mapping of author; PDSm authors.
 * @param id names the author among the contained resources
 */
export function authorReference(author: Author, id: string, contained: FhirResource[]): Reference {
  const { person, institutions, roles, specialties, telecommunications } = author;
  const organisations = institutions.map((xon, i) => put(organisation(xon, `${id}-organisation-${i + 1}`), contained));
  if (person !== undefined && kindOf(person) !== 'Practitioner') {
    const resource = personResource(person, id);
    const extension: Extension[] = [
      ...(resource.extension ?? []),
      ...organisations.map((reference) => ({ url: extensions.authorInstitution, valueReference: reference })),
      ...roles.map((role) => ({ url: extensions.authorRole, valueCodeableConcept: roleOf(role) })),
      ...specialties.map((specialty) => ({ url: extensions.authorSpecialty, valueCodeableConcept: roleOf(specialty) })),
      ...telecommunications.map((xtn) => ({ url: extensions.authorTelecom, valueContactPoint: contactPoint(xtn) })),
    ];
    return put({ ...resource, ...(extension.length > 0 && { extension }) }, contained);
  }
  const [organization, ...further] = organisations;
  const role: PractitionerRole & { id: string } = {
    resourceType: 'PractitionerRole',
    id,
    ...(further.length > 0 && {
      extension: further.map((reference) => ({ url: extensions.authorInstitution, valueReference: reference })),
    }),
    ...(person && { practitioner: put(practitionerOf(person, `${id}-person`), contained) }),
    ...(organization && { organization }),
    ...(roles.length > 0 && { code: roles.map(roleOf) }),
    ...(specialties.length > 0 && { specialty: specialties.map(roleOf) }),
    ...(telecommunications.length > 0 && { telecom: telecommunications.map(contactPoint) }),
  };
  return put(role, contained);
}

/** The legal authenticator; FHIR lets only practitioners and organisations be one. IHE MHD, mapping of legalAuthenticator. */
export function authenticatorReference(person: Xcn, contained: FhirResource[]): Reference {
  const practitioner = put(practitionerOf(person, 'authenticator-person'), contained);
  return put({ resourceType: 'PractitionerRole', id: 'authenticator', practitioner }, contained);
}

function put(resource: FhirResource & { id: string }, contained: FhirResource[]): Reference {
  contained.push(resource);
  return { reference: `#${resource.id}` };
}

function kindOf({ nameType, idType, authority }: Xcn): 'Practitioner' | 'Patient' | 'Device' {
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
