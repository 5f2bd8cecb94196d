import type { Address, HumanName, Patient, Reference } from 'fhir/r4.js';
import { readPidLine, toEscaped, writeCx } from '../../domain/hl7v2.ts';
import type { Cx } from '../../domain/identifier.ts';
import type { PidLine } from '../../domain/people.ts';
import { extensions } from '../vocabulary.ts';
import { cxIn } from './code.ts';
import { checkSourcePatient } from './elements.ts';
import { extensionsOf, report, resolvedIn, type Source } from './source.ts';

export type SourcePatient = { readonly sourcePatientId?: Cx; readonly sourcePatientInfo: readonly PidLine[] };

/**
 * The patient as the source knows him. His first identifier is sourcePatientId, further ones are PID-3; lines of PID in extensions of ours
 * stand for the elements of their field. IHE MHD, mapping of sourcePatientId and sourcePatientInfo.
 */
export function sourcePatientIn(source: Source, reference: Reference | undefined, at: string): SourcePatient {
  if (reference === undefined) return { sourcePatientInfo: [] };
  const { resource } = resolvedIn(source, reference.reference) ?? {};
  if (resource?.resourceType !== 'Patient') {
    const id = cxIn(source, reference.identifier, 'sourcePatientId', `${at}.identifier`);
    if (reference.identifier === undefined)
      report(source, 'referenceUnresolved', 'sourcePatientInfo', at, {
        value: reference.reference ?? '',
        detail: 'the source patient is contained, or named by identifier',
      });
    return { ...(id && { sourcePatientId: id }), sourcePatientInfo: [] };
  }
  checkSourcePatient(source, resource, at);
  const [first, ...others] = (resource.identifier ?? []).flatMap(
    (identifier) => cxIn(source, identifier, 'sourcePatientId', at) ?? [],
  );
  const raw = extensionsOf(resource, extensions.pidLine).flatMap(({ valueString = '' }) =>
    lineIn(source, valueString, at),
  );
  const said = new Set(raw.map(({ field }) => field));
  const lines = [...others.map((cx) => ({ field: 3, value: writeCx(cx) })), ...elementsOf(resource)];
  return {
    ...(first && { sourcePatientId: first }),
    sourcePatientInfo: [...lines.filter(({ field }) => !said.has(field)), ...raw],
  };
}

function lineIn(source: Source, text: string, at: string): PidLine[] {
  const line = readPidLine(text);
  if (line === undefined) report(source, 'attributeMalformed', 'sourcePatientInfo', at, { value: text });
  return line === undefined ? [] : [line];
}

function elementsOf(patient: Patient): PidLine[] {
  const { name = [], birthDate, gender, address = [], telecom = [], deceasedBoolean, deceasedDateTime } = patient;
  const birthPlace = extensionsOf(extensionsOf(patient, extensions.birthPlace)[0]?.valueAddress, extensions.inseeCode);
  const code = birthPlace[0]?.valueCoding?.code;
  const reliability = extensionsOf(patient, extensions.identityReliability);
  const statuses = reliability.flatMap((one) => extensionsOf(one, 'identityStatus')[0]?.valueCoding?.code ?? []);
  return [
    ...name.map((one) => ({ field: 5, value: xpnOf(one) })),
    ...(birthDate === undefined ? [] : [{ field: 7, value: birthDate.replaceAll('-', '') }]),
    ...(gender === undefined ? [] : [{ field: 8, value: genders[gender] ?? 'U' }]),
    ...address.map((one) => ({ field: 11, value: xadOf(one) })),
    ...(code === undefined ? [] : [{ field: 11, value: `^^^^^^BDL^^${toEscaped(code)}` }]),
    ...telecom.flatMap(({ value }) => (value === undefined ? [] : [{ field: 13, value: toEscaped(value) }])),
    ...(deceasedDateTime === undefined ? [] : [{ field: 29, value: deceasedDateTime.replace(/T.*|-/g, '') }]),
    ...(deceasedBoolean === undefined && deceasedDateTime === undefined
      ? []
      : [{ field: 30, value: deceasedBoolean === false ? 'N' : 'Y' }]),
    ...statuses.map((status) => ({ field: 32, value: toEscaped(status) })),
  ];
}

const genders: Readonly<Record<string, string>> = { male: 'M', female: 'F', other: 'O', unknown: 'U' };
const nameTypes: Readonly<Record<string, string>> = { official: 'L', usual: 'D', maiden: 'M', nickname: 'N' };

/** HL7 v2 XPN: family, first given name, further ones, and in component 7 the type. */
function xpnOf({ family, given: [first, ...further] = [], text, use }: HumanName): string {
  const components = [family ?? (first === undefined ? text : undefined), first, further.join(' ')].map(toEscaped);
  const type = nameTypes[use ?? ''];
  return (type === undefined ? components.join('^') : `${components.join('^')}^^^^${type}`).replace(/\^+$/, '');
}

/** HL7 v2 XAD: street, city, state, postal code, country. */
function xadOf({ line, city, state, postalCode, country, text }: Address): string {
  const street = line?.join(', ') ?? text;
  return [street, undefined, city, state, postalCode, country].map(toEscaped).join('^').replace(/\^+$/, '');
}
