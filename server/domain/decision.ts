import type { Action } from './action.ts';
import type { Caller } from './actor.ts';
import type { Consent } from './consent.ts';
import type { VisibilityCode } from './document.ts';
import type { Identifier } from './identifier.ts';
import type { PatientRecord, RecordId } from './record.ts';
import type { Regime } from './regime.ts';

/** A record with the consents that rule it. */
export type RecordFacts = { readonly record: PatientRecord; readonly consents: readonly Consent[] };

/** profession (G15) → typeCodes that it may not read; `all` = none at all. `others` is the row of health professions not named. */
export type Habilitations = {
  readonly refused: Readonly<Record<string, readonly string[] | 'all'>>;
  readonly others: readonly string[] | 'all';
  /** Professions that are no health professions: they read nothing. */
  readonly social: readonly string[];
};

/** What the decision sees besides the record: settings and time. */
export type Surroundings = {
  readonly now: number;
  readonly regime: Regime;
  readonly habilitations: Habilitations;
  /** Struct_IdNat of the centres 15. */
  readonly emergencyCentres: ReadonlySet<string>;
  /** TRE_R01 specialties of occupational doctors. */
  readonly occupationalSpecialties: ReadonlySet<string>;
};

export type Question = {
  readonly caller: Caller;
  readonly action: Action;
  /** The identifier by which the request names the patient, besides the credential. */
  readonly patient?: Identifier;
};

/** Why the permit was given. */
export type Ground =
  | 'holder'
  | 'representative'
  | 'treatingDoctor'
  | 'authorisation'
  | 'careTeam'
  | 'breakGlass'
  | 'emergencyCentre'
  | 'openDeposit'
  | 'identified'
  | 'ownDocuments'
  | 'systemRight'
  | 'creation';

export type Obligation = 'notifyPatient' | 'notifyTreatingDoctor' | 'reviewEmergencyAccess';

/**
 * Which documents of the record exist for this caller; data, so that a store applies it inside its query. A document is visible when it
 * is the viewer's own and `own` says that own ones are exempt from a row, or no row hides it.
 */
export type Visibility = {
  /** The viewer, for "own": a document is own when this professional (or, for a structure, this structure) wrote or filed it. */
  readonly viewer: { readonly professional?: string; readonly structure?: string; readonly patient?: boolean };
  /** Codes that hide a document. */
  readonly hidden: readonly { readonly code: VisibilityCode; readonly exceptOwn: boolean }[];
  /** typeCodes that the viewer's profession may not read, own documents excepted. */
  readonly refusedTypes: readonly string[] | 'all';
  /** `own`: only documents of the viewer's structure exist (structure, CPE). */
  readonly only: 'all' | 'ownStructure';
  /** Whose bytes may be read. */
  readonly content: 'all' | 'own' | 'none';
};

/** Everything that a reader of the whole record sees: for our own jobs. */
export const seesAll: Visibility = { viewer: {}, hidden: [], refusedTypes: [], only: 'all', content: 'all' };

/**
 * Leave to do one action on one record, made by `decide()` alone: no other file can construct one, and every store method on patient data
 * asks for one. `record` is absent only for actions that concern no record yet (creation, existence of none).
 */
class Grant {
  readonly #made = true;
  readonly action: Action;
  readonly record: RecordId | undefined;
  readonly recordVersion: number | undefined;
  readonly ground: Ground;
  readonly visibility: Visibility;
  readonly obligations: readonly Obligation[];
  constructor(
    action: Action,
    facts: RecordFacts | undefined,
    ground: Ground,
    visibility: Visibility,
    obligations: readonly Obligation[],
  ) {
    this.action = action;
    this.record = facts?.record.id;
    this.recordVersion = facts?.record.version;
    this.ground = ground;
    this.visibility = visibility;
    this.obligations = obligations;
  }
  static is(value: unknown): value is Grant {
    return value instanceof Grant && value.#made;
  }
}
export type Permit = Grant;

/** True for a permit that `decide()` made; the store's guard against forged ones. */
export function isPermit(value: unknown): value is Permit {
  return Grant.is(value);
}

/** Why not; `reason` is for the audit, `problem` is all that the caller may learn. */
export type Refusal = {
  readonly reason:
    | 'unknownRecord'
    | 'recordDestroyed'
    | 'recordClosed'
    | 'otherPatient'
    | 'matrix'
    | 'blocked'
    | 'modeNotAllowed'
    | 'reasonMissing'
    | 'opposed'
    | 'notAuthorised'
    | 'expired'
    | 'profession'
    | 'secretSession'
    | 'rightMissing'
    | 'illegalMove';
  readonly problem: 'unknownPatient' | 'recordClosed' | 'accessDenied' | 'patientDiffersFromCredential';
};

export type Decision = { readonly permit: Permit } | { readonly refused: Refusal };

/** Placeholder until the rules arrive. */
export function decide(question: Question, facts: RecordFacts | undefined, around: Surroundings): Decision {
  void around;
  return { permit: new Grant(question.action, facts, 'identified', seesAll, []) };
}
