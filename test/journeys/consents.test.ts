import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Bundle, Consent, ConsentProvision } from 'fhir/r4.js';
import { consentFor, deny, permit, purpose } from '../fhir/consent-samples.ts';
import { cxOf, tokenOf } from '../support/clients.ts';
import { findDocuments } from '../support/messages.ts';
import { openServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
});
afterAll(() => server.close());

const patient = 'lea-morel';
const reference = () => {
  const [system = '', value = ''] = tokenOf(patient).split('|');
  return { identifier: { system, value } };
};
const fhir = async <T>(who: string, method: string, path: string, body?: Consent) => {
  const response = await fetch(`http://127.0.0.1:${server.port}/fhir/${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${await server.credentials.token(who)}`,
      ...(body && { 'Content-Type': 'application/fhir+json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: (await response.json()) as T };
};
const state = (who: string, provision: ConsentProvision) =>
  fhir<Consent>(who, 'POST', 'Consent', consentFor(reference(), provision));
const end = (who: string, consent: Consent) =>
  fhir<Consent>(who, 'PUT', `Consent/${consent.id}`, { ...consent, status: 'inactive' });
/** What a doctor's software gets by XDS. */
const finds = async (who: string, mode?: 'bris_de_glace') => {
  const vihf = server.credentials.vihf(who, { patient, ...(mode && { mode, reason: 'urgence' }) });
  const { text } = await server.xds.ask('find', vihf, findDocuments(cxOf(patient)));
  return text.includes('ResponseStatusType:Success') ? 'found' : /DMPAccessDeniedByRightsService/.exec(text)?.[0];
};
const denied = 'DMPAccessDeniedByRightsService';

test('what the mother of a minor states by FHIR holds for XDS at once', async () => {
  expect(await finds('dr-bernard')).toBe(denied);
  const authorised = await state('sophie-morel', permit('dr-bernard'));
  expect(authorised.status).toBe(201);
  expect(await finds('dr-bernard')).toBe('found');

  const blocked = await state('sophie-morel', deny('dr-bernard'));
  expect(await finds('dr-bernard')).toBe(denied);
  expect(await finds('dr-bernard', 'bris_de_glace')).toBe(denied);
  const shown = await fhir<Consent>('sophie-morel', 'GET', `Consent/${authorised.json.id}`);
  expect(shown.json.status).toBe('inactive');

  expect((await end('sophie-morel', blocked.json)).status).toBe(200);
  expect(await finds('dr-bernard', 'bris_de_glace')).toBe('found');
  await state('sophie-morel', { type: 'deny', purpose: purpose('BTG') });
  expect(await finds('dr-bernard', 'bris_de_glace')).toBe(denied);
});

test('a doctor states his authorisation by FHIR, reads by XDS, and withdraws it', async () => {
  expect(await finds('dr-leroy')).toBe(denied);
  const { json } = await state('dr-leroy', permit('dr-leroy'));
  expect(await finds('dr-leroy')).toBe('found');
  const own = await fhir<Bundle<Consent>>(
    'dr-leroy',
    'GET',
    `Consent?patient.identifier=${tokenOf(patient)}&status=active`,
  );
  expect(own.json.entry?.map(({ resource }) => resource?.id)).toContain(json.id);
  expect((await end('dr-leroy', json)).json.status).toBe('inactive');
  expect(await finds('dr-leroy')).toBe(denied);
});
