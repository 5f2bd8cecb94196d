import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Permit } from '../../server/domain/decision.ts';
import type { Store } from '../../server/store/port.ts';
import { permitFor, recordOf } from '../support/permits.ts';
import { code, confidential, document, folder } from '../support/registry.ts';
import { documentRow, first, permitOn, put, type Subject, second, seed } from './store.ts';

/** What the port promises of queries across patients. */
export function acrossContract(name: string, open: () => Promise<Subject>, permit: () => Permit): void {
  describe(`${name}, across patients`, () => {
    let subject: Subject;
    let store: Store;

    beforeEach(async () => {
      subject = await open();
      store = subject.store;
      await seed(store);
      const [one, other] = [await permitOn(store, 'ourselves'), await permitOn(store, 'ourselves', { record: second })];
      await store.write.commit(
        one,
        put(
          documentRow(document(1, { classCode: code('10') })),
          documentRow(document(2, { classCode: code('10') })),
          { kind: 'folder', folder: folder(3, { codes: [code('F1')] }) },
          { kind: 'folder', folder: folder(4, { codes: [code('F2')], logicalID: folder(3).logicalID, version: 2 }) },
        ),
      );
      await store.write.commit(
        other,
        put(documentRow(document(5, { classCode: code('11'), confidentialityCodes: confidential('MASQUE_PS') })), {
          kind: 'folder',
          folder: folder(6, { codes: [code('F1')] }),
        }),
      );
    });
    afterEach(() => subject.dispose());

    test('each record that holds what is looked for is named once, whatever is hidden', async () => {
      const of = async (classCode: string) =>
        store.read.recordsWithDocuments(permit(), { classCodes: [{ code: classCode }] }, 10);
      expect(await of('10')).toEqual([first]);
      expect(await of('11')).toEqual([second]);
      expect(await of('12')).toEqual([]);
      expect((await store.read.recordsWithDocuments(permit(), {}, 10)).length).toBe(2);
      expect(await store.read.recordsWithDocuments(permit(), {}, 1)).toEqual([first]);
    });

    test('folders by their latest versions', async () => {
      const of = async (...codes: string[]) =>
        store.read.recordsWithFolders(permit(), { codes: [codes.map((one) => ({ code: one }))] }, 10);
      expect(await of('F1')).toEqual([second]);
      expect(await of('F2')).toEqual([first]);
      expect((await of('F1', 'F2')).length).toBe(2);
      expect(
        (await store.read.recordsWithFolders(permit(), { allVersions: true, codes: [[{ code: 'F1' }]] }, 10)).length,
      ).toBe(2);
    });

    test('in more records than are looked through in one go', async () => {
      const creation = permitFor(undefined, 'stranger', { action: 'createRecord' });
      const records = Array.from({ length: 1200 }, (_, n) => `many-${n}`);
      for (const id of records)
        await store.write.commit(creation, put({ kind: 'record', record: { ...recordOf(id), identifiers: [] } }));
      const [far, last] = [records[600] ?? '', records.at(-1) ?? ''];
      for (const [n, record] of [far, last].entries())
        await store.write.commit(
          await permitOn(store, 'ourselves', { record }),
          put(documentRow(document(20 + n, { classCode: code('10') })), {
            kind: 'folder',
            folder: folder(30 + n, { codes: [code('F2')] }),
          }),
        );
      const [classCodes, codes] = [[{ code: '10' }], [[{ code: 'F2' }]]];
      expect(await store.read.recordsWithDocuments(permit(), { classCodes }, 10)).toEqual([first, far, last]);
      expect(await store.read.recordsWithFolders(permit(), { codes }, 10)).toEqual([first, far, last]);
      expect(await store.read.recordsWithFolders(permit(), { codes }, 2)).toEqual([first, far]);
    });

    test('with no other permit', async () => {
      const other = await permitOn(store, 'ourselves');
      await expect(store.read.recordsWithDocuments(other, {}, 10)).rejects.toThrow('permit to query across patients');
      await expect(store.read.recordsWithFolders(other, {}, 10)).rejects.toThrow('permit to query across patients');
    });
  });
}
