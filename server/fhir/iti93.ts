import { type Problem, problem, Refused } from '../domain/error.ts';
import type { Identifier } from '../domain/identifier.ts';
import { isTraced, traceFailure } from '../usecases/perform.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { type FeedOrder, obeyFeed } from './identity-feed.ts';
import { answerStatus, outcomeOf } from './outcome.ts';
import { identifiersIn } from './read/identity.ts';
import { type FeedMessage, messageIn, type Told } from './read/message.ts';
import { readIdentifier } from './search-values.ts';
import { operations, pmir } from './vocabulary.ts';

const type = 'Patient';
const action = 'feedIdentities';

/** What became of one entry: its HTTP status, where the patient is, or what was wrong. */
type Done = { readonly status: number; readonly location?: string; readonly problems: readonly Problem[] };

/** Every entry is done by itself, in its order; the answer tells what became of each. IHE PMIR, ITI-93. */
async function processMessage(exchange: Exchange): Promise<Answer> {
  const message = await readMessage(exchange);
  const done: Done[] = [];
  for (const told of message.entries) done.push(await obey(exchange, told));
  const refused = done.map(({ problems }) => problems.find(({ name }) => name === 'accessDenied'));
  const [first] = refused;
  if (first !== undefined && refused.every((one) => one !== undefined)) return { refused: [first] };
  return { body: JSON.stringify(answerOf(exchange, message, done)) };
}

/** @throws Refused with everything that is wrong about the message */
async function readMessage(exchange: Exchange): Promise<FeedMessage> {
  const { message, problems } = messageIn(await exchange.json());
  if (message === undefined) throw new Refused(problems);
  const { header, entries } = message;
  if (header.eventUri !== pmir.feed) throw new Refused([problem('messageEventUnknown', { value: header.eventUri })]);
  const { entries: most } = exchange.limits;
  if (entries.length > most)
    throw new Refused([problem('tooManyEntries', { value: String(entries.length), detail: String(most) })]);
  return message;
}

async function obey({ tools, request, base }: Exchange, told: Told): Promise<Done> {
  try {
    const { status, record } = await obeyFeed(tools, request, orderIn(told));
    const location = record && `${base}/${type}/${record.id}/_history/${record.version}`;
    return { status, problems: [], ...(location !== undefined && { location }) };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (!isTraced(error)) await traceFailure(tools, request, action, error.problems);
    // Who was merged away is told of again: the merge would have to be undone, which is not done here.
    const isUnmerge = told.method === 'PUT' && error.problems.some(({ name }) => name === 'unknownPatient');
    const problems = isUnmerge ? [problem('interactionUnsupported', { value: 'unmerge' })] : error.problems;
    return { status: answerStatus(problems), problems };
  }
}

/** @throws Refused parameterMalformed for a condition that is no identifier */
function orderIn({ method, url, ifNoneExist, patient }: Told): FeedOrder {
  const [, query] = url.split('?');
  if (method === 'DELETE' || patient === undefined) {
    const id = /(?:^|\/)Patient\/([A-Za-z0-9.-]{1,64})$/.exec(url)?.[1];
    return { method: 'DELETE', meant: id === undefined ? conditionIn(query) : { record: id } };
  }
  if (method === 'POST')
    return { method, patient, ...(ifNoneExist !== undefined && { ifNoneExist: conditionIn(ifNoneExist) }) };
  if (query !== undefined) return { method: 'PUT', patient, meant: conditionIn(query) };
  // The id may be the sender's own: it is asked only where the patient has no identifier.
  const id = identifiersIn(patient).length > 0 ? undefined : (patient.id ?? url.split('/').at(-1));
  return { method: 'PUT', patient, meant: id === undefined ? undefined : { record: id } };
}

function conditionIn(query = ''): Identifier {
  const [[name, value] = ['', ''], ...more] = [...new URLSearchParams(query)];
  const identifier = readIdentifier(value);
  if (name === 'identifier' && identifier !== undefined && more.length === 0) return identifier;
  const detail = 'one identifier=urn:oid:<OID>|<value> is expected';
  throw new Refused([problem('parameterMalformed', { attribute: 'identifier', value: query, detail })]);
}

/** The answer to a message: what became of it, and of each entry. IHE PMIR, MessageHeader.Response. */
function answerOf({ tools, base, request }: Exchange, { id, header }: FeedMessage, done: readonly Done[]) {
  const [headerId, resultsId] = [tools.newId(), tools.newId()];
  const isDone = done.every(({ problems }) => problems.length === 0);
  const results = done.map(({ status, location, problems }) => ({
    response: {
      status: String(status),
      ...(location !== undefined && { location }),
      ...(problems.length > 0 && { outcome: outcomeOf(problems, request.origin.requestId) }),
    },
  }));
  return {
    resourceType: 'Bundle',
    type: 'message',
    timestamp: new Date(tools.now()).toISOString(),
    entry: [
      {
        fullUrl: `urn:uuid:${headerId}`,
        resource: {
          resourceType: 'MessageHeader',
          id: headerId,
          eventUri: pmir.answer,
          source: { endpoint: `${base}/$process-message` },
          response: { identifier: header.id || id || request.origin.requestId, code: isDone ? 'ok' : 'fatal-error' },
          focus: [{ reference: `urn:uuid:${resultsId}` }],
        },
      },
      {
        fullUrl: `urn:uuid:${resultsId}`,
        resource: { resourceType: 'Bundle', id: resultsId, type: 'batch-response', entry: results },
      },
    ],
  };
}

/** Mobile Patient Identity Feed. IHE PMIR, ITI-93. */
export const messageInteractions: readonly Interaction[] = [
  {
    method: 'POST',
    path: '/$process-message',
    resource: 'system',
    interaction: 'operation',
    operation: { name: 'process-message', definition: operations.processMessage },
    transaction: 'ITI-93',
    action,
    what: 'A message that tells of patients: new, changed, merged, removed',
    handle: processMessage,
  },
];
