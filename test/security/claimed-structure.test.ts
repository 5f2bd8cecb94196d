import { writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cxOf } from '../support/clients.ts';
import { findDocuments } from '../support/messages.ts';
import { openServer, type TestServer } from '../support/server.ts';

const [hospital, centre15] = ['1990000010', '1990000044'];
const servers: Partial<Record<'usual' | 'listed', TestServer>> = {};
beforeAll(async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'opendmp-activities-')), 'activities.json');
  writeFileSync(file, JSON.stringify([{ professional: '899970000073', structures: [hospital, centre15] }]));
  servers.usual = await openServer();
  servers.listed = await openServer({ DMP_ACTIVITIES: file });
});
afterAll(async () => {
  for (const server of Object.values(servers)) await server.close();
});

/** A search of pharm-durand, whom nobody authorised, in the name of a structure that his card does not name. */
async function search(where: 'usual' | 'listed', structure: string, patient: string, mode: 'normal' | 'centre_15') {
  const server = servers[where];
  if (server === undefined) throw new Error('no server');
  const { credentials, xds } = server;
  const claiming = credentials.resigned(
    'pharm-durand',
    credentials.vihf('pharm-durand', { patient, mode }),
    (assertion) => assertion.replace('>1990000069<', `>${structure}<`),
  );
  expect(claiming).toContain(`>${structure}<`);
  const { status, errors } = await xds.ask('find', claiming, findDocuments(cxOf(patient)));
  return [status, ...errors.map(({ context }) => context.split(':')[0])];
}

const denied = ['Failure', 'DMPAccessDeniedByRightsService'];

test.each([
  ['usual', denied],
  ['listed', ['Success']],
] as const)(
  'the authorisation of a structure that a professional only names is not his (%s)',
  async (where, expected) => {
    expect(await search(where, hospital, 'laurent', 'normal')).toEqual(expected);
  },
);

test.each([
  ['usual', denied],
  ['listed', ['Success']],
] as const)('nor does he regulate at a centre 15 that he only names (%s)', async (where, expected) => {
  expect(await search(where, centre15, 'casanova', 'centre_15')).toEqual(expected);
});
