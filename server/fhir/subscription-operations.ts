import { type Problem, problem, Refused, refuse } from '../domain/error.ts';
import type { StoredSubscription } from '../store/port.ts';
import { mostReplayed, ownSubscriptions, replay, subscriptionOf } from '../usecases/subscribe.ts';
import { entryOf, searchset } from './bundle.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { type Notification, notificationOf, statusOf } from './map/notification.ts';
import { ignoredIn, toldOf } from './operation-parameters.ts';
import { shaped } from './read/shape.ts';
import { type Given, queryString } from './search.ts';
import { checkScope } from './subscription-scope.ts';
import { bindingToken } from './subscription-token.ts';
import { subscriptions } from './vocabulary.ts';

const type = 'Subscription';

/** The parameters of an operation, from the address or from the Parameters that are sent. */
async function inputOf(exchange: Exchange): Promise<Given> {
  const { method, parameters, header, json } = exchange;
  if (method !== 'POST' || header('Content-Length') === '0' || header('Content-Type') === '') return parameters;
  const { parameter = [] } = shaped(await json(type), 'Parameters');
  const given = parameter.map(({ name, ...value }): [string, string] => {
    const [one] = Object.values(value) as unknown[];
    return [name, typeof one === 'string' || typeof one === 'number' ? String(one) : ''];
  });
  return [...parameters, ...given];
}

async function statusOne(exchange: Exchange): Promise<Answer> {
  const ignored = ignoredIn(await inputOf(exchange), [], exchange);
  const stored = await subscriptionOf(exchange.tools, exchange.request, exchange.id);
  return statuses(exchange, [stored], `${type}/${exchange.id}/$status`, ignored);
}

async function statusAll(exchange: Exchange): Promise<Answer> {
  const input = await inputOf(exchange);
  const ignored = ignoredIn(input, ['id', 'status'], exchange);
  const of = (wanted: string) => input.filter(([name]) => name === wanted).flatMap(([, value]) => value.split(','));
  const [ids, wanted] = [of('id'), of('status')];
  const asked = `${type}/$status?${queryString(input.filter(([name]) => name === 'id' || name === 'status'))}`;
  const all = await ownSubscriptions(exchange.tools, exchange.request, asked);
  const found = all.filter(
    ({ id, status }) => (ids.length === 0 || ids.includes(id)) && (wanted.length === 0 || wanted.includes(status)),
  );
  return statuses(exchange, found, asked, ignored);
}

/** Subscriptions R5 Backport 1.1, $status. */
function statuses(
  { base, request, tools }: Exchange,
  found: readonly StoredSubscription[],
  self: string,
  warnings: readonly Problem[],
): Answer {
  const entries = found.map(
    (stored) =>
      entryOf(`urn:uuid:${tools.newId()}`, JSON.stringify(statusOf(standing(stored, 'query-status'), base))).bytes,
  );
  return {
    body: searchset({ total: found.length, self: `${base}/${self}`, entries, warnings }, request.origin.requestId),
  };
}

function standing(subscription: StoredSubscription, kind: Notification['kind']): Notification {
  const { status, count, shown } = subscription;
  return { kind, subscription, status, count, shown, told: [] };
}

const ofEvents: readonly string[] = ['eventsSinceNumber', 'eventsUntilNumber', 'content'];

/**
 * What was told before, once more; a notification has no place for what was ignored. Subscriptions R5 Backport 1.1, $events.
 * @throws Refused parameterUnknown
 */
async function events(exchange: Exchange): Promise<Answer> {
  const { tools, request, id, base, writeDocument } = exchange;
  const { newId } = tools;
  const input = await inputOf(exchange);
  ignoredIn(input, ofEvents, { strict: true });
  const from = numberIn(input, 'eventsSinceNumber') ?? 1;
  const to = numberIn(input, 'eventsUntilNumber') ?? Number.MAX_SAFE_INTEGER;
  const content = input.find(([name]) => name === 'content')?.[1];
  const { subscription, told } = await replay(tools, request, id, { from, to }, (one) => checkScope(exchange, one));
  const numbered = told.map((one) => ({ ...one, number: one.event.number ?? 0 }));
  const shown = narrower(content, subscription.shown);
  const notification = { ...standing(subscription, 'query-event'), told: numbered, shown };
  return { body: JSON.stringify(notificationOf(notification, { base, writeDocument, now: tools.now(), newId })) };
}

const contents = ['empty', 'id-only', 'full-resource'] as const;

/** No more than the subscription shows. @throws Refused parameterMalformed */
function narrower(asked: string | undefined, most: StoredSubscription['shown']): StoredSubscription['shown'] {
  if (asked === undefined) return most;
  const wanted = contents.find((one) => one === asked);
  if (wanted === undefined)
    return refuse('parameterMalformed', {
      attribute: 'content',
      value: asked,
      detail: `${contents.join(', ')} is expected`,
    });
  return contents.indexOf(wanted) < contents.indexOf(most) ? wanted : most;
}

function numberIn(input: Given, wanted: string): number | undefined {
  const text = input.find(([name]) => name === wanted)?.[1];
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new Refused([
    problem('parameterMalformed', { attribute: wanted, value: text, detail: 'a whole number is expected' }),
  ]);
}

/** How long a connection can be bound with a token, in milliseconds. */
const bindable = 300_000;

/** Leave to bind a websocket to subscriptions of the caller's. Subscriptions R5 Backport 1.1, $get-ws-binding-token. */
async function bind(exchange: Exchange): Promise<Answer> {
  const { tools, request, id, linkKey, subscribing } = exchange;
  const input = await inputOf(exchange);
  const ignored = ignoredIn(input, id === '' ? ['id'] : [], exchange);
  const ids = id === '' ? input.filter(([name]) => name === 'id').flatMap(([, value]) => value.split(',')) : [id];
  const all = await ownSubscriptions(tools, request, `${type}/$get-ws-binding-token`);
  const wanted = all.filter(({ channel }) => channel.kind === 'websocket');
  const found = ids.length === 0 ? wanted : wanted.filter((one) => ids.includes(one.id));
  const unknown = ids.find((one) => !found.some((stored) => stored.id === one));
  for (const one of found) checkScope(exchange, one);
  const [first] = found;
  if (unknown !== undefined || first === undefined)
    return { refused: [problem('resourceUnknown', { value: `${type}/${unknown ?? '?type=websocket'}` })] };
  const until = tools.now() + bindable;
  const token = bindingToken(linkKey, { owner: first.owner, subscriptions: found.map((one) => one.id), until });
  const parameters = {
    resourceType: 'Parameters',
    parameter: [
      { name: 'token', valueString: token },
      { name: 'expiration', valueDateTime: new Date(until).toISOString() },
      ...found.map((one) => ({ name: 'subscription', valueString: one.id })),
      { name: 'websocket-url', valueUrl: subscribing.socketUrl },
      ...toldOf(ignored, exchange),
    ],
  };
  return { body: JSON.stringify(parameters) };
}

const operation = (
  name: string,
  what: string,
  handle: Interaction['handle'],
  paths: readonly string[],
): Interaction[] =>
  paths.flatMap((path) =>
    (['GET', 'POST'] as const).map((method) => ({
      resource: type,
      transaction: 'ITI-110',
      action: 'manageSubscriptions',
      method,
      path: `/${type}${path}/$${name}`,
      interaction: 'operation' as const,
      operation: { name, definition: `${subscriptions.operations}${name}` },
      what,
      handle,
    })),
  );

/** What is asked of subscriptions besides their content. IHE DSUBm, ITI-110; Subscriptions R5 Backport 1.1. */
export const subscriptionOperations: readonly Interaction[] = [
  ...operation('status', 'How subscriptions of the caller stand', statusAll, ['']),
  ...operation('status', 'How a subscription stands', statusOne, ['/:id']),
  ...operation('events', `What was told, once more, ${mostReplayed} events at most`, events, ['/:id']),
  ...operation('get-ws-binding-token', 'Leave to bind a websocket', bind, ['', '/:id']),
];
