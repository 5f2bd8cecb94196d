import type { Address, ContactPoint, Extension, HumanName, Patient, PatientLink } from 'fhir/r4.js';
import { type Problem, problem } from '../../domain/error.ts';
import { type FedIdentity, plainName } from '../../domain/fed-identity.ts';
import { type Identifier, isOid } from '../../domain/identifier.ts';
import { insOids } from '../../domain/ins.ts';
import {
  addressUses,
  type PostalAddress,
  type Telecom,
  type Traits,
  telecomSystems,
  telecomUses,
} from '../../domain/record.ts';
import { extensions, identityStatus } from '../vocabulary.ts';

/**
 * What a Patient says of a person: identifiers whose system is an OID, and the traits that are given; one that is not sent is not told. Its
 * structure is checked before. IHE PIXm, IHE.PIXm.Patient; FR Core, fr-core-patient-ins.
 */
export function identityIn(patient: Patient): FedIdentity & { readonly problems: readonly Problem[] } {
  const { birthDate, gender, telecom, address } = patient;
  const identifiers = identifiersIn(patient);
  const birthPlace = extensionOf(
    extensionOf(patient.extension, extensions.birthPlace)?.valueAddress?.extension,
    extensions.inseeCode,
  )?.valueCoding?.code;
  const maiden = extensionOf(patient.extension, extensions.mothersMaidenName)?.valueString;
  return {
    identifiers,
    traits: {
      ...namesIn(patient.name ?? []),
      ...(gender !== undefined && { gender: gender === 'other' ? 'unknown' : gender }),
      ...(birthDate !== undefined && { birthDate }),
      ...(birthPlace !== undefined && { birthPlace }),
      ...(maiden !== undefined && { mothersMaidenName: plainName(maiden) }),
      ...(telecom && { telecoms: telecom.flatMap(telecomIn) }),
      ...(address && { addresses: address.map(addressIn) }),
    },
    problems: problemsOf(patient, identifiers),
  };
}

/** The identifiers whose system is an OID. */
export function identifiersIn({ identifier = [] }: Pick<Patient, 'identifier'>): Identifier[] {
  return identifier.flatMap(({ system = '', value = '' }) => {
    const oid = system.startsWith('urn:oid:') ? system.slice(8) : '';
    return isOid(oid) && value !== '' ? [{ oid, value }] : [];
  });
}

/** The link of a patient who is no more, to the one who replaces him. IHE PIXm, ITI-104, merge. */
export function replacementIn({ link = [] }: Patient): PatientLink | undefined {
  return link.find(({ type }) => type === 'replaced-by');
}

const insSystems: readonly string[] = [...insOids.production, ...insOids.test, ...insOids.demo];

function problemsOf({ extension = [] }: Patient, identifiers: readonly Identifier[]): Problem[] {
  const missing = problem('elementMissing', {
    expression: 'Patient.identifier',
    detail: 'one with system urn:oid:<OID> and value',
  });
  const statuses = extension
    .filter(({ url }) => url === extensions.identityReliability)
    .flatMap((one) => extensionOf(one.extension, 'identityStatus')?.valueCoding?.code ?? []);
  const unqualified = statuses.find((status) => status !== identityStatus.validated);
  const hasIns = identifiers.some(({ oid }) => insSystems.includes(oid));
  return [
    ...(identifiers.length === 0 ? [missing] : []),
    ...(unqualified !== undefined && hasIns
      ? [problem('identityNotQualified', { expression: 'Patient.extension', value: unqualified })]
      : []),
  ];
}

/** The name of birth is the official one, else the one of no use or the maiden one; the name in use the usual one. */
function namesIn(names: readonly HumanName[]): Partial<Traits> {
  const of = (...uses: readonly (HumanName['use'] | undefined)[]) =>
    uses.map((use) => names.find((name) => name.use === use)).find((name) => name !== undefined);
  const birth = of('official', undefined, 'maiden');
  const used = of('usual');
  const list = extensionOf(birth?.extension, extensions.givenNames)?.valueString ?? birth?.given?.join(' ');
  const [first] = birth?.given ?? [];
  return {
    ...(birth?.family !== undefined && { family: plainName(birth.family) }),
    ...(first !== undefined && { given: plainName(first) }),
    ...(list !== undefined && list !== first && { givenNames: plainName(list) }),
    ...(used?.family !== undefined && { usedFamily: plainName(used.family) }),
    ...(used?.given?.[0] !== undefined && { usedGiven: plainName(used.given[0]) }),
  };
}

function telecomIn({ system, use, value }: ContactPoint): Telecom[] {
  if (value === undefined) return [];
  const [knownSystem, knownUse] = [telecomSystems.find((s) => s === system), telecomUses.find((u) => u === use)];
  return [{ ...(knownSystem && { system: knownSystem }), ...(knownUse && { use: knownUse }), value }];
}

function addressIn({ use, line = [], city, state, postalCode, country, text }: Address): PostalAddress {
  const known = addressUses.find((one) => one === use);
  const isEmpty = line.length === 0 && [city, state, postalCode, country].every((part) => part === undefined);
  return {
    ...(known && { use: known }),
    lines: isEmpty && text !== undefined ? [text] : line,
    ...(city !== undefined && { city }),
    ...(state !== undefined && { state }),
    ...(postalCode !== undefined && { postalCode }),
    ...(country !== undefined && { country }),
  };
}

function extensionOf(all: readonly Extension[] | undefined, url: string): Extension | undefined {
  return all?.find((one) => one.url === url);
}
