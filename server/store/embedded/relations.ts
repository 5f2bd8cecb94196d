import type { Database } from './driver.ts';
import { uuidBytes } from './names.ts';

/** Keeps with a document of the record whether it is the source of an association; nothing where the name is that of no such document. */
export function makeRelating(database: Database): (source: string, record: number) => void {
  const update = database.prepare(
    `UPDATE search SET relates = EXISTS (SELECT 1 FROM association WHERE source = ?1)
     WHERE record = ?2 AND position = (SELECT key FROM name WHERE uuid = ?1 AND kind = 0)`,
  );
  return (source, record) => void update.run(uuidBytes(source), record);
}
