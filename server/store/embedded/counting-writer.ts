import type { RecordId } from '../../domain/record.ts';
import { type ChangeCounts, moveCounts } from './change-counts.ts';
import type { PlainRow, PlainSet } from './encode.ts';
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

/** Events alone change nothing that is read by records. What reaches another record changes it, whatever rows it puts there. */
function recordsChangedBy({ record, rows, elsewhere = [] }: PlainSet): RecordId[] {
  const own = rows.length === 0 || record === undefined ? [] : [record];
  return [...own, ...elsewhere.map((other) => other.record), ...rows.flatMap(otherOf)];
}

/** Another record than the change set's that a row changes. */
function otherOf(row: PlainRow): RecordId[] {
  if (row.kind === 'merge') return [row.id];
  return 'from' in row && row.from !== undefined ? [row.from] : [];
}
