import type { Permit } from '../domain/decision.ts';
import { problem, Refused } from '../domain/error.ts';
import { type Identifier, sameIdentifier } from '../domain/identifier.ts';
import { currentIdentifiers, isSubsumed, type RecordId } from '../domain/record.ts';
import type { DocumentFilter, FolderFilter } from '../store/port.ts';
import { everyPage, tooMany } from './paging.ts';
import { type Plan, perform, permitElsewhere, type Request, shortened, type Tools } from './perform.ts';
import { type Found, nothing, type Question } from './query.ts';

/** What is looked for in several records: documents or folders. */
export type FindAcross = Pick<Question, 'limit' | 'query'> & {
  /** None: in all records. */
  readonly patients: readonly Identifier[];
} & ({ readonly documents: DocumentFilter } | { readonly folders: FolderFilter });

/**
 * Documents or folders of several records, each judged on its own: a record that may not be read, or that nobody has, gives nothing. The
 * history of each record that was named or that gives something tells of it, without the question, which may name other patients.
 * IHE ITI TF-2 3.51.
 * @throws Refused `tooManyResults` beyond the limit, and where nobody is named beyond as many records; `patientDiffersFromCredential` for
 *   each patient who is not that of the credential, where it names one; and what the decision refuses
 */
export async function findAcrossPatients(tools: Tools, request: Request, find: FindAcross): Promise<Found> {
  return perform(tools, request, 'queryAcrossPatients', 'none', async (permit): Promise<Plan<Found>> => {
    await checkCredential(tools, request, find.patients);
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

/** A credential for one patient asks about no other, by whatever identifier of his. */
async function checkCredential({ store }: Tools, { caller }: Request, patients: readonly Identifier[]): Promise<void> {
  const own = caller.patient;
  if (own === undefined) return;
  const facts = await store.facts.recordByIdentifier(own);
  const known = facts === undefined ? [own] : currentIdentifiers(facts.record);
  const others = patients.filter((one) => !known.some((held) => sameIdentifier(held, one)));
  if (others.length > 0)
    throw new Refused(
      others.map((one) => problem('patientDiffersFromCredential', { value: `${one.value}^^^&${one.oid}&ISO` })),
    );
}

/**
 * The records of those who are named, an identifier that a merge took away naming nobody. Where nobody is named, as many records as objects may
 * be answered: each of them is judged and has an event.
 */
async function recordsAsked(
  { store, settings: { limits } }: Tools,
  permit: Permit,
  find: FindAcross,
): Promise<readonly RecordId[]> {
  if (find.patients.length === 0) {
    const records =
      'documents' in find
        ? await store.read.recordsWithDocuments(permit, find.documents, limits.results + 1)
        : await store.read.recordsWithFolders(permit, find.folders, limits.results + 1);
    if (records.length > limits.results) tooMany(limits.results);
    return records;
  }
  const records = await Promise.all(
    find.patients.map(async (patient) => {
      const facts = await store.facts.recordByIdentifier(patient);
      return facts === undefined || isSubsumed(facts.record, patient) ? [] : [facts.record.id];
    }),
  );
  return [...new Set(records.flat())];
}

async function heldBy({ store: { read } }: Tools, permit: Permit, find: FindAcross): Promise<Found> {
  return 'documents' in find
    ? { ...nothing, documents: await everyPage((page) => read.documents(permit, find.documents, page), find.limit) }
    : { ...nothing, folders: await everyPage((page) => read.foldersMatching(permit, find.folders, page), find.limit) };
}
