import type { AuditEvent, Identifier as FhirIdentifier, Reference } from 'fhir/r4.js';
import { type Problem, problem } from '../../domain/error.ts';
import { isOid } from '../../domain/identifier.ts';
import { professionalAuthority, structureAuthority } from '../../domain/people.ts';
import type { EventTold, PatientTold } from '../../usecases/feed-audit.ts';
import { millisOf } from '../instant.ts';
import { isObject, type Json } from '../json.ts';
import type { Observer } from '../map/audit-event.ts';
import { uniqueIdOf } from '../map/code.ts';
import { audit, systemOf } from '../vocabulary.ts';
import { localId } from './references.ts';
import { isA } from './shape.ts';

/** How far the clock of a partner may be ahead of ours, in milliseconds. */
const skew = 5 * 60_000;

/** So many names of objects one event may say: each is looked at whenever the event is read. */
const mostNames = 1000;

/**
 * What an event that a partner sends says, its structure being sound: what it is about, and what of it decides who may read it.
 * @param own our own names, in which nobody else tells
 */
export function toldEventIn(
  event: AuditEvent,
  own: Observer,
  now: number,
): { readonly told: EventTold; readonly problems: readonly Problem[] } {
  const { base } = own;
  const recordedAt = millisOf(event.recorded);
  const patients = patientsIn(event);
  const named = patients.map((who) => patientNamed(who, event, base));
  const patient = named.find(({ identifier, record }) => identifier !== undefined || record !== undefined);
  const names = namesIn(event);
  const wrong = (expression: string, value: string, detail: string) =>
    problem('auditEventNotTaken', { expression, value, detail });
  const problems = [
    ...(isOurs(event, own)
      ? [wrong('AuditEvent.source', base, 'the source is this server, which records what happens here itself')]
      : []),
    ...(recordedAt > now + skew ? [wrong('AuditEvent.recorded', event.recorded, 'it is in the future')] : []),
    ...(!areOne(patients)
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

/** Whether the source says that it is this server: by its address, whole or its host alone, or by its repositoryUniqueId. */
function isOurs({ source, contained = [] }: AuditEvent, { base, repositoryUniqueId }: Observer): boolean {
  const [own] = hostsIn(base);
  const held = contained.filter(({ id }) => id !== undefined && source.observer.reference === `#${id}`);
  const isHere = (text: string) => systemOf(text) === repositoryUniqueId || hostsIn(text).some((host) => host === own);
  return textsIn(JSON.parse(JSON.stringify([source, held])) as Json).some(isHere);
}

/** The hosts that a text names as an address, or as what an address begins with, without a usual port. */
function hostsIn(text: string): string[] {
  return [text, `http://${text}`].flatMap((address) => {
    if (!URL.canParse(address)) return [];
    const { hostname, port } = new URL(address);
    const usual = ['', '80', '443'].includes(port);
    return hostname === '' ? [] : [`${hostname.replace(/\.$/, '')}${usual ? '' : `:${port}`}`];
  });
}

function textsIn(value: Json): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(textsIn);
  return isObject(value) ? Object.values(value).flatMap(textsIn) : [];
}

/** Those whom the event is about, or else who acted for themselves. IHE BALP 152.3. */
function patientsIn({ entity = [], agent }: AuditEvent): Reference[] {
  const about = entity.filter(
    ({ role, what }) => (role?.system === audit.role && role.code === '1') || namesPatient(what),
  );
  if (about.length > 0) return about.flatMap(({ what }) => what ?? []);
  return agent.flatMap(({ who }) => (namesPatient(who) && who ? [who] : []));
}

/** Whether nothing says that these are several patients, nor leaves it open. */
function areOne(patients: readonly Reference[]): boolean {
  const named = patients.map(({ identifier }) => identifier && `${identifier.system}|${identifier.value}`);
  const ids = patients.map(({ reference }) => reference?.replace(/^.*(?=Patient\/)|\/_history\/.*$/g, ''));
  const several = (all: readonly (string | undefined)[]) => new Set(all.filter((one) => one !== undefined)).size > 1;
  return (
    !several(named) && !several(ids) && !(patients.length > 1 && named.includes(undefined) && ids.includes(undefined))
  );
}

function namesPatient(reference: Reference | undefined): boolean {
  return reference?.type === 'Patient' || /(^|\/)Patient\/[^/]+/.test(reference?.reference ?? '');
}

/** By an identifier of the reference or of the contained Patient; without one, by our own address of the patient. */
function patientNamed({ reference, identifier }: Reference, { contained = [] }: AuditEvent, base: string): PatientTold {
  const held = contained.find(({ id }) => id !== undefined && reference === `#${id}`);
  const { identifier: others = [] } = isA(held, 'Patient') ? held : {};
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
