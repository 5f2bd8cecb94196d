import type { AvailabilityStatus, DocumentEntry } from '../domain/document.ts';
import { type Problem, problem } from '../domain/error.ts';
import type { CodeMatch, DocumentFilter } from '../store/port.ts';
import { uniqueIdOf } from './map/code.ts';
import {
  dateParameter,
  type OfPatient,
  type Paging,
  type Parameter,
  type ParameterTable,
  patientParameters,
} from './search.ts';
import { alternatives, both, readCode, readDate, readToken, type Span, timeRange } from './search-values.ts';
import { uris } from './vocabulary.ts';

/** What a search of documents asks, as it is read. Lists of lists: the inner ones are ORs, all of the outer must hold. */
export type DocumentQuestion = Paging &
  OfPatient & {
    statuses?: AvailabilityStatus[];
    archived?: boolean;
    entryUUIDs?: string[];
    logicalIDs?: string[];
    uniqueIds?: string[];
    codes: { [K in SingleCode]?: CodeMatch[][] };
    events: CodeMatch[][];
    confidentiality: CodeMatch[][];
    families?: string[];
    givens?: string[];
    creation?: Span;
    start?: Span;
    stop?: Span;
    changed?: Span;
  };

type SingleCode = 'classCodes' | 'typeCodes' | 'formatCodes' | 'practiceSettingCodes' | 'healthcareFacilityTypeCodes';

/** @param base the public address of this face */
export function emptyQuestion(base: string): DocumentQuestion {
  return { base, codes: {}, events: [], confidentiality: [] };
}

type DocumentParameter = Parameter<DocumentQuestion>;
const none: readonly Problem[] = [];
const wrong = (attribute: string, value: string, detail: string) => [
  problem('parameterMalformed', { attribute, value, detail }),
];

/** Statuses by the FHIR code that they are shown as. */
const statuses: ReadonlyMap<string, readonly AvailabilityStatus[]> = new Map([
  ['current', ['approved', 'archived']],
  ['superseded', ['deprecated']],
  ['entered-in-error', ['deleted']],
]);

function codes(documentation: string, put: (question: DocumentQuestion, list: CodeMatch[]) => void): DocumentParameter {
  return {
    type: 'token',
    documentation,
    read(value, question, name) {
      const list = alternatives(value).map(readCode);
      const known = list.filter((code) => code !== undefined);
      if (known.length < list.length) return wrong(name, value, 'code or system|code is expected');
      put(question, known);
      return none;
    },
  };
}

function singleCode(key: SingleCode, documentation: string): DocumentParameter {
  return codes(documentation, ({ codes: asked }, list) => {
    asked[key] = [...(asked[key] ?? []), list];
  });
}

function name(part: 'families' | 'givens', documentation: string): DocumentParameter {
  return {
    type: 'string',
    documentation,
    read(value, question, parameter) {
      const names = alternatives(value).map((text) => readToken(text).code.trim());
      if (names.includes('') || question[part] !== undefined) return wrong(parameter, value, 'one name is expected');
      question[part] = names;
      return none;
    },
  };
}

/** The search parameters of DocumentReference. IHE MHD 2:3.67.4.1.2.1; PDSm parameters period-start, period-end, isArchived. */
export const documentParameters: ParameterTable<DocumentQuestion> = {
  ...patientParameters,
  status: {
    type: 'token',
    documentation: 'current, superseded or entered-in-error; by default all but the last',
    read(value, question, parameter) {
      const list = alternatives(value).map((text) => statuses.get(readToken(text).code));
      if (list.includes(undefined))
        return wrong(parameter, value, 'current, superseded or entered-in-error is expected');
      const asked = list.flatMap((some) => some ?? []);
      question.statuses = question.statuses?.filter((status) => asked.includes(status)) ?? asked;
      return none;
    },
  },
  isArchived: {
    type: 'token',
    documentation: 'true or false (PDSm)',
    read(value, question, parameter) {
      if (value !== 'true' && value !== 'false') return wrong(parameter, value, 'true or false is expected');
      question.archived = value === 'true';
      return none;
    },
  },
  type: singleCode('typeCodes', 'typeCode'),
  category: singleCode('classCodes', 'classCode'),
  setting: singleCode('practiceSettingCodes', 'practiceSettingCode'),
  facility: singleCode('healthcareFacilityTypeCodes', 'healthcareFacilityTypeCode'),
  format: singleCode('formatCodes', 'formatCode'),
  event: codes('eventCodeList', ({ events }, list) => events.push(list)),
  'security-label': codes('confidentialityCode', ({ confidentiality }, list) => confidentiality.push(list)),
  creation: dateParameter(
    'creationTime',
    ({ creation }) => creation,
    (question, span) => {
      question.creation = span;
    },
  ),
  period: { type: 'date', documentation: 'serviceStartTime to serviceStopTime', read: readPeriod },
  'period-start': dateParameter(
    'serviceStartTime (PDSm)',
    ({ start }) => start,
    (question, span) => {
      question.start = span;
    },
  ),
  'period-end': dateParameter(
    'serviceStopTime (PDSm)',
    ({ stop }) => stop,
    (question, span) => {
      question.stop = span;
    },
  ),
  identifier: { type: 'token', documentation: 'entryUUID or uniqueId', read: readIdentifiers },
  _id: {
    type: 'token',
    documentation: 'Id of the resource',
    read(value, question) {
      question.logicalIDs = [
        ...(question.logicalIDs ?? []),
        ...alternatives(value).map((id) => `urn:uuid:${id.toLowerCase()}`),
      ];
      return none;
    },
  },
  _lastUpdated: dateParameter(
    'Since when the resource is as it is',
    ({ changed }) => changed,
    (question, span) => {
      question.changed = span;
    },
  ),
  'author.family': name(
    'families',
    'Begin of the family name of an author, in the case given, upper, lower or capitalised',
  ),
  'author.given': name('givens', 'Begin of the given name of an author, likewise'),
};

/** The period overlaps, or for `eq` lies within, the range of the date. FHIR R4 search.html#prefix. */
function readPeriod(value: string, question: DocumentQuestion, parameter: string): readonly Problem[] {
  const date = alternatives(value).length === 1 ? readDate(value) : undefined;
  const of: Readonly<Record<string, readonly [start: Span, stop: Span]>> = date
    ? {
        eq: [{ from: date.from, to: date.to }, { to: date.to }],
        ge: [{}, { from: date.from }],
        gt: [{}, { from: date.to }],
        le: [{ to: date.to }, {}],
        lt: [{ to: date.from }, {}],
        sa: [{ from: date.to }, {}],
        eb: [{ to: date.from }, { to: date.from }],
      }
    : {};
  const spans = of[date?.prefix ?? ''];
  if (spans === undefined) return wrong(parameter, value, 'one date with eq, ge, gt, le, lt, sa or eb is expected');
  question.start = both(question.start, spans[0]);
  question.stop = both(question.stop, spans[1]);
  return none;
}

function readIdentifiers(value: string, question: DocumentQuestion, parameter: string): readonly Problem[] {
  for (const { system, code } of alternatives(value).map(readToken)) {
    if (code === '') return wrong(parameter, value, 'system|value or value is expected');
    if ((system === undefined || system === uris) && code.startsWith('urn:uuid:'))
      question.entryUUIDs = [...(question.entryUUIDs ?? []), code.toLowerCase()];
    else question.uniqueIds = [...(question.uniqueIds ?? []), uniqueIdOf(system, code)];
  }
  return question.entryUUIDs !== undefined && question.uniqueIds !== undefined
    ? wrong(parameter, value, 'entryUUIDs and uniqueIds are asked for in separate requests')
    : none;
}

/** The question as the store's filter. A repeated parameter of a single-valued attribute keeps the codes that all its lists hold. */
export function filterOf(question: DocumentQuestion): DocumentFilter {
  const { events, confidentiality, creation, start, stop } = question;
  const persons = personPatterns(question);
  const single = Object.entries(question.codes).map(([key, lists]) => [key, lists.reduce(common)] as const);
  return {
    statuses: statusesOf(question),
    ...Object.fromEntries(single),
    ...(events.length > 0 && { eventCodes: events }),
    ...(confidentiality.length > 0 && { confidentialityCodes: confidentiality }),
    ...(persons.length > 0 && { authorPersons: persons }),
    ...(creation && { creationTime: timeRange(creation) }),
    ...(question.changed && { changedAt: question.changed }),
    ...(start && { serviceStartTime: timeRange(start) }),
    ...(stop && { serviceStopTime: timeRange(stop) }),
  };
}

/** What an entry found by its name must still be: status alone may be asked beside names. */
export function passes({ status }: DocumentEntry, question: DocumentQuestion): boolean {
  return statusesOf(question).includes(status);
}

/** The question's parameters that a look-up by name cannot be combined with. */
export function besidesNames(question: DocumentQuestion): boolean {
  const { statuses: _statuses, ...rest } = filterOf(question);
  return Object.keys(rest).length > 0;
}

function statusesOf({ statuses: asked, archived }: DocumentQuestion): readonly AvailabilityStatus[] {
  const found = asked ?? ['approved', 'archived', 'deprecated'];
  return archived === undefined ? found : found.filter((status) => (status === 'archived') === archived);
}

function common(a: CodeMatch[], b: CodeMatch[]): CodeMatch[] {
  return a.flatMap((x) =>
    b
      .filter((y) => x.code === y.code && (x.system === undefined || y.system === undefined || x.system === y.system))
      .map((y) => ({ ...y, ...x })),
  );
}

/**
 * Patterns against the XCN text: family name in component 2, given name in component 3. The registry compares case-sensitively, so the usual
 * ways of writing a name are all asked for. IHE ITI TF-2 3.18.4.1.2.3.7.1; IHE MHD, author.given and author.family.
 */
function personPatterns({ families, givens }: DocumentQuestion): string[] {
  const starts = (names: string[] | undefined) => names?.flatMap(writings).map((text) => `^${text}%`) ?? [''];
  if (families === undefined && givens === undefined) return [];
  return starts(families).flatMap((family) => starts(givens).map((given) => `%${family}${given}`));
}

function writings(text: string): string[] {
  const plain = text.replace(/%/g, '_');
  const capitalised = plain.charAt(0).toUpperCase() + plain.slice(1).toLowerCase();
  return [...new Set([plain, plain.toUpperCase(), plain.toLowerCase(), capitalised])];
}
