import type { Address, Extension, Identifier as FhirIdentifier, HumanName, Patient } from 'fhir/r4.js';
import type { ConsentActor } from '../../domain/consent.ts';
import { type Identifier, sameIdentifier } from '../../domain/identifier.ts';
import { insOids } from '../../domain/ins.ts';
import type { PatientIdentifier, PatientRecord, PostalAddress, Traits } from '../../domain/record.ts';
import type { Existence } from '../../usecases/patient.ts';
import {
  closingMotives,
  communes,
  extensions,
  identifierTypes,
  identityStatus,
  profiles,
  subsetted,
} from '../vocabulary.ts';
import { actorReference } from './consent-actor.ts';

/**
 * The holder of a record with the traits of the INS: birth name, first names, sex, date and place of birth; and what a feed told besides.
 * FR Core, fr-core-patient-ins; the profile is claimed when the place of birth, which it asks for, is known of an INS.
 */
export function patientOf(record: PatientRecord, treatingDoctors: readonly ConsentActor[] = []): Patient {
  const { traits, changedAt } = record;
  const { birthPlace, birthDate, mothersMaidenName, telecoms = [], addresses = [] } = traits;
  const isIns = hasIns(record);
  return {
    resourceType: 'Patient',
    id: record.id,
    meta: {
      versionId: String(record.version),
      ...(changedAt !== undefined && { lastUpdated: new Date(changedAt).toISOString() }),
      profile: [birthPlace !== undefined && isIns ? profiles.patientIns : profiles.patient, profiles.pdqmPatient],
    },
    extension: [
      ...stateOf(record),
      ...(isIns ? [reliability] : []),
      ...birthPlaceOf(traits),
      ...(mothersMaidenName === undefined
        ? []
        : [{ url: extensions.mothersMaidenName, valueString: mothersMaidenName }]),
    ],
    identifier: record.identifiers.map(identifierOf),
    active: record.state === 'open',
    name: namesOf(traits),
    ...(telecoms.length > 0 && { telecom: telecoms.map((telecom) => ({ ...telecom })) }),
    gender: traits.gender,
    ...(birthDate !== '' && { birthDate }),
    ...(addresses.length > 0 && { address: addresses.map(addressOf) }),
    ...(treatingDoctors.length > 0 && { generalPractitioner: treatingDoctors.map(actorReference) }),
  };
}

/** An identity that a merge subsumed: it is no more, and says which one replaces it. IHE PIXm, ITI-104; IHE PMIR, Patient.Merge. */
export function replacedPatient(
  id: string | undefined,
  identifier: readonly FhirIdentifier[],
  by: PatientRecord,
): Patient {
  const official = by.identifiers.find(({ use }) => use === 'official');
  return {
    resourceType: 'Patient',
    ...(id !== undefined && { id }),
    ...(identifier.length > 0 && { identifier: identifier.map((one) => ({ ...one, use: 'old' as const })) }),
    active: false,
    link: [
      {
        other: { reference: `Patient/${by.id}`, ...(official && { identifier: identifierOf(official) }) },
        type: 'replaced-by',
      },
    ],
  };
}

/** An INS goes with a qualified identity alone. Référentiel national d'identitovigilance. */
const reliability: Extension = {
  url: extensions.identityReliability,
  extension: [
    { url: 'identityStatus', valueCoding: { system: identityStatus.system, code: identityStatus.validated } },
  ],
};

const insSystems: readonly string[] = [...insOids.production, ...insOids.test, ...insOids.demo];

function hasIns({ identifiers }: PatientRecord): boolean {
  return identifiers.some(({ use, oid }) => use === 'official' && insSystems.includes(oid));
}

/**
 * The answer of the existence test: state and the caller's own right, under the identifier that was asked for; traits only for the holder
 * and the representatives. Access policy, existence test (TD0.2).
 */
export function existenceOf({ record, asked, authorisation, treatingDoctor, withTraits }: Existence): Patient {
  const own: Extension[] = [
    ...(authorisation === undefined ? [] : [{ url: extensions.authorisation, valueCode: authorisation }]),
    ...(treatingDoctor === undefined ? [] : [{ url: extensions.treatingDoctor, valueBoolean: treatingDoctor }]),
  ];
  if (withTraits) {
    const patient = patientOf(record);
    return { ...patient, extension: [...(patient.extension ?? []), ...own] };
  }
  return {
    resourceType: 'Patient',
    id: record.id,
    meta: { tag: [subsetted] },
    extension: [...stateOf(record), ...own],
    identifier: [identifierOf({ ...asked, use: useOf(record, asked) })],
    active: record.state === 'open',
  };
}

/** An identifier of a holder; one that a merge took away is old. FR Core, identifiers of patients. */
export function identifierOf({ oid, value, use }: PatientIdentifier): FhirIdentifier {
  const code = identifierTypes.ofPatient[oid];
  return {
    use: use === 'subsumed' ? 'old' : use,
    ...(code !== undefined && { type: { coding: [{ system: identifierTypes.system, code }] } }),
    system: `urn:oid:${oid}`,
    value,
  };
}

function useOf(record: PatientRecord, named: Identifier): PatientIdentifier['use'] {
  return record.identifiers.find((held) => sameIdentifier(held, named))?.use ?? 'secondary';
}

function namesOf({ family, given, givenNames = given, usedFamily, usedGiven }: Traits): HumanName[] {
  const official: HumanName = {
    extension: [{ url: extensions.givenNames, valueString: givenNames }],
    use: 'official',
    family,
    given: [given],
  };
  if (usedFamily === undefined && usedGiven === undefined) return [official];
  return [official, { use: 'usual', family: usedFamily ?? family, given: [usedGiven ?? given] }];
}

function addressOf({ lines, ...parts }: PostalAddress): Address {
  return { ...parts, ...(lines.length > 0 && { line: [...lines] }) };
}

function birthPlaceOf({ birthPlace }: Traits): Extension[] {
  if (birthPlace === undefined) return [];
  const insee = { url: extensions.inseeCode, valueCoding: { system: communes, code: birthPlace } };
  return [{ url: extensions.birthPlace, valueAddress: { extension: [insee] } }];
}

function stateOf({ attached, closed }: PatientRecord): Extension[] {
  const attachment = { url: extensions.attached, valueBoolean: attached };
  if (closed === undefined) return [attachment];
  const closing = [
    { url: 'dateFermeture', valueDateTime: new Date(closed.at).toISOString() },
    { url: 'motifFermeture', valueCoding: { system: closingMotives, code: closed.motive } },
    ...(closed.text === undefined ? [] : [{ url: 'raisonFermeture', valueString: closed.text }]),
  ];
  return [attachment, { url: extensions.closing, extension: closing }];
}
