import { plainName } from '../domain/fed-identity.ts';
import type { PostalAddress, Telecom, Traits } from '../domain/record.ts';
import { type Message, repetitionsOf, type Segment, valueAt, valueIn } from './message.ts';

/**
 * What PID says of where a person is reached and of the mother: PID-6, PID-11 save the place of birth, PID-13 and PID-14. What is not sent is not
 * told. HL7 v2.5 2.A.89 (XAD), 2.A.90 (XTN); IHE PAM, national extension France.
 */
export function contactOf(message: Message, pid: Segment): Partial<Traits> {
  const of = (field: number) => repetitionsOf(message, pid, field).filter((repetition) => repetition !== '');
  const addresses = of(11).flatMap((repetition) => addressOf(message, repetition));
  const telecoms = [...of(13), ...of(14)].flatMap((repetition) => telecomOf(message, repetition));
  const mother = plainName(valueAt(message, pid, { field: 6 }));
  return {
    ...(mother !== '' && { mothersMaidenName: mother }),
    ...(addresses.length > 0 && { addresses }),
    ...(telecoms.length > 0 && { telecoms }),
  };
}

/** HL7 table 0190. */
const addressUses: ReadonlyMap<string, NonNullable<PostalAddress['use']>> = new Map([
  ['H', 'home'],
  ['O', 'work'],
  ['B', 'work'],
  ['C', 'temp'],
  ['BI', 'billing'],
]);

function addressOf(message: Message, repetition: string): PostalAddress[] {
  const type = valueIn(message, repetition, 7);
  if (type === 'BDL') return [];
  const [street, other, city, state, postalCode, country] = [1, 2, 3, 4, 5, 6].map((n) =>
    valueIn(message, repetition, n),
  );
  const use = addressUses.get(type);
  const lines = [street, other].flatMap((line) => (line === undefined || line === '' ? [] : [line]));
  const parts = {
    ...named('city', city),
    ...named('state', state),
    ...named('postalCode', postalCode),
    ...named('country', country),
  };
  return lines.length === 0 && Object.keys(parts).length === 0 ? [] : [{ ...(use && { use }), lines, ...parts }];
}

function named<K extends string>(name: K, value = ''): { readonly [P in K]?: string } {
  if (value === '') return {};
  return { [name]: value } as { readonly [P in K]: string };
}

/** HL7 tables 0202 (equipment) and 0201 (use). */
const systems: ReadonlyMap<string, NonNullable<Telecom['system']>> = new Map([
  ['PH', 'phone'],
  ['CP', 'phone'],
  ['FX', 'fax'],
  ['BP', 'pager'],
  ['INTERNET', 'email'],
  ['X.400', 'email'],
]);
const uses: ReadonlyMap<string, NonNullable<Telecom['use']>> = new Map([
  ['PRN', 'home'],
  ['ORN', 'home'],
  ['VHN', 'temp'],
  ['WPN', 'work'],
  ['PRS', 'mobile'],
]);

function telecomOf(message: Message, repetition: string): Telecom[] {
  const [number, useCode, equipment, email, unformatted] = [1, 2, 3, 4, 12].map((n) => valueIn(message, repetition, n));
  const value = [email, number, unformatted].find((text) => text !== undefined && text !== '');
  if (value === undefined) return [];
  const system = value === email ? 'email' : systems.get((equipment ?? '').toUpperCase());
  const use = equipment === 'CP' ? 'mobile' : uses.get(useCode ?? '');
  return [{ ...(system && { system }), ...(use && { use }), value }];
}
