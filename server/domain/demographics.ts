import { plainName } from './fed-identity.ts';
import { type Identifier, sameIdentifier } from './identifier.ts';
import { currentIdentifiers, type PatientRecord, type PostalAddress, type Telecom, type Traits } from './record.ts';

/** How a text is compared: `exact` by every character, the others in plain letters. FHIR R4 search.html#string. */
export type TextMatch = { readonly text: string; readonly how: 'starts' | 'exact' | 'contains' };

/** Days as `YYYY-MM-DD`, half-open; an absent end is open. */
export type Days = { readonly from?: string; readonly to?: string };

/** How a date of birth compares with the days that were asked. FHIR R4 search.html#prefix. */
export const comparators = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'] as const;
export type Comparator = (typeof comparators)[number];
export type DayMatch = { readonly comparator: Comparator; readonly days: Required<Days> };

export type TelecomMatch = { readonly system?: string; readonly value: string };

/** Of a list, one must match. */
export type AnyOf<T> = readonly T[];

export const addressParts = ['city', 'country', 'postalCode', 'state'] as const;
export type AddressPart = (typeof addressParts)[number];

/** What a holder may say or leave out. */
export type Told =
  | 'family'
  | 'given'
  | 'name'
  | 'gender'
  | 'birthDate'
  | 'address'
  | AddressPart
  | 'telecom'
  | 'mothersMaidenName';

/** What is looked for in the holders of records: all lists must match. */
export type Criteria = {
  readonly ids: readonly AnyOf<string>[];
  readonly identifiers: readonly AnyOf<Identifier>[];
  /** OIDs of authorities: the holder has an identifier of one of them. */
  readonly authorities: readonly AnyOf<string>[];
  readonly active: readonly AnyOf<boolean>[];
  readonly family: readonly AnyOf<TextMatch>[];
  readonly given: readonly AnyOf<TextMatch>[];
  readonly gender: readonly AnyOf<string>[];
  readonly birthDate: readonly AnyOf<DayMatch>[];
  readonly address: readonly AnyOf<TextMatch>[];
  readonly addressParts: readonly { readonly part: AddressPart; readonly any: AnyOf<TextMatch> }[];
  readonly telecom: readonly AnyOf<TelecomMatch>[];
  readonly mothersMaidenName: readonly AnyOf<TextMatch>[];
  /** Family or given names. */
  readonly names: readonly AnyOf<TextMatch>[];
  /** Whether the holder says it at all. FHIR R4 search.html#modifiers, `:missing`. */
  readonly told: readonly { readonly of: Told; readonly isTold: boolean }[];
  /** None of these matches. FHIR R4 search.html#modifiers, `:not`. */
  readonly notGender: readonly AnyOf<string>[];
  readonly notTelecom: readonly AnyOf<TelecomMatch>[];
  readonly notIdentifiers: readonly AnyOf<Identifier>[];
  /** When the record changed last, in milliseconds: from ≤ value < to. */
  readonly changed: { readonly from?: number; readonly to?: number };
};

/**
 * Where matches can be: one of the families or of the given names begins so, in plain letters; born on one of the days, a date without
 * day counting as its first one.
 */
export type HolderFilter = {
  readonly families?: readonly string[];
  readonly givens?: readonly string[];
  readonly born?: Days;
  readonly genders?: readonly string[];
};

/** Letters and digits of a name, in capitals without accents; whatever separates them is one blank. */
export function plainLetters(text: string): string {
  return plainName(text)
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

/** The families that a holder is found by: of birth and in use. */
export function familiesOf({ family, usedFamily }: Traits): string[] {
  return distinct([family, usedFamily]);
}

/** The given names that a holder is found by: each of birth, and the one in use. */
export function givensOf({ given, givenNames, usedGiven }: Traits): string[] {
  return distinct([given, ...(givenNames?.split(' ') ?? []), usedGiven]);
}

function distinct(names: readonly (string | undefined)[]): string[] {
  return [...new Set(names.flatMap((name) => (name === undefined || name === '' ? [] : [name])))];
}

/** The days that a FHIR date of any precision covers; undefined for an unknown one. */
export function daysOf(date: string): Required<Days> | undefined {
  const [, year, month, day] = /^(\d{4})(?:-(\d\d)(?:-(\d\d))?)?$/.exec(date) ?? [];
  if (year === undefined) return undefined;
  const [y, m, d] = [Number(year), Number(month ?? 1) - 1, Number(day ?? 1)];
  const end = month === undefined ? Date.UTC(y + 1, 0) : day === undefined ? Date.UTC(y, m + 1) : Date.UTC(y, m, d + 1);
  return { from: `${year}-${month ?? '01'}-${day ?? '01'}`, to: dayAt(end) };
}

function dayAt(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Whether the holder matches everything that is asked. */
export function matchesCriteria(record: PatientRecord, criteria: Criteria): boolean {
  const { traits, changedAt = 0 } = record;
  const { from = changedAt, to } = criteria.changed;
  const names = currentIdentifiers(record);
  const addresses = traits.addresses ?? [];
  const every = <T>(lists: readonly AnyOf<T>[], holds: (one: T) => boolean) => lists.every((any) => any.some(holds));
  return (
    from <= changedAt &&
    (to === undefined || changedAt < to) &&
    every(criteria.ids, (id) => id === record.id) &&
    every(criteria.identifiers, (id) => names.some((held) => sameIdentifier(held, id))) &&
    every(criteria.authorities, (oid) => names.some((held) => held.oid === oid)) &&
    every(criteria.active, (active) => active === (record.state === 'open')) &&
    every(criteria.family, (wanted) => familiesOf(traits).some((name) => matchesText(name, wanted))) &&
    every(criteria.given, (wanted) => givensOf(traits).some((name) => matchesText(name, wanted))) &&
    every(criteria.gender, (gender) => gender === traits.gender) &&
    every(criteria.birthDate, (wanted) => matchesDays(traits.birthDate, wanted)) &&
    every(criteria.address, (wanted) => addresses.some((held) => matchesAddress(held, wanted))) &&
    criteria.addressParts.every(({ part, any }) =>
      any.some((wanted) => addresses.some((held) => matchesText(held[part] ?? '', wanted))),
    ) &&
    every(criteria.telecom, (wanted) => (traits.telecoms ?? []).some((held) => matchesTelecom(held, wanted))) &&
    every(criteria.mothersMaidenName, (wanted) => matchesText(traits.mothersMaidenName ?? '', wanted)) &&
    every(criteria.names, (wanted) => namesOf(traits).some((name) => matchesText(name, wanted))) &&
    criteria.told.every(({ of, isTold }) => isTold === tells(traits, of)) &&
    criteria.notGender.flat().every((gender) => gender !== traits.gender) &&
    criteria.notTelecom.flat().every((one) => !(traits.telecoms ?? []).some((held) => matchesTelecom(held, one))) &&
    criteria.notIdentifiers.flat().every((id) => !names.some((held) => sameIdentifier(held, id)))
  );
}

function namesOf(traits: Traits): string[] {
  return [...familiesOf(traits), ...givensOf(traits)];
}

function tells(traits: Traits, of: Told): boolean {
  const { addresses = [], telecoms = [] } = traits;
  switch (of) {
    case 'family':
      return familiesOf(traits).length > 0;
    case 'given':
      return givensOf(traits).length > 0;
    case 'name':
      return namesOf(traits).length > 0;
    case 'gender':
    case 'birthDate':
    case 'mothersMaidenName':
      return (traits[of] ?? '') !== '';
    case 'address':
      return addresses.length > 0;
    case 'telecom':
      return telecoms.length > 0;
    case 'city':
    case 'state':
    case 'postalCode':
    case 'country':
      return addresses.some((held) => (held[of] ?? '') !== '');
  }
}

function matchesText(held: string, { text, how }: TextMatch): boolean {
  if (held === '') return false;
  if (how === 'exact') return held === text;
  const [plain, wanted] = [plainLetters(held), plainLetters(text)];
  return how === 'starts' ? plain.startsWith(wanted) : plain.includes(wanted);
}

function matchesAddress({ lines, city, state, postalCode, country }: PostalAddress, wanted: TextMatch): boolean {
  return [...lines, city, state, postalCode, country].some((part) => matchesText(part ?? '', wanted));
}

function matchesTelecom(held: Telecom, { system, value }: TelecomMatch): boolean {
  const digits = (text: string) => text.replace(/[\s.()-]/g, '').toLowerCase();
  return (system === undefined || system === held.system) && digits(held.value) === digits(value);
}

/** FHIR R4 search.html#prefix: `eq` holds the whole date of birth, the others compare its days with those asked. */
function matchesDays(birthDate: string, { comparator, days: { from, to } }: DayMatch): boolean {
  const born = daysOf(birthDate);
  if (born === undefined) return false;
  const isWithin = from <= born.from && born.to <= to;
  switch (comparator) {
    case 'eq':
      return isWithin;
    case 'ne':
      return !isWithin;
    case 'gt':
      return born.to > to;
    case 'ge':
      return born.to > to || isWithin;
    case 'lt':
      return born.from < from;
    case 'le':
      return born.from < from || isWithin;
    case 'sa':
      return born.from >= to;
    case 'eb':
      return born.to <= from;
    case 'ap':
      return born.from < yearsFrom(to, 1) && yearsFrom(from, -1) < born.to;
  }
}

/** `ap` allows a year more on either side. */
function yearsFrom(day: string, years: number): string {
  return `${String(Number(day.slice(0, 4)) + years).padStart(4, '0')}${day.slice(4)}`;
}

/**
 * Whether so much is asked that the index finds a few holders: two of family, given name, date of birth and gender, date of birth or the
 * beginning of the family among them. What is said by `name`, `:missing` or `:not` finds nobody by itself.
 */
export function isNarrow({ family, given, birthDate, gender }: Criteria): boolean {
  const asked = [family, given, birthDate, gender].filter((lists) => lists.length > 0).length;
  return asked >= 2 && (birthDate.length > 0 || family.some(isIndexed));
}

function isIndexed(any: AnyOf<TextMatch>): boolean {
  return any.every(({ how, text }) => how !== 'contains' && plainLetters(text) !== '');
}

/** Where the holders are that match the criteria; not all who are there match. */
export function filterOf(criteria: Criteria): HolderFilter {
  const family = criteria.family.find(isIndexed);
  const given = criteria.given.find(isIndexed);
  const [gender] = criteria.gender;
  const born = criteria.birthDate.map(hullOf).reduce<Days>(intersection, {});
  return {
    ...(family && { families: family.map(({ text }) => plainLetters(text)) }),
    ...(given && { givens: given.map(({ text }) => plainLetters(text)) }),
    ...(gender && { genders: gender }),
    ...((born.from !== undefined || born.to !== undefined) && { born }),
  };
}

/** The first days of all dates that one of the alternatives can match. */
function hullOf(any: AnyOf<DayMatch>): Days {
  const [first, ...others] = any.map(firstDays);
  return others.reduce<Days>(
    (hull, next) => ({
      ...(hull.from !== undefined && next.from !== undefined && { from: least(hull.from, next.from) }),
      ...(hull.to !== undefined && next.to !== undefined && { to: most(hull.to, next.to) }),
    }),
    first ?? {},
  );
}

/** A date without month or day counts as its first day: what is after a day may begin with its year. */
function firstDays({ comparator, days: { from, to } }: DayMatch): Days {
  const newYear = (day: string) => `${day.slice(0, 4)}-01-01`;
  switch (comparator) {
    case 'eq':
      return { from, to };
    case 'ne':
      return {};
    case 'gt':
      return { from: newYear(to) };
    case 'ge':
      return { from: newYear(from) };
    case 'lt':
      return { to: from };
    case 'le':
      return { to };
    case 'sa':
      return { from: to };
    case 'eb':
      return { to: from };
    case 'ap':
      return { from: newYear(yearsFrom(from, -1)), to: yearsFrom(to, 1) };
  }
}

function intersection(a: Days, b: Days): Days {
  const from = a.from !== undefined && b.from !== undefined ? most(a.from, b.from) : (a.from ?? b.from);
  const to = a.to !== undefined && b.to !== undefined ? least(a.to, b.to) : (a.to ?? b.to);
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}

const least = (a: string, b: string) => (a < b ? a : b);
const most = (a: string, b: string) => (a > b ? a : b);
