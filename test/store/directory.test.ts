import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { nameProfessionals } from '../../server/store/embedded/directory.ts';
import { openDatabase } from '../../server/store/embedded/driver.ts';
import { openEmbedded } from '../../server/store/embedded/open.ts';
import { documentRow, put } from '../contract/store.ts';
import { permitFor, permitToReadDirectory, recordOf } from '../support/permits.ts';
import { authorOf, document } from '../support/registry.ts';

test('whom documents named before there was a directory is in it, however many', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'opendmp-directory-'));
  const open = async () => openEmbedded({ folder, threads: false });
  const doctors = Array.from({ length: 1200 }, (_, i) => `8${String(i).padStart(11, '0')}`);
  const alone = '899970000001';
  const store = await open();
  const record = recordOf('0192aaaa-0000-7000-8000-000000000001');
  const rows = doctors.map((doctor, i) => documentRow(document(i + 1, { authors: [authorOf(doctor, '1750000001')] })));
  const ofPatient = documentRow(document(9000, { authors: [authorOf(alone)] }));
  const permit = permitFor(undefined, 'stranger', { action: 'createRecord' });
  const outcome = await store.write.commit(permit, put({ kind: 'record', record }, ...rows, ofPatient));
  expect(outcome).toMatchObject({ done: true });
  const ids = [...doctors, alone];
  const find = async (from: typeof store) =>
    from.read.directory(permitToReadDirectory(), { kind: 'professional', ids });
  const before = await find(store);
  expect(before.map(({ id }) => id)).toEqual(doctors);
  await store.close();

  const database = openDatabase(join(folder, 'store.sqlite'));
  database.exec('DELETE FROM directory');
  database.transaction(() => nameProfessionals(database));
  database.close();

  const again = await open();
  expect(await find(again)).toEqual(before);
  expect(await again.read.directory(permitToReadDirectory(), { rolesOf: doctors })).toHaveLength(1200);
  await again.close();
  rmSync(folder, { recursive: true });
});
