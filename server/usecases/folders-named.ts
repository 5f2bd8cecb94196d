import type { Permit } from '../domain/decision.ts';
import type { Association, EntryUuid, Folder } from '../domain/document.ts';
import { nameOf } from '../domain/rules/facts.ts';
import type { KnownFolder } from '../domain/update/operation.ts';
import type { Reader } from '../store/port.ts';
import { everyPage } from './paging.ts';

/** All versions of the folders that these names and logicalIDs name, by entryUUID, as far as they exist for the permit's reader. */
export async function foldersNamed(
  read: Reader,
  permit: Permit,
  names: readonly EntryUuid[],
  logicalIDs: readonly EntryUuid[],
): Promise<ReadonlyMap<EntryUuid, KnownFolder>> {
  const byName = await read.folders(permit, names);
  const lines = [...new Set([...logicalIDs, ...byName.map(({ logicalID }) => logicalID)])];
  const filter = { logicalIDs: lines, allVersions: true };
  const stored = lines.length === 0 ? [] : await everyPage((page) => read.foldersMatching(permit, filter, page));
  const folders = stored.map(({ folder }) => folder);
  const own = folders.length === 0 ? new Set<EntryUuid>() : await ownLines(read, permit, folders);
  return new Map(
    stored.map(({ folder, latest }) => [folder.entryUUID, { folder, latest, own: own.has(folder.logicalID) }]),
  );
}

/** The folders that a set of the caller's created, by their logicalID: that of the first version counts for all. */
async function ownLines(read: Reader, permit: Permit, folders: readonly Folder[]): Promise<ReadonlySet<EntryUuid>> {
  const first = folders.filter(({ version }) => version === 1).map(({ entryUUID }) => entryUUID);
  const memberships = (await read.associationsOf(permit, first)).filter(
    ({ type, target }: Association) => type === 'HasMember' && first.includes(target),
  );
  const entryUUIDs = [...new Set(memberships.map(({ source }) => source))];
  const { items } = await read.submissionSets(permit, { entryUUIDs }, { limit: Math.max(1, entryUUIDs.length) });
  const mine = new Set(items.filter(({ own }) => own).map(({ set }) => set.entryUUID));
  const created = new Set(memberships.filter(({ source }) => mine.has(source)).map(({ target }) => target));
  return new Set(folders.filter(({ entryUUID }) => created.has(nameOf(entryUUID))).map(({ logicalID }) => logicalID));
}
