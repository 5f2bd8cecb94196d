import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Permit } from '../../server/domain/decision.ts';
import type { ChangeSet, Outcome, Row, Store, StoredDocument } from '../../server/store/port.ts';
import { permitFor } from '../support/permits.ts';
import { document, folder, uuid } from '../support/registry.ts';
import { documentRow, first, permitOn, put, type Subject, second, seed } from './store.ts';
import { subscriptionOf } from './subscriptions.ts';

const everyPage = { limit: 1000 };
const allVersions = { allVersions: true };
const sha256 = 'ab'.repeat(32);
const sealed = (text: string) => ({ sealed: Buffer.from(text) });
const otherPatient = { id: '160051188801257', authority: { oid: '1.2.250.1.213.1.4.10' }, type: 'NH' };

/** Version `version` of the document or folder that is number 1. */
const next = (number: number, version: number) =>
  document(number, { logicalID: uuid(1), version, uniqueId: '2.999.1.1', patientId: otherPatient });

/** What `server/store/port.ts` promises of versions that follow one in another record. */
export function moveContract(name: string, open: () => Promise<Subject>): void {
  describe(`${name}, versions of one object in several records`, () => {
    let subject: Subject;
    let store: Store;
    beforeEach(async () => {
      subject = await open();
      store = subject.store;
      await seed(store);
    });
    afterEach(() => subject.dispose());

    const updating = async (record: string) => permitOn(store, 'updater', { record, action: 'updateDocument' });
    const both = async (): Promise<readonly [Permit, Permit]> => [await updating(first), await updating(second)];
    const commit = async (permit: Permit, ...rows: readonly Row[]) => store.write.commit(permit, put(...rows));
    const move = async (
      into: Permit,
      from: Permit,
      rows: readonly Row[],
      there: readonly Row[] = [],
    ): Promise<Outcome> => {
      const changes: ChangeSet = { ...put(...rows), elsewhere: [{ permit: from, put: there }] };
      return store.write.commit(into, changes);
    };
    const version = (
      number: number,
      of: number,
      from: string,
      more: { content?: ReturnType<typeof sealed> } = {},
    ): Row => ({
      kind: 'version',
      entry: next(number, number),
      of: uuid(of),
      registeredAt: number,
      from,
      ...more,
    });
    const outdated = (number: number): Row => ({ kind: 'status', document: uuid(number), status: 'deprecated' });
    /** Asks what a reader may recall, so that it has something to recall wrongly after the next change. */
    const look = async (...permits: readonly Permit[]) => {
      for (const permit of permits) await named(permit);
      await store.facts.recordOfDocument(uuid(1));
      await store.facts.recordsOfVersions([uuid(1)], 'latest');
    };
    const moved = async () => {
      const [here, there] = await both();
      await commit(here, { ...documentRow(document(1)), content: sealed('first'), sha256 });
      await look(here, there);
      const outcome = await move(there, here, [version(2, 1, first, { content: sealed('second') })], [outdated(1)]);
      expect(outcome).toMatchObject({ done: true });
      await look(here, there);
      return [here, there] as const;
    };
    const bytesOf = (stored: StoredDocument | undefined) =>
      Buffer.from((stored?.content && subject.bytes(stored.content)) ?? []).toString();
    const named = async (permit: Permit, filter = {}) =>
      (await store.read.documents(permit, filter, everyPage)).items.map(({ entry }) => entry.entryUUID);

    test('the record that it left has no latest version, and keeps the earlier ones with their bytes', async () => {
      const [here, there] = await moved();
      expect([await named(here), await named(there)]).toEqual([[], [uuid(2)]]);
      const [left] = (await store.read.documents(here, allVersions, everyPage)).items;
      expect(left).toMatchObject({ latest: false, record: first, sealedFor: first, entry: { status: 'deprecated' } });
      expect(bytesOf(left)).toBe('first');
    });

    test('the new version has its own bytes, the digest, the next revision, and the owners of those before', async () => {
      const [, there] = await moved();
      const [now] = (await store.read.documents(there, {}, everyPage)).items;
      expect(now).toMatchObject({ latest: true, record: second, sealedFor: second, sha256, revision: 2 });
      expect(bytesOf(now)).toBe('second');
    });

    test('it is found where it is: by its logicalID, its uniqueId and its own name', async () => {
      await moved();
      const { facts } = store;
      expect((await facts.recordOfDocument(uuid(1)))?.record.id).toBe(second);
      expect(await facts.recordsOfVersions([uuid(1)], 'latest')).toEqual([second]);
      expect(await facts.recordsOfVersions([uuid(1)], 'all')).toEqual([second, first]);
      expect(await facts.recordsOfVersions(['2.999.1.1'], 'latest')).toEqual([second]);
      expect(await facts.recordsOfVersions(['2.999.1.1'], 'all')).toEqual([second, first]);
      expect(await facts.recordsOfObjects(['2.999.1.1'])).toEqual([second, first]);
      expect(await facts.recordsOfObjects([uuid(1)])).toEqual([first]);
      expect(await facts.recordsOfObjects([uuid(2)])).toEqual([second]);
      expect(await facts.recordsOfVersions([uuid(9), '2.999.9'], 'all')).toEqual([]);
    });

    test('what never left is where its first version is', async () => {
      const [here] = await both();
      await commit(here, documentRow(document(1)), { kind: 'folder', folder: folder(3) });
      await commit(here, { kind: 'version', entry: next(2, 2), of: uuid(1), registeredAt: 2 });
      for (const which of ['latest', 'all'] as const)
        expect(await store.facts.recordsOfVersions([uuid(1), uuid(3), '2.999.1.1', '2.999.3.3'], which)).toEqual([
          first,
        ]);
    });

    test('a uniqueId that another record takes too is found in both', async () => {
      const [here, there] = await both();
      await commit(here, documentRow(document(1)));
      const asked = async () => [
        await store.facts.recordsOfObjects(['2.999.1.1']),
        await store.facts.recordsOfVersions(['2.999.1.1'], 'latest'),
      ];
      for (let i = 0; i < 3; i++) expect(await asked()).toEqual([[first], [first]]);
      await commit(there, documentRow(document(2, { uniqueId: '2.999.1.1' })));
      expect(await asked()).toEqual([
        [second, first],
        [second, first],
      ]);
    });

    test('only the latest version is the latest, for whoever expects it', async () => {
      const [here] = await moved();
      const expectLatest = async (number: number) =>
        store.write.commit(here, { ...put(), expect: [{ latest: { kind: 'document', entryUUID: uuid(number) } }] });
      expect([(await expectLatest(1)).done, (await expectLatest(2)).done]).toEqual([false, true]);
    });

    test('it comes back to what it had there', async () => {
      const [here, there] = await moved();
      expect(await move(here, there, [version(3, 2, second)], [outdated(2)])).toMatchObject({ done: true });
      expect([await named(here), await named(there)]).toEqual([[uuid(3)], []]);
      const [back] = (await store.read.documents(here, {}, everyPage)).items;
      expect(back).toMatchObject({ sealedFor: first, revision: 3 });
      expect(bytesOf(back)).toBe('first');
      expect(await store.facts.recordsOfVersions([uuid(1)], 'all')).toEqual([first, second]);
    });

    test('of the versions that are left when the latest one goes the last one is the latest, wherever it is', async () => {
      const [here, there] = await moved();
      const removing = async (record: string) => permitOn(store, 'remover', { record, action: 'removeDocuments' });
      const gone = { ...put({ kind: 'remove', object: 'document', name: uuid(2) }) };
      await store.write.commit(await removing(second), {
        ...gone,
        elsewhere: [{ permit: await removing(first), put: [] }],
      });
      expect([await named(here), await named(there)]).toEqual([[uuid(1)], []]);
      expect((await store.facts.recordOfDocument(uuid(1)))?.record.id).toBe(first);
    });

    test('when an earlier one goes the latest one stays the latest', async () => {
      const [here, there] = await moved();
      const remover = await permitOn(store, 'remover', { action: 'removeDocuments' });
      await store.write.commit(remover, put({ kind: 'remove', object: 'document', name: uuid(1) }));
      expect([await named(here, allVersions), await named(there)]).toEqual([[], [uuid(2)]]);
      expect((await store.facts.recordOfDocument(uuid(1)))?.record.id).toBe(second);
    });

    test('bytes go of the versions of one record, not of those of another', async () => {
      const [here, there] = await moved();
      await commit(there, { kind: 'removeContent', document: uuid(2) });
      expect((await store.read.documents(there, {}, everyPage)).items[0]?.content).toBeUndefined();
      expect((await store.read.documents(here, allVersions, everyPage)).items[0]?.content).toBeDefined();
    });

    test('a folder goes likewise', async () => {
      const [here, there] = await both();
      await commit(here, { kind: 'folder', folder: folder(1) });
      const row: Row = {
        kind: 'folder',
        folder: folder(2, { logicalID: uuid(1), version: 2, uniqueId: '2.999.3.1', patientId: otherPatient }),
        from: first,
      };
      const state: Row = { kind: 'folderState', folder: uuid(1), status: 'deprecated' };
      expect(await move(there, here, [row], [state])).toMatchObject({ done: true });
      const latest = async (permit: Permit) =>
        (await store.read.foldersMatching(permit, allVersions, everyPage)).items.map((f) => [
          f.folder.entryUUID,
          f.folder.status,
          f.latest,
        ]);
      expect([await latest(here), await latest(there)]).toEqual([
        [[uuid(1), 'deprecated', false]],
        [[uuid(2), 'approved', true]],
      ]);
      expect(await store.facts.recordsOfVersions([uuid(1)], 'latest')).toEqual([second]);
      const stale = await store.write.commit(here, {
        ...put(),
        expect: [{ latest: { kind: 'folder', entryUUID: uuid(1) } }],
      });
      expect(stale.done).toBe(false);
    });

    test('whoever waits for changes of either record is told of it', async () => {
      const subscription = (id: string, record: string) => subscriptionOf(id, { record });
      const manager = permitFor(undefined, 'otherDoctor', { action: 'manageSubscriptions' });
      const [here] = await both();
      await commit(here, { ...documentRow(document(1)), content: sealed('first'), sha256 });
      for (const [id, record] of [
        ['a', first],
        ['b', second],
      ] as const)
        await commit(manager, { kind: 'subscription', subscription: subscription(id, record) });
      const into = await updating(second);
      expect(await move(into, here, [version(2, 1, first)], [outdated(1)])).toMatchObject({ awaited: true });
      const told = async (id: string, record: string) =>
        (await store.subscriptions.changes({ id, record, cursor: 0 }, 10)).map((c) => [c.object, c.name, c.kind]);
      expect(await told('a', first)).toEqual([['document', uuid(1), 'removed']]);
      expect(await told('b', second)).toEqual([['document', uuid(1), 'created']]);
    });

    test('nothing is taken over from a record without a permit for it, nor is anything else put there', async () => {
      const [here, there] = await both();
      await commit(here, documentRow(document(1)));
      const row = version(2, 1, first);
      await expect(store.write.commit(there, put(row))).rejects.toThrow('without a permit for it');
      await expect(move(there, here, [row], [documentRow(document(3))])).rejects.toThrow(
        'does not reach another record so',
      );
      await expect(move(there, here, [{ ...row, of: uuid(7) } as Row])).rejects.toThrow('follows no document');
      expect([await named(here), await named(there)]).toEqual([[uuid(1)], []]);
    });
  });
}
