import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Permit } from '../../server/domain/decision.ts';
import type { Expectation, Row, Store } from '../../server/store/port.ts';
import { association, confidential, document, folder, submissionSet, uuid } from '../support/registry.ts';
import { documentRow, event, first, nobody, permitOn, put, type Subject, second, seed } from './store.ts';

const everyPage = { limit: 1000 };
const allVersions = { allVersions: true };
const content = { sealed: Buffer.from('sealed bytes') };

/** What the port promises of objects that are no more, and of bytes that are. */
export function removalContract(name: string, open: () => Promise<Subject>): void {
  describe(`${name}, removing`, () => {
    let subject: Subject;
    let store: Store;
    let ours: Permit;
    const commit = async (...rows: readonly Row[]) => store.write.commit(ours, put(...rows));
    const remove = (object: Extract<Row, { kind: 'remove' }>['object'], number: number): Row => ({
      kind: 'remove',
      object,
      name: uuid(number),
    });

    beforeEach(async () => {
      subject = await open();
      store = subject.store;
      await seed(store);
      ours = await permitOn(store, 'ourselves');
    });
    afterEach(() => subject.dispose());

    test('an object of each kind is no more, and its names are free again', async () => {
      const rows: Row[] = [
        documentRow(document(1)),
        { kind: 'submissionSet', set: submissionSet(2), owners: nobody },
        { kind: 'folder', folder: folder(3) },
        { kind: 'association', association: association(4, 2, 1) },
      ];
      await commit(...rows);
      await commit(remove('association', 4), remove('document', 1), remove('submissionSet', 2), remove('folder', 3));
      expect(await store.read.taken(ours, [1, 2, 3, 4].map(uuid))).toEqual(new Set());
      expect(await store.read.holders(ours, ['2.999.1.1', '2.999.2.2', '2.999.3.3'])).toEqual(new Map());
      expect(await store.facts.recordsOfObjects([uuid(1), '2.999.2.2'])).toEqual([]);
      expect((await store.read.documents(ours, allVersions, everyPage)).items).toEqual([]);
      expect(await store.read.folders(ours, [uuid(3)])).toEqual([]);
      expect(await store.read.associationsOf(ours, [uuid(1), uuid(2)])).toEqual([]);
      expect(await store.write.commit(ours, put(...rows))).toMatchObject({ done: true });
      expect(await store.read.countDocuments(ours, {})).toBe(1);
    });

    test('an object of another record, or of another kind, is none: nothing is removed', async () => {
      await commit(documentRow(document(1)));
      const elsewhere = await permitOn(store, 'ourselves', { record: second });
      await expect(store.write.commit(elsewhere, put(remove('document', 1)))).rejects.toThrow(
        'no object of the record',
      );
      await expect(commit(remove('document', 1), remove('folder', 1))).rejects.toThrow('no object of the record');
      expect(await store.read.countDocuments(ours, {})).toBe(1);
    });

    test('of the versions that are left the last one is the latest, and decides who sees them', async () => {
      const next = (number: number, version: number) =>
        document(number, { logicalID: uuid(1), version, uniqueId: '2.999.1.1' });
      await commit(documentRow(document(1, { confidentialityCodes: confidential('MASQUE_PS') })));
      await commit({ kind: 'version', entry: next(2, 2), of: uuid(1), registeredAt: 2 });
      const doctor = await permitOn(store, 'otherDoctor');
      expect((await store.read.documentsByLogicalId(doctor, [uuid(1)])).length).toBe(2);
      await commit(remove('document', 2));
      expect(await store.read.documentsByLogicalId(doctor, [uuid(1)])).toEqual([]);
      expect((await store.read.documents(ours, {}, everyPage)).items.map((d) => [d.entry.entryUUID, d.latest])).toEqual(
        [[uuid(1), true]],
      );
      await commit({ kind: 'version', entry: next(3, 2), of: uuid(1), registeredAt: 3 }, remove('document', 1));
      expect((await store.read.documents(doctor, allVersions, everyPage)).items.map((d) => d.entry.entryUUID)).toEqual([
        uuid(3),
      ]);
    });

    test('traces go on hiding the name of a removed document from those who did not see it', async () => {
      await commit(
        documentRow(document(1)),
        documentRow(document(2, { confidentialityCodes: confidential('MASQUE_PS') })),
      );
      const named = (...numbers: number[]) =>
        event({ record: first, documents: numbers.map((n) => ({ entryUUID: uuid(n), uniqueId: `2.999.1.${n}` })) });
      await store.write.commit(ours, {
        ...put(remove('document', 1), remove('document', 2)),
        events: [named(1, 2), named(2)],
      });
      const shown = async (permit: Permit) =>
        (await store.read.events(permit, {}, everyPage)).items.map((e) => e.documents?.map((d) => d.uniqueId));
      expect(await shown(await permitOn(store, 'otherDoctor'))).toEqual([['2.999.1.1']]);
      expect(await shown(await permitOn(store, 'holder'))).toEqual([['2.999.1.2'], ['2.999.1.1', '2.999.1.2']]);
    });

    test('what a partner told of a removed document stays hidden from those who did not see it', async () => {
      await commit(
        documentRow(document(1)),
        documentRow(document(2, { confidentialityCodes: confidential('MASQUE_PS') })),
      );
      const telling = (name: string) =>
        event({ record: first, told: { resource: '{}', receivedAt: 1, agents: [], names: [name] } });
      await store.write.commit(ours, {
        ...put(remove('document', 1), remove('document', 2)),
        events: ['2.999.1.1', '2.999.1.2', uuid(2)].map(telling),
      });
      const shown = async (permit: Permit) =>
        (await store.read.events(permit, {}, everyPage)).items.map((e) => e.told?.names[0]);
      expect(await shown(await permitOn(store, 'otherDoctor'))).toEqual(['2.999.1.1']);
      expect(await shown(await permitOn(store, 'holder'))).toEqual([uuid(2), '2.999.1.2', '2.999.1.1']);
    });

    test('bytes are here no more, of all versions, while what is known of the document stays', async () => {
      const sha256 = 'ab'.repeat(32);
      await commit({ ...documentRow(document(1)), content, sha256 });
      await commit({
        kind: 'version',
        entry: document(2, { logicalID: uuid(1), version: 2, uniqueId: '2.999.1.1' }),
        of: uuid(1),
        registeredAt: 2,
      });
      await commit({ ...documentRow(document(3)), content });
      await commit({ kind: 'removeContent', document: uuid(2) });
      const [kept, ...removed] = (await store.read.documents(ours, allVersions, everyPage)).items;
      expect(kept?.content).toBeDefined();
      expect(removed.map((d) => [d.entry.entryUUID, d.sha256, d.content])).toEqual([
        [uuid(2), sha256, undefined],
        [uuid(1), sha256, undefined],
      ]);
      await expect(commit({ kind: 'removeContent', document: uuid(9) })).rejects.toThrow('no object of the record');
    });

    test('a file is named no more once its document is removed, or its bytes', async () => {
      const file = (n: number) => ({ file: `file-${n}`, length: 3 });
      await commit(
        { ...documentRow(document(1)), content: file(1) },
        { ...documentRow(document(2)), content: file(2) },
      );
      await commit(remove('document', 1), { kind: 'removeContent', document: uuid(2) });
      expect(await store.facts.isNamed('file-1')).toBe(false);
      expect(await store.facts.isNamed('file-2')).toBe(false);
    });

    test('what goes of two records goes together or not at all', async () => {
      const here = await permitOn(store, 'remover', { action: 'removeDocuments' });
      const there = await permitOn(store, 'remover', { record: second, action: 'removeDocuments' });
      await commit(documentRow(document(1)));
      await store.write.commit(await permitOn(store, 'ourselves', { record: second }), put(documentRow(document(2))));
      const left = async () => [...(await store.read.taken(ours, [uuid(1), uuid(2)]))];
      const both = { ...put(remove('document', 1)), elsewhere: [{ permit: there, put: [remove('document', 2)] }] };
      const refused = await store.write.commit(here, { ...both, expect: [{ uniqueIdFree: '2.999.1.1' }] });
      expect([refused.done, await left()]).toEqual([false, [uuid(1), uuid(2)]]);
      const unknown = { ...both, elsewhere: [{ permit: there, put: [remove('document', 1)] }] };
      await expect(store.write.commit(here, unknown)).rejects.toThrow('no object of the record');
      expect(await left()).toEqual([uuid(1), uuid(2)]);
      expect([(await store.write.commit(here, both)).done, await left()]).toEqual([true, []]);
    });

    test('nothing is put into another record, and nothing removed by another permit', async () => {
      const here = await permitOn(store, 'remover', { action: 'removeDocuments' });
      const there = await permitOn(store, 'remover', { record: second, action: 'removeDocuments' });
      const put2 = { ...put(), elsewhere: [{ permit: there, put: [documentRow(document(2))] }] };
      await expect(store.write.commit(here, put2)).rejects.toThrow('does not reach another record so');
      const other = await permitOn(store, 'ourselves', { record: second });
      const wrong = { ...put(), elsewhere: [{ permit: other, put: [remove('document', 2)] }] };
      await expect(store.write.commit(here, wrong)).rejects.toThrow('does not reach another record so');
    });

    test('objects that something else names are not unreferenced', async () => {
      await commit(
        documentRow(document(1)),
        documentRow(document(2)),
        { kind: 'association', association: association(3, 1, 2, 'APND') },
        { kind: 'association', association: association(4, 9, 3) },
      );
      const held = async (...numbers: number[]): Promise<readonly Expectation[] | 'done'> => {
        const outcome = await store.write.commit(ours, { ...put(), expect: [{ unreferenced: numbers.map(uuid) }] });
        return outcome.done ? 'done' : outcome.conflicts;
      };
      expect(await held(1)).toEqual([{ unreferenced: [uuid(1)] }]);
      expect(await held(2)).toEqual([{ unreferenced: [uuid(2)] }]);
      expect(await held(1, 2, 3)).toEqual([{ unreferenced: [1, 2, 3].map(uuid) }]);
      expect(await held(1, 2, 3, 4)).toBe('done');
      expect(await held(4)).toBe('done');
      const saving = async (...numbers: number[]) =>
        store.write.commit(ours, { ...put(), expect: [{ unreferenced: [uuid(1)], save: numbers.map(uuid) }] });
      expect((await saving(3)).done).toBe(true);
      expect((await saving(4)).done).toBe(false);
    });
  });
}
