import { expect, test } from '@jest/globals';
import { makeChangeCounts } from '../../server/store/embedded/change-counts.ts';
import { counting } from '../../server/store/embedded/counting-writer.ts';
import type { PlainSet } from '../../server/store/embedded/encode.ts';
import { makeRecall } from '../../server/store/embedded/recall.ts';
import type { GroupWriter } from '../../server/store/embedded/writer.ts';

const [ours, theirs] = ['0192aaaa-0000-7000-8000-000000000001', '0192aaaa-0000-7000-8000-000000000002'];
const counts = makeChangeCounts();

/** A writer that holds a group until it is let go. */
function heldWriter() {
  let letGo = () => {};
  const writer: GroupWriter = {
    commit: (sets) =>
      new Promise((resolve) => (letGo = () => resolve(sets.map(() => ({ done: true, sequences: [] }))))),
    close: () => Promise.resolve(),
  };
  return { writer: counting(writer, counts), letGo: () => letGo() };
}

const change = (record: string, rows: PlainSet['rows'] = [{ kind: 'unstaged', id: 'a' }]): PlainSet => ({
  record,
  expect: [],
  rows,
  events: [],
  jobs: [],
  settled: [],
  at: 0,
  spend: undefined,
  sealed: [],
});

/** Answers with the number of times that it was read. */
function asking(record: string | undefined, most = 100, weight = 1) {
  const recall = makeRecall<number>(
    counts,
    most,
    () => record,
    () => weight,
  );
  const reads = new Map<string, number>();
  return (question = 'how many?') =>
    recall(question, () => {
      reads.set(question, (reads.get(question) ?? 0) + 1);
      return reads.get(question) ?? 0;
    });
}

test('an answer is kept from the second time on, as long as its record does not change', async () => {
  const ask = asking(ours);
  expect([ask(), ask(), ask(), ask()]).toEqual([1, 2, 2, 2]);
  const { writer, letGo } = heldWriter();
  const other = writer.commit([change(theirs)]);
  expect(ask()).toBe(2);
  letGo();
  await other;
  const own = writer.commit([change(ours)]);
  expect([ask(), ask()]).toEqual([3, 4]);
  letGo();
  await own;
  expect([ask(), ask()]).toEqual([5, 5]);
});

test('what is read while its record is being changed is not kept', async () => {
  const ask = asking(ours);
  ask();
  const { writer, letGo } = heldWriter();
  const written = writer.commit([change(ours)]);
  expect([ask(), ask()]).toEqual([2, 3]);
  letGo();
  await written;
  expect([ask(), ask()]).toEqual([4, 4]);
});

test('a group that fails ends what was kept too', async () => {
  const ask = asking(ours);
  expect([ask(), ask(), ask()]).toEqual([1, 2, 2]);
  const failing = counting({ commit: () => Promise.reject(new Error('no')), close: () => Promise.resolve() }, counts);
  await expect(failing.commit([change(ours)])).rejects.toThrow('no');
  expect([ask(), ask()]).toEqual([3, 3]);
});

test('a change set that writes events alone ends nothing; a merge and a removal elsewhere end what was kept of the other record', async () => {
  const ask = asking(ours);
  const { writer, letGo } = heldWriter();
  const done = async (set: PlainSet) => {
    const written = writer.commit([set]);
    letGo();
    await written;
  };
  expect([ask(), ask()]).toEqual([1, 2]);
  await done(change(ours, []));
  expect(ask()).toBe(2);
  await done(
    change(theirs, [
      { kind: 'merge', id: ours, version: 2, json: '{}', patientId: { id: '1', authority: { oid: '1' } } },
    ]),
  );
  expect([ask(), ask()]).toEqual([3, 3]);
  await done({ ...change(theirs), elsewhere: [{ record: ours, rows: [{ kind: 'unstaged', id: 'a' }] }] });
  expect([ask(), ask()]).toEqual([4, 4]);
});

test('no more is kept than may be, by weight; those asked for last stay', () => {
  const ask = asking(ours, 6, 2);
  for (const question of ['a', 'a', 'b', 'b', 'a']) ask(question);
  expect([ask('a'), ask('b')]).toEqual([2, 2]);
  for (const question of ['c', 'c']) ask(question);
  expect([ask('b'), ask('a')]).toEqual([2, 3]);
});

test('nothing is kept of an answer that is about no record', () => {
  const ask = asking(undefined);
  expect([ask(), ask(), ask()]).toEqual([1, 2, 3]);
});
