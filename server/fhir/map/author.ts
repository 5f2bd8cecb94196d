import type { Extension, FhirResource, PractitionerRole, Reference } from 'fhir/r4.js';
import type { Author, Xcn } from '../../domain/people.ts';
import { extensions } from '../vocabulary.ts';
import { roleOf } from './code.ts';
import { contactPoint, kindOf, organisation, personResource, practitionerOf } from './people.ts';

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
