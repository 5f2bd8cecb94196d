import type { Permit } from '../domain/decision.ts';
import type { Association, SubmissionSet } from '../domain/document.ts';
import type { StoredDocument } from '../store/port.ts';
import { everyPage } from './paging.ts';
import type { Tools } from './perform.ts';

/** An association from a document to what exists for the caller: another document, or the submission set that it signs. */
export type Relation = {
  readonly association: Association;
  readonly target: { readonly document: StoredDocument } | { readonly set: SubmissionSet };
};

/** Relations by the entryUUID of their source; a document without any has no row. */
export type Relations = ReadonlyMap<string, readonly Relation[]>;

const none: Relations = new Map();

/**
 * How these documents relate to others: what they replace, append, transform or sign, as far as it exists for the caller. Costs nothing where
 * no document is the source of an association.
 */
export async function relationsOf(
  { store: { read } }: Tools,
  permit: Permit,
  documents: readonly StoredDocument[],
): Promise<Relations> {
  if (!documents.some(({ relates }) => relates)) return none;
  const sources = new Set(documents.flatMap(({ relates, entry }) => (relates ? [entry.entryUUID] : [])));
  const naming = await read.associationsOf(permit, [...sources]);
  const outgoing = naming.filter(({ source, status }) => sources.has(source) && status === 'approved');
  const names = [...new Set(outgoing.map(({ target }) => target))];
  const documentsNamed = await read.documentsByUuid(permit, names);
  const byName = new Map<string, Relation['target']>(
    documentsNamed.map((document) => [document.entry.entryUUID, { document }]),
  );
  const others = names.filter((name) => !byName.has(name));
  if (others.length > 0)
    for (const { set } of await everyPage((page) => read.submissionSets(permit, { entryUUIDs: others }, page)))
      byName.set(set.entryUUID, { set });
  const relations = outgoing.flatMap((association): Relation[] => {
    const target = byName.get(association.target);
    return target === undefined ? [] : [{ association, target }];
  });
  return Map.groupBy(relations, ({ association }) => association.source);
}
