import { nameOfActor } from '../domain/actor.ts';
import type { RecordFacts } from '../domain/decision.ts';
import { digestOfTold, type Told } from '../domain/event.ts';
import type { Identifier } from '../domain/identifier.ts';
import { isSubsumed, type RecordId } from '../domain/record.ts';
import { perform, type Request, type Tools } from './perform.ts';

/** How an event that is told names its patient: by an identifier, or as our record. */
export type PatientTold = { readonly identifier?: Identifier; readonly record?: RecordId };

/** An event that a partner recorded; `recordedAt` in milliseconds since 1970. */
export type EventTold = Omit<Told, 'receivedAt' | 'digest'> & {
  readonly recordedAt: number;
  readonly patient?: PatientTold;
};

/**
 * Takes an event of elsewhere into the trail: it is numbered and chained like our own, under the name of the system that tells it, and is in the
 * history of the record whose holder it names. Of somebody unknown it is kept in the security audit alone; the answer is the same. What the same
 * system told before in the same words is not kept again: who did not hear the answer asks again.
 * IHE ITI Supplement RESTful ATNA, ITI-20.
 * @returns the event's number, and when it was taken
 * @throws Refused what the decision refuses
 */
export async function feedAudit(
  tools: Tools,
  request: Request,
  { recordedAt, patient, ...event }: EventTold,
): Promise<{ readonly sequence: number; readonly receivedAt: number }> {
  const digest = digestOfTold(nameOfActor(request.caller.actor), event.resource);
  return perform(tools, request, 'feedAudit', 'none', async () => {
    const before = await tools.store.facts.toldEvent(digest);
    if (before !== undefined)
      return { answer: before, trace: { touched: { resource: `AuditEvent/${before.sequence}`, how: 'read' } } };
    const record = patient && (await recordOf(tools, patient));
    const receivedAt = tools.now();
    const trace = {
      at: recordedAt,
      told: { ...event, receivedAt, digest },
      ...(record !== undefined && { record }),
      ...(patient?.identifier && { patient: patient.identifier }),
    };
    return {
      answer: { sequence: 0, receivedAt },
      expect: [{ untold: digest }],
      numbered: ([sequence = 0]) => ({ sequence, receivedAt }),
      trace,
    };
  });
}

/** The record of a holder who is known by that name today; none that was destroyed or merged. */
async function recordOf({ store }: Tools, { identifier, record }: PatientTold): Promise<RecordId | undefined> {
  if (identifier !== undefined) {
    const facts = await store.facts.recordByIdentifier(identifier);
    return facts === undefined || isSubsumed(facts.record, identifier) ? undefined : living(facts);
  }
  return record === undefined ? undefined : living(await store.facts.recordById(record));
}

function living(facts: RecordFacts | undefined): RecordId | undefined {
  const { id, state } = facts?.record ?? {};
  return state === 'destroyed' || state === 'merged' ? undefined : id;
}
