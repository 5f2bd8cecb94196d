import type { ContactPoint, Device, Patient, Practitioner, PractitionerRole, Reference } from 'fhir/r4.js';
import { readXcn } from '../../domain/hl7v2.ts';
import {
  type Author,
  professionalAuthority,
  structureAuthority,
  type Xcn,
  type Xon,
  type Xtn,
} from '../../domain/people.ts';
import { personResource } from '../map/people.ts';
import { extensions } from '../vocabulary.ts';
import { roleIn } from './code.ts';
import {
  contactIn,
  identified,
  isSomebody,
  organisationIn,
  plainPerson,
  practitionerIn,
  reportNobody,
  xonOf,
} from './people.ts';
import { conditionalIdentifier } from './references.ts';
import { agreeing, extensionsOf, hl7v2TextOf, present, report, resolvedIn, type Source } from './source.ts';

const nobody: Author = { institutions: [], roles: [], specialties: [], telecommunications: [] };

/** Whoever a conditional reference may name. */
const conditionally = ['Practitioner', 'Organization', 'Device', 'Patient'];

/**
 * Whoever a reference names as author: contained, an entry of the same Bundle, or by identifier, be it in a conditional reference. A literal
 * reference to elsewhere is not followed. IHE MHD, mapping of author; PDSm authors.
 */
export function authorIn(source: Source, reference: Reference, attribute: string, at: string): Author | undefined {
  const found = resolvedIn(source, reference.reference);
  if (found === undefined) return byIdentifier(source, reference, attribute, at);
  const { resource, source: within } = found;
  if (resource.resourceType === 'PractitionerRole') return roleOfAuthor(within, resource, attribute, at);
  if (resource.resourceType === 'Patient' || resource.resourceType === 'Device')
    return personOfAuthor(within, resource, attribute, at);
  if (resource.resourceType === 'Practitioner') return practitionerAlone(within, resource, attribute, at);
  if (resource.resourceType === 'Organization') {
    const institution = organisationIn(within, resource, at);
    const telecommunications = contactsIn(within, resource, at);
    return institution && { ...nobody, institutions: [institution], telecommunications };
  }
  return report(source, 'attributeMalformed', attribute, at, {
    value: resource.resourceType,
    detail: 'a PractitionerRole, Practitioner, Organization, Device or Patient is expected',
  });
}

/** Somebody who is named, or of whom it is known how he is reached. IHE ITI TF-3 4.2.3.1.4.1, 4.2.3.3.7. */
function practitionerAlone(source: Source, resource: Practitioner, attribute: string, at: string): Author | undefined {
  const telecommunications = contactsIn(source, resource, at);
  const isReached = telecommunications.length > 0 && resource.identifier === undefined && resource.name === undefined;
  if (isReached && hl7v2TextOf(resource, extensions.hl7v2) === undefined) return { ...nobody, telecommunications };
  const person = practitionerIn(source, resource, attribute, at);
  return person && { ...nobody, person, telecommunications };
}

function contactsIn(source: Source, { telecom = [] }: { telecom?: ContactPoint[] | undefined }, at: string): Xtn[] {
  return telecom.flatMap((point, i) => contactIn(source, point, `${at}.telecom[${i}]`));
}

/** The person whom a reference names as legal authenticator. */
export function authenticatorIn(source: Source, reference: Reference | undefined, at: string): Xcn | undefined {
  if (reference === undefined) return undefined;
  const attribute = 'legalAuthenticator';
  const author = authorIn(source, reference, attribute, at);
  if (author === undefined || author.person !== undefined) return author?.person;
  return report(source, 'attributeMalformed', attribute, at, { detail: 'a person is expected' });
}

function roleOfAuthor(source: Source, role: PractitionerRole, attribute: string, at: string): Author {
  const organisations = [role.organization, ...referencesIn(role, extensions.authorInstitution)];
  const person = role.practitioner && personOfRole(source, role.practitioner, attribute, at);
  return {
    ...(person && { person }),
    institutions: organisations.flatMap((reference) => institutionOf(source, reference, at)),
    roles: (role.code ?? []).flatMap((concept) => roleIn(concept) ?? []),
    specialties: (role.specialty ?? []).flatMap((concept) => roleIn(concept) ?? []),
    telecommunications: contactsIn(source, role, at),
  };
}

/** A role has a practitioner, and no other role: nothing here goes round in a circle. */
function personOfRole(source: Source, reference: Reference, attribute: string, at: string): Xcn | undefined {
  const found = resolvedIn(source, reference.reference);
  if (found === undefined) return byIdentifier(source, reference, attribute, at)?.person;
  if (found.resource.resourceType === 'Practitioner')
    return practitionerIn(found.source, found.resource, attribute, at);
  return report(source, 'attributeMalformed', attribute, at, {
    value: found.resource.resourceType,
    detail: 'a Practitioner is expected',
  });
}

function personOfAuthor(source: Source, resource: Patient | Device, attribute: string, at: string): Author | undefined {
  const { extension, ...rest } = resource;
  const own = extension?.filter(({ url }) => url === extensions.hl7v2) ?? [];
  const plain = { ...rest, ...(own.length > 0 && { extension: own }) };
  const text = hl7v2TextOf(resource, extensions.hl7v2);
  const person =
    text === undefined
      ? plainPerson(resource)
      : agreeing(source, text, readXcn, (xcn) => personResource(xcn, resource.id ?? ''), plain, attribute, at);
  if (person === undefined || !isSomebody(person)) return reportNobody(source, attribute, at);
  const concepts = (url: string) =>
    extensionsOf(resource, url).flatMap((e) => (e.valueCodeableConcept && roleIn(e.valueCodeableConcept)) ?? []);
  return {
    person,
    institutions: referencesIn(resource, extensions.authorInstitution).flatMap((reference) =>
      institutionOf(source, reference, at),
    ),
    roles: concepts(extensions.authorRole),
    specialties: concepts(extensions.authorSpecialty),
    telecommunications: extensionsOf(resource, extensions.authorTelecom).flatMap(({ valueContactPoint }) =>
      valueContactPoint === undefined ? [] : contactIn(source, valueContactPoint, at),
    ),
  };
}

function referencesIn(resource: PractitionerRole | Patient | Device, url: string): Reference[] {
  return extensionsOf(resource, url).flatMap(({ valueReference }) => valueReference ?? []);
}

function institutionOf(source: Source, reference: Reference | undefined, at: string): readonly Xon[] {
  if (reference === undefined) return [];
  const attribute = 'authorInstitution';
  const found = resolvedIn(source, reference.reference);
  if (found === undefined) return byIdentifier(source, reference, attribute, at)?.institutions ?? [];
  const { resource } = found;
  if (resource.resourceType !== 'Organization') {
    const detail = 'an Organization is expected';
    report(source, 'attributeMalformed', attribute, at, { value: resource.resourceType, detail });
    return [];
  }
  const institution = organisationIn(found.source, resource, at);
  return institution === undefined ? [] : [institution];
}

/** Someone of whom the reference itself says all: identifier and display, or a condition that is an identifier. */
function byIdentifier(source: Source, reference: Reference, attribute: string, at: string): Author | undefined {
  const named = conditionalIdentifier(reference.reference, conditionally);
  const condition = named && { system: `urn:oid:${named.oid}`, value: named.value };
  const { identifier = condition, display, type = named?.type } = reference;
  if (identifier?.value === undefined)
    return report(source, 'referenceUnresolved', attribute, at, {
      value: reference.reference ?? '',
      detail: 'authors are contained, entries of the same Bundle, or named by identifier; nothing is fetched',
    });
  if (type === 'Organization' || identifier.system === `urn:oid:${structureAuthority}`)
    return { ...nobody, institutions: [xonOf(display ?? identifier.value, identifier)] };
  const kinds: ReadonlyMap<string, Pick<Xcn, 'nameType' | 'idType'>> = new Map([
    ['Patient', { nameType: 'D', idType: 'NH' }],
    ['Device', { nameType: 'U', idType: 'RI' }],
  ]);
  const isNational = identifier.system === `urn:oid:${professionalAuthority}`;
  const kind = kinds.get(type ?? '') ?? (isNational ? { nameType: 'D', idType: 'IDNPS' } : {});
  return { ...nobody, person: { ...identified([identifier]), ...present({ family: display }), ...kind } };
}
