import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Bundle, Consent, ConsentProvision, DocumentReference, Subscription } from 'fhir/r4.js';
import { consentFor, deny, permit } from '../fhir/consent-samples.ts';
import { openReceiver, saidBy, subscriptionToDocuments } from '../fhir/subscription-door.ts';
import { cda, message } from '../hl7/door.ts';
import { cxOf, tokenOf } from '../support/clients.ts';
import { findDocuments, retrieveDocuments } from '../support/messages.ts';
import { dial, type Line } from '../support/mllp.ts';
import { makeFolder, type ServerProcess, startProcess } from '../support/server.ts';

const patient = 'laurent';
let folder: string;
let receiver: Awaited<ReturnType<typeof openReceiver>>;
let server: ServerProcess;
let line: Line | undefined;
beforeAll(async () => {
  [folder, receiver] = [await makeFolder(), await openReceiver()];
  server = await startProcess(folder, { DMP_NOTIFY_TO: receiver.address, DMP_MLLP_PORT: '0' });
  const [, port] = await server.printed(/"port":(\d+)[^}]*listening for HL7/);
  line = await dial(Number(port));
}, 60_000);
afterAll(async () => {
  line?.close();
  await server.end('SIGKILL');
  await receiver.close();
  await rm(folder, { recursive: true });
});

const fhir = async <T>(who: string, method: string, path: string, body?: unknown) => {
  const response = await fetch(path.startsWith('http') ? path : `${server.fhir.base}/${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${await server.credentials.token(who)}`,
      ...(body !== undefined && { 'Content-Type': 'application/fhir+json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, json: (text.startsWith('{') ? JSON.parse(text) : {}) as T };
};
const reference = () => {
  const [system = '', value = ''] = tokenOf(patient).split('|');
  return { identifier: { system, value } };
};
const state = (provision: ConsentProvision) =>
  fhir<Consent>(patient, 'POST', 'Consent', consentFor(reference(), provision));

const deposit = (uniqueId: string) => server.filed(uniqueId, patient);

/** What dr-nguyen gets on each face: ITI-18, ITI-43, ITI-67, the reads of the entry and its bytes, the Patient. */
async function gets(uniqueId: string, of: { readonly entry: string; readonly url: string }) {
  const vihf = () => server.credentials.vihf('dr-nguyen', { patient });
  const query = await server.xds.ask('find', vihf(), findDocuments(cxOf(patient)));
  const bytes = await server.xds.ask('retrieve', vihf(), retrieveDocuments([uniqueId]));
  const search = await fhir('dr-nguyen', 'GET', `DocumentReference?patient.identifier=${tokenOf(patient)}`);
  const read = await fhir('dr-nguyen', 'GET', `DocumentReference/${of.entry}`);
  const binary = await fhir('dr-nguyen', 'GET', `Binary/${of.url.split('/').at(-1)}`);
  const consents = await fhir('dr-nguyen', 'GET', `Consent?patient.identifier=${tokenOf(patient)}`);
  return [query.status, bytes.status, ...[search, read, binary, consents].map(({ status }) => status)];
}
const everything = ['Success', 'Success', 200, 200, 200, 200];
const nothing = ['Failure', 'Failure', 403, 404, 404, 403];

test('whom the patient blocks by FHIR gets nothing by any face from the next request on, until it is taken back', async () => {
  await deposit('2.999.78.1');
  const identifier = 'identifier=urn:oid:2.999.78.1';
  const { json: found } = await fhir<Bundle<DocumentReference>>('dr-nguyen', 'GET', `DocumentReference?${identifier}`);
  const [document] = (found.entry ?? []).map(({ resource }) => resource);
  if (document === undefined) throw new Error('it is not found');
  const of = { entry: document.id ?? '', url: document.content[0]?.attachment.url ?? '' };
  expect(await gets('2.999.78.1', of)).toEqual(everything);
  const { status, json: subscription } = await fhir<Subscription>(
    'dr-nguyen',
    'POST',
    'Subscription',
    subscriptionToDocuments(patient, { endpoint: receiver.address }, 'full-resource'),
  );
  expect(status).toBe(201);
  expect(saidBy(await receiver.next())).toMatchObject({ type: 'handshake' });
  await deposit('2.999.78.2');
  expect((await receiver.next()).text).toContain('urn:oid:2.999.78.2');

  const replayed = async () =>
    JSON.stringify(
      (await fhir('dr-nguyen', 'GET', `Subscription/${subscription.id}/$events?eventsSinceNumber=1`)).json,
    );
  expect(await replayed()).toContain('urn:oid:2.999.78.2');

  const blocked = await state(deny('dr-nguyen'));
  expect(blocked.status).toBe(201);
  expect(await gets('2.999.78.1', of)).toEqual(nothing);
  await deposit('2.999.78.3');
  expect(await replayed()).not.toContain('2.999.78');

  expect((await fhir(patient, 'DELETE', `Consent/${blocked.json.id}`)).status).toBe(204);
  await state(permit('dr-nguyen'));
  expect(await gets('2.999.78.1', of)).toEqual(everything);
  await deposit('2.999.78.4');
  expect(await replayed()).toContain('urn:oid:2.999.78.2');
}, 60_000);

test('a laboratory that the patient blocks by FHIR sends no report by HL7 any more', async () => {
  const report = async (id: string) => line?.ask(message('oru-r01.hl7', { cda: cda(id) }));
  expect((await report('2.999.78.11'))?.code).toBe('AA');
  const { json } = await state(deny('labo-centre'));
  const refused = await report('2.999.78.12');
  expect([refused?.code, refused?.errors[0]?.name]).toEqual(['AE', 'accessDenied']);
  await fhir(patient, 'DELETE', `Consent/${json.id}`);
  await state(permit('labo-centre'));
  expect((await report('2.999.78.13'))?.code).toBe('AA');
});
