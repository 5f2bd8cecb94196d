import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Bundle, Parameters as Input, Subscription } from 'fhir/r4.js';
import { openReceiver, saidBy, subscriptionToDocuments } from '../fhir/subscription-door.ts';
import { tokenOf } from '../support/clients.ts';
import { makeFolder, type ServerProcess, startProcess } from '../support/server.ts';
import { openSocket } from '../support/websocket.ts';

let folder: string;
let receiver: Awaited<ReturnType<typeof openReceiver>>;
let server: ServerProcess;
const start = () => startProcess(folder, { DMP_NOTIFY_TO: receiver.address });

beforeAll(async () => {
  [folder, receiver] = [await makeFolder(), await openReceiver()];
  server = await start();
}, 60_000);
afterAll(async () => {
  await server.end('SIGKILL');
  await receiver.close();
  await rm(folder, { recursive: true });
});

const deposit = (uniqueId: string) => server.filed(uniqueId, 'laurent');

const ask = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
  const token = await server.credentials.token('dr-nguyen');
  const response = await fetch(`http://127.0.0.1:${server.port}/fhir/${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/fhir+json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (response.status >= 300) throw new Error(await response.text());
  return (await response.json()) as T;
};
const number = (one: Parameters<typeof saidBy>[0]) => saidBy(one).events.map((event) => event['event-number']);

const asked = (channel: Partial<Subscription['channel']>) =>
  subscriptionToDocuments('laurent', channel, 'full-resource');

test('an app is told of an XDS deposit while the server runs, is killed and starts again; numbers go on', async () => {
  const { id } = await ask<Subscription>(
    'POST',
    'Subscription',
    asked({ type: 'rest-hook', endpoint: receiver.address, header: ['Authorization: Bearer s3cret'] }),
  );
  expect(saidBy(await receiver.next())).toMatchObject({ type: 'handshake' });

  await deposit('2.999.77.1');
  const first = await receiver.next();
  expect([number(first), first.headers.authorization]).toEqual([['1'], 'Bearer s3cret']);
  expect(JSON.stringify(saidBy(first).entries[0]?.resource)).toContain('urn:oid:2.999.77.1');

  // The receiver takes it and the server is killed before it knows: it comes once more.
  receiver.mood.status = 'silent';
  await deposit('2.999.77.2');
  expect(number(await receiver.next())).toEqual(['2']);
  await server.end('SIGKILL');
  receiver.mood.status = 200;
  server = await start();
  expect(number(await receiver.next())).toEqual(['2']);
  await deposit('2.999.77.3');
  expect(number(await receiver.next())).toEqual(['3']);

  const { entry } = await ask<Bundle>('GET', `Subscription/${id}/$events?eventsSinceNumber=1`);
  expect(number({ bundle: { entry } as Bundle })).toEqual(['1', '2', '3']);
  expect(server.output()).not.toContain('s3cret');
}, 60_000);

/** Elsewhere threads cannot share a port. */
const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux(
  'websockets are told of every deposit in order, whichever thread holds them and whichever took it; they end with the server',
  async () => {
    const token = await server.credentials.token('dr-martin');
    const query = `DocumentReference?patient.identifier=${tokenOf('laurent')}&_count=100&_format=xml`;
    const serves = () => server.output().includes('a further web thread serves');
    while (!serves()) await Promise.all(Array.from({ length: 40 }, () => server.fhir.get(token, query)));
    const { id } = await ask<Subscription>('POST', 'Subscription', asked({ type: 'websocket' }));
    const { parameter } = await ask<Input>('GET', `Subscription/${id}/$get-ws-binding-token`);
    const binding = parameter?.find(({ name }) => name === 'token')?.valueString ?? '';
    const sockets = await Promise.all(Array.from({ length: 12 }, () => openSocket(server.port)));
    for (const socket of sockets) {
      socket.bind(binding);
      expect(await socket.next()).toMatchObject({ type: 'handshake' });
    }
    for (let i = 0; i < 6; i++) await deposit(`2.999.79.${i}`);
    for (const socket of sockets) {
      const heard = [];
      for (let i = 0; i < 6; i++) heard.push(...(await socket.next()).events.map((event) => event['event-number']));
      expect(heard).toEqual(['1', '2', '3', '4', '5', '6']);
    }
    expect(await server.end('SIGTERM')).toBe(0);
    for (const { closed } of sockets) expect((await closed)[0]).toBe(1001);
  },
  60_000,
);
