import type { Permit } from '../domain/decision.ts';
import type { Association } from '../domain/document.ts';
import type { DocumentFilter, FolderFilter } from '../store/port.ts';
import { everyPage } from './paging.ts';
import type { Request, Tools } from './perform.ts';
import { type Found, inOtherRecords, lookUp, type Names, nothing, type Question, versionsOf } from './query.ts';
import { type AssociationFilter, passing } from './query-find.ts';
import { folderNames, foldersMatching } from './query-get.ts';

/** One submission set or folder, and which of its contents. */
export type GetContents = Question & {
  readonly names: Names;
  readonly documents: DocumentFilter;
  readonly folders: FolderFilter;
  readonly associations: AssociationFilter;
};

/**
 * A submission set; its documents and folders that pass their filter, with their memberships; the associations that it holds between
 * objects answered, with their memberships. IHE ITI TF-2 3.18.4.1.2.3.7.10.
 * @throws Refused as `lookUp`
 */
export async function getSubmissionSetAndContents(tools: Tools, request: Request, get: GetContents): Promise<Found> {
  const { by, values } = get.names;
  const filter = by === 'uniqueId' ? { uniqueIds: values } : { entryUUIDs: values };
  return lookUp(tools, request, get, { names: [get.names], versions: 'all' }, async (permit) => {
    const sets = await everyPage((page) => tools.store.read.submissionSets(permit, filter, page));
    const ids = sets.map(({ set }) => set.entryUUID);
    const memberships = await membershipsOf(tools, permit, ids, get.associations);
    const members = memberships.map(({ target }) => target);
    const documentsOf = async (one: Permit) => tools.store.read.documentsByUuid(one, members, get.documents);
    const others = await inOtherRecords(
      tools,
      request,
      get,
      permit,
      async () => tools.store.facts.recordsOfObjects(members),
      async (other) => ({ ...nothing, documents: await documentsOf(other) }),
    );
    const [own, folders, held] = await Promise.all([
      documentsOf(permit),
      foldersMatching(tools, permit, { ...get.folders, entryUUIDs: members }),
      tools.store.read.associations(permit, members),
    ]);
    const documents = [...own, ...others.documents];
    const answered = new Set([
      ...ids,
      ...documents.map(({ entry }) => entry.entryUUID),
      ...folders.map(({ folder }) => folder.entryUUID),
    ]);
    const between = passing(held, get.associations).filter((a) => answered.has(a.source) && answered.has(a.target));
    for (const { entryUUID } of between) answered.add(entryUUID);
    const associations = distinct([...memberships.filter(({ target }) => answered.has(target)), ...between]);
    return { sets, documents, folders, associations };
  });
}

/**
 * A folder, all its versions where the filter lets them pass; its documents that pass their filter, with their memberships.
 * IHE ITI TF-2 3.18.4.1.2.3.7.11.
 * @throws Refused as `lookUp`
 */
export async function getFolderAndContents(tools: Tools, request: Request, get: GetContents): Promise<Found> {
  const sought = { names: [get.names], versions: versionsOf(get.folders) };
  return lookUp(tools, request, get, sought, async (permit) => {
    const folders = await foldersMatching(tools, permit, { ...get.folders, ...folderNames(get.names) });
    const ids = folders.map(({ folder }) => folder.entryUUID);
    const memberships = await membershipsOf(tools, permit, ids, get.associations);
    const members = memberships.map(({ target }) => target);
    const documents = await tools.store.read.documentsByUuid(permit, members, get.documents);
    const answered = new Set(documents.map(({ entry }) => entry.entryUUID));
    return { ...nothing, folders, documents, associations: memberships.filter(({ target }) => answered.has(target)) };
  });
}

async function membershipsOf(
  { store: { read } }: Tools,
  permit: Permit,
  packages: readonly string[],
  filter: AssociationFilter,
): Promise<Association[]> {
  if (packages.length === 0) return [];
  const naming = passing(await read.associationsOf(permit, packages), filter);
  return naming.filter(({ type, source }) => type === 'HasMember' && packages.includes(source));
}

function distinct(associations: readonly Association[]): Association[] {
  return [...new Map(associations.map((association) => [association.entryUUID, association])).values()];
}

/**
 * A submission set by its entryUUID, or the latest version of a folder by its logicalID, with the documents and folders in it that exist for
 * the caller and their memberships. Nothing where there is no such.
 */
export async function packageNamed(tools: Tools, permit: Permit, name: string): Promise<Found> {
  const { read } = tools.store;
  const { items: sets } = await read.submissionSets(permit, { entryUUIDs: [name] }, { limit: 1 });
  const { items: folders } = await read.foldersMatching(permit, { logicalIDs: [name] }, { limit: 1 });
  const packages = [...sets.map(({ set }) => set.entryUUID), ...folders.map(({ folder }) => folder.entryUUID)];
  const memberships = await membershipsOf(tools, permit, packages, { statuses: ['approved'] });
  const members = memberships.map(({ target }) => target);
  const [documents, inside] = await Promise.all([
    read.documentsByUuid(permit, members),
    foldersMatching(tools, permit, { entryUUIDs: members }),
  ]);
  return { sets, folders: [...folders, ...inside], documents, associations: memberships };
}
