import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, Parameters, Subscription } from 'fhir/r4.js';
import { decodeJwt } from 'jose';
import { saidBy, subscriptionToDocuments } from '../fhir/subscription-door.ts';
import { tokenOf } from '../support/clients.ts';
import { openServer, type TestServer } from '../support/server.ts';
import { openSocket } from '../support/websocket.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
}, 60_000);
afterAll(() => server.close());

const deposit = (uniqueId: string, patient = 'laurent') => server.filed(uniqueId, patient);

async function ask<T>(who: string, method: string, path: string, body?: unknown): Promise<T> {
  const token = await server.credentials.token(who);
  const response = await fetch(`http://127.0.0.1:${server.port}/fhir/${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/fhir+json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (response.status >= 300) throw new Error(text);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

const asked = (patient: string) => subscriptionToDocuments(patient, { type: 'websocket' });

async function subscribe(who: string, patient = 'laurent'): Promise<string> {
  return (await ask<Subscription>(who, 'POST', 'Subscription', asked(patient))).id ?? '';
}

async function tokenFor(who: string, ...ids: string[]): Promise<string> {
  const path = `Subscription/$get-ws-binding-token?${ids.map((id) => `id=${id}`).join('&')}`;
  const { parameter = [] } = await ask<Parameters>(who, 'GET', path);
  expect(parameter.find(({ name }) => name === 'websocket-url')?.valueUrl).toBe('ws://dmp.example.org/fhir/ws');
  return parameter.find(({ name }) => name === 'token')?.valueString ?? '';
}

const eventNumbers = ({ events }: { readonly events: readonly Readonly<Record<string, unknown>>[] }) =>
  events.map((event) => event['event-number']);

describe('by websocket', () => {
  test('several subscriptions are greeted, then told as things happen, in order', async () => {
    const ids = [await subscribe('dr-nguyen'), await subscribe('dr-martin')];
    const [mine = '', other = ''] = ids;
    const client = await openSocket(server.port);
    client.bind(await tokenFor('dr-nguyen', mine));
    client.bind(await tokenFor('dr-martin', other));
    const greetings = [await client.next(), await client.next()];
    expect(greetings.map((one) => [one['type'], one['status']])).toEqual([
      ['handshake', 'active'],
      ['handshake', 'active'],
    ]);
    await deposit('2.999.78.1');
    const both = [await client.next(), await client.next()];
    expect(
      both.map((one) => (one['subscription'] as { reference: string }).reference.split('/').at(-1)).sort(),
    ).toEqual(ids.sort());
    expect(both.flatMap(eventNumbers)).toEqual(['1', '1']);
    await deposit('2.999.78.2');
    expect([await client.next(), await client.next()].flatMap(eventNumbers)).toEqual(['2', '2']);
    client.socket.close();
    await client.closed;
    for (const [who, id] of [
      ['dr-nguyen', mine],
      ['dr-martin', other],
    ] as const)
      await ask(who, 'DELETE', `Subscription/${id}`);
  });

  test('what happens while nobody listens is told to the next one; whoever listened tells again by number', async () => {
    const id = await subscribe('dr-nguyen');
    await deposit('2.999.78.3');
    await deposit('2.999.78.4');
    const client = await openSocket(server.port);
    client.bind(await tokenFor('dr-nguyen', id));
    expect(await client.next()).toMatchObject({ type: 'handshake', 'events-since-subscription-start': '0' });
    expect([await client.next(), await client.next()].flatMap(eventNumbers)).toEqual(['1', '2']);
    const second = await openSocket(server.port);
    second.bind(await tokenFor('dr-nguyen', id));
    expect(await second.next()).toMatchObject({ type: 'handshake', 'events-since-subscription-start': '2' });
    await deposit('2.999.78.5');
    expect([await client.next(), await second.next()].flatMap(eventNumbers)).toEqual(['3', '3']);
    const events = await ask<Bundle>('dr-nguyen', 'GET', `Subscription/${id}/$events?eventsSinceNumber=2`);
    expect(eventNumbers(saidBy({ bundle: events }))).toEqual(['2', '3']);
    await ask('dr-nguyen', 'DELETE', `Subscription/${id}`);
    await deposit('2.999.78.6');
    expect(client.left() + second.left()).toBe(0);
    for (const { socket, closed } of [client, second]) {
      socket.close();
      await closed;
    }
  });

  test('each sending is a disclosure; who may see nothing is told nothing', async () => {
    const id = await subscribe('laurent');
    const client = await openSocket(server.port);
    client.bind(await tokenFor('laurent', id));
    await client.next();
    await deposit('2.999.78.7');
    expect(eventNumbers(await client.next())).toEqual(['1']);
    const since = new Date(Date.now() - 60_000).toISOString();
    const history = await ask<Bundle>(
      'laurent',
      'GET',
      `AuditEvent?patient.identifier=${tokenOf('laurent')}&date=ge${since}`,
    );
    expect(JSON.stringify(history.entry)).toContain('Resource Notify');
    client.socket.close();
    await client.closed;
    await ask('laurent', 'DELETE', `Subscription/${id}`);
  });

  test.each([
    [
      'another’s subscription',
      async () => `bind-with-token ${(await tokenFor('dr-nguyen', await subscribe('dr-nguyen'))).replace(/^./, 'X')}`,
    ],
    ['no token', () => Promise.resolve('bind-with-token')],
    ['anything else', () => Promise.resolve('hello')],
  ])('%s is closed with the code of a policy', async (_what, message) => {
    const client = await openSocket(server.port);
    client.socket.send(await message());
    const [code] = await client.closed;
    expect(code).toBe(1008);
  });

  test('a connection that is bound over and over is closed', async () => {
    const token = await tokenFor('dr-martin', await subscribe('dr-martin'));
    const client = await openSocket(server.port);
    for (let i = 0; i < 10; i++) client.bind(token);
    expect(await client.next()).toMatchObject({ type: 'handshake' });
    client.bind(token);
    const [code] = await client.closed;
    expect(code).toBe(1008);
  });

  test('a message beyond the limit ends the connection', async () => {
    const client = await openSocket(server.port);
    client.socket.send('x'.repeat(10_000));
    const [code] = await client.closed;
    expect(code).toBe(1009);
  });

  test('those who say nothing take no place from those who bind', async () => {
    const id = await subscribe('dr-martin');
    const silent = await Promise.all(Array.from({ length: 130 }, () => openSocket(server.port)));
    const client = await openSocket(server.port);
    client.bind(await tokenFor('dr-martin', id));
    expect(await client.next()).toMatchObject({ type: 'handshake' });
    const gone = await Promise.all(silent.slice(0, 30).map(({ closed }) => closed));
    expect(new Set(gone.map(([code]) => code))).toEqual(new Set([1013]));
    for (const { socket } of [...silent, client]) socket.terminate();
    await ask('dr-martin', 'DELETE', `Subscription/${id}`);
  });

  test('subscriptions are of whom one structure vouches for, and not of whom another calls the same', async () => {
    const ofStructure = async (structure: string, method: string, path: string, body?: object) => {
      const token = await server.credentials.tokenWith({
        sub: '899970000016',
        SubjectNameID: '899970000016',
        SubjectRole: ['10^1.2.250.1.213.1.1.5.5'],
        scope: 'user/*.cruds',
        extensions: { opendmp: { kind: 'air' }, ihe_iua: { subject_organization_id: structure } },
      });
      return fetch(`http://127.0.0.1:${server.port}/fhir/${path}`, {
        method,
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/fhir+json' },
        ...(body && { body: JSON.stringify(body) }),
      });
    };
    const made = await ofStructure('1990000010', 'POST', 'Subscription', asked('laurent'));
    expect(made.status).toBe(201);
    const { id = '' } = (await made.json()) as Subscription;
    const statuses = async (structure: string) => [
      (await ofStructure(structure, 'GET', `Subscription/${id}`)).status,
      (await ofStructure(structure, 'GET', `Subscription/${id}/$events`)).status,
      (await ofStructure(structure, 'DELETE', `Subscription/${id}`)).status,
    ];
    expect(await statuses('1990000028')).toEqual([404, 404, 404]);
    expect(await statuses('1990000010')).toEqual([200, 200, 204]);
  });

  test('a subscriber with many connections keeps no other out', async () => {
    const ids = [await subscribe('dr-martin'), await subscribe('dr-nguyen')];
    const token = await tokenFor('dr-martin', ids[0] ?? '');
    const bound = async (binding: string) => {
      const client = await openSocket(server.port);
      client.bind(binding);
      return client;
    };
    const all = await Promise.all(Array.from({ length: 20 }, () => bound(token)));
    for (const client of all) expect(await client.next()).toMatchObject({ type: 'handshake' });
    const [code] = await (await bound(token)).closed;
    expect(code).toBe(1013);
    const other = await bound(await tokenFor('dr-nguyen', ids[1] ?? ''));
    expect(await other.next()).toMatchObject({ type: 'handshake' });
    const [first] = all;
    first?.socket.close();
    await first?.closed;
    const again = await bound(token);
    expect(await again.next()).toMatchObject({ type: 'handshake' });
    for (const { socket } of [...all, other, again]) socket.terminate();
    for (const [i, who] of ['dr-martin', 'dr-nguyen'].entries()) await ask(who, 'DELETE', `Subscription/${ids[i]}`);
  });

  test('nobody is told with a token by which he could not search', async () => {
    const claims = decodeJwt(await server.credentials.token('dr-martin'));
    const scoped = async (scope: string) => {
      const token = await server.credentials.tokenWith({ ...claims, jti: randomUUID(), scope });
      const response = await fetch(`http://127.0.0.1:${server.port}/fhir/Subscription`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/fhir+json' },
        body: JSON.stringify(asked('laurent')),
      });
      return [response.status, response.headers.get('www-authenticate')];
    };
    expect(await scoped('user/Subscription.cruds user/DocumentReference.rs')).toEqual([201, null]);
    expect(await scoped('user/Subscription.cruds')).toEqual([
      403,
      'Bearer error="insufficient_scope", scope="ITI-67 user/DocumentReference.s"',
    ]);
  });

  test('at another address, and for another protocol, HTTP goes on as if nothing had been asked', async () => {
    const status = (path: string, upgrade: string) =>
      new Promise<number>((resolve, reject) => {
        const asked = request({ port: server.port, path, headers: { Connection: 'Upgrade', Upgrade: upgrade } });
        asked.on('response', (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        });
        asked.on('error', reject);
        asked.end();
      });
    expect(await status('/health/live', 'h2c')).toBe(200);
    expect(await status('/health/live', 'websocket')).toBe(200);
    expect(await status('/fhir/ws', 'h2c')).toBe(401);
  });
});
