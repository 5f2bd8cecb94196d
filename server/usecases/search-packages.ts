import type { Permit } from '../domain/decision.ts';
import type { Association, Folder, SubmissionSet } from '../domain/document.ts';
import { earliest } from '../domain/time.ts';
import type { FolderFilter, SetFilter, StoredDocument, StoredFolder, StoredSet } from '../store/port.ts';
import { batches, everyPage, type Keyed, type KeyedPage, type PageKey, pageOf } from './paging.ts';
import { perform, type Request, shortened, type Tools } from './perform.ts';
import { lookUp, nothing, type Question, recordAsked, type Sought } from './query.ts';
import { type Relations, relationsOf } from './relations.ts';

/** What submission sets and folders hold, as far as it exists for the caller, and by which associations. */
export type Contents = {
  readonly documents: readonly StoredDocument[];
  readonly folders: readonly StoredFolder[];
  readonly memberships: readonly Association[];
};

/** Submission sets and folders with what they hold. */
export type Packages = {
  readonly sets: readonly StoredSet[];
  readonly folders: readonly StoredFolder[];
  readonly contents: Contents;
};

/** A submission set or a folder as it is found. */
export type Package =
  | { readonly kind: 'set'; readonly set: SubmissionSet; readonly stored: StoredSet }
  | { readonly kind: 'folder'; readonly folder: Folder; readonly stored: StoredFolder };

export type SearchPackages = Omit<Question, 'limit'> & {
  /** Absent: none are looked for. */
  readonly sets?: SetFilter;
  readonly folders?: FolderFilter;
  /** By which the record is found where no patient is named: entryUUIDs, logicalIDs, uniqueIds. */
  readonly names?: readonly string[];
  /** Only what holds one of these documents, by logicalID. */
  readonly holding?: readonly string[];
  /** All must hold. */
  readonly tests: readonly ((found: Package) => boolean)[];
  /** In the order of submissionTime and lastUpdateTime. */
  readonly page: KeyedPage;
  readonly count: boolean;
  /** Whether what the page's lists hold is shown too. */
  readonly items: boolean;
};

export type PackagesFound = Keyed<Package> & {
  readonly total?: number;
  readonly contents: Contents;
  /** What folders in submission sets hold, where items are shown. */
  readonly inside: Contents;
  /** Of the documents that are held, where items are shown. */
  readonly relations: Relations;
};

/**
 * A page of the submission sets and folders of a record that match and exist for the caller, with what they hold, and how many that is.
 * @throws Refused `patientNotNamed` when nobody names a patient or an object, as `lookUp` with names, and what the decision refuses
 */
export async function searchPackages(tools: Tools, request: Request, search: SearchPackages): Promise<PackagesFound> {
  const { names, patient, query } = search;
  if (names === undefined)
    return perform(tools, request, 'searchDocuments', recordAsked(request, patient), async (permit) => ({
      answer: await found(tools, permit, search),
      trace: { query: shortened(query) },
    }));
  const answers = new Map<string, PackagesFound>();
  const question = { query, ...(patient && { patient }) };
  const sought: Sought = { names: [{ by: 'anyVersion', values: names }], versions: 'latest' };
  await lookUp(tools, request, question, sought, async (permit) => {
    const answer = await found(tools, permit, search);
    answers.set(permit.record ?? '', answer);
    const sets = answer.items.flatMap((one) => (one.kind === 'set' ? [one.stored] : []));
    const folders = answer.items.flatMap((one) => (one.kind === 'folder' ? [one.stored] : []));
    return { ...nothing, sets, folders, associations: answer.contents.memberships };
  });
  const [only, ...more] = answers.values();
  return only !== undefined && more.length === 0 ? only : joined([...answers.values()], search);
}

/** The page of what several records have: each gave as much as a page holds. */
function joined(all: readonly PackagesFound[], { page, count }: SearchPackages): PackagesFound {
  const keyed = all.flatMap(({ items }) => items.map((one) => ({ one, key: keyOf(one) })));
  const { items, next } = pageOf(keyed, page);
  const last = next ?? (all.some((answer) => answer.next !== undefined) ? items.at(-1)?.key : undefined);
  return {
    items: items.map(({ one }) => one),
    ...(last && { next: last }),
    ...(count && { total: all.reduce((sum, { total = 0 }) => sum + total, 0) }),
    contents: joinedContents(all.map(({ contents }) => contents)),
    inside: joinedContents(all.map(({ inside }) => inside)),
    relations: new Map(all.flatMap(({ relations }) => [...relations])),
  };
}

/** What several packages of several records hold. */
export function joinedContents(all: readonly Contents[]): Contents {
  return {
    documents: all.flatMap(({ documents }) => documents),
    folders: all.flatMap(({ folders }) => folders),
    memberships: all.flatMap(({ memberships }) => memberships),
  };
}

async function found(tools: Tools, permit: Permit, search: SearchPackages): Promise<PackagesFound> {
  const { read } = tools.store;
  const held = search.holding && (await holdersOf(tools, permit, search.holding));
  const passes = (one: Package) =>
    (held === undefined || held.has(one.kind === 'set' ? one.set.entryUUID : one.folder.entryUUID)) &&
    search.tests.every((test) => test(one));
  const places: { key: PageKey; kind: Package['kind'] }[] = [];
  const add = (one: Package) => {
    if (passes(one)) places.push({ key: keyOf(one), kind: one.kind });
  };
  const { sets, folders } = search;
  if (sets !== undefined)
    for await (const some of batches((page) => read.submissionSets(permit, sets, page)))
      for (const stored of some) add({ kind: 'set', set: stored.set, stored });
  if (folders !== undefined)
    for await (const some of batches((page) => read.foldersMatching(permit, folders, page)))
      for (const stored of some) add({ kind: 'folder', folder: stored.folder, stored });
  const { items, next } = pageOf(places, search.page);
  const namesOf = (kind: Package['kind']) =>
    items.flatMap(({ key: [, name], kind: of }) => (of === kind ? [String(name)] : []));
  const page = await named(tools, permit, namesOf('set'), namesOf('folder'));
  const byName = new Map<string, Package>([
    ...page.sets.map((stored) => [stored.set.entryUUID, { kind: 'set', set: stored.set, stored }] as const),
    ...page.folders.map(
      (stored) => [stored.folder.entryUUID, { kind: 'folder', folder: stored.folder, stored }] as const,
    ),
  ]);
  const inner = search.items ? page.contents.folders.map(({ folder }) => folder.entryUUID) : [];
  return {
    items: items.flatMap(({ key: [, name] }) => byName.get(String(name)) ?? []),
    ...(next && { next }),
    ...(search.count && { total: places.length }),
    contents: page.contents,
    inside: await contentsOf(tools, permit, inner),
    relations: await relationsOf(tools, permit, search.items ? page.contents.documents : []),
  };
}

/** The time, then the entryUUID. */
function keyOf(one: Package): PageKey {
  return one.kind === 'set'
    ? [earliest(one.set.submissionTime), one.set.entryUUID]
    : [earliest(one.folder.lastUpdateTime), one.folder.entryUUID];
}

async function named(
  tools: Tools,
  permit: Permit,
  setNames: readonly string[],
  folderNames: readonly string[],
): Promise<Packages> {
  const { read } = tools.store;
  const [sets, folders] = await Promise.all([
    setNames.length === 0 ? [] : everyPage((page) => read.submissionSets(permit, { entryUUIDs: setNames }, page)),
    folderNames.length === 0
      ? []
      : everyPage((page) => read.foldersMatching(permit, { entryUUIDs: folderNames }, page)),
  ]);
  const contents = await contentsOf(tools, permit, [
    ...sets.map(({ set }) => set.entryUUID),
    ...folders.map(({ folder }) => folder.entryUUID),
  ]);
  return { sets, folders, contents };
}

/** What these submission sets and folders hold. */
async function contentsOf({ store: { read } }: Tools, permit: Permit, packages: readonly string[]): Promise<Contents> {
  if (packages.length === 0) return { documents: [], folders: [], memberships: [] };
  const wanted = new Set(packages);
  const naming = await read.associationsOf(permit, packages);
  const memberships = naming.filter(
    ({ type, source, status }) => type === 'HasMember' && status === 'approved' && wanted.has(source),
  );
  const members = [...new Set(memberships.map(({ target }) => target))];
  const [documents, folders] = await Promise.all([
    read.documentsByUuid(permit, members),
    everyPage((page) => read.foldersMatching(permit, { entryUUIDs: members }, page)),
  ]);
  return { documents, folders, memberships };
}

/** The submission sets, and the folders as they are now, that hold one of these documents, with all that they hold. */
export async function packagesHolding(
  tools: Tools,
  permit: Permit,
  documents: readonly StoredDocument[],
): Promise<Packages> {
  const lines = documents.map(({ entry }) => entry.logicalID);
  const names = [...(await holdersOf(tools, permit, lines))];
  return named(tools, permit, names, names);
}

/** What holds a version of one of these documents. */
async function holdersOf(
  { store: { read } }: Tools,
  permit: Permit,
  logicalIDs: readonly string[],
): Promise<ReadonlySet<string>> {
  if (logicalIDs.length === 0) return new Set();
  const versions = await read.documentsByLogicalId(permit, logicalIDs, { allVersions: true });
  const ids = new Set(versions.map(({ entry }) => entry.entryUUID));
  const naming = ids.size === 0 ? [] : await read.associationsOf(permit, [...ids]);
  return new Set(
    naming.flatMap(({ type, status, source, target }) =>
      type === 'HasMember' && status === 'approved' && ids.has(target) ? [source] : [],
    ),
  );
}
