import type { DocumentEntry } from '../../domain/document.ts';
import type { RecordId } from '../../domain/record.ts';
import type { Holder } from '../port.ts';
import type { ChangeCounts } from './change-counts.ts';
import type { Database } from './driver.ts';
import { readJson, uniqueIdHash, uuidHex } from './names.ts';
import { makeRecall } from './recall.ts';
import { namesIn, namesOf } from './visible.ts';

const holderKinds = ['document', 'submissionSet', 'folder'] as const;

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

  // A name that several records hold is asked for each time.
  const recall = makeRecall<readonly RecordId[]>(counts, keptNames, ([record, another]) =>
    another === undefined ? record : undefined,
  );

  function recordsOf(name: string): RecordId[] {
    const hex = uuidHex(name);
    if (hex !== undefined) return ofUuid.all(hex).map(([record]) => record);
    return holding.all(uniqueIdHash(name)).flatMap(({ json, record }) => {
      // JSON of the store's own writing.
      return json !== null && (readJson(json) as Pick<DocumentEntry, 'uniqueId'>).uniqueId === name ? [record] : [];
    });
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

  return {
    records: (all: readonly string[]): RecordId[] => [
      ...new Set(all.flatMap((name) => recall(name, () => recordsOf(name)))),
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
