import type { Permit, RecordFacts } from '../domain/decision.ts';
import { currentIdentifiers } from '../domain/record.ts';
import { nameOf, type RegistryFacts } from '../domain/rules/facts.ts';
import type { Holder } from '../store/port.ts';
import { type Deposit, type Deposited, messageFacts } from './deposit.ts';
import { everyPage } from './paging.ts';
import type { Request, Tools } from './perform.ts';
import { uuids } from './surrounding.ts';

/** What the rules see of a message and of what is registered: in the record, as far as the permit lets its caller see it. */
export async function registryFacts(
  tools: Tools,
  request: Request,
  deposit: Deposit,
  permit: Permit,
  facts: RecordFacts | undefined,
): Promise<RegistryFacts & Pick<Deposited, 'superseded'>> {
  const { read } = tools.store;
  const { sets, entries, folders, associations } = deposit.submission;
  const own = [...sets, ...entries, ...folders, ...associations].map(({ id }) => nameOf(id));
  const logical = [...entries, ...folders].flatMap(({ logicalID }) =>
    logicalID === undefined ? [] : [nameOf(logicalID)],
  );
  const named = uuids(
    associations.flatMap(({ source, target }) => [source, target]),
    own,
  );
  const uniqueIds = [...sets, ...entries, ...folders].flatMap(({ uniqueId }) => uniqueId ?? []);
  const [held, taken, targets, namedFolders, touching] = await Promise.all([
    read.holders(permit, uniqueIds),
    uuids([...own, ...logical]).length === 0 ? new Set<string>() : read.taken(permit, uuids([...own, ...logical])),
    named.length === 0 ? [] : read.documentsByUuid(permit, named),
    named.length === 0 ? [] : read.folders(permit, named),
    named.length === 0 ? [] : read.associationsOf(permit, named),
  ]);
  const unknown = uuids(named, [
    ...targets.map(({ entry }) => entry.entryUUID),
    ...namedFolders.map(({ entryUUID }) => entryUUID),
  ]);
  const others = await othersNamed(tools, permit, unknown);
  return {
    ...messageFacts(tools, request, deposit),
    holder: facts === undefined ? [] : currentIdentifiers(facts.record),
    held: await comparable(tools, permit, held),
    taken,
    targets: new Map(targets.map(({ entry, own: isOwn }) => [entry.entryUUID, { entry, own: isOwn }])),
    superseded: new Map(
      targets.map(({ entry, revision, latest }) => [entry.logicalID, latest ? revision + 1 : revision]),
    ),
    folders: new Map(namedFolders.map((folder) => [folder.entryUUID, folder])),
    others,
    elsewhere: await elsewhere(tools, permit, uuids(unknown, [...others.keys()])),
    associations: touching,
  };
}

/**
 * Whoever holds a uniqueId is told to everyone who uses it again; whether the bytes are the same, only to who sees the document, so that
 * nobody learns by guessing what another record or a hidden document holds. Where the domain takes the same bytes again they have to be compared.
 */
async function comparable(
  { store: { read }, settings: { domain } }: Tools,
  permit: Permit,
  held: ReadonlyMap<string, readonly Holder[]>,
): Promise<RegistryFacts['held']> {
  if (held.size === 0 || domain.sameBytesAgain === 'accepted') return held;
  const seen = await read.documentsByUniqueId(permit, [...held.keys()]);
  const isSeen = ({ entryUUID }: Holder) => seen.some(({ entry }) => entry.entryUUID === entryUUID);
  return new Map(
    [...held].map(([uniqueId, holders]) => [
      uniqueId,
      holders.map((holder) => (isSeen(holder) ? holder : { kind: holder.kind })),
    ]),
  );
}

/** Which of these names are submission sets and associations of this record. */
export async function othersNamed(
  { store: { read } }: Tools,
  permit: Permit,
  entryUUIDs: readonly string[],
): Promise<RegistryFacts['others']> {
  if (entryUUIDs.length === 0) return new Map();
  const [sets, associations] = await Promise.all([
    everyPage((page) => read.submissionSets(permit, { entryUUIDs }, page)),
    read.associations(permit, entryUUIDs),
  ]);
  return new Map([
    ...sets.map(({ set }) => [set.entryUUID, 'registeredSet'] as const),
    ...associations.map(({ entryUUID }) => [entryUUID, 'registeredAssociation'] as const),
  ]);
}

/** Which of the names that were not found in this record are taken: told where nothing is hidden from anybody. */
export async function elsewhere(
  { store, settings }: Tools,
  permit: Permit,
  unknown: readonly string[],
): Promise<ReadonlySet<string>> {
  const isTold = settings.domain.credentials === 'none' && unknown.length > 0;
  return isTold ? store.read.taken(permit, unknown) : new Set();
}
