import type { AuditEvent, Identifier as FhirIdentifier, Patient, Reference } from 'fhir/r4.js';
import { type Problem, problem } from '../../domain/error.ts';
import { isOid } from '../../domain/identifier.ts';
import { professionalAuthority, structureAuthority } from '../../domain/people.ts';
import type { EventTold, PatientTold } from '../../usecases/feed-audit.ts';
import type { Json } from '../json.ts';
import { uniqueIdOf } from '../map/code.ts';
import { isObject } from '../profile/path.ts';
import { audit, systemOf } from '../vocabulary.ts';
import { localId } from './references.ts';

/** How far the clock of a partner may be ahead of ours, in milliseconds. */
const skew = 5 * 60_000;

/** So many names of objects one event may say: each is looked at whenever the event is read. */
const mostNames = 1000;

/**
 * What an event that a partner sends says, its structure being sound: what it is about, and what of it decides who may read it.
 * @param base our own address, in whose name nobody else tells
 */
export function toldEventIn(
  event: AuditEvent,
  base: string,
  now: number,
): { readonly told: EventTold; readonly problems: readonly Problem[] } {
  const recordedAt = Date.parse(event.recorded);
  const patients = patientsIn(event);
  const [who] = patients;
  const patient = who && patientNamed(who, event, base);
  const names = namesIn(event);
  const wrong = (expression: string, value: string, detail: string) =>
    problem('auditEventNotTaken', { expression, value, detail });
  const problems = [
    ...(isOurs(event, base)
      ? [wrong('AuditEvent.source', base, 'the source is this server, which records what happens here itself')]
      : []),
    ...(recordedAt > now + skew ? [wrong('AuditEvent.recorded', event.recorded, 'it is in the future')] : []),
    ...(new Set(patients.map(({ reference, identifier }) => `${identifier?.system} ${identifier?.value} ${reference}`))
      .size > 1
      ? [wrong('AuditEvent.entity', `${patients.length} patients`, 'an event is about one patient')]
      : []),
    ...(names.length > mostNames
      ? [wrong('AuditEvent', `${names.length} identifiers`, `it may name ${mostNames} objects`)]
      : []),
  ];
  const agents = event.agent.flatMap(({ who: agent }) => nationalId(agent?.identifier) ?? []);
  const told = { resource: JSON.stringify(event), recordedAt, agents: [...new Set(agents)], names };
  return { told: { ...told, ...(patient && { patient }) }, problems };
}

function isOurs({ source: { site, observer } }: AuditEvent, base: string): boolean {
  const { host } = new URL(base);
  const isHere = (address: string | undefined) =>
    address !== undefined && URL.canParse(address) && new URL(address).host === host;
  return [site, observer.reference, observer.identifier?.value].some(isHere);
}

/** Those whom the event is about, or else who acted for themselves. IHE BALP 152.3. */
function patientsIn({ entity = [], agent }: AuditEvent): Reference[] {
  const about = entity.filter(({ type, role, what }) => {
    const isPatient = role?.system === audit.role && role.code === '1';
    return isPatient || (type?.system === audit.entityType && type.code === '1' && namesPatient(what));
  });
  if (about.length > 0) return about.flatMap(({ what }) => what ?? []);
  return agent.flatMap(({ who }) => (namesPatient(who) && who ? [who] : []));
}

function namesPatient(reference: Reference | undefined): boolean {
  return reference?.type === 'Patient' || /(^|\/)Patient\/[^/]+/.test(reference?.reference ?? '');
}

/** By an identifier of the reference or of the contained Patient; without one, by our own address of the patient. */
function patientNamed({ reference, identifier }: Reference, { contained = [] }: AuditEvent, base: string): PatientTold {
  const held = contained.find(({ id }) => id !== undefined && reference === `#${id}`);
  const { identifier: others = [] } = held?.resourceType === 'Patient' ? (held as Patient) : {};
  const all = [identifier, ...others];
  for (const one of all) {
    const oid = systemOf(one?.system ?? '');
    if (isOid(oid) && one?.value !== undefined) return { identifier: { oid, value: one.value } };
  }
  // A relative reference is one of the partner's own server.
  const record = reference?.startsWith('http') === true ? localId(reference, 'Patient', base) : undefined;
  return record === undefined ? {} : { record };
}

function nationalId(identifier: FhirIdentifier | undefined): string | undefined {
  const system = systemOf(identifier?.system ?? '');
  return system === professionalAuthority || system === structureAuthority ? identifier?.value : undefined;
}

const uuid = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/gi;
const oid = /[0-2](?:\.\d+){2,}(?:\^[^\s^&|,;'"<>()]+)?/g;

/**
 * Whatever could be the entryUUID or uniqueId of an object, wherever it stands: in references, identifiers, details, the query, the words. What
 * is in base64 or escaped for an address is looked at as it reads.
 */
function namesIn(event: AuditEvent): string[] {
  const names = new Set<string>();
  collect(JSON.parse(JSON.stringify(event)) as Json, '', names);
  return [...names];
}

function collect(value: Json, name: string, names: Set<string>): void {
  if (typeof value === 'string') for (const text of readings(value, name)) collectText(text, names);
  else if (Array.isArray(value)) for (const one of value as readonly Json[]) collect(one, name, names);
  else if (isObject(value)) {
    const { system, value: own, valueString } = value;
    if (typeof own === 'string') names.add(uniqueIdOf(typeof system === 'string' ? system : undefined, own));
    if (typeof valueString === 'string') names.add(valueString);
    for (const [inside, one] of Object.entries(value)) collect(one, inside, names);
  }
}

function readings(text: string, name: string): readonly string[] {
  const plain = name === 'query' || name === 'valueBase64Binary' ? Buffer.from(text, 'base64').toString() : text;
  return plain.includes('%') ? [plain, unescaped(plain)] : [plain];
}

function unescaped(text: string): string {
  return text.replace(/(?:%[\da-f]{2})+/gi, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString());
}

function collectText(text: string, names: Set<string>): void {
  for (const [found] of text.matchAll(uuid)) names.add(`urn:uuid:${found.toLowerCase()}`);
  for (const [found] of text.matchAll(oid)) {
    names.add(found);
    names.add(found.replace(/\^.*/, ''));
  }
}
