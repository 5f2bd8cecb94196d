import type { Identifier as FhirIdentifier, Patient } from 'fhir/r4.js';
import { type Cx, cxOf, sameCx } from '../../domain/identifier.ts';
import { identifierTypes } from '../vocabulary.ts';
import type { OpenedEntry } from './bundle-entries.ts';
import type { Links } from './bundle-links.ts';
import { cxIn } from './code.ts';
import { conditionalIdentifier, localId } from './references.ts';
import { isA } from './shape.ts';
import { report, type Source } from './source.ts';

/** What a Patient of the Bundle says of the patient: it must be true of the record's holder. Names as they were sent. */
export type PatientSent = {
  readonly expression: string;
  readonly family?: string;
  readonly birthDate?: string;
  readonly gender?: string;
};

/**
 * The identifier of a subject: by itself, of a Patient in the Bundle, of one of our records, or in a conditional reference. Where a reference
 * and an identifier both name somebody, it is the same person.
 */
export function subjectIn({ resource, object, path, fullUrl }: OpenedEntry, links: Links): Cx | undefined {
  if (resource?.resourceType !== 'List' && resource?.resourceType !== 'DocumentReference') return undefined;
  const { subject, contained } = resource;
  if (subject === undefined) return undefined;
  const source: Source = { object, path, problems: links.problems, contained: [] };
  const { reference, identifier } = subject;
  const own = identifier && cxIn(source, identifier, 'patientId', 'subject.identifier');
  if (reference === undefined)
    return own ?? report(source, 'referenceUnresolved', 'patientId', 'subject', { value: '' });
  const given = links.inBundle(reference, fullUrl);
  const held = contained?.find(({ id }) => reference === `#${id}`);
  const patient = given?.kind === 'patient' ? given.resource : isA(held, 'Patient') ? held : undefined;
  const named = patient === undefined ? identifiersAt(reference, links) : identifiersOf(patient, source);
  const [first] = named;
  if (first === undefined)
    return own ?? report(source, 'referenceUnresolved', 'patientId', 'subject', { value: reference });
  if (own === undefined || named.some((one) => sameCx(one, own))) return own ?? first;
  return report(source, 'attributesContradict', 'patientId', 'subject', {
    value: own.id,
    detail: 'the reference and the identifier name two patients',
  });
}

/** What a Patient entry says, and whether it is whom its address names. */
export function patientSent(entry: OpenedEntry & { readonly kind: 'patient' }, links: Links): PatientSent {
  const { resource, object, path, url } = entry;
  const source: Source = { object, path, problems: links.problems, contained: [] };
  const asked = url === 'Patient' ? [] : identifiersAt(url, links);
  const own = resource === undefined ? [] : identifiersOf(resource, source);
  if (url !== 'Patient' && asked.length === 0) report(source, 'referenceUnresolved', 'patientId', '', { value: url });
  else if (asked.length > 0 && own.length > 0 && !own.some((one) => asked.some((other) => sameCx(one, other))))
    report(source, 'attributesContradict', 'patientId', 'identifier', {
      value: own[0]?.id ?? '',
      detail: `${url} is another patient`,
    });
  const { name = [], birthDate, gender } = resource ?? {};
  const { family } = name.find(({ use }) => use === 'official') ?? (name.length === 1 ? name[0] : undefined) ?? {};
  return {
    expression: path,
    ...(family !== undefined && { family }),
    ...(birthDate !== undefined && { birthDate }),
    ...(gender !== undefined && { gender }),
  };
}

function identifiersAt(reference: string, { base, patients }: Links): readonly Cx[] {
  const id = localId(reference, 'Patient', base);
  if (id !== undefined) return patients.get(id) ?? [];
  const named = conditionalIdentifier(reference, ['Patient']);
  return named === undefined ? [] : [cxOf(named)];
}

/** Those of a national authority first: by them records are known. One whose system is no OID names nobody here. */
function identifiersOf({ identifier = [] }: Patient, source: Source): readonly Cx[] {
  const isNational = ({ system }: FhirIdentifier) =>
    Object.hasOwn(identifierTypes.ofPatient, system?.replace(/^urn:oid:/, '') ?? '');
  const known = identifier.filter(({ system }) => system?.startsWith('urn:oid:') === true);
  const sorted = [...known].sort((a, b) => Number(isNational(b)) - Number(isNational(a)));
  return (sorted.length > 0 ? sorted : identifier).flatMap((one) => cxIn(source, one, 'patientId', 'subject') ?? []);
}

/** The holder of a record that a literal reference names, by his identifiers alone. */
export function patientHere(reference: string, { base, patients }: Links): Patient | undefined {
  const held = patients.get(localId(reference, 'Patient', base) ?? '');
  return (
    held && {
      resourceType: 'Patient',
      identifier: held.map(({ id, authority }) => ({ system: `urn:oid:${authority.oid}`, value: id })),
    }
  );
}
