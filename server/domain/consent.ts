import { type Actor, professionalId, statedStructureId, structureId } from './actor.ts';
import type { RecordId } from './record.ts';

/** Whom a consent names: a professional by PS_IdNat, a structure by Struct_IdNat, or a team. */
export type ConsentActor =
  | { readonly kind: 'professional'; readonly id: string; readonly name?: string }
  | { readonly kind: 'structure'; readonly id: string; readonly name?: string }
  | {
      readonly kind: 'careTeam';
      readonly members: readonly { readonly kind: 'professional' | 'structure'; readonly id: string }[];
    };

/**
 * One statement of the patient about who reads. FHIR Consent (PCF) seen from the domain; nothing about rights is stored anywhere else.
 * `opening`: the record exists with its holder's agreement (2011) or for the care team (2022). `authorisation`: the actor may read
 * (and deposit, 2011) until `until`; `treatingDoctor` makes him MT. `block`: refused in every mode. `opposition`: to break-glass or to
 * centre 15. `maskedInEmergency`: masked documents may be read in emergency.
 */
export type ConsentStatement =
  | { readonly kind: 'opening' }
  | { readonly kind: 'authorisation'; readonly actor: ConsentActor; readonly treatingDoctor: boolean }
  | { readonly kind: 'block'; readonly actor: ConsentActor }
  | { readonly kind: 'opposition'; readonly to: 'breakGlass' | 'emergencyCentre' }
  | { readonly kind: 'maskedInEmergency' };

/** Times are milliseconds since 1970; `until` is the first instant at which the consent no longer holds. */
export type Consent = {
  readonly id: string;
  readonly record: RecordId;
  /** The form in which it was stated together with others; absent: it stands alone, under its own id. */
  readonly group?: string;
  readonly version: number;
  readonly status: 'active' | 'inactive';
  readonly statement: ConsentStatement;
  readonly from: number;
  readonly until?: number;
  readonly statedAt: number;
  /** Who stated it: the holder, a representative, or a professional for him. */
  readonly statedBy: { readonly kind: string; readonly id: string; readonly name: string };
};

/** The name of what a consent was stated in: a form, or itself. */
export function groupOf({ id, group }: Consent): string {
  return group ?? id;
}

/**
 * Who asks, as consents name him: the professional in person, and the structure on whose behalf he acts; `claimed`: one that he names, and of which
 * nothing proves that he works there. It gives nothing, and takes what its block takes.
 */
export type Named = {
  readonly professional?: string | undefined;
  readonly structure?: string | undefined;
  readonly claimed?: string | undefined;
};

/** An actor as consents name him. */
export function namedBy(actor: Actor): Named {
  const [structure, stated] = [structureId(actor), statedStructureId(actor)];
  return { professional: professionalId(actor), structure, ...(structure === undefined && { claimed: stated }) };
}

/** What the consents of a record say of one actor. `through` says by what he is named, where he is authorised. */
export type Authorisation = {
  readonly status: 'valid' | 'expired' | 'none' | 'blocked';
  readonly through?: 'name' | 'careTeam';
  /** Named in person as treating doctor. */
  readonly treatingDoctor: boolean;
};

/**
 * The authorisation of an actor at an instant (milliseconds). A consent that names the professional, or his structure, counts; a block wins over
 * everything. Teams are authorised only where the opening of the record authorises the care team and still stands.
 * CSP L.1111-17 to 19, R.1111-46.
 */
export function authorisationOf(
  consents: readonly Consent[],
  who: Named,
  now: number,
  openingAuthorisesCareTeam: boolean,
): Authorisation {
  const current = consents.filter((c) => isInForce(c, now)).map((c) => c.statement);
  const any = { ...who, structure: who.structure ?? who.claimed };
  if (current.some((s) => s.kind === 'block' && isNamed(s.actor, any)))
    return { status: 'blocked', treatingDoctor: false };
  const own = current.filter((s) => s.kind === 'authorisation').filter((s) => isNamed(s.actor, who));
  if (own.some((s) => s.actor.kind !== 'careTeam')) {
    const treatingDoctor = own.some((s) => s.treatingDoctor && s.actor.kind === 'professional');
    return { status: 'valid', through: 'name', treatingDoctor };
  }
  const opened = openingAuthorisesCareTeam && current.some((s) => s.kind === 'opening');
  if (own.length > 0 && opened) return { status: 'valid', through: 'careTeam', treatingDoctor: false };
  return { status: consents.some((c) => hasExpired(c, who, now)) ? 'expired' : 'none', treatingDoctor: false };
}

/** The treating doctors of the record, at an instant. */
export function treatingDoctorsOf(consents: readonly Consent[], now: number): readonly ConsentActor[] {
  return consents
    .filter((c) => isInForce(c, now))
    .flatMap(({ statement: s }) => (s.kind === 'authorisation' && s.treatingDoctor ? [s.actor] : []));
}

/** Whether the patient opposed break-glass or centre-15 access, at an instant. CSP L.1111-17. */
export function isOpposed(consents: readonly Consent[], to: 'breakGlass' | 'emergencyCentre', now: number): boolean {
  return consents.some((c) => isInForce(c, now) && c.statement.kind === 'opposition' && c.statement.to === to);
}

/** Whether masked documents may be read in emergency, at an instant; by default they may not. */
export function acceptsMaskedInEmergency(consents: readonly Consent[], now: number): boolean {
  return consents.some((c) => isInForce(c, now) && c.statement.kind === 'maskedInEmergency');
}

/** Whether the consent holds at an instant. */
export function isInForce({ status, from, until }: Consent, now: number): boolean {
  return status === 'active' && from <= now && (until === undefined || now < until);
}

function hasExpired({ status, statement, until }: Consent, who: Named, now: number): boolean {
  return (
    status === 'active' &&
    statement.kind === 'authorisation' &&
    statement.actor.kind !== 'careTeam' &&
    isNamed(statement.actor, who) &&
    until !== undefined &&
    until <= now
  );
}

/** Whether the actor of a consent is who asks, or a team with him in it. */
export function isNamed(actor: ConsentActor, who: Named): boolean {
  return actor.kind === 'careTeam' ? actor.members.some((m) => who[m.kind] === m.id) : who[actor.kind] === actor.id;
}

/** Whether both say the same of the same. */
export function sameStatement(a: ConsentStatement, b: ConsentStatement): boolean {
  if (a.kind === 'authorisation' && b.kind === 'authorisation' && a.treatingDoctor !== b.treatingDoctor) return false;
  return sameSubject(a, b);
}

/** Whether both are of one kind and concern the same. */
export function sameSubject(a: ConsentStatement, b: ConsentStatement): boolean {
  return a.kind === b.kind && concernsTheSame(a, b);
}

/** An authorisation and a block of one actor exclude each other; so do two statements of one kind. */
export function concernsTheSame(a: ConsentStatement, b: ConsentStatement): boolean {
  if ('actor' in a && 'actor' in b) return sameActor(a.actor, b.actor);
  if (a.kind === 'opposition' && b.kind === 'opposition') return a.to === b.to;
  return a.kind === b.kind;
}

/** Whether both name the same; names beside the ids say nothing. */
export function sameActor(a: ConsentActor, b: ConsentActor): boolean {
  if (a.kind === 'careTeam' || b.kind === 'careTeam')
    return a.kind === b.kind && JSON.stringify(a) === JSON.stringify(b);
  return a.kind === b.kind && a.id === b.id;
}
