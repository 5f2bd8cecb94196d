import type { RecordId } from '../../domain/record.ts';
import type { Database } from './driver.ts';
import { makeRecent } from './recent.ts';

/** The keys that the tables know records by. A record keeps its key, and no other gets it. */
export type RecordKeys = {
  /** Undefined for an id that is nobody's. */
  of(id: RecordId): number | undefined;
  /** What was read beside something else need not be looked for. */
  put(id: RecordId, key: number): void;
};

/** Of how many records a thread keeps the keys: some 200 bytes each. */
const kept = 4096;

export function makeRecordKeys(database: Database): RecordKeys {
  const find = database.prepare<readonly [number]>('SELECT key FROM record WHERE id = ?', 'arrays');
  const known = makeRecent<RecordId, number>(kept);
  return {
    of(id) {
      const before = known.get(id);
      if (before !== undefined) return before;
      const [key] = find.get(id) ?? [];
      if (key !== undefined) known.put(id, key);
      return key;
    },
    put: (id, key) => known.put(id, key),
  };
}
