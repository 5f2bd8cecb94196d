import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { verifyFiles } from '../../scripts/kill/verify.ts';
import { people, personOf } from '../../server/sandbox/people.ts';
import { cxOf, tokenOf } from '../support/clients.ts';
import { findDocuments, retrieveDocuments } from '../support/messages.ts';
import { makeFolder, type ServerProcess, startProcess } from '../support/server.ts';
import { plain, post } from '../support/wire.ts';

let folder: string;
let server: ServerProcess;
beforeAll(async () => {
  folder = await makeFolder();
  server = await startProcess(folder, { DMP_LOG_LEVEL: 'debug' });
}, 60_000);
afterAll(async () => {
  await server.end('SIGKILL');
  await rm(folder, { recursive: true });
});

const filer = () => {
  const person = personOf('dr-martin');
  if (person?.kind !== 'professional') throw new Error('dr-martin');
  return person;
};
const vihf = (slug = 'dr-martin', patient = 'laurent') => server.credentials.vihf(slug, { patient });
const find = (security: string, patient = 'laurent') => server.xds.ask('find', security, findDocuments(cxOf(patient)));
const deposit = (uniqueId: string, bytes: Buffer) =>
  server.xds.deposit(vihf(), { cx: cxOf('laurent'), filer: filer(), uniqueId, bytes });

describe('the log', () => {
  test('holds no matricule, no name and no credential, whatever was asked', async () => {
    const { xds, fhir, credentials } = server;
    const reason = 'motif-tres-confidentiel';
    const token = await credentials.token('dr-nguyen', { patient: 'laurent' });
    const expired = await credentials.token('laurent', {}, { lifetime: -60 });
    const assertion = vihf();
    const refusedBefore = server.output().length;
    expect((await find(assertion)).status).toBe('Success');
    // Replayed, forged, malformed, for another patient, blocked, unknown, closed, without a right, in break-glass.
    expect((await find(assertion)).status).toBe('Fault');
    await find(vihf('dr-nguyen').replace('Minh', 'Minq'));
    await post(server.port, '/xds/registry', plain, [`<x>${cxOf('laurent').replaceAll('&', '&amp;')} LAURENT`]);
    await post(server.port, '/xds/nowhere', plain, [cxOf('laurent')]);
    await find(vihf('dr-martin', 'blanc'));
    for (const patient of ['blanc', 'garnier', 'faure', 'girard']) await find(vihf('dr-nguyen', patient), patient);
    await xds.ask(
      'find',
      credentials.vihf('dr-bernard', { patient: 'laurent', mode: 'bris_de_glace', reason }),
      findDocuments(cxOf('laurent')),
    );
    await xds.deposit(vihf(), { cx: cxOf('blanc'), filer: filer(), uniqueId: '2.999.4.1', bytes: Buffer.from('x') });
    const answer = await xds.deposit(vihf(), {
      cx: 'LAURENT',
      filer: filer(),
      uniqueId: 'LAURENT',
      bytes: Buffer.from('x'),
    });
    expect(answer.status).toBe('Failure');
    for (const path of [
      `DocumentReference?patient.identifier=${tokenOf('laurent')}&author.family=MARTIN`,
      `DocumentReference?patient.identifier=${tokenOf('blanc')}`,
      `DocumentReference?patient.identifier=LAURENT&creation=LAURENT`,
      `AuditEvent?patient.identifier=${tokenOf('laurent')}&date=ge2026`,
      `Patient?identifier=${tokenOf('garnier')}`,
      `Patient/${tokenOf('laurent')}`,
      `Nothing/LAURENT`,
    ])
      for (const bearer of [token, expired, undefined, `${token}x`]) await fhir.get(bearer, path);

    const lines = server
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'));
    expect(server.output().length).toBeGreaterThan(refusedBefore);
    expect(lines.length).toBeGreaterThanOrEqual(3);
    const names = people.flatMap((p) =>
      'family' in p ? [p.family, p.given] : 'employee' in p ? [p.employee.family] : [],
    );
    const numbers = people.flatMap((p) => ('ins' in p ? [p.ins] : 'idNat' in p ? [p.idNat] : []));
    const secrets = [token, expired, assertion].flatMap((one) => [one.slice(0, 40), one.slice(-40)]);
    const ids = [/ID="([^"]+)"/.exec(assertion)?.[1] ?? '', decodeJwt(token).jti ?? ''];
    for (const marker of [...names, ...numbers, ...secrets, ...ids, reason])
      expect(lines.filter((line) => line.toLowerCase().includes(marker.toLowerCase()))).toEqual([]);
    const afterStart = server
      .output()
      .split('\n')
      .filter((line) => /error|exception|unhandled/i.test(line));
    expect(afterStart).toEqual([]);
  });
});

/** Elsewhere threads cannot share a port. */
const onLinux = process.platform === 'linux' ? test : test.skip;

describe('under load', () => {
  onLinux(
    'a further web thread serves, and an assertion still serves once',
    async () => {
      const token = await server.credentials.token('dr-martin');
      const query = `DocumentReference?patient.identifier=${tokenOf('laurent')}&_count=100&_format=xml`;
      const serves = () => server.output().includes('a further web thread serves');
      while (!serves()) await Promise.all(Array.from({ length: 40 }, () => server.fhir.get(token, query)));
      for (let round = 0; round < 3; round++) {
        const once = vihf();
        const answers = await Promise.all(Array.from({ length: 30 }, () => find(once)));
        const statuses = answers.map(({ status }) => status);
        expect([statuses.filter((s) => s === 'Success').length, statuses.filter((s) => s === 'Fault').length]).toEqual([
          1, 29,
        ]);
      }
    },
    60_000,
  );
});

test('killed in the middle and started again, everything acknowledged is there, and the chain of events is whole', async () => {
  const acknowledged = new Map<string, Buffer>();
  let sent = 0;
  let end: Promise<number | null> | undefined;
  const used = vihf();
  await find(used);
  /** Deposits one after the other until the server is gone. */
  const depositor = async () => {
    while (end === undefined) {
      const uniqueId = `2.999.5.${++sent}`;
      const bytes = Buffer.from(`document ${uniqueId} `.repeat(sent % 7 === 0 ? 90_000 : 50));
      const answer = await deposit(uniqueId, bytes).catch(() => undefined);
      if (answer?.status === 'Success') acknowledged.set(uniqueId, bytes);
      if (acknowledged.size === 40) end ??= server.end('SIGKILL');
    }
  };
  await Promise.all(Array.from({ length: 8 }, depositor));
  await end;
  expect(acknowledged.size).toBeGreaterThanOrEqual(40);
  const { sequence } = verifyFiles(folder, { thorough: true });

  server = await startProcess(folder);
  expect(server.output()).not.toContain('Sandbox: record');
  const found = await find(vihf());
  expect(found.status).toBe('Success');
  for (const [uniqueId, bytes] of acknowledged) {
    expect(found.uniqueIds).toContain(uniqueId);
    const { documents } = await server.xds.ask('retrieve', vihf(), retrieveDocuments([uniqueId]));
    expect(documents[0]?.bytes.equals(bytes)).toBe(true);
  }
  // What came in and was not acknowledged is there whole or not at all.
  for (const uniqueId of found.uniqueIds)
    expect((await server.xds.ask('retrieve', vihf(), retrieveDocuments([uniqueId]))).status).toBe('Success');
  const deposits = server.ledger
    .after(0)
    .filter(({ action, outcome }) => action === 'submitDocuments' && outcome === 'done');
  for (const uniqueId of acknowledged.keys())
    expect(deposits.filter(({ documents }) => documents?.some((d) => d.uniqueId === uniqueId) === true)).toHaveLength(
      1,
    );
  // A credential that had served before has served.
  expect((await find(used)).status).toBe('Fault');

  expect(await server.end('SIGTERM')).toBe(0);
  expect(verifyFiles(folder, { thorough: true }).sequence).toBeGreaterThan(sequence);
}, 60_000);
