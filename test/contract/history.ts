import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Permit } from '../../server/domain/decision.ts';
import type { DocumentEntry } from '../../server/domain/document.ts';
import type { Row, Store } from '../../server/store/port.ts';
import { confidential, document, uuid } from '../support/registry.ts';
import { documentRow, event, first, permitOn, put, type Subject, seed } from './store.ts';

/** What the port promises of the states of a document. */
export function historyContract(name: string, open: () => Promise<Subject>): void {
  describe(`${name}, keeping history`, () => {
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

    const commit = async (at: number, ...rows: readonly Row[]) => {
      return store.write.commit(ours, { ...put(...rows), events: [event({ record: first, at })] });
    };
    const version = (number: number, of: number, changes: Partial<DocumentEntry> = {}): Row => ({
      kind: 'version',
      entry: document(number, { logicalID: uuid(1), uniqueId: '2.999.1.1', version: number, ...changes }),
      of: uuid(of),
      registeredAt: number * 10,
    });
    const status = (number: number, to: DocumentEntry['status']): Row => ({
      kind: 'status',
      document: uuid(number),
      status: to,
    });
    const states = async (permit: Permit = ours) =>
      (await store.read.history(permit, [uuid(1)])).map((d) => [
        d.revision,
        d.entry.entryUUID,
        d.entry.status,
        d.changedAt,
        d.latest,
      ]);

    test('a new document is in its first state', async () => {
      await commit(1, documentRow(document(1)), documentRow(document(5)));
      expect(await states()).toEqual([[1, uuid(1), 'approved', 1, true]]);
    });

    test('each new status and each new version is a state, kept as it was', async () => {
      await commit(1, documentRow(document(1)));
      await commit(5, status(1, 'archived'));
      await commit(20, version(2, 1, { status: 'archived' }), status(1, 'deprecated'));
      await commit(25, status(2, 'approved'));
      expect(await states()).toEqual([
        [4, uuid(2), 'approved', 25, true],
        [3, uuid(2), 'archived', 20, false],
        [2, uuid(1), 'archived', 5, false],
        [1, uuid(1), 'approved', 1, false],
      ]);
      const [latest] = (await store.read.documents(ours, {}, { limit: 1 })).items;
      expect(latest).toMatchObject({ revision: 4, changedAt: 25, registeredAt: 20 });
    });

    test('the states of a hidden document do not exist', async () => {
      await commit(1, documentRow(document(1)));
      await commit(20, version(2, 1, { confidentialityCodes: confidential('MASQUE_PS') }));
      expect(await states(await permitOn(store, 'otherDoctor'))).toEqual([]);
      expect(await states()).toHaveLength(2);
    });

    test('a document is found by the time of its last change', async () => {
      await commit(1, documentRow(document(1)), documentRow(document(5)));
      await commit(7, status(1, 'archived'));
      const found = async (changedAt: { from?: number; to?: number }) => {
        const { items } = await store.read.documents(ours, { changedAt }, { limit: 10 });
        expect(await store.read.countDocuments(ours, { changedAt })).toBe(items.length);
        return items.map(({ entry }) => entry.entryUUID);
      };
      expect(await found({ from: 7 })).toEqual([uuid(1)]);
      expect(await found({ to: 7 })).toEqual([uuid(5)]);
      expect(await found({ from: 1, to: 8 })).toEqual([uuid(5), uuid(1)]);
      expect(await found({ from: 8 })).toEqual([]);
    });

    test('the version before a removed one is in a new state', async () => {
      await commit(1, documentRow(document(1)));
      await commit(20, version(2, 1), status(1, 'deprecated'));
      await commit(30, { kind: 'remove', object: 'document', name: uuid(2) });
      expect(await states()).toEqual([
        [3, uuid(1), 'deprecated', 30, true],
        [1, uuid(1), 'approved', 1, false],
      ]);
    });
  });
}
