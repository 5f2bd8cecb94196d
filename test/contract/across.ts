import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Permit } from '../../server/domain/decision.ts';
import type { Store } from '../../server/store/port.ts';
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
        store.read.recordsWithDocuments(permit(), { classCodes: [{ code: classCode }] });
      expect(await of('10')).toEqual([first]);
      expect(await of('11')).toEqual([second]);
      expect(await of('12')).toEqual([]);
      expect((await store.read.recordsWithDocuments(permit(), {})).length).toBe(2);
    });

    test('folders by their latest versions', async () => {
      const of = async (...codes: string[]) =>
        store.read.recordsWithFolders(permit(), { codes: [codes.map((one) => ({ code: one }))] });
      expect(await of('F1')).toEqual([second]);
      expect(await of('F2')).toEqual([first]);
      expect((await of('F1', 'F2')).length).toBe(2);
      expect(
        (await store.read.recordsWithFolders(permit(), { allVersions: true, codes: [[{ code: 'F1' }]] })).length,
      ).toBe(2);
    });

    test('with no other permit', async () => {
      const other = await permitOn(store, 'ourselves');
      await expect(store.read.recordsWithDocuments(other, {})).rejects.toThrow('permit to query across patients');
      await expect(store.read.recordsWithFolders(other, {})).rejects.toThrow('permit to query across patients');
    });
  });
}
