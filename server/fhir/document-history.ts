import { type Problem, problem, refuse } from '../domain/error.ts';
import { isUuid } from '../domain/identifier.ts';
import { documentHistory } from '../usecases/document-history.ts';
import { unknownUnlessNamed } from './concealment.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { historyOf } from './history.ts';
import { stateHeaders } from './state.ts';

const type = 'DocumentReference';

async function statesOf({ tools, request, id }: Exchange): ReturnType<typeof documentHistory> {
  const logicalID = `urn:uuid:${id}`;
  return isUuid(logicalID)
    ? documentHistory(tools, request, logicalID)
    : refuse('resourceUnknown', { value: `${type}/${id}` });
}

/** All states of one document; where it is deleted, its entry has no resource. FHIR R4 http.html#history. */
async function history(exchange: Exchange): Promise<Answer> {
  const { states, relations } = await statesOf(exchange);
  if (states.length === 0) return { refused: [unknown(exchange.id)] };
  const versions = states.map((state) => ({
    version: state.revision,
    at: state.changedAt,
    ...(state.entry.status !== 'deleted' && {
      resource: exchange.writeDocument(state, relations.get(state.entry.entryUUID)).resource,
    }),
  }));
  return historyOf(exchange, type, versions);
}

/** One state. FHIR R4 http.html#vread. */
async function vread(exchange: Exchange): Promise<Answer> {
  const { id, version, writeDocument } = exchange;
  const { states, relations } = await statesOf(exchange);
  const state = states.find(({ revision }) => String(revision) === version);
  if (state === undefined) return { refused: [unknown(`${id}/_history/${version}`)] };
  if (state.entry.status === 'deleted')
    return { refused: [problem('resourceDeleted', { value: `${type}/${id}/_history/${version}` })] };
  return { body: writeDocument(state, relations.get(state.entry.entryUUID)).resource, headers: stateHeaders(state) };
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
