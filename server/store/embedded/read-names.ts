import type { DocumentEntry } from '../../domain/document.ts';
import { isUuid } from '../../domain/identifier.ts';
import type { RecordId } from '../../domain/record.ts';
import type { Holder } from '../port.ts';
import type { ChangeCounts } from './change-counts.ts';
import type { Database } from './driver.ts';
import { type Versioned, whereNow } from './moved.ts';
import { kinds, readJson, uniqueIdHash, uuidHex } from './names.ts';
import { makeRecall } from './recall.ts';
import { namesIn, namesOf } from './visible.ts';

const holderKinds = ['document', 'submissionSet', 'folder'] as const;

const versioned = ['document', 'folder'] as const satisfies readonly Versioned[];

/** Of how many names a thread keeps the records. */
const keptNames = 8192;

/** Reads of names in the whole store. */
export function makeNameReads(database: Database, counts: ChangeCounts) {
  const holding = database.prepare<{ kind: number; json: Uint8Array | null; record: RecordId }>(
    `SELECT u.kind, coalesce(d.json, s.json, f.json) AS json, r.id AS record FROM unique_id u
     JOIN record r ON r.key = u.record
     LEFT JOIN document d ON u.kind = 0 AND d.position = u.key
     LEFT JOIN submission_set s ON u.kind = 1 AND s.key = u.key
     LEFT JOIN folder f ON u.kind = 2 AND f.key = u.key
     WHERE u.hash = ? ORDER BY u.kind, u.key`,
  );
  const named = database.prepare<{ uuid: string }>(
    `SELECT DISTINCT lower(hex(uuid)) AS uuid FROM name WHERE uuid IN (${namesIn})`,
  );

  const ofUuid = database.prepare<readonly [RecordId]>(
    'SELECT r.id FROM name n JOIN record r ON r.key = n.record WHERE n.uuid = unhex(?) ORDER BY n.kind',
    'arrays',
  );

  const ofReference = database.prepare<readonly [RecordId]>(
    `SELECT DISTINCT r.id FROM association a JOIN record r ON r.key = a.record WHERE a.target IN (${namesIn})`,
    'arrays',
  );

  const movedTo = database.prepare<readonly [RecordId]>(
    `SELECT r.id FROM moved m JOIN record r ON r.key = m.record
     WHERE m.kind = ? AND m.logical = unhex(?) ORDER BY m.number DESC`,
    'arrays',
  );
  const holdingLatest = database.prepare<{ json: Uint8Array | null; record: RecordId }>(
    `SELECT coalesce(d.json, p.json, f.json) AS json, r.id AS record FROM unique_id u JOIN record r ON r.key = u.record
     LEFT JOIN document d ON u.kind = 0 AND d.position = u.key
     LEFT JOIN search s ON u.kind = 0 AND s.record = u.record AND s.position = u.key
     LEFT JOIN submission_set p ON u.kind = 1 AND p.key = u.key
     LEFT JOIN folder f ON u.kind = 2 AND f.key = u.key
     WHERE u.hash = ? AND (u.kind = 1 OR s.latest = 1 OR ifnull(${whereNow('folder', 'f.logical')}, f.record) = f.record)
     ORDER BY u.kind, u.key DESC`,
  );

  // Only of entryUUIDs: another record may take a uniqueId too, which moves no count of those that have it.
  const recall = makeRecall<readonly RecordId[]>(counts, keptNames, ([record, another]) =>
    another === undefined ? record : undefined,
  );
  const recalling = (name: string, question: string, read: () => readonly RecordId[]) =>
    isUuid(name) ? recall(`${question} ${name}`, read) : read();

  function recordsOf(name: string): RecordId[] {
    const hex = uuidHex(name);
    if (hex !== undefined) return ofUuid.all(hex).map(([record]) => record);
    const found = holding.all(uniqueIdHash(name)).flatMap(({ json, record }) => (isNamed(json, name) ? [record] : []));
    return found.reverse();
  }

  function holdersOf(uniqueId: string): Holder[] {
    return holding.all(uniqueIdHash(uniqueId)).flatMap(({ kind: index, json }) => {
      const kind = holderKinds[index];
      if (kind === undefined || json === null) return [];
      // JSON of the store's own writing; sets and folders have neither hash nor size.
      const held = readJson(json) as Pick<DocumentEntry, 'entryUUID' | 'uniqueId' | 'hash' | 'size'>;
      if (held.uniqueId !== uniqueId) return [];
      const { entryUUID, hash, size } = held;
      return [{ kind, entryUUID, ...(hash !== undefined && { hash }), ...(size !== undefined && { size }) }];
    });
  }

  /** Where the versions of one logical object are: of almost every one where its first version is. */
  function recordsOfVersions(name: string, which: 'latest' | 'all'): RecordId[] {
    const hex = uuidHex(name);
    if (hex !== undefined) {
      const moved = versioned.flatMap((kind) => movedTo.all(kinds.indexOf(kind), hex).map(([record]) => record));
      return moved.length === 0 ? recordsOf(name) : which === 'latest' ? moved.slice(0, 1) : moved;
    }
    const all = recordsOf(name);
    if (which === 'all' || new Set(all).size < 2) return all;
    return holdingLatest.all(uniqueIdHash(name)).flatMap(({ json, record }) => (isNamed(json, name) ? [record] : []));
  }

  return {
    recordsOfVersions: (all: readonly string[], which: 'latest' | 'all'): RecordId[] => [
      ...new Set(all.flatMap((name) => recalling(name, which, () => recordsOfVersions(name, which)))),
    ],
    records: (all: readonly string[]): RecordId[] => [
      ...new Set(all.flatMap((name) => recalling(name, 'named', () => recordsOf(name)))),
    ],
    referring: (entryUUIDs: readonly string[]): RecordId[] =>
      ofReference.all(namesOf(entryUUIDs)).map(([record]) => record),
    holders: (uniqueIds: readonly string[]): ReadonlyMap<string, readonly Holder[]> =>
      new Map(uniqueIds.map((id) => [id, holdersOf(id)] as const).filter(([, holders]) => holders.length > 0)),
    taken(entryUUIDs: readonly string[]): ReadonlySet<string> {
      const found = new Set(named.all(namesOf(entryUUIDs)).map(({ uuid }) => uuid));
      return new Set(entryUUIDs.filter((id) => found.has(uuidHex(id) ?? '')));
    },
  };
}

function isNamed(json: Uint8Array | null, uniqueId: string): boolean {
  // JSON of the store's own writing.
  return json !== null && (readJson(json) as Pick<DocumentEntry, 'uniqueId'>).uniqueId === uniqueId;
}
