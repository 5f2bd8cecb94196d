import { Refused, refuse } from '../domain/error.ts';
import type { StoredSubscription } from '../store/port.ts';
import { changeSubscription, subscribe, subscriptionOf, unsubscribe, type Wanted } from '../usecases/subscribe.ts';
import { type Answer, type Exchange, type Interaction, searchesOf } from './exchange.ts';
import { subscriptionResource } from './map/subscription.ts';
import { wantedIn } from './read/subscription.ts';
import { versionExpected } from './state.ts';
import { subscriptionOperations } from './subscription-operations.ts';
import { checkScope } from './subscription-scope.ts';
import { searchSubscriptions } from './subscription-search.ts';
import { valid } from './validate.ts';

const type = 'Subscription';

async function create(exchange: Exchange): Promise<Answer> {
  const { tools, request, base, subscribing } = exchange;
  const wanted = await wantedOf(exchange);
  if (wanted.status === 'off')
    refuse('subscriptionNotHonoured', {
      expression: 'Subscription.status',
      value: 'off',
      detail: 'nothing would be told',
    });
  const stored = await subscribe(tools, request, wanted);
  subscribing.queued();
  const { body, headers } = answer(stored);
  return {
    status: 201,
    body,
    headers: { ...headers, Location: `${base}/${type}/${stored.id}` },
  };
}

async function update(exchange: Exchange): Promise<Answer> {
  const { tools, request, id, subscribing } = exchange;
  const wanted = await wantedOf(exchange, id);
  const stored = await changeSubscription(tools, request, id, wanted, versionExpected(exchange.header('If-Match')));
  subscribing.queued();
  return answer(stored);
}

async function read(exchange: Exchange): Promise<Answer> {
  return answer(await subscriptionOf(exchange.tools, exchange.request, exchange.id));
}

async function remove({ tools, request, id, subscribing }: Exchange): Promise<Answer> {
  await unsubscribe(tools, request, id);
  subscribing.queued();
  return { body: '', status: 204 };
}

/** @throws Refused for a body that is no Subscription, with everything that cannot be honoured */
async function wantedOf(exchange: Exchange, id?: string): Promise<Wanted> {
  const resource = valid(await exchange.json(type), type);
  if (id !== undefined && resource.id !== id)
    refuse('elementMalformed', {
      expression: 'Subscription.id',
      value: resource.id ?? '',
      detail: 'it is that of the address',
    });
  const { base, tools, subscribing } = exchange;
  const { wanted, problems } = wantedIn(resource, { base, now: tools.now(), isAllowed: subscribing.isAllowed });
  if (wanted === undefined) throw new Refused(problems);
  checkScope(exchange, wanted);
  return wanted;
}

type Answered = {
  readonly body: string;
  readonly headers: { readonly ETag: string; readonly 'Last-Modified': string };
};

function answer(stored: StoredSubscription): Answered {
  return {
    body: JSON.stringify(subscriptionResource(stored)),
    headers: { ETag: `W/"${stored.version}"`, 'Last-Modified': new Date(stored.changedAt).toUTCString() },
  };
}

const common = { resource: type, transaction: 'ITI-110', action: 'manageSubscriptions' } as const;
const finding = { ...common, transaction: 'ITI-113', handle: searchSubscriptions } as const;
/** Resource Subscription, Resource Subscription Search. IHE DSUBm, ITI-110, ITI-113; Subscriptions R5 Backport 1.1. */
export const subscriptionInteractions: readonly Interaction[] = [
  ...subscriptionOperations,
  ...searchesOf({ ...finding, what: 'The subscriptions of the caller' }),
  {
    ...common,
    method: 'POST',
    path: `/${type}`,
    interaction: 'create',
    action: 'subscribe',
    what: 'Subscribe to changes',
    handle: create,
  },
  { ...common, method: 'GET', path: `/${type}/:id`, interaction: 'read', what: 'Read one subscription', handle: read },
  {
    ...common,
    method: 'PUT',
    path: `/${type}/:id`,
    interaction: 'update',
    action: 'subscribe',
    what: 'Change a subscription, start it again, end it',
    handle: update,
  },
  {
    ...common,
    method: 'DELETE',
    path: `/${type}/:id`,
    interaction: 'delete',
    what: 'Forget a subscription',
    handle: remove,
  },
];
