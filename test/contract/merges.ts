import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Permit } from '../../server/domain/decision.ts';
import type { PatientRecord } from '../../server/domain/record.ts';
import type { ChangeSet, Row, Store } from '../../server/store/port.ts';
import { permitFor, recordOf } from '../support/permits.ts';
import { association, document, folder, submissionSet, uuid } from '../support/registry.ts';
import { documentRow, event, first, nobody, permitOn, put, type Subject, second, seed } from './store.ts';

const testOid = '1.2.250.1.213.1.4.10';
const patientId = { id: '160051188801257', authority: { oid: testOid }, type: 'NH' };
const third = '0192aaaa-0000-7000-8000-000000000003';
const wrapped = Buffer.from('a wrapped key of sixty bytes, as the keyring makes it, 012345');

/** What `server/store/port.ts` promises of merges. */
export function mergeContract(name: string, open: () => Promise<Subject>): void {
  describe(`${name} merges records`, () => {
    let subject: Subject;
    let store: Store;
    beforeEach(async () => {
      subject = await open();
      store = subject.store;
      await seed(store);
    });
    afterEach(async () => subject.dispose());

    const feeding = async (record: string): Promise<Permit> =>
      permitFor(await store.facts.recordById(record), 'feeder', { action: 'feedIdentities' });
    const husk = async (id: string, into: string): Promise<PatientRecord> => {
      const { record } = (await store.facts.recordById(id)) ?? { record: recordOf(id) };
      return { ...record, version: record.version + 1, state: 'merged', mergedInto: into, identifiers: [] };
    };
    const heir = async (into: string, from: string): Promise<Row> => {
      const [survivor, subsumed] = await Promise.all([store.facts.recordById(into), store.facts.recordById(from)]);
      const taken = (subsumed?.record.identifiers ?? []).map((i) => ({ ...i, use: 'subsumed' as const }));
      const record = survivor?.record ?? recordOf(into);
      return {
        kind: 'record',
        record: { ...record, version: record.version + 1, identifiers: [...record.identifiers, ...taken] },
      };
    };
    const merge = async (from: string, into: string, shown = patientId) => {
      const rows: Row[] = [
        await heir(into, from),
        { kind: 'merge', subsumed: await husk(from, into), patientId: shown },
      ];
      return store.write.commit(await feeding(into), put(...rows));
    };
    const fill = async () => {
      const rows: Row[] = [
        { kind: 'key', record: first, wrapped },
        { kind: 'submissionSet', set: submissionSet(1), owners: nobody },
        { ...documentRow(document(2)), content: { sealed: Buffer.from('sealed') }, sha256: 'ab'.repeat(32) },
        { kind: 'folder', folder: folder(3) },
        { kind: 'association', association: association(4, 1, 2) },
        { kind: 'association', association: association(5, 3, 2) },
        { kind: 'association', association: association(6, 1, 5) },
      ];
      const changes: ChangeSet = { ...put(...rows), events: [event({ record: first })] };
      expect(await store.write.commit(await permitOn(store), changes)).toMatchObject({ done: true });
    };

    test.each([
      ['the record that it left', first, second],
      ['the record where it is', second, first],
    ])(
      'of what went from one record to another, and %s is merged into the other, one version is the latest',
      async (_, from, into) => {
        const updating = async (record: string) => permitOn(store, 'updater', { record, action: 'updateDocument' });
        await store.write.commit(
          await updating(first),
          put({ ...documentRow(document(1)), content: { sealed: Buffer.from('a') } }),
        );
        const row: Row = {
          kind: 'version',
          entry: document(2, { logicalID: uuid(1), version: 2, uniqueId: '2.999.1.1' }),
          of: uuid(1),
          registeredAt: 2,
          from: first,
          content: { sealed: Buffer.from('b') },
        };
        await store.write.commit(await updating(second), {
          ...put(row),
          elsewhere: [{ permit: await updating(first), put: [] }],
        });
        expect(await merge(from, into)).toMatchObject({ done: true });
        const permit = await permitOn(store, 'otherDoctor', { record: into });
        const { items } = await store.read.documents(permit, { allVersions: true }, { limit: 10 });
        expect(items.map(({ entry, latest, record }) => [entry.entryUUID, latest, record])).toEqual([
          [uuid(2), true, into],
          [uuid(1), false, into],
        ]);
        expect(await store.facts.recordsOfVersions([uuid(1), '2.999.1.1'], 'all')).toEqual([into]);
        expect((await store.facts.recordOfDocument(uuid(1)))?.record.id).toBe(into);
        const remover = await permitOn(store, 'remover', { record: into, action: 'removeDocuments' });
        await store.write.commit(remover, put({ kind: 'remove', object: 'document', name: uuid(2) }));
        const left = await store.read.documents(permit, {}, { limit: 10 });
        expect(left.items.map(({ entry }) => entry.entryUUID)).toEqual([uuid(1)]);
      },
    );

    test('all that the subsumed record held is the survivor’s and shows its patientId', async () => {
      await fill();
      const before = await store.read.documents(await permitOn(store), {}, { limit: 10 });
      expect(before.items).toMatchObject([{ entry: { entryUUID: uuid(2), patientId: document(2).patientId } }]);
      expect(await merge(first, second)).toMatchObject({ done: true });
      const permit = await permitOn(store, 'otherDoctor', { record: second });
      const { items } = await store.read.documents(permit, {}, { limit: 10 });
      expect(items).toMatchObject([{ record: second, sealedFor: first, entry: { entryUUID: uuid(2), patientId } }]);
      expect(await store.read.documentsByUuid(permit, [uuid(2)])).toHaveLength(1);
      expect(await store.read.documentsByUniqueId(permit, [document(2).uniqueId])).toHaveLength(1);
      expect(await store.read.folders(permit, [uuid(3)])).toMatchObject([{ patientId }]);
      const sets = await store.read.submissionSets(permit, {}, { limit: 10 });
      expect(sets.items).toMatchObject([{ set: { entryUUID: uuid(1), patientId } }]);
      const associations = await store.read.associationsOf(permit, [uuid(1), uuid(2), uuid(3)]);
      expect(associations.map(({ entryUUID }) => entryUUID).sort()).toEqual([uuid(4), uuid(5), uuid(6)]);
      expect(await store.read.associations(permit, [uuid(6)])).toHaveLength(1);
      expect((await store.facts.recordOfDocument(uuid(2)))?.record.id).toBe(second);
      const holder = await permitOn(store, 'holder', { record: second }).catch(() => permit);
      expect((await store.read.events(holder, {}, { limit: 10 })).items).toHaveLength(1);
    });

    test('the identifiers of the subsumed record find the survivor, and its own row names nobody', async () => {
      await merge(first, second);
      const facts = await store.facts.recordByIdentifier({ value: '279035121518989', oid: testOid });
      expect(facts?.record.id).toBe(second);
      expect(facts?.record.identifiers.map(({ use }) => use)).toEqual(['official', 'subsumed']);
      const gone = await store.facts.recordById(first);
      expect(gone?.record).toMatchObject({ state: 'merged', mergedInto: second, identifiers: [], version: 2 });
    });

    test('a document relates to another after the merge as before', async () => {
      await fill();
      const rows: Row[] = [
        documentRow(document(7)),
        { kind: 'association', association: association(8, 7, 2, 'RPLC') },
      ];
      await store.write.commit(await permitOn(store), { ...put(...rows), events: [event({ record: first })] });
      await merge(first, second);
      const permit = await permitOn(store, 'otherDoctor', { record: second });
      const { items } = await store.read.documents(permit, {}, { limit: 10 });
      expect(items.map(({ entry, relates }) => [entry.entryUUID, relates])).toEqual([
        [uuid(7), true],
        [uuid(2), false],
      ]);
      expect(await store.read.associationsOf(permit, [uuid(7)])).toMatchObject([{ type: 'RPLC', target: uuid(2) }]);
    });

    test('a chain of merges ends in the last survivor', async () => {
      await store.write.commit(
        permitFor(undefined, 'stranger', { action: 'createRecord' }),
        put({ kind: 'record', record: recordOf(third, '169052A03314294') }),
      );
      await fill();
      await merge(first, second);
      await merge(second, third, { ...patientId, id: '169052A03314294' });
      const permit = await feeding(third);
      const [found] = await store.read.targets(permit, [uuid(2)]);
      expect(found).toMatchObject({ record: third, sealedFor: first, entry: { patientId: { id: '169052A03314294' } } });
      expect(Buffer.from((await store.read.wrappedKey(permit, first)) ?? [])).toEqual(wrapped);
      const facts = await store.facts.recordByIdentifier({ value: '279035121518989', oid: testOid });
      expect(facts?.record.id).toBe(third);
    });

    test('the key of a merged record is read with the survivor’s permit alone, and destroyed with it', async () => {
      await fill();
      expect(await store.read.wrappedKey(await feeding(second), first)).toBeUndefined();
      await merge(first, second);
      expect(Buffer.from((await store.read.wrappedKey(await feeding(second), first)) ?? [])).toEqual(wrapped);
      await store.write.commit(await feeding(second), put({ kind: 'destroyKey', record: second }));
      expect(await store.read.wrappedKey(await feeding(second), first)).toBeUndefined();
    });

    test('a version of a moved entry keeps the key of the first', async () => {
      await fill();
      await merge(first, second);
      const entry = { ...document(7), logicalID: uuid(2), uniqueId: document(2).uniqueId, version: 2 };
      const version: Row = { kind: 'version', entry, of: uuid(2), registeredAt: 2 };
      await store.write.commit(await feeding(second), put(version));
      expect(await store.read.targets(await feeding(second), [uuid(7)])).toMatchObject([{ sealedFor: first }]);
    });

    test('a new patientId shows on the objects of the old one alone', async () => {
      await fill();
      const other = documentRow(document(8, { patientId: { ...patientId, id: '169052A03314294' } }));
      const old = { value: '279035121518989', oid: testOid };
      await store.write.commit(await feeding(first), put(other));
      await store.write.commit(await feeding(first), put({ kind: 'patientId', of: [old], patientId }));
      const [kept, changed] = await store.read.targets(await feeding(first), [uuid(2), uuid(8)]);
      expect([kept?.entry.patientId.id, changed?.entry.patientId.id]).toEqual(['169052A03314294', patientId.id]);
      const [set] = (await store.read.submissionSets(await feeding(first), {}, { limit: 1 })).items;
      expect(set?.set.patientId).toEqual(patientId);
    });

    test('no other permit than one to feed identities merges', async () => {
      const rows = [
        await heir(second, first),
        { kind: 'merge', subsumed: await husk(first, second), patientId } as const,
      ];
      await expect(
        store.write.commit(await permitOn(store, 'otherDoctor', { record: second }), put(...rows)),
      ).rejects.toThrow('permit to feed identities');
    });

    test('a record of another name, or itself, is no part of a merge', async () => {
      const itself: Row = { kind: 'merge', subsumed: await husk(second, second), patientId };
      await expect(store.write.commit(await feeding(second), put(itself))).rejects.toThrow();
      const unknown: Row = { kind: 'merge', subsumed: { ...recordOf(third), identifiers: [] }, patientId };
      await expect(store.write.commit(await feeding(second), put(unknown))).rejects.toThrow();
    });

    test('a merge that met another change is not done', async () => {
      await fill();
      const stale = { recordAt: { record: first, version: 9 } };
      const rows = [
        await heir(second, first),
        { kind: 'merge', subsumed: await husk(first, second), patientId } as const,
      ];
      const outcome = await store.write.commit(await feeding(second), { ...put(...rows), expect: [stale] });
      expect(outcome).toEqual({ done: false, conflicts: [stale], spent: false });
      expect((await store.facts.recordOfDocument(uuid(2)))?.record.id).toBe(first);
    });
  });
}
