import type { Identifier } from './identifier.ts';

/** How the caller asks to enter the record. TRE_R248-ModeAcces (1.2.250.1.213.1.1.4.248). */
export const modes = ['normal', 'breakGlass', 'emergencyCentre'] as const;
export type Mode = (typeof modes)[number];

/** A structure by its Struct_IdNat; `claimed`: a professional named it, and nothing proved that he works there. */
export type StructureRef = { readonly id: string; readonly name?: string; readonly claimed?: true };

/** Rights of a partner's system, granted one by one in the configuration. */
export const systemRights = [
  'feed',
  'register',
  'onDemand',
  'multiPatient',
  'remove',
  'restrictedUpdate',
  'auditFeed',
] as const;
export type SystemRight = (typeof systemRights)[number];

/**
 * Who acts. The one type that comes out of every kind of identification.
 * `professional`: in person, with a CPS, or a CPE (secretary); `air`: a structure's certificate and a professional identified twice;
 * `structure`: a certificate alone, perhaps naming an employee. Professions are TRE_G15 codes, specialties TRE_R01.
 */
export type Actor =
  | {
      readonly kind: 'professional' | 'air';
      readonly id: string;
      readonly name: string;
      readonly card: 'CPS' | 'CPE';
      readonly profession: string;
      readonly specialty?: string;
      readonly structure?: StructureRef;
    }
  | {
      readonly kind: 'structure';
      readonly structure: StructureRef;
      readonly employee?: { readonly id: string; readonly name: string };
    }
  | { readonly kind: 'patient'; readonly ins: Identifier; readonly name: string }
  | { readonly kind: 'representative'; readonly id: string; readonly name: string; readonly of: Identifier }
  | { readonly kind: 'system'; readonly id: string; readonly name: string; readonly rights: readonly SystemRight[] }
  | { readonly kind: 'administrator'; readonly id: string; readonly name: string };

/** The credential that proved the actor: its public id, and for an assertion how long a second use must be refused. */
export type Credential =
  | {
      readonly kind: 'assertion';
      readonly id: string;
      readonly issuer: string;
      readonly spendKey: string;
      readonly until: number;
    }
  | { readonly kind: 'token'; readonly id: string; readonly issuer: string }
  | { readonly kind: 'internal'; readonly id: string }
  /** A configured sender, recognised by its address. */
  | { readonly kind: 'address'; readonly id: string }
  /** No credential at all, in a domain that asks for none. */
  | { readonly kind: 'none'; readonly id: string };

/** An identified caller: actor, mode and what the credential says besides. `patient` is the one named by the credential. */
export type Caller = {
  readonly actor: Actor;
  readonly mode: Mode;
  /** Why the glass is broken, in the caller's words. */
  readonly reason?: string;
  readonly patient?: Identifier;
  /** A session from which legal representatives are excluded (connexion secrète). */
  readonly secret: boolean;
  readonly software?: { readonly name: string; readonly version?: string; readonly id?: string };
  /** What the software may ask for in the actor's name, where the credential limits it. RFC 6749 §3.3. */
  readonly scopes?: readonly string[];
  readonly credential: Credential;
};

/** Whoever brings no credential in a domain that asks for none. What he may do is the decision's. */
export const anybody: Caller = {
  actor: { kind: 'system', id: 'anybody', name: 'No credential', rights: [] },
  mode: 'normal',
  secret: false,
  credential: { kind: 'none', id: 'none' },
};

/** Profession code of doctors and of other professions that rules name. TRE_G15. */
export const profession = { doctor: '10', pharmacist: '21', dentist: '40', midwife: '50', nurse: '60' } as const;

/** The professional's national id, when a person acts in person. */
export function professionalId(actor: Actor): string | undefined {
  return actor.kind === 'professional' || actor.kind === 'air' ? actor.id : undefined;
}

/** The structure on whose behalf the actor acts, and of which rights may come: never one that is only claimed. */
export function structureId(actor: Actor): string | undefined {
  const claims = actor.kind === 'professional' && actor.structure?.claimed === true;
  return claims ? undefined : statedStructureId(actor);
}

/** The structure that the actor names, for what is written and traced. */
export function statedStructureId(actor: Actor): string | undefined {
  return actor.kind === 'professional' || actor.kind === 'air' || actor.kind === 'structure'
    ? actor.structure?.id
    : undefined;
}

/** A text that tells this actor from every other one: whom a structure alone vouches for is nobody else's, be it in the same name. */
export function nameOfActor(actor: Actor): string {
  return JSON.stringify(wordsFor(actor));
}

function wordsFor(actor: Actor): readonly string[] {
  if (actor.kind === 'structure') return [actor.kind, actor.structure.id, actor.employee?.id ?? ''];
  if (actor.kind === 'air') return [actor.kind, actor.id, actor.structure?.id ?? ''];
  return actor.kind === 'patient' ? [actor.kind, actor.ins.oid, actor.ins.value] : [actor.kind, actor.id];
}

/** The patient whom an actor names by being who he is: himself, or whom he represents. */
export function patientOfActor(actor: Actor): Identifier | undefined {
  if (actor.kind === 'patient') return actor.ins;
  return actor.kind === 'representative' ? actor.of : undefined;
}
