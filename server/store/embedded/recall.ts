import type { RecordId } from '../../domain/record.ts';
import { type ChangeCounts, quietCount } from './change-counts.ts';

/** Reads an answer, or recalls it where the record that it is about has not changed since. */
export type Recall<V> = (question: string, read: () => V) => V;

type Known<V> = {
  readonly record: RecordId;
  readonly weight: number;
  readonly kept?: { readonly count: number; readonly value: V };
};

/**
 * Keeps the answers that were asked for last, from the second time on, in the memory of one thread. A question is asked about one record, which
 * its answer names: nothing is kept of an answer that names none.
 * @param weightOf what an answer counts for; all that is kept together counts for no more than `most`
 */
export function makeRecall<V>(
  counts: ChangeCounts,
  most: number,
  recordOf: (value: V) => RecordId | undefined,
  weightOf: (value: V) => number = () => 1,
): Recall<V> {
  const known = new Map<string, Known<V>>();
  let weight = 0;

  function take(question: string): Known<V> | undefined {
    const found = known.get(question);
    if (found !== undefined) {
      known.delete(question);
      weight -= found.weight;
    }
    return found;
  }

  function put(question: string, one: Known<V>): void {
    known.set(question, one);
    weight += one.weight;
    for (const oldest of known.keys()) {
      if (weight <= most) return;
      take(oldest);
    }
  }

  return (question, read) => {
    const before = take(question);
    // Looked at before the answer is read, which may be newer than the count but never older.
    const count = before && quietCount(counts, before.record);
    if (before?.kept !== undefined && before.kept.count === count) {
      put(question, before);
      return before.kept.value;
    }
    const value = read();
    const record = recordOf(value);
    if (record === undefined) return value;
    const isKept = count !== undefined && record === before?.record;
    put(question, isKept ? { record, weight: 1 + weightOf(value), kept: { count, value } } : { record, weight: 1 });
    return value;
  };
}
