import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Interest } from '../../server/domain/subscription.ts';
import {
  loggedNotices,
  type Notice,
  type Row,
  type Store,
  type StoredSubscription,
  type Subscription,
} from '../../server/store/port.ts';
import { callerOf, permitFor, recordOf } from '../support/permits.ts';
import { association, confidential, document, folder, submissionSet, uuid } from '../support/registry.ts';
import { documentRow, event, first, nobody, permitOn, put, type Subject, second, seed } from './store.ts';

const interest: Interest = { object: 'document', kinds: ['created'], across: false };

/** A web hook to the documents of the first record, that waits. */
export const subscriptionOf = (id: string, changes: Partial<Subscription> = {}): Subscription => ({
  id,
  version: 1,
  changedAt: 1,
  owner: 'me',
  caller: callerOf('otherDoctor'),
  record: first,
  interest,
  filter: {},
  channel: { kind: 'rest-hook', endpoint: 'https://receiver.example/hook', timeout: 20, most: 1 },
  shown: 'id-only',
  form: '{}',
  status: 'active',
  failures: 0,
  greeted: true,
  count: 0,
  cursor: 0,
  ...changes,
});
const noticeOf = (number: number): Notice => ({
  number,
  record: first,
  object: 'document',
  name: uuid(number),
  kind: 'created',
  at: number,
});

/** What every store promises of subscriptions. */
export function subscriptionContract(name: string, open: () => Promise<Subject>): void {
  describe(`subscriptions of ${name}`, () => {
    let subject: Subject;
    let store: Store;
    beforeEach(async () => {
      subject = await open();
      store = subject.store;
      await seed(store);
    });
    afterEach(() => subject.dispose());

    const keep = async (subscription: Subscription, more: Partial<Extract<Row, { kind: 'subscription' }>> = {}) =>
      store.write.commit(
        permitFor(undefined, 'otherDoctor', { action: 'manageSubscriptions' }),
        put({ kind: 'subscription', subscription, ...more }),
      );
    const found = async (id: string): Promise<StoredSubscription> => {
      const one = await store.subscriptions.find(id);
      if (one === undefined) throw new Error(`${id} is not there`);
      return one;
    };
    const commit = async (rows: readonly Row[], record = first, at = 50) =>
      store.write.commit(await permitOn(store, 'otherDoctor', { record }), {
        ...put(...rows),
        events: [event({ record, at })],
      });
    const changes = async (id: string) => store.subscriptions.changes(await found(id), 100);
    const told = async (id: string) =>
      (await changes(id)).map(
        ({ object, name: of, kind }) => `${object} ${of === uuid(0) ? '' : of.slice(-2)} ${kind}`,
      );

    test('are found as they were put, by id and by owner, the newest first', async () => {
      const a = subscriptionOf('a', { due: 7, end: 9 });
      await keep(a);
      await keep(subscriptionOf('b'));
      await keep(subscriptionOf('c', { owner: 'other' }));
      expect(await found('a')).toEqual({ ...a, revision: 1 });
      expect((await store.subscriptions.ofOwner('me')).map(({ id }) => id)).toEqual(['b', 'a']);
      expect(await store.subscriptions.find('x')).toBeUndefined();
    });

    test('changes of their record are kept for them from then on, in order, each with its place', async () => {
      await commit([documentRow(document(1))]);
      await keep(subscriptionOf('a'));
      expect(await told('a')).toEqual([]);
      expect(await commit([documentRow(document(2))])).toMatchObject({ done: true, awaited: true });
      await commit([documentRow(document(3))]);
      await commit([documentRow(document(4))], second);
      const kept = await changes('a');
      expect(kept).toMatchObject([
        { record: first, object: 'document', name: uuid(2), kind: 'created', at: 50 },
        { record: first, object: 'document', name: uuid(3), kind: 'created', at: 50 },
      ]);
      expect(kept[1]?.position).toBeGreaterThan(kept[0]?.position ?? 0);
      expect(await store.subscriptions.changes(await found('a'), 1)).toHaveLength(1);
    });

    test('where nobody waits nothing is kept, and the commit says so', async () => {
      await keep(subscriptionOf('a', { status: 'off' }));
      expect(await commit([documentRow(document(1))])).toEqual({ done: true, sequences: [1] });
      expect(await told('a')).toEqual([]);
      await keep(subscriptionOf('b', { record: second }));
      expect(await commit([documentRow(document(2))])).toEqual({ done: true, sequences: [2] });
    });

    test('one of all records gets the changes of each', async () => {
      const { record: _record, ...all } = subscriptionOf('a', { interest: { ...interest, across: true } });
      await keep(all);
      await commit([documentRow(document(1))]);
      await commit([documentRow(document(2))], second);
      expect((await changes('a')).map(({ record, name: of }) => [record, of])).toEqual([
        [first, uuid(1)],
        [second, uuid(2)],
      ]);
    });

    test('tell what became of a document: the strongest alone, and what decided before who saw it', async () => {
      await commit([documentRow(document(1, { confidentialityCodes: confidential('MASQUE_PS') }))]);
      await keep(subscriptionOf('a'));
      const next = { ...document(1, { confidentialityCodes: confidential() }), entryUUID: uuid(2), version: 2 };
      await commit([
        { kind: 'version', entry: next, of: uuid(1), registeredAt: 2 },
        { kind: 'status', document: uuid(1), status: 'deprecated' },
      ]);
      await commit([{ kind: 'status', document: uuid(2), status: 'archived' }]);
      await commit([{ kind: 'status', document: uuid(2), status: 'archived' }]);
      await commit([{ kind: 'status', document: uuid(2), status: 'deleted' }]);
      const kept = await changes('a');
      expect(kept.map(({ name: of, kind }) => [of, kind])).toEqual([
        [uuid(1), 'changed'],
        [uuid(1), 'statusChanged'],
        [uuid(1), 'removed'],
      ]);
      const { typeCode, authors } = document(1);
      expect(kept.map(({ before }) => before?.codes)).toEqual([['MASQUE_PS'], [], []]);
      expect(kept[0]?.before?.typeCode).toBe(typeCode.code);
      expect(kept[0]?.before?.owners.professionals).toEqual(authors.flatMap(({ person }) => person?.id ?? []));
    });

    test('a version taken away is a change while another is left, and a removal with the last', async () => {
      const next = { ...document(1), entryUUID: uuid(2), version: 2 };
      await commit([documentRow(document(1))]);
      await commit([{ kind: 'version', entry: next, of: uuid(1), registeredAt: 2 }]);
      await keep(subscriptionOf('a'));
      await commit([{ kind: 'remove', object: 'document', name: uuid(2) }]);
      await commit([{ kind: 'remove', object: 'document', name: uuid(1) }]);
      expect((await changes('a')).map(({ name: of, kind }) => [of, kind])).toEqual([
        [uuid(1), 'changed'],
        [uuid(1), 'removed'],
      ]);
    });

    test('tell of sets and folders, and of what was put into a folder', async () => {
      await keep(subscriptionOf('a'));
      await commit([
        { kind: 'submissionSet', set: submissionSet(1), owners: nobody },
        { kind: 'folder', folder: folder(2) },
      ]);
      await commit([documentRow(document(3)), { kind: 'association', association: association(4, 2, 3) }]);
      await commit([{ kind: 'folderState', folder: uuid(2), status: 'deprecated' }]);
      expect((await changes('a')).map(({ object, name: of, kind, members }) => [object, of, kind, members])).toEqual([
        ['submissionSet', uuid(1), 'created', undefined],
        ['folder', uuid(2), 'created', undefined],
        ['document', uuid(3), 'created', undefined],
        ['folder', uuid(2), 'grown', [uuid(3)]],
        ['folder', uuid(2), 'statusChanged', undefined],
      ]);
    });

    test('are due when they say so, and at once when something changes, save while they fail or wait for a websocket', async () => {
      await keep(subscriptionOf('a', { due: 100 }));
      await keep(subscriptionOf('failing', { due: 90, failures: 1 }));
      await keep(subscriptionOf('socket', { channel: { kind: 'websocket', timeout: 20, most: 1 } }));
      await keep(subscriptionOf('b', { record: second }));
      const due = async (now: number, limit = 10) => (await store.subscriptions.due(now, limit)).map(({ id }) => id);
      expect(await due(89)).toEqual([]);
      expect(await store.subscriptions.nextDue(89)).toBe(90);
      expect(await due(100)).toEqual(['failing', 'a']);
      expect(await due(100, 1)).toEqual(['failing']);
      expect(await store.subscriptions.nextDue(100)).toBeUndefined();
      await commit([documentRow(document(1))]);
      expect(await due(50)).toEqual(['a']);
    });

    test('advance once: who read an older state writes nothing; what changed meanwhile makes it due at once', async () => {
      await keep(subscriptionOf('a'));
      await commit([documentRow(document(1))]);
      const before = await found('a');
      const [change] = await changes('a');
      await commit([documentRow(document(2))]);
      const { revision: _revision, due: _due, ...stays } = before;
      const next = { ...stays, cursor: change?.position ?? 0, count: 1, lastSentAt: 60 };
      expect(await store.subscriptions.advance(before, next, [noticeOf(1)])).toBe(true);
      expect(await store.subscriptions.advance(before, { ...next, count: 7 }, [noticeOf(2)])).toBe(false);
      expect(await found('a')).toMatchObject({ count: 1, due: 0, lastSentAt: 60 });
      expect((await changes('a')).map(({ name: of }) => of)).toEqual([uuid(2)]);
      expect(await store.subscriptions.told('a', 1, 9, 10)).toEqual([noticeOf(1)]);
    });

    test('the log tells from and to a number, oldest first, and keeps the latest', async () => {
      await keep(subscriptionOf('a'));
      const all = Array.from({ length: loggedNotices + 5 }, (_, i) => noticeOf(i + 1));
      await keep(subscriptionOf('a', { count: all.length }), { told: all });
      const numbers = async (from: number, to: number, limit = 3) =>
        (await store.subscriptions.told('a', from, to, limit)).map(({ number }) => number);
      expect(await numbers(1, 9999)).toEqual([6, 7, 8]);
      expect(await numbers(10, 11)).toEqual([10, 11]);
      expect(await numbers(10, 9)).toEqual([]);
    });

    test('begin anew behind what is known, and end without a trace', async () => {
      await keep(subscriptionOf('a'));
      await commit([documentRow(document(1))]);
      await keep(subscriptionOf('a', { status: 'off' }), { told: [noticeOf(1)] });
      await commit([documentRow(document(2))]);
      await keep(subscriptionOf('a'), { restart: true });
      expect(await told('a')).toEqual([]);
      await commit([documentRow(document(3))]);
      expect((await changes('a')).map(({ name: of }) => of)).toEqual([uuid(3)]);
      const permit = permitFor(undefined, 'otherDoctor', { action: 'manageSubscriptions' });
      await store.write.commit(permit, put({ kind: 'unsubscribe', id: 'a' }));
      expect(await store.subscriptions.find('a')).toBeUndefined();
      expect(await store.subscriptions.told('a', 1, 9, 10)).toEqual([]);
    });

    test('a change that its expectation keeps from being made is told to nobody', async () => {
      await keep(subscriptionOf('a'));
      const outcome = await store.write.commit(await permitOn(store), {
        ...put(documentRow(document(1))),
        expect: [{ subscriptionAt: { id: 'a', revision: 9 } }],
      });
      expect(outcome).toMatchObject({ done: false, conflicts: [{ subscriptionAt: { id: 'a', revision: 9 } }] });
      expect(await told('a')).toEqual([]);
    });

    test('follow a record that is merged into another', async () => {
      await keep(subscriptionOf('a'));
      await commit([documentRow(document(1))]);
      const [survivor, subsumed] = await Promise.all([store.facts.recordById(second), store.facts.recordById(first)]);
      const patientId = { id: '1', authority: { oid: '1.2.3' }, type: 'NH' };
      const husk = { ...(subsumed?.record ?? recordOf(first)), identifiers: [], state: 'merged' } as const;
      const merged = await store.write.commit(
        permitFor(survivor, 'feeder', { action: 'feedIdentities' }),
        put({ kind: 'merge', subsumed: husk, patientId }),
      );
      expect(merged.done).toBe(true);
      expect((await found('a')).record).toBe(second);
      await commit([documentRow(document(2))], second);
      expect((await changes('a')).map(({ record, name: of }) => [record, of])).toEqual([
        [second, uuid(1)],
        [second, uuid(2)],
      ]);
    });

    test('of a record whose key is destroyed are no more', async () => {
      await keep(subscriptionOf('a'), { told: [noticeOf(1)] });
      await commit([documentRow(document(1)), { kind: 'destroyKey', record: first }]);
      expect(await store.subscriptions.find('a')).toBeUndefined();
      expect(await store.subscriptions.told('a', 1, 9, 10)).toEqual([]);
    });
  });
}
