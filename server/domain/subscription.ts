import type { Actor } from './actor.ts';

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

/** Who owns what a caller asks for to be kept: the person, structure or system, in whatever session. */
export function ownerOf(actor: Actor): string {
  switch (actor.kind) {
    case 'professional':
    case 'air':
      return `professional|${actor.id}`;
    case 'structure':
      return `structure|${actor.structure.id}`;
    case 'patient':
      return `patient|${actor.ins.oid}|${actor.ins.value}`;
    default:
      return `${actor.kind}|${actor.id}`;
  }
}

/** When a failing subscription is tried again, and when it is given up; milliseconds. */
export const patience = { first: 1000, longest: 600_000, giveUp: 86_400_000, errorAfter: 3 } as const;

/** How long to wait after so many failures in a row. */
export function pauseAfter(failures: number): number {
  return Math.min(patience.first * 2 ** Math.max(0, failures - 1), patience.longest);
}
