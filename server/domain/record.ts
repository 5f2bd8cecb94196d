import { type Identifier, sameIdentifier } from './identifier.ts';

/** Opaque name of a record inside the store; a UUID without prefix, also the FHIR id of the Patient. */
export type RecordId = string;

/** `merged`: what it held is another record's now, and so are its identifiers. */
export const recordStates = ['open', 'closed', 'destroyed', 'merged'] as const;
export type RecordState = (typeof recordStates)[number];

/** One identifier of the holder. `old` ones still find the record, `subsumed` ones name nobody any more. IHE ITI TF-2 3.8.4.2. */
export type PatientIdentifier = Identifier & { readonly use: 'official' | 'old' | 'secondary' | 'subsumed' };

/** Codes of FHIR's AddressUse, ContactPointSystem and ContactPointUse. */
export const addressUses = ['home', 'work', 'temp', 'old', 'billing'] as const;
export const telecomSystems = ['phone', 'fax', 'email', 'pager', 'url', 'sms', 'other'] as const;
export const telecomUses = ['home', 'work', 'temp', 'old', 'mobile'] as const;

/** A postal address, as far as it is known. */
export type PostalAddress = {
  readonly use?: (typeof addressUses)[number];
  readonly lines: readonly string[];
  readonly city?: string;
  readonly state?: string;
  readonly postalCode?: string;
  readonly country?: string;
};

/** A telephone number or the like. */
export type Telecom = {
  readonly system?: (typeof telecomSystems)[number];
  readonly use?: (typeof telecomUses)[number];
  readonly value: string;
};

/**
 * Identity traits, as INSi gives them, and what a feed tells besides: addresses, telecoms, the mother's maiden name. Names are upper-case;
 * `given` is the first given name of birth, `givenNames` all of them, blank separated; birthDate is a FHIR date, empty when unknown;
 * birthPlace a COG code of 5 characters.
 */
export type Traits = {
  readonly family: string;
  readonly given: string;
  readonly givenNames?: string;
  readonly gender: 'male' | 'female' | 'unknown';
  readonly birthDate: string;
  readonly birthPlace?: string;
  readonly usedFamily?: string;
  readonly usedGiven?: string;
  readonly mothersMaidenName?: string;
  readonly addresses?: readonly PostalAddress[];
  readonly telecoms?: readonly Telecom[];
};

/** The record (dossier) of one person. `version` grows with every change of the record or of its consents. */
export type PatientRecord = {
  readonly id: RecordId;
  readonly version: number;
  readonly state: RecordState;
  readonly identifiers: readonly PatientIdentifier[];
  readonly traits: Traits;
  /** Attached to Mon espace santé: only the holder closes and reopens. */
  readonly attached: boolean;
  readonly createdAt: number;
  /** When the record or its consents changed last, in milliseconds; the store's to say. */
  readonly changedAt?: number;
  readonly mergedInto?: RecordId;
  readonly closed?: { readonly at: number; readonly motive: string; readonly text?: string };
  /** Who may act as legal representative of a minor. */
  readonly representatives: readonly { readonly id: string; readonly name: string; readonly relation: string }[];
};

export type RecordMove = 'close' | 'reopen' | 'destroy';

/** Which move leads where; absent means illegal. A record is destroyed only after it was closed. CSP L.1111-18, R.1111-40 to 44. */
export const legalMoves: { readonly [S in RecordState]: { readonly [M in RecordMove]?: RecordState } } = {
  open: { close: 'closed' },
  closed: { reopen: 'open', destroy: 'destroyed' },
  destroyed: {},
  merged: {},
};

/** The identifiers that name the holder today. */
export function currentIdentifiers({ identifiers }: Pick<PatientRecord, 'identifiers'>): readonly PatientIdentifier[] {
  return identifiers.filter(({ use }) => use !== 'subsumed');
}

/** Whether this identifier was the holder's until a merge took it away. */
export function isSubsumed({ identifiers }: Pick<PatientRecord, 'identifiers'>, named: Identifier): boolean {
  return identifiers.some((held) => held.use === 'subsumed' && sameIdentifier(held, named));
}

/** The state that a move leads to, or undefined where the move is illegal. */
export function stateAfter(state: RecordState, move: RecordMove): RecordState | undefined {
  return legalMoves[state][move];
}

/** Whether the ten years are over for which a closed record is kept. CSP L.1111-18. */
export function retentionIsOver({ state, closed }: PatientRecord, now: number): boolean {
  if (state !== 'closed' || closed === undefined) return false;
  const end = new Date(closed.at);
  end.setUTCFullYear(end.getUTCFullYear() + 10);
  return end.getTime() <= now;
}
