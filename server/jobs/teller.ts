import { Refused } from '../domain/error.ts';
import { dueAnyway } from '../domain/subscription.ts';
import type { Notice, StoredSubscription } from '../store/port.ts';
import { disclose, lookAhead, type Told } from '../usecases/notify.ts';
import type { Request } from '../usecases/perform.ts';
import { dueByWebsocket, type NotifierTools, noticesOf, numbered, subscriberOf } from './handlers/notify-subscriber.ts';

/** How far a connection is with a subscription. */
export type Place = {
  readonly id: string;
  /** The number of the last event that this connection was told, or that was told before it came. */
  position: number;
  lastSentAt: number;
  /** As it was found last. */
  subscription: StoredSubscription;
  /** It is off or gone. */
  isOver: boolean;
  isBusy: boolean;
  again: boolean;
};

export type Teller = {
  /** Begins with a subscription of that owner: where it stands, and what greets it; undefined where there is none to be told of. */
  readonly greet: (id: string, owner: string) => Promise<{ readonly place: Place; readonly body: string } | undefined>;
  /** What is to be told since, in order. An event gets its number with the first connection that is told it. */
  readonly next: (place: Place) => AsyncGenerator<string, void, undefined>;
  /** What says that nothing happened, where that is due. */
  readonly signOfLife: (place: Place) => string | undefined;
};

/**
 * Tells by connections that are open: what is sent is not acknowledged. Several connections may be told of one subscription; whoever was not there
 * asks for events by number.
 */
export function openTeller({ tools, write, systems, endpoint }: NotifierTools): Teller {
  const { store, now } = tools;
  const { subscriptions } = store;

  function requestOf(subscription: StoredSubscription): Request {
    const origin = { transaction: 'ITI-112', requestId: tools.newId(), endpoint } as const;
    return { caller: subscriberOf(subscription, systems), origin };
  }

  function said(subscription: StoredSubscription, kind: 'handshake' | 'heartbeat' | 'event-notification'): string {
    const { status, count } = subscription;
    return write({ kind, subscription, status, count, told: [] }).body;
  }

  /** Gives numbers to what happened since. Answers whether there may be more to do. */
  async function takeNumbers(before: StoredSubscription): Promise<boolean> {
    const { events, cursor } = await lookAhead(tools, requestOf(before), before);
    if (cursor === before.cursor) return false;
    const told = numbered(
      before,
      events.map((event) => ({ event })),
    );
    const { revision: _revision, ...stays } = before;
    const heard = { ...stays, cursor, count: before.count + told.length, lastSentAt: now() };
    const next = { ...heard, due: dueByWebsocket(heard) };
    await subscriptions.advance(before, next, noticesOf(told));
    return true;
  }

  /** What is seen of events of one record. */
  async function toldOf(subscription: StoredSubscription, notices: readonly Notice[]): Promise<readonly Told[]> {
    if (notices.length === 0) return [];
    try {
      return await disclose(tools, requestOf(subscription), subscription, notices);
    } catch (error) {
      if (error instanceof Refused) return [];
      throw error;
    }
  }

  return {
    async greet(id, owner) {
      const subscription = await subscriptions.find(id);
      if (subscription?.owner !== owner || subscription.channel.kind !== 'websocket' || subscription.status === 'off')
        return undefined;
      const position = subscription.count;
      const { revision: _revision, ...stays } = { ...subscription, lastSentAt: now() };
      await subscriptions.advance(subscription, { ...stays, due: dueByWebsocket(stays) }, []);
      const place = { id, position, lastSentAt: now(), subscription, isOver: false, isBusy: false, again: false };
      return { place, body: said(subscription, 'handshake') };
    },
    async *next(place) {
      for (;;) {
        const subscription = await subscriptions.find(place.id);
        if (subscription === undefined || subscription.status === 'off') {
          place.isOver = true;
          if (subscription !== undefined) yield said(subscription, 'event-notification');
          return;
        }
        place.subscription = subscription;
        if (place.position >= subscription.count) {
          if (await takeNumbers(subscription)) continue;
          return;
        }
        const { count, channel } = subscription;
        const after = await subscriptions.told(place.id, place.position + 1, count, channel.most);
        const other = after.findIndex(({ record }) => record !== after[0]?.record);
        const notices = other < 0 ? after : after.slice(0, other);
        const to = notices.at(-1)?.number ?? count;
        const told = await toldOf(subscription, notices);
        place.position = to;
        if (told.length === 0) continue;
        place.lastSentAt = now();
        const all = told.map((one) => ({ ...one, number: one.event.number ?? 0 }));
        const saying = { kind: 'event-notification', subscription, status: 'active', count: to, told: all } as const;
        yield write(saying).body;
      }
    },
    signOfLife(place) {
      const { heartbeat } = place.subscription.channel;
      const due = dueAnyway({ heartbeat }, place.lastSentAt);
      if (due === undefined || due > now()) return undefined;
      place.lastSentAt = now();
      return said(place.subscription, 'heartbeat');
    },
  };
}
