import { type DirectoryEntry, type DirectoryKind, entriesOfAuthor, entriesOfPerson } from '../../domain/directory.ts';
import type { Author, Xcn } from '../../domain/people.ts';
import { type DirectoryQuestion, directoryRows } from '../port.ts';
import type { Database } from './driver.ts';

/** Kinds are stored as places in this list. */
const kinds: readonly DirectoryKind[] = ['professional', 'structure', 'system', 'role'];

/** Writes of what a shared value says of professionals, structures and systems: each thing is a row, written once. */
export function makeDirectoryWrites(database: Database) {
  const add = database.prepare('INSERT OR IGNORE INTO directory (kind, id, professional, json) VALUES (?, ?, ?, ?)');
  return {
    /** @param json of an author, a person or a code */
    add(json: string): void {
      for (const entry of entriesIn(json)) {
        const professional = entry.kind === 'role' ? entry.professional : null;
        add.run(kinds.indexOf(entry.kind), entry.id, professional, JSON.stringify(entry));
      }
    },
  };
}

function entriesIn(json: string): DirectoryEntry[] {
  // JSON of the store's own writing: an author, a person, or a code.
  const value = JSON.parse(json) as Author | Xcn | { readonly code: string };
  if ('code' in value) return [];
  return 'institutions' in value ? entriesOfAuthor(value) : entriesOfPerson(value);
}

/** Values are read in slices of so many, so that a large store does not stand in memory. */
const slice = 1000;

/** Reads what the values say that were there before the table. */
export function nameProfessionals(database: Database): void {
  const read = database.prepare<{ key: number; json: string }>(
    `SELECT key, json FROM shared WHERE key > ? ORDER BY key LIMIT ${slice}`,
  );
  const writes = makeDirectoryWrites(database);
  for (let rows = read.all(0); rows.length > 0; rows = read.all(rows.at(-1)?.key ?? 0))
    for (const { json } of rows) writes.add(json);
}

/** Reads of what is said of somebody. */
export function makeDirectoryReads(database: Database) {
  const byId = database.prepare<{ json: string }>(
    `SELECT json FROM directory WHERE kind = ? AND id = ? ORDER BY key DESC LIMIT ${directoryRows}`,
  );
  const byProfessional = database.prepare<{ json: string }>(
    `SELECT json FROM directory WHERE professional = ? ORDER BY key DESC LIMIT ${directoryRows}`,
  );
  return (asked: DirectoryQuestion): DirectoryEntry[] => {
    const rows =
      'rolesOf' in asked
        ? asked.rolesOf.flatMap((professional) => byProfessional.all(professional))
        : asked.ids.flatMap((id) => byId.all(kinds.indexOf(asked.kind), id));
    // JSON of the store's own writing.
    return rows.map(({ json }) => JSON.parse(json) as DirectoryEntry);
  };
}
