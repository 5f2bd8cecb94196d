import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { verifyFiles } from '../../scripts/kill/verify.ts';
import { openEmbedded } from '../../server/store/embedded/open.ts';
import { documentRow, event, first, permitOn, put, seed } from '../contract/store.ts';
import { document } from '../support/registry.ts';

test('killed under load, the store loses nothing that it acknowledged', () => {
  const script = join(import.meta.dirname, '../../scripts/kill-test.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '3', '8'], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^3 kills, [1-9]\d* acknowledged deposits, 0 lost; /m);
  expect(status).toBe(0);
});

describe('the check of a data folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'opendmp-verify-'));
    const store = await openEmbedded({ folder, threads: false });
    await seed(store);
    const permit = await permitOn(store, 'ourselves');
    for (const n of [1, 2, 3])
      await store.write.commit(permit, { ...put(documentRow(document(n))), events: [event({ record: first, at: n })] });
    await store.close();
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const change = (sql: string) => {
    const database = new DatabaseSync(join(folder, 'store.sqlite'));
    database.exec(sql);
    database.close();
  };

  test('finds a sound one sound', () => {
    expect(verifyFiles(folder, { thorough: true }).sequence).toBe(3);
  });
  test('finds an event that was altered', () => {
    change(`UPDATE event SET json = CAST(replace(CAST(json AS TEXT), '"at":2', '"at":9') AS BLOB) WHERE sequence = 2`);
    expect(() => verifyFiles(folder)).toThrow('Event 2 does not carry its hash');
  });
  test('finds an event that was taken away', () => {
    change('DELETE FROM event WHERE sequence = 2');
    expect(() => verifyFiles(folder)).toThrow('1 is followed by 3');
  });
  test('finds a document of which a part is missing', () => {
    change('DELETE FROM search WHERE position = 2');
    expect(() => verifyFiles(folder, { thorough: true })).toThrow('1 documents are half there');
  });
});
