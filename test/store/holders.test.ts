import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openDatabase } from '../../server/store/embedded/driver.ts';
import { nameHolders } from '../../server/store/embedded/holders.ts';
import { openEmbedded } from '../../server/store/embedded/open.ts';
import { permitFor, permitToSearch, recordOf } from '../support/permits.ts';

test('records that were there before their holders were named are found by name, however many', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'opendmp-holders-'));
  const open = async () => openEmbedded({ folder, threads: false });
  const all = Array.from({ length: 1005 }, (_, i) => `0192aaaa-0000-7000-8000-${String(i).padStart(12, '0')}`);
  const store = await open();
  for (let from = 0; from < all.length; from += 200)
    await Promise.all(
      all.slice(from, from + 200).map(async (id) =>
        store.write.commit(permitFor(undefined, 'stranger', { action: 'createRecord' }), {
          expect: [],
          put: [{ kind: 'record', record: recordOf(id, `p-${id}`) }],
          events: [],
          jobs: [],
        }),
      ),
    );
  await store.close();

  const database = openDatabase(join(folder, 'store.sqlite'));
  database.exec('DELETE FROM holder');
  database.transaction(() => nameHolders(database));
  database.close();

  const again = await open();
  const found = await again.read.recordsOfHolders(permitToSearch(), { families: ['LAUR'] }, 2000);
  expect(found.map(({ record }) => record).sort()).toEqual(all);
  await again.close();
  rmSync(folder, { recursive: true });
});
