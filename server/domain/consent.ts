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
  readonly version: number;
  readonly status: 'active' | 'inactive';
  readonly statement: ConsentStatement;
  readonly from: number;
  readonly until?: number;
  readonly statedAt: number;
  /** Who stated it: the holder, a representative, or a professional for him. */
  readonly statedBy: { readonly kind: string; readonly id: string; readonly name: string };
};
