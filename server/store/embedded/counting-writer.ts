import type { RecordId } from '../../domain/record.ts';
import { type ChangeCounts, moveCounts } from './change-counts.ts';
import type { PlainSet } from './encode.ts';
import type { GroupWriter } from './writer.ts';

/** The same writer, which counts what it changes. */
export function counting(writer: GroupWriter, counts: ChangeCounts): GroupWriter {
  return {
    async commit(sets) {
      const changed = sets.flatMap(recordsChangedBy);
      moveCounts(counts, changed);
      try {
        return await writer.commit(sets);
      } finally {
        moveCounts(counts, changed);
      }
    },
    close: () => writer.close(),
  };
}

/** Events alone change nothing that is read by records. */
function recordsChangedBy({ record, rows, elsewhere = [] }: PlainSet): RecordId[] {
  return [{ record, rows }, ...elsewhere].flatMap((part) =>
    part.rows.length === 0 || part.record === undefined
      ? []
      : [part.record, ...part.rows.flatMap((row) => (row.kind === 'merge' ? [row.id] : []))],
  );
}
