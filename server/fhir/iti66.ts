import { problem, refuse } from '../domain/error.ts';
import { isUuid } from '../domain/identifier.ts';
import { type Package, type PackagesFound, searchPackages } from '../usecases/search-packages.ts';
import { unknownUnlessNamed } from './concealment.ts';
import { type Answer, type Exchange, type Interaction, searchesOf } from './exchange.ts';
import { holdersOf } from './included.ts';
import { emptyListQuestion, type ListQuestion, listParameters, packagesAsked } from './list-search.ts';
import { folderAsList, setAsList, type WrittenList } from './list-writer.ts';
import { answerSearch, type FoundHits, type Hit, type PagedSearch, searchOf } from './paged-search.ts';

const type = 'List';

const includes = { subject: `${type}:subject`, patient: `${type}:patient`, items: `${type}:item` } as const;

/** How submission sets and folders are searched. */
export const listSearch = searchOf<ListQuestion>({
  type,
  parameters: listParameters,
  sorts: ['date', '_lastUpdated'],
  counted: 'always',
  includes: [includes.subject, includes.patient, includes.items],
  revIncludes: [],
});

async function search(exchange: Exchange): Promise<Answer> {
  const { base, tools } = exchange;
  return answerSearch(
    exchange,
    listSearch,
    () => emptyListQuestion(base, tools.now()),
    (asked) => find(exchange, asked),
  );
}

async function find(exchange: Exchange, { asked, page, count, query }: PagedSearch<ListQuestion>): Promise<FoundHits> {
  const { tools, request, base } = exchange;
  const { includes: wanted = [] } = asked;
  const found = await searchPackages(tools, request, {
    ...packagesAsked(asked),
    page,
    count,
    items: wanted.includes(includes.items),
    query,
  });
  const { items, next, total } = found;
  const holders = wanted.includes(includes.subject) || wanted.includes(includes.patient);
  const matches = items.map((one) => listOf(one, found, base));
  return {
    matches,
    included: [
      ...(holders
        ? await holdersOf(
            exchange,
            items.map(({ stored }) => stored),
          )
        : []),
      ...(wanted.includes(includes.items) ? itemsOf(exchange, found, matches) : []),
    ],
    ...(next && { next }),
    ...(total !== undefined && { total }),
  };
}

function listOf(one: Package, { contents }: PackagesFound, base: string): WrittenList {
  return one.kind === 'set' ? setAsList(one.stored, contents, base) : folderAsList(one.stored, contents, base);
}

/** The members of the lists found, each once. */
function itemsOf({ writeDocument, base }: Exchange, found: PackagesFound, matches: readonly Hit[]): Hit[] {
  const { contents, inside, relations } = found;
  const hits = [
    ...contents.documents.map((document) => writeDocument(document, relations.get(document.entry.entryUUID))),
    ...contents.folders.map((stored) => folderAsList(stored, inside, base)),
  ];
  const matched = new Set(matches.map(({ fullUrl }) => fullUrl));
  const byUrl = new Map(hits.map((hit) => [hit.fullUrl, hit]));
  return [...byUrl.values()].filter(({ fullUrl }) => !matched.has(fullUrl));
}

async function read(exchange: Exchange): Promise<Answer> {
  const { tools, request, id, base } = exchange;
  const unknown = { value: `${type}/${id}` };
  const name = `urn:uuid:${id}`;
  if (!isUuid(name)) refuse('resourceUnknown', unknown);
  const found = await searchPackages(tools, request, {
    names: [name],
    sets: { entryUUIDs: [name] },
    folders: { logicalIDs: [name] },
    tests: [],
    page: { limit: 1 },
    count: false,
    items: false,
    query: `${type}/${id}`,
  });
  const [one] = found.items;
  if (one === undefined) return { refused: [problem('resourceUnknown', unknown)] };
  const { list, resource } = listOf(one, found, base);
  return { body: resource, headers: { ETag: `W/"${list.meta?.versionId ?? 1}"` } };
}

const finding = {
  resource: type,
  transaction: 'ITI-66',
  action: 'searchDocuments',
  handle: search,
} as const;

/** Find Document Lists, and the read of one. IHE MHD 2:3.66; FHIR R4 http.html#read. */
export const listInteractions: readonly Interaction[] = [
  ...searchesOf({ ...finding, what: 'Find submission sets and folders of a patient' }),
  {
    method: 'GET',
    path: `/${type}/:id`,
    resource: type,
    interaction: 'read',
    transaction: 'read',
    action: 'lookUpDocuments',
    what: 'Read one submission set or folder',
    handle: read,
    told: unknownUnlessNamed(type),
  },
];
