import type { Caller } from '../../domain/actor.ts';
import { Refused } from '../../domain/error.ts';
import { afterFailure, dueAnyway, type SubscriptionStatus, unheard } from '../../domain/subscription.ts';
import { type System, systemActor } from '../../domain/system.ts';
import {
  type Notice,
  StoreBusy,
  type StoredSubscription,
  StoreFull,
  StoreStopped,
  type Subscription,
} from '../../store/port.ts';
import { type Ahead, disclose, lookAhead, type Told } from '../../usecases/notify.ts';
import type { Request, Tools } from '../../usecases/perform.ts';
import { headersOf } from '../../usecases/subscribe.ts';
import type { AllowList } from '../allow-list.ts';
import { post } from '../egress.ts';
import type { JobLog } from '../port.ts';

/** What is to be said to a subscriber; `told` in the order of their numbers. */
export type Saying = {
  readonly kind: 'handshake' | 'heartbeat' | 'event-notification';
  readonly subscription: Subscription;
  readonly status: SubscriptionStatus;
  readonly count: number;
  readonly told: readonly (Told & { readonly number: number })[];
};

/** A notification in the words of the face that took the subscription. */
export type Written = { readonly contentType: string; readonly body: string };

export type NotifierTools = {
  readonly tools: Tools;
  readonly allowList: AllowList;
  readonly write: (saying: Saying) => Written;
  /** The partners' systems as they are listed now. */
  readonly systems: readonly System[];
  readonly endpoint: string;
  readonly log: JobLog;
};

const storeTroubles = [StoreBusy, StoreFull, StoreStopped];

/** The subscriber as the decision sees him now: a system has no more rights than it is listed with. */
export function subscriberOf({ caller }: Subscription, systems: readonly System[]): Caller {
  const { actor } = caller;
  if (actor.kind !== 'system' || caller.credential.kind === 'none') return caller;
  const listed = systems.find(({ id }) => id === actor.id);
  return { ...caller, actor: listed === undefined ? { ...actor, rights: [] } : systemActor(listed, actor.rights) };
}

/** When a subscription by websocket ends: as it was asked, or because nobody listens. */
export function dueByWebsocket({ end, lastSentAt, changedAt }: Subscription): number {
  return Math.min(end ?? Number.POSITIVE_INFINITY, (lastSentAt ?? changedAt) + unheard);
}

/** Events with the numbers that follow those told before. */
export function numbered<T>({ count }: Subscription, told: readonly T[]): (T & { readonly number: number })[] {
  return told.map((one, i) => ({ ...one, number: count + i + 1 }));
}

/** What the log keeps of events that were told. */
export function noticesOf(told: readonly (Pick<Told, 'event'> & { readonly number: number })[]): Notice[] {
  return told.map(({ number, event: { record, object, name, kind, at } }) => ({
    number,
    record,
    object,
    name,
    kind,
    at,
  }));
}

/** Reads what is next to be told, traced as a disclosure; nothing where the rights ended meanwhile. */
async function nextTold(
  tools: Tools,
  request: Request,
  subscription: StoredSubscription,
): Promise<{ readonly told: readonly Told[]; readonly cursor: number }> {
  const { events, cursor }: Ahead = await lookAhead(tools, request, subscription);
  if (events.length === 0) return { told: [], cursor };
  try {
    return { told: await disclose(tools, request, subscription, events), cursor };
  } catch (error) {
    if (error instanceof Refused) return { told: [], cursor };
    throw error;
  }
}

/**
 * Does what is due for a subscription by rest-hook: a handshake, events, a sign of life, its end. An event has its number when the receiver took
 * it; until then it is judged anew each time. One notification is under way at a time, so that events come in order.
 * IHE DSUBm, ITI-112; Subscriptions R5 Backport 1.1, rest-hook.
 */
export function makeNotifySubscriber({ tools, allowList, write, systems, endpoint, log }: NotifierTools) {
  const { store, now } = tools;

  async function send(subscription: Subscription, saying: Omit<Saying, 'subscription'>, signal: AbortSignal) {
    const target = allowList.allowed(subscription.channel.endpoint ?? '');
    if (target === undefined) return 'the address is no longer allowed';
    const { contentType, body } = write({ ...saying, subscription });
    const bytes = Buffer.from(body);
    const headers = Object.fromEntries(
      headersOf(tools, subscription).map((text): [string, string] => {
        const at = text.indexOf(':');
        return [text.slice(0, at), text.slice(at + 1).trim()];
      }),
    );
    const patience = AbortSignal.any([signal, AbortSignal.timeout(subscription.channel.timeout * 1000)]);
    try {
      const status = await post(target, {
        headers: { ...headers, 'Content-Type': contentType, 'Content-Length': bytes.length },
        body: bytes,
        signal: patience,
      });
      return status >= 200 && status < 300 ? undefined : `the receiver answered ${status}`;
    } catch (error) {
      if (signal.aborted) throw error;
      return patience.aborted ? 'the receiver did not answer in time' : 'the receiver could not be reached';
    }
  }

  /** Where it stands after something was sent, or failed to be. */
  function stands(before: StoredSubscription, why: string | undefined, more: Partial<Subscription>): Subscription {
    const { revision: _revision, due: _due, failingSince: _since, error: _error, ...stays } = before;
    const at = now();
    if (why === undefined) {
      const { end, channel } = before;
      const due = dueAnyway({ end, heartbeat: channel.heartbeat }, at);
      const fine = { status: 'active', greeted: true, failures: 0, lastSentAt: at } as const;
      return { ...stays, ...fine, ...more, ...(due !== undefined && { due }) };
    }
    log.info({ subscription: before.id, attempts: before.failures + 1, why }, 'a notification failed');
    return { ...stays, ...afterFailure(before, at), error: why };
  }

  async function finish(subscription: StoredSubscription, signal: AbortSignal): Promise<void> {
    const { revision: _revision, due: _due, ...stays } = subscription;
    const told = { kind: 'event-notification', status: 'off', count: subscription.count, told: [] } as const;
    if (subscription.greeted && subscription.channel.kind === 'rest-hook') await send(subscription, told, signal);
    await store.subscriptions.advance(subscription, { ...stays, status: 'off', failures: 0 }, []);
  }

  async function greet(subscription: StoredSubscription, signal: AbortSignal): Promise<void> {
    const { status, count } = subscription;
    const why = await send(subscription, { kind: 'handshake', status, count, told: [] }, signal);
    await store.subscriptions.advance(subscription, stands(subscription, why, {}), []);
  }

  async function tell(subscription: StoredSubscription, signal: AbortSignal): Promise<void> {
    const origin = { transaction: 'ITI-112', requestId: tools.newId(), endpoint } as const;
    const request = { caller: subscriberOf(subscription, systems), origin };
    const next = await nextTold(tools, request, subscription);
    const { cursor } = next;
    const told = numbered(subscription, next.told);
    if (told.length === 0) return rest({ ...subscription, cursor }, subscription, signal);
    const count = subscription.count + told.length;
    const why = await send(subscription, { kind: 'event-notification', status: 'active', count, told }, signal);
    const after = stands(subscription, why, { count, cursor });
    await store.subscriptions.advance(subscription, after, why === undefined ? noticesOf(told) : []);
  }

  /** Whoever holds the websocket tells what happens; nothing is due but the end, of which nobody who listens is the other. */
  async function wait(subscription: StoredSubscription): Promise<void> {
    const { revision: _revision, due: _due, ...stays } = subscription;
    const due = dueByWebsocket(subscription);
    const isOver = due <= now() && due !== subscription.end;
    const stands = isOver ? ({ status: 'off', error: 'nobody listened for 30 days' } as const) : { due };
    await store.subscriptions.advance(subscription, { ...stays, ...stands }, []);
  }

  /** Nothing is to be told: a sign of life where one is due. */
  async function rest(seen: StoredSubscription, before: StoredSubscription, signal: AbortSignal): Promise<void> {
    const { heartbeat } = seen.channel;
    const due = dueAnyway({ end: seen.end, heartbeat }, seen.lastSentAt ?? now());
    const isDue = heartbeat !== undefined && (seen.lastSentAt ?? 0) + heartbeat * 1000 <= now();
    if (isDue || seen.failures > 0) {
      const { count, cursor } = seen;
      const why = await send(before, { kind: 'heartbeat', status: 'active', count, told: [] }, signal);
      await store.subscriptions.advance(before, stands(before, why, { cursor }), []);
      return;
    }
    const { revision: _revision, due: _due, ...stays } = seen;
    await store.subscriptions.advance(before, { ...stays, ...(due !== undefined && { due }) }, []);
  }

  async function doDue(subscription: StoredSubscription, signal: AbortSignal): Promise<void> {
    const { end, greeted, channel, status } = subscription;
    if (status === 'off') return;
    if (end !== undefined && end <= now()) return finish(subscription, signal);
    if (channel.kind !== 'rest-hook') return wait(subscription);
    return greeted ? tell(subscription, signal) : greet(subscription, signal);
  }

  /** A subscription that cannot be served, whatever the reason, holds up no other. */
  return async function attend(subscription: StoredSubscription, signal: AbortSignal): Promise<void> {
    try {
      await doDue(subscription, signal);
    } catch (error) {
      if (signal.aborted || storeTroubles.some((trouble) => error instanceof trouble)) throw error;
      log.error({ subscription: subscription.id }, 'a notification could not be made', error);
      await store.subscriptions.advance(subscription, stands(subscription, 'an error of the server', {}), []);
    }
  };
}
