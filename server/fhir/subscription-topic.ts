import type { Basic, Extension } from 'fhir/r4.js';
import { refuse } from '../domain/error.ts';
import { ownSubscriptions } from '../usecases/subscribe.ts';
import { entryOf, searchset } from './bundle.ts';
import { type Answer, type Exchange, type Interaction, searchesOf } from './exchange.ts';
import { type Paging, type ParameterTable, queryString, readSearch } from './search.ts';
import { alternatives, readToken } from './search-values.ts';
import { canonicalOf, type Topic, topicOf, topics } from './subscription-topics.ts';
import { profiles, subscriptions } from './vocabulary.ts';

const type = 'Basic';

type TopicQuestion = Paging & { tests: ((topic: Topic) => boolean)[] };

function row(kind: 'token' | 'uri', documentation: string, is: (topic: Topic, text: string) => boolean) {
  return {
    type: kind,
    documentation,
    read(value: string, { tests }: TopicQuestion) {
      const wanted = alternatives(value).map((text) => readToken(text).code);
      tests.push((topic) => wanted.some((text) => is(topic, text)));
      return [];
    },
  } as const;
}

/** Search parameters of the topics. IHE DSUBm, ITI-114. */
export const topicParameters: ParameterTable<TopicQuestion> = {
  _id: row('token', 'Id of the topic', ({ name }, text) => name === text),
  code: row('token', 'SubscriptionTopic', (_topic, text) => text === subscriptions.topicCode.code),
  status: row('token', 'active', (_topic, text) => text === 'active'),
  resource: row('uri', 'What the topic watches: its type, or its profile', (topic, text) =>
    [topic.resource, profileOf(topic)].includes(text),
  ),
  url: row('uri', 'Canonical address', (topic, text) => topicOf(text) === topic),
  'derived-or-self': row('uri', 'Canonical address', (topic, text) => topicOf(text) === topic),
};

async function search(exchange: Exchange): Promise<Answer> {
  const { tools, request, parameters, strict, base } = exchange;
  const asked: TopicQuestion = { tests: [] };
  const { used, warnings } = readSearch(parameters, topicParameters, asked, strict);
  const query = `${type}?${queryString(used)}`;
  await ownSubscriptions(tools, request, query);
  const found = topics.filter((topic) => asked.tests.every((test) => test(topic)));
  const entries = found.map((topic) => entryOf(`${base}/${type}/${topic.name}`, JSON.stringify(basicOf(topic))).bytes);
  return {
    body: searchset({ total: found.length, self: `${base}/${query}`, entries, warnings }, request.origin.requestId),
  };
}

async function read({ tools, request, id }: Exchange): Promise<Answer> {
  await ownSubscriptions(tools, request, `${type}/${id}`);
  const topic = topics.find(({ name }) => name === id) ?? refuse('resourceUnknown', { value: `${type}/${id}` });
  return { body: JSON.stringify(basicOf(topic)) };
}

/** Which interactions of FHIR a topic tells of. */
function interactionsOf({ interest: { kinds } }: Topic): string[] {
  const isUpdate = kinds.some((kind) => kind !== 'created' && kind !== 'removed');
  return ['create', ...(isUpdate ? ['update'] : []), ...(kinds.includes('removed') ? ['delete'] : [])];
}

function profileOf({ interest: { object } }: Topic): string {
  return object === 'document'
    ? profiles.mhdDocument
    : object === 'folder'
      ? profiles.mhdFolder
      : profiles.mhdSubmissionSet;
}

/** A topic as R4 can hold it: R5's SubscriptionTopic in extensions of a Basic. Subscriptions R5 Backport 1.1, SubscriptionTopic in R4. */
export function basicOf(topic: Topic): Basic {
  const { name, title, filters } = topic;
  const of = (element: string, value: Omit<Extension, 'url'>): Extension => ({
    url: subscriptions.topicElement + element,
    ...value,
  });
  const profile = profileOf(topic);
  return {
    resourceType: 'Basic',
    id: name,
    extension: [
      of('url', { valueUri: canonicalOf(topic) }),
      of('title', { valueString: title }),
      of('status', { valueCode: 'active' }),
      of('resourceTrigger', {
        extension: [
          { url: 'description', valueMarkdown: title },
          { url: 'resource', valueUri: profile },
          ...interactionsOf(topic).map((valueCode) => ({ url: 'supportedInteraction', valueCode })),
        ],
      }),
      ...filters.map((filter) =>
        of('canFilterBy', {
          extension: [
            { url: 'resource', valueUri: profile },
            { url: 'filterParameter', valueString: filter },
          ],
        }),
      ),
    ],
    code: { coding: [{ ...subscriptions.topicCode }] },
  };
}

const common = { resource: type, transaction: 'ITI-114', action: 'manageSubscriptions' } as const;
const finding = { ...common, handle: search } as const;

/** Resource SubscriptionTopic Search. IHE DSUBm, ITI-114. */
export const topicInteractions: readonly Interaction[] = [
  ...searchesOf({ ...finding, what: 'Topics of subscriptions' }),
  { ...common, method: 'GET', path: `/${type}/:id`, interaction: 'read', what: 'Read one topic', handle: read },
];
