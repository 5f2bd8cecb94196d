import { type Problem, problem, Refused } from '../domain/error.ts';
import type { PatientRef } from '../usecases/query.ts';
import { malformed, none } from './malformed.ts';
import { alternatives, both, instantsOf, readDate, readIdentifier, type Span } from './search-values.ts';

/** Name and value of each parameter, in the order given. */
export type Given = readonly (readonly [name: string, value: string])[];

/** A search parameter that is served: its FHIR type, and how one value of it changes what is asked. */
export type Parameter<Asked> = {
  readonly type: 'token' | 'date' | 'string' | 'reference' | 'number' | 'uri' | 'composite';
  /** What the CapabilityStatement says of it; absent for one that is another form of a parameter, or that steers the answer and no search. */
  readonly documentation?: string | undefined;
  /** Problems of this value; `value` is whole, with its commas. */
  readonly read: (value: string, asked: Asked, name: string) => readonly Problem[];
};

export type ParameterTable<Asked> = Readonly<Record<string, Parameter<Asked>>>;

/** What every search may say besides. */
export type Paging = { count?: number; page?: string; total?: 'none' | 'estimate' | 'accurate' };

export type Search = {
  /** The parameters that were understood, as they were sent; for self and next links. */
  readonly used: Given;
  /** What was ignored, in lenient handling. */
  readonly warnings: readonly Problem[];
};

/** The most entries of one page; a larger `_count` is served at it. */
export const maximumCount = 500;
export const usualCount = 20;

/** How many parameters a search may have, and how many values one of them: each is compared with every object of a record. */
const mostParameters = 100;
const mostValues = 200;

/** Whether a parameter says how the answer is written, and nothing of what is searched. FHIR R4 http.html#parameters. */
export function isOfForm(name: string): boolean {
  return name === '_format' || name === '_pretty';
}

const tooMuch = (name: string) => [
  problem('parameterMalformed', {
    attribute: name,
    detail: `at most ${mostParameters} parameters of at most ${mostValues} values are expected`,
  }),
];

/** Parameters of every search. FHIR R4 search.html#return. */
export const pagingParameters: ParameterTable<Paging> = {
  _count: {
    type: 'number',
    read(value, asked, name) {
      if (!/^\d{1,9}$/.test(value)) return malformed(name, value, 'a whole number is expected');
      asked.count = Math.min(Number(value), maximumCount);
      return none;
    },
  },
  _total: {
    type: 'token',
    read(value, asked, name) {
      if (value !== 'none' && value !== 'estimate' && value !== 'accurate')
        return malformed(name, value, 'none, estimate or accurate is expected');
      asked.total = value;
      return none;
    },
  },
  _format: { type: 'token', read: () => none },
  _pretty: { type: 'token', read: () => none },
  _page: {
    type: 'string',
    read(value, asked) {
      asked.page = value;
      return none;
    },
  },
};

/**
 * Reads what was asked into `asked` by the table of parameters. A parameter that is not served is ignored and reported, or refused in strict
 * handling; a modifier or chain that is not served is always refused, since ignoring it would change the meaning. FHIR R4 search.html#errors.
 * @throws Refused parameterMalformed, parameterUnknown, all in one
 */
export function readSearch<Asked extends Paging>(
  given: Given,
  table: ParameterTable<Asked>,
  asked: Asked,
  strict: boolean,
): Search {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const used: [string, string][] = [];
  const [beyond] = given[mostParameters] ?? [];
  if (beyond !== undefined) throw new Refused(tooMuch(beyond));
  for (const [name, value] of given) {
    const served: Parameter<Asked> | undefined = Object.hasOwn(table, name) ? table[name] : undefined;
    const common = Object.hasOwn(pagingParameters, name) ? pagingParameters[name] : undefined;
    const parameter = served ?? common;
    if (parameter !== undefined) {
      const isLong = value.length > mostValues && alternatives(value).length > mostValues;
      problems.push(...(isLong ? tooMuch(name) : parameter.read(value, asked, name)));
      if (name !== '_page') used.push([name, value]);
      continue;
    }
    const unknown = problem('parameterUnknown', { attribute: name });
    const modified = /[:.]/.test(name) && Object.hasOwn(table, name.replace(/[:.].*$/s, ''));
    (strict || modified ? problems : warnings).push(unknown);
  }
  if (problems.length > 0) throw new Refused(problems);
  return { used, warnings };
}

/** The rows of a parameter under another name that is used for it, which is told nowhere. */
export function alsoCalled<Asked>(table: ParameterTable<Asked>, name: string, other: string): ParameterTable<Asked> {
  const forms = Object.entries(table).filter(([form]) => form === name || form.startsWith(`${name}:`));
  return Object.fromEntries(
    forms.map(([form, row]) => [`${other}${form.slice(name.length)}`, { ...row, documentation: undefined }]),
  );
}

/** The rows of a chain under the type of what is referred to. FHIR R4 search.html#chaining. */
export function underType<Asked>(table: ParameterTable<Asked>, name: string, type: string): ParameterTable<Asked> {
  return Object.fromEntries(
    Object.entries(table).map(([form, row]) => [
      form.replace(`${name}.`, `${name}:${type}.`),
      { ...row, documentation: undefined },
    ]),
  );
}

/** `base` is the public address of this face, by which a patient may be named too. */
export type OfPatient = { readonly base: string; patient?: PatientRef };

function named(asked: OfPatient, patient: PatientRef, parameter: string, value: string): readonly Problem[] {
  if (asked.patient !== undefined && JSON.stringify(asked.patient) !== JSON.stringify(patient))
    return malformed(parameter, value, 'the patient is named by another parameter, in another way or as another one');
  asked.patient = patient;
  return none;
}

function readPatientIdentifier(value: string, asked: OfPatient, parameter: string): readonly Problem[] {
  const identifier = alternatives(value).length === 1 ? readIdentifier(value) : undefined;
  if (identifier === undefined) return malformed(parameter, value, 'urn:oid:<OID>|<value> of one patient is expected');
  return named(asked, identifier, parameter, value);
}

const patientParameter: Parameter<OfPatient> = {
  type: 'reference',
  documentation: 'The patient: Patient/<id>',
  read(value, asked, parameter) {
    const local = value.startsWith(`${asked.base}/`) ? value.slice(asked.base.length + 1) : value;
    const id = local.startsWith('Patient/') ? local.slice('Patient/'.length) : local;
    if (!/^[A-Za-z0-9.-]{1,64}$/.test(id)) return malformed(parameter, value, 'Patient/<id> is expected');
    return named(asked, { record: id }, parameter, value);
  },
};

/** The parameters that name the patient, by logical reference or by our id. IHE MHD 2:3.67.4.1.2.1. */
export const patientParameters: ParameterTable<OfPatient> = {
  ...namingPatient('patient'),
  'patient.identifier': {
    type: 'token',
    documentation: 'Identifier of the patient: urn:oid:<OID>|<value>',
    read: readPatientIdentifier,
  },
};

/** The same under the name of the element. */
export const subjectParameters: ParameterTable<OfPatient> = namingPatient('subject');

/** Whether a parameter of this name says of which patient the search is; any other that is ignored says nothing. */
export function namesPatient(name: string): boolean {
  return Object.hasOwn(patientParameters, name) || Object.hasOwn(subjectParameters, name);
}

function namingPatient(name: string): ParameterTable<OfPatient> {
  const identifier: Parameter<OfPatient> = { type: 'token', read: readPatientIdentifier };
  return {
    [name]: patientParameter,
    [`${name}:Patient`]: { ...patientParameter, documentation: undefined },
    [`${name}.identifier`]: identifier,
    [`${name}:identifier`]: identifier,
    [`${name}:Patient.identifier`]: identifier,
  };
}

/**
 * A date parameter: several values are and-ed. `put` gets the range, narrowed by those read before.
 * @param otherwise reads what no range can say: ne, ap and alternatives
 */
export function dateParameter<Asked>(
  documentation: string,
  get: (asked: Asked) => Span | undefined,
  put: (asked: Asked, span: Span) => void,
  otherwise?: Parameter<Asked>['read'],
): Parameter<Asked> {
  return {
    type: 'date',
    documentation,
    read(value, asked, name) {
      const date = alternatives(value).length === 1 ? readDate(value) : undefined;
      const span = date && instantsOf(date);
      if (span === undefined && otherwise !== undefined) return otherwise(value, asked, name);
      if (span === undefined) return malformed(name, value, 'one date with eq, ge, gt, le, lt, sa or eb is expected');
      put(asked, both(get(asked), span));
      return none;
    },
  };
}

/** The query string of these parameters. */
export function queryString(parameters: Given): string {
  const query = new URLSearchParams();
  for (const [name, value] of parameters) query.append(name, value);
  return query.toString();
}
