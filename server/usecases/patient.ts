import {
  type Authorisation,
  authorisationOf,
  type ConsentActor,
  namedBy,
  treatingDoctorsOf,
} from '../domain/consent.ts';
import type { RecordFacts } from '../domain/decision.ts';
import { refuse } from '../domain/error.ts';
import type { Identifier } from '../domain/identifier.ts';
import type { PatientRecord, RecordId } from '../domain/record.ts';
import { perform, permitElsewhere, type Request, type Tools } from './perform.ts';

/** That a record exists, its state, and what the caller's own right on it is. */
export type Existence = {
  readonly record: PatientRecord;
  /** The identifier by which the record was asked for; it may be an old one. */
  readonly asked: Identifier;
  /** Of a professional or structure; a patient needs none. */
  readonly authorisation?: Authorisation['status'];
  /** Of a professional: whether he is a treating doctor of the record. */
  readonly treatingDoctor?: boolean;
  /** Whether the caller may see the identity traits: the holder, the representatives, and who may search for patients by them. */
  readonly withTraits: boolean;
};

/** The holder of a record, and who treats him. */
export type Holder = { readonly record: PatientRecord; readonly treatingDoctors: readonly ConsentActor[] };

/**
 * The existence test: any identified professional learns state and own authorisation status. Whoever may search for patients learns the traits
 * too; in an emergency that has an event of its own, and owes what the search owes. DMP TD0.2; access policy, existence test.
 * @param query the question as it was asked, for the trace
 * @throws Refused `unknownPatient` when there is no record, in the same words when it was destroyed
 */
export async function testExistence(
  tools: Tools,
  request: Request,
  asked: Identifier,
  query: string,
): Promise<Existence> {
  return perform(tools, request, 'testExistence', { identifier: asked }, async (permit, facts) => {
    if (facts === undefined) refuse('unknownPatient', { value: asked.value });
    const own = ownAuthorisation(tools, request, facts);
    const isHolder = permit.ground === 'holder' || permit.ground === 'representative';
    const search = isHolder ? undefined : await permitElsewhere(tools, request, 'searchPatients', facts.record.id);
    const withTraits = isHolder || search !== undefined;
    const { status, treatingDoctor } = own ?? {};
    const right = { ...(status && { authorisation: status }), ...(treatingDoctor !== undefined && { treatingDoctor }) };
    const answer = { record: facts.record, asked, withTraits, ...right };
    const owes = search !== undefined && search.obligations.length > 0;
    return { answer, trace: { query }, ...(owes && { also: [{ permit: search }] }) };
  });
}

/**
 * The record's holder with the identity traits and the treating doctors. DMP TD1.3a.
 * @throws Refused `unknownPatient`, `recordClosed`, `accessDenied`
 */
export async function readPatient(tools: Tools, request: Request, record: RecordId): Promise<Holder> {
  return perform(tools, request, 'readPatient', { record }, async (_permit, facts) => {
    if (facts === undefined) refuse('unknownPatient', { value: record });
    const { record: found, consents } = facts;
    return { answer: { record: found, treatingDoctors: treatingDoctorsOf(consents, tools.now()) } };
  });
}

function ownAuthorisation(
  tools: Tools,
  { caller: { actor } }: Request,
  { consents }: RecordFacts,
): Authorisation | undefined {
  if (actor.kind !== 'professional' && actor.kind !== 'air' && actor.kind !== 'structure') return undefined;
  const { openingAuthorisesCareTeam } = tools.settings.regime;
  return authorisationOf(consents, namedBy(actor), tools.now(), openingAuthorisesCareTeam);
}
