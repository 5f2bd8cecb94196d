import type { RecordId } from '../../domain/record.ts';
import { type ChangeCounts, quietCount } from './change-counts.ts';
import { makeRecent } from './recent.ts';

/**
 * Reads an answer, or recalls it where the record that it is about has not changed since.
 * @param read is told the record that the answer was about when the same was asked lately
 */
export type Recall<V> = (question: string, read: (before?: RecordId) => V) => V;

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
  const known = makeRecent<string, Known<V>>(most, ({ weight }) => weight);

  return (question, read) => {
    const before = known.get(question);
    // Looked at before the answer is read, which may be newer than the count but never older.
    const count = before && quietCount(counts, before.record);
    if (before?.kept !== undefined && before.kept.count === count) return before.kept.value;
    const value = read(before?.record);
    const record = recordOf(value);
    if (record === undefined) return value;
    const isKept = count !== undefined && record === before?.record;
    known.put(
      question,
      isKept ? { record, weight: 1 + weightOf(value), kept: { count, value } } : { record, weight: 1 },
    );
    return value;
  };
}
