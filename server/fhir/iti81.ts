import { problem, Refused, refuse } from '../domain/error.ts';
import type { AuditEvent } from '../domain/event.ts';
import { professionalAuthority, structureAuthority } from '../domain/people.ts';
import type { Page } from '../store/port.ts';
import { eventOfHistory, history } from '../usecases/history.ts';
import { entryOf, searchset } from './bundle.ts';
import { unknownUnlessNamed } from './concealment.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { auditEventOf } from './map/audit-event.ts';
import { readPagedSearch } from './paged-search.ts';
import {
  dateParameter,
  type OfPatient,
  type Paging,
  type Parameter,
  type ParameterTable,
  patientParameters,
} from './search.ts';
import { readToken, type Span } from './search-values.ts';

const type = 'AuditEvent';

type HistoryQuestion = Paging & OfPatient & { date?: Span; actor?: string };

const authorities: ReadonlySet<string> = new Set([professionalAuthority, structureAuthority]);

const agent: Parameter<HistoryQuestion>['read'] = (value, asked, attribute) => {
  const { system, code } = readToken(value);
  const oid = system?.startsWith('urn:oid:') === true ? system.slice(8) : system;
  const known = code !== '' && (oid === undefined || authorities.has(oid));
  if (!known || asked.actor !== undefined)
    return [
      problem('parameterMalformed', {
        attribute,
        value,
        detail: 'one identifier of a professional or structure is expected',
      }),
    ];
  asked.actor = code;
  return [];
};

/** Search parameters of AuditEvent. IHE ITI Supplement RESTful ATNA 3.81.4.1.2. */
export const eventParameters: ParameterTable<HistoryQuestion> = {
  ...patientParameters,
  date: dateParameter(
    'When it happened; a bound is required',
    ({ date }) => date,
    (asked, span) => {
      asked.date = span;
    },
  ),
  'agent.identifier': { type: 'token', documentation: 'Who acted: PS_IdNat or Struct_IdNat', read: agent },
  'agent:identifier': { type: 'token', read: agent },
};

/** The accesses to a record, newest first. */
async function search(exchange: Exchange): Promise<Answer> {
  const { tools, request, base } = exchange;
  const asked = readPagedSearch(exchange, type, eventParameters, (): HistoryQuestion => ({ base }));
  const { date, actor, patient } = asked.asked;
  if (date === undefined)
    throw new Refused([
      problem('parameterMissing', { attribute: 'date', detail: 'a date bound is required, as date=ge2026-01-01' }),
    ]);
  const filter = { ...date, ...(actor !== undefined && { actor }) };
  const found = await orNothing(
    history(tools, request, { ...(patient && { patient }), filter, page: asked.page, query: asked.query }),
  );
  const last = found.items.at(-1);
  return {
    body: searchset(
      {
        self: asked.self,
        ...(found.more && last && { next: asked.next(last.sequence) }),
        entries: found.items.map(
          (event) =>
            entryOf(`${base}/${type}/${event.sequence}`, JSON.stringify(auditEventOf(event, observerOf(exchange))))
              .bytes,
        ),
        warnings: asked.warnings,
      },
      request.origin.requestId,
    ),
  };
}

async function orNothing(found: Promise<Page<AuditEvent>>): Promise<Page<AuditEvent>> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof Refused && error.problems[0]?.name === 'unknownPatient') return { items: [], more: false };
    throw error;
  }
}

async function read(exchange: Exchange): Promise<Answer> {
  const { tools, request, id } = exchange;
  if (!/^[1-9]\d{0,14}$/.test(id)) refuse('resourceUnknown', { value: `${type}/${id}` });
  const event = await eventOfHistory(tools, request, Number(id));
  return { body: JSON.stringify(auditEventOf(event, observerOf(exchange))) };
}

function observerOf({ base, tools }: Exchange) {
  return { base, repositoryUniqueId: tools.settings.repositoryUniqueId };
}

const find = {
  resource: type,
  interaction: 'search-type',
  transaction: 'ITI-81',
  action: 'readHistory',
  handle: search,
} as const;

/** Retrieve ATNA Audit Event, and the read of one. */
export const eventInteractions: readonly Interaction[] = [
  { ...find, method: 'GET', path: `/${type}`, what: 'Who did what to a record' },
  { ...find, method: 'POST', path: `/${type}/_search`, what: 'The same, parameters in the body' },
  {
    method: 'GET',
    path: `/${type}/:id`,
    resource: type,
    interaction: 'read',
    transaction: 'read',
    action: 'readHistory',
    what: 'Read one event',
    handle: read,
    told: unknownUnlessNamed(type),
  },
];
