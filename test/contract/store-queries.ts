import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Action } from '../../server/domain/action.ts';
import type { Permit } from '../../server/domain/decision.ts';
import type { DocumentEntry } from '../../server/domain/document.ts';
import type { DocumentFilter, FolderFilter, Row, SetFilter, Store } from '../../server/store/port.ts';
import { type ActorName, actors } from '../support/permits.ts';
import {
  association,
  authorOf,
  code,
  confidential,
  document,
  folder,
  submissionSet,
  uuid,
} from '../support/registry.ts';
import { documentRow, first, nobody, permitOn, put, type Subject, second, seed } from './store.ts';

const everyPage = { limit: 1000 };
const lookUp: { action: Action } = { action: 'lookUpDocuments' };
const set = (number: number, changes = {}, owners = nobody as Extract<Row, { kind: 'document' }>['owners']): Row => ({
  kind: 'submissionSet',
  set: submissionSet(number, changes),
  owners,
});
const packed = (number: number, changes = {}): Row => ({ kind: 'folder', folder: folder(number, changes) });
const link = (...ends: Parameters<typeof association>): Row => ({
  kind: 'association',
  association: association(...ends),
});

/** What `server/store/port.ts` promises of the reads behind stored queries and searches of lists. */
export function queryContract(name: string, open: () => Promise<Subject>): void {
  describe(`${name} keeps the promises of the store port to queries`, () => {
    let subject: Subject;
    let store: Store;
    let ours: Permit;
    const commit = async (...rows: readonly Row[]) => store.write.commit(ours, put(...rows));
    const documents = async (filter: DocumentFilter, permit = ours) =>
      (await store.read.documents(permit, filter, everyPage)).items.map(({ entry }) => entry.entryUUID);
    const sets = async (filter: SetFilter = {}, permit = ours) =>
      (await store.read.submissionSets(permit, filter, everyPage)).items.map((s) => s.set.entryUUID);
    const folders = async (filter: FolderFilter = {}, permit = ours) =>
      (await store.read.foldersMatching(permit, filter, everyPage)).items.map((f) => f.folder.entryUUID);
    const as = async (actor: ActorName, wish = {}) => permitOn(store, actor, wish);

    beforeEach(async () => {
      subject = await open();
      store = subject.store;
      await seed(store);
      ours = await permitOn(store, 'ourselves');
    });
    afterEach(() => subject.dispose());

    describe('documents', () => {
      const accession = 'urn:ihe:iti:xds:2013:accession';
      const odd = document(2, {
        documentAvailability: 'offline',
        objectType: 'onDemand',
        classCode: code('11'),
        typeCode: code('T2'),
        formatCode: code('F2'),
        practiceSettingCode: code('P2'),
        healthcareFacilityTypeCode: code('H2'),
        eventCodes: [code('E1'), code('E2')],
        confidentialityCodes: [code('R')],
        referenceIds: [
          { id: 'acc-1', authority: { oid: '1.2.3' }, type: accession },
          { id: 'a|b%c', authority: { oid: '1.2.4' }, type: 'urn:x' },
        ],
        authors: [authorOf('899970000042')],
      });
      const both = [uuid(2), uuid(1)];
      const cases: readonly (readonly [string, DocumentFilter, readonly string[]])[] = [
        ['availabilities: online, said or not', { availabilities: ['online'] }, [uuid(1)]],
        ['availabilities: offline', { availabilities: ['offline'] }, [uuid(2)]],
        ['availabilities: either', { availabilities: ['online', 'offline'] }, both],
        ['referenceIds, %', { referenceIds: [['acc-%']] }, [uuid(2)]],
        ['referenceIds, _ is one character', { referenceIds: [['acc__^^^&1.2.3&ISO^%']] }, [uuid(2)]],
        ['referenceIds, one character too few', { referenceIds: [['acc_^^^&1.2.3&ISO^%']] }, []],
        ['referenceIds, characters of our own notation', { referenceIds: [['a%b_c^^^&1.2.4&ISO^urn:x']] }, [uuid(2)]],
        ['referenceIds does not reach from one to the next', { referenceIds: [['acc-%urn:x']] }, []],
        ['referenceIds is case-sensitive', { referenceIds: [['ACC-%']] }, []],
        ['referenceIds, two lists of which one matches', { referenceIds: [['acc-%'], ['b%']] }, []],
        ['exclude objectTypes', { exclude: { objectTypes: ['onDemand'] } }, [uuid(1)]],
        ['exclude classCodes', { exclude: { classCodes: [{ code: '11' }, { code: 'x' }] } }, [uuid(1)]],
        ['exclude typeCodes', { exclude: { typeCodes: [{ code: 'T2' }] } }, [uuid(1)]],
        ['exclude formatCodes', { exclude: { formatCodes: [{ code: 'F2' }] } }, [uuid(1)]],
        ['exclude practiceSettingCodes', { exclude: { practiceSettingCodes: [{ code: 'P2' }] } }, [uuid(1)]],
        [
          'exclude healthcareFacilityTypeCodes',
          { exclude: { healthcareFacilityTypeCodes: [{ code: 'H2' }] } },
          [uuid(1)],
        ],
        ['exclude eventCodes', { exclude: { eventCodes: [[{ code: 'E1' }, { code: 'E9' }]] } }, [uuid(1)]],
        [
          'exclude eventCodes, two lists of which one matches',
          { exclude: { eventCodes: [[{ code: 'E1' }], [{ code: 'E9' }]] } },
          both,
        ],
        ['exclude confidentialityCodes', { exclude: { confidentialityCodes: [[{ code: 'R' }]] } }, [uuid(1)]],
        ['exclude authorPersons', { exclude: { authorPersons: ['899970000042^%'] } }, [uuid(1)]],
        ['exclude referenceIds', { exclude: { referenceIds: [['acc-%']] } }, [uuid(1)]],
        [
          'exclude two fields of which one matches',
          { exclude: { classCodes: [{ code: '10' }], typeCodes: [{ code: 'T2' }] } },
          [],
        ],
        ['exclude, and what is wanted', { classCodes: [{ code: '11' }], exclude: { typeCodes: [{ code: 'T2' }] } }, []],
      ];
      test.each(cases)('%s', async (_, filter, expected) => {
        await commit(documentRow(document(1)), documentRow(odd));
        expect(await documents(filter)).toEqual(expected);
        expect(await store.read.countDocuments(ours, filter)).toBe(expected.length);
        const named = async (found: Promise<readonly { entry: DocumentEntry }[]>) =>
          (await found).map(({ entry }) => entry.entryUUID);
        expect(await named(store.read.documentsByUuid(ours, both, filter))).toEqual(expected);
        expect(await named(store.read.documentsByLogicalId(ours, both, filter))).toEqual(expected);
        expect(await named(store.read.documentsByUniqueId(ours, ['2.999.1.1', '2.999.1.2'], filter))).toEqual(expected);
      });

      test('a version that goes offline is offline', async () => {
        await commit(documentRow(document(1)));
        const entry = document(2, { logicalID: uuid(1), version: 2, documentAvailability: 'offline' });
        await commit({ kind: 'version', entry, of: uuid(1), registeredAt: 2 });
        expect(await documents({ availabilities: ['online'] })).toEqual([]);
        expect(await documents({ availabilities: ['online'], allVersions: true })).toEqual([uuid(1)]);
      });
    });

    describe('submission sets', () => {
      const other = {
        sourceId: '2.999.8',
        contentTypeCode: code('05', '1.9'),
        submissionTime: '2026',
        authors: [{ ...authorOf('899970000042'), person: { family: "d'O%n", given: 'Ève' } }],
      };
      const both = [uuid(12), uuid(11)];
      const cases: readonly (readonly [string, SetFilter, readonly string[]])[] = [
        ['nothing asked, newest first', {}, both],
        ['entryUUIDs', { entryUUIDs: [uuid(11), uuid(11), uuid(1), 'nonsense'] }, [uuid(11)]],
        ['uniqueIds', { uniqueIds: ['2.999.2.12', '2.999.2.99', '2.999.1.1'] }, [uuid(12)]],
        ['no name at all', { entryUUIDs: [] }, []],
        ['statuses', { statuses: ['approved'] }, both],
        ['statuses that no set has', { statuses: ['deprecated'] }, []],
        ['sourceIds', { sourceIds: ['2.999.8', '2.999.7'] }, [uuid(12)]],
        ['contentTypeCodes with system', { contentTypeCodes: [{ code: '05', system: '1.9' }] }, [uuid(12)]],
        ['contentTypeCodes of another system', { contentTypeCodes: [{ code: '05', system: '1.8' }] }, []],
        [
          'submissionTime, from is included',
          { submissionTime: { from: '20260101000000', to: '20260101000001' } },
          [uuid(12)],
        ],
        ['submissionTime, to is not', { submissionTime: { to: '20260101000000' } }, []],
        ['submissionTime, open', { submissionTime: { from: '20260102000000' } }, [uuid(11)]],
        ['authorPersons, exact', { authorPersons: ["^d'O%n^Ève"] }, [uuid(12)]],
        ['authorPersons, runs', { authorPersons: ["%d'%n^%e"] }, [uuid(12)]],
        ['authorPersons, a run that must try again', { authorPersons: ['%000_9^%'] }, [uuid(11)]],
        ['authorPersons, _ is one character', { authorPersons: ["^d'O%n^_ve"] }, [uuid(12)]],
        ['authorPersons, _ is not none', { authorPersons: ["^d'O%n^Ève_"] }, []],
        ['authorPersons is case-sensitive', { authorPersons: ["%D'o%"] }, []],
        ['all fields are an AND', { sourceIds: ['2.999.8'], contentTypeCodes: [{ code: '04' }] }, []],
      ];
      beforeEach(async () => {
        await commit(documentRow(document(1)), set(11), set(12, other), link(21, 11, 1), link(22, 12, 1));
        const elsewhere = await permitOn(store, 'ourselves', { record: second });
        await store.write.commit(elsewhere, put(documentRow(document(3)), set(13), link(23, 13, 3)));
      });
      test.each(cases)('%s', async (_, filter, expected) => {
        expect(await sets(filter)).toEqual(expected);
      });

      test('are given back as they were put, with whose they are', async () => {
        await commit(set(14, {}, { ...nobody, professionals: [actors.otherDoctor.id] }));
        const { items } = await store.read.submissionSets(await as('otherDoctor'), {}, everyPage);
        expect(items.map(({ set: held, own, record }) => [held, own, record])).toEqual([
          [submissionSet(14), true, first],
          [submissionSet(12, other), false, first],
          [submissionSet(11), false, first],
        ]);
      });

      test('pages are newest first and stay right while sets arrive', async () => {
        for (let n = 31; n <= 33; n++) await commit(set(n), link(n + 10, n, 1));
        const page1 = await store.read.submissionSets(ours, {}, { limit: 2 });
        expect([page1.items.map((s) => s.set.entryUUID), page1.more]).toEqual([[uuid(33), uuid(32)], true]);
        await commit(set(34), link(44, 34, 1));
        const before = page1.items.at(-1)?.position ?? 0;
        const page2 = await store.read.submissionSets(ours, {}, { before, limit: 3 });
        expect([page2.items.map((s) => s.set.entryUUID), page2.more]).toEqual([[uuid(31), ...both], false]);
      });

      test('a page is filled past those that do not match, however many', async () => {
        await commit(...Array.from({ length: 600 }, (_, n) => set(1000 + n)));
        const permit = await as('treatingDoctor');
        const page = await store.read.submissionSets(permit, {}, { limit: 1 });
        expect([page.items.map((s) => s.set.entryUUID), page.more]).toEqual([[uuid(12)], true]);
        const { more } = await store.read.submissionSets(permit, {}, { limit: 2 });
        expect(more).toBe(false);
      });
    });

    describe('a set is seen by whoever sees a member, and by whoever filed it', () => {
      const masked = 2;
      beforeEach(async () => {
        await commit(
          documentRow(document(1)),
          documentRow(document(masked, { confidentialityCodes: confidential('MASQUE_PS') })),
          packed(5),
          packed(6),
          packed(7),
          link(50, 5, masked),
          link(51, 6, masked),
          link(52, 6, 1),
          set(11),
          link(21, 11, masked),
          set(12),
          link(22, 12, masked),
          link(23, 12, 1),
          set(13, {}, { ...nobody, professionals: [actors.otherDoctor.id] }),
          link(24, 13, masked),
          set(14),
          set(15),
          link(25, 15, 5),
          set(16),
          link(26, 16, 7),
          set(17),
          link(27, 17, 50),
          set(18),
          link(28, 18, 52),
        );
      });

      test.each<[string, ActorName, readonly number[]]>([
        ['the treating doctor sees masked members', 'treatingDoctor', [18, 17, 16, 15, 13, 12, 11]],
        [
          'another doctor: one visible member is enough; a folder or association counts',
          'otherDoctor',
          [18, 16, 13, 12],
        ],
        ['a dentist filed none', 'dentist', [18, 16, 12]],
        ['one without members too, where nothing is hidden', 'ourselves', [18, 17, 16, 15, 14, 13, 12, 11]],
      ])('%s', async (_, actor, expected) => {
        const permit = await as(actor);
        expect(await sets({}, permit)).toEqual(expected.map(uuid));
        expect(await sets({ entryUUIDs: [11, 12, 13, 14, 15, 16, 17, 18].map(uuid) }, permit)).toEqual(
          expected.map(uuid),
        );
      });

      test('an association with a hidden folder at its end is absent', async () => {
        const seen = async (actor: ActorName) =>
          (await store.read.associationsOf(await as(actor), [15, 16].map(uuid))).map((a) => a.entryUUID);
        expect(await seen('treatingDoctor')).toEqual([25, 26].map(uuid));
        expect(await seen('otherDoctor')).toEqual([uuid(26)]);
      });

      test('folders: by filter as by name', async () => {
        const seen = async (actor: ActorName) => folders({}, await as(actor));
        expect(await seen('treatingDoctor')).toEqual([7, 6, 5].map(uuid));
        expect(await seen('otherDoctor')).toEqual([7, 6].map(uuid));
      });

      test('whoever sees own documents alone sees no empty folder', async () => {
        expect(await folders({}, await as('hospital', lookUp))).toEqual([]);
        expect(await folders({}, await as('stranger', lookUp))).toEqual([]);
        await commit(
          documentRow(document(8), { ...nobody, structures: [actors.hospital.structure.id] }),
          link(58, 7, 8),
        );
        expect(await folders({}, await as('hospital', lookUp))).toEqual([uuid(7)]);
        expect(await sets({}, await as('hospital', lookUp))).toEqual([uuid(16)]);
      });
    });

    describe('folders', () => {
      const other = { codes: [code('G', '1.9'), code('H')], lastUpdateTime: '2026', status: 'deprecated' as const };
      const cases: readonly (readonly [string, FolderFilter, readonly number[]])[] = [
        ['nothing asked, newest first; the latest versions', {}, [32, 31]],
        ['all versions', { allVersions: true }, [32, 31, 30]],
        ['entryUUIDs', { entryUUIDs: [uuid(32), uuid(99)] }, [32]],
        ['entryUUIDs of an older version', { entryUUIDs: [uuid(30)] }, []],
        ['entryUUIDs of an older version, all versions', { entryUUIDs: [uuid(30)], allVersions: true }, [30]],
        ['uniqueIds', { uniqueIds: ['2.999.3.30'] }, [31]],
        ['uniqueIds, all versions', { uniqueIds: ['2.999.3.30'], allVersions: true }, [31, 30]],
        ['logicalIDs', { logicalIDs: [uuid(30)] }, [31]],
        ['statuses', { statuses: ['deprecated'] }, [32]],
        ['codes with system', { codes: [[{ code: 'G', system: '1.9' }]] }, [32]],
        ['codes of another system', { codes: [[{ code: 'G', system: '1.8' }]] }, []],
        ['codes, a list is an OR', { codes: [[{ code: 'G' }, { code: 'F' }]] }, [32, 31]],
        ['codes, lists are an AND', { codes: [[{ code: 'G' }], [{ code: 'H' }]] }, [32]],
        ['codes, two lists of which one matches', { codes: [[{ code: 'G' }], [{ code: 'F' }]] }, []],
        ['lastUpdateTime', { lastUpdateTime: { from: '20260101000000', to: '20260101000001' } }, [32]],
        ['lastUpdateTime, to is not included', { lastUpdateTime: { to: '20260101000000' } }, []],
      ];
      test.each(cases)('%s', async (_, filter, expected) => {
        await commit(packed(30), packed(31, { logicalID: uuid(30), uniqueId: '2.999.3.30', version: 2 }));
        await commit(packed(32, other));
        const elsewhere = await permitOn(store, 'ourselves', { record: second });
        await store.write.commit(elsewhere, put(packed(33)));
        expect(await folders(filter)).toEqual(expected.map(uuid));
        const { items } = await store.read.foldersMatching(ours, filter, everyPage);
        for (const { folder: held, latest } of items) expect(latest).toBe(held.entryUUID !== uuid(30));
      });

      test('come in pages', async () => {
        for (let n = 1; n <= 3; n++) await commit(packed(n));
        const page1 = await store.read.foldersMatching(ours, {}, { limit: 2 });
        expect([page1.items.map((f) => f.folder.entryUUID), page1.more]).toEqual([[uuid(3), uuid(2)], true]);
        const before = page1.items.at(-1)?.position ?? 0;
        const page2 = await store.read.foldersMatching(ours, {}, { before, limit: 2 });
        expect([page2.items.map((f) => f.folder.entryUUID), page2.more]).toEqual([[uuid(1)], false]);
      });
    });

    test('the records that hold objects of these names, each once', async () => {
      await commit(documentRow(document(1)), packed(2), set(3), link(4, 2, 1));
      const elsewhere = await permitOn(store, 'ourselves', { record: second });
      await store.write.commit(elsewhere, put(documentRow(document(5, { uniqueId: '2.999.1.1' }))));
      const of = async (...names: string[]) => store.facts.recordsOfObjects(names);
      for (const n of [1, 2, 3, 4]) expect(await of(uuid(n))).toEqual([first]);
      expect(await of(uuid(5), '2.999.3.2', '2.999.2.3')).toEqual([second, first]);
      expect(new Set(await of('2.999.1.1'))).toEqual(new Set([first, second]));
      expect(await of(uuid(9), '2.999.9', 'nonsense')).toEqual([]);
    });

    test('the records that hold associations to these objects, each once', async () => {
      await commit(documentRow(document(1)), set(3), link(4, 3, 1), link(6, 3, 4));
      const elsewhere = await permitOn(store, 'ourselves', { record: second });
      await store.write.commit(elsewhere, put(set(7), link(8, 7, 1)));
      const to = async (...numbers: number[]) => store.facts.recordsReferring(numbers.map(uuid));
      expect(new Set(await to(1, 4))).toEqual(new Set([first, second]));
      expect(await to(4)).toEqual([first]);
      expect(await to(3, 7, 9)).toEqual([]);
      expect(await store.facts.recordsReferring(['nonsense'])).toEqual([]);
    });

    test('an association to a document of another record is there for whom nothing is hidden from, and for nobody else', async () => {
      await store.write.commit(await permitOn(store, 'ourselves', { record: second }), put(documentRow(document(1))));
      await commit(set(7), link(8, 7, 1));
      const seen = async (actor: ActorName) =>
        store.read.associationsOf(actor === 'ourselves' ? ours : await as(actor, lookUp), [uuid(7)]);
      expect((await seen('ourselves')).map(({ entryUUID }) => entryUUID)).toEqual([uuid(8)]);
      for (const actor of ['treatingDoctor', 'otherDoctor', 'holder'] as const) expect(await seen(actor)).toEqual([]);
    });

    test('no read without a permit of decide() for one record', async () => {
      const forged = { ...ours } as unknown as Permit;
      for (const read of [
        store.read.submissionSets(forged, {}, everyPage),
        store.read.foldersMatching(forged, {}, everyPage),
      ])
        await expect(read).rejects.toThrow('permit of decide() for one record');
    });
  });
}
