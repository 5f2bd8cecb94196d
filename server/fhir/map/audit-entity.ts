import type { AuditEventAgent, AuditEventEntity, Coding } from 'fhir/r4.js';
import type { AuditEvent, TracedDocument } from '../../domain/event.ts';
import { audit, uris } from '../vocabulary.ts';
import { isStructure } from './audit-agent.ts';
import type { Main, Shape } from './audit-kind.ts';
import { uniqueIdentifier } from './code.ts';
import { idOf } from './document-reference.ts';

const person: Coding = { system: audit.entityType, code: '1', display: 'Person' };
const systemObject: Coding = { system: audit.entityType, code: '2', display: 'System Object' };
const roles = {
  patient: { system: audit.role, code: '1', display: 'Patient' },
  report: { system: audit.role, code: '3', display: 'Report' },
  resource: { system: audit.role, code: '4', display: 'Domain Resource' },
  job: { system: audit.role, code: '20', display: 'Job' },
  query: { system: audit.role, code: '24', display: 'Query' },
} as const satisfies Record<string, Coding>;

/**
 * What an event was about: the patient, the documents, the submission set, another resource, the query, the request. A guide's profile asks for one
 * system object; what else there is has the type of its resource. IHE BALP 152.3.
 */
export function entitiesOf(happened: AuditEvent, shape: Shape, repositoryUniqueId: string): AuditEventEntity[] {
  const { documents = [], submissionSet, touched, query, record, origin } = happened;
  const as = (kind: Main, resource: string | undefined) => typeOf(shape, kind, resource);
  return [
    ...patientOf(happened, shape),
    ...documents.map((document) => documentOf(happened, document, as, repositoryUniqueId)),
    ...(submissionSet === undefined ? [] : [setOf(submissionSet, as)]),
    ...(touched === undefined
      ? []
      : [resourceOf(touched.resource, as('touched', touched.resource.replace(/\/.*/, '')))]),
    ...(shape.main === 'record' && record !== undefined
      ? [resourceOf(`Patient/${record}`, as('record', undefined))]
      : []),
    ...(query === undefined ? [] : [queryOf(query, as('query', undefined), origin.transaction === 'ITI-18')]),
    { what: { identifier: { value: origin.requestId } }, type: { system: audit.basicEntity, code: 'XrequestId' } },
  ];
}

/** Nothing where it is not the main thing and no resource either. */
function typeOf({ main }: Shape, kind: Main, resource: string | undefined): Pick<AuditEventEntity, 'type'> {
  if (main === undefined || main === kind) return { type: systemObject };
  return resource === undefined ? {} : { type: { system: audit.resourceType, code: resource } };
}
type TypeAs = (kind: Main, resource: string | undefined) => Pick<AuditEventEntity, 'type'>;

function patientOf(
  { patient, record, outcome, ground, statedReason }: AuditEvent,
  { patientByName }: Shape,
): AuditEventEntity[] {
  if (patient === undefined && record === undefined) return [];
  const detail = [
    ...(outcome === 'done' && ground !== undefined ? [{ type: 'ground', valueString: ground }] : []),
    ...(statedReason === undefined ? [] : [{ type: 'Mode_Acces_Raison', valueString: statedReason }]),
  ];
  const isByName = patientByName === true && patient !== undefined;
  return [
    {
      what: {
        ...(record !== undefined && !isByName && { reference: `Patient/${record}` }),
        ...(patient && { identifier: { system: `urn:oid:${patient.oid}`, value: patient.value } }),
      },
      type: person,
      role: roles.patient,
      ...(detail.length > 0 && { detail }),
    },
  ];
}

function documentOf(
  { action, origin }: AuditEvent,
  { entryUUID, uniqueId, logicalID = entryUUID }: TracedDocument,
  as: TypeAs,
  repositoryUniqueId: string,
): AuditEventEntity {
  const resource = action === 'retrieveDocuments' ? 'Binary' : 'DocumentReference';
  return {
    what: { reference: `${resource}/${idOf(logicalID)}`, identifier: uniqueIdentifier(uniqueId) },
    ...as('documents', resource),
    role: roles.report,
    detail: [
      { type: 'uniqueId', valueString: uniqueId },
      ...(origin.transaction === 'ITI-43'
        ? [{ type: 'Repository Unique ID', valueBase64Binary: base64(repositoryUniqueId) }]
        : []),
    ],
  };
}

function setOf({ entryUUID, uniqueId }: NonNullable<AuditEvent['submissionSet']>, as: TypeAs): AuditEventEntity {
  return {
    what: { reference: `List/${idOf(entryUUID)}`, identifier: { system: uris, value: entryUUID } },
    ...as('submissionSet', 'List'),
    role: roles.job,
    detail: [{ type: 'uniqueId', valueString: uniqueId }],
  };
}

function resourceOf(reference: string, type: Pick<AuditEventEntity, 'type'>): AuditEventEntity {
  return { what: { reference }, ...type, role: roles.resource };
}

function queryOf(query: string, type: Pick<AuditEventEntity, 'type'>, isStored: boolean): AuditEventEntity {
  return {
    ...type,
    role: roles.query,
    query: base64(query),
    ...(isStored && { detail: [{ type: 'QueryEncoding', valueBase64Binary: base64('UTF-8') }] }),
  };
}

/** The shape's profile, when the event has the client's address and the entities that the profile asks for. */
export function claimed(
  shape: Shape,
  agents: readonly AuditEventAgent[],
  entities: readonly AuditEventEntity[],
): string | undefined {
  const patients = entities.filter(({ role }) => role === roles.patient);
  const isOne = entities.filter(({ type }) => type === systemObject).length === 1;
  const isWhole = isOne && patients.length <= 1 && (patients.length === 1 || shape.anyPatient === true);
  const isNamed = shape.patientNamed !== true || patients.every(({ what }) => what?.identifier !== undefined);
  return isWhole &&
    isNamed &&
    agents.every((agent) => agent.requestor || agent.network !== undefined || isStructure(agent))
    ? shape.profile
    : undefined;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
