import type { Action } from '../domain/action.ts';
import type { Actor } from '../domain/actor.ts';
import {
  type Consent,
  type ConsentStatement,
  concernsTheSame,
  isInForce,
  sameActor,
  sameStatement,
  sameSubject,
} from '../domain/consent.ts';
import { refuse } from '../domain/error.ts';
import type { Identifier } from '../domain/identifier.ts';
import type { PatientRecord } from '../domain/record.ts';
import { type Plan, perform, type Request, type Tools } from './perform.ts';
import { authorisedBy, consentOf, endConsent, monthsAfter } from './record.ts';

/** What a holder, or a professional for himself, may state or withdraw; the opening of the record is ended by closing it. */
export type Statable = Exclude<ConsentStatement, { kind: 'opening' }>;

/**
 * States a consent: an authorisation, a block, an opposition, the acceptance of masked documents in emergency. What the new statement
 * contradicts or repeats ends with it; a repetition changes nothing. A professional who declares himself authorised states the patient's consent
 * for a limited time; a secretary's declaration names her structure.
 * @param until milliseconds since 1970, for a statement of the holder that ends by itself
 * @throws Refused what the decision refuses
 */
export async function stateConsent(
  tools: Tools,
  request: Request,
  patient: Identifier,
  statement: Statable,
  until?: number,
): Promise<Consent> {
  const own = declares(request.caller.actor, statement);
  const action: Action = own ? 'declareAuthorisation' : 'changeConsent';
  return perform(tools, request, action, { identifier: patient }, async (_permit, facts) => {
    if (facts === undefined) refuse('unknownPatient');
    const now = tools.now();
    const standing = facts.consents.filter((c) => isInForce(c, now));
    const end = own ? monthsAfter(now, tools.settings.regime.authorisationMonths) : until;
    const same = standing.find((c) => sameStatement(c.statement, statement) && c.until === end);
    if (same !== undefined) return { answer: same };
    const consent = consentOf(tools, request, facts.record.id, statement, end);
    const ended = standing
      .filter((c) => concernsTheSame(c.statement, statement) && !(own && outlastsDeclaration(c.statement)))
      .map((c) => endConsent(c, now));
    return changed(facts.record, consent, ended);
  });
}

/**
 * Withdraws what was stated; nothing happens when it does not stand.
 * @throws Refused what the decision refuses
 */
export async function withdrawConsent(
  tools: Tools,
  request: Request,
  patient: Identifier,
  statement: Statable,
): Promise<Consent | undefined> {
  const action: Action = isOwnAuthorisation(request.caller.actor, statement)
    ? 'withdrawAuthorisation'
    : 'changeConsent';
  return perform(tools, request, action, { identifier: patient }, async (_permit, facts) => {
    if (facts === undefined) refuse('unknownPatient');
    const now = tools.now();
    const standing = facts.consents.find((c) => isInForce(c, now) && sameSubject(c.statement, statement));
    return standing === undefined ? { answer: undefined } : changed(facts.record, endConsent(standing, now), []);
  });
}

function changed(record: PatientRecord, answer: Consent, ended: readonly Consent[]): Plan<Consent> {
  return {
    answer,
    put: [
      { kind: 'record', record: nextVersion(record) },
      ...[...ended, answer].map((consent) => ({ kind: 'consent' as const, consent })),
    ],
  };
}

/** Every change of a consent is a change of its record: who decided on the old facts decides again. */
function nextVersion(record: PatientRecord): PatientRecord {
  return { ...record, version: record.version + 1 };
}

/** Whether the actor states his own authorisation, by himself. Who treats the patient is the patient's to say. DMP functional rights matrix, TD0.3. */
export function declares(actor: Actor, statement: ConsentStatement): boolean {
  return isOwnAuthorisation(actor, statement) && !isOfTreatingDoctor(statement);
}

/** What a declaration of one's own leaves as it is: a block, and what the patient said of the treating doctor. */
export function outlastsDeclaration(statement: ConsentStatement): boolean {
  return statement.kind === 'block' || isOfTreatingDoctor(statement);
}

function isOfTreatingDoctor(statement: ConsentStatement): boolean {
  return statement.kind === 'authorisation' && statement.treatingDoctor;
}

/** Whether this is the actor's own authorisation, which he may withdraw. */
export function isOwnAuthorisation(actor: Actor, statement: ConsentStatement): boolean {
  const self = authorisedBy(actor);
  return statement.kind === 'authorisation' && self !== undefined && sameActor(self, statement.actor);
}
