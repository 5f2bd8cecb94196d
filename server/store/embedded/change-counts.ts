import type { RecordId } from '../../domain/record.ts';

/**
 * How often records have changed, in memory that all threads of the process share. Some records share a count. It is odd while a change of
 * one of them is being written, so that an even one that has not moved says that what was read since it stood there still holds.
 */
export type ChangeCounts = Int32Array<SharedArrayBuffer>;

const places = 2 ** 14;

export function makeChangeCounts(): ChangeCounts {
  return new Int32Array(new SharedArrayBuffer(places * Int32Array.BYTES_PER_ELEMENT));
}

/** The count of a record; undefined while it is odd. */
export function quietCount(counts: ChangeCounts, record: RecordId): number | undefined {
  const count = Atomics.load(counts, placeOf(record));
  return count % 2 === 0 ? count : undefined;
}

/** Moves the counts of these records, each once. */
export function moveCounts(counts: ChangeCounts, records: Iterable<RecordId>): void {
  for (const place of new Set([...records].map(placeOf))) Atomics.add(counts, place, 1);
}

function placeOf(record: RecordId): number {
  let hash = 0;
  for (let i = 0; i < record.length; i++) hash = (Math.imul(hash, 31) + record.charCodeAt(i)) | 0;
  return (hash ^ (hash >>> 14)) & (places - 1);
}
