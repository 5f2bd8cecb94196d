import { isOfProfessionals } from '../../domain/directory.ts';
import type { AvailabilityStatus, DocumentEntry } from '../../domain/document.ts';
import { makeDirectoryWrites } from './directory.ts';
import type { Database } from './driver.ts';

/** A document's JSON without what it has in common with others, and the JSON of that: values that stand alone, and lists of them. */
export type TakenApart = {
  readonly own: string;
  readonly single: readonly (readonly [field: string, json: string])[];
  readonly lists: readonly (readonly [field: string, values: readonly string[]])[];
};

/** Attributes whose values come again and again: codes, professionals. */
const single = [
  'classCode',
  'typeCode',
  'formatCode',
  'healthcareFacilityTypeCode',
  'practiceSettingCode',
  'legalAuthenticator',
] as const satisfies readonly (keyof DocumentEntry)[];
const lists = ['authors', 'eventCodes'] as const satisfies readonly (keyof DocumentEntry)[];

/** A document of its own, as `join` puts it together again. Where the patient or a relative may be among those whom it names, all of it stays with the document. */
export function takeApart(entry: DocumentEntry): TakenApart | undefined {
  if (!isOfProfessionals(entry)) return undefined;
  const own: { -readonly [K in keyof DocumentEntry]?: DocumentEntry[K] } = { ...entry };
  for (const field of [...single, ...lists]) delete own[field];
  return {
    own: JSON.stringify(own),
    single: single.flatMap((field) => (entry[field] === undefined ? [] : [[field, JSON.stringify(entry[field])]])),
    lists: lists.map((field) => [field, entry[field].map((value) => JSON.stringify(value))]),
  };
}

/** How many values a thread keeps: some 300 bytes each. */
const kept = 20_000;

function keep<K, V>(known: Map<K, V>, key: K, value: V): V {
  known.set(key, value);
  if (known.size > kept) known.delete(known.keys().next().value ?? key);
  return value;
}

/** The writer's side: each value is a row of `shared`, written once and never changed; what it says of professionals is written with it. */
export function makeSharedWrites(database: Database) {
  const find = database.prepare<{ key: number }>('SELECT key FROM shared WHERE json = ?');
  const add = database.prepare('INSERT INTO shared (json) VALUES (?)');
  const directory = makeDirectoryWrites(database);
  const known = new Map<string, number>();
  const addValue = (json: string): number => {
    directory.add(json);
    return add.run(json).key;
  };
  const keyOf = (json: string): number => known.get(json) ?? keep(known, json, find.get(json)?.key ?? addValue(json));
  return {
    /** The JSON to store: keys of `shared` stand for the values. */
    join({ own, single: alone, lists: several }: TakenApart): string {
      let json = own.slice(0, -1);
      for (const [field, value] of alone) json += `,"${field}":${keyOf(value)}`;
      for (const [field, values] of several) json += `,"${field}":[${values.map(keyOf).join(',')}]`;
      return `${json}}`;
    },
    /** After a rollback, which took rows back. */
    forget: () => known.clear(),
  };
}

/**
 * The reader's side: a document of a status, which lives in a column. Documents share the objects of their values, by which whoever wrote one
 * for an answer knows it again. A document that was stored whole is read as it is.
 */
export function makeSharedReads(database: Database): (json: string, status: AvailabilityStatus) => DocumentEntry {
  const find = database.prepare<{ json: string }>('SELECT json FROM shared WHERE key = ?');
  const known = new Map<number, unknown>();
  const resolved = (value: unknown): unknown => {
    if (typeof value !== 'number') return value;
    return known.get(value) ?? keep(known, value, JSON.parse(find.get(value)?.json ?? 'null'));
  };
  return (json, status) => {
    // JSON of the store's own writing.
    const entry = JSON.parse(json) as Record<string, unknown>;
    for (const field of single) if (typeof entry[field] === 'number') entry[field] = resolved(entry[field]);
    for (const field of lists) {
      const values = entry[field] as unknown[];
      for (const [index, value] of values.entries()) values[index] = resolved(value);
    }
    entry['status'] = status;
    return entry as DocumentEntry;
  };
}
