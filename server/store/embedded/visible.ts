import type { Visibility } from '../../domain/decision.ts';
import type { Association } from '../../domain/document.ts';
import type { RecordId } from '../../domain/record.ts';
import { visibilityFilter } from '../visibility.ts';
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

/** The objects that do not exist for the reader: documents hidden or of another record, and associations with such an end. */
export type HiddenAmong = (reading: Reading, entryUUIDs: Iterable<string>) => ReadonlySet<string>;

export function makeHiddenAmong(database: Database): HiddenAmong {
  const associations = database.prepare<{ json: Uint8Array }>(
    `SELECT a.json FROM name n JOIN association a ON a.key = n.key WHERE n.kind = 3 AND n.uuid IN (${namesIn})`,
  );

  function hiddenDocuments({ record, visibility }: Reading, entryUUIDs: readonly string[]): Set<string> {
    const visible = visibilityFilter(visibility);
    const hidden = database
      .prepare<{ uuid: string }>(
        `SELECT lower(hex(n.uuid)) AS uuid FROM name n JOIN search s ON s.record = n.record AND s.position = n.key
         WHERE n.kind = 0 AND n.uuid IN (${namesIn})
           AND NOT (n.record IN (SELECT key FROM record WHERE id = ?) AND ${visible.sql})`,
      )
      .all(namesOf(entryUUIDs), record, ...visible.params);
    const found = new Set(hidden.map(({ uuid }) => uuid));
    return new Set(entryUUIDs.filter((id) => found.has(uuidHex(id) ?? '')));
  }

  return function hiddenAmong(reading, entryUUIDs) {
    const asked = [...new Set(entryUUIDs)];
    if (asked.length === 0) return new Set();
    const hidden = hiddenDocuments(reading, asked);
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
