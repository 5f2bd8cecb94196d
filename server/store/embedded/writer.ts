import type { SegmentWriter } from '../../blobs/segments.ts';
import type { RecordId } from '../../domain/record.ts';
import { type ContentPlace, type Outcome, StoreFull } from '../port.ts';
import { chainStart } from '../trail.ts';
import { makeApply } from './apply.ts';
import { type Database, isDiskFull, isEngineFailure } from './driver.ts';
import type { PlainSet } from './encode.ts';
import { type Erasers, makeErasure } from './erase.ts';
import { makeJudge } from './judge.ts';
import type { RecordKeys } from './keys.ts';
import { openSpent } from './spent.ts';

/** What became of one change set. `full`: nothing of it was written, the store goes on. `fault`: it contradicted the store. */
export type Answer = Outcome | { readonly refused: 'full' | 'fault'; readonly why: string };

/** Commits groups of change sets, one group at a time. */
export type GroupWriter = {
  /** Answers each set, in order; rejects when the engine failed and nothing more can be promised. */
  commit(sets: readonly PlainSet[]): Promise<readonly Answer[]>;
  close(): Promise<void>;
};

/** One transaction for each group; each set is all in it or not at all. Documents are on disk before the rows that name them. */
export function openWriter(
  database: Database,
  keys: RecordKeys,
  segments: SegmentWriter,
  files: Erasers['files'],
): GroupWriter {
  const judge = makeJudge(database);
  const apply = makeApply(database);
  const spent = openSpent(database);
  const newKeys = new Map<RecordId, Uint8Array>();
  const begin = database.prepare('BEGIN IMMEDIATE');
  const commit = database.prepare('COMMIT');
  const savepoint = database.prepare('SAVEPOINT one');
  const release = database.prepare('RELEASE one');
  const undo = database.prepare('ROLLBACK TO one');
  const toShred = database.prepare<{ record: string }>('SELECT record FROM shred');
  const shredded = database.prepare('DELETE FROM shred');
  const lastHash = database.prepare<{ hash: string }>(
    'SELECT lower(hex(hash)) AS hash FROM event ORDER BY sequence DESC LIMIT 1',
  );
  let head = lastHash.get()?.hash ?? chainStart;

  function shred(): void {
    const records = toShred.all().map(({ record }) => record);
    if (records.length > 0 && keys.destroy(records)) shredded.run();
  }
  shred();
  const erase = makeErasure(database, { segments, files });
  const erasedBefore = erase();

  /** The places of each set's bytes; undefined for a set whose bytes found no room. */
  function append(sets: readonly PlainSet[]): (readonly ContentPlace[] | undefined)[] {
    const sealed = sets.flatMap((set) => set.sealed);
    try {
      const places = sealed.length === 0 ? [] : segments.append(sealed);
      return sets.map((set) => places.splice(0, set.sealed.length));
    } catch (error) {
      if (!(error instanceof StoreFull)) throw error;
      return sets.map((set) => (set.sealed.length === 0 ? [] : undefined));
    }
  }

  /** All sets in one go; where one of them contradicts the tables, again with a savepoint for each, so that nothing is left of that one alone. */
  function writeAll(sets: readonly PlainSet[], placed: readonly (readonly ContentPlace[] | undefined)[]): Answer[] {
    const before = head;
    newKeys.clear();
    begin.run();
    try {
      return sets.map((set, i) => judgeAndApply(set, placed[i]));
    } catch (error) {
      if (!isFault(error)) throw error;
      rollBack(before);
      newKeys.clear();
      begin.run();
      return sets.map((set, i) => writeOne(set, placed[i]));
    }
  }

  function writeOne(set: PlainSet, places: readonly ContentPlace[] | undefined): Answer {
    savepoint.run();
    try {
      const answer = judgeAndApply(set, places);
      release.run();
      return answer;
    } catch (error) {
      if (!isFault(error)) throw error;
      undo.run();
      release.run();
      apply.rolledBack();
      return { refused: 'fault', why: String(error) };
    }
  }

  function isFault(error: unknown): boolean {
    return !isDiskFull(error) && !isEngineFailure(error) && database.inTransaction();
  }

  function rollBack(to: string): void {
    head = to;
    spent.forget();
    apply.rolledBack();
    if (database.inTransaction()) database.exec('ROLLBACK');
  }

  function judgeAndApply(set: PlainSet, places: readonly ContentPlace[] | undefined): Answer {
    if (places === undefined) return full;
    const spend = set.spend && spent.told(set.spend);
    if (spend !== undefined && spent.isSpent(spend, set.at)) return { done: false, conflicts: [], spent: true };
    const conflicts = judge(set);
    if (conflicts.length > 0) return { done: false, conflicts, spent: false };
    const made = set.rows.filter((row) => row.kind === 'key');
    if (made.some(({ record }) => keys.has(record) || newKeys.has(record)))
      throw new TypeError('The record has a key already');
    const applied = apply(set, places, head);
    head = applied.head;
    for (const { record, wrapped } of made) newKeys.set(record, wrapped);
    if (spend !== undefined) spent.mark(spend, set.at);
    const { sequences, awaited } = applied;
    return { done: true, sequences, ...(awaited && { awaited }) };
  }

  async function commitAll(
    sets: readonly PlainSet[],
    placed: readonly (readonly ContentPlace[] | undefined)[],
    synced: Promise<void>,
  ) {
    const answers = writeAll(sets, placed);
    const done = sets.filter((_, i) => isDone(answers[i]));
    spent.write(Math.max(0, ...done.map(({ at }) => at)));
    keys.add(newKeys);
    await synced;
    commit.run();
    spent.keep();
    return answers;
  }

  async function commitOrFull(sets: readonly PlainSet[]): Promise<readonly Answer[]> {
    const before = head;
    const placed = append(sets);
    const synced = sets.some(({ sealed }, i) => sealed.length > 0 && placed[i] !== undefined)
      ? segments.sync()
      : Promise.resolve();
    const settled = synced.catch(() => undefined);
    try {
      return await commitAll(sets, placed, synced);
    } catch (error) {
      await settled;
      rollBack(before);
      if (!isDiskFull(error) && !(error instanceof StoreFull)) throw error;
      return sets.map(() => full);
    }
  }

  return {
    async commit(sets) {
      await erasedBefore;
      const answers = await commitOrFull(sets);
      if (sets.some(({ rows }) => rows.some((row) => row.kind === 'destroyKey'))) shred();
      if (sets.some((set) => rowsOf(set).some(({ kind }) => kind === 'remove' || kind === 'removeContent')))
        await erase();
      return answers;
    },
    async close() {
      await erasedBefore;
      await segments.close();
      database.close();
      keys.close();
    },
  };
}

const full: Answer = { refused: 'full', why: 'The disk is full' };

function rowsOf({ rows, elsewhere = [] }: PlainSet): readonly PlainSet['rows'][number][] {
  return [...rows, ...elsewhere.flatMap((other) => other.rows)];
}

function isDone(answer: Answer | undefined): boolean {
  return answer !== undefined && 'done' in answer && answer.done;
}
