import { createHash } from 'node:crypto';
import type { Actor } from '../domain/actor.ts';
import type { AuditEvent } from '../domain/event.ts';

/** What the first event of the chain names as its predecessor. */
export const chainStart = '0'.repeat(64);

/** The hash of an event: SHA-256 of the previous hash (its 32 bytes) and of the event's JSON in UTF-8; hexadecimal. */
export function chainHash(previous: string, json: string): string {
  return createHash('sha256').update(previous, 'hex').update(json).digest('hex');
}

/** The ids under which an actor's events are found: a person's or a structure's own; under AIR both act. */
export function actorIds(actor: Actor | undefined): string[] {
  if (actor === undefined) return [];
  if (actor.kind === 'structure') return [actor.structure.id, ...(actor.employee ? [actor.employee.id] : [])];
  if (actor.kind === 'patient') return [actor.ins.value];
  return actor.kind === 'air' && actor.structure ? [actor.id, actor.structure.id] : [actor.id];
}

/**
 * The event as a viewer may read it: hidden documents are not named, nor is a query that spells one out. Undefined when it named only
 * hidden ones.
 */
export function withoutHidden(event: AuditEvent, isHidden: (entryUUID: string) => boolean): AuditEvent | undefined {
  const hidden = event.documents?.filter((d) => isHidden(d.entryUUID)) ?? [];
  if (event.documents === undefined || hidden.length === 0) return event;
  if (hidden.length === event.documents.length) return undefined;
  const { query, ...rest } = event;
  const spells = hidden.some((d) => query?.includes(d.entryUUID) === true || query?.includes(d.uniqueId) === true);
  return {
    ...rest,
    documents: event.documents.filter((d) => !hidden.includes(d)),
    ...(query !== undefined && !spells && { query }),
  };
}
