import type { Actor, SystemRight } from './actor.ts';

/**
 * A partner's system that the operator lists, with the rights granted to it one by one. Its assertions are signed by the certificate of that
 * structure (Struct_IdNat) or of that subject (a distinguished name), of both where both are given; its tokens carry `client`, or else its
 * id, as their subject.
 */
export type System = {
  readonly id: string;
  readonly name: string;
  readonly structure?: string;
  readonly subject?: string;
  readonly client?: string;
  readonly rights: readonly SystemRight[];
};

/** The `sub` of its tokens. RFC 9068 §2.2. */
export function clientOf({ id, client = id }: System): string {
  return client;
}

/** The system as an actor, with no more rights than these where a credential claims fewer. */
export function systemActor({ id, name, rights }: System, claimed: readonly SystemRight[] = rights): Actor {
  return { kind: 'system', id, name, rights: rights.filter((right) => claimed.includes(right)) };
}
