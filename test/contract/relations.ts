import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Permit } from '../../server/domain/decision.ts';
import type { Row, Store } from '../../server/store/port.ts';
import { association, document, uuid } from '../support/registry.ts';
import { documentRow, event, first, permitOn, put, type Subject, seed } from './store.ts';

/** What the port promises of the fact that a document relates to another. */
export function relationsContract(name: string, open: () => Promise<Subject>): void {
  describe(`${name}, keeping whether a document relates to others`, () => {
    let subject: Subject;
    let store: Store;
    let ours: Permit;
    beforeEach(async () => {
      subject = await open();
      store = subject.store;
      await seed(store);
      ours = await permitOn(store, 'ourselves');
    });
    afterEach(() => subject.dispose());

    const commit = async (...rows: readonly Row[]) => {
      const { done } = await store.write.commit(ours, { ...put(...rows), events: [event({ record: first, at: 1 })] });
      expect(done).toBe(true);
    };
    const relating = async () => {
      const { items } = await store.read.documents(ours, { allVersions: true }, { limit: 100 });
      return items.filter(({ relates }) => relates).map(({ entry }) => entry.entryUUID);
    };
    const replaces = (number: number, source: number, target: number): Row => ({
      kind: 'association',
      association: association(number, source, target, 'RPLC'),
    });

    test('the source of an association relates, its target does not, nor does a member', async () => {
      await commit(documentRow(document(1)));
      await commit(replaces(11, 2, 1), documentRow(document(2)), documentRow(document(3)), {
        kind: 'association',
        association: association(12, 20, 3),
      });
      expect(await relating()).toEqual([uuid(2)]);
      const [named] = await store.read.documentsByUuid(ours, [uuid(2)]);
      expect(named?.relates).toBe(true);
      expect((await store.read.history(ours, [uuid(2)])).map(({ relates }) => relates)).toEqual([true]);
    });

    test('it relates no more when the last of its associations is removed', async () => {
      await commit(documentRow(document(1)), documentRow(document(2)), replaces(11, 2, 1), replaces(12, 2, 1));
      await commit({ kind: 'remove', object: 'association', name: uuid(11) });
      expect(await relating()).toEqual([uuid(2)]);
      await commit({ kind: 'remove', object: 'association', name: uuid(12) });
      expect(await relating()).toEqual([]);
    });

    test('an association that comes later counts, and each version for itself', async () => {
      await commit(documentRow(document(1)), documentRow(document(2)));
      await commit(replaces(11, 2, 1));
      expect(await relating()).toEqual([uuid(2)]);
      const entry = document(3, { logicalID: uuid(2), uniqueId: document(2).uniqueId, version: 2 });
      await commit({ kind: 'version', entry, of: uuid(2), registeredAt: 9 });
      expect(await relating()).toEqual([uuid(2)]);
      await commit(replaces(12, 3, 1));
      expect(await relating()).toEqual([uuid(3), uuid(2)]);
    });
  });
}
