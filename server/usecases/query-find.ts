import type { DocumentFilter, FolderFilter, SetFilter } from '../store/port.ts';
import { everyPage } from './paging.ts';
import type { Request, Tools } from './perform.ts';
import { associationsNaming, type Found, nothing, type Question, search } from './query.ts';

export type FindSets = Question & { readonly filter: SetFilter };
export type FindFolders = Question & { readonly filter: FolderFilter };

/** Which objects of a record; `associations`: which of those that name one of them. */
export type FindAll = Question & {
  readonly documents: DocumentFilter;
  readonly sets: SetFilter;
  readonly folders: FolderFilter;
  readonly associations: AssociationFilter;
};
export type AssociationFilter = { readonly statuses: readonly ('approved' | 'deprecated')[] };

/**
 * The submission sets of a record that pass the filter and exist for the caller, newest first.
 * @throws Refused as `search`
 */
export async function findSubmissionSets(tools: Tools, request: Request, find: FindSets): Promise<Found> {
  return search(tools, request, find, async (permit) => ({
    ...nothing,
    sets: await everyPage((page) => tools.store.read.submissionSets(permit, find.filter, page), find.limit),
  }));
}

/**
 * The folders of a record that pass the filter and exist for the caller, newest first.
 * @throws Refused as `search`
 */
export async function findFolders(tools: Tools, request: Request, find: FindFolders): Promise<Found> {
  return search(tools, request, find, async (permit) => ({
    ...nothing,
    folders: await everyPage((page) => tools.store.read.foldersMatching(permit, find.filter, page), find.limit),
  }));
}

/**
 * All objects of a record that pass their filter and exist for the caller, and the associations that name one of them; these may name
 * objects that are not answered.
 * @throws Refused as `search`
 */
export async function findAll(tools: Tools, request: Request, find: FindAll): Promise<Found> {
  const { read } = tools.store;
  return search(tools, request, find, async (permit) => {
    const [documents, sets, folders] = await Promise.all([
      everyPage((page) => read.documents(permit, find.documents, page), find.limit),
      everyPage((page) => read.submissionSets(permit, find.sets, page), find.limit),
      everyPage((page) => read.foldersMatching(permit, find.folders, page), find.limit),
    ]);
    const names = [
      ...documents.map(({ entry }) => entry.entryUUID),
      ...sets.map(({ set }) => set.entryUUID),
      ...folders.map(({ folder }) => folder.entryUUID),
    ];
    const associations = passing(await associationsNaming(tools, request, find, permit, names), find.associations);
    return { documents, sets, folders, associations };
  });
}

/** The associations that pass the filter. */
export function passing<T extends { readonly status: 'approved' | 'deprecated' }>(
  associations: readonly T[],
  { statuses }: AssociationFilter,
): T[] {
  return associations.filter(({ status }) => statuses.includes(status));
}
