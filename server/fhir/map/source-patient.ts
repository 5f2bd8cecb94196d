import type { HumanName, Patient } from 'fhir/r4.js';
import { writePidLine } from '../../domain/hl7v2.ts';
import type { Cx } from '../../domain/identifier.ts';
import type { PidLine } from '../../domain/people.ts';
import { isDtm } from '../../domain/time.ts';
import { extensions } from '../vocabulary.ts';
import { cxIdentifier } from './code.ts';

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
  const name = of(5)
    .map(({ value }) => pidName(value))
    .filter((one) => Object.keys(one).length > 0);
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
