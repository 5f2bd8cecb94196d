import { statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openBlobs } from '../../server/blobs/sealed.ts';
import { personOf } from '../../server/sandbox/people.ts';
import { seed } from '../../server/sandbox/seed.ts';
import { listen } from '../../server/server.ts';
import { openEmbedded } from '../../server/store/embedded/open.ts';
import type { Store } from '../../server/store/port.ts';
import { clientsOf, cxOf, fhirOf, ledgerOf, tokenOf, xdsOf } from '../support/clients.ts';
import { findDocuments } from '../support/messages.ts';
import { makeEmptyFolder, openServer, type TestServer } from '../support/server.ts';

let sandbox: TestServer;
let folder: string;
beforeAll(async () => {
  sandbox = await openServer();
  folder = await makeEmptyFolder();
});
afterAll(async () => {
  await sandbox.close();
  await rm(folder, { recursive: true });
});

/** The application on a data folder whose main file has room for so many bytes more than it holds. */
async function openOn(room?: number) {
  const file = join(folder, 'store.sqlite');
  const limit = room === undefined ? {} : { maxBytes: statSync(file).size + room };
  const store: Store = await openEmbedded({ folder, threads: false, ...limit });
  const blobs = openBlobs({ folder: join(folder, 'documents'), inlineLimit: 1024 ** 2 });
  const context = { ...sandbox.context, tools: { ...sandbox.context.tools, store, blobs } };
  await seed(context.tools, () => {});
  const server: Server = await listen(context, { ready: () => true, metrics: () => Promise.resolve([]) }, 0);
  const place = { port: (server.address() as AddressInfo).port, folder };
  const { credentials } = clientsOf(sandbox);
  const xds = xdsOf(place);
  const filer = personOf('dr-martin');
  if (filer?.kind !== 'professional') throw new Error('dr-martin');
  return {
    tools: context.tools,
    ledger: ledgerOf(place),
    find: () => xds.ask('find', credentials.vihf('dr-martin', { patient: 'laurent' }), findDocuments(cxOf('laurent'))),
    deposit: (uniqueId: string, bytes = Buffer.from(uniqueId)) =>
      xds.deposit(credentials.vihf('dr-martin', { patient: 'laurent' }), {
        cx: cxOf('laurent'),
        filer,
        uniqueId,
        bytes,
      }),
    search: async () =>
      fhirOf(place).get(
        await credentials.token('dr-martin'),
        `DocumentReference?patient.identifier=${tokenOf('laurent')}&_count=100`,
      ),
    live: async () => (await fetch(`http://127.0.0.1:${place.port}/health/live`)).status,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await store.close();
      blobs.close();
    },
  };
}

test('a full disk is told in clear words on both faces, leaves nothing half-stored, and the service goes on', async () => {
  await (await openOn()).close();
  const small = await openOn(150_000);
  const stored: string[] = [];
  let answer = await small.deposit('2.999.6.0');
  while (answer.status === 'Success' && stored.length < 200) {
    stored.push(`2.999.6.${stored.length}`);
    answer = await small.deposit(`2.999.6.${stored.length}`);
  }
  expect(stored.length).toBeGreaterThan(2);
  const full = { http: 200, status: 'Failure', errors: [{ code: 'XDSRepositoryOutOfResources' }] };
  expect(answer).toMatchObject(full);
  expect(answer.errors[0]?.context).toMatch(/^.+\. Rule: .+\. .+\.$/s);

  const rows = small.ledger.rows();
  const next = `2.999.6.${stored.length}`;
  expect(await small.deposit(next)).toMatchObject(full);
  expect(await small.deposit(next, Buffer.alloc(3 * 1024 ** 2, 'large'))).toMatchObject(full);
  expect(small.ledger.rows()).toEqual(rows);
  await small.tools.blobs.sweep(Date.now() + 60_000, (file) => small.tools.store.facts.isNamed(file));
  expect(small.ledger.files()).toEqual([]);

  // Small events find room for a while; then nothing is read either, since nothing could be traced.
  let found = await small.find();
  for (let reads = 0; found.status === 'Success' && reads < 500; reads++) found = await small.find();
  expect(found).toMatchObject({
    http: 200,
    status: 'Failure',
    objects: [],
    errors: [{ code: 'XDSRegistryOutOfResources' }],
  });
  const searched = await small.search();
  expect(searched.status).toBe(507);
  expect(searched.json.issue[0]).toMatchObject({ severity: 'fatal', code: 'transient' });
  expect(await small.live()).toBe(200);
  await small.close();

  const roomy = await openOn();
  expect((await roomy.deposit(next)).status).toBe('Success');
  const { uniqueIds } = await roomy.find();
  expect(uniqueIds).toEqual(expect.arrayContaining([...stored, next]));
  expect((await roomy.search()).json).toMatchObject({ total: uniqueIds.length });
  await roomy.close();
}, 60_000);
