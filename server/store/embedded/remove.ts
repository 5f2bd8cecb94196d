import { type Association, type DocumentEntry, visibilityOf } from '../../domain/document.ts';
import { flagsOf } from '../visibility.ts';
import type { Database } from './driver.ts';
import type { PlainRow } from './encode.ts';
import { makeErasableWrites } from './erase.ts';
import { makeMoving } from './moved.ts';
import { kinds, readJson, uniqueIdHash, uuidBytes } from './names.ts';
import { makeRelating } from './relations.ts';

const tables = { document: 'document', submissionSet: 'submission_set', folder: 'folder', association: 'association' };

/** Writes of removals, each found by index. Who saw a removed document is remembered, so that traces go on hiding its name from all others. */
export function makeRemoval(database: Database) {
  const relate = makeRelating(database);
  const named = database.prepare<{ key: number }>('SELECT key FROM name WHERE uuid = ? AND kind = ? AND record = ?');
  const dropName = database.prepare('DELETE FROM name WHERE uuid = ? AND kind = ?');
  const dropUniqueId = database.prepare('DELETE FROM unique_id WHERE hash = ? AND kind = ? AND key = ?');
  const objects = kinds.map((kind) => {
    const column = kind === 'document' ? 'position' : 'key';
    return {
      read: database.prepare<{ json: Uint8Array }>(`SELECT json FROM ${tables[kind]} WHERE ${column} = ?`),
      drop: database.prepare(`DELETE FROM ${tables[kind]} WHERE ${column} = ?`),
    };
  });
  const remember = database.prepare(
    `INSERT OR REPLACE INTO removed (uuid, named, record, flags, type, owners)
     SELECT ?, ?, record, flags, type, owners FROM search WHERE record = ? AND position = ?`,
  );
  const dropSearch = database.prepare('DELETE FROM search WHERE record = ? AND position = ?');
  const lastVersion = database.prepare<{ position: number; json: Uint8Array }>(
    `SELECT s.position, d.json FROM search s JOIN document d ON d.position = s.position
     WHERE s.record = ? AND s.logical = ? ORDER BY s.position DESC LIMIT 1`,
  );
  const showAs = database.prepare('UPDATE search SET flags = ? WHERE record = ? AND logical = ?');
  const restore = database.prepare(
    'UPDATE search SET latest = 1, revision = ?, changed = ? WHERE record = ? AND position = ? AND latest = 0',
  );
  const revisionOf = database.prepare<{ revision: number }>(
    'SELECT revision FROM search WHERE record = ? AND position = ?',
  );
  const forget = database.prepare('DELETE FROM past WHERE position = ?');
  // Versions share their bytes; those of one that went to another record and came back may be its own.
  const sharing = `SELECT v.position FROM search s JOIN search v ON v.record = s.record AND v.logical = s.logical
    JOIN document d ON d.position = s.position JOIN document o ON o.position = v.position
    WHERE s.record = ? AND s.position = ? AND o.segment IS d.segment AND o.start IS d.start AND o.file IS d.file`;
  const versions = database.prepare<{ count: number }>(`SELECT count(*) AS count FROM (${sharing})`);
  const dropContent = database.prepare(
    `UPDATE document SET segment = NULL, start = NULL, length = NULL, file = NULL WHERE position IN (${sharing})`,
  );
  const moving = makeMoving(database);
  const folderVersion = database.prepare('SELECT 1 FROM folder WHERE record = ? AND logical = ? LIMIT 1');

  const noteErasable = makeErasableWrites(database);

  const keyOf = (entryUUID: string, kind: number, record: number): number => {
    const key = named.get(uuidBytes(entryUUID), kind, record)?.key;
    if (key === undefined) throw new TypeError('A removal names no object of the record');
    return key;
  };

  const usesBytesAlone = (record: number, key: number) => versions.get(record, key)?.count === 1;

  /** Of the versions that are left, wherever they are, the last one is the latest. */
  function afterDocument({ logicalID }: DocumentEntry, of: number, revision: number, at: number): void {
    const logical = uuidBytes(logicalID);
    const isLeft = lastVersion.get(of, logical) !== undefined;
    const record = (isLeft ? moving.whereNow('document', logical) : moving.leave('document', logical, of)) ?? of;
    const last = lastVersion.get(record, logical);
    if (last === undefined) return;
    // JSON of the store's own writing, here and below.
    const { confidentialityCodes } = readJson(last.json) as DocumentEntry;
    showAs.run(flagsOf(visibilityOf(confidentialityCodes)), record, logical);
    restore.run(revision + 1, at, record, last.position);
  }

  function afterFolder({ logicalID }: Pick<DocumentEntry, 'logicalID'>, record: number): void {
    const logical = uuidBytes(logicalID);
    if (folderVersion.get(record, logical) === undefined) moving.leave('folder', logical, record);
  }

  return {
    remove({ object, name: entryUUID }: Extract<PlainRow, { kind: 'remove' }>, record: number, at: number): void {
      const kind = kinds.indexOf(object);
      const key = keyOf(entryUUID, kind, record);
      const found = objects[kind]?.read.get(key);
      const held = found === undefined ? undefined : (readJson(found.json) as DocumentEntry & Partial<Association>);
      const revision = object === 'document' ? (revisionOf.get(record, key)?.revision ?? 0) : 0;
      if (object === 'document') {
        if (usesBytesAlone(record, key)) noteErasable(key);
        forget.run(key);
        remember.run(uuidBytes(entryUUID), held === undefined ? null : uniqueIdHash(held.uniqueId), record, key);
        dropSearch.run(record, key);
      }
      objects[kind]?.drop.run(key);
      dropName.run(uuidBytes(entryUUID), kind);
      if (held?.uniqueId !== undefined) dropUniqueId.run(uniqueIdHash(held.uniqueId), kind, key);
      if (object === 'document' && held !== undefined) afterDocument(held, record, revision, at);
      if (object === 'folder' && held !== undefined) afterFolder(held, record);
      if (held?.source !== undefined) relate(held.source, record);
    },
    removeContent({ document }: Extract<PlainRow, { kind: 'removeContent' }>, record: number): void {
      const key = keyOf(document, kinds.indexOf('document'), record);
      noteErasable(key);
      dropContent.run(record, key);
    },
  };
}
