import type { AuditEventAgent, AuditEventEntity, AuditEvent as FhirAuditEvent } from 'fhir/r4.js';
import type { Refusal } from '../../domain/decision.ts';
import { catalogue, type ProblemName, problem, wordsOf } from '../../domain/error.ts';
import type { AuditEvent } from '../../domain/event.ts';
import { audit, uris } from '../vocabulary.ts';
import { agentsOf, isStructure } from './audit-agent.ts';
import { actionOf, type Shape, shapeOf } from './audit-shape.ts';
import { uniqueIdentifier } from './code.ts';
import { idOf } from './document-reference.ts';
import { toldEventOf } from './told-event.ts';

/** What the map needs to know of this server. */
export type Observer = { readonly base: string; readonly repositoryUniqueId: string };

/**
 * One event of the record's history; what a partner told, as it was told. A profile is claimed only by an event that succeeded and has all that the profile asks for.
 */
export function auditEventOf(happened: AuditEvent, observer: Observer): FhirAuditEvent {
  const { origin, outcome, told } = happened;
  if (told !== undefined) return toldEventOf(happened.sequence, happened.actor, told);
  const shape = shapeOf(happened);
  const who = { identifier: { system: uris, value: observer.base }, display: 'OpenDMP' };
  const agent = agentsOf(happened, shape, who);
  const entity = entitiesOf(happened, observer);
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

function entitiesOf(happened: AuditEvent, { repositoryUniqueId }: Observer): AuditEventEntity[] {
  const { origin, patient, record, documents = [], submissionSet, query, ground, statedReason, outcome } = happened;
  const entities: AuditEventEntity[] = [];
  if (patient !== undefined || record !== undefined) {
    const detail = [
      ...(outcome === 'done' && ground !== undefined ? [{ type: 'ground', valueString: ground }] : []),
      ...(statedReason === undefined ? [] : [{ type: 'Mode_Acces_Raison', valueString: statedReason }]),
    ];
    entities.push({
      what: {
        ...(record !== undefined && { reference: `Patient/${record}` }),
        ...(patient && { identifier: { system: `urn:oid:${patient.oid}`, value: patient.value } }),
      },
      type: { system: audit.entityType, code: '1', display: 'Person' },
      role: { system: audit.role, code: '1', display: 'Patient' },
      ...(detail.length > 0 && { detail }),
    });
  }
  const bytes = happened.action === 'retrieveDocuments';
  for (const { entryUUID, uniqueId, logicalID = entryUUID } of documents)
    entities.push({
      what: {
        reference: `${bytes ? 'Binary' : 'DocumentReference'}/${idOf(logicalID)}`,
        identifier: uniqueIdentifier(uniqueId),
      },
      type: { system: audit.entityType, code: '2', display: 'System Object' },
      role: { system: audit.role, code: '3', display: 'Report' },
      detail: [
        { type: 'uniqueId', valueString: uniqueId },
        ...(origin.transaction === 'ITI-43'
          ? [{ type: 'Repository Unique ID', valueBase64Binary: base64(repositoryUniqueId) }]
          : []),
      ],
    });
  if (submissionSet !== undefined)
    entities.push({
      what: { identifier: { system: uris, value: submissionSet.entryUUID } },
      type: { system: audit.entityType, code: '2', display: 'System Object' },
      role: { system: audit.role, code: '20', display: 'Job' },
      detail: [{ type: 'uniqueId', valueString: submissionSet.uniqueId }],
    });
  if (query !== undefined)
    entities.push({
      type: { system: audit.entityType, code: '2', display: 'System Object' },
      role: { system: audit.role, code: '24', display: 'Query' },
      query: base64(query),
      ...(origin.transaction === 'ITI-18' && {
        detail: [{ type: 'QueryEncoding', valueBase64Binary: base64('UTF-8') }],
      }),
    });
  entities.push({
    what: { identifier: { value: origin.requestId } },
    type: { system: audit.basicEntity, code: 'XrequestId' },
  });
  return entities;
}

/** The shape's profile, when the event has the client's address and the entities that the profile asks for. */
function claimed(
  shape: Shape,
  agents: readonly AuditEventAgent[],
  entities: readonly AuditEventEntity[],
): string | undefined {
  const has = (...codes: string[]) => codes.every((code) => entities.filter((e) => e.role?.code === code).length === 1);
  const isWhole = shape.action === 'E' ? has('24', '1') : has('1', '3');
  return isWhole && agents.every((agent) => agent.requestor || agent.network !== undefined || isStructure(agent))
    ? shape.profile
    : undefined;
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

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
