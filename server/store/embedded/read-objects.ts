import type { Association, Folder } from '../../domain/document.ts';
import type { Database } from './driver.ts';
import { readJson } from './names.ts';
import { type HiddenAmong, namesIn, namesOf, type Reading } from './visible.ts';

/** Reads of folders and associations. */
export function makeObjectReads(database: Database, hiddenAmong: HiddenAmong) {
  const folders = database.prepare<{ json: Uint8Array }>(
    `SELECT f.json FROM name n JOIN folder f ON f.key = n.key
     WHERE n.kind = 2 AND n.uuid IN (${namesIn}) AND n.record = (SELECT key FROM record WHERE id = ?) ORDER BY f.key`,
  );
  const associations = database.prepare<{ json: Uint8Array }>(
    `SELECT json FROM association
     WHERE key IN (SELECT key FROM association WHERE source IN (${namesIn}) UNION SELECT key FROM association WHERE target IN (${namesIn}))
       AND record = (SELECT key FROM record WHERE id = ?) ORDER BY key`,
  );

  function associationsNaming({ record }: Reading, entryUUIDs: readonly string[]): Association[] {
    const names = namesOf(entryUUIDs);
    // Here and below, JSON of the store's own writing.
    return associations.all(names, names, record).map(({ json }) => readJson(json) as Association);
  }

  return {
    /** Folders whose every member is hidden are left out, as a folder that the reader cannot fill with a guess. */
    folders(reading: Reading, entryUUIDs: readonly string[]): Folder[] {
      return database.transaction(() => {
        const found = folders.all(namesOf(entryUUIDs), reading.record).map(({ json }) => readJson(json) as Folder);
        const held = associationsNaming(
          reading,
          found.map((f) => f.entryUUID),
        ).filter((a) => a.type === 'HasMember');
        const hidden = hiddenAmong(
          reading,
          held.map(({ target }) => target),
        );
        return found.filter(({ entryUUID }) => {
          const members = held.filter(({ source }) => source === entryUUID);
          return members.length === 0 || members.some(({ target }) => !hidden.has(target));
        });
      });
    },
    /** Associations with a hidden end are left out. */
    associationsOf(reading: Reading, entryUUIDs: readonly string[]): Association[] {
      return database.transaction(() => {
        const found = associationsNaming(reading, entryUUIDs);
        const hidden = hiddenAmong(
          reading,
          found.flatMap(({ source, target }) => [source, target]),
        );
        return found.filter(({ source, target }) => !hidden.has(source) && !hidden.has(target));
      });
    },
  };
}
