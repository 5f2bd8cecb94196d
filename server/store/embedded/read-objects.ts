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
  const versions = database.prepare<{ json: Uint8Array }>(
    `SELECT json FROM folder WHERE record = (SELECT key FROM record WHERE id = ?) AND logical IN (${namesIn}) ORDER BY key`,
  );
  const named = database.prepare<{ json: Uint8Array }>(
    `SELECT a.json FROM name n JOIN association a ON a.key = n.key
     WHERE n.kind = 3 AND n.uuid IN (${namesIn}) AND n.record = (SELECT key FROM record WHERE id = ?) ORDER BY a.key`,
  );
  const associations = database.prepare<{ json: Uint8Array }>(
    `SELECT json FROM association
     WHERE key IN (SELECT key FROM association WHERE source IN (${namesIn}) UNION SELECT key FROM association WHERE target IN (${namesIn}))
       AND record = (SELECT key FROM record WHERE id = ?) ORDER BY key`,
  );

  const referring = database.prepare<{ json: Uint8Array }>(
    `SELECT a.json FROM name n JOIN association a ON a.target = n.uuid
     WHERE n.uuid IN (${namesIn}) AND n.record = (SELECT key FROM record WHERE id = ?) AND a.record <> n.record ORDER BY a.key`,
  );

  function associationsNaming({ record }: Reading, entryUUIDs: readonly string[]): Association[] {
    const names = namesOf(entryUUIDs);
    // Here and below, JSON of the store's own writing.
    return associations.all(names, names, record).map(({ json }) => readJson(json) as Association);
  }

  const foldersNamed = ({ record }: Reading, entryUUIDs: readonly string[]) =>
    folders.all(namesOf(entryUUIDs), record).map(({ json }) => readJson(json) as Folder);

  function shownFolders(reading: Reading, find: () => Folder[]): Folder[] {
    return database.transaction(() => {
      const found = find();
      const hidden = hiddenAmong(
        reading,
        found.map((f) => f.entryUUID),
      );
      return found.filter(({ entryUUID }) => !hidden.has(entryUUID));
    });
  }

  /** Associations with a hidden end are left out. */
  function shownAssociations(reading: Reading, find: () => Association[]): Association[] {
    return database.transaction(() => {
      const found = find();
      const hidden = hiddenAmong(
        reading,
        found.flatMap(({ source, target }) => [source, target]),
      );
      return found.filter(({ source, target }) => !hidden.has(source) && !hidden.has(target));
    });
  }

  return {
    folders: (reading: Reading, ids: readonly string[]) => shownFolders(reading, () => foldersNamed(reading, ids)),
    everyFolder: foldersNamed,
    foldersByLogicalId: (reading: Reading, ids: readonly string[]) =>
      shownFolders(reading, () =>
        versions.all(reading.record, namesOf(ids)).map(({ json }) => readJson(json) as Folder),
      ),
    associations: (reading: Reading, ids: readonly string[]) =>
      shownAssociations(reading, () =>
        named.all(namesOf(ids), reading.record).map(({ json }) => readJson(json) as Association),
      ),
    associationsOf: (reading: Reading, ids: readonly string[]) =>
      shownAssociations(reading, () => associationsNaming(reading, ids)),
    everyAssociationOf: (reading: Reading, ids: readonly string[]): Association[] => [
      ...associationsNaming(reading, ids),
      ...referring.all(namesOf(ids), reading.record).map(({ json }) => readJson(json) as Association),
    ],
  };
}
