import { problem, Refused, refuse } from '../domain/error.ts';
import { isUuid } from '../domain/identifier.ts';
import type { StoredDocument } from '../store/port.ts';
import { findPage, getDocuments } from '../usecases/query.ts';
import { searchset } from './bundle.ts';
import { unknownUnlessNamed } from './concealment.ts';
import {
  besidesNames,
  type DocumentQuestion,
  documentParameters,
  emptyQuestion,
  filterOf,
  passes,
} from './document-search.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { type PagedSearch, readPagedSearch } from './paged-search.ts';
import { etagOf, stateHeaders } from './state.ts';

const type = 'DocumentReference';

async function search(exchange: Exchange): Promise<Answer> {
  const asked = readPagedSearch(exchange, type, documentParameters, () => emptyQuestion(exchange.base));
  const found = await orNothing((namesOf(asked.asked) === undefined ? byFilter : byName)(exchange, asked));
  const { writeDocument, request } = exchange;
  const last = found.items.at(-1);
  return {
    body: searchset(
      {
        total: found.total,
        self: asked.self,
        ...(found.more && last && { next: asked.next(last.position) }),
        entries: found.items.map((document) => writeDocument(document).entry),
        warnings: asked.warnings,
      },
      request.origin.requestId,
    ),
  };
}

type Found = { readonly items: readonly StoredDocument[]; readonly more: boolean; readonly total: number };

async function byFilter(
  { tools, request }: Exchange,
  { asked, page, query }: PagedSearch<DocumentQuestion>,
): Promise<Found> {
  const { patient } = asked;
  const find = { ...(patient && { patient }), filter: filterOf(asked), page, count: true, query };
  const { items, more, total = items.length } = await findPage(tools, request, find);
  return { items, more: more && items.length > 0, total };
}

async function byName({ tools, request }: Exchange, { asked, query }: PagedSearch<DocumentQuestion>): Promise<Found> {
  const { patient } = asked;
  const names = namesOf(asked);
  if (names === undefined || besidesNames(asked))
    refuse('parameterMalformed', {
      attribute: 'identifier',
      detail: 'beside identifier or _id only patient, status and isArchived may be asked',
    });
  const documents = await getDocuments(tools, request, { ...names, filter: {}, query, ...(patient && { patient }) });
  const items = documents.filter(({ entry }) => passes(entry, asked));
  return { items, more: false, total: items.length };
}

export function namesOf({ entryUUIDs, logicalIDs, uniqueIds }: DocumentQuestion) {
  if (logicalIDs !== undefined) return { by: 'logicalID', values: logicalIDs } as const;
  if (entryUUIDs !== undefined) return { by: 'anyVersion', values: entryUUIDs } as const;
  return uniqueIds === undefined ? undefined : ({ by: 'uniqueId', values: uniqueIds } as const);
}

/** A search of a patient who is unknown finds nothing. */
async function orNothing(found: Promise<Found>): Promise<Found> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof Refused && error.problems[0]?.name === 'unknownPatient')
      return { items: [], more: false, total: 0 };
    throw error;
  }
}

async function read({ tools, request, id, header, writeDocument }: Exchange): Promise<Answer> {
  const unknown = problem('resourceUnknown', { value: `${type}/${id}` });
  const logicalID = `urn:uuid:${id}`;
  if (!isUuid(logicalID)) throw new Refused([unknown]);
  const [document] = await getDocuments(tools, request, { by: 'logicalID', values: [logicalID], filter: {} });
  if (document === undefined) return { refused: [unknown] };
  if (document.entry.status === 'deleted') return { refused: [problem('resourceDeleted', { value: `${type}/${id}` })] };
  if (header('If-None-Match') === etagOf(document)) return { body: '', status: 304, headers: stateHeaders(document) };
  return { body: writeDocument(document).resource, headers: stateHeaders(document) };
}

const find = {
  resource: type,
  interaction: 'search-type',
  transaction: 'ITI-67',
  action: 'searchDocuments',
  handle: search,
} as const;

/** Find Document References, and the read of one. IHE MHD 2:3.67; FHIR R4 http.html#read. */
export const documentInteractions: readonly Interaction[] = [
  { ...find, method: 'GET', path: `/${type}`, what: 'Find documents of a patient' },
  { ...find, method: 'POST', path: `/${type}/_search`, what: 'The same, parameters in the body' },
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
