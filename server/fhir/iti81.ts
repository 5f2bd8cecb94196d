import type { AuditEvent as FhirAuditEvent } from 'fhir/r4.js';
import { problem, Refused, refuse } from '../domain/error.ts';
import { eventOfHistory, history } from '../usecases/history.ts';
import { unknownUnlessNamed } from './concealment.ts';
import { type EventQuestion, eventParameters } from './event-search.ts';
import { type Answer, type Exchange, type Interaction, searchesOf } from './exchange.ts';
import { auditEventOf, observerOf } from './map/audit-event.ts';
import { answerSearch, searchOf } from './paged-search.ts';

const type = 'AuditEvent';

/** How events are searched. */
export const eventSearch = searchOf<EventQuestion>({
  type,
  parameters: eventParameters,
  sorts: ['date'],
  counted: 'whenAsked',
  includes: [],
  revIncludes: [],
});

/** The accesses to a record, newest first. */
async function search(exchange: Exchange): Promise<Answer> {
  const { tools, request, base } = exchange;
  const empty = (): EventQuestion => ({ base, now: tools.now(), tests: [] });
  return answerSearch(exchange, eventSearch, empty, async ({ asked, page, count, query }) => {
    const { date, actor, patient, tests } = asked;
    if (date === undefined)
      throw new Refused([
        problem('parameterMissing', { attribute: 'date', detail: 'a date bound is required, as date=ge2026-01-01' }),
      ]);
    const observer = observerOf(exchange);
    const passes = (event: FhirAuditEvent) => tests.every((test) => test(event));
    const { items, ...found } = await history(tools, request, {
      ...(patient && { patient }),
      filter: { ...date, ...(actor !== undefined && { actor }) },
      ...(tests.length > 0 && { test: (event) => passes(auditEventOf(event, observer)) }),
      page,
      count,
      query,
    });
    const matches = items.map((event) => ({
      fullUrl: `${base}/${type}/${event.sequence}`,
      resource: JSON.stringify(auditEventOf(event, observer)),
    }));
    return { matches, ...found };
  });
}

async function read(exchange: Exchange): Promise<Answer> {
  const { tools, request, id } = exchange;
  if (!/^[1-9]\d{0,14}$/.test(id)) refuse('resourceUnknown', { value: `${type}/${id}` });
  const event = await eventOfHistory(tools, request, Number(id));
  return { body: JSON.stringify(auditEventOf(event, observerOf(exchange))) };
}

const finding = {
  resource: type,
  transaction: 'ITI-81',
  action: 'readHistory',
  handle: search,
} as const;

/** Retrieve ATNA Audit Event, and the read of one. */
export const eventInteractions: readonly Interaction[] = [
  ...searchesOf({ ...finding, what: 'Who did what to a record' }),
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
