import type { Permit } from '../domain/decision.ts';
import { earliest } from '../domain/time.ts';
import type { DocumentFilter, StoredDocument } from '../store/port.ts';
import { batches, type Keyed, type KeyedPage, type PageKey, pageOf } from './paging.ts';
import { perform, type Request, shortened, type Tools } from './perform.ts';
import { type DocumentNames, documentsNamed, lookUp, nothing, type Question, recordAsked } from './query.ts';
import { type Relation, type Relations, relationsOf } from './relations.ts';
import { joinedContents, type Packages, packagesHolding } from './search-packages.ts';

/** What an order goes by; objects that say nothing of it come last in a descending one. */
export type DocumentOrder = 'arrival' | 'changed' | 'creation' | 'start';

/** What is asked of each document itself. */
export type DocumentTest = (found: {
  readonly document: StoredDocument;
  readonly relations: readonly Relation[];
}) => boolean;

export type SearchDocuments = Omit<Question, 'limit' | 'meanwhile'> & {
  readonly filter: DocumentFilter;
  /** The documents are among those that have one of these names; what no patient is needed for. */
  readonly names?: readonly DocumentNames[];
  /** All must hold. With any, and in another order than that of arrival, newest first, each document that passes the filter is read. */
  readonly tests: readonly DocumentTest[];
  /** The first one first, each within the one before. */
  readonly orders: readonly DocumentOrder[];
  readonly page: KeyedPage;
  /** Whether to count all that match. */
  readonly count: boolean;
  /** What is found besides: documents that those of the page relate to, and what holds those of the page. */
  readonly besides: { readonly targets: boolean; readonly packages: boolean };
  /** What can be done with what was found in a record while its event is being written. It is answered after that alone, or never. */
  readonly meanwhile?: (found: DocumentsFound) => void;
};

export type DocumentsFound = Keyed<StoredDocument> & {
  readonly total?: number;
  /** Of the documents found, and of the targets. */
  readonly relations: Relations;
  readonly targets: readonly StoredDocument[];
  readonly packages?: Packages;
};

/**
 * A page of the documents of a record that match and exist for the caller, how many that is where it is asked, and what they relate to.
 * @throws Refused `patientNotNamed` when nobody names a patient or a document, as `lookUp` with names, and what the decision refuses
 */
export async function searchDocuments(
  tools: Tools,
  request: Request,
  search: SearchDocuments,
): Promise<DocumentsFound> {
  const { names, patient, query, meanwhile } = search;
  if (names !== undefined) return searchNamed(tools, request, search, names);
  return perform(tools, request, 'searchDocuments', recordAsked(request, patient), async (permit) => {
    const page = isUsual(search) ? await usualPage(tools, permit, search) : await testedPage(tools, permit, search);
    const answer = { ...page, ...(await besides(tools, permit, page.items, search)) };
    return {
      answer,
      trace: { query: shortened(query) },
      ...(meanwhile && { meanwhile: () => meanwhile(answer) }),
    };
  });
}

/** Documents by their names, with what they relate to. @throws Refused as `lookUp` */
export async function readDocuments(tools: Tools, request: Request, names: DocumentNames): Promise<DocumentsFound> {
  const query = `${names.by}=${names.values.join(',')}`;
  const all = { limit: Number.MAX_SAFE_INTEGER };
  const plain = { tests: [], orders: ['arrival'], count: false, besides: { targets: false, packages: false } } as const;
  return searchNamed(tools, request, { ...plain, filter: {}, page: all, query }, [names]);
}

function isUsual({ tests, orders, page: { ascending = false } }: SearchDocuments): boolean {
  return tests.length === 0 && orders.length === 1 && orders[0] === 'arrival' && ascending === false;
}

type Found = Keyed<StoredDocument> & { readonly total?: number };

/** As the store pages by itself. */
async function usualPage({ store: { read } }: Tools, permit: Permit, search: SearchDocuments): Promise<Found> {
  const { filter, count, page } = search;
  const { limit } = page;
  const before = page.after === undefined ? undefined : Number(page.after[0]);
  const none = { items: [], more: true };
  const { items, more } =
    limit === 0 ? none : await read.documents(permit, filter, { limit, ...(before !== undefined && { before }) });
  const last = items.at(-1);
  const isAll = before === undefined && !more;
  const total = !count ? undefined : isAll ? items.length : await read.countDocuments(permit, filter);
  return { items, ...(more && last && { next: [last.position] }), ...(total !== undefined && { total }) };
}

/** Looks at every document that passes the filter, keeping no more of it than its place. */
async function testedPage(tools: Tools, permit: Permit, search: SearchDocuments): Promise<Found> {
  const { read } = tools.store;
  const places: { key: PageKey; name: string }[] = [];
  for await (const documents of batches((page) => read.documents(permit, search.filter, page)))
    for (const document of await passing(tools, permit, documents, search))
      places.push({ key: keyOf(document, search.orders), name: document.entry.entryUUID });
  const { items, next } = pageOf(places, search.page);
  const names = items.map(({ name }) => name);
  const found = new Map((await read.documentsByUuid(permit, names)).map((d) => [d.entry.entryUUID, d]));
  return {
    items: names.flatMap((name) => found.get(name) ?? []),
    ...(next && { next }),
    ...(search.count && { total: places.length }),
  };
}

async function passing(
  tools: Tools,
  permit: Permit,
  documents: readonly StoredDocument[],
  { tests }: SearchDocuments,
): Promise<readonly StoredDocument[]> {
  if (tests.length === 0) return documents;
  const relations = await relationsOf(tools, permit, documents);
  return documents.filter((document) =>
    tests.every((test) => test({ document, relations: relations.get(document.entry.entryUUID) ?? [] })),
  );
}

function keyOf(document: StoredDocument, orders: readonly DocumentOrder[]): PageKey {
  return [...orders.map((order) => placeIn(document, order)), document.position];
}

function placeIn({ position, changedAt, entry }: StoredDocument, order: DocumentOrder): PageKey[number] {
  if (order === 'arrival') return position;
  if (order === 'changed') return changedAt;
  const time = order === 'creation' ? entry.creationTime : entry.serviceStartTime;
  return time === undefined ? '' : earliest(time);
}

/** What the filter lets pass of what has the names; each record is judged on its own. */
async function searchNamed(
  tools: Tools,
  request: Request,
  search: SearchDocuments,
  names: readonly DocumentNames[],
): Promise<DocumentsFound> {
  const { patient, query, filter } = search;
  const answers = new Map<string, Awaited<ReturnType<typeof besides>> & { items: readonly StoredDocument[] }>();
  const question = { query, ...(patient && { patient }) };
  await lookUp(tools, request, question, { names, versions: 'latest' }, async (permit) => {
    const documents = distinct(
      (await Promise.all(names.map((some) => documentsNamed(tools, permit, some, {})))).flat(),
    );
    const items = await passing(tools, permit, await filtered(tools, permit, documents, filter), search);
    const also = await besides(tools, permit, items, search);
    answers.set(permit.record ?? '', { items, ...also });
    return { ...nothing, documents, associations: [...also.relations.values()].flat().map((r) => r.association) };
  });
  const all = [...answers.values()];
  const keyed = all.flatMap(({ items }) =>
    items.map((document) => ({ document, key: keyOf(document, search.orders) })),
  );
  const { items, next } = pageOf(keyed, search.page);
  return {
    items: items.map(({ document }) => document),
    ...(next && { next }),
    ...(search.count && { total: keyed.length }),
    relations: new Map(all.flatMap(({ relations }) => [...relations])),
    targets: all.flatMap(({ targets }) => targets),
    ...(search.besides.packages && { packages: joinedPackages(all.flatMap(({ packages }) => packages ?? [])) }),
  };
}

/** Those that pass; without anything asked, all do. */
async function filtered(
  { store: { read } }: Tools,
  permit: Permit,
  documents: readonly StoredDocument[],
  filter: DocumentFilter,
): Promise<readonly StoredDocument[]> {
  if (documents.length === 0 || Object.keys(filter).length === 0) return documents;
  const names = documents.map(({ entry }) => entry.entryUUID);
  return read.documentsByUuid(permit, names, filter);
}

function joinedPackages(all: readonly Packages[]): Packages {
  return {
    sets: all.flatMap(({ sets }) => sets),
    folders: all.flatMap(({ folders }) => folders),
    contents: joinedContents(all.map(({ contents }) => contents)),
  };
}

function distinct(documents: readonly StoredDocument[]): StoredDocument[] {
  return [...new Map(documents.map((document) => [document.entry.entryUUID, document])).values()];
}

async function besides(
  tools: Tools,
  permit: Permit,
  items: readonly StoredDocument[],
  { besides: wanted }: Pick<SearchDocuments, 'besides'>,
): Promise<Pick<DocumentsFound, 'relations' | 'targets' | 'packages'>> {
  const relations = await relationsOf(tools, permit, items);
  if (relations.size === 0 && !wanted.packages) return { relations, targets: [] };
  const found = new Set(items.map(({ entry }) => entry.logicalID));
  const related = [...relations.values()]
    .flat()
    .flatMap(({ target }) => ('document' in target ? [target.document.entry.logicalID] : []));
  const lines = wanted.targets ? [...new Set(related)].filter((line) => !found.has(line)) : [];
  const targets = lines.length === 0 ? [] : await tools.store.read.documentsByLogicalId(permit, lines, {});
  const further = await relationsOf(tools, permit, targets);
  const packages = wanted.packages ? await packagesHolding(tools, permit, items) : undefined;
  return {
    relations: further.size === 0 ? relations : new Map([...relations, ...further]),
    targets,
    ...(packages && { packages }),
  };
}
