import { patience } from '../domain/subscription.ts';
import type { StoredSubscription } from '../store/port.ts';
import { makeNotifySubscriber, type NotifierTools } from './handlers/notify-subscriber.ts';
import { openLine, type Worker } from './line.ts';

/** Attends to subscriptions as they fall due. */
export function openNotifier(notifying: NotifierTools): Worker {
  const { tools, log } = notifying;
  const { subscriptions } = tools.store;
  const line = {
    due: (at: number, limit: number) => subscriptions.due(at, limit),
    nextDue: (at: number) => subscriptions.nextDue(at),
    nameOf: ({ id }: StoredSubscription) => id,
    work: makeNotifySubscriber(notifying),
  };
  return openLine(line, { now: tools.now, log, longestSleep: patience.longest, most: 32 });
}
