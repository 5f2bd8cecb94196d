import type { DocumentEntry } from '../domain/document.ts';
import type { Problem } from '../domain/error.ts';
import type { Cxi } from '../domain/identifier.ts';
import type { CodeMatch } from '../store/port.ts';
import type { DocumentNames } from '../usecases/query.ts';
import { authorNames, authorReferred, personReferred } from './author-search.ts';
import type { DocumentQuestion, SingleCode, Tested } from './document-search.ts';
import { statusesShownAs } from './document-status.ts';
import { malformed, none } from './malformed.ts';
import { relationOf } from './map/association.ts';
import { relatedIdentifier, uniqueIdentifier, uniqueIdOf } from './map/code.ts';
import { idOf } from './map/document-reference.ts';
import {
  alsoCalled,
  dateParameter,
  type Parameter,
  type ParameterTable,
  patientParameters,
  subjectParameters,
} from './search.ts';
import { dateRows, fixed, readTokens, referenceRows, stringRows, tokenRows } from './search-conditions.ts';
import {
  alternatives,
  both,
  type Lasting,
  lastingOf,
  readCode,
  readDate,
  readToken,
  type Span,
  tokensUnder,
  unescaped,
} from './search-values.ts';
import { encounterReference, fixedSystems, uris } from './vocabulary.ts';

type DocumentParameter = Parameter<DocumentQuestion>;
type Rows = ParameterTable<DocumentQuestion>;

const everyStatus = [...statusesShownAs.values()].flat();

function status(wanted: boolean): DocumentParameter {
  return {
    type: 'token',
    read(value, question, parameter) {
      const list = tokensUnder(fixedSystems.documentStatus, value).map(({ code }) => statusesShownAs.get(code));
      if (list.includes(undefined))
        return malformed(parameter, value, 'current, superseded or entered-in-error is expected');
      const named = list.flatMap((some) => some ?? []);
      const asked = wanted ? named : everyStatus.filter((one) => !named.includes(one));
      question.statuses = question.statuses?.filter((one) => asked.includes(one)) ?? asked;
      return none;
    },
  };
}

/** A coded attribute: what is no plain list of codes is asked of each document. */
function codes(
  name: string,
  documentation: string,
  of: (entry: DocumentEntry) => DocumentEntry['eventCodes'],
  put: (question: DocumentQuestion, list: CodeMatch[]) => void,
): Rows {
  const rows = tokenRows<Tested>(name, documentation, ({ document: { entry } }) => of(entry));
  return {
    ...rows,
    [name]: {
      type: 'token',
      documentation,
      read(value, question, parameter) {
        const list = alternatives(value).map(readCode);
        const known = list.filter((code) => code !== undefined);
        if (known.length < list.length) return rows[name]?.read(value, question, parameter) ?? none;
        put(question, known);
        return none;
      },
    },
  };
}

function singleCode(name: string, key: SingleCode, of: (entry: DocumentEntry) => DocumentEntry['typeCode']): Rows {
  return codes(
    name,
    key.slice(0, -1),
    (entry) => [of(entry)],
    ({ codes: asked }, list) => {
      asked[key] = [...(asked[key] ?? []), list];
    },
  );
}

/** A date attribute: what no range can say is asked of each document. */
function date(
  name: string,
  documentation: string,
  key: 'creation' | 'start' | 'end' | 'changed',
  of: (found: Tested) => Lasting | undefined,
): Rows {
  const rows = dateRows<Tested>(name, documentation, of);
  const otherwise = rows[name]?.read;
  const put = (question: DocumentQuestion, span: Span) => {
    question[key] = span;
  };
  return { ...rows, [name]: dateParameter(documentation, (question) => question[key], put, otherwise) };
}

const dtm = (text: string | undefined) => (text === undefined ? undefined : lastingOf(text));
const instant = (at: number): Lasting => ({ from: at, to: at + 1 });

function periodOf({ document: { entry } }: Tested): Lasting | undefined {
  const [start, stop] = [dtm(entry.serviceStartTime), dtm(entry.serviceStopTime)];
  if (start === undefined && stop === undefined) return undefined;
  return { from: start?.from ?? Number.NEGATIVE_INFINITY, to: stop?.to ?? Number.POSITIVE_INFINITY };
}

const period = dateRows<Tested>('period', 'serviceStartTime to serviceStopTime, without which it goes on', periodOf);

function relatedOf(isOne: (reference: Cxi) => boolean) {
  return ({ document: { entry } }: Tested) => ({
    references: [],
    identifiers: entry.referenceIds.filter(isOne).map((reference) => {
      const { system, value } = relatedIdentifier(reference);
      return { code: value ?? '', ...(system !== undefined && { system }) };
    }),
  });
}

/** The documents that one relates to, and by which relation. */
function targetsOf({ relations }: Tested) {
  return relations.map(({ association, target }) => ({
    relation: { code: relationOf[association.type] ?? '' },
    references: 'document' in target ? [`DocumentReference/${idOf(target.document.entry.logicalID)}`] : [],
    identifiers: identifiersOf('document' in target ? target.document.entry : target.set),
  }));
}

function identifiersOf({ entryUUID, uniqueId }: Pick<DocumentEntry, 'entryUUID' | 'uniqueId'>) {
  const { system = '', value = '' } = uniqueIdentifier(uniqueId);
  return [
    { system: uris, code: entryUUID },
    { system, code: value },
  ];
}

const relatesTo = referenceRows<Tested>(
  'relatesto',
  'What the document replaces, appends, transforms or signs: DocumentReference/<id>, or by :identifier',
  (found) => {
    const targets = targetsOf(found);
    return {
      references: targets.flatMap(({ references }) => references),
      identifiers: targets.flatMap(({ identifiers }) => identifiers),
    };
  },
  ['DocumentReference'],
);

/** Both of one relation: `<reference>$<code>`. FHIR R4 search.html#composite. */
const relationship: DocumentParameter = {
  type: 'composite',
  documentation: 'relatesto and relation of one relation: DocumentReference/<id>$<code>',
  read(value, question, parameter) {
    const pairs = alternatives(value).map((text) => /^(?:\S*\/)?([A-Za-z0-9.-]{1,64})\$([a-z]+)$/.exec(text) ?? []);
    if (pairs.some(([, id]) => id === undefined))
      return malformed(parameter, value, 'DocumentReference/<id>$<code> is expected');
    question.tests.push((found) =>
      targetsOf(found).some(({ relation, references }) =>
        pairs.some(([, id, code]) => relation.code === code && references.includes(`DocumentReference/${id}`)),
      ),
    );
    return none;
  },
};

const location: DocumentParameter = {
  type: 'uri',
  documentation: 'Address of the bytes',
  read(value, question) {
    const urls = alternatives(value).map(unescaped);
    question.tests.push(({ document: { entry } }) => urls.includes(`${question.base}/Binary/${idOf(entry.logicalID)}`));
    return none;
  },
};

const served: Rows = {
  ...patientParameters,
  ...subjectParameters,
  status: {
    ...status(true),
    documentation: 'current, superseded or entered-in-error; by default all but the last',
  },
  'status:not': status(false),
  ...tokenRows<Tested>('isArchived', 'true or false (PDSm)', ({ document }) => [
    { code: String(document.entry.status === 'archived') },
  ]),
  isArchived: {
    type: 'token',
    documentation: 'true or false (PDSm)',
    read(value, question, parameter) {
      const values = alternatives(value).map((text) => readToken(text).code);
      const [first, ...others] = new Set(values);
      if (!values.every((one) => one === 'true' || one === 'false'))
        return malformed(parameter, value, 'true or false is expected');
      const isAnother = question.archived !== undefined && question.archived !== (first === 'true');
      if (isAnother && others.length === 0) question.tests.push(() => false);
      else if (others.length === 0) question.archived = first === 'true';
      return none;
    },
  },
  ...singleCode('type', 'typeCodes', ({ typeCode }) => typeCode),
  ...singleCode('category', 'classCodes', ({ classCode }) => classCode),
  ...singleCode('setting', 'practiceSettingCodes', ({ practiceSettingCode }) => practiceSettingCode),
  ...singleCode('facility', 'healthcareFacilityTypeCodes', (entry) => entry.healthcareFacilityTypeCode),
  ...singleCode('format', 'formatCodes', ({ formatCode }) => formatCode),
  ...codes(
    'event',
    'eventCodeList',
    ({ eventCodes }) => eventCodes,
    ({ events }, list) => void events.push(list),
  ),
  ...codes(
    'security-label',
    'confidentialityCode',
    ({ confidentialityCodes }) => confidentialityCodes,
    ({ confidentiality }, list) => void confidentiality.push(list),
  ),
  ...date('creation', 'creationTime', 'creation', ({ document }) => dtm(document.entry.creationTime)),
  ...period,
  period: {
    type: 'date',
    documentation: 'serviceStartTime to serviceStopTime, without which it goes on',
    read: readPeriod,
  },
  ...date('period-start', 'serviceStartTime (PDSm)', 'start', ({ document }) => dtm(document.entry.serviceStartTime)),
  ...date('period-end', 'serviceStopTime (PDSm)', 'end', ({ document }) => dtm(document.entry.serviceStopTime)),
  ...dateRows<Tested>('date', 'When the entry was registered', ({ document }) => instant(document.registeredAt)),
  identifier: { type: 'token', documentation: 'entryUUID or uniqueId', read: readIdentifiers },
  _id: {
    type: 'token',
    documentation: 'Id of the resource',
    read(value, question) {
      const values = alternatives(value).map((id) => `urn:uuid:${unescaped(id).toLowerCase()}`);
      return namedBy(question, [{ by: 'logicalID', values }]);
    },
  },
  ...date('_lastUpdated', 'Since when the resource is as it is', 'changed', ({ document }) =>
    instant(document.changedAt),
  ),
  ...authorNames<Tested>('author', 'an author', ({ document }) => document.entry.authors),
  ...referenceRows<Tested>(
    'author',
    'Practitioner/<PS_IdNat> or Organization/<Struct_IdNat>, or by :identifier',
    ({ document }) => authorReferred(document.entry.authors),
    ['Practitioner', 'Organization'],
  ),
  ...referenceRows<Tested>(
    'authenticator',
    'legalAuthenticator: Practitioner/<PS_IdNat>, or by :identifier',
    ({ document: { entry } }) => personReferred(entry.legalAuthenticator),
    ['Practitioner'],
  ),
  ...referenceRows<Tested>(
    'related',
    'referenceIdList, by :identifier',
    relatedOf(({ type }) => type !== encounterReference),
    [],
  ),
  ...referenceRows<Tested>(
    'encounter',
    'Encounter of referenceIdList, by :identifier',
    relatedOf(({ type }) => type === encounterReference),
    [],
  ),
  ...relatesTo,
  ...tokenRows<Tested>('relation', 'replaces, appends, transforms or signs', (found) =>
    targetsOf(found).map(({ relation }) => relation),
  ),
  relationship,
  ...stringRows<Tested>('description', 'Begin of the comments', ({ document: { entry } }) =>
    entry.comments === undefined ? [] : [entry.comments.value],
  ),
  ...tokenRows<Tested>('contenttype', 'mimeType', ({ document }) =>
    fixed(document.entry.mimeType, fixedSystems.mediaType),
  ),
  ...tokenRows<Tested>('language', 'languageCode', ({ document }) =>
    fixed(document.entry.languageCode, fixedSystems.language),
  ),
  location,
};

/**
 * The search parameters of DocumentReference, also by the names that the CapabilityStatements of the guides give them.
 * IHE MHD 2:3.67.4.1.2.1; PDSm parameters period-start, period-end, isArchived; FHIR R4.
 */
export const documentParameters: Rows = {
  ...served,
  ...alsoCalled(served, '_lastUpdated', '_lastupdated'),
  ...alsoCalled(served, 'isArchived', 'PDSm_isArchived'),
  ...alsoCalled(served, 'period-start', 'PDSm_DocumentReference_period-start'),
  ...alsoCalled(served, 'period-end', 'PDSm_DocumentReference_period-end'),
};

/**
 * The period overlaps, or for `eq` lies within, the range of the date; without an end it goes on. FHIR R4 search.html#prefix, datatypes.html#Period.
 */
function readPeriod(value: string, question: DocumentQuestion, parameter: string): readonly Problem[] {
  const one = alternatives(value).length === 1 ? readDate(value) : undefined;
  const of: Readonly<Record<string, readonly [start: Span, stop: Span, end?: Span]>> = one
    ? {
        eq: [{ from: one.from, to: one.to }, {}, { to: one.to }],
        ge: [{}, { from: one.from }],
        gt: [{}, { from: one.to }],
        le: [{ to: one.to }, {}],
        lt: [{ to: one.from }, {}],
        sa: [{ from: one.to }, {}],
        eb: [{ to: one.from }, {}, { to: one.from }],
      }
    : {};
  const spans = of[one?.prefix ?? ''];
  if (spans === undefined) return period['period']?.read(value, question, parameter) ?? none;
  question.start = both(question.start, spans[0]);
  question.stop = both(question.stop, spans[1]);
  if (spans[2] !== undefined) question.end = both(question.end, spans[2]);
  return none;
}

function readIdentifiers(value: string, question: DocumentQuestion, parameter: string): readonly Problem[] {
  const tokens = readTokens(value)?.filter(({ code }) => code !== '') ?? [];
  if (tokens.length < alternatives(value).length)
    return malformed(parameter, value, 'system|value or value is expected');
  const isUuid = ({ system, code }: (typeof tokens)[number]) =>
    (system === undefined || system === uris) && code.startsWith('urn:uuid:');
  const entryUUIDs = tokens.filter(isUuid).map(({ code }) => code.toLowerCase());
  const uniqueIds = tokens.filter((token) => !isUuid(token)).map(({ system, code }) => uniqueIdOf(system, code));
  return namedBy(question, [
    ...(entryUUIDs.length > 0 ? [{ by: 'anyVersion', values: entryUUIDs } as const] : []),
    // A uniqueId may be a UUID as well.
    ...(uniqueIds.length > 0 ? [{ by: 'uniqueId', values: uniqueIds } as const] : []),
  ]);
}

/** The first names find documents; those of further parameters are asked of what is found. */
function namedBy(question: DocumentQuestion, names: DocumentNames[]): readonly Problem[] {
  if (question.names === undefined) question.names = names;
  else
    question.tests.push(({ document: { entry } }) =>
      names.some(({ by, values }) => values.includes(entry[by === 'anyVersion' ? 'entryUUID' : by])),
    );
  return none;
}
