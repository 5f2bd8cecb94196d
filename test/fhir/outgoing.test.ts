import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import type { Resource as Validated } from '@medplum/fhirtypes';
import type { Bundle, Consent, FhirResource } from 'fhir/r4.js';
import { invariantProblems } from '../../server/fhir/base/invariants.ts';
import type { JsonObject } from '../../server/fhir/json.ts';
import { checkProfiles } from '../../server/fhir/profile/check.ts';
import { structureFaults } from '../support/fhir-structure.ts';
import { consentFor, permit, purpose } from './consent-samples.ts';
import { bundleOf, changed, post, resourceIn } from './deposits.ts';
import { type Door, type HttpAnswer, openDoor } from './door.ts';
import { pdsmBundleOf } from './pdsm-bundle.ts';

const own = 'https://opendmp.example/fhir/StructureDefinition/opendmp-';
const mhd = 'https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD.';

let door: Door;
let documents: Bundle;
let consent: Consent;
const ofLaurent = () => `patient.identifier=${door.of('laurent')}`;

beforeAll(async () => {
  const structures = new URL('../../profiles/fhir/structures.json', import.meta.url);
  indexStructureDefinitionBundle(JSON.parse(readFileSync(structures, 'utf8')) as never);
  door = await openDoor();
  door.world.clock.now += 3_600_000;
  await post(door, 'dr-martin', pdsmBundleOf(door));
  documents = (await door.get<Bundle>('dr-martin', `DocumentReference?${ofLaurent()}&status=current`)).json;
  consent = (await post<Consent>(door, 'laurent', consentOf('dr-nguyen'), 'Consent')).json;
});
afterAll(() => door.close());

function consentOf(who: string): Consent {
  const { oid, value } = door.world.ins('laurent');
  const patient = { identifier: { system: `urn:oid:${oid}`, value } };
  return consentFor(patient, permit(who));
}

/** Everything that is wrong with what was answered, by our checks and by those of @medplum/core. */
function faultsOf(resource: FhirResource, also: readonly string[]): string[] {
  const sent = resource as unknown as JsonObject;
  const { problems, warnings } = checkProfiles(sent, also);
  const told = [...invariantProblems(sent), ...problems, ...warnings];
  const others: string[] = [];
  try {
    validateResource(resource as Validated);
  } catch (error) {
    others.push(String(error));
  }
  return [
    ...structureFaults(sent),
    ...told.map(({ name, about }) => `${name} ${about.expression} ${about.rule}`),
    ...others,
  ];
}

type Case = readonly [
  what: string,
  ask: () => Promise<HttpAnswer<FhirResource>>,
  type: string,
  also: readonly string[],
];
const id = () => documents.entry?.[0]?.resource?.id ?? '';
const patientId = () => (resourceOf(documents, 'DocumentReference')?.subject?.reference ?? '').replace('Patient/', '');
const resourceOf = <T extends FhirResource['resourceType']>(bundle: Bundle, type: T) =>
  bundle.entry?.find(({ resource }) => resource?.resourceType === type)?.resource as
    | Extract<FhirResource, { resourceType: T }>
    | undefined;
const get = (who: string, path: () => string) => () => door.get<FhirResource>(who, path());
const roleId = '899970000016-499970000016001';
const today = () => `date=ge${new Date(door.world.clock.now - 3_600_000).toISOString()}`;

const cases: readonly Case[] = [
  [
    'a deposit',
    () => post<FhirResource>(door, 'dr-martin', pdsmBundleOf(door)),
    'Bundle',
    [`${mhd}ProvideDocumentBundleResponse`],
  ],
  [
    'a deposit that is refused',
    () =>
      post<FhirResource>(
        door,
        'dr-martin',
        changed(bundleOf(door), (_, { document }) => delete document.type),
      ),
    'OperationOutcome',
    [],
  ],
  [
    'a document that comes alone',
    () => {
      const bundle = bundleOf(door);
      const { meta: _, ...document } = resourceIn(bundle, 'DocumentReference');
      const [content] = document.content;
      const { url: __, ...attachment } = content?.attachment ?? {};
      const { data } = resourceIn(bundle, 'Binary');
      const alone = { ...document, content: [{ ...content, attachment: { ...attachment, data } }] };
      return post<FhirResource>(door, 'dr-martin', alone, 'DocumentReference');
    },
    'DocumentReference',
    [`${own}document-reference`],
  ],
  [
    'a search of documents',
    get('dr-martin', () => `DocumentReference?${ofLaurent()}&status=current`),
    'Bundle',
    [`${mhd}FindDocumentReferencesComprehensiveResponseMessage`],
  ],
  [
    'a search whose parameter nobody knows',
    get('dr-martin', () => `DocumentReference?${ofLaurent()}&status=current&colour=red`),
    'Bundle',
    [`${mhd}FindDocumentReferencesComprehensiveResponseMessage`],
  ],
  [
    'a document',
    get('dr-martin', () => `DocumentReference/${id()}`),
    'DocumentReference',
    [`${own}document-reference`],
  ],
  ['the versions of a document', get('dr-martin', () => `DocumentReference/${id()}/_history`), 'Bundle', []],
  [
    'a search of submission sets',
    get('dr-martin', () => `List?${ofLaurent()}&code=submissionset&status=current`),
    'Bundle',
    [`${mhd}FindDocumentListsResponseMessage`],
  ],
  [
    'a search of folders',
    get('dr-martin', () => `List?${ofLaurent()}&code=folder&status=current`),
    'Bundle',
    [`${mhd}FindDocumentListsResponseMessage`],
  ],
  ['a holder', get('dr-martin', () => `Patient/${patientId()}`), 'Patient', [`${own}patient`]],
  ['the existence test', get('dr-martin', () => `Patient?identifier=${door.of('laurent')}`), 'Bundle', []],
  [
    'a consent that is stated',
    () => post<FhirResource>(door, 'laurent', consentOf('dr-martin'), 'Consent'),
    'Consent',
    [`${own}consent`],
  ],
  ['a consent', get('laurent', () => `Consent/${consent.id}`), 'Consent', [`${own}consent`]],
  ['a search of consents', get('laurent', () => `Consent?${ofLaurent()}&status=active`), 'Bundle', []],
  ['the versions of a consent', get('laurent', () => `Consent/${consent.id}/_history`), 'Bundle', []],
  [
    'a consent that is refused',
    async () => {
      const { oid, value } = door.world.ins('laurent');
      const patient = { identifier: { system: `urn:oid:${oid}`, value } };
      return post<FhirResource>(
        door,
        'laurent',
        consentFor(patient, { type: 'deny', purpose: purpose('TREAT') }),
        'Consent',
      );
    },
    'OperationOutcome',
    [],
  ],
  ['the history of a record', get('laurent', () => `AuditEvent?${ofLaurent()}&${today()}`), 'Bundle', []],
  ['a professional', get('dr-nguyen', () => 'Practitioner/899970000016'), 'Practitioner', []],
  ['a professional at a structure', get('dr-nguyen', () => `PractitionerRole/${roleId}`), 'PractitionerRole', []],
  ['a structure', get('dr-nguyen', () => 'Organization/499970000016001'), 'Organization', []],
  [
    'a search of professionals at structures',
    get('dr-nguyen', () => `PractitionerRole?_id=${roleId}&_include=PractitionerRole:practitioner`),
    'Bundle',
    [],
  ],
  ['a summary of a professional', get('dr-nguyen', () => 'Practitioner?_id=899970000016&_summary=true'), 'Bundle', []],
  ['the statement of capability', () => door.ask<FhirResource>('metadata'), 'CapabilityStatement', []],
  ['a refusal', get('pharm-durand', () => `DocumentReference?${ofLaurent()}&status=current`), 'OperationOutcome', []],
  ['an address that is not served', get('laurent', () => 'Observation/1'), 'OperationOutcome', []],
  [
    'a validation',
    () => post<FhirResource>(door, 'dr-martin', resourceIn(pdsmBundleOf(door), 'List'), 'List/$validate'),
    'OperationOutcome',
    [],
  ],
];

describe('what the server answers is valid:', () => {
  test.each(cases)('%s', async (_, ask, type, also) => {
    const { json } = await ask();
    expect(json.resourceType).toBe(type);
    expect(faultsOf(json, also)).toEqual([]);
  });

  test('every event of the history, whatever happened, and our own profile of each', async () => {
    const { json } = await door.get<Bundle<FhirResource>>('laurent', `AuditEvent?${ofLaurent()}&${today()}&_count=500`);
    const events = (json.entry ?? []).flatMap(({ resource }) => (resource === undefined ? [] : [resource]));
    const claims = new Set(events.flatMap(({ meta }) => meta?.profile ?? []));
    expect(claims.size).toBeGreaterThan(1);
    for (const event of events) expect(faultsOf(event, [`${own}audit-event`])).toEqual([]);
  });

  test('every document, set, folder and holder of the sandbox, and our own profile of each', async () => {
    const found: FhirResource[] = [];
    for (const path of [`DocumentReference?${ofLaurent()}&_count=500`, `List?${ofLaurent()}&_count=500`]) {
      const { json } = await door.get<Bundle<FhirResource>>('laurent', path);
      found.push(...(json.entry ?? []).flatMap(({ resource }) => resource ?? []));
    }
    expect(found.length).toBeGreaterThan(5);
    for (const resource of found) {
      const isSet = resource.resourceType === 'List' && resource.code?.coding?.[0]?.code === 'submissionset';
      const name = resource.resourceType === 'List' ? (isSet ? 'submission-set' : 'folder') : 'document-reference';
      if (resource.resourceType === 'List' || resource.resourceType === 'DocumentReference')
        expect(faultsOf(resource, [`${own}${name}`])).toEqual([]);
    }
  });
});
