import type { Folder, SubmissionSet } from '../../domain/document.ts';
import { matchesFolder, matchesSet } from '../matching.ts';
import type { FolderFilter, Page, PageRequest, SetFilter, StoredFolder, StoredSet, TimeRange } from '../port.ts';
import { every, ownFilter, type SqlCondition, seesEverything } from '../visibility.ts';
import type { Database } from './driver.ts';
import { whereNow } from './moved.ts';
import { readJson, uniqueIdHash, uuidHex, uuidOf } from './names.ts';
import { type HiddenAmong, namesIn, namesOf, type Reading } from './visible.ts';

type SetRow = { readonly key: number; readonly own: number; readonly json: Uint8Array };
type FolderRow = { readonly key: number; readonly latest: number; readonly json: Uint8Array };

const recordKey = '(SELECT key FROM record WHERE id = ?)';

/** How many rows are looked at together at most. */
const most = 500;

/** Reads of submission sets and folders by filter. Names and the record find the rows; the rest is decided on the objects themselves. */
export function makePackageReads(database: Database, hiddenAmong: HiddenAmong) {
  const members = database.prepare<{ source: string; target: string }>(
    `SELECT lower(hex(source)) AS source, lower(hex(target)) AS target FROM association WHERE source IN (${namesIn})`,
  );

  const registeredSets = database.prepare<{ uuid: string }>(
    `SELECT lower(hex(uuid)) AS uuid FROM name WHERE kind = 1 AND uuid IN (${namesIn})`,
  );

  function setRows(reading: Reading, filter: SetFilter, before: number, batch: number): SetRow[] {
    const own = ownFilter(reading.visibility.viewer);
    const from = namedIn('submission_set', 1, filter);
    const when = submittedIn(filter.submissionTime);
    return database
      .prepare<SetRow>(
        `SELECT s.key, ${own.sql} AS own, s.json FROM ${from.sql}
         WHERE s.record = ${recordKey} AND s.key < ? AND ${when.sql} ORDER BY s.key DESC LIMIT ?`,
      )
      .all(...own.params, ...from.params, reading.record, before, ...when.params, batch);
  }

  function folderRows({ record }: Reading, filter: FolderFilter, before: number, batch: number): FolderRow[] {
    const from = namedIn('folder', 2, filter);
    return database
      .prepare<FolderRow>(
        `SELECT s.key, s.json, s.key IN (SELECT max(key) FROM folder WHERE record = ${recordKey} GROUP BY logical)
           AND ifnull(${whereNow('folder', 's.logical')}, s.record) = s.record AS latest
         FROM ${from.sql} WHERE s.record = ${recordKey} AND s.key < ? ORDER BY s.key DESC LIMIT ?`,
      )
      .all(record, ...from.params, record, before, batch);
  }

  /** Own sets, and those of which a member is not hidden; all, where nothing is hidden at all: members may be another patient's. */
  function shownSets(reading: Reading, found: readonly StoredSet[]): StoredSet[] {
    const others = found.filter(({ own }) => !own).map(({ set }) => set.entryUUID);
    if (others.length === 0 || seesEverything(reading.visibility)) return [...found];
    const held = Map.groupBy(members.all(namesOf(others)), ({ source }) => source);
    const names = [...held.values()].flat().map(({ target }) => uuidOf(target));
    const hidden = hiddenAmong(reading, names);
    const shows = ({ set: { entryUUID } }: StoredSet) =>
      held.get(uuidHex(entryUUID) ?? '')?.some(({ target }) => !hidden.has(uuidOf(target))) === true;
    return found.filter((stored) => stored.own || shows(stored));
  }

  function shownFolders(reading: Reading, found: readonly StoredFolder[]): StoredFolder[] {
    const hidden = hiddenAmong(
      reading,
      found.map(({ folder }) => folder.entryUUID),
    );
    return found.filter(({ folder }) => !hidden.has(folder.entryUUID));
  }

  /** Looks at batches, each larger than the one before, until the page is full and it is known whether there is more. */
  function paged<T extends { readonly position: number }>(
    { before, limit }: PageRequest,
    rows: (
      before: number,
      batch: number,
    ) => { readonly scanned: readonly { readonly key: number }[]; readonly shown: readonly T[] },
  ): Page<T> {
    return database.transaction(() => {
      const items: T[] = [];
      let bound = before ?? Number.MAX_SAFE_INTEGER;
      for (let batch = Math.min(limit + 1, most); items.length <= limit; batch = Math.min(2 * batch, most)) {
        const { scanned, shown } = rows(bound, batch);
        items.push(...shown);
        if (scanned.length < batch) break;
        bound = scanned.at(-1)?.key ?? 0;
      }
      return { items: items.slice(0, limit), more: items.length > limit };
    });
  }

  function someSets(reading: Reading, filter: SetFilter, before: number, batch: number) {
    const scanned = setRows(reading, filter, before, batch);
    const stored = scanned.map(({ key, own, json }) => ({
      // Here and below, JSON of the store's own writing.
      set: readJson(json) as SubmissionSet,
      record: reading.record,
      position: key,
      own: own === 1,
    }));
    const matching = stored.filter(({ set }) => matchesSet(set, filter));
    return { scanned, shown: shownSets(reading, matching) };
  }

  return {
    submissionSets: (reading: Reading, filter: SetFilter, page: PageRequest): Page<StoredSet> =>
      paged(page, (before, batch) => someSets(reading, filter, before, batch)),
    /** Registered submission sets that do not exist for the reader; to be called within a transaction. */
    hiddenSets(reading: Reading, entryUUIDs: Iterable<string>): Set<string> {
      const asked = [...new Set(entryUUIDs)];
      if (asked.length === 0) return new Set();
      const registered = new Set(registeredSets.all(namesOf(asked)).map(({ uuid }) => uuidOf(uuid)));
      const { shown } = someSets(reading, { entryUUIDs: asked }, Number.MAX_SAFE_INTEGER, asked.length);
      for (const { set } of shown) registered.delete(set.entryUUID);
      return registered;
    },
    folders: (reading: Reading, filter: FolderFilter, page: PageRequest): Page<StoredFolder> =>
      paged(page, (before, batch) => {
        const scanned = folderRows(reading, filter, before, batch);
        const stored = scanned.map(({ key, latest, json }) => ({
          folder: readJson(json) as Folder,
          record: reading.record,
          position: key,
          latest: latest === 1,
        }));
        const matching = stored.filter(({ folder, latest }) => matchesFolder(folder, latest, filter));
        return { scanned, shown: shownFolders(reading, matching) };
      }),
  };
}

/** The rows `s` of a table that may have the names that a filter gives, or all of them. */
function namedIn(
  table: 'submission_set' | 'folder',
  kind: number,
  { entryUUIDs, uniqueIds }: Pick<SetFilter, 'entryUUIDs' | 'uniqueIds'>,
): SqlCondition {
  const joined = (found: string) => `(SELECT DISTINCT key FROM ${found}) n CROSS JOIN ${table} s ON s.key = n.key`;
  if (entryUUIDs !== undefined)
    return { sql: joined(`name WHERE kind = ${kind} AND uuid IN (${namesIn})`), params: [namesOf(entryUUIDs)] };
  if (uniqueIds === undefined) return { sql: `${table} s`, params: [] };
  const hashes = JSON.stringify([...new Set(uniqueIds)].map(uniqueIdHash));
  return {
    sql: joined(`unique_id WHERE kind = ${kind} AND hash IN (SELECT value FROM json_each(?))`),
    params: [hashes],
  };
}

/** Says the same of the time as `matchesSet`: most questions of sets are about the newest, and need not read the JSON of all. */
function submittedIn(range: TimeRange | undefined): SqlCondition {
  const bounds: SqlCondition[] = [];
  if (range?.from !== undefined) bounds.push({ sql: `${submitted} >= ?`, params: [range.from] });
  if (range?.to !== undefined) bounds.push({ sql: `${submitted} < ?`, params: [range.to] });
  return every(bounds);
}

const submissionTime = "(CAST(s.json AS TEXT) ->> '$.submissionTime')";
const submitted = `(${submissionTime} || substr('00000101000000', length(${submissionTime}) + 1))`;
