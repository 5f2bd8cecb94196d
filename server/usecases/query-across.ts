import type { Permit } from '../domain/decision.ts';
import type { Identifier } from '../domain/identifier.ts';
import type { RecordId } from '../domain/record.ts';
import type { DocumentFilter, FolderFilter } from '../store/port.ts';
import { type Plan, perform, permitElsewhere, type Request, type Tools } from './perform.ts';
import { everyPage, type Found, nothing, type Question, shortened, tooMany } from './query.ts';

/** What is looked for in several records: documents or folders. */
export type FindAcross = Pick<Question, 'limit' | 'query'> & {
  /** None: in all records. */
  readonly patients: readonly Identifier[];
} & ({ readonly documents: DocumentFilter } | { readonly folders: FolderFilter });

/**
 * Documents or folders of several records, each judged on its own: a record that may not be read, or that nobody has, gives nothing. The
 * history of each record that was named or that gives something tells of it, without the question, which may name other patients.
 * IHE ITI TF-2 3.51.
 * @throws Refused `tooManyResults` beyond the limit, and what the decision refuses
 */
export async function findAcrossPatients(tools: Tools, request: Request, find: FindAcross): Promise<Found> {
  return perform(tools, request, 'queryAcrossPatients', 'none', async (permit): Promise<Plan<Found>> => {
    const { documents, folders } = nothing;
    const found = { documents: [...documents], folders: [...folders] };
    const also: { permit: Permit; trace?: { documents: { entryUUID: string; uniqueId: string }[] } }[] = [];
    for (const record of await recordsAsked(tools, permit, find)) {
      const here = await permitElsewhere(tools, request, permit.action, record);
      if (here === undefined) continue;
      const held = await heldBy(tools, here, find);
      found.documents.push(...held.documents);
      found.folders.push(...held.folders);
      if (find.limit !== undefined && found.documents.length + found.folders.length > find.limit) tooMany(find.limit);
      const named = held.documents.map(({ entry: { entryUUID, uniqueId } }) => ({ entryUUID, uniqueId }));
      if (find.patients.length > 0 || held.documents.length + held.folders.length > 0)
        also.push({ permit: here, ...(named.length > 0 && { trace: { documents: named } }) });
    }
    return { answer: { ...nothing, ...found }, trace: { query: shortened(find.query) }, also };
  });
}

async function recordsAsked({ store }: Tools, permit: Permit, find: FindAcross): Promise<readonly RecordId[]> {
  if (find.patients.length === 0)
    return 'documents' in find
      ? store.read.recordsWithDocuments(permit, find.documents)
      : store.read.recordsWithFolders(permit, find.folders);
  const facts = await Promise.all(find.patients.map((patient) => store.facts.recordByIdentifier(patient)));
  return [...new Set(facts.flatMap((known) => known?.record.id ?? []))];
}

async function heldBy({ store: { read } }: Tools, permit: Permit, find: FindAcross): Promise<Found> {
  return 'documents' in find
    ? { ...nothing, documents: await everyPage((page) => read.documents(permit, find.documents, page), find.limit) }
    : { ...nothing, folders: await everyPage((page) => read.foldersMatching(permit, find.folders, page), find.limit) };
}
