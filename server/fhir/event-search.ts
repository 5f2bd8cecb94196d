import type { AuditEvent, Coding, Reference } from 'fhir/r4.js';
import { professionalAuthority, structureAuthority } from '../domain/people.ts';
import { millisOf } from './instant.ts';
import type { Results } from './result-parameters.ts';
import { dateParameter, type OfPatient, type Parameter, type ParameterTable, patientParameters } from './search.ts';
import {
  type Conditions,
  dateRows,
  fixed,
  type Referred,
  readTokens,
  referenceRows,
  stringRows,
  tokenRows,
} from './search-conditions.ts';
import { alternatives, both, isToken, type Lasting, readDate, type Span, unescaped } from './search-values.ts';
import { fixedSystems, systemOf } from './vocabulary.ts';

/** What a search of events asks, as it is read: of each event as it is shown. */
export type EventQuestion = Results & OfPatient & Conditions<AuditEvent> & { date?: Span; actor?: string };

type Rows = ParameterTable<EventQuestion>;

const recordedOf = ({ recorded }: AuditEvent): Lasting => {
  const at = millisOf(recorded);
  return { from: at, to: at + 1 };
};
const recorded = dateRows<AuditEvent>('date', '', recordedOf);

const date = dateParameter<EventQuestion>(
  'When it happened; a bound is required',
  (question) => question.date,
  (question, span) => {
    question.date = span;
  },
  (value, question, parameter) => {
    const one = alternatives(value).length === 1 ? readDate(value) : undefined;
    if (one?.prefix !== 'ap') return recorded['date']?.read(value, question, parameter) ?? [];
    const tenth = Math.ceil(Math.abs(question.now - one.from) / 10);
    question.date = both(question.date, { from: one.from - tenth, to: one.to + tenth });
    return [];
  },
);

const codings = (...all: readonly (Coding | undefined)[]) =>
  all.flatMap((coding) => {
    const { system, code } = coding ?? {};
    return code === undefined ? [] : [{ code, ...(system !== undefined && { system }) }];
  });

/** National ids are what the types of professionals and structures are named by. */
const typeOf: Readonly<Record<string, string>> = {
  [professionalAuthority]: 'Practitioner',
  [structureAuthority]: 'Organization',
};

function referred(references: readonly (Reference | undefined)[]): Referred {
  const identifiers = references.flatMap((one) => {
    const { system, value } = one?.identifier ?? {};
    return value === undefined ? [] : [{ code: value, ...(system !== undefined && { system }) }];
  });
  const named = identifiers.flatMap(({ system, code }) => {
    const type = typeOf[systemOf(system ?? '')];
    return type === undefined ? [] : [`${type}/${code}`];
  });
  return { references: [...references.flatMap((one) => one?.reference ?? []), ...named], identifiers };
}

const agents = referenceRows<AuditEvent>(
  'agent',
  'Who took part: Practitioner/<PS_IdNat> or Organization/<Struct_IdNat>, or by :identifier',
  ({ agent }) => referred(agent.map(({ who }) => who)),
  ['Practitioner', 'Organization'],
);

/** A professional takes part as who acts alone: his events are found by the store. */
function byAgent(row: Parameter<EventQuestion> | undefined): Parameter<EventQuestion> {
  return {
    type: 'token',
    read(value, question, parameter) {
      const [token, ...more] = readTokens(value) ?? [];
      const isOne = more.length === 0 && token !== undefined && token.code !== '';
      if (isOne && systemOf(token.system ?? '') === professionalAuthority) question.actor ??= token.code;
      return row?.read(value, question, parameter) ?? [];
    },
  };
}

const entities = referenceRows<AuditEvent>(
  'entity',
  'What it was about: Patient/<id>, DocumentReference/<id> or Binary/<id>, or by :identifier',
  ({ entity = [] }) => referred(entity.map(({ what }) => what)),
  ['Patient', 'DocumentReference', 'Binary'],
);

/** The patient whom the search names is the entity of events that name the record alone. */
function byEntity(row: Parameter<EventQuestion> | undefined): Parameter<EventQuestion> {
  return {
    type: 'token',
    read(value, question, parameter) {
      const named: EventQuestion = { ...question, tests: [] };
      const problems = row?.read(value, named, parameter) ?? [];
      const tokens = readTokens(value) ?? [];
      const isPatient = () => {
        const { patient } = question;
        if (patient === undefined || !('oid' in patient)) return false;
        return tokens.some((token) => isToken({ system: patient.oid, code: patient.value }, token));
      };
      const isOfRecord = ({ entity = [] }: AuditEvent) =>
        entity.some(({ what }) => what?.reference?.startsWith('Patient/') === true);
      question.tests.push((event) => named.tests.every((test) => test(event)) || (isPatient() && isOfRecord(event)));
      return problems;
    },
  };
}

const sources = referenceRows<AuditEvent>(
  'source',
  'Who recorded it: this server or the partner’s system that told it, by :identifier',
  ({ source }) => referred([source.observer]),
  [],
);
const bySource: Parameter<EventQuestion>['read'] = (...given) => sources['source.identifier']?.read(...given) ?? [];

const policy: Parameter<EventQuestion> = {
  type: 'uri',
  documentation: 'The credential of who acted',
  read(value, { tests }) {
    const wanted = alternatives(value).map(unescaped);
    tests.push(({ agent }) => agent.some(({ policy: own = [] }) => own.some((one) => wanted.includes(one))));
    return [];
  },
};

/** Search parameters of AuditEvent. IHE ITI Supplement RESTful ATNA 3.81.4.1.2; IHE BALP; FHIR R4. */
export const eventParameters: Rows = {
  ...patientParameters,
  date,
  ...dateRows<AuditEvent>('_lastUpdated', 'When it was recorded', recordedOf),
  ...tokenRows<AuditEvent>('_id', 'Number of the event', ({ id = '' }) => [{ code: id }]),
  ...agents,
  'agent.identifier': { ...byAgent(agents['agent.identifier']), documentation: 'Identifier of who took part' },
  'agent:identifier': byAgent(agents['agent:identifier']),
  ...stringRows<AuditEvent>('agent-name', 'Begin of the name of who took part', ({ agent }) =>
    agent.flatMap(({ name }) => name ?? []),
  ),
  ...tokenRows<AuditEvent>('agent-role', 'Profession of who acted', ({ agent }) =>
    codings(...agent.flatMap(({ role = [] }) => role.flatMap(({ coding = [] }) => coding))),
  ),
  ...stringRows<AuditEvent>('address', 'Begin of a network address', ({ agent }) =>
    agent.flatMap(({ network }) => network?.address ?? []),
  ),
  policy,
  ...entities,
  'entity.identifier': { ...byEntity(entities['entity.identifier']), documentation: 'Identifier of what it was about' },
  'entity:identifier': byEntity(entities['entity:identifier']),
  ...tokenRows<AuditEvent>('entity-type', 'Type of what it was about', ({ entity = [] }) =>
    codings(...entity.map((one) => one.type)),
  ),
  ...tokenRows<AuditEvent>('entity-role', 'Role of what it was about', ({ entity = [] }) =>
    codings(...entity.map(({ role }) => role)),
  ),
  ...sources,
  'source.identifier': { type: 'token', documentation: 'Identifier of who recorded it', read: bySource },
  ...tokenRows<AuditEvent>('site', 'Address or name of who recorded it', ({ source: { site } }) =>
    site === undefined ? [] : [{ code: site }],
  ),
  ...tokenRows<AuditEvent>('type', 'Type of the event', (event) => codings(event.type)),
  ...tokenRows<AuditEvent>('subtype', 'Transaction, interaction', ({ subtype = [] }) => codings(...subtype)),
  ...tokenRows<AuditEvent>('action', 'C, R, U, D or E', ({ action }) =>
    action === undefined ? [] : fixed(action, fixedSystems.eventAction),
  ),
  ...tokenRows<AuditEvent>('outcome', '0, 4 or 8', ({ outcome }) =>
    outcome === undefined ? [] : fixed(outcome, fixedSystems.eventOutcome),
  ),
};
