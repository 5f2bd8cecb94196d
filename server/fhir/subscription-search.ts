import type { Subscription } from 'fhir/r4.js';
import type { StoredSubscription } from '../store/port.ts';
import { pageOf } from '../usecases/paging.ts';
import { ownSubscriptions } from '../usecases/subscribe.ts';
import type { Answer, Exchange } from './exchange.ts';
import { subscriptionResource } from './map/subscription.ts';
import { answerSearch, searchOf } from './paged-search.ts';
import type { Results } from './result-parameters.ts';
import type { Parameter } from './search.ts';
import { type Conditions, dateRows, fixed, stringRows, tokenRows } from './search-conditions.ts';
import { alternatives, unescaped } from './search-values.ts';
import { fixedSystems } from './vocabulary.ts';

const type = 'Subscription';

type SubscriptionQuestion = Results & Conditions<StoredSubscription>;

function uri(
  documentation: string,
  of: (resource: Subscription) => string | undefined,
): Parameter<SubscriptionQuestion> {
  return {
    type: 'uri',
    documentation,
    read(value, { tests }) {
      const wanted = alternatives(value).map(unescaped);
      tests.push((stored) => wanted.includes(of(subscriptionResource(stored)) ?? ''));
      return [];
    },
  };
}

/** How subscriptions are searched. IHE DSUBm, ITI-113. */
export const subscriptionSearch = searchOf<SubscriptionQuestion>({
  type,
  parameters: {
    ...tokenRows<StoredSubscription>('_id', 'Ids of subscriptions', ({ id }) => [{ code: id }]),
    ...dateRows<StoredSubscription>('_lastUpdated', 'When its subscriber changed it last', ({ changedAt }) => ({
      from: changedAt,
      to: changedAt + 1,
    })),
    ...tokenRows<StoredSubscription>('status', 'requested, active, error or off', ({ status }) =>
      fixed(status, fixedSystems.subscriptionStatus),
    ),
    ...tokenRows<StoredSubscription>('type', 'rest-hook or websocket', ({ channel }) =>
      fixed(channel.kind, fixedSystems.subscriptionChannel),
    ),
    url: uri('Address of the receiver', ({ channel }) => channel.endpoint),
    topic: uri('Canonical address of the topic', ({ criteria }) => criteria),
    ...stringRows<StoredSubscription>('filter-criteria', 'Begin of a filter, as it was sent', (stored) =>
      filtersOf(subscriptionResource(stored)),
    ),
  },
  sorts: ['_lastUpdated'],
  counted: 'always',
  includes: [],
  revIncludes: [],
});

function filtersOf({ _criteria }: Subscription): string[] {
  return (_criteria?.extension ?? []).flatMap(({ valueString }) => valueString ?? []);
}

/** The caller's own subscriptions, that which changed last first. */
export async function searchSubscriptions(exchange: Exchange): Promise<Answer> {
  const { tools, request, base } = exchange;
  const empty = (): SubscriptionQuestion => ({ now: tools.now(), tests: [] });
  return answerSearch(exchange, subscriptionSearch, empty, async ({ asked, page, query }) => {
    const all = await ownSubscriptions(tools, request, query);
    const found = all
      .filter((stored) => asked.tests.every((test) => test(stored)))
      .map((stored) => ({ stored, key: [stored.changedAt, stored.id] }));
    const { items, next } = pageOf(found, page);
    const matches = items.map(({ stored }) => ({
      fullUrl: `${base}/${type}/${stored.id}`,
      resource: JSON.stringify(subscriptionResource(stored)),
    }));
    return { matches, total: found.length, ...(next && { next }) };
  });
}
