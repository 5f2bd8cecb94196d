/** What a subscription may wait for. */
export type Watched = 'document' | 'submissionSet' | 'folder';

/**
 * What became of an object in one commit, the strongest said alone: gone (removed, or deleted logically), registered, of another status, a
 * folder that got a further member, or of other metadata.
 */
export const changeKinds = ['removed', 'created', 'statusChanged', 'grown', 'changed'] as const;
export type ChangeKind = (typeof changeKinds)[number];

/** The stronger of two changes of one object. */
export function strongest(a: ChangeKind | undefined, b: ChangeKind): ChangeKind {
  return a === undefined || changeKinds.indexOf(b) < changeKinds.indexOf(a) ? b : a;
}

/** Which changes a subscriber is told of. `across`: those of all patients. */
export type Interest = { readonly object: Watched; readonly kinds: readonly ChangeKind[]; readonly across: boolean };

/** FHIR R4 valueset-subscription-status. `error` is still tried; `off` is over until the subscriber asks again. */
export type SubscriptionStatus = 'requested' | 'active' | 'error' | 'off';

/** How much of an object a notification shows. Subscriptions R5 Backport, backport-content-value-set. */
export type Shown = 'empty' | 'id-only' | 'full-resource';

/** When a failing subscription is tried again, and when it is given up; milliseconds. */
export const patience = { first: 1000, longest: 600_000, giveUp: 86_400_000, errorAfter: 3 } as const;

/** How long to wait after so many failures in a row. */
function pauseAfter(failures: number): number {
  return Math.min(patience.first * 2 ** Math.max(0, failures - 1), patience.longest);
}

/** A subscription by websocket to which nobody listened for so long ends; milliseconds. */
export const unheard = 30 * 86_400_000;

/** How notifications fare. */
export type Faring = {
  readonly status: SubscriptionStatus;
  readonly failures: number;
  readonly failingSince?: number;
  readonly due?: number;
};

/** A notification failed: tried again later each time, an error after the third, at once for one that never answered, and off after a day. */
export function afterFailure(before: Omit<Faring, 'due'> & { readonly greeted: boolean }, now: number): Faring {
  const failures = before.failures + 1;
  const failingSince = before.failingSince ?? now;
  if (now - failingSince >= patience.giveUp) return { status: 'off', failures, failingSince };
  const isError = !before.greeted || failures >= patience.errorAfter;
  return {
    status: isError ? 'error' : before.status,
    failures,
    failingSince,
    due: now + pauseAfter(failures),
  };
}

/** When there is something to do though nothing changes: a sign of life, or the end; milliseconds. */
export function dueAnyway(
  { end, heartbeat }: { readonly end?: number | undefined; readonly heartbeat?: number | undefined },
  lastSentAt: number,
): number | undefined {
  const next = heartbeat === undefined ? Number.POSITIVE_INFINITY : lastSentAt + heartbeat * 1000;
  const due = Math.min(next, end ?? Number.POSITIVE_INFINITY);
  return Number.isFinite(due) ? due : undefined;
}
