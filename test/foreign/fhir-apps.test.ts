import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AuditEvent, Bundle, Consent, DocumentReference, FhirResource } from 'fhir/r4.js';
import { Client } from 'fhir-kit-client';
import { writeXml } from '../../server/fhir/xml/write.ts';
import { actorOf, consentFor, deny, permit } from '../fhir/consent-samples.ts';
import { bundleAt, resourceIn } from '../fhir/deposits.ts';
import { tokenOf } from '../support/clients.ts';
import { makeFolder, type ServerProcess, startAtAddress } from '../support/server.ts';
import { type App, fhirKit, medplum, type OpenApp, smart } from './fhir-apps.ts';

let home: string;
let base: string;
let server: ServerProcess;
let token: (who: string) => Promise<string>;
beforeAll(async () => {
  home = await makeFolder();
  const started = await startAtAddress(home);
  const { address } = started;
  base = `${address}/fhir`;
  server = started;
  token = (who) => server.credentials.token(who, {}, { issuer: `${address}/auth`, audience: base });
}, 60_000);
afterAll(async () => {
  await server.end('SIGTERM');
  await rm(home, { recursive: true });
});

const resources = <T extends FhirResource>({ entry = [] }: Bundle<T>) =>
  entry.flatMap(({ resource }) => resource ?? []);
const refusalOf = async ({ refusal }: App, work: Promise<unknown>) => work.then(() => 'done', refusal);

const lanes: [string, OpenApp, unknown, unknown][] = [
  ['fhir-kit-client', fhirKit, 403, 410],
  ['@medplum/core', medplum, 'forbidden', 'deleted'],
  ['fhirclient', smart, 403, 410],
];

describe.each(lanes)('an app on %s', (_, open, forbidden, gone) => {
  const patient = 'laurent';
  const named = { 'patient.identifier': tokenOf(patient) };
  const opened = async (who: string) => open(base, await token(who));

  test('deposits, finds, reads, is shut out and let in again, and the patient sees it all', async () => {
    const began = new Date().toISOString();
    const [author, reader, own] = [await opened('dr-martin'), await opened('dr-nguyen'), await opened(patient)];
    const bundle = bundleAt(Date.now(), 'dr-martin', patient);
    const sent = resourceIn(bundle, 'DocumentReference');
    const written = Buffer.from(resourceIn(bundle, 'Binary').data ?? '', 'base64');

    const answer = await author.deposit(bundle);
    if (answer.resourceType === 'Bundle')
      expect(answer.entry?.map(({ response }) => response?.status)).toEqual(bundle.entry?.map(() => '201 Created'));
    else expect(answer.masterIdentifier).toEqual(sent.masterIdentifier);

    const { system = '', value = '' } = sent.masterIdentifier ?? {};
    const query = { ...named, status: 'current', identifier: `${system}|${value}` };
    const found = await reader.find<DocumentReference>('DocumentReference', query);
    expect(found.total).toBe(1);
    const [document] = resources(found);
    expect(await reader.read('DocumentReference', document?.id ?? '')).toEqual(document);
    const { url = '', hash } = document?.content[0]?.attachment ?? {};
    const bytes = await reader.bytes(url);
    expect(bytes).toEqual(written);
    expect(createHash('sha1').update(bytes).digest('base64')).toBe(hash);

    const [of = '', ins = ''] = tokenOf(patient).split('|');
    const block = consentFor({ identifier: { system: of, value: ins } }, deny('dr-nguyen'));
    const stated = await own.state(block);
    expect(stated).toMatchObject({ status: 'active', provision: block.provision });
    const byActor = { ...named, status: 'active', actor: actorOf('dr-nguyen').reference.identifier?.value ?? '' };
    expect(resources(await own.find<Consent>('Consent', byActor))).toContainEqual(stated);
    expect(await refusalOf(reader, reader.find('DocumentReference', query))).toBe(forbidden);
    const ended = await own.change({ ...stated, status: 'inactive' });
    expect([ended.status, ended.meta?.versionId]).toEqual(['inactive', '2']);
    expect(await refusalOf(reader, reader.find('DocumentReference', query))).toBe(forbidden);
    const allowed = await own.state({ ...block, provision: permit('dr-nguyen') });
    expect((await reader.find('DocumentReference', query)).total).toBe(1);
    await own.withdraw(stated.id ?? '');
    expect(await refusalOf(own, own.read('Consent', stated.id ?? ''))).toBe(gone);
    expect(await own.read('Consent', allowed.id ?? '')).toEqual(allowed);

    const trail = await own.find<AuditEvent>('AuditEvent', {
      ...named,
      date: `ge${began}`,
      _count: '100',
      _total: 'accurate',
    });
    const told = resources(trail).map(({ subtype, outcome, agent }) => [
      agent.find(({ requestor }) => requestor)?.name,
      subtype?.at(-1)?.code,
      outcome,
    ]);
    expect(told).toHaveLength(trail.total ?? -1);
    const deposit = answer.resourceType === 'Bundle' ? 'ITI-65' : 'ITI-105';
    expect(told.reverse()).toEqual([
      ['Hélène MARTIN', deposit, '0'],
      ['Minh NGUYEN', 'ITI-67', '0'],
      ['Minh NGUYEN', 'read', '0'],
      ['Minh NGUYEN', 'ITI-68', '0'],
      [expect.any(String), 'ITI-108', '0'],
      [expect.any(String), 'ITI-108', '0'],
      ['Minh NGUYEN', 'ITI-67', '8'],
      [expect.any(String), 'ITI-108', '0'],
      ['Minh NGUYEN', 'ITI-67', '8'],
      [expect.any(String), 'ITI-108', '0'],
      ['Minh NGUYEN', 'ITI-67', '0'],
      [expect.any(String), 'ITI-108', '0'],
      [expect.any(String), 'ITI-108', '0'],
      [expect.any(String), 'ITI-108', '0'],
    ]);
  }, 30_000);
});

test('fhir-kit-client sends a Consent in XML, and is answered in XML where its headers ask for it', async () => {
  const xml = 'application/fhir+xml';
  const own = new Client({ baseUrl: base, bearerToken: await token('casanova') });
  const [system = '', value = ''] = tokenOf('casanova').split('|');
  const block = consentFor({ identifier: { system, value } }, deny('dr-leroy'));
  // Its types know resources alone; it sends a text as it is.
  const body = writeXml(block as never) as never;
  const stated = await own.create({ resourceType: 'Consent', body, options: { headers: { 'Content-Type': xml } } });
  expect(stated).toMatchObject({ resourceType: 'Consent', provision: block.provision });

  // It reads JSON alone: what it cannot parse is in the error that it throws.
  const inXml = new Client({ baseUrl: base, bearerToken: await token('casanova'), customHeaders: { Accept: xml } });
  const { id = '' } = stated as { id?: string };
  await expect(inXml.read({ resourceType: 'Consent', id })).rejects.toMatchObject({
    response: {
      status: 200,
      data: expect.stringMatching(/^(?:<\?xml[^>]*>\s*)?<Consent xmlns="http:\/\/hl7.org\/fhir"/),
    },
  });
});
