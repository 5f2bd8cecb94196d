import { type Problem, problem, refuse } from '../domain/error.ts';
import { isUuid } from '../domain/identifier.ts';
import type { StoredDocument } from '../store/port.ts';
import { documentHistory } from '../usecases/document-history.ts';
import { unknownUnlessNamed } from './concealment.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { readDate } from './search-values.ts';
import { etagOf, stateHeaders } from './state.ts';

const type = 'DocumentReference';

async function statesOf({ tools, request, id }: Exchange): Promise<readonly StoredDocument[]> {
  const logicalID = `urn:uuid:${id}`;
  return isUuid(logicalID)
    ? documentHistory(tools, request, logicalID)
    : refuse('resourceUnknown', { value: `${type}/${id}` });
}

/** All states of one document; where it is deleted, its entry has no resource. FHIR R4 http.html#history. */
async function history(exchange: Exchange): Promise<Answer> {
  const { id, base, parameters, writeDocument } = exchange;
  const since = sinceOf(parameters);
  const states = await statesOf(exchange);
  if (states.length === 0) return { refused: [unknown(id)] };
  const entries = states
    .filter(({ changedAt }) => since === undefined || changedAt >= since)
    .map((state) => {
      const isDeleted = state.entry.status === 'deleted';
      const first = state.revision === 1;
      const request = { method: isDeleted ? 'DELETE' : first ? 'POST' : 'PUT', url: first ? type : `${type}/${id}` };
      const response = {
        status: isDeleted ? '204' : first ? '201' : '200',
        etag: etagOf(state),
        lastModified: new Date(state.changedAt).toISOString(),
      };
      const resource = isDeleted ? '' : `"resource":${writeDocument(state).resource.toString()},`;
      return `{"fullUrl":${JSON.stringify(`${base}/${type}/${id}`)},${resource}"request":${JSON.stringify(request)},"response":${JSON.stringify(response)}}`;
    });
  const link = [{ relation: 'self', url: `${base}/${type}/${id}/_history` }];
  const head = `{"resourceType":"Bundle","type":"history","total":${entries.length},"link":${JSON.stringify(link)}`;
  return { body: entries.length === 0 ? `${head}}` : `${head},"entry":[${entries.join(',')}]}` };
}

function sinceOf(parameters: Exchange['parameters']): number | undefined {
  const text = parameters.find(([name]) => name === '_since')?.[1];
  if (text === undefined) return undefined;
  const date = readDate(text);
  return date?.prefix === 'eq'
    ? date.from
    : refuse('parameterMalformed', { attribute: '_since', value: text, detail: 'an instant is expected' });
}

/** One state. FHIR R4 http.html#vread. */
async function vread(exchange: Exchange): Promise<Answer> {
  const { id, version, writeDocument } = exchange;
  const states = await statesOf(exchange);
  const state = states.find(({ revision }) => String(revision) === version);
  if (state === undefined) return { refused: [unknown(`${id}/_history/${version}`)] };
  if (state.entry.status === 'deleted')
    return { refused: [problem('resourceDeleted', { value: `${type}/${id}/_history/${version}` })] };
  return { body: writeDocument(state).resource, headers: stateHeaders(state) };
}

function unknown(id: string): Problem {
  return problem('resourceUnknown', { value: `${type}/${id}` });
}

const of = {
  method: 'GET',
  resource: type,
  transaction: 'read',
  action: 'lookUpDocuments',
  told: unknownUnlessNamed(type),
} as const;

/** What a document was. */
export const documentHistoryInteractions: readonly Interaction[] = [
  {
    ...of,
    path: `/${type}/:id/_history`,
    interaction: 'history-instance',
    what: 'Every state of one document entry',
    handle: history,
  },
  {
    ...of,
    path: `/${type}/:id/_history/:version`,
    interaction: 'vread',
    what: 'One state of one document entry',
    handle: vread,
  },
];
