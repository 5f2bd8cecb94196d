import type { Visibility } from '../../domain/decision.ts';
import type { Association } from '../../domain/document.ts';
import type { RecordId } from '../../domain/record.ts';
import { seesEverything, seesOwnAlone, visibilityFilter } from '../visibility.ts';
import type { Database } from './driver.ts';
import { readJson, uuidHex } from './names.ts';

/** What a permit lets its reader see. */
export type Reading = { readonly record: RecordId; readonly visibility: Visibility };

/** The rows of `name` for a JSON array of hexadecimal UUIDs, given as one parameter. */
export const namesIn = 'SELECT unhex(value) FROM json_each(?)';

/** The parameter for `namesIn`; what is no entryUUID names nothing. */
export function namesOf(entryUUIDs: Iterable<string>): string {
  return JSON.stringify([...entryUUIDs].flatMap((id) => uuidHex(id) ?? []));
}

/**
 * The objects that do not exist for the reader: documents hidden or of another record; folders of another record, or with hidden members
 * alone; associations with such an end. Submission sets are never among them. None, where nothing is hidden at all: a set may refer to
 * another patient's document (IHE ITI TF-3 4.2.2.1.1).
 */
export type HiddenAmong = (reading: Reading, entryUUIDs: Iterable<string>) => ReadonlySet<string>;

export function makeHiddenAmong(database: Database): HiddenAmong {
  const associations = database.prepare<{ json: Uint8Array }>(
    `SELECT a.json FROM name n JOIN association a ON a.key = n.key WHERE n.kind = 3 AND n.uuid IN (${namesIn})`,
  );

  const folders = database.prepare<{ uuid: string; here: number }>(
    `SELECT lower(hex(uuid)) AS uuid, record IN (SELECT key FROM record WHERE id = ?) AS here FROM name
     WHERE kind = 2 AND uuid IN (${namesIn})`,
  );
  const members = database.prepare<{ folder: string; member: string }>(
    `SELECT lower(hex(source)) AS folder, lower(hex(target)) AS member FROM association WHERE source IN (${namesIn})`,
  );

  function hiddenFolders(reading: Reading, entryUUIDs: readonly string[]): Set<string> {
    const found = folders.all(reading.record, namesOf(entryUUIDs));
    if (found.length === 0) return new Set();
    const held = Map.groupBy(members.all(JSON.stringify(found.map(({ uuid }) => uuid))), ({ folder }) => folder);
    const hidden = hiddenHex(
      reading,
      [...held.values()].flat().map(({ member }) => member),
    );
    const isHidden = (folder: string) => {
      const all = held.get(folder) ?? [];
      return all.length === 0 ? seesOwnAlone(reading.visibility) : all.every(({ member }) => hidden.has(member));
    };
    const names = new Set(found.filter(({ uuid, here }) => here === 0 || isHidden(uuid)).map(({ uuid }) => uuid));
    return new Set(entryUUIDs.filter((id) => names.has(uuidHex(id) ?? '')));
  }

  function hiddenDocuments(reading: Reading, entryUUIDs: readonly string[]): Set<string> {
    const found = hiddenHex(
      reading,
      entryUUIDs.flatMap((id) => uuidHex(id) ?? []),
    );
    return new Set(entryUUIDs.filter((id) => found.has(uuidHex(id) ?? '')));
  }

  /** Hidden documents, removed ones included, by the 32 digits of their UUIDs. */
  function hiddenHex({ record, visibility }: Reading, uuids: readonly string[]): Set<string> {
    const visible = visibilityFilter(visibility);
    const hidden = database
      .prepare<{ uuid: string }>(
        `SELECT lower(hex(n.uuid)) AS uuid FROM name n JOIN search s ON s.record = n.record AND s.position = n.key
         WHERE n.kind = 0 AND n.uuid IN (${namesIn})
           AND NOT (n.record IN (SELECT key FROM record WHERE id = ?) AND ${visible.sql})`,
      )
      .all(JSON.stringify(uuids), record, ...visible.params);
    const gone = database
      .prepare<{ uuid: string }>(
        `SELECT lower(hex(s.uuid)) AS uuid FROM removed s
         WHERE s.uuid IN (${namesIn}) AND NOT EXISTS (SELECT 1 FROM name n WHERE n.uuid = s.uuid AND n.kind = 0)
           AND NOT (s.record IN (SELECT key FROM record WHERE id = ?) AND ${visible.sql})`,
      )
      .all(JSON.stringify(uuids), record, ...visible.params);
    return new Set([...hidden, ...gone].map(({ uuid }) => uuid));
  }

  return function hiddenAmong(reading, entryUUIDs) {
    const asked = [...new Set(entryUUIDs)];
    if (asked.length === 0 || seesEverything(reading.visibility)) return new Set();
    const hidden = hiddenDocuments(reading, asked).union(hiddenFolders(reading, asked));
    // Written by this store from values of this type.
    const ends = associations.all(namesOf(asked)).map(({ json }) => readJson(json) as Association);
    const hiddenEnds = hiddenAmong(
      reading,
      ends.flatMap(({ source, target }) => [source, target]),
    );
    for (const { entryUUID, source, target } of ends)
      if (hiddenEnds.has(source) || hiddenEnds.has(target)) hidden.add(entryUUID);
    return hidden;
  };
}
