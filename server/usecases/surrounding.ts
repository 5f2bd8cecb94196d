import type { Permit } from '../domain/decision.ts';
import type { Association, AssociationType, EntryUuid } from '../domain/document.ts';
import { isUuid } from '../domain/identifier.ts';
import { nameOf } from '../domain/rules/facts.ts';
import type { Known, Surrounding } from '../domain/surrounding.ts';
import type { Expectation, Reader } from '../store/port.ts';

/**
 * Reads what is registered around documents and folders, whatever the caller sees of it. Relationships of the types that are followed lead on
 * to further documents, in all of their versions, and to what is around those.
 */
export async function surroundingOf(
  read: Reader,
  permit: Permit,
  start: readonly EntryUuid[],
  followed: readonly AssociationType[],
): Promise<Surrounding> {
  const documents = new Map<EntryUuid, Known>();
  const associations = new Map<EntryUuid, Association>();
  const asked = new Set<EntryUuid>();
  for (let next: readonly EntryUuid[] = [...new Set(start)]; next.length > 0; ) {
    for (const name of next) asked.add(name);
    const found = await read.everyAssociationOf(permit, next);
    for (const association of found) associations.set(association.entryUUID, association);
    const ends = [...next, ...found.flatMap(({ source, target }) => [source, target])];
    for (const { entry, own, latest } of await read.targets(permit, [...new Set(ends)]))
      documents.set(entry.entryUUID, { entry, own, latest });
    const reached = found
      .filter(({ type }) => followed.includes(type))
      .flatMap(({ source, target }) => [source, target]);
    const lines = [...next, ...reached].flatMap((name) => documents.get(name)?.entry.logicalID ?? []);
    const versions = lines.length === 0 ? [] : await read.everyVersion(permit, [...new Set(lines)]);
    for (const { entry, own, latest } of versions) documents.set(entry.entryUUID, { entry, own, latest });
    next = versions.map(({ entry }) => entry.entryUUID).filter((name) => !asked.has(name));
  }
  const holders = [...associations.values()].filter(({ type }) => type === 'HasMember').map(({ source }) => source);
  const folders = holders.length === 0 ? [] : await read.everyFolder(permit, [...new Set(holders)]);
  return {
    associations: [...associations.values()],
    folders: new Map(folders.map((folder) => [folder.entryUUID, folder])),
    documents,
  };
}

/** What was found around these objects is all that names them: side effects that were computed from it are complete. */
export function nothingElseNames(objects: readonly EntryUuid[], { associations }: Surrounding): Expectation[] {
  if (objects.length === 0) return [];
  const names = new Set(objects);
  const known = associations.filter(({ source, target }) => names.has(source) || names.has(target));
  return [{ unreferenced: objects, save: known.map(({ entryUUID }) => entryUUID) }];
}

/** The UUIDs among these ids, each once, without those left out. */
export function uuids(ids: readonly (string | undefined)[], without: readonly string[] = []): string[] {
  const left = new Set(without);
  const names = ids.flatMap((id) => (id !== undefined && isUuid(id) ? [nameOf(id)] : []));
  return [...new Set(names)].filter((name) => !left.has(name));
}
