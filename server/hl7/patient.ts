import { type Problem, problem } from '../domain/error.ts';
import { type FedIdentity, plainName } from '../domain/fed-identity.ts';
import { type Identifier, isOid } from '../domain/identifier.ts';
import type { PidLine } from '../domain/people.ts';
import type { Traits } from '../domain/record.ts';
import { isDtm } from '../domain/time.ts';
import { contactOf } from './contact.ts';
import { type Message, repetitionsOf, type Segment, segmentsOf, valueAt, valueIn } from './message.ts';

/** The one PID of a message. */
export function patientOf(message: Message): { readonly pid: Segment } | { readonly problems: readonly Problem[] } {
  const [pid, second] = segmentsOf(message, 'PID');
  if (pid === undefined) return { problems: [problem('segmentMissing', { attribute: 'PID' })] };
  if (second !== undefined)
    return {
      problems: [problem('partRepeated', { attribute: 'PID', detail: 'one message is about one patient' })],
    };
  return { pid };
}

/** Identifiers of a field of type CX whose authority is named by an OID; others say nothing here. IHE ITI TF-2 3.8.4.1.2.3. */
export function identifiersAt(message: Message, segment: Segment, field: number): Identifier[] {
  return repetitionsOf(message, segment, field).flatMap((repetition) => {
    const value = valueIn(message, repetition);
    const oid = valueIn(message, repetition, 4, 2);
    const kind = valueIn(message, repetition, 4, 3);
    return value !== '' && isOid(oid) && (kind === '' || kind === 'ISO') ? [{ value, oid }] : [];
  });
}

/** Whether a repetition of the field says anything in its first component, the value of a CX. */
export function hasValue(message: Message, segment: Segment, field: number): boolean {
  return repetitionsOf(message, segment, field).some((repetition) => valueIn(message, repetition) !== '');
}

/**
 * What PID says of a person: birth name (XPN type L) and name in use (D), sex, date and place of birth (PID-11 of type BDL, the COG code in
 * its component 9). IHE PAM, national extension France; a trait that is not sent is not told.
 */
export function readPatient(message: Message, pid: Segment): FedIdentity & { readonly problems: readonly Problem[] } {
  const birthTime = valueAt(message, pid, { field: 7 });
  const birth = birthTime.slice(0, 8);
  const problems: Problem[] = [];
  if (!hasValue(message, pid, 3)) problems.push(problem('fieldMissing', { attribute: 'PID-3' }));
  if (birth !== '' && !isDtm(birth))
    problems.push(problem('fieldMalformed', { attribute: 'PID-7', value: birthTime, detail: 'no date' }));
  const gender = genders.get(valueAt(message, pid, { field: 8 }));
  const place = repetitionsOf(message, pid, 11).find((address) => valueIn(message, address, 7) === 'BDL');
  const birthPlace = place === undefined ? '' : valueIn(message, place, 9);
  return {
    identifiers: identifiersAt(message, pid, 3),
    traits: {
      ...namesIn(message, pid),
      ...(gender !== undefined && { gender }),
      ...(problems.length === 0 && birth !== '' && { birthDate: dateOf(birth) }),
      ...(birthPlace !== '' && { birthPlace }),
      ...contactOf(message, pid),
    },
    problems,
  };
}

/** The lines of PID that go with a document, as they were written: name, date of birth, sex. IHE ITI TF-3 4.2.3.2.23. */
export function patientLines(message: Message, pid: Segment): PidLine[] {
  const { field, component, repetition, escapeCharacter, subcomponent } = message.delimiters;
  if (`${field}${component}${repetition}${escapeCharacter}${subcomponent}` !== '|^~\\&') return [];
  return [5, 7, 8].flatMap((number) => {
    const [first] = repetitionsOf(message, pid, number);
    return first === undefined ? [] : [{ field: number, value: number === 7 ? first.slice(0, 8) : first }];
  });
}

const genders: ReadonlyMap<string, Traits['gender']> = new Map([
  ['M', 'male'],
  ['F', 'female'],
  ['U', 'unknown'],
  ['O', 'unknown'],
  ['A', 'unknown'],
]);

function namesIn(message: Message, pid: Segment): Partial<Traits> {
  const names = repetitionsOf(message, pid, 5).map((name) => ({
    family: plainName(valueIn(message, name)),
    given: plainName(valueIn(message, name, 2)),
    further: plainName(valueIn(message, name, 3)),
    type: valueIn(message, name, 7),
  }));
  const legal = names.find(({ type }) => type === 'L') ?? names.find(({ type }) => type !== 'D');
  const used = names.find(({ type }) => type === 'D');
  return {
    ...(legal !== undefined && legal.family !== '' && { family: legal.family }),
    ...(legal !== undefined && legal.given !== '' && { given: legal.given }),
    ...(legal !== undefined && legal.further !== '' && { givenNames: allGiven(legal) }),
    ...(used !== undefined && used.family !== '' && { usedFamily: used.family }),
    ...(used !== undefined && used.given !== '' && { usedGiven: used.given }),
  };
}

/** In France component 3 lists all given names of birth; elsewhere those after the first. IHE PAM, national extension France. */
function allGiven({ given, further }: { readonly given: string; readonly further: string }): string {
  return further === given || further.startsWith(`${given} `) ? further : `${given} ${further}`;
}

function dateOf(dtm: string): string {
  return [dtm.slice(0, 4), dtm.slice(4, 6), dtm.slice(6, 8)].filter((part) => part !== '').join('-');
}
