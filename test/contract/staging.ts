import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ChangeSet, Staged, Store } from '../../server/store/port.ts';
import { decidedAt, permitFor } from '../support/permits.ts';
import type { Subject } from './store.ts';

const bytes = (id: string, owner: string, until: number): Staged => ({
  id,
  owner,
  until,
  contentType: 'application/dicom',
  size: 100,
  sha1: '00',
  sha256: '11',
  content: { file: `file-${id}`, length: 204, header: 'AAAA' },
  key: 'BBBB',
});

/** What every store promises of bytes that wait to become documents. */
export function stagingContract(name: string, open: () => Promise<Subject>): void {
  describe(`bytes that wait in ${name}`, () => {
    let subject: Subject;
    let store: Store;
    beforeAll(async () => {
      subject = await open();
      ({ store } = subject);
    });
    afterAll(() => subject.dispose());
    const permit = () => permitFor(undefined, 'stranger', { action: 'stageContent' });
    const change = (put: ChangeSet['put'], expect: ChangeSet['expect'] = []) =>
      store.write.commit(permit(), {
        expect,
        put,
        events: [
          {
            at: decidedAt,
            action: 'stageContent',
            origin: { transaction: 'create', requestId: 'r', endpoint: 'e' },
            outcome: 'done',
          },
        ],
        jobs: [],
      });

    test('are found as they were put, by their id alone, and counted for their owner until they end', async () => {
      await change([
        { kind: 'staged', staged: bytes('a', 'one', 50) },
        { kind: 'staged', staged: bytes('b', 'one', 60) },
        { kind: 'staged', staged: bytes('c', 'two', 60) },
      ]);
      expect(await store.staging.find('a')).toEqual(bytes('a', 'one', 50));
      expect(await store.staging.find('d')).toBeUndefined();
      expect(await Promise.all([49, 50, 60].map((now) => store.staging.waiting('one', now)))).toEqual([200, 100, 0]);
    });

    test('are used once: who expects them after another took them meets a conflict and changes nothing', async () => {
      const use = () =>
        change(
          [
            { kind: 'unstaged', id: 'c' },
            { kind: 'staged', staged: bytes('after', 'two', 1) },
          ],
          [{ staged: 'c' }],
        );
      const outcomes = await Promise.all([use(), use()]);
      expect(outcomes.filter(({ done }) => done)).toHaveLength(1);
      expect(outcomes.find(({ done }) => !done)).toMatchObject({ conflicts: [{ staged: 'c' }] });
      expect(await store.staging.find('c')).toBeUndefined();
    });

    test('find no more room than is expected, whoever else brings bytes at the same time', async () => {
      const room = { waiting: { owner: 'three', at: 40, most: 100 } };
      const add = (id: string) => change([{ kind: 'staged', staged: bytes(id, 'three', 41) }], [room]);
      const outcomes = await Promise.all(['e', 'f', 'g', 'h'].map(add));
      expect(outcomes.filter(({ done }) => done)).toHaveLength(2);
      expect(outcomes.find(({ done }) => !done)).toMatchObject({ conflicts: [room] });
      expect(await store.staging.waiting('three', 40)).toBe(200);
    });

    test('name their file until they are used or forgotten', async () => {
      expect(await store.staging.isNamed('file-b')).toBe(true);
      expect(await store.staging.isNamed('file-c')).toBe(false);
      await store.staging.expire(59);
      expect(await Promise.all(['a', 'b'].map((id) => store.staging.find(id)))).toEqual([
        undefined,
        bytes('b', 'one', 60),
      ]);
      await store.staging.expire(60);
      expect(await store.staging.isNamed('file-b')).toBe(false);
    });
  });
}
