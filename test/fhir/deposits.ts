import { randomUUID } from 'node:crypto';
import type { Bundle, BundleEntry, DocumentReference, FhirResource, List } from 'fhir/r4.js';
import { readCda } from '../../server/cda/header.ts';
import type { Association } from '../../server/domain/document.ts';
import { oidOfUuid } from '../../server/domain/identifier.ts';
import { provideBundleOf } from '../../server/fhir/map/provide-bundle.ts';
import { writeCda } from '../../server/sandbox/cda.ts';
import { describe } from '../../server/sandbox/metadata.ts';
import { patientOf, personOf } from '../../server/sandbox/people.ts';
import type { Door, HttpAnswer } from './door.ts';

type Resource = Bundle<FhirResource>;

/** A Bundle of ITI-65 with one CDA by a professional of the sandbox. */
export function bundleOf(door: Door, who = 'dr-martin', whose = 'laurent'): Resource {
  return bundleAt(door.world.tools.now(), who, whose);
}

/** The same, written at an instant (milliseconds). */
export function bundleAt(now: number, who = 'dr-martin', whose = 'laurent'): Resource {
  const author = personOf(who);
  const patient = patientOf(whose);
  if (author?.kind !== 'professional' || patient === undefined) throw new Error(`${who} or ${whose} is unknown`);
  const bytes = writeCda({
    id: oidOfUuid(randomUUID()),
    typeCode: { code: '11488-4', system: '2.16.840.1.113883.6.1', display: 'CR ou fiche de consultation' },
    title: 'Compte rendu de consultation',
    writtenAt: now,
    serviceAt: now,
    patient,
    author,
    content: { kind: 'nonXml', mediaType: 'text/plain', bytes: Buffer.from('Bonjour') },
  });
  const facts = readCda(bytes);
  if (facts === undefined) throw new Error('the CDA cannot be read');
  const { entry, set } = describe({
    bytes,
    facts,
    depositor: author,
    patient,
    entryUuid: randomUUID(),
    setUuid: randomUUID(),
    setUniqueId: oidOfUuid(randomUUID()),
    at: now,
  });
  const member: Association = {
    entryUUID: `urn:uuid:${randomUUID()}`,
    type: 'HasMember',
    source: set.entryUUID,
    target: entry.entryUUID,
    status: 'approved',
    submissionSetStatus: 'Original',
    extra: [],
  };
  const documents = [{ entry, bytes, binary: `urn:uuid:${randomUUID()}` }];
  const bundle = provideBundleOf({ set, documents, folders: [], associations: [member] });
  return JSON.parse(JSON.stringify(bundle)) as Resource;
}

/** The first resource of a type in the Bundle, to be looked at or changed. */
export function resourceIn<T extends 'DocumentReference' | 'List' | 'Binary'>(
  { entry = [] }: Resource,
  type: T,
): Extract<FhirResource, { resourceType: T }> {
  const found = entry.find(({ resource }) => resource?.resourceType === type)?.resource;
  if (found?.resourceType !== type) throw new Error(`there is no ${type}`);
  return found as Extract<FhirResource, { resourceType: T }>;
}

/** What a test changes of a sound Bundle. */
export type Change = (
  bundle: Resource,
  parts: { document: DocumentReference; set: List; entry: BundleEntry<FhirResource>[] },
) => void;

export function changed(bundle: Resource, change: Change): Resource {
  const { entry = [] } = bundle;
  change(bundle, {
    document: resourceIn(bundle, 'DocumentReference'),
    set: resourceIn(bundle, 'List'),
    entry,
  });
  for (const { resource } of entry) if (resource !== undefined) withoutUnnamed(resource);
  return bundle;
}

/** Contained resources that a change left unnamed are gone too. FHIR R4 domainresource.html, dom-3. */
function withoutUnnamed(resource: FhirResource): void {
  if (resource.resourceType !== 'DocumentReference' && resource.resourceType !== 'List') return;
  const isNamed = ({ id }: { id?: string | undefined }) => JSON.stringify(resource).includes(`"#${id}"`);
  for (let before = -1; before !== (resource.contained?.length ?? 0); ) {
    before = resource.contained?.length ?? 0;
    const named = resource.contained?.filter(isNamed) ?? [];
    if (named.length > 0) resource.contained = named;
    else delete resource.contained;
  }
}

/** Posts a body to the service root. */
export async function post<T>(door: Door, who: string, body: unknown, path = ''): Promise<HttpAnswer<T>> {
  return door.ask<T>(path === '' ? door.base : path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/fhir+json', Authorization: `Bearer ${await door.token(who)}` },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}
