import { createHash, randomBytes } from 'node:crypto';
import { rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DocumentReference } from 'fhir/r4.js';
import { bundleOf, resourceIn } from '../fhir/deposits.ts';
import type { Door } from '../fhir/door.ts';
import { publicUrl } from '../support/clients.ts';
import { makeFolder, type ServerProcess, startProcess } from '../support/server.ts';

let folder: string;
let server: ServerProcess;
beforeAll(async () => {
  folder = await makeFolder();
  server = await startProcess(folder);
});
afterAll(async () => {
  await server.end('SIGTERM');
  await rm(folder, { recursive: true });
});

const send = async (path: string, body: Uint8Array<ArrayBuffer> | string, type: string) =>
  fetch(`${server.fhir.base}/${path}`, {
    method: 'POST',
    headers: { 'Content-Type': type, Authorization: `Bearer ${await server.credentials.token('dr-martin')}` },
    body,
  });
const get = async (url: string) => server.fhir.get(await server.credentials.token('dr-martin'), url);

/** Ends what waits under that id, and lets an hour go by for its file. */
function age(id: string, isOver: boolean): string {
  const database = new DatabaseSync(join(folder, 'store.sqlite'));
  try {
    if (isOver) database.prepare('UPDATE staged SET until = 1 WHERE id = ?').run(id);
    return String(database.prepare('SELECT file FROM staged WHERE id = ?').get(id)?.['file']);
  } finally {
    database.close();
  }
}

describe('bytes ahead of their document', () => {
  test('outlive the process, become a document without being written again, and are swept when nobody names them', async () => {
    const bytes = Uint8Array.from(randomBytes(3_000_000));
    const [kept = '', forgotten = ''] = await Promise.all(
      [0, 1].map(async () => (await send('Binary', bytes, 'text/xml')).headers.get('location') ?? ''),
    );
    await server.end('SIGTERM');

    const idOf = (url: string) => url.slice(`${publicUrl}/fhir/Binary/`.length);
    const [file, other] = [age(idOf(kept), false), age(idOf(forgotten), true)];
    const before = new Date(Date.now() - 2 * 3_600_000);
    for (const name of [file, other]) await utimes(join(folder, 'documents', 'large', name), before, before);
    const { ino } = await stat(join(folder, 'documents', 'large', file));
    server = await startProcess(folder);
    await server.printed(/are swept/);
    expect(server.ledger.files()).toEqual([file]);
    expect((await get(forgotten)).status).toBe(404);
    expect((await get(kept)).bytes.equals(bytes)).toBe(true);

    const sandbox = { world: { tools: { now: () => Date.now() }, ins: () => undefined } } as unknown as Door;
    const document = resourceIn(bundleOf(sandbox), 'DocumentReference');
    delete document.meta;
    Object.assign(document.content[0]?.attachment ?? {}, {
      url: kept,
      size: bytes.length,
      hash: createHash('sha1').update(bytes).digest('base64'),
    });
    const answer = await send('DocumentReference', JSON.stringify(document), 'application/fhir+json');
    expect(answer.status).toBe(201);
    const stored = (await answer.json()) as DocumentReference;
    const read = await get(stored.content[0]?.attachment.url ?? '');
    expect(read.bytes.equals(bytes)).toBe(true);
    expect((await stat(join(folder, 'documents', 'large', file))).ino).toBe(ino);
    expect((await get(kept)).status).toBe(404);
  }, 60_000);
});
