import type { Permit } from '../domain/decision.ts';
import type { AssociationType } from '../domain/document.ts';
import type { DocumentFilter, FolderFilter } from '../store/port.ts';
import { everyPage } from './paging.ts';
import type { Request, Tools } from './perform.ts';
import {
  associationsNaming,
  documentsNamed,
  type Found,
  inOtherRecords,
  lookUp,
  type Names,
  nothing,
  type Question,
  type Sought,
  versionsOf,
} from './query.ts';
import { type AssociationFilter, passing } from './query-find.ts';

export type GetFolders = Question & { readonly names: Names; readonly filter: FolderFilter };

export type GetAssociations = Question & {
  readonly entryUUIDs: readonly string[];
  readonly associations: AssociationFilter;
};

/** Documents by name, of which those that pass the filter, and which associations of theirs. */
export type GetOfDocuments = Question & {
  readonly names: Names;
  readonly filter: DocumentFilter;
  readonly associations: AssociationFilter;
};

export type GetRelated = GetOfDocuments & {
  readonly types: readonly AssociationType[];
  /** Which documents at the other end. */
  readonly related: DocumentFilter;
};

export type GetFoldersOf = GetOfDocuments & { readonly folders: FolderFilter };

/**
 * Folders by their names; those that do not exist for the caller are left out. So it is in everything below.
 * @throws Refused as `lookUp`; so does everything below
 */
export async function getFolders(tools: Tools, request: Request, get: GetFolders): Promise<Found> {
  const { names, filter } = get;
  return lookUp(tools, request, get, { names: [names], versions: versionsOf(filter) }, async (permit) => ({
    ...nothing,
    folders: await foldersMatching(tools, permit, { ...filter, ...folderNames(names) }),
  }));
}

/** The associations that name one of these objects at either end, of whatever patients they are. IHE ITI TF-2 3.18.4.1.2.3.7.7. */
export async function getAssociations(tools: Tools, request: Request, get: GetAssociations): Promise<Found> {
  const { entryUUIDs } = get;
  const read = async (permit: Permit) => ({
    ...nothing,
    associations: passing(await associationsNaming(tools, request, get, permit, entryUUIDs), get.associations),
  });
  return lookUp(tools, request, get, named(entryUUIDs), read, 'several');
}

/** Documents by their names, and the associations that name one of them. IHE ITI TF-2 3.18.4.1.2.3.7.8. */
export async function getDocumentsAndAssociations(tools: Tools, request: Request, get: GetOfDocuments): Promise<Found> {
  return lookUp(tools, request, get, soughtBy(get), async (permit) => {
    const documents = await documentsNamed(tools, permit, get.names, get.filter);
    const ids = documents.map(({ entry }) => entry.entryUUID);
    const naming = await associationsNaming(tools, request, get, permit, ids);
    return { ...nothing, documents, associations: passing(naming, get.associations) };
  });
}

/** The submission sets that hold one of these objects, with the associations by which they do. IHE ITI TF-2 3.18.4.1.2.3.7.9. */
export async function getSubmissionSets(tools: Tools, request: Request, get: GetAssociations): Promise<Found> {
  const { entryUUIDs } = get;
  return lookUp(tools, request, get, named(entryUUIDs), async (permit) => {
    const naming = passing(await associationsNaming(tools, request, get, permit, entryUUIDs), get.associations);
    const memberships = naming.filter(({ type, target }) => type === 'HasMember' && entryUUIDs.includes(target));
    const sources = memberships.map(({ source }) => source);
    const setsOf = async (one: Permit) =>
      everyPage((page) => tools.store.read.submissionSets(one, { entryUUIDs: sources }, page));
    const others = await inOtherRecords(
      tools,
      request,
      get,
      permit,
      async () => tools.store.facts.recordsOfObjects(sources),
      async (other) => ({ ...nothing, sets: await setsOf(other) }),
    );
    const sets = [...(await setsOf(permit)), ...others.sets];
    const held = new Set(sets.map(({ set }) => set.entryUUID));
    return { ...nothing, sets, associations: memberships.filter(({ source }) => held.has(source)) };
  });
}

/** The folders that hold one of these documents. IHE ITI TF-2 3.18.4.1.2.3.7.12. */
export async function getFoldersForDocument(tools: Tools, request: Request, get: GetFoldersOf): Promise<Found> {
  return lookUp(tools, request, get, soughtBy(get), async (permit) => {
    const documents = await documentsNamed(tools, permit, get.names, get.filter);
    const ids = new Set(documents.map(({ entry }) => entry.entryUUID));
    const naming = await associationsOf(tools, permit, documents, get.associations);
    const holding = naming.filter(({ type, target }) => type === 'HasMember' && ids.has(target));
    const entryUUIDs = holding.map(({ source }) => source);
    return { ...nothing, folders: await foldersMatching(tools, permit, { ...get.folders, entryUUIDs }) };
  });
}

/**
 * The associations of some types between a document and another, with the documents at both ends; nothing where there is none.
 * IHE ITI TF-2 3.18.4.1.2.3.7.13.
 */
export async function getRelatedDocuments(tools: Tools, request: Request, get: GetRelated): Promise<Found> {
  const { types } = get;
  return lookUp(tools, request, get, soughtBy(get), async (permit) => {
    const asked = await documentsNamed(tools, permit, get.names, get.filter);
    const naming = (await associationsOf(tools, permit, asked, get.associations)).filter((a) => types.includes(a.type));
    const ids = new Set(asked.map(({ entry }) => entry.entryUUID));
    const others = naming.flatMap(({ source, target }) => [source, target]).filter((end) => !ids.has(end));
    const related = await tools.store.read.documentsByUuid(permit, others, get.related);
    const ends = new Map([...asked, ...related].map((document) => [document.entry.entryUUID, document]));
    const associations = naming.filter(({ source, target }) => ends.has(source) && ends.has(target));
    const named = new Set(associations.flatMap(({ source, target }) => [source, target]));
    return {
      ...nothing,
      documents: [...ends.values()].filter(({ entry }) => named.has(entry.entryUUID)),
      associations,
    };
  });
}

async function associationsOf(
  { store: { read } }: Tools,
  permit: Permit,
  documents: Found['documents'],
  filter: AssociationFilter,
) {
  if (documents.length === 0) return [];
  return passing(
    await read.associationsOf(
      permit,
      documents.map(({ entry }) => entry.entryUUID),
    ),
    filter,
  );
}

function named(values: readonly string[]): Sought {
  return { names: [{ by: 'entryUUID', values }], versions: 'all' };
}

function soughtBy({ names, filter }: GetOfDocuments): Sought {
  return { names: [names], versions: versionsOf(filter) };
}

/** A filter's field for the names. */
export function folderNames({ by, values }: Names): FolderFilter {
  if (by === 'entryUUID') return { entryUUIDs: values };
  return by === 'uniqueId' ? { uniqueIds: values } : { logicalIDs: values };
}

/** All folders that pass the filter. */
export async function foldersMatching({ store: { read } }: Tools, permit: Permit, filter: FolderFilter) {
  return everyPage((page) => read.foldersMatching(permit, filter, page));
}
