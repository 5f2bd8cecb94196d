import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Action } from '../../server/domain/action.ts';
import type { Mode } from '../../server/domain/actor.ts';
import type { Permit } from '../../server/domain/decision.ts';
import type { DocumentEntry } from '../../server/domain/document.ts';
import { digestOfTold, type EventDraft } from '../../server/domain/event.ts';
import type {
  ChangeSet,
  ContentPlace,
  DocumentFilter,
  Expectation,
  Outcome,
  Row,
  Store,
} from '../../server/store/port.ts';
import { type ActorName, actors, consentOf, consentsOf, permitFor, recordOf } from '../support/permits.ts';
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

/** An adapter under test: a new and empty store. */
export type Subject = {
  readonly store: Store;
  /** The sealed bytes that a place names. */
  readonly bytes: (place: ContentPlace) => Uint8Array | undefined;
  readonly dispose: () => Promise<void>;
};

export const nobody = { professionals: [], structures: [], patient: false } as const;
export const first = '0192aaaa-0000-7000-8000-000000000001';
export const second = '0192aaaa-0000-7000-8000-000000000002';

export const put = (...rows: readonly Row[]): ChangeSet => ({ expect: [], put: rows, events: [], jobs: [] });
type DocumentRow = Extract<Row, { kind: 'document' }>;
export const documentRow = (entry: DocumentEntry, owners: DocumentRow['owners'] = nobody): DocumentRow => ({
  kind: 'document',
  entry,
  registeredAt: 1,
  owners,
});
export function event(changes: Partial<EventDraft> = {}): EventDraft {
  return {
    at: 1000,
    action: 'searchDocuments',
    origin: { transaction: 'ITI-18', requestId: 'request-1', endpoint: '/xds/registry' },
    outcome: 'done',
    ...changes,
  };
}

/** Two records; everyone but the stranger is authorised in both. */
export async function seed(store: Store): Promise<void> {
  for (const [id, value] of [
    [first, '279035121518989'],
    [second, '160051188801257'],
  ] as const)
    await store.write.commit(
      permitFor(undefined, 'stranger', { action: 'createRecord' }),
      put(
        { kind: 'record', record: recordOf(id, value) },
        ...consentsOf(id).map((consent) => ({ kind: 'consent' as const, consent })),
      ),
    );
}

export async function permitOn(
  store: Store,
  name: ActorName = 'otherDoctor',
  { record = first, ...wish }: { record?: string; action?: Action; mode?: Mode } = {},
): Promise<Permit> {
  return permitFor(await store.facts.recordById(record), name, wish);
}

const everyPage = { limit: 1000 };
const conflictsOf = (outcome: Outcome) => (outcome.done ? 'done' : outcome.conflicts);

/** What `server/store/port.ts` promises, sentence by sentence. */
export function storeContract(name: string, open: () => Promise<Subject>): void {
  describe(`${name} keeps the promises of the store port`, () => {
    let subject: Subject;
    let store: Store;
    let ours: Permit;
    const commit = async (...rows: readonly Row[]) => store.write.commit(ours, put(...rows));
    const seen = async (permit: Permit, filter: DocumentFilter = {}) =>
      (await store.read.documents(permit, filter, everyPage)).items.map(({ entry }) => entry.entryUUID);

    beforeEach(async () => {
      subject = await open();
      store = subject.store;
      await seed(store);
      ours = await permitOn(store, 'ourselves');
    });
    afterEach(() => subject.dispose());

    describe('commit', () => {
      test('makes the whole change set visible, with its events', async () => {
        const permit = await permitOn(store);
        const outcome = await store.write.commit(permit, {
          ...put(documentRow(document(1)), { kind: 'folder', folder: folder(2) }),
          events: [event({ record: first }), event({ record: first, action: 'submitDocuments' })],
        });
        expect(outcome).toEqual({ done: true, sequences: [1, 2] });
        expect(await seen(permit)).toEqual([uuid(1)]);
        expect(await store.read.folders(permit, [uuid(2)])).toEqual([folder(2)]);
        expect((await store.read.events(permit, {}, everyPage)).items.map((e) => e.action)).toEqual([
          'submitDocuments',
          'searchDocuments',
        ]);
      });

      test('leaves nothing of a change set whose expectation does not hold', async () => {
        const outcome = await store.write.commit(ours, {
          ...put(documentRow(document(1)), { kind: 'folder', folder: folder(2) }),
          expect: [{ statusIs: { document: uuid(9), status: 'approved' } }],
          events: [event({ record: first })],
        });
        expect(conflictsOf(outcome)).toEqual([{ statusIs: { document: uuid(9), status: 'approved' } }]);
        expect(await seen(ours)).toEqual([]);
        expect(await store.read.taken(ours, [uuid(1), uuid(2)])).toEqual(new Set());
        expect((await store.read.events(ours, {}, everyPage)).items).toEqual([]);
      });

      test('leaves nothing of a change set whose last row contradicts the store, and goes on', async () => {
        const wrong = {
          ...put(documentRow(document(1)), { kind: 'status', document: uuid(9), status: 'deprecated' }),
          events: [event({ record: first })],
        };
        await expect(store.write.commit(ours, wrong)).rejects.toThrow('names no document of the record');
        expect(await store.read.taken(ours, [uuid(1)])).toEqual(new Set());
        expect(
          await store.write.commit(ours, { ...put(documentRow(document(1))), events: [event({ record: first })] }),
        ).toEqual({
          done: true,
          sequences: [1],
        });
      });

      test('leaves nothing of the one that contradicts the store among several that come together, nor of its credential', async () => {
        const spend = (key: string) => ({ spend: { key, until: 60_000 } });
        const good = (n: number) => ({ ...put(documentRow(document(n))), events: [event({ record: first })] });
        const wrong: ChangeSet = {
          ...good(2),
          ...spend('b'),
          put: [documentRow(document(2)), { kind: 'status', document: uuid(9), status: 'deprecated' }],
        };
        const outcomes = await Promise.allSettled([
          store.write.commit(ours, { ...good(1), ...spend('a') }),
          store.write.commit(ours, wrong),
          store.write.commit(ours, { ...good(3), ...spend('a') }),
          store.write.commit(ours, good(4)),
        ]);
        expect(outcomes.map((one) => (one.status === 'fulfilled' ? one.value : one.status))).toEqual([
          { done: true, sequences: [1] },
          'rejected',
          { done: false, conflicts: [], spent: true },
          { done: true, sequences: [2] },
        ]);
        expect(await store.read.taken(ours, [1, 2, 3, 4].map(uuid))).toEqual(new Set([uuid(1), uuid(4)]));
        expect(await store.write.commit(ours, { ...good(2), ...spend('b') })).toEqual({ done: true, sequences: [3] });
        expect((await store.read.events(ours, {}, everyPage)).items).toHaveLength(3);
      });

      test('takes effect in the order of resolution, many at once', async () => {
        const order: number[] = [];
        await Promise.all(
          Array.from({ length: 30 }, async (_, i) => {
            const outcome = await store.write.commit(ours, {
              ...put(documentRow(document(i))),
              events: [event({ record: first })],
            });
            order.push(...(outcome.done ? outcome.sequences : []));
          }),
        );
        expect(order).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
        const positions = (await store.read.documents(ours, {}, everyPage)).items.map((d) => d.position);
        expect(positions).toEqual(positions.toSorted((a, b) => b - a));
        expect(new Set(positions).size).toBe(30);
      });

      test('keeps the sealed bytes at the place that it names, however many come together', async () => {
        const sealed = [1, 2, 3].map((n) => Buffer.alloc(100 * n, n));
        await Promise.all(
          sealed.map(async (bytes, n) => {
            const row = { ...documentRow(document(n)), content: { sealed: bytes }, sha256: 'ab'.repeat(32) };
            await store.write.commit(ours, put(row, documentRow(document(n + 100))));
          }),
        );
        for (const [n, bytes] of sealed.entries()) {
          const [held] = await store.read.documentsByUuid(ours, [uuid(n)]);
          expect(held).toMatchObject({
            sha256: 'ab'.repeat(32),
            registeredAt: 1,
            record: first,
            content: { length: bytes.length },
          });
          expect(Buffer.from(subject.bytes(held?.content ?? { file: '', length: 0 }) ?? [])).toEqual(bytes);
        }
        expect(sealed.map((bytes) => bytes.length)).toEqual([100, 200, 300]);
      });

      test('keeps the name of a large document and the absence of an on-demand one', async () => {
        const large = { file: 'a1b2', length: 5_000_000_000 };
        await commit(
          { ...documentRow(document(1)), content: large },
          documentRow(document(2, { objectType: 'onDemand' })),
        );
        const [onDemand, onFile] = await store.read.documentsByUuid(ours, [uuid(1), uuid(2)]);
        expect(onFile?.content).toEqual(large);
        expect([await store.facts.isNamed('a1b2'), await store.facts.isNamed('a1b3')]).toEqual([true, false]);
        expect(onDemand).not.toHaveProperty('content');
        expect(onDemand).not.toHaveProperty('sha256');
      });

      test('gives back every attribute as it was put', async () => {
        const entry = document(1, {
          comments: { value: 'é|^&~ 𝄞' },
          legalAuthenticator: { id: '1', family: 'X' },
          referenceIds: [{ id: 'a', authority: { oid: '1.2' }, type: 'urn:ihe:iti:xds:2013:accession' }],
          extra: [{ name: 'urn:x:y', values: ['', 'b'] }],
        });
        await commit(documentRow(entry));
        expect((await store.read.documentsByUuid(ours, [uuid(1)]))[0]?.entry).toEqual(entry);
      });

      test('changes the status of a document', async () => {
        await commit(documentRow(document(1)), documentRow(document(2)));
        await commit({ kind: 'status', document: uuid(1), status: 'deprecated' });
        expect(await seen(ours, { statuses: ['deprecated'] })).toEqual([uuid(1)]);
        expect(await seen(ours, { statuses: ['approved'] })).toEqual([uuid(2)]);
        expect((await store.read.documentsByUuid(ours, [uuid(1)]))[0]?.entry.status).toBe('deprecated');
      });

      test('replaces a record and its identifiers, and a consent', async () => {
        const record = {
          ...recordOf(first, '279035121518989'),
          version: 7,
          identifiers: [{ value: 'new', oid: '1.2', use: 'official' as const }],
        };
        const consent = consentOf(first, `${first}-hospital`, { kind: 'maskedInEmergency' });
        await commit({ kind: 'record', record }, { kind: 'consent', consent });
        const facts = await store.facts.recordByIdentifier({ value: 'new', oid: '1.2' });
        expect(facts?.record).toEqual({ ...record, changedAt: 0 });
        expect(facts?.consents).toHaveLength(5);
        expect(facts?.consents.find(({ id }) => id === consent.id)).toEqual(consent);
        expect(
          await store.facts.recordByIdentifier({ value: '279035121518989', oid: '1.2.250.1.213.1.4.10' }),
        ).toBeUndefined();
      });

      test('takes no permit that decide() did not make, and no row of another record', async () => {
        const forged = { ...ours } as unknown as Permit;
        await expect(store.write.commit(forged, put(documentRow(document(1))))).rejects.toThrow('permit of decide()');
        await expect(commit({ kind: 'record', record: recordOf(second) })).rejects.toThrow(
          "not of the permit's record",
        );
        await expect(commit({ kind: 'destroyKey', record: second })).rejects.toThrow("not of the permit's record");
        const consent = consentOf(second, 'c', { kind: 'opening' });
        await expect(commit({ kind: 'consent', consent })).rejects.toThrow("not of the permit's record");
        await store.write.commit(await permitOn(store, 'ourselves', { record: second }), put(documentRow(document(5))));
        await expect(commit({ kind: 'status', document: uuid(5), status: 'deleted' })).rejects.toThrow('of the record');
        const taken = consentOf(first, `${second}-hospital`, { kind: 'opening' });
        await expect(commit({ kind: 'consent', consent: taken })).rejects.toThrow("not of the permit's record");
        expect(await seen(ours)).toEqual([]);
      });
    });

    describe('an expectation that no longer holds is named', () => {
      const free = (uniqueIdFree: string, unless?: { hash: string; size: number }): Expectation =>
        unless === undefined ? { uniqueIdFree } : { uniqueIdFree, unless };
      const { hash = '', size = 0 } = document(1);
      const cases: readonly (readonly [string, Expectation, boolean])[] = [
        ['absent: a taken entryUUID', { absent: { kind: 'document', entryUUID: uuid(1) } }, false],
        ['absent: a set of that name', { absent: { kind: 'submissionSet', entryUUID: uuid(2) } }, false],
        ['absent: a folder of that name', { absent: { kind: 'folder', entryUUID: uuid(3) } }, false],
        ['absent: an association of that name', { absent: { kind: 'association', entryUUID: uuid(4) } }, false],
        ['absent: another kind has the name', { absent: { kind: 'folder', entryUUID: uuid(1) } }, true],
        ['uniqueIdFree: held by a document', free('2.999.1.1'), false],
        ['uniqueIdFree: held by a set', free('2.999.2.2'), false],
        ['uniqueIdFree: held by a folder', free('2.999.3.3'), false],
        ['uniqueIdFree: held by nobody', free('2.999.1.99'), true],
        ['uniqueIdFree unless: the same bytes', free('2.999.1.1', { hash, size }), true],
        ['uniqueIdFree unless: other hash', free('2.999.1.1', { hash: '00', size }), false],
        ['uniqueIdFree unless: other size', free('2.999.1.1', { hash, size: size + 1 }), false],
        ['uniqueIdFree unless: a set has no bytes', free('2.999.2.2', { hash, size }), false],
        [
          'insFree: held',
          {
            insFree: [
              { value: 'x', oid: '1.2' },
              { value: '279035121518989', oid: '1.2.250.1.213.1.4.10' },
            ],
          },
          false,
        ],
        ['insFree: the same value of another system', { insFree: [{ value: '279035121518989', oid: '1.2' }] }, true],
        ['recordAt: as it is', { recordAt: { record: first, version: 1 } }, true],
        ['recordAt: as it was not', { recordAt: { record: first, version: 2 } }, false],
        ['recordAt: no such record', { recordAt: { record: 'none', version: 1 } }, false],
        ['statusIs: as it is', { statusIs: { document: uuid(1), status: 'approved' } }, true],
        ['statusIs: as it is not', { statusIs: { document: uuid(1), status: 'archived' } }, false],
        ['statusIs: no such document', { statusIs: { document: uuid(99), status: 'approved' } }, false],
        ['stateIs: as it is', { stateIs: { kind: 'folder', entryUUID: uuid(3), status: 'approved' } }, true],
        ['stateIs: as it is not', { stateIs: { kind: 'folder', entryUUID: uuid(3), status: 'deprecated' } }, false],
        ['stateIs: an association', { stateIs: { kind: 'association', entryUUID: uuid(4), status: 'approved' } }, true],
        [
          'stateIs: an association as it is not',
          { stateIs: { kind: 'association', entryUUID: uuid(4), status: 'deprecated' } },
          false,
        ],
        [
          'stateIs: of another kind',
          { stateIs: { kind: 'association', entryUUID: uuid(3), status: 'approved' } },
          false,
        ],
        ['latest: a document of one version', { latest: { kind: 'document', entryUUID: uuid(1) } }, true],
        ['latest: a folder of one version', { latest: { kind: 'folder', entryUUID: uuid(3) } }, true],
        ['latest: no such folder', { latest: { kind: 'folder', entryUUID: uuid(1) } }, false],
      ];
      test.each(cases)('%s', async (_, expectation, holds) => {
        await commit(
          documentRow(document(1)),
          { kind: 'submissionSet', set: submissionSet(2), owners: nobody },
          { kind: 'folder', folder: folder(3) },
          { kind: 'association', association: association(4, 2, 1) },
        );
        const outcome = await store.write.commit(ours, { ...put(documentRow(document(50))), expect: [expectation] });
        expect(conflictsOf(outcome)).toEqual(holds ? 'done' : [expectation]);
        expect(await store.read.taken(ours, [uuid(50)])).toEqual(new Set(holds ? [uuid(50)] : []));
      });

      test('all of them, in one answer', async () => {
        await commit(documentRow(document(1)));
        const expected = [free('2.999.1.1'), { statusIs: { document: uuid(1), status: 'archived' as const } }];
        expect(
          conflictsOf(await store.write.commit(ours, { ...put(), expect: [...expected, free('2.999.1.77')] })),
        ).toEqual(expected);
      });

      test('a change of consents moves the version of the record', async () => {
        await commit({ kind: 'consent', consent: consentOf(first, 'new', { kind: 'maskedInEmergency' }) });
        expect((await store.facts.recordById(first))?.record.version).toBe(2);
        const stale = { recordAt: { record: first, version: 1 } };
        expect(conflictsOf(await store.write.commit(ours, { ...put(), expect: [stale] }))).toEqual([stale]);
      });
    });

    describe('versions', () => {
      const of = async (actor: ActorName, filter: DocumentFilter = {}) => seen(await permitOn(store, actor), filter);
      const next = (number: number, changes: Partial<DocumentEntry> = {}): Row => ({
        kind: 'version',
        entry: document(number, { logicalID: uuid(1), uniqueId: '2.999.1.1', version: 2, ...changes }),
        of: uuid(1),
        registeredAt: 2,
      });
      beforeEach(async () => {
        await commit(
          {
            ...documentRow(document(1), { ...nobody, professionals: [actors.otherDoctor.id] }),
            sha256: '00'.repeat(32),
            content: { sealed: Buffer.from('sealed') },
          },
          documentRow(document(3)),
        );
      });

      test('a new version is the latest, with content, time and owners of its own line', async () => {
        await commit(next(2, { authors: [authorOf(actors.treatingDoctor.id)] }));
        const [second, former] = await store.read.documentsByLogicalId(await permitOn(store, 'otherDoctor'), [uuid(1)]);
        expect(second).toMatchObject({ entry: { entryUUID: uuid(2), version: 2 }, latest: true, own: true });
        expect(former).toMatchObject({ entry: { entryUUID: uuid(1), version: 1 }, latest: false, own: true });
        expect(second).toMatchObject({ registeredAt: 2, sha256: '00'.repeat(32) });
        expect(second?.content).toEqual(former?.content);
        expect(second?.content).toBeDefined();
        const byAuthor = await store.read.documentsByUuid(await permitOn(store, 'treatingDoctor'), [uuid(1), uuid(2)]);
        expect(byAuthor.map(({ own }) => own)).toEqual([true, true]);
      });

      test('older ones are found by name, and in a search only when asked for', async () => {
        await commit(next(2), { kind: 'status', document: uuid(1), status: 'deprecated' });
        expect(await seen(ours)).toEqual([uuid(2), uuid(3)]);
        expect(await store.read.countDocuments(ours, {})).toBe(2);
        expect(await seen(ours, { allVersions: true })).toEqual([uuid(2), uuid(3), uuid(1)]);
        expect(await seen(ours, { allVersions: true, statuses: ['deprecated'] })).toEqual([uuid(1)]);
        const named = await store.read.documentsByUuid(ours, [uuid(1), uuid(2)]);
        expect(named.map(({ entry, latest }) => [entry.entryUUID, latest])).toEqual([
          [uuid(2), true],
          [uuid(1), false],
        ]);
      });

      test('all are visible to the viewers of the latest', async () => {
        const everything = { allVersions: true };
        await commit(next(2, { confidentialityCodes: confidential('INVISIBLE_PATIENT') }));
        expect(await of('holder', everything)).toEqual([uuid(3)]);
        await commit({
          ...next(4, { version: 3, confidentialityCodes: confidential('MASQUE_PS') }),
          of: uuid(2),
        } as Row);
        expect(await of('holder', everything)).toEqual([4, 2, 3, 1].map(uuid));
        expect(await of('dentist', everything)).toEqual([uuid(3)]);
        expect(await of('otherDoctor', everything)).toEqual([4, 2, 3, 1].map(uuid));
      });

      test('one that follows a document of another line or record is refused whole', async () => {
        await expect(commit(next(2, { logicalID: uuid(3) }))).rejects.toThrow();
        const elsewhere = await permitOn(store, 'ourselves', { record: second });
        await expect(store.write.commit(elsewhere, put(next(2)))).rejects.toThrow();
        expect(await seen(ours, { allVersions: true })).toEqual([uuid(3), uuid(1)]);
      });

      test('of two that follow the same version, one is done', async () => {
        const expect1 = [{ latest: { kind: 'document', entryUUID: uuid(1) } as const }];
        const outcomes = await Promise.all(
          [5, 6].map((number) => store.write.commit(ours, { ...put(next(number)), expect: expect1 })),
        );
        expect(outcomes.map(conflictsOf)).toEqual(['done', expect1]);
      });

      test('folders: all versions by their logicalID, oldest first; the latest is expected', async () => {
        await commit({ kind: 'folder', folder: folder(30) }, { kind: 'folder', folder: folder(32) });
        await commit(
          { kind: 'folder', folder: folder(31, { logicalID: uuid(30), version: 2, uniqueId: '2.999.3.30' }) },
          { kind: 'folderState', folder: uuid(30), status: 'deprecated' },
        );
        const versions = await store.read.foldersByLogicalId(ours, [uuid(30)]);
        expect(versions.map(({ entryUUID, status }) => [entryUUID, status])).toEqual([
          [uuid(30), 'deprecated'],
          [uuid(31), 'approved'],
        ]);
        expect(
          await store.read.foldersByLogicalId(await permitOn(store, 'ourselves', { record: second }), [uuid(30)]),
        ).toEqual([]);
        const stale = { latest: { kind: 'folder', entryUUID: uuid(30) } as const };
        const fresh = { latest: { kind: 'folder', entryUUID: uuid(31) } as const };
        expect(conflictsOf(await store.write.commit(ours, { ...put(), expect: [stale, fresh] }))).toEqual([stale]);
      });
    });

    describe('states', () => {
      test('of folders and associations change in what is given alone', async () => {
        await commit(
          documentRow(document(1)),
          { kind: 'folder', folder: folder(30) },
          { kind: 'association', association: association(31, 30, 1) },
        );
        await commit({ kind: 'folderState', folder: uuid(30), lastUpdateTime: '20300101000000' });
        expect(await store.read.folders(ours, [uuid(30)])).toEqual([folder(30, { lastUpdateTime: '20300101000000' })]);
        await commit(
          { kind: 'folderState', folder: uuid(30), status: 'deprecated' },
          { kind: 'associationState', association: uuid(31), status: 'deprecated' },
        );
        expect(await store.read.folders(ours, [uuid(30)])).toEqual([
          folder(30, { lastUpdateTime: '20300101000000', status: 'deprecated' }),
        ]);
        expect(await store.read.associations(ours, [uuid(31)])).toEqual([
          { ...association(31, 30, 1), status: 'deprecated' },
        ]);
      });

      test('of nothing, or of another record, are refused', async () => {
        await commit({ kind: 'folder', folder: folder(30) });
        const elsewhere = await permitOn(store, 'ourselves', { record: second });
        const deprecate: Row = { kind: 'folderState', folder: uuid(30), status: 'deprecated' };
        await expect(store.write.commit(elsewhere, put(deprecate))).rejects.toThrow();
        await expect(
          commit({ kind: 'associationState', association: uuid(30), status: 'deprecated' }),
        ).rejects.toThrow();
        expect((await store.read.folders(ours, [uuid(30)]))[0]?.status).toBe('approved');
      });
    });

    describe('one name, one object, under concurrency', () => {
      const doneOf = (outcomes: readonly Outcome[]) => outcomes.filter(({ done }) => done).length;

      test('of many sets with one uniqueId one is done', async () => {
        const outcomes = await Promise.all(
          Array.from({ length: 10 }, async (_, i) =>
            store.write.commit(ours, {
              ...put(documentRow(document(i, { uniqueId: '2.999.7' }))),
              expect: [{ uniqueIdFree: '2.999.7' }],
            }),
          ),
        );
        expect(doneOf(outcomes)).toBe(1);
        expect((await store.read.holders(ours, ['2.999.7'])).get('2.999.7')).toHaveLength(1);
      });

      test('an entryUUID is registered once, asked or not', async () => {
        const outcomes = await Promise.all(Array.from({ length: 5 }, async () => commit(documentRow(document(1)))));
        expect(doneOf(outcomes)).toBe(1);
        expect(outcomes.filter(({ done }) => !done)[0]).toEqual({
          done: false,
          conflicts: [{ absent: { kind: 'document', entryUUID: uuid(1) } }],
          spent: false,
        });
        for (const row of [
          { kind: 'submissionSet', set: submissionSet(2), owners: nobody },
          { kind: 'folder', folder: folder(2) },
          { kind: 'association', association: association(2, 1, 1) },
        ] satisfies Row[])
          expect(doneOf([await commit(row), await commit(row)])).toBe(1);
      });

      test('an INS is held by one record, asked or not', async () => {
        const creation = permitFor(undefined, 'stranger', { action: 'createRecord' });
        const outcomes = await Promise.all(
          Array.from({ length: 5 }, async (_, i) =>
            store.write.commit(creation, put({ kind: 'record', record: recordOf(`record-${i}`, 'same') })),
          ),
        );
        expect(doneOf(outcomes)).toBe(1);
        expect(outcomes.find(({ done }) => !done)).toMatchObject({
          conflicts: [{ insFree: [{ value: 'same', oid: '1.2.250.1.213.1.4.10' }] }],
        });
      });
    });

    describe('a credential that serves once', () => {
      const spend = { key: 'assertion-1', until: 5000 };

      test('is refused the second time before it ends, and nothing is written', async () => {
        const set = { ...put(documentRow(document(1))), events: [event({ record: first })], spend };
        expect(await store.write.commit(ours, set)).toEqual({ done: true, sequences: [1] });
        const again = { ...put(documentRow(document(2))), events: [event({ at: 4999, record: first })], spend };
        expect(await store.write.commit(ours, again)).toEqual({ done: false, conflicts: [], spent: true });
        expect(await store.write.note([event()], spend)).toEqual({ done: false, conflicts: [], spent: true });
        expect(await seen(ours)).toEqual([uuid(1)]);
        expect((await store.read.events(ours, {}, everyPage)).items).toHaveLength(1);
        expect(await store.write.note([event()], { key: 'assertion-2', until: 5000 })).toMatchObject({ done: true });
      });

      test('of many uses at once one is done', async () => {
        const outcomes = await Promise.all(Array.from({ length: 10 }, async () => store.write.note([event()], spend)));
        expect(outcomes.filter(({ done }) => done)).toHaveLength(1);
      });

      test('is not used up by a conflict', async () => {
        const conflict = { statusIs: { document: uuid(9), status: 'approved' as const } };
        expect(
          await store.write.commit(ours, { ...put(), expect: [conflict], events: [event()], spend }),
        ).toMatchObject({ spent: false });
        expect(await store.write.commit(ours, { ...put(), events: [event()], spend })).toMatchObject({ done: true });
      });

      test('may come again once it has ended', async () => {
        await store.write.note([event()], spend);
        expect(await store.write.note([event({ at: 5000 })], { key: 'assertion-1', until: 9000 })).toMatchObject({
          done: true,
        });
      });

      test('is not forgotten for the time that a partner states, be it the future', async () => {
        await store.write.note([event()], spend);
        const told = { resource: '{}', receivedAt: 200_000, agents: [], names: [] };
        const ahead = event({ at: 500_000, action: 'feedAudit', told });
        await store.write.note([event({ at: 200_000 })], { key: 'assertion-2', until: 400_000 });
        await store.write.note([ahead], { key: 'assertion-3', until: 400_000 });
        for (const key of ['assertion-2', 'assertion-3'])
          expect(await store.write.note([event({ at: 200_001 })], { key, until: 400_000 })).toMatchObject({
            done: false,
            spent: true,
          });
      });
    });

    describe('facts', () => {
      test('what a partner told is found by its digest, and told once', async () => {
        const digest = digestOfTold('partner', '{}');
        const told = { resource: '{}', receivedAt: 90, agents: [], names: [], digest };
        const telling = put();
        const set = { ...telling, expect: [{ untold: digest }], events: [event({ at: 10, told })] };
        expect(await store.facts.toldEvent(digest)).toBeUndefined();
        const outcomes = await Promise.all([1, 2, 3].map(async () => store.write.commit(ours, set)));
        expect(outcomes.filter(({ done }) => done)).toEqual([{ done: true, sequences: [1] }]);
        expect(outcomes.find(({ done }) => !done)).toMatchObject({ conflicts: [{ untold: digest }], spent: false });
        expect(await store.facts.toldEvent(digest)).toEqual({ sequence: 1, receivedAt: 90 });
        expect(await store.facts.toldEvent(digestOfTold('another', '{}'))).toBeUndefined();
      });

      test('a record is found by any of its identifiers, with its consents', async () => {
        const identifiers = [
          { value: 'now', oid: '1.2', use: 'official' as const },
          { value: 'before', oid: '1.2', use: 'old' as const },
        ];
        await commit({ kind: 'record', record: { ...recordOf(first), version: 2, identifiers } });
        for (const value of ['now', 'before']) {
          const facts = await store.facts.recordByIdentifier({ value, oid: '1.2' });
          expect(facts?.record.id).toBe(first);
          expect(facts?.consents).toEqual(consentsOf(first));
        }
        expect(await store.facts.recordByIdentifier({ value: 'now', oid: '1.3' })).toBeUndefined();
        expect(await store.facts.recordById('nobody')).toBeUndefined();
      });

      test('a destroyed record and an inactive consent are facts too', async () => {
        const inactive = { ...consentOf(first, 'over', { kind: 'opening' }), status: 'inactive' as const };
        await commit(
          { kind: 'record', record: { ...recordOf(first), version: 2, state: 'destroyed' } },
          { kind: 'consent', consent: inactive },
        );
        const facts = await store.facts.recordByIdentifier({ value: '279035121518989', oid: '1.2.250.1.213.1.4.10' });
        expect(facts?.record.state).toBe('destroyed');
        expect(facts?.consents).toContainEqual(inactive);
      });

      test('the record of a document and of an event', async () => {
        await store.write.commit(ours, {
          ...put(documentRow(document(1)), { kind: 'folder', folder: folder(2) }),
          events: [event({ record: first })],
        });
        await store.write.note([event()]);
        expect((await store.facts.recordOfDocument(uuid(1)))?.record.id).toBe(first);
        expect(await store.facts.recordOfDocument(uuid(2))).toBeUndefined();
        expect(await store.facts.recordOfDocument('not a name')).toBeUndefined();
        expect((await store.facts.recordOfEvent(1))?.record.id).toBe(first);
        for (const sequence of [2, 99, -1, 1.5]) expect(await store.facts.recordOfEvent(sequence)).toBeUndefined();
      });
    });

    describe('documents', () => {
      const author = { ...authorOf('899970000042'), person: { id: '899970000042', family: "d'O_r%n", given: 'Ève' } };
      const odd = document(2, {
        status: 'deprecated',
        objectType: 'onDemand',
        classCode: code('11', '1.9'),
        typeCode: code('T|2^x%', '1.9'),
        formatCode: code('F2'),
        practiceSettingCode: code('P2'),
        healthcareFacilityTypeCode: code('H2'),
        eventCodes: [code('E1', '1.1'), code('E2', '1.2')],
        confidentialityCodes: [code('R', '2.16.840.1.113883.5.25')],
        referenceIds: [{ id: 'acc-1', authority: { oid: '1.2.3' }, type: 'urn:ihe:iti:xds:2013:accession' }],
        creationTime: '2026',
        serviceStartTime: '20260101',
        serviceStopTime: '202602',
        authors: [authorOf('899970000041'), author],
      });
      const both = [uuid(2), uuid(1)];
      const range = (from?: string, to?: string) => ({
        ...(from !== undefined && { from }),
        ...(to !== undefined && { to }),
      });
      const cases: readonly (readonly [string, DocumentFilter, readonly string[]])[] = [
        ['nothing asked', {}, both],
        ['statuses', { statuses: ['approved', 'archived'] }, [uuid(1)]],
        ['statuses, an empty list', { statuses: [] }, []],
        ['objectTypes', { objectTypes: ['onDemand'] }, [uuid(2)]],
        ['classCodes with system', { classCodes: [{ code: '11', system: '1.9' }] }, [uuid(2)]],
        ['classCodes of another system', { classCodes: [{ code: '11', system: '1.8' }] }, []],
        ['classCodes without system', { classCodes: [{ code: '11' }] }, [uuid(2)]],
        ['classCodes, the beginning of a code', { classCodes: [{ code: '1' }] }, []],
        ['classCodes, a list is an OR', { classCodes: [{ code: '11' }, { code: '10' }] }, both],
        [
          'typeCodes with characters of our own notation',
          { typeCodes: [{ code: 'T|2^x%', system: '1.9' }] },
          [uuid(2)],
        ],
        ['typeCodes, half of such a code', { typeCodes: [{ code: '2' }] }, []],
        ['formatCodes', { formatCodes: [{ code: 'F2' }] }, [uuid(2)]],
        ['practiceSettingCodes', { practiceSettingCodes: [{ code: 'P2' }] }, [uuid(2)]],
        ['healthcareFacilityTypeCodes', { healthcareFacilityTypeCodes: [{ code: 'H2' }] }, [uuid(2)]],
        ['eventCodes, one list', { eventCodes: [[{ code: 'E1' }, { code: 'E9' }]] }, [uuid(2)]],
        [
          'eventCodes, two lists that both match',
          { eventCodes: [[{ code: 'E1' }], [{ code: 'E2', system: '1.2' }]] },
          [uuid(2)],
        ],
        [
          'eventCodes, two lists of which one matches',
          { eventCodes: [[{ code: 'E1' }], [{ code: 'E2', system: '1.1' }]] },
          [],
        ],
        ['confidentialityCodes', { confidentialityCodes: [[{ code: 'R' }]] }, [uuid(2)]],
        ['referenceIds', { referenceIds: [['acc-1^^^&1.2.3&ISO^urn:ihe:iti:xds:2013:accession']] }, [uuid(2)]],
        ['referenceIds, another', { referenceIds: [['acc-1']] }, []],
        ['authorPersons, exact', { authorPersons: ["899970000042^d'O_r%n^Ève"] }, [uuid(2)]],
        ['authorPersons, %', { authorPersons: ["%d'O%"] }, [uuid(2)]],
        ['authorPersons, _ is one character', { authorPersons: ['89997000004_^d%'] }, [uuid(2)]],
        ['authorPersons is case-sensitive', { authorPersons: ["%D'o%"] }, []],
        ['authorPersons does not reach from one author to the next', { authorPersons: ["899970000041%d'O%"] }, []],
        ['authorPersons, brackets are plain', { authorPersons: ['%[d]%'] }, []],
        ['creationTime, from is included', { creationTime: range('20260101000000', '20260101000001') }, [uuid(2)]],
        ['creationTime, to is not', { creationTime: range('20250101000000', '20260101000000') }, []],
        ['creationTime, open', { creationTime: range('20260102000000') }, [uuid(1)]],
        [
          'serviceStartTime, absent matches',
          { serviceStartTime: range('20250101000000', '20250102000000') },
          [uuid(1)],
        ],
        [
          'serviceStartTime, which must be present',
          { serviceStartTime: { ...range('20250101000000', '20270101000000'), present: true } },
          [uuid(2)],
        ],
        ['serviceStopTime, which must be present', { serviceStopTime: { present: true } }, [uuid(2)]],
        ['serviceStartTime, in the range', { serviceStartTime: range('20260101000000', '20260102000000') }, both],
        ['serviceStopTime, outside', { serviceStopTime: range(undefined, '20260201000000') }, [uuid(1)]],
        ['all fields are an AND', { statuses: ['deprecated'], objectTypes: ['stable'] }, []],
      ];
      test.each(cases)('filter by %s', async (_, filter, expected) => {
        await commit(documentRow(document(1)), documentRow(odd));
        await store.write.commit(await permitOn(store, 'ourselves', { record: second }), put(documentRow(document(3))));
        expect(await seen(ours, filter)).toEqual(expected);
        expect(await store.read.countDocuments(ours, filter)).toBe(expected.length);
      });

      test('an absent creationTime is in no range, or in every one where that is asked', async () => {
        const { creationTime: _, ...entry } = document(1, { objectType: 'onDemand' });
        await commit(documentRow(entry));
        expect(await seen(ours, { creationTime: {} })).toEqual([]);
        expect(await seen(ours, { creationTime: { from: '20300101000000', orAbsent: true } })).toEqual([uuid(1)]);
      });

      test('pages are newest first and stay right while documents arrive', async () => {
        for (let n = 1; n <= 5; n++) await commit(documentRow(document(n)));
        const page1 = await store.read.documents(ours, {}, { limit: 2 });
        expect(page1.items.map(({ entry }) => entry.entryUUID)).toEqual([uuid(5), uuid(4)]);
        expect(page1.more).toBe(true);
        await commit(documentRow(document(6)));
        const before = page1.items.at(-1)?.position ?? 0;
        const page2 = await store.read.documents(ours, {}, { before, limit: 3 });
        expect(page2.items.map(({ entry }) => entry.entryUUID)).toEqual([uuid(3), uuid(2), uuid(1)]);
        expect(page2.more).toBe(false);
      });

      test('by name: those unknown, or of another record, are left out; newest first', async () => {
        const ofLine = (n: number) => document(n, { logicalID: uuid(1), uniqueId: '2.999.8' });
        await commit(documentRow(ofLine(1)));
        await commit({ kind: 'version', entry: ofLine(2), of: uuid(1), registeredAt: 2 });
        const elsewhere = await permitOn(store, 'ourselves', { record: second });
        await store.write.commit(elsewhere, put(documentRow(ofLine(3))));
        const names = async (found: Promise<readonly { entry: DocumentEntry }[]>) =>
          (await found).map(({ entry }) => entry.entryUUID);
        const uuids = [uuid(1), uuid(2), uuid(3), uuid(4), 'nonsense', uuid(1)];
        expect(await names(store.read.documentsByUuid(ours, uuids))).toEqual([uuid(2), uuid(1)]);
        expect(await names(store.read.targets(ours, uuids))).toEqual([uuid(2), uuid(1)]);
        expect(await names(store.read.documentsByUniqueId(ours, ['2.999.8', '2.999.9']))).toEqual([uuid(2), uuid(1)]);
        expect(await names(store.read.documentsByLogicalId(ours, [uuid(1)]))).toEqual([uuid(2), uuid(1)]);
        expect(await names(store.read.documentsByUuid(elsewhere, uuids))).toEqual([uuid(3)]);
        expect(await names(store.read.documentsByUuid(ours, []))).toEqual([]);
      });

      test('no read without a permit of decide() for one record', async () => {
        const creation = permitFor(undefined, 'stranger', { action: 'createRecord' });
        for (const permit of [creation, { ...ours } as unknown as Permit]) {
          const reads = [
            store.read.documents(permit, {}, everyPage),
            store.read.countDocuments(permit, {}),
            store.read.documentsByUuid(permit, []),
            store.read.documentsByUniqueId(permit, []),
            store.read.documentsByLogicalId(permit, []),
            store.read.targets(permit, []),
            store.read.folders(permit, []),
            store.read.associationsOf(permit, []),
            store.read.holders(permit, []),
            store.read.taken(permit, []),
            store.read.events(permit, {}, everyPage),
            store.read.event(permit, 1),
            store.read.wrappedKey(permit),
          ];
          for (const read of reads) await expect(read).rejects.toThrow('permit of decide() for one record');
        }
      });
    });

    describe('visibility is applied inside the query', () => {
      const plain = 1;
      const masked = 2;
      const hiddenFromPatient = 3;
      const hiddenFromRepresentatives = 4;
      const refusedToDentists = 5;
      const ownMasked = 6;
      const ofHospital = 7;
      const ofHolder = 8;
      const ownRefused = 9;
      const all = [1, 2, 3, 4, 5, 6, 7, 8, 9];
      const without = (...numbers: readonly number[]) => all.filter((n) => !numbers.includes(n));
      const loinc = (value: string) => ({ typeCode: code(value, '2.16.840.1.113883.6.1') });

      beforeEach(async () => {
        await commit(
          documentRow(document(plain)),
          documentRow(document(masked, { confidentialityCodes: confidential('MASQUE_PS') })),
          documentRow(document(hiddenFromPatient, { confidentialityCodes: confidential('INVISIBLE_PATIENT') })),
          documentRow(
            document(hiddenFromRepresentatives, {
              confidentialityCodes: confidential('INVISIBLE_REPRESENTANTS_LEGAUX'),
            }),
          ),
          documentRow(document(refusedToDentists, loinc('80788-3'))),
          documentRow(
            document(ownMasked, {
              confidentialityCodes: confidential('MASQUE_PS'),
              authors: [authorOf(actors.otherDoctor.id)],
            }),
          ),
          documentRow(document(ofHospital, { authors: [authorOf('899970000098', actors.hospital.structure.id)] })),
          documentRow(document(ofHolder), { ...nobody, patient: true }),
          documentRow(document(ownRefused, loinc('80788-3')), { ...nobody, professionals: [actors.dentist.id] }),
        );
      });

      const rows: readonly (readonly [string, ActorName, { action?: Action; mode?: Mode }, readonly number[]])[] = [
        ['our own jobs see all', 'ourselves', {}, all],
        ['the holder: all but those hidden from the patient', 'holder', {}, without(hiddenFromPatient)],
        [
          'a representative: nothing hidden from patient or representatives',
          'representative',
          {},
          without(hiddenFromPatient, hiddenFromRepresentatives),
        ],
        ['the treating doctor in normal mode: masked ones too', 'treatingDoctor', {}, all],
        ['another doctor: masked ones only of his own', 'otherDoctor', {}, without(masked)],
        [
          'break-glass: no masked ones, own neither, when the patient did not accept it',
          'otherDoctor',
          { mode: 'breakGlass' },
          without(masked, ownMasked),
        ],
        [
          'break-glass by the treating doctor: as everyone',
          'treatingDoctor',
          { mode: 'breakGlass' },
          without(masked, ownMasked),
        ],
        [
          'a dentist: not the types refused to the profession, own excepted',
          'dentist',
          {},
          without(masked, ownMasked, refusedToDentists),
        ],
        ['a structure: only what is of the own structure', 'hospital', { action: 'lookUpDocuments' }, [ofHospital]],
        ['who is not authorised looks up own ones alone', 'stranger', { action: 'lookUpDocuments' }, []],
      ];
      test.each(rows)('%s', async (_, actor, wish, numbers) => {
        const permit = await permitOn(store, actor, wish);
        const expected = numbers.map(uuid).toReversed();
        const everything = all.map(uuid);
        const names = async (found: Promise<readonly { entry: DocumentEntry }[]>) =>
          (await found).map(({ entry }) => entry.entryUUID);
        expect(await seen(permit)).toEqual(expected);
        expect(await store.read.countDocuments(permit, {})).toBe(expected.length);
        expect(await names(store.read.documentsByUuid(permit, everything))).toEqual(expected);
        expect(
          await names(
            store.read.documentsByUniqueId(
              permit,
              all.map((n) => `2.999.1.${n}`),
            ),
          ),
        ).toEqual(expected);
        expect(await names(store.read.documentsByLogicalId(permit, everything))).toEqual(expected);
        expect(await names(store.read.targets(permit, everything))).toEqual(everything.toReversed());
      });

      test('a page and its `more` count after the filter', async () => {
        const permit = await permitOn(store, 'hospital', { action: 'lookUpDocuments' });
        expect(await store.read.documents(permit, {}, { limit: 1 })).toMatchObject({
          items: [{ own: true }],
          more: false,
        });
      });

      test('`own` says whose a document is', async () => {
        const ownOf = async (actor: ActorName, wish = {}) =>
          (await store.read.documents(await permitOn(store, actor, wish), {}, everyPage)).items
            .filter((d) => d.own)
            .map(({ entry }) => entry.entryUUID);
        expect(await ownOf('otherDoctor')).toEqual([uuid(ownMasked)]);
        expect(await ownOf('dentist')).toEqual([uuid(ownRefused)]);
        expect(await ownOf('hospital', { action: 'lookUpDocuments' })).toEqual([uuid(ofHospital)]);
        expect(await ownOf('holder')).toEqual([uuid(ofHolder)]);
        expect(await ownOf('ourselves')).toEqual([]);
      });

      test('an association with a hidden end is absent, as is one that points at such an association', async () => {
        await commit(
          { kind: 'submissionSet', set: submissionSet(20), owners: nobody },
          { kind: 'association', association: association(21, 20, plain) },
          { kind: 'association', association: association(22, 20, masked) },
          { kind: 'association', association: association(23, plain, masked, 'RPLC') },
          { kind: 'association', association: association(24, 20, 23) },
          { kind: 'association', association: association(25, 20, 21) },
        );
        const of = async (actor: ActorName, ...ids: number[]) =>
          (await store.read.associationsOf(await permitOn(store, actor), ids.map(uuid))).map((a) => a.entryUUID);
        expect(await of('treatingDoctor', 20)).toEqual([21, 22, 24, 25].map(uuid));
        expect(await of('treatingDoctor', masked)).toEqual([22, 23].map(uuid));
        expect(await of('otherDoctor', 20, plain)).toEqual([21, 25].map(uuid));
        expect(await of('otherDoctor', masked)).toEqual([]);
        const elsewhere = await permitOn(store, 'treatingDoctor', { record: second });
        expect(await store.read.associationsOf(elsewhere, [uuid(20), uuid(plain)])).toEqual([]);
      });

      test('side effects reach associations and folders that are hidden', async () => {
        await commit(
          { kind: 'folder', folder: folder(30) },
          { kind: 'association', association: association(33, 30, masked) },
        );
        const permit = await permitOn(store, 'otherDoctor');
        const ids = [30, masked].map(uuid);
        expect(await store.read.associations(permit, [uuid(33)])).toEqual([]);
        expect(await store.read.associations(await permitOn(store, 'treatingDoctor'), [uuid(33)])).toHaveLength(1);
        expect((await store.read.everyAssociationOf(permit, ids)).map((a) => a.entryUUID)).toEqual([uuid(33)]);
        expect((await store.read.everyFolder(permit, ids)).map((f) => f.entryUUID)).toEqual([uuid(30)]);
        expect(await store.read.documentsByLogicalId(permit, [uuid(masked)])).toEqual([]);
        expect((await store.read.everyVersion(permit, [uuid(masked)])).map((d) => d.entry.entryUUID)).toEqual([
          uuid(masked),
        ]);
        const elsewhere = await permitOn(store, 'treatingDoctor', { record: second });
        expect(await store.read.everyAssociationOf(elsewhere, ids)).toEqual([]);
        const there = await permitOn(store, 'ourselves', { record: second });
        await store.write.commit(there, put({ kind: 'association', association: association(34, 35, masked) }));
        const naming = await store.read.everyAssociationOf(permit, [uuid(masked)]);
        expect(naming.map((a) => a.entryUUID)).toEqual([uuid(33), uuid(34)]);
        expect(await store.read.everyVersion(elsewhere, [uuid(masked)])).toEqual([]);
        expect(await store.read.everyFolder(elsewhere, ids)).toEqual([]);
      });

      test('a folder whose members are all hidden is absent; an empty one is not', async () => {
        await commit(
          { kind: 'folder', folder: folder(30) },
          { kind: 'folder', folder: folder(31) },
          { kind: 'folder', folder: folder(32) },
          { kind: 'association', association: association(33, 30, masked) },
          { kind: 'association', association: association(34, 31, masked) },
          { kind: 'association', association: association(35, 31, plain) },
        );
        const asked = [30, 31, 32, plain, 99].map(uuid);
        const of = async (actor: ActorName, record = first) =>
          (await store.read.folders(await permitOn(store, actor, { record }), asked)).map((f) => f.entryUUID);
        expect(await of('treatingDoctor')).toEqual([30, 31, 32].map(uuid));
        expect(await of('otherDoctor')).toEqual([31, 32].map(uuid));
        expect(await of('treatingDoctor', second)).toEqual([]);
      });

      test('a trace names no hidden document; one that named only such is absent', async () => {
        const named = (...numbers: number[]) => numbers.map((n) => ({ entryUUID: uuid(n), uniqueId: `2.999.1.${n}` }));
        await store.write.note([
          event({ record: first, documents: named(plain, masked), query: `GetDocuments ${uuid(masked)}` }),
          event({ record: first, documents: named(masked), query: 'FindDocuments' }),
          event({ record: first, documents: named(plain, masked), query: 'FindDocuments' }),
          event({ record: first }),
          event({ record: first, documents: named(77) }),
        ]);
        const read = async (actor: ActorName) => {
          const permit = await permitOn(store, actor, { action: 'readHistory' });
          const { items } = await store.read.events(permit, {}, everyPage);
          for (let n = 1; n <= 5; n++)
            expect(await store.read.event(permit, n)).toEqual(items.find((e) => e.sequence === n));
          return items.map((e) => [e.sequence, e.documents?.map((d) => d.entryUUID), e.query]);
        };
        expect(await read('treatingDoctor')).toEqual([
          [5, [uuid(77)], undefined],
          [4, undefined, undefined],
          [3, [uuid(plain), uuid(masked)], 'FindDocuments'],
          [2, [uuid(masked)], 'FindDocuments'],
          [1, [uuid(plain), uuid(masked)], `GetDocuments ${uuid(masked)}`],
        ]);
        expect(await read('otherDoctor')).toEqual([
          [5, [uuid(77)], undefined],
          [4, undefined, undefined],
          [3, [uuid(plain)], 'FindDocuments'],
          [1, [uuid(plain)], undefined],
        ]);
        const elsewhere = await permitOn(store, 'treatingDoctor', { record: second });
        expect(await store.read.event(elsewhere, 1)).toBeUndefined();
      });

      test('a trace of a submission set of which nothing is seen is absent', async () => {
        await commit(
          { kind: 'submissionSet', set: submissionSet(60), owners: nobody },
          { kind: 'submissionSet', set: submissionSet(61), owners: nobody },
          { kind: 'association', association: association(62, 60, masked) },
          { kind: 'association', association: association(63, 61, plain) },
        );
        const filed = (...numbers: number[]) =>
          numbers.map((n) => event({ record: first, submissionSet: { entryUUID: uuid(n), uniqueId: `2.999.2.${n}` } }));
        await store.write.note(filed(60, 61, 99));
        const read = async (actor: ActorName) => {
          const permit = await permitOn(store, actor, { action: 'readHistory' });
          const { items } = await store.read.events(permit, {}, everyPage);
          return items.flatMap(({ submissionSet: set }) => set?.entryUUID ?? []);
        };
        expect(await read('treatingDoctor')).toEqual([99, 61, 60].map(uuid));
        expect(await read('otherDoctor')).toEqual([99, 61].map(uuid));
      });
    });

    describe('events', () => {
      const doctor = actors.otherDoctor;

      test('are those of the record, newest first, within the dates and of the actor that are asked', async () => {
        await store.write.note([
          event({ record: first, at: 10, actor: doctor }),
          event({ record: second, at: 20, actor: doctor }),
          event({ at: 30 }),
          event({ record: first, at: 40, actor: actors.hospital }),
          event({ record: first, at: 50, actor: doctor }),
        ]);
        const of = async (filter: { from?: number; to?: number; actor?: string }) =>
          (await store.read.events(ours, filter, everyPage)).items.map((e) => e.sequence);
        expect(await of({})).toEqual([5, 4, 1]);
        expect(await of({ from: 40 })).toEqual([5, 4]);
        expect(await of({ to: 40 })).toEqual([1]);
        expect(await of({ actor: doctor.id })).toEqual([5, 1]);
        expect(await of({ actor: actors.hospital.structure.id })).toEqual([4]);
        expect(await of({ actor: doctor.id.slice(0, -1) })).toEqual([]);
      });

      test('are in the order of their times, told in whatever order, and of one time in that of their numbers', async () => {
        await store.write.note([30, 10, 20, 20, 10].map((at) => event({ record: first, at })));
        const sequences = async (page: Parameters<Store['read']['events']>[2]) => {
          const { items, more } = await store.read.events(ours, {}, page);
          return [items.map((e) => e.sequence), more];
        };
        expect(await sequences({ limit: 5 })).toEqual([[1, 4, 3, 5, 2], false]);
        expect(await sequences({ limit: 2, before: { at: 20, sequence: 4 } })).toEqual([[3, 5], true]);
        expect(await sequences({ limit: 2, before: { at: 10, sequence: 5 } })).toEqual([[2], false]);
      });

      test('a partner told are found by those who took part, at the time that they say', async () => {
        const told = { resource: '{}', receivedAt: 90, agents: [doctor.id, '1490000019'], names: [] };
        const partner = { kind: 'system', id: 'partner', name: 'Partner', rights: ['auditFeed'] } as const;
        await store.write.note([event({ record: first, at: 10, actor: partner, action: 'feedAudit', told })]);
        const of = async (filter: { from?: number; to?: number; actor?: string }) =>
          (await store.read.events(ours, filter, everyPage)).items.map((e) => [e.sequence, e.told]);
        expect(await of({ actor: doctor.id, to: 11 })).toEqual([[1, told]]);
        expect(await of({ actor: '1490000019' })).toEqual([[1, told]]);
        expect(await of({ actor: 'partner' })).toEqual([]);
        expect(await of({ from: 11 })).toEqual([]);
      });

      test('a partner told are absent where they say any name of something hidden, even of what came later', async () => {
        const telling = (...names: readonly string[]) =>
          event({ record: first, action: 'feedAudit', told: { resource: '{}', receivedAt: 90, agents: [], names } });
        await store.write.note([
          telling('2.999.1.2'),
          telling(uuid(2)),
          telling(uuid(60)),
          telling('2.999.1.1', uuid(1)),
          telling('2.999.404', uuid(404), 'anything'),
          telling('2.999.1.1', '2.999.1.2'),
          telling(),
        ]);
        const seen = async (actor: ActorName) => {
          const permit = await permitOn(store, actor, { action: 'readHistory' });
          const { items } = await store.read.events(permit, {}, everyPage);
          for (let n = 1; n <= 7; n++)
            expect(await store.read.event(permit, n)).toEqual(items.find((e) => e.sequence === n));
          return items.map((e) => e.sequence);
        };
        expect(await seen('otherDoctor')).toEqual([7, 6, 5, 4, 3, 2, 1]);
        await commit(
          documentRow(document(1)),
          documentRow(document(2, { confidentialityCodes: confidential('MASQUE_PS') })),
          { kind: 'submissionSet', set: submissionSet(60), owners: nobody },
          { kind: 'association', association: association(62, 60, 2) },
        );
        expect(await seen('treatingDoctor')).toEqual([7, 6, 5, 4, 3, 2, 1]);
        expect(await seen('otherDoctor')).toEqual([7, 5, 4]);
      });

      test('come in pages, filled up past those that are left out', async () => {
        await commit(documentRow(document(2, { confidentialityCodes: confidential('MASQUE_PS') })));
        const hidden = { documents: [{ entryUUID: uuid(2), uniqueId: '2.999.1.2' }] };
        await store.write.note(
          [1, 2, 3, 4, 5, 6, 7, 8].map((n) => event({ record: first, ...(n > 2 && n < 7 && hidden) })),
        );
        const permit = await permitOn(store, 'otherDoctor', { action: 'readHistory' });
        const page1 = await store.read.events(permit, {}, { limit: 3 });
        expect([page1.items.map((e) => e.sequence), page1.more]).toEqual([[8, 7, 2], true]);
        const page2 = await store.read.events(permit, {}, { limit: 3, before: { at: 1000, sequence: 2 } });
        expect([page2.items.map((e) => e.sequence), page2.more]).toEqual([[1], false]);
      });

      test('each carries the hash of the one before and of itself', async () => {
        await Promise.all(
          [1, 2, 3].map(async (n) =>
            store.write.note([event({ record: first, at: n }), event({ record: first, actor: doctor })]),
          ),
        );
        const { items } = await store.read.events(ours, {}, everyPage);
        expect(items).toHaveLength(6);
        let last = '0'.repeat(64);
        for (const { sequence, previous, hash, ...draft } of items.toSorted((a, b) => a.sequence - b.sequence)) {
          expect(previous).toBe(last);
          expect(hash).toBe(createHash('sha256').update(previous, 'hex').update(JSON.stringify(draft)).digest('hex'));
          expect(sequence).toBeGreaterThan(0);
          last = hash;
        }
      });

      test('of no record are in the security audit alone', async () => {
        await store.write.note([event({ action: 'identify', outcome: 'refused' })]);
        expect((await store.read.events(ours, {}, everyPage)).items).toEqual([]);
        expect(await store.read.event(ours, 1)).toBeUndefined();
      });
    });

    describe('names in the whole store', () => {
      test('who holds a uniqueId, and which entryUUIDs are taken', async () => {
        const shared = { uniqueId: '2.999.6' };
        await commit(
          documentRow(document(1, shared)),
          { kind: 'folder', folder: folder(2) },
          { kind: 'association', association: association(4, 2, 1) },
        );
        const elsewhere = await permitOn(store, 'ourselves', { record: second });
        await store.write.commit(
          elsewhere,
          put(documentRow(document(5, shared)), { kind: 'submissionSet', set: submissionSet(3), owners: nobody }),
        );
        const { hash, size } = document(1);
        expect(await store.read.holders(ours, ['2.999.6', '2.999.3.2', '2.999.2.3', 'free'])).toEqual(
          new Map([
            [
              '2.999.6',
              [
                { kind: 'document', entryUUID: uuid(1), hash, size },
                { kind: 'document', entryUUID: uuid(5), hash, size },
              ],
            ],
            ['2.999.3.2', [{ kind: 'folder', entryUUID: uuid(2) }]],
            ['2.999.2.3', [{ kind: 'submissionSet', entryUUID: uuid(3) }]],
          ]),
        );
        expect(await store.read.taken(ours, [1, 2, 3, 4, 5, 6].map(uuid))).toEqual(new Set([1, 2, 3, 4, 5].map(uuid)));
        expect(await store.read.taken(ours, ['nonsense'])).toEqual(new Set());
      });
    });

    describe('the wrapped key of a record', () => {
      const wrapped = Buffer.from('a wrapped key of sixty bytes, as the keyring makes it, 012345');

      test('is read with a permit for it, and is gone once destroyed', async () => {
        expect(await store.read.wrappedKey(ours)).toBeUndefined();
        await commit({ kind: 'key', record: first, wrapped });
        expect(Buffer.from((await store.read.wrappedKey(ours)) ?? [])).toEqual(wrapped);
        expect(await store.read.wrappedKey(await permitOn(store, 'ourselves', { record: second }))).toBeUndefined();
        await commit({ kind: 'destroyKey', record: first });
        expect(await store.read.wrappedKey(ours)).toBeUndefined();
      });

      test('is not destroyed by a change set that is not done', async () => {
        await commit({ kind: 'key', record: first, wrapped });
        const stale = { recordAt: { record: first, version: 9 } };
        await store.write.commit(ours, { ...put({ kind: 'destroyKey', record: first }), expect: [stale] });
        expect(await store.read.wrappedKey(ours)).toBeDefined();
      });

      test('is made once', async () => {
        await commit({ kind: 'key', record: first, wrapped });
        await expect(commit({ kind: 'key', record: first, wrapped: Buffer.alloc(60) })).rejects.toThrow(
          'has a key already',
        );
        expect(Buffer.from((await store.read.wrappedKey(ours)) ?? [])).toEqual(wrapped);
      });
    });

    test('a closed store refuses', async () => {
      await store.close();
      await store.close();
      const stopped = { name: 'StoreStopped' };
      await expect(store.facts.recordById(first)).rejects.toMatchObject(stopped);
      await expect(store.read.countDocuments(ours, {})).rejects.toMatchObject(stopped);
      await expect(store.write.commit(ours, put())).rejects.toMatchObject(stopped);
      await expect(store.write.note([event()])).rejects.toMatchObject(stopped);
    });
  });
}
