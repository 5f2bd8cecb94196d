import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, FhirResource, OperationOutcome, Parameters, Subscription } from 'fhir/r4.js';
import { decodeJwt } from 'jose';
import { subscriptionToDocuments } from '../fhir/subscription-door.ts';
import { tokenOf } from '../support/clients.ts';
import { openServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
}, 60_000);
afterAll(() => server.close());

type Answer<T> = { readonly status: number; readonly challenge: string | null; readonly json: T };

/** What somebody's app with these scopes is answered; `patient`: the one whom its token names. */
async function ask<T>(
  { who = 'dr-martin', scope, patient }: { readonly who?: string; readonly scope: string; readonly patient?: string },
  path: string,
  body?: unknown,
): Promise<Answer<T>> {
  const acting = patient === undefined ? {} : { patient };
  const claims = decodeJwt(await server.credentials.token(who, acting));
  const token = await server.credentials.tokenWith({ ...claims, jti: randomUUID(), scope });
  const response = await fetch(`http://127.0.0.1:${server.port}/fhir/${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/fhir+json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
    json: (await response.json()) as T,
  };
}

const subscription = (patient: string) => subscriptionToDocuments(patient, { type: 'websocket' }, 'full-resource');
const whole = 'user/*.cruds';
const subscribed = async (patient: string) =>
  (await ask<Subscription>({ scope: whole }, 'Subscription', subscription(patient))).json.id ?? '';

describe('a narrow scope is not widened', () => {
  const search = `DocumentReference?patient.identifier=${tokenOf('laurent')}&_count=2`;
  const lists = `List?patient.identifier=${tokenOf('laurent')}&_count=2`;
  const brought = ({ json }: Answer<Bundle<FhirResource>>) =>
    (json.entry ?? []).flatMap(({ search: found, resource }) =>
      found?.mode === 'include' ? (resource?.resourceType ?? []) : [],
    );
  const warned = ({ json }: Answer<Bundle>) =>
    (json.entry ?? []).flatMap(({ search: found, resource }) =>
      found?.mode === 'outcome' ? (resource as OperationOutcome).issue.map(({ details }) => details?.text) : [],
    );

  test.each([
    ['user/DocumentReference.rs', `${search}&_include=DocumentReference:patient`],
    ['user/DocumentReference.rs', `${search}&_include=DocumentReference:subject:Patient`],
    ['ITI-67', `${search}&_revinclude=List:item`],
    ['user/List.s', `${lists}&_include=List:item`],
    ['ITI-66', `${lists}&_include=List:subject`],
    ['user/DocumentReference.rs user/Patient.cud', `${search}&_include=DocumentReference:patient`],
  ])('%s brings nothing else by %s, and the answer says so', async (scope, path) => {
    const answer = await ask<Bundle<FhirResource>>({ scope }, path);
    expect(answer.status).toBe(200);
    expect(answer.json.total).toBeGreaterThan(0);
    expect(brought(answer)).toEqual([]);
    expect(warned(answer)).toEqual(['insufficientScope']);
  });

  test.each([
    ['user/DocumentReference.rs user/Patient.r', `${search}&_include=DocumentReference:patient`, 'Patient'],
    ['ITI-67 ITI-66', `${search}&_revinclude=List:item`, 'List'],
    ['user/*.s', `${lists}&_include=List:item`, 'DocumentReference'],
  ])('%s brings by %s what it covers', async (scope, path, type) => {
    const answer = await ask<Bundle<FhirResource>>({ scope }, path);
    expect(new Set(brought(answer))).toEqual(new Set([type]));
    expect(warned(answer)).toEqual([]);
  });

  test.each(['$events', '$get-ws-binding-token'])(
    'what an app of the same person is told of documents is not for one that may not search them: %s',
    async (operation) => {
      const id = await subscribed('laurent');
      const path = `Subscription/${id}/${operation}`;
      const refused = await ask<OperationOutcome>({ scope: 'user/Subscription.cruds' }, path);
      expect(refused).toMatchObject({
        status: 403,
        challenge: 'Bearer error="insufficient_scope", scope="ITI-67 user/DocumentReference.s"',
      });
      expect((await ask({ scope: 'user/Subscription.r user/DocumentReference.s' }, path)).status).toBe(200);
    },
  );
});

describe('a token for one patient', () => {
  const scope = whole;
  test.each(['', '/$status', '/$events', '/$get-ws-binding-token'])(
    'reaches no subscription to another patient: %s',
    async (operation) => {
      const id = await subscribed('laurent');
      const path = `Subscription/${id}${operation}`;
      expect((await ask({ scope, patient: 'henry' }, path)).status).toBe(404);
      expect((await ask({ scope, patient: 'laurent' }, path)).status).toBe(200);
      expect((await ask({ scope }, path)).status).toBe(200);
    },
  );

  test('finds those to its patient alone', async () => {
    const [laurent, henry] = [await subscribed('laurent'), await subscribed('henry')];
    const found = async (path: string) => {
      const { json } = await ask<Bundle<FhirResource> & Parameters>({ scope, patient: 'henry' }, path);
      return JSON.stringify(json);
    };
    for (const path of ['Subscription', 'Subscription/$get-ws-binding-token']) {
      expect(await found(path)).toContain(henry);
      expect(await found(path)).not.toContain(laurent);
    }
  });
});
