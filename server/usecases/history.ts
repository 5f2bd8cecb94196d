import { type Actor, professionalId, structureId } from '../domain/actor.ts';
import type { Permit } from '../domain/decision.ts';
import { refuse } from '../domain/error.ts';
import type { AuditEvent } from '../domain/event.ts';
import type { EventFilter, Page, PageRequest } from '../store/port.ts';
import { perform, type Request, type Subject, type Tools } from './perform.ts';
import { type PatientRef, recordAsked } from './query.ts';

export type HistoryQuestion = {
  /** Absent: the patient of the credential. */
  readonly patient?: PatientRef;
  readonly filter: EventFilter;
  readonly page: PageRequest;
  /** The question as it was asked, for the trace. */
  readonly query: string;
};

/**
 * The accesses to a record, newest first. The holder, the representatives and the treating doctor see all, another professional only his own.
 * The reading itself is an event too, and is in the next page that is read. CSP R.1111-43; access policy, traces.
 * @throws Refused `queryParameterMissing` when nobody names a patient, and what the decision refuses
 */
export async function history(tools: Tools, request: Request, question: HistoryQuestion): Promise<Page<AuditEvent>> {
  return perform(tools, request, 'readHistory', recordAsked(request, question.patient), async (permit) => {
    const { query, page } = question;
    const filter = narrowed(permit, request, question.filter);
    const answer =
      filter === undefined ? { items: [], more: false } : await tools.store.read.events(permit, filter, page);
    return { answer, trace: { query } };
  });
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
    if (event === undefined || (own !== undefined && nameOf(event.actor) !== own))
      refuse('resourceUnknown', { value: `AuditEvent/${sequence}` });
    return { answer: event };
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
