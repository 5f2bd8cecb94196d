import type { RecordId } from '../../domain/record.ts';
import { type Database, openDatabase } from './driver.ts';
import { migrateKeys } from './schema.ts';

export type RecordKeys = {
  has(record: RecordId): boolean;
  /** Durable when it returns. */
  add(keys: ReadonlyMap<RecordId, Uint8Array>): void;
  /** Destroys the keys of records and what the log still holds of them; false when a reader kept the log from being cut: try again. */
  destroy(records: readonly RecordId[]): boolean;
  close(): void;
};

/** The writing side of the file of wrapped keys: what is deleted is overwritten. */
export function openKeys(path: string, folder: string): RecordKeys {
  const database: Database = openDatabase(path);
  database.exec('PRAGMA secure_delete = ON');
  migrateKeys(database, folder);
  const find = database.prepare('SELECT 1 FROM wrapped_key WHERE record = ?');
  const insert = database.prepare('INSERT INTO wrapped_key (record, wrapped) VALUES (?, ?)');
  const remove = database.prepare('DELETE FROM wrapped_key WHERE record = ?');
  const truncate = database.prepare<{ busy: number }>('PRAGMA wal_checkpoint(TRUNCATE)');
  return {
    has: (record) => find.get(record) !== undefined,
    add(keys) {
      if (keys.size > 0)
        database.transaction(() => {
          for (const [record, wrapped] of keys) insert.run(record, wrapped);
        });
    },
    destroy(records) {
      database.transaction(() => {
        for (const record of records) remove.run(record);
      });
      return truncate.get()?.busy === 0;
    },
    close: () => database.close(),
  };
}
