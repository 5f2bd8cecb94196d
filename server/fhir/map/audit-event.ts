import type { AuditEvent as FhirAuditEvent } from 'fhir/r4.js';
import type { Refusal } from '../../domain/decision.ts';
import { catalogue, type ProblemName, problem, wordsOf } from '../../domain/error.ts';
import type { AuditEvent } from '../../domain/event.ts';
import { audit, uris } from '../vocabulary.ts';
import { agentsOf } from './audit-agent.ts';
import { claimed, entitiesOf } from './audit-entity.ts';
import { actionOf, shapeOf } from './audit-shape.ts';
import { toldEventOf } from './told-event.ts';

/** What the map needs to know of this server. */
export type Observer = { readonly base: string; readonly repositoryUniqueId: string };

/** This server, for its maps. */
export function observerOf({
  base,
  tools: { settings },
}: {
  readonly base: string;
  readonly tools: { readonly settings: Pick<Observer, 'repositoryUniqueId'> };
}): Observer {
  return { base, repositoryUniqueId: settings.repositoryUniqueId };
}

/**
 * One event of the record's history; what a partner told, as it was told. A profile is claimed only by an event that succeeded and has all that the profile asks for.
 */
export function auditEventOf(happened: AuditEvent, observer: Observer): FhirAuditEvent {
  const { origin, outcome, told } = happened;
  if (told !== undefined) return toldEventOf(happened.sequence, happened.actor, told);
  const shape = shapeOf(happened);
  const who = { identifier: { system: uris, value: observer.base }, display: 'OpenDMP' };
  const agent = agentsOf(happened, shape, who);
  const entity = entitiesOf(happened, shape, observer.repositoryUniqueId);
  const profile = outcome === 'done' ? claimed(shape, agent, entity) : undefined;
  const description = descriptionOf(happened);
  return {
    resourceType: 'AuditEvent',
    id: String(happened.sequence),
    ...(profile !== undefined && { meta: { profile: [profile] } }),
    type: shape.type,
    ...(shape.subtype.length > 0 && { subtype: [...shape.subtype] }),
    action: origin.transaction === 'internal' ? actionOf(happened.action) : shape.action,
    recorded: new Date(happened.at).toISOString(),
    outcome: outcome === 'done' ? '0' : outcome === 'refused' ? '8' : '4',
    ...(description !== undefined && { outcomeDesc: description }),
    agent,
    source: {
      site: observer.base,
      observer: who,
      type: [{ system: audit.sourceType, code: '4', display: 'Application Server' }],
    },
    entity,
  };
}

/**
 * What the caller was told: for a refusal the public words of its problem, never the reason behind it. Of a message that was wrong the event
 * keeps no more than the name of its first problem.
 */
function descriptionOf({ outcome, ground = 'internal', patient }: AuditEvent): string | undefined {
  if (outcome === 'done') return undefined;
  const name = isProblem(ground) ? ground : isReason(ground) ? told[ground] : 'internal';
  if (Object.values(told).includes(name)) return wordsOf(problem(name, patient && { value: patient.value }));
  return `${name}. Rule: ${catalogue[name].rule}.`;
}

const told: Readonly<Record<Refusal['reason'], ProblemName>> = {
  unknownRecord: 'unknownPatient',
  recordDestroyed: 'unknownPatient',
  recordClosed: 'recordClosed',
  otherPatient: 'patientDiffersFromCredential',
  matrix: 'accessDenied',
  blocked: 'accessDenied',
  modeNotAllowed: 'accessDenied',
  reasonMissing: 'accessDenied',
  opposed: 'accessDenied',
  notAuthorised: 'accessDenied',
  expired: 'accessDenied',
  profession: 'accessDenied',
  secretSession: 'accessDenied',
  rightMissing: 'accessDenied',
  illegalMove: 'accessDenied',
};

function isReason(ground: string): ground is Refusal['reason'] {
  return Object.hasOwn(told, ground);
}

function isProblem(ground: string): ground is ProblemName {
  return Object.hasOwn(catalogue, ground);
}
