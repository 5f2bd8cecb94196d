import type { Action } from './action.ts';
import { type Actor, type Caller, type Mode, profession, structureId } from './actor.ts';
import type { AffinityDomain } from './affinity-domain.ts';
import {
  type Authorisation,
  acceptsMaskedInEmergency,
  authorisationOf,
  type Consent,
  isOpposed,
  namedBy,
} from './consent.ts';
import { type VisibilityCode, visibilityCodes } from './document.ts';
import { type Identifier, sameIdentifier } from './identifier.ts';
import { type Capacity, mayInPrinciple, systemMay } from './matrix.ts';
import {
  currentIdentifiers,
  isSubsumed,
  type PatientRecord,
  type RecordId,
  type RecordMove,
  retentionIsOver,
  stateAfter,
} from './record.ts';
import type { Regime } from './regime.ts';

/** A record with the consents that rule it. */
export type RecordFacts = { readonly record: PatientRecord; readonly consents: readonly Consent[] };

/** profession (G15) → typeCodes that it may not read; `all` = it reads none at all. `others` is the row of every profession not named. */
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
  /** Whether the domain lets in who brings no credential. */
  readonly domain: Pick<AffinityDomain, 'credentials'>;
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
  | 'openDomain'
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

/**
 * A professional without authorisation finds what he wrote himself; for anything else that he names he is told that he has no right, whether it
 * exists or not.
 */
export function reachesOwnOnly({ ground, visibility }: Permit): boolean {
  return ground === 'ownDocuments' && visibility.only === 'all';
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

/** What the steps of the judgement look at. */
type Situation = {
  readonly caller: Caller;
  readonly actor: Actor;
  readonly action: Action;
  readonly patient: Identifier | undefined;
  readonly facts: RecordFacts | undefined;
  readonly around: Surroundings;
  /** Absent for systems and administrators. */
  readonly capacity: Capacity | undefined;
  /** What the consents say of a professional or structure; absent for everyone else. */
  readonly authorisation: Authorisation | undefined;
};
type Step = (situation: Situation) => Refusal | undefined;

/** The order of judgement: the first step that refuses decides. */
const steps: readonly Step[] = [
  notSubsumed,
  onePatient,
  recordExists,
  representativeAccepted,
  recordOpen,
  matrixAllows,
  lifeOfRecordAllows,
  notBlocked,
  emergencyAllows,
  authorised,
];

/**
 * Judges one request. Everything unknown is refused; whoever is permitted gets the ground, the filter of documents and what he owes.
 * A permit for an action on a record always names an existing record. CSP L.1111-14 to L.1111-19; DMP functional rights matrix.
 */
export function decide(question: Question, facts: RecordFacts | undefined, around: Surroundings): Decision {
  const situation = situationOf(question, facts, around);
  for (const step of steps) {
    const refused = step(situation);
    if (refused !== undefined) return { refused };
  }
  const ground = groundOf(situation);
  if (ground === undefined) return { refused: no('notAuthorised') };
  const visibility = visibilityOf(situation, ground);
  return { permit: new Grant(question.action, facts, ground, visibility, obligationsOf(situation, ground)) };
}

function no(reason: Refusal['reason'], problem: Refusal['problem'] = 'accessDenied'): Refusal {
  return { reason, problem };
}

function situationOf(
  { caller, action, patient }: Question,
  facts: RecordFacts | undefined,
  around: Surroundings,
): Situation {
  const { actor, mode } = caller;
  const authorisation = isCarer(actor)
    ? authorisationOf(facts?.consents ?? [], namedBy(actor), around.now, around.regime.openingAuthorisesCareTeam)
    : undefined;
  const capacity = capacityOf(actor, mode, authorisation?.treatingDoctor === true, around);
  return { caller, actor, action, patient, facts, around, capacity, authorisation };
}

/** Professionals and structures: those whom consents name. */
function isCarer(actor: Actor): boolean {
  return actor.kind === 'professional' || actor.kind === 'air' || actor.kind === 'structure';
}

/** The treating doctor who regulates at a centre 15 is a doctor like others there. */
function capacityOf(actor: Actor, mode: Mode, treating: boolean, around: Surroundings): Capacity | undefined {
  if (actor.kind === 'system' || actor.kind === 'administrator') return undefined;
  if (actor.kind !== 'professional' && actor.kind !== 'air') return actor.kind;
  if (actor.card === 'CPE') return 'secretary';
  if (actor.specialty !== undefined && around.occupationalSpecialties.has(actor.specialty)) return 'occupationalDoctor';
  if (actor.profession !== profession.doctor) return 'otherProfessional';
  return treating && mode !== 'emergencyCentre' ? 'treatingDoctor' : 'doctor';
}

/** An identifier that a merge took away names nobody. IHE ITI TF-2 3.8.4.2. */
function notSubsumed(situation: Situation): Refusal | undefined {
  const { record } = situation.facts ?? {};
  const named = record !== undefined && namedPatients(situation).some((id) => isSubsumed(record, id));
  return named ? no('unknownRecord', 'unknownPatient') : undefined;
}

/** The patient whom the request names first, then those of the credential. */
function namedPatients({ caller, actor, patient }: Situation): Identifier[] {
  return [
    patient,
    caller.patient,
    actor.kind === 'patient' ? actor.ins : undefined,
    actor.kind === 'representative' ? actor.of : undefined,
  ].filter((id) => id !== undefined);
}

/** Everyone whom the request and the credential name as the patient is one person. */
function onePatient(situation: Situation): Refusal | undefined {
  const { patient, facts } = situation;
  const named = namedPatients(situation);
  const known = facts === undefined ? named.slice(0, 1) : currentIdentifiers(facts.record);
  if (named.every((id) => known.some((holder) => sameIdentifier(holder, id)))) return undefined;
  return no('otherPatient', patient === undefined ? 'unknownPatient' : 'patientDiffersFromCredential');
}

/** Actions that concern no record, or one that does not exist yet. */
const withoutRecord: readonly Action[] = [
  'createRecord',
  'searchPatients',
  'readDirectory',
  'feedIdentities',
  'queryAcrossPatients',
  'removeDocuments',
  'feedAudit',
  'stageContent',
  'subscribeAcrossPatients',
  'manageSubscriptions',
];

/** None and destroyed are the same for everyone. */
function recordExists({ action, facts }: Situation): Refusal | undefined {
  if (facts?.record.state === 'destroyed') return no('recordDestroyed', 'unknownPatient');
  if (facts?.record.state === 'merged') return no('unknownRecord', 'unknownPatient');
  if (facts === undefined && !withoutRecord.includes(action)) return no('unknownRecord', 'unknownPatient');
  return undefined;
}

function representativeAccepted({ caller, actor, action, facts }: Situation): Refusal | undefined {
  if (actor.kind !== 'representative' || action === 'manageSubscriptions' || action === 'stageContent')
    return undefined;
  if (caller.secret) return no('secretSession');
  return facts?.record.representatives.some(({ id }) => id === actor.id) === true ? undefined : no('notAuthorised');
}

const openWhenClosed: readonly Action[] = ['testExistence', 'reopenRecord', 'destroyRecord'];

function recordOpen({ action, facts }: Situation): Refusal | undefined {
  const closed = facts?.record.state === 'closed' && !openWhenClosed.includes(action);
  return closed ? no('recordClosed', 'recordClosed') : undefined;
}

function matrixAllows({ caller, actor, action, capacity, around }: Situation): Refusal | undefined {
  if (isUncredentialed(caller))
    return around.domain.credentials === 'none' && !administration.includes(action) ? undefined : no('matrix');
  if (actor.kind === 'system')
    return systemMay(action, actor.rights, isOwnJob(caller)) && caller.mode === 'normal'
      ? undefined
      : no('rightMissing');
  if (capacity === undefined) return no('matrix');
  if (mayInPrinciple(action, capacity, caller.mode, actor.kind)) return undefined;
  return no(mayInPrinciple(action, capacity, 'normal', actor.kind) ? 'modeNotAllowed' : 'matrix');
}

/** Nobody proved anything: the one system of a domain without credentials. */
function isUncredentialed({ credential }: Caller): boolean {
  return credential.kind === 'none';
}

/** What the system of a domain without credentials may not do: the life of records, consents, traces. */
const administration: readonly Action[] = [
  'readHistory',
  'readConsents',
  'declareAuthorisation',
  'withdrawAuthorisation',
  'changeConsent',
  'createRecord',
  'closeRecord',
  'reopenRecord',
  'destroyRecord',
  'announce',
  'feedAudit',
];

/** Our own work, not a partner's system. */
function isOwnJob({ actor, credential }: Caller): boolean {
  return actor.kind === 'system' && credential.kind === 'internal';
}

const moves: { readonly [A in Action]?: RecordMove } = {
  closeRecord: 'close',
  reopenRecord: 'reopen',
  destroyRecord: 'destroy',
};

/** Creation by whom the regime names; moves that the state allows; a record attached to Mon espace santé is the holder's alone to move. */
function lifeOfRecordAllows({ actor, action, facts, around }: Situation): Refusal | undefined {
  if (action === 'createRecord') {
    if (facts !== undefined) return no('illegalMove');
    return (actor.kind === 'system' ? 'system' : 'professional') === around.regime.createdBy ? undefined : no('matrix');
  }
  if (action === 'announce' && actor.kind === 'system')
    return around.regime.announcementOpensAfter === undefined ? no('matrix') : undefined;
  const move = moves[action];
  if (move === undefined || facts === undefined) return undefined;
  if (stateAfter(facts.record.state, move) === undefined) return no('illegalMove');
  if (actor.kind === 'system') return retentionIsOver(facts.record, around.now) ? undefined : no('illegalMove');
  return isCarer(actor) && facts.record.attached ? no('matrix') : undefined;
}

/** A block counts in every mode, but neither for the existence test nor for depositing where that is free. */
function notBlocked({ action, authorisation, around }: Situation): Refusal | undefined {
  if (authorisation?.status !== 'blocked' || action === 'testExistence' || isFreeDeposit(action, around))
    return undefined;
  return no('blocked');
}

function isFreeDeposit(action: Action, { regime }: Surroundings): boolean {
  return action === 'submitDocuments' && !regime.depositNeedsAuthorisation;
}

/** Break-glass: a health professional, with a reason, against no opposition. Centre 15: one of its structures, against no opposition. */
function emergencyAllows({ caller, actor, action, facts, around }: Situation): Refusal | undefined {
  const { mode, reason } = caller;
  if (mode === 'normal' || action === 'testExistence') return undefined;
  if (actor.kind !== 'structure' && !isHealthProfessional(actor, around.habilitations)) return no('profession');
  if (mode === 'breakGlass' && around.regime.breakGlassNeedsReason && (reason ?? '').trim() === '')
    return no('reasonMissing');
  if (mode === 'emergencyCentre' && !around.emergencyCentres.has(structureId(actor) ?? '')) return no('modeNotAllowed');
  return facts !== undefined && isOpposed(facts.consents, mode, around.now) ? no('opposed') : undefined;
}

/** Whoever may read nothing at all by profession, unknown professions among them, is no health professional. */
function isHealthProfessional(actor: Actor, habilitations: Habilitations): boolean {
  if (actor.kind !== 'professional' && actor.kind !== 'air') return false;
  return refusedTo(actor.profession, habilitations) !== 'all';
}

function refusedTo(code: string, { refused, others, social }: Habilitations): readonly string[] | 'all' {
  if (social.includes(code)) return 'all';
  return (Object.hasOwn(refused, code) ? refused[code] : undefined) ?? others;
}

/** In normal mode a professional or structure needs a valid authorisation, save for what is open without one. */
function authorised({ caller, actor, action, authorisation, around }: Situation): Refusal | undefined {
  if (!isCarer(actor) || caller.mode !== 'normal' || authorisation?.status === 'valid') return undefined;
  if (openGround(action, around) !== undefined) return undefined;
  return no(authorisation?.status === 'expired' ? 'expired' : 'notAuthorised');
}

/** What a professional or structure may do without authorisation, and on which ground. */
const openGrounds: { readonly [A in Action]?: Ground } = {
  testExistence: 'identified',
  readDirectory: 'identified',
  declareAuthorisation: 'identified',
  withdrawAuthorisation: 'identified',
  reopenRecord: 'identified',
  lookUpDocuments: 'ownDocuments',
  deleteDocument: 'ownDocuments',
  createRecord: 'creation',
  stageContent: 'identified',
  manageSubscriptions: 'identified',
};

function openGround(action: Action, around: Surroundings): Ground | undefined {
  return isFreeDeposit(action, around) ? 'openDeposit' : openGrounds[action];
}

function groundOf({ caller, actor, action, capacity, authorisation, around }: Situation): Ground | undefined {
  if (actor.kind === 'patient') return 'holder';
  if (actor.kind === 'representative') return 'representative';
  if (isUncredentialed(caller)) return 'openDomain';
  if (action === 'testExistence' || action === 'readDirectory' || action === 'manageSubscriptions') return 'identified';
  if (action === 'createRecord') return 'creation';
  if (actor.kind === 'system') return 'systemRight';
  if (!isCarer(actor)) return undefined;
  if (caller.mode !== 'normal') return caller.mode;
  if (authorisation?.status !== 'valid') return openGround(action, around);
  if (authorisation.through === 'careTeam') return 'careTeam';
  return capacity === 'treatingDoctor' ? 'treatingDoctor' : 'authorisation';
}

/** Grounds that reach no further than one's own documents. */
const ownGrounds: readonly Ground[] = ['identified', 'ownDocuments', 'openDeposit', 'creation'];

function visibilityOf(situation: Situation, ground: Ground): Visibility {
  const { caller, actor, action, authorisation } = situation;
  if (actor.kind === 'patient') return { ...seesAll, viewer: { patient: true }, hidden: always('INVISIBLE_PATIENT') };
  if (actor.kind === 'representative')
    return { ...seesAll, hidden: always('INVISIBLE_PATIENT', 'INVISIBLE_REPRESENTANTS_LEGAUX') };
  if (actor.kind === 'structure') return { ...ofOwnStructure(actor), hidden: masked(situation) };
  if (actor.kind === 'professional' || actor.kind === 'air') {
    if (actor.card === 'CPE') return { ...ofOwnStructure(actor), hidden: masked(situation) };
    const whole = ofProfessional(situation, actor);
    const ownOnly = ownGrounds.includes(ground) || authorisation?.status === 'blocked';
    return ownOnly ? { ...whole, refusedTypes: 'all', content: 'own' } : whole;
  }
  if (isUncredentialed(caller)) return seesAll;
  const hidden = isOwnJob(caller) || administrative.includes(action) ? [] : always(...visibilityCodes);
  return { ...seesAll, hidden, content: 'none' };
}

/** By these a system keeps the registry in order: it reaches every entry of the record, and no bytes. */
const administrative: readonly Action[] = [
  'registerDocuments',
  'registerOnDemand',
  'removeDocuments',
  'restrictedUpdate',
  'updateDocument',
];

function ofOwnStructure(actor: Actor): Visibility {
  const viewer = viewerOf(actor);
  return { viewer, hidden: [], refusedTypes: [], only: 'ownStructure', content: 'none' };
}

function ofProfessional(situation: Situation, actor: Actor & { readonly profession: string }): Visibility {
  const { capacity, around } = situation;
  return {
    viewer: viewerOf(actor),
    hidden: masked(situation),
    refusedTypes: refusedTo(actor.profession, around.habilitations),
    only: 'all',
    content: capacity === 'occupationalDoctor' ? 'own' : 'all',
  };
}

function viewerOf(actor: Actor): Visibility['viewer'] {
  const { professional, structure } = namedBy(actor);
  return { ...(professional !== undefined && { professional }), ...(structure !== undefined && { structure }) };
}

/** Masked documents: in normal mode for the treating doctor and their author, in emergency for everyone or nobody, as the patient said. */
function masked({ caller, capacity, facts, around }: Situation): Visibility['hidden'] {
  if (caller.mode !== 'normal') {
    const accepted = acceptsMaskedInEmergency(facts?.consents ?? [], around.now);
    return accepted ? [] : always('MASQUE_PS');
  }
  return capacity === 'treatingDoctor' ? [] : [{ code: 'MASQUE_PS', exceptOwn: true }];
}

function always(...codes: VisibilityCode[]): Visibility['hidden'] {
  return codes.map((code) => ({ code, exceptOwn: false }));
}

/** An emergency access is told to the patient and the treating doctor and reviewed; a deposit by another is told to the patient. */
function obligationsOf({ actor, action, facts }: Situation, ground: Ground): readonly Obligation[] {
  if (facts === undefined) return [];
  if (ground === 'breakGlass' || ground === 'emergencyCentre')
    return ['notifyPatient', 'notifyTreatingDoctor', 'reviewEmergencyAccess'];
  return action === 'submitDocuments' && actor.kind !== 'patient' ? ['notifyPatient'] : [];
}
