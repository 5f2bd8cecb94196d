import type { Cx, Identifier } from '../../domain/identifier.ts';
import type { Database } from './driver.ts';
import type { PlainRow } from './encode.ts';
import { makeHolderWrites } from './holders.ts';
import { makeMoving } from './moved.ts';
import { kinds, uniqueIdHash } from './names.ts';

/** An object as the tables that name it know it. */
type Held = { readonly key: number; readonly uuid: string; readonly uniqueId: string; readonly patientId: string };

const named = (alias: string) => `lower(replace(substr(${alias} ->> '$.entryUUID', 10), '-', '')) AS uuid,
  ${alias} ->> '$.uniqueId' AS uniqueId, ${alias} ->> '$.patientId' AS patientId`;

/** Where documents, sets and folders of a record lie. */
const tables = [
  {
    kind: kinds.indexOf('document'),
    held: `SELECT d.position AS key, ${named('CAST(d.json AS TEXT)')} FROM search s JOIN document d ON d.position = s.position
      WHERE s.record = ?`,
    move: 'UPDATE search SET record = ? WHERE record = ?',
    show: `UPDATE document SET json = CAST(json_set(CAST(json AS TEXT), '$.patientId', json(?)) AS BLOB) WHERE position = ?`,
  },
  ...(['submission_set', 'folder'] as const).map((table) => ({
    kind: kinds.indexOf(table === 'folder' ? 'folder' : 'submissionSet'),
    held: `SELECT key, ${named('CAST(json AS TEXT)')} FROM ${table} WHERE record = ?`,
    move: `UPDATE ${table} SET record = ? WHERE record = ?`,
    show: `UPDATE ${table} SET json = CAST(json_set(CAST(json AS TEXT), '$.patientId', json(?)) AS BLOB) WHERE key = ?`,
  })),
];

/** Writes of merges. Each touches the rows of the records concerned alone, found by index: a merge costs what the subsumed record holds. */
export function makeMerge(database: Database) {
  const statements = tables.map(({ kind, held, move, show }) => ({
    kind,
    held: database.prepare<Held>(held),
    move: database.prepare(move),
    show: database.prepare(show),
  }));
  const find = database.prepare<{ key: number }>('SELECT key FROM record WHERE id = ?');
  const replace = database.prepare('UPDATE record SET version = ?, json = ?, merged = ? WHERE key = ?');
  const follow = database.prepare('UPDATE record SET merged = ? WHERE merged = ?');
  const nameless = database.prepare('DELETE FROM identifier WHERE record = ?');
  const holders = makeHolderWrites(database);
  const moving = makeMoving(database);
  const sealed = database.prepare(
    `UPDATE document SET sealed_for = ? WHERE sealed_for IS NULL AND length IS NOT NULL
       AND position IN (SELECT position FROM search WHERE record = ?)`,
  );
  const rename = database.prepare('UPDATE name SET record = ? WHERE uuid = unhex(?) AND kind = ?');
  const reassign = database.prepare('UPDATE unique_id SET record = ? WHERE hash = ? AND kind = ? AND key = ?');
  const ends = database.prepare<{ key: number; uuid: string }>(
    `SELECT a.key, lower(replace(substr(CAST(a.json AS TEXT) ->> '$.entryUUID', 10), '-', '')) AS uuid FROM association a
     WHERE a.record = ? AND a.key IN (SELECT key FROM association WHERE source = unhex(?) UNION SELECT key FROM association WHERE target = unhex(?))`,
  );
  const moveAssociation = database.prepare('UPDATE association SET record = ? WHERE key = ?');
  const moveEvents = database.prepare('UPDATE event SET record = ? WHERE record = ?');
  const moveRemoved = database.prepare('UPDATE removed SET record = ? WHERE record = ?');
  const moveJobs = database.prepare('UPDATE job SET record = ? WHERE record = ?');

  function moveAssociations(from: number, into: number, objects: readonly string[]): void {
    for (let next = [...objects]; next.length > 0; ) {
      const moved = next.flatMap((uuid) => ends.all(from, uuid, uuid));
      for (const { key, uuid } of moved) {
        moveAssociation.run(into, key);
        rename.run(into, uuid, kinds.indexOf('association'));
      }
      // An association may itself be the end of another.
      next = moved.map(({ uuid }) => uuid);
    }
  }

  return {
    /** Before the row of the surviving record, which takes the identifiers over. */
    merge({ id, version, json, patientId }: Extract<PlainRow, { kind: 'merge' }>, into: number): void {
      const from = find.get(id)?.key;
      if (from === undefined || from === into) throw new TypeError('A merge names no other record of the store');
      const shown = shownAs(patientId);
      sealed.run(id, from);
      const objects = statements.flatMap(({ kind, held, show }) =>
        held.all(from).map(({ key, uuid, uniqueId }) => {
          show.run(shown, key);
          rename.run(into, uuid, kind);
          reassign.run(into, uniqueIdHash(uniqueId), kind, key);
          return uuid;
        }),
      );
      for (const { move } of statements) move.run(into, from);
      moveAssociations(from, into, objects);
      moving.merge(from, into);
      moveEvents.run(into, from);
      moveRemoved.run(into, from);
      moveJobs.run(into, from);
      nameless.run(from);
      holders.put(from, []);
      follow.run(into, from);
      replace.run(version, Buffer.from(json), into, from);
    },
    readdress({ of, patientId }: Extract<PlainRow, { kind: 'patientId' }>, record: number): void {
      const shown = shownAs(patientId);
      for (const { held, show } of statements)
        for (const { key, patientId: before } of held.all(record)) if (isOneOf(of, before)) show.run(shown, key);
    },
  };
}

function shownAs(patientId: Cx): string {
  return JSON.stringify(patientId);
}

function isOneOf(identifiers: readonly Identifier[], json: string): boolean {
  // JSON of the store's own writing.
  const { id, authority } = JSON.parse(json) as Cx;
  return identifiers.some(({ value, oid }) => id === value && authority.oid === oid);
}
