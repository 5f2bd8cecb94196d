import {
  type AddressPart,
  type Comparator,
  type Criteria,
  comparators,
  type DayMatch,
  type TelecomMatch,
  type TextMatch,
  type Told,
} from '../domain/demographics.ts';
import { malformed, none } from './malformed.ts';
import { searchOf } from './paged-search.ts';
import type { Results } from './result-parameters.ts';
import { dateParameter, type Parameter, type ParameterTable } from './search.ts';
import { alternatives, readDate, readIdentifier, readToken, unescaped } from './search-values.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer One)[] ? One[] : T[K] };

/** A search for patients as it is read. */
export type PatientQuestion = Results & { readonly criteria: Mutable<Criteria> };

/** So many alternatives may one parameter have. */
const most = 20;

/** A search that asks for nothing yet. */
export function emptyQuestion(): PatientQuestion {
  return {
    criteria: {
      ids: [],
      identifiers: [],
      authorities: [],
      active: [],
      family: [],
      given: [],
      gender: [],
      birthDate: [],
      address: [],
      addressParts: [],
      telecom: [],
      mothersMaidenName: [],
      names: [],
      told: [],
      notGender: [],
      notTelecom: [],
      notIdentifiers: [],
      changed: {},
    },
  };
}

type Row = Parameter<PatientQuestion>;

/** A row whose value is a list of alternatives; `one` reads one of them, and is undefined for what it is not. */
function row<T>(
  type: Row['type'],
  documentation: string | undefined,
  expected: string,
  one: (text: string) => T | undefined,
  put: (criteria: PatientQuestion['criteria'], any: readonly T[]) => void,
): Row {
  return {
    type,
    documentation,
    read(value, { criteria }, name) {
      const read = alternatives(value).map(one);
      const known = read.filter((each) => each !== undefined);
      if (known.length < read.length || known.length > most)
        return malformed(name, value, `${expected}, ${most} alternatives at most`);
      put(criteria, known);
      return none;
    },
  };
}

/** Whether the holder says it at all. FHIR R4 search.html#modifiers. */
function missing(name: string, type: Row['type'], of: Told): ParameterTable<PatientQuestion> {
  return {
    [`${name}:missing`]: {
      type,
      read(value, { criteria }, attribute) {
        if (value !== 'true' && value !== 'false') return malformed(attribute, value, 'true or false is expected');
        criteria.told.push({ of, isTold: value === 'false' });
        return none;
      },
    },
  };
}

/** A string parameter with `:exact`, `:contains` and `:missing`. FHIR R4 search.html#string. */
function textRows(
  name: string,
  of: Told,
  documentation: string,
  put: (criteria: PatientQuestion['criteria'], any: readonly TextMatch[]) => void,
): ParameterTable<PatientQuestion> {
  const matching = (how: TextMatch['how'], described?: string) => {
    const one = (text: string): TextMatch | undefined =>
      text.trim() === '' ? undefined : { text: unescaped(text), how };
    return row('string', described, 'a text is expected', one, put);
  };
  return {
    [name]: matching('starts', documentation),
    [`${name}:exact`]: matching('exact'),
    [`${name}:contains`]: matching('contains'),
    ...missing(name, 'string', of),
  };
}

const ofAddress = (part: AddressPart, name: string, documentation: string) =>
  textRows(`address-${name}`, part, documentation, ({ addressParts }, any) => addressParts.push({ part, any }));

const genders: readonly string[] = ['male', 'female', 'other', 'unknown'];

/** `urn:oid:<OID>|<value>` names one patient, `urn:oid:<OID>|` the domain in which he has an identifier. IHE PDQm 2:3.78.4.1.2.3. */
const identifier: Row = {
  type: 'token',
  documentation: 'urn:oid:<OID>|<value>: alone, the existence test of a record; urn:oid:<OID>| restricts the domain',
  read(value, { criteria }, name) {
    const texts = alternatives(value);
    const named = texts.flatMap((text) => readIdentifier(text) ?? []);
    const domains = texts.flatMap((text) => {
      const { code } = readToken(text);
      const known = code === '' ? readIdentifier(`${text}0`) : undefined;
      return known === undefined ? [] : [known.oid];
    });
    if (texts.length > most || ![named.length, domains.length].includes(texts.length))
      return malformed(name, value, `urn:oid:<OID>|<value>, or domains urn:oid:<OID>|, are expected, ${most} at most`);
    if (named.length > 0) criteria.identifiers.push(named);
    else criteria.authorities.push(domains);
    return none;
  },
};

const birthdate: Row = row<DayMatch>(
  'date',
  'Date of birth',
  'dates without time, with eq, ne, gt, lt, ge, le, sa, eb or ap, are expected',
  (text) => {
    const date = text.includes('T') ? undefined : readDate(text);
    const comparator = comparators.find((one) => one === date?.prefix);
    return date && comparator && dayMatch(comparator, date.from, date.to);
  },
  ({ birthDate }, any) => birthDate.push(any),
);

function dayMatch(comparator: Comparator, from: number, to: number): DayMatch {
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  return { comparator, days: { from: day(from), to: day(to) } };
}

type Put<T> = (criteria: PatientQuestion['criteria'], any: readonly T[]) => void;

function genderRow(documentation: string | undefined, put: Put<string>): Row {
  const one = (text: string) => {
    const { code } = readToken(text);
    return genders.includes(code) ? code : undefined;
  };
  return row('token', documentation, 'male, female, other or unknown is expected', one, put);
}

function activeRow(documentation: string | undefined, put: Put<boolean>): Row {
  const one = (text: string) => (text === 'true' ? true : text === 'false' ? false : undefined);
  return row('token', documentation, 'true or false is expected', one, put);
}

function telecomRow(documentation: string | undefined, put: Put<TelecomMatch>): Row {
  const one = (text: string) => {
    const { system, code: value } = readToken(text);
    return value === '' ? undefined : { value, ...(system !== undefined && system !== '' && { system }) };
  };
  return row('token', documentation, 'a value, or system|value, is expected', one, put);
}

/** Search parameters of Patient. IHE PDQm 2:3.78.4.1.2. */
const parameters: ParameterTable<PatientQuestion> = {
  _id: row(
    'token',
    'Ids of Patients',
    'ids are expected',
    (text) => (/^[A-Za-z0-9.-]{1,64}$/.test(text) ? text : undefined),
    ({ ids }, any) => ids.push(any),
  ),
  identifier,
  'identifier:not': row(
    'token',
    undefined,
    'urn:oid:<OID>|<value> is expected',
    readIdentifier,
    ({ notIdentifiers }, any) => notIdentifiers.push(any),
  ),
  active: activeRow('Whether the record is open', ({ active }, any) => active.push(any)),
  'active:not': activeRow(undefined, ({ active }, any) => active.push([true, false].filter((is) => !any.includes(is)))),
  ...textRows('family', 'family', 'Beginning of the family name of birth or in use', ({ family }, any) =>
    family.push(any),
  ),
  ...textRows('given', 'given', 'Beginning of a given name', ({ given }, any) => given.push(any)),
  ...textRows('name', 'name', 'Beginning of any name; narrows what two others find', ({ names }, any) =>
    names.push(any),
  ),
  gender: genderRow('male, female, other or unknown', ({ gender }, any) => gender.push(any)),
  'gender:not': genderRow(undefined, ({ notGender }, any) => notGender.push(any)),
  ...missing('gender', 'token', 'gender'),
  birthdate,
  ...missing('birthdate', 'date', 'birthDate'),
  ...textRows('address', 'address', 'Beginning of a part of an address', ({ address }, any) => address.push(any)),
  ...ofAddress('city', 'city', 'City of an address'),
  ...ofAddress('country', 'country', 'Country of an address'),
  ...ofAddress('postalCode', 'postalcode', 'Postal code of an address'),
  ...ofAddress('state', 'state', 'State of an address'),
  telecom: telecomRow('A telephone number, an address of e-mail or the like', ({ telecom }, any) => telecom.push(any)),
  'telecom:not': telecomRow(undefined, ({ notTelecom }, any) => notTelecom.push(any)),
  ...missing('telecom', 'token', 'telecom'),
  ...textRows('mothersMaidenName', 'mothersMaidenName', "The mother's maiden name", ({ mothersMaidenName }, any) =>
    mothersMaidenName.push(any),
  ),
  _lastUpdated: dateParameter(
    'When the record or what is stated in it changed last',
    ({ criteria }) => criteria.changed,
    ({ criteria }, span) => {
      criteria.changed = span;
    },
  ),
};

/** How patients are searched, and ordered. */
export const patientSearch = searchOf<PatientQuestion>({
  type: 'Patient',
  parameters,
  counted: 'always',
  sorts: ['_lastUpdated', 'family', 'given', 'birthdate'],
  sortsWithin: true,
  includes: [],
  revIncludes: [],
});
