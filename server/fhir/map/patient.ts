import type { Extension, Identifier as FhirIdentifier, HumanName, Patient } from 'fhir/r4.js';
import type { ConsentActor } from '../../domain/consent.ts';
import { writePidLine } from '../../domain/hl7v2.ts';
import type { Cx, Identifier } from '../../domain/identifier.ts';
import type { PidLine } from '../../domain/people.ts';
import type { PatientIdentifier, PatientRecord, Traits } from '../../domain/record.ts';
import { isDtm } from '../../domain/time.ts';
import type { Existence } from '../../usecases/patient.ts';
import { closingMotives, communes, extensions, identifierTypes, profiles } from '../vocabulary.ts';
import { cxIdentifier } from './code.ts';
import { actorReference } from './consent.ts';

/**
 * The holder of a record with the traits of the INS: birth name, first names, sex, date and place of birth.
 * FR Core, fr-core-patient-ins; the profile is claimed when the place of birth, which it asks for, is known.
 */
export function patientOf(record: PatientRecord, treatingDoctors: readonly ConsentActor[] = []): Patient {
  const { traits } = record;
  return {
    resourceType: 'Patient',
    id: record.id,
    meta: {
      versionId: String(record.version),
      profile: [traits.birthPlace === undefined ? profiles.patient : profiles.patientIns],
    },
    extension: [...stateOf(record), ...birthPlaceOf(traits)],
    identifier: record.identifiers.map(identifierOf),
    active: record.state === 'open',
    name: namesOf(traits),
    gender: traits.gender,
    birthDate: traits.birthDate,
    ...(treatingDoctors.length > 0 && { generalPractitioner: treatingDoctors.map(actorReference) }),
  };
}

/**
 * The answer of the existence test: state and the caller's own right, under the identifier that was asked for; traits only for the holder
 * and the representatives. Access policy, existence test (TD0.2).
 */
export function existenceOf({ record, asked, authorisation, withTraits }: Existence): Patient {
  const own: Extension[] =
    authorisation === undefined ? [] : [{ url: extensions.authorisation, valueCode: authorisation }];
  if (withTraits) {
    const patient = patientOf(record);
    return { ...patient, extension: [...(patient.extension ?? []), ...own] };
  }
  return {
    resourceType: 'Patient',
    id: record.id,
    meta: { tag: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }] },
    extension: [...stateOf(record), ...own],
    identifier: [identifierOf({ ...asked, use: useOf(record, asked) })],
    active: record.state === 'open',
  };
}

/**
 * The patient as the source knew him: its own identifier and the PID lines. A field goes into elements when these say all of its lines, and
 * all of them do when the lines stand in the order in which they are read back. IHE MHD, mapping of sourcePatientId and sourcePatientInfo.
 */
export function sourcePatientOf(id: Cx, info: readonly PidLine[]): Patient & { id: string } {
  const of = (field: number) => info.filter((line) => line.field === field);
  const whole = elementFields.filter((field) => of(field).every(isWhole) && (field === 5 || of(field).length <= 1));
  const plain = whole.flatMap(of);
  const rest = info.filter(({ field }) => !whole.includes(field));
  const raw = [...plain, ...rest].every((line, i) => line === info[i]) ? rest : info;
  const name = of(5).map(({ value }) => pidName(value));
  const birth = info.find(({ field, value }) => field === 7 && isDtm(value.slice(0, 8)))?.value.slice(0, 8);
  const sex = info.find(({ field }) => field === 8)?.value;
  return {
    resourceType: 'Patient',
    id: 'source-patient',
    ...(raw.length > 0 && {
      extension: raw.map((line) => ({ url: extensions.pidLine, valueString: writePidLine(line) })),
    }),
    identifier: [cxIdentifier(id)],
    ...(name.length > 0 && { name }),
    ...(sex !== undefined && { gender: genders.get(sex) ?? 'unknown' }),
    ...(birth !== undefined && {
      birthDate: [birth.slice(0, 4), birth.slice(4, 6), birth.slice(6, 8)].filter((part) => part !== '').join('-'),
    }),
  };
}

/** Fields of PID that Patient has elements for, in the order in which they are read back. */
const elementFields: readonly number[] = [5, 7, 8];

const genders: ReadonlyMap<string, 'male' | 'female' | 'other' | 'unknown'> = new Map([
  ['M', 'male'],
  ['F', 'female'],
  ['O', 'other'],
  ['U', 'unknown'],
]);

/** HL7 v2 XPN of birth (L) or used (D) name with nothing but family and given name. */
const plainName = /^([^^~&\\|]+)\^([^^~&\\|]*)\^{5}([LD])$/;

/** Whether FHIR's elements say all of the line. */
function isWhole({ field, value }: PidLine): boolean {
  if (field === 5) return plainName.test(value);
  if (field === 7) return value.length <= 8 && isDtm(value);
  return field === 8 && genders.has(value);
}

function pidName(value: string): HumanName {
  const [family = '', given = '', second = '', , , , type] = (value.split('~')[0] ?? '').split('^');
  const givens = [given, second].filter((part) => part !== '');
  return {
    ...(type === 'L' ? { use: 'official' } : type === 'D' ? { use: 'usual' } : {}),
    ...(family !== '' && { family }),
    ...(givens.length > 0 && { given: givens }),
  };
}

function identifierOf({ oid, value, use }: PatientIdentifier): FhirIdentifier {
  const code = identifierTypes.ofPatient[oid];
  return {
    use: use === 'subsumed' ? 'old' : use,
    ...(code !== undefined && { type: { coding: [{ system: identifierTypes.system, code }] } }),
    system: `urn:oid:${oid}`,
    value,
  };
}

function useOf(record: PatientRecord, { value, oid }: Identifier): PatientIdentifier['use'] {
  return record.identifiers.find((held) => held.value === value && held.oid === oid)?.use ?? 'secondary';
}

function namesOf({ family, given, usedFamily, usedGiven }: Traits): HumanName[] {
  const official: HumanName = {
    extension: [{ url: extensions.givenNames, valueString: given }],
    use: 'official',
    family,
    given: [given],
  };
  if (usedFamily === undefined && usedGiven === undefined) return [official];
  return [official, { use: 'usual', family: usedFamily ?? family, given: [usedGiven ?? given] }];
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
  ];
  return [attachment, { url: extensions.closing, extension: closing }];
}
