import { type Actor, professionalId, structureId } from '../domain/actor.ts';
import type { Permit } from '../domain/decision.ts';
import { refuse } from '../domain/error.ts';
import { type AuditEvent, actorsOf } from '../domain/event.ts';
import type { EventFilter, EventPlace } from '../store/port.ts';
import { type Keyed, type KeyedPage, type PageKey, pageOf } from './paging.ts';
import { perform, type Request, type Subject, shortened, type Tools } from './perform.ts';
import { type PatientRef, recordAsked } from './query.ts';

export type HistoryQuestion = {
  /** Absent: the patient of the credential. */
  readonly patient?: PatientRef;
  readonly filter: EventFilter;
  /** What is asked of each event as the caller may read it; absent: nothing. */
  readonly test?: (event: AuditEvent) => boolean;
  readonly page: KeyedPage;
  /** Whether to count all that match. */
  readonly count: boolean;
  /** The question as it was asked, for the trace. */
  readonly query: string;
};

export type EventsFound = Keyed<AuditEvent> & { readonly total?: number };

/**
 * The accesses to a record, newest first. The holder, the representatives and the treating doctor see all, another professional only his own.
 * The reading itself is an event too, and is in the next page that is read. CSP R.1111-43; access policy, traces.
 * @throws Refused `patientNotNamed` when nobody names a patient, and what the decision refuses
 */
export async function history(tools: Tools, request: Request, question: HistoryQuestion): Promise<EventsFound> {
  return perform(tools, request, 'readHistory', recordAsked(request, question.patient), async (permit) => {
    const { query, count } = question;
    const filter = narrowed(permit, request, question.filter);
    const nothing = { items: [], ...(count && { total: 0 }) };
    const answer = filter === undefined ? nothing : await pageOfEvents(tools, permit, { ...question, filter });
    return { answer, trace: { query: shortened(query) } };
  });
}

async function pageOfEvents(tools: Tools, permit: Permit, question: HistoryQuestion): Promise<EventsFound> {
  const { test = () => true, page, count } = question;
  if (page.ascending === true) return oldestFirst(tools, permit, question);
  const { limit } = page;
  const after = placeIn(page.after);
  const enough = question.test === undefined && !count ? limit + 1 : undefined;
  const items: AuditEvent[] = [];
  let total = 0;
  for await (const events of eventsOf(tools, permit, question.filter, { before: count ? undefined : after, enough })) {
    for (const event of events) {
      if (!test(event)) continue;
      total++;
      if (items.length <= limit && (after === undefined || isBefore(event, after))) items.push(event);
    }
    if (!count && items.length > limit) break;
  }
  const shown = items.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown, ...(items.length > limit && last && { next: keyOf(last) }), ...(count && { total }) };
}

/** The store reads newest first: the places of all are kept, and the events of the page read again. */
async function oldestFirst(tools: Tools, permit: Permit, question: HistoryQuestion): Promise<EventsFound> {
  const { filter, test = () => true, page, count } = question;
  const places: { key: readonly [at: number, sequence: number] }[] = [];
  for await (const events of eventsOf(tools, permit, filter, {}))
    for (const event of events) if (test(event)) places.push({ key: keyOf(event) });
  const { items, next } = pageOf(places, page);
  const found = await Promise.all(items.map(({ key: [, sequence] }) => tools.store.read.event(permit, sequence)));
  return {
    items: found.filter((event) => event !== undefined),
    ...(next && { next }),
    ...(count && { total: places.length }),
  };
}

const keyOf = ({ at, sequence }: EventPlace) => [at, sequence] as const;
const isBefore = (event: EventPlace, other: EventPlace) =>
  event.at < other.at || (event.at === other.at && event.sequence < other.sequence);

function placeIn(key: PageKey | undefined): EventPlace | undefined {
  return key === undefined ? undefined : { at: Number(key[0]), sequence: Number(key[1]) };
}

/** How many events are looked at together at most. */
const batch = 200;

/** Events, newest first and a batch at a time. @param enough where no more than so many are needed */
async function* eventsOf(
  { store }: Tools,
  permit: Permit,
  filter: EventFilter,
  { before: start, enough = batch }: { before?: EventPlace | undefined; enough?: number | undefined },
): AsyncGenerator<readonly AuditEvent[], void, undefined> {
  for (let before = start; ; ) {
    const page = { limit: Math.min(batch, enough), ...(before && { before }) };
    const { items, more } = await store.read.events(permit, filter, page);
    yield items;
    before = items.at(-1);
    if (!more || before === undefined) return;
  }
}

/**
 * One event by its number.
 * @throws Refused `resourceUnknown` when the event is of another record or not for the caller, and what the decision refuses
 */
export async function eventOfHistory(tools: Tools, request: Request, sequence: number): Promise<AuditEvent> {
  const { patient } = request.caller;
  const subject: Subject = patient === undefined ? { event: sequence } : { identifier: patient };
  return perform(tools, request, 'readHistory', subject, async (permit) => {
    const event = await tools.store.read.event(permit, sequence);
    const own = ownActor(permit, request);
    if (event === undefined || (own !== undefined && !actorsOf(event).includes(own)))
      refuse('resourceUnknown', { value: `AuditEvent/${sequence}` });
    return { answer: event, trace: { touched: { resource: `AuditEvent/${sequence}`, how: 'read' } } };
  });
}

/** The filter cut to what the caller may see; undefined when nothing is left. */
function narrowed(permit: Permit, request: Request, filter: EventFilter): EventFilter | undefined {
  const own = ownActor(permit, request);
  if (own === undefined) return filter;
  return filter.actor === undefined || filter.actor === own ? { ...filter, actor: own } : undefined;
}

/** The only actor whose events the caller may see; undefined for those who see all. */
function ownActor({ ground }: Permit, { caller: { actor } }: Request): string | undefined {
  if (ground === 'holder' || ground === 'representative' || ground === 'treatingDoctor') return undefined;
  return nameOf(actor);
}

function nameOf(actor: Actor | undefined): string {
  return actor === undefined ? '' : (professionalId(actor) ?? structureId(actor) ?? '');
}
