import { openText, sealText } from '../crypto/keyring.ts';
import { type Caller, nameOfActor } from '../domain/actor.ts';
import { refuse } from '../domain/error.ts';
import type { Interest, Shown } from '../domain/subscription.ts';
import type { Channel, Notice, StoredSubscription, Subscription, WatchFilter } from '../store/port.ts';
import { disclose, type Told } from './notify.ts';
import { type Plan, perform, type Request, type Subject, shortened, type Tools } from './perform.ts';
import { type PatientRef, recordAsked } from './query.ts';

/** What a subscriber asks for. */
export type Wanted = {
  /** Absent for all patients. */
  readonly patient?: PatientRef;
  readonly interest: Interest;
  readonly filter: WatchFilter;
  readonly channel: Omit<Channel, 'headers'>;
  /** For the receiver; `kept`: those that are known already. */
  readonly headers: readonly string[] | 'kept';
  readonly shown: Shown;
  readonly end?: number;
  readonly form: string;
  readonly status: 'requested' | 'off';
};

/** Most subscriptions of one owner. */
const mostSubscriptions = 100;

/**
 * Keeps a subscription of the caller, who is judged as he is now before each notification.
 * @throws Refused subscriptionNotHonoured beyond the most of one owner, and what the decision refuses
 */
export async function subscribe(tools: Tools, request: Request, wanted: Wanted): Promise<StoredSubscription> {
  const id = tools.newId();
  return starting(tools, request, wanted, async (record) => {
    const owner = nameOfActor(request.caller.actor);
    if ((await tools.store.subscriptions.ofOwner(owner)).length >= mostSubscriptions)
      refuse('subscriptionNotHonoured', {
        detail: `${mostSubscriptions} subscriptions are the most of one subscriber`,
      });
    const next = started(tools, request, { ...base(tools, wanted, id, undefined), owner, version: 1 }, record);
    return planOf(next, undefined);
  });
}

/**
 * Changes a subscription of the caller's, starts it again or ends it. `version`: the one that the caller saw.
 * @throws Refused resourceUnknown for another's, versionDiffers, subscriptionNotHonoured, and what the decision refuses
 */
export async function changeSubscription(
  tools: Tools,
  request: Request,
  id: string,
  wanted: Wanted,
  version: number | undefined,
): Promise<StoredSubscription> {
  const changing = async (record: string | undefined): Promise<Plan<StoredSubscription>> => {
    const before = await own(tools, request, id);
    if (version !== undefined && version !== before.version)
      refuse('versionDiffers', { value: `W/"${version}"`, detail: `it is at W/"${before.version}"` });
    const to = { ...base(tools, wanted, id, before), owner: before.owner, version: before.version + 1 };
    if (wanted.status === 'off') return planOf({ ...to, ...ended(before, to) }, before);
    if (record !== before.record)
      refuse('subscriptionNotHonoured', {
        expression: 'Subscription.criteria',
        detail: 'a subscription stays with its patient',
      });
    return planOf(started(tools, request, to, record, before), before);
  };
  if (wanted.status === 'requested') return starting(tools, request, wanted, changing);
  return perform(tools, request, 'manageSubscriptions', 'none', () => changing(undefined));
}

/** @throws Refused resourceUnknown for another's */
export async function unsubscribe(tools: Tools, request: Request, id: string): Promise<void> {
  return perform(tools, request, 'manageSubscriptions', 'none', async () => {
    const { revision } = await own(tools, request, id);
    return {
      answer: undefined,
      expect: [{ subscriptionAt: { id, revision } }],
      put: [{ kind: 'unsubscribe', id }],
      trace: { touched: { resource: `Subscription/${id}`, how: 'delete' } },
    };
  });
}

/** One subscription of the caller's. @throws Refused resourceUnknown for another's, and where the credential is for another patient */
export async function subscriptionOf(tools: Tools, request: Request, id: string): Promise<StoredSubscription> {
  return perform(tools, request, 'manageSubscriptions', 'none', async () => ({
    answer: await own(tools, request, id),
    trace: { touched: { resource: `Subscription/${id}`, how: 'read' } },
  }));
}

/** The caller's subscriptions, the newest first. */
export async function ownSubscriptions(
  tools: Tools,
  request: Request,
  query: string,
): Promise<readonly StoredSubscription[]> {
  return perform(tools, request, 'manageSubscriptions', 'none', async () => ({
    answer: await reached(tools, request, await tools.store.subscriptions.ofOwner(nameOfActor(request.caller.actor))),
    trace: { query: shortened(query) },
  }));
}

/** Most events that are told again in one answer. */
export const mostReplayed = 100;

/**
 * What was told before, from ≤ number ≤ to, as the caller may see it now; `mostReplayed` at most.
 * @param check whether the caller's credential reaches what the subscription tells
 * @throws Refused resourceUnknown for another's, what `check` throws, and what the decision refuses
 */
export async function replay(
  tools: Tools,
  request: Request,
  id: string,
  range: { readonly from: number; readonly to: number },
  check: (subscription: StoredSubscription) => void,
): Promise<{ readonly subscription: StoredSubscription; readonly told: readonly Told[] }> {
  const subscription = await subscriptionOf(tools, request, id);
  check(subscription);
  const notices = await tools.store.subscriptions.told(id, range.from, range.to, mostReplayed);
  const told: Told[] = [];
  for (const events of byRecord(notices)) told.push(...(await disclose(tools, request, subscription, events)));
  return { subscription, told };
}

function byRecord(notices: readonly Notice[]): Notice[][] {
  const runs: Notice[][] = [];
  for (const notice of notices) {
    const run = runs.at(-1);
    if (run?.[0]?.record === notice.record) run.push(notice);
    else runs.push([notice]);
  }
  return runs;
}

/** The headers for the receiver. */
export function headersOf({ keyring }: Tools, { id, channel }: Subscription): readonly string[] {
  if (channel.headers === undefined) return [];
  const name = keyName(id);
  const { key } = keyring.unwrap(name, Buffer.from(channel.headers.key, 'base64'));
  return JSON.parse(openText(key, Buffer.from(channel.headers.sealed, 'base64'), name)) as string[];
}

function sealed({ keyring }: Tools, id: string, headers: readonly string[]): NonNullable<Channel['headers']> {
  const name = keyName(id);
  const wrapped = keyring.newKey(name);
  const text = sealText(keyring.unwrap(name, wrapped).key, JSON.stringify(headers), name);
  return { key: Buffer.from(wrapped).toString('base64'), sealed: text.toString('base64') };
}

function keyName(id: string): string {
  return `subscription|${id}`;
}

async function starting(
  tools: Tools,
  request: Request,
  { interest, patient }: Wanted,
  plan: (record: string | undefined) => Promise<Plan<StoredSubscription>>,
): Promise<StoredSubscription> {
  if (interest.across) return perform(tools, request, 'subscribeAcrossPatients', 'none', () => plan(undefined));
  const subject: Subject = recordAsked(request, patient);
  return perform(tools, request, 'subscribe', subject, (permit) => plan(permit.record));
}

async function own(tools: Tools, request: Request, id: string): Promise<StoredSubscription> {
  const found = await tools.store.subscriptions.find(id);
  const isOwn = found?.owner === nameOfActor(request.caller.actor);
  const [mine] = isOwn ? await reached(tools, request, [found]) : [];
  return mine ?? refuse('resourceUnknown', { value: `Subscription/${id}` });
}

/** A credential for one patient reaches what is told of him, and no other subscription. */
async function reached(
  { store }: Tools,
  { caller: { patient } }: Request,
  all: readonly StoredSubscription[],
): Promise<readonly StoredSubscription[]> {
  if (patient === undefined || all.length === 0) return all;
  const facts = await store.facts.recordByIdentifier(patient);
  return facts === undefined ? [] : all.filter(({ record }) => record === facts.record.id);
}

type Base = Pick<Subscription, 'id' | 'interest' | 'filter' | 'channel' | 'shown' | 'end' | 'form' | 'changedAt'>;

function base(tools: Tools, wanted: Wanted, id: string, before: Subscription | undefined): Base {
  const { interest, filter, channel, headers, shown, end, form } = wanted;
  const kept =
    headers === 'kept' && before?.channel.endpoint === channel.endpoint ? before?.channel.headers : undefined;
  const secrets = headers === 'kept' ? kept : headers.length > 0 ? sealed(tools, id, headers) : undefined;
  return {
    id,
    interest,
    filter,
    channel: { ...channel, ...(secrets && { headers: secrets }) },
    shown,
    form,
    changedAt: tools.now(),
    ...(end !== undefined && { end }),
  };
}

/** Events are numbered on from where they were. */
function started(
  tools: Tools,
  { caller }: Request,
  to: Base & Pick<Subscription, 'owner' | 'version'>,
  record: string | undefined,
  before?: Subscription,
): Subscription {
  const isPushed = to.channel.kind === 'rest-hook';
  return {
    ...to,
    caller: keptCaller(caller),
    ...(record !== undefined && { record }),
    status: isPushed ? 'requested' : 'active',
    failures: 0,
    greeted: !isPushed,
    count: before?.count ?? 0,
    cursor: before?.cursor ?? 0,
    due: tools.now(),
  };
}

function ended(before: Subscription, { owner, version }: Pick<Subscription, 'owner' | 'version'>) {
  const { caller, record, count, cursor } = before;
  const stays = { owner, version, caller, count, cursor, ...(record !== undefined && { record }) };
  return { ...stays, status: 'off', failures: 0, greeted: false } as const;
}

/** Who is judged again before each notification: without what belongs to one session alone. */
function keptCaller({ actor, mode, secret, patient, software, credential }: Caller): Caller {
  return { actor, mode, secret, credential, ...(patient && { patient }), ...(software && { software }) };
}

function planOf(next: Subscription, before: StoredSubscription | undefined): Plan<StoredSubscription> {
  const restart = before?.status === 'off';
  return {
    answer: { ...next, revision: (before?.revision ?? 0) + 1 },
    expect: [{ subscriptionAt: { id: next.id, revision: before?.revision } }],
    put: [{ kind: 'subscription', subscription: next, ...(restart && { restart }) }],
    trace: { touched: { resource: `Subscription/${next.id}`, how: before === undefined ? 'create' : 'update' } },
  };
}
