import type { AuditEvent as FhirAuditEvent } from 'fhir/r4.js';
import type { Actor } from '../../domain/actor.ts';
import type { Told } from '../../domain/event.ts';
import { audit } from '../vocabulary.ts';

/**
 * An event that a partner told, as it was sent, under our number. `meta.tag` says who told it: what the partner wrote of that is not kept, so that
 * nobody tells in the name of another.
 */
export function toldEventOf(
  sequence: number,
  actor: Actor | undefined,
  told: Pick<Told, 'resource' | 'receivedAt'>,
): FhirAuditEvent {
  // It was checked when it came.
  const { resourceType, id: _, meta = {}, ...content } = JSON.parse(told.resource) as FhirAuditEvent;
  const { versionId: __, tag = [], ...kept } = meta;
  const { id: code = '', name: display = '' } = actor?.kind === 'system' ? actor : {};
  return {
    resourceType,
    id: String(sequence),
    meta: {
      ...kept,
      lastUpdated: new Date(told.receivedAt).toISOString(),
      tag: [...tag.filter(({ system }) => system !== audit.toldBy), { system: audit.toldBy, code, display }],
    },
    ...content,
  };
}
