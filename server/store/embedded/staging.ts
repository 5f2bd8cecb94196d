import type { Staged } from '../port.ts';
import type { Database } from './driver.ts';

export function makeStagingWrites(database: Database) {
  const add = database.prepare('INSERT INTO staged (id, owner, until, size, file, json) VALUES (?, ?, ?, ?, ?, ?)');
  const remove = database.prepare('DELETE FROM staged WHERE id = ?');
  const expire = database.prepare('DELETE FROM staged WHERE until <= ?');
  return {
    add(staged: Staged): void {
      const { id, owner, until, size, content } = staged;
      add.run(id, owner, until, size, content.file, JSON.stringify(staged));
    },
    remove: (id: string): void => void remove.run(id),
    expire: (now: number): void => void expire.run(now),
  };
}

export function makeStagingReads(database: Database) {
  const find = database.prepare<{ json: string }>('SELECT json FROM staged WHERE id = ?');
  const waiting = database.prepare<{ bytes: number }>(
    'SELECT ifnull(sum(size), 0) AS bytes FROM staged WHERE owner = ? AND until > ?',
  );
  const named = database.prepare('SELECT 1 FROM staged WHERE file = ? LIMIT 1');
  return {
    find(id: string): Staged | undefined {
      const row = find.get(id);
      // JSON of the store's own writing.
      return row && (JSON.parse(row.json) as Staged);
    },
    waiting: (owner: string, now: number): number => waiting.get(owner, now)?.bytes ?? 0,
    isNamed: (file: string): boolean => named.get(file) !== undefined,
  };
}
