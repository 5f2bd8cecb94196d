import type { Permit } from '../../server/domain/decision.ts';
import type { Association, DocumentEntry, Folder, VisibilityCode } from '../../server/domain/document.ts';
import { perform } from '../../server/usecases/perform.ts';
import { writeDocument, writeFolder } from '../../server/xds/ebrim/write.ts';
import { iti42 } from '../../server/xds/iti42.ts';
import type { MemoryStore } from '../support/memory-store.ts';
import { confidential, folder } from '../support/registry.ts';
import type { World } from '../support/world.ts';
import { handled, type Seen, seen } from './handled.ts';
import { cxOf, linking, memberOf, setOf, submitting } from './registry-messages.ts';

export type Sandbox = World<MemoryStore>;

/** What somebody reads in the record of `laurent`. */
export async function reading<T>(world: Sandbox, slug: string, read: (permit: Permit) => Promise<T>): Promise<T> {
  return perform(
    world.tools,
    world.as(slug),
    'lookUpDocuments',
    { identifier: world.ins('laurent') },
    async (permit) => ({
      answer: await read(permit),
    }),
  );
}

/** Documents of `laurent` as somebody sees them: all versions of these, newest first. */
export async function versionsOf(
  world: Sandbox,
  uniqueId: string,
  slug = 'dr-martin',
): Promise<readonly DocumentEntry[]> {
  const found = await reading(world, slug, (permit) => world.tools.store.read.documentsByUniqueId(permit, [uniqueId]));
  return found.map(({ entry }) => entry);
}

/** The latest version. */
export async function entryOf(world: Sandbox, uniqueId: string, slug = 'dr-martin'): Promise<DocumentEntry> {
  const [entry] = await versionsOf(world, uniqueId, slug);
  if (entry === undefined) throw new Error(`${slug} sees no ${uniqueId}`);
  return entry;
}

/** All versions of a folder, oldest first. */
export async function foldersOf(world: Sandbox, logicalID: string): Promise<readonly Folder[]> {
  return reading(world, 'dr-martin', (permit) => world.tools.store.read.foldersByLogicalId(permit, [logicalID]));
}

/** Associations that name an object, whatever is hidden. */
export async function associationsOf(world: Sandbox, ...names: readonly string[]): Promise<readonly Association[]> {
  return reading(world, 'dr-martin', (permit) => world.tools.store.read.everyAssociationOf(permit, names));
}

/** An entry of `laurent` that no rule of the DMP refuses, by `dr-martin`, as `id`. */
export async function sound(
  world: Sandbox,
  id: string,
  uniqueId: string,
  ...codes: VisibilityCode[]
): Promise<DocumentEntry> {
  const { items } = await reading(world, 'dr-martin', (permit) =>
    world.tools.store.read.documents(permit, {}, { limit: 100 }),
  );
  const usual = items.find(({ entry }) => entry.authors[0]?.person?.id === '899970000016')?.entry;
  if (usual === undefined) throw new Error('the sandbox has no document of dr-martin');
  return {
    ...usual,
    entryUUID: id,
    logicalID: id,
    uniqueId,
    status: 'approved',
    version: 1,
    confidentialityCodes: confidential(...codes),
  };
}

/** Sends objects by ITI-42 as the operator's system, filed by somebody. */
export async function registering(world: Sandbox, slug: string, ...objects: readonly string[]): Promise<Seen> {
  return seen(await handled(iti42, world, world.as('regie'), submitting(setOf(world, slug), ...objects)));
}

/** Registers a document by `dr-martin`, filed by him or another, and what else is given; `doc1` names the document. */
export async function registered(
  world: Sandbox,
  uniqueId: string,
  {
    codes = [],
    changes = {},
    more = [],
    by = 'dr-martin',
  }: { codes?: VisibilityCode[]; changes?: Partial<DocumentEntry>; more?: string[]; by?: string } = {},
): Promise<DocumentEntry> {
  const entry = { ...(await sound(world, 'doc1', uniqueId, ...codes)), ...changes };
  const answer = await registering(
    world,
    by,
    writeDocument(entry),
    memberOf('doc1', { submissionSetStatus: 'Original' }),
    ...more,
  );
  if (answer.status !== 'Success') throw new Error(answer.errors.map(({ context }) => context).join('\n'));
  return stored(world, uniqueId);
}

/** Registers a folder of `dr-martin` that holds these documents. */
export async function foldered(
  world: Sandbox,
  uniqueId: string,
  ...entries: readonly DocumentEntry[]
): Promise<Folder> {
  const draft = folder(1, { entryUUID: 'f1', logicalID: 'f1', uniqueId, patientId: cxOf(world.ins('laurent')) });
  const memberships = entries.flatMap(({ entryUUID }, index) => [
    linking('HasMember', 'f1', entryUUID, { entryUUID: `in${index}` }),
    memberOf(`in${index}`),
  ]);
  const answer = await registering(world, 'dr-martin', writeFolder(draft), memberOf('f1'), ...memberships);
  if (answer.status !== 'Success') throw new Error(answer.errors.map(({ context }) => context).join('\n'));
  const { items } = await reading(world, 'dr-martin', (permit) =>
    world.tools.store.read.foldersMatching(permit, { uniqueIds: [uniqueId] }, { limit: 1 }),
  );
  const [found] = items;
  if (found === undefined) throw new Error(`no folder ${uniqueId}`);
  return found.folder;
}

/** The latest version as nobody in particular sees it. */
export async function stored(world: Sandbox, uniqueId: string): Promise<DocumentEntry> {
  const found = await everyVersion(world, uniqueId);
  const latest = found.at(-1);
  if (latest === undefined) throw new Error(`no ${uniqueId}`);
  return latest;
}

/** All versions, oldest first, whatever is hidden. */
export async function everyVersion(world: Sandbox, uniqueId: string): Promise<readonly DocumentEntry[]> {
  const holders = await reading(world, 'dr-martin', (permit) => world.tools.store.read.holders(permit, [uniqueId]));
  const names = (holders.get(uniqueId) ?? []).map(({ entryUUID }) => entryUUID);
  const found = await reading(world, 'dr-martin', (permit) => world.tools.store.read.targets(permit, names));
  return found.map(({ entry }) => entry).sort((a, b) => a.version - b.version);
}
