import { problem, Refused } from '../domain/error.ts';
import { isUuid } from '../domain/identifier.ts';
import {
  type DocumentOrder,
  type DocumentsFound,
  readDocuments,
  searchDocuments,
} from '../usecases/search-documents.ts';
import { unknownUnlessNamed } from './concealment.ts';
import { documentParameters } from './document-parameters.ts';
import { type DocumentQuestion, emptyQuestion, filterOf } from './document-search.ts';
import { type Answer, type Exchange, type Interaction, searchesOf } from './exchange.ts';
import { holdersOf } from './included.ts';
import { listsOf } from './list-writer.ts';
import { answerSearch, type FoundHits, type Hit, type PagedSearch, searchOf } from './paged-search.ts';
import { stateHeaders } from './state.ts';

const type = 'DocumentReference';

/** What `_sort` names, and what the store orders by. */
const orders: ReadonlyMap<string, DocumentOrder> = new Map([
  ['date', 'arrival'],
  ['_lastUpdated', 'changed'],
  ['creation', 'creation'],
  ['period', 'start'],
]);

const usualOrder = [{ by: 'date' }] as const;

const includes = {
  subject: `${type}:subject`,
  patient: `${type}:patient`,
  targets: `${type}:relatesto`,
  lists: 'List:item',
} as const;

/** How documents are searched. */
export const documentSearch = searchOf<DocumentQuestion>({
  type,
  parameters: documentParameters,
  sorts: [...orders.keys()],
  sortsWithin: true,
  counted: 'always',
  includes: [includes.subject, includes.patient, includes.targets],
  revIncludes: [includes.lists],
});

async function search(exchange: Exchange): Promise<Answer> {
  const { base, tools } = exchange;
  return answerSearch(
    exchange,
    documentSearch,
    () => emptyQuestion(base, tools.now()),
    (asked) => find(exchange, asked),
  );
}

async function find(exchange: Exchange, search: PagedSearch<DocumentQuestion>): Promise<FoundHits> {
  const { tools, request, base } = exchange;
  const { asked, page, count, query } = search;
  const written = new Map<DocumentsFound['items'][number], Hit>();
  const { patient, names, tests, sort = usualOrder, includes: wanted = [], revIncludes = [] } = asked;
  const found = await searchDocuments(tools, request, {
    ...(patient && { patient }),
    ...(names && { names }),
    filter: filterOf(asked),
    tests,
    orders: sort.map(({ by }) => orders.get(by) ?? 'arrival'),
    page,
    count,
    besides: { targets: wanted.includes(includes.targets), packages: revIncludes.includes(includes.lists) },
    query,
    meanwhile: (soon) => {
      for (const document of soon.items) written.set(document, writerOf(exchange, soon)(document));
    },
  });
  const { items, targets, packages, next, total } = found;
  const write = writerOf(exchange, found);
  const holders = wanted.includes(includes.subject) || wanted.includes(includes.patient);
  return {
    matches: items.map((document) => written.get(document) ?? write(document)),
    included: [
      ...(holders ? await holdersOf(exchange, items) : []),
      ...targets.map(write),
      ...(packages ? listsOf(packages, base) : []),
    ],
    ...(next && { next }),
    ...(total !== undefined && { total }),
  };
}

/** Writes what was found, with its relations. */
function writerOf({ writeDocument }: Exchange, { relations }: Pick<DocumentsFound, 'relations'>) {
  return (document: DocumentsFound['items'][number]) =>
    writeDocument(document, relations.get(document.entry.entryUUID));
}

async function read(exchange: Exchange): Promise<Answer> {
  const { tools, request, id } = exchange;
  const unknown = problem('resourceUnknown', { value: `${type}/${id}` });
  const logicalID = `urn:uuid:${id}`;
  if (!isUuid(logicalID)) throw new Refused([unknown]);
  const found = await readDocuments(tools, request, { by: 'logicalID', values: [logicalID] });
  const [document] = found.items;
  if (document === undefined) return { refused: [unknown] };
  if (document.entry.status === 'deleted') return { refused: [problem('resourceDeleted', { value: `${type}/${id}` })] };
  return { body: writerOf(exchange, found)(document).resource, headers: stateHeaders(document) };
}

const finding = {
  resource: type,
  transaction: 'ITI-67',
  action: 'searchDocuments',
  handle: search,
} as const;

/** Find Document References, and the read of one. IHE MHD 2:3.67; FHIR R4 http.html#read. */
export const documentInteractions: readonly Interaction[] = [
  ...searchesOf({ ...finding, what: 'Find documents of a patient' }),
  {
    method: 'GET',
    path: `/${type}/:id`,
    resource: type,
    interaction: 'read',
    transaction: 'read',
    action: 'lookUpDocuments',
    what: 'Read one document entry',
    handle: read,
    told: unknownUnlessNamed(type),
  },
];
