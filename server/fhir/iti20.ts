import { Refused, refuse } from '../domain/error.ts';
import { feedAudit } from '../usecases/feed-audit.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { observerOf } from './map/audit-event.ts';
import { toldEventOf } from './map/told-event.ts';
import { preference } from './preference.ts';
import { toldEventIn } from './read/told-event.ts';
import { validate } from './validate.ts';

const type = 'AuditEvent';

/**
 * Takes an event that a partner's system recorded. Nothing of it is asked but what FHIR and the profiles that it claims ask. An event
 * that is sent again is kept once and answered as before: an AuditEvent has no name of its own, by which its sender could ask for it.
 * @throws Refused with everything that is wrong with it
 */
async function create(exchange: Exchange): Promise<Answer> {
  const { tools, request, base, header } = exchange;
  if (header('If-None-Exist') !== '')
    refuse('parameterUnknown', { attribute: 'If-None-Exist', detail: 'who tells of events finds none' });
  const sent = await exchange.json(type);
  const { resource: event, problems } = validate(sent, type);
  if (event === undefined) throw new Refused(problems);
  const { told, problems: others } = toldEventIn(event, observerOf(exchange), tools.now());
  if (problems.length + others.length > 0) throw new Refused([...problems, ...others]);
  const { sequence, receivedAt } = await feedAudit(tools, request, told);
  return {
    status: 201,
    body:
      preference(header('Prefer'), 'return') === 'minimal'
        ? ''
        : JSON.stringify(toldEventOf(sequence, request.caller.actor, { ...told, receivedAt })),
    headers: { Location: `${base}/${type}/${sequence}`, 'Last-Modified': new Date(receivedAt).toUTCString() },
  };
}

/** Record Audit Event, FHIR feed; several come in a batch. IHE ITI Supplement RESTful ATNA 3.20. */
export const auditFeedInteractions: readonly Interaction[] = [
  {
    method: 'POST',
    path: `/${type}`,
    resource: type,
    interaction: 'create',
    transaction: 'ITI-20',
    action: 'feedAudit',
    what: 'Tell of an event that a partner’s system recorded; several in a batch',
    handle: create,
  },
];
