import type { Permit, RecordFacts } from '../domain/decision.ts';
import type { Association, EntryUuid, Folder, Submission } from '../domain/document.ts';
import { currentIdentifiers } from '../domain/record.ts';
import { nameOf } from '../domain/rules/facts.ts';
import type { Known } from '../domain/surrounding.ts';
import { replacements } from '../domain/update/chain.ts';
import type { KnownFolder, UpdateFacts } from '../domain/update/operation.ts';
import type { Reader } from '../store/port.ts';
import type { Request, Tools } from './perform.ts';
import { elsewhere, messageFacts } from './submit.ts';
import { surroundingOf, uuids } from './surrounding.ts';

/** What the registry knows of the things that an update names, as the permit's reader sees them. */
export async function updateFacts(
  tools: Tools,
  request: Request,
  submission: Submission,
  permit: Permit,
  facts: RecordFacts | undefined,
): Promise<UpdateFacts> {
  const { read } = tools.store;
  const { sets, entries, folders, associations } = submission;
  const own = [...sets, ...entries, ...folders, ...associations].map(({ id }) => id);
  const ends = uuids(associations.flatMap(({ source, target }) => [source, target]));
  const [held, taken, named] = await Promise.all([
    read.holders(
      permit,
      sets.flatMap(({ uniqueId }) => uniqueId ?? []),
    ),
    read.taken(permit, uuids(own)),
    read.associations(permit, ends),
  ]);
  const names = [...ends, ...named.flatMap(({ source, target }) => [source, target])];
  const lines = (drafts: readonly { readonly logicalID?: string }[]) => uuids(drafts.map(({ logicalID }) => logicalID));
  const [known, knownFolders] = await Promise.all([
    entriesNamed(
      read,
      permit,
      names,
      lines(entries),
      entries.flatMap(({ uniqueId }) => uniqueId ?? []),
    ),
    foldersNamed(read, permit, names, lines(folders)),
  ]);
  const found = [...known.keys(), ...knownFolders.keys(), ...named.map(({ entryUUID }) => entryUUID)];
  const unknown = uuids([...ends, ...lines(entries), ...lines(folders)], [...found, ...own.map(nameOf)]);
  const start = [...known.keys(), ...knownFolders.keys()];
  return {
    ...messageFacts(tools, request, { documents: [] }),
    holder: facts === undefined ? [] : currentIdentifiers(facts.record),
    held,
    taken,
    elsewhere: await elsewhere(tools, permit, unknown),
    entries: known,
    folders: knownFolders,
    associations: new Map(named.map((association) => [association.entryUUID, association])),
    around: await surroundingOf(read, permit, start, replacements),
  };
}

async function entriesNamed(
  read: Reader,
  permit: Permit,
  names: readonly EntryUuid[],
  logicalIDs: readonly EntryUuid[],
  uniqueIds: readonly string[],
): Promise<ReadonlyMap<EntryUuid, Known>> {
  const byName = await read.documentsByUuid(permit, names);
  const lines = [...new Set([...logicalIDs, ...byName.map(({ entry }) => entry.logicalID)])];
  const [byLine, byUniqueId] = await Promise.all([
    read.documentsByLogicalId(permit, lines),
    read.documentsByUniqueId(permit, uniqueIds),
  ]);
  return new Map(
    [...byLine, ...byUniqueId].map(({ entry, own, latest }) => [entry.entryUUID, { entry, own, latest }] as const),
  );
}

async function foldersNamed(
  read: Reader,
  permit: Permit,
  names: readonly EntryUuid[],
  logicalIDs: readonly EntryUuid[],
): Promise<ReadonlyMap<EntryUuid, KnownFolder>> {
  const byName = await read.folders(permit, names);
  const lines = [...new Set([...logicalIDs, ...byName.map(({ logicalID }) => logicalID)])];
  const folders = lines.length === 0 ? [] : await read.foldersByLogicalId(permit, lines);
  const own = folders.length === 0 ? new Set<EntryUuid>() : await ownLines(read, permit, folders);
  return new Map(
    folders.map((folder) => {
      const latest = folders.every((other) => other.logicalID !== folder.logicalID || other.version <= folder.version);
      return [folder.entryUUID, { folder, latest, own: own.has(folder.logicalID) }] as const;
    }),
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
