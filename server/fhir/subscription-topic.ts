import type { Basic, Extension } from 'fhir/r4.js';
import { refuse } from '../domain/error.ts';
import { pageOf } from '../usecases/paging.ts';
import { ownSubscriptions } from '../usecases/subscribe.ts';
import { type Answer, type Exchange, type Interaction, searchesOf } from './exchange.ts';
import { answerSearch, searchOf } from './paged-search.ts';
import type { Results } from './result-parameters.ts';
import type { Parameter } from './search.ts';
import { type Conditions, fixed, tokenRows } from './search-conditions.ts';
import { alternatives, unescaped } from './search-values.ts';
import { canonicalOf, type Topic, topicOf, topics } from './subscription-topics.ts';
import { fixedSystems, profiles, subscriptions } from './vocabulary.ts';

const type = 'Basic';

type TopicQuestion = Results & Conditions<Topic>;

function uri(documentation: string, is: (topic: Topic, text: string) => boolean): Parameter<TopicQuestion> {
  return {
    type: 'uri',
    documentation,
    read(value, { tests }) {
      const wanted = alternatives(value).map(unescaped);
      tests.push((topic) => wanted.some((text) => is(topic, text)));
      return [];
    },
  };
}

const isCalled = (topic: Topic, text: string) => topicOf(text) === topic;

/** How the topics are searched. IHE DSUBm, ITI-114. */
export const topicSearch = searchOf<TopicQuestion>({
  type,
  parameters: {
    ...tokenRows<Topic>('_id', 'Id of the topic', ({ name }) => [{ code: name }]),
    ...tokenRows<Topic>('code', 'SubscriptionTopic', () => [subscriptions.topicCode]),
    ...tokenRows<Topic>('status', 'active', () => fixed('active', fixedSystems.publication)),
    resource: uri('What the topic watches: its type, or its profile', (topic, text) =>
      [topic.resource, profileOf(topic)].includes(text),
    ),
    url: uri('Canonical address', isCalled),
    'derived-or-self': uri('Canonical address', isCalled),
  },
  sorts: ['_id'],
  counted: 'always',
  includes: [],
  revIncludes: [],
});

async function search(exchange: Exchange): Promise<Answer> {
  const { tools, request, base } = exchange;
  const empty = (): TopicQuestion => ({ now: tools.now(), tests: [] });
  return answerSearch(exchange, topicSearch, empty, async ({ asked, page, query }) => {
    await ownSubscriptions(tools, request, query);
    const found = topics
      .filter((topic) => asked.tests.every((test) => test(topic)))
      .map((topic) => ({ topic, key: [topic.name] }));
    const { items, next } = pageOf(found, page);
    const matches = items.map(({ topic }) => ({
      fullUrl: `${base}/${type}/${topic.name}`,
      resource: JSON.stringify(basicOf(topic)),
    }));
    return { matches, total: found.length, ...(next && { next }) };
  });
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
function basicOf(topic: Topic): Basic {
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
