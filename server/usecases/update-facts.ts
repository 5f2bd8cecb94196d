import type { Permit, RecordFacts } from '../domain/decision.ts';
import type { EntryUuid, Submission } from '../domain/document.ts';
import { currentIdentifiers } from '../domain/record.ts';
import { nameOf } from '../domain/rules/facts.ts';
import type { Known } from '../domain/surrounding.ts';
import { replacements } from '../domain/update/chain.ts';
import type { Arriving, UpdateFacts } from '../domain/update/operation.ts';
import type { Reader } from '../store/port.ts';
import { messageFacts } from './deposit.ts';
import { foldersNamed } from './folders-named.ts';
import type { Request, Tools } from './perform.ts';
import { elsewhere, othersNamed } from './registry-facts.ts';
import { surroundingOf, uuids } from './surrounding.ts';

/** What the registry knows of the things that an update names, as the permit's reader sees them, besides what comes from other records. */
export async function updateFacts(
  tools: Tools,
  request: Request,
  submission: Submission,
  permit: Permit,
  facts: RecordFacts | undefined,
  arriving: Arriving,
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
  const others = await othersNamed(tools, permit, unknown);
  const start = [...known.keys(), ...knownFolders.keys()];
  return {
    ...messageFacts(tools, request, { documents: [] }),
    holder: facts === undefined ? [] : currentIdentifiers(facts.record),
    held,
    taken,
    others: new Map([...others, ...named.map(({ entryUUID }) => [entryUUID, 'registeredAssociation'] as const)]),
    elsewhere: await elsewhere(tools, permit, uuids(unknown, [...others.keys()])),
    entries: known,
    folders: knownFolders,
    associations: new Map(named.map((association) => [association.entryUUID, association])),
    around: await surroundingOf(read, permit, start, replacements),
    arriving,
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
