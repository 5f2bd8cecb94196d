import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { actions } from '../../server/domain/action.ts';
import { type Actor, type Caller, modes, systemRights } from '../../server/domain/actor.ts';
import type { Consent, ConsentActor, ConsentStatement } from '../../server/domain/consent.ts';
import type { Question, RecordFacts, Surroundings } from '../../server/domain/decision.ts';
import type { Identifier } from '../../server/domain/identifier.ts';
import { type PatientRecord, recordStates } from '../../server/domain/record.ts';
import { regimes } from '../../server/domain/regime.ts';
import { patientOf, people, personOf, sandboxCentres } from '../../server/sandbox/people.ts';

const slug = z.string().refine((s) => personOf(s) !== undefined, 'nobody of the sandbox');
const slugs = z.array(slug).default([]);
const teams = z.array(z.array(slug)).default([]);

const recordSchema = z.strictObject({
  state: z.enum(['none', ...recordStates]).default('open'),
  attached: z.boolean().default(false),
  /** Years ago that the record was closed. */
  closedYears: z.number().default(0),
  representatives: slugs,
  /** Further patients whose identifiers the record carries. */
  alsoKnownAs: slugs,
  authorised: slugs,
  /** Those whose structure is authorised. */
  authorisedStructures: slugs,
  treating: slugs,
  expired: slugs,
  onceTreating: slugs,
  withdrawn: slugs,
  future: slugs,
  blocked: slugs,
  onceBlocked: slugs,
  teams,
  blockedTeams: teams,
  opening: z.boolean().default(true),
  opposes: z.array(z.enum(['breakGlass', 'emergencyCentre'])).default([]),
  acceptsMasked: z.boolean().default(false),
});

const expectSchema = z.union([
  z.strictObject({ refused: z.string(), problem: z.string() }),
  z.strictObject({
    permit: z.string(),
    owes: z.array(z.string()),
    /** The codes that hide a document; `unless own` spares the viewer's own ones. */
    hides: z.array(z.string()).optional(),
    content: z.enum(['all', 'own', 'none']).optional(),
    only: z.enum(['all', 'ownStructure']).optional(),
    refusedTypes: z.union([z.array(z.string()), z.literal('all')]).optional(),
  }),
]);

const caseSchema = z.strictObject({
  case: z.string(),
  actor: z.union([
    slug,
    z.strictObject({ as: slug, profession: z.string() }),
    z.strictObject({ air: slug }),
    z.strictObject({ own: slug }),
    z.strictObject({ system: z.array(z.enum(systemRights)) }),
    z.strictObject({ administrator: z.string() }),
  ]),
  mode: z.enum(modes).default('normal'),
  reason: z.string().optional(),
  secret: z.boolean().default(false),
  regime: z.enum(['2011', '2022']).default('2011'),
  patient: slug.default('laurent'),
  credentialPatient: slug.optional(),
  /** How the request names the record: by the patient's identifier, by something in it, or not at all. */
  named: z.enum(['patient', 'record', 'nobody']).default('patient'),
  record: recordSchema.default(recordSchema.parse({})),
  action: z.enum(actions),
  expect: expectSchema,
});
export type DecisionCase = z.infer<typeof caseSchema>;

/** The decision cases, each checked for words that nobody understands. */
export const decisionCases: readonly DecisionCase[] = z
  .array(caseSchema)
  .parse(JSON.parse(readFileSync(new URL('../cases/decisions.json', import.meta.url), 'utf8')));

export const caseTime = Date.UTC(2026, 4, 4, 10);
const day = 86_400_000;
const habilitations = z
  .strictObject({
    refused: z.record(z.string(), z.union([z.array(z.string()), z.literal('all')])),
    others: z.union([z.array(z.string()), z.literal('all')]),
    social: z.array(z.string()),
  })
  .parse(JSON.parse(readFileSync(new URL('../../profiles/habilitations.json', import.meta.url), 'utf8')));

/** Settings of a regime with the shipped habilitations and the sandbox's centre 15. */
export function surroundings(regime: '2011' | '2022'): Surroundings {
  return {
    now: caseTime,
    regime: regimes[regime],
    habilitations,
    emergencyCentres: new Set(sandboxCentres),
    occupationalSpecialties: new Set(['SM25']),
    domain: { credentials: 'required' },
  };
}

export function questionOf(c: DecisionCase): Question {
  const caller: Caller = {
    actor: actorOf(c.actor),
    mode: c.mode,
    secret: c.secret,
    credential: typeof c.actor === 'object' && 'own' in c.actor ? internal : token,
    ...(c.reason !== undefined && { reason: c.reason }),
    ...(c.credentialPatient !== undefined && { patient: identifierOf(c.credentialPatient) }),
  };
  return { caller, action: c.action, ...(c.named === 'patient' && { patient: identifierOf(c.patient) }) };
}

const token = { kind: 'token', id: 't-1', issuer: 'https://issuer.example' } as const;
const internal = { kind: 'internal', id: 'job' } as const;

function identifierOf(patient: string): Identifier {
  const person = patientOf(patient);
  if (person === undefined) throw new Error(`${patient} is no patient`);
  return { value: person.ins, oid: person.insOid };
}

function actorOf(who: DecisionCase['actor']): Actor {
  if (typeof who === 'string') return sandboxActor(who);
  if ('administrator' in who) return { kind: 'administrator', id: who.administrator, name: who.administrator };
  if ('system' in who) return { kind: 'system', id: 'partner', name: 'partner', rights: who.system };
  if ('own' in who) return { kind: 'system', id: who.own, name: who.own, rights: [] };
  const person = sandboxActor('as' in who ? who.as : who.air);
  if (person.kind !== 'professional') throw new Error(`${person.kind} is no professional`);
  return 'as' in who ? { ...person, profession: who.profession } : { ...person, kind: 'air' };
}

function sandboxActor(name: string): Actor {
  const person = people.find((p) => p.slug === name);
  switch (person?.kind) {
    case 'professional': {
      const { idNat, display, card, profession, specialty, structIdNat } = person;
      const who = { kind: 'professional', id: idNat, name: display, card, profession } as const;
      return { ...who, structure: { id: structIdNat }, ...(specialty !== undefined && { specialty }) };
    }
    case 'structure':
      return { kind: 'structure', structure: { id: person.structIdNat } };
    case 'patient':
      return { kind: 'patient', ins: identifierOf(name), name: person.display };
    case 'representative':
      return { kind: 'representative', id: person.ins, name: person.display, of: identifierOf(person.of) };
    case 'system':
      return { kind: 'system', id: person.id, name: person.display, rights: person.rights };
    case undefined:
      throw new Error(`nobody is called ${name}`);
  }
}

export function factsOf({ record, patient, named }: DecisionCase): RecordFacts | undefined {
  if (record.state === 'none' || named === 'nobody') return undefined;
  const closedAt = new Date(caseTime);
  closedAt.setUTCFullYear(closedAt.getUTCFullYear() - record.closedYears);
  const facts: PatientRecord = {
    id: '0190a5b0-0000-7000-8000-000000000001',
    version: 3,
    state: record.state,
    identifiers: [
      { ...identifierOf(patient), use: 'official' },
      ...record.alsoKnownAs.map((other) => ({ ...identifierOf(other), use: 'old' as const })),
    ],
    traits: { family: 'DEMO', given: 'DEMO', gender: 'unknown', birthDate: '1970-01-01' },
    attached: record.attached,
    createdAt: caseTime - 4000 * day,
    ...(record.state === 'closed' && { closed: { at: closedAt.getTime(), motive: 'FERMETURE_DEMANDE_PATIENT' } }),
    representatives: record.representatives.map((name) => {
      const actor = sandboxActor(name);
      return { id: actor.kind === 'representative' ? actor.id : '', name, relation: 'MTH' };
    }),
  };
  return { record: facts, consents: consentsOf(record, facts.id) };
}

function consentsOf(record: DecisionCase['record'], id: string): Consent[] {
  const consents: Consent[] = [];
  const state = (statement: ConsentStatement, when: Partial<Consent> = {}): void => {
    consents.push({
      id: `consent-${consents.length}`,
      record: id,
      version: 1,
      status: 'active',
      statement,
      from: caseTime - 100 * day,
      statedAt: caseTime - 100 * day,
      statedBy: { kind: 'patient', id: 'holder', name: 'holder' },
      ...when,
    });
  };
  const authorise = (actor: ConsentActor, treatingDoctor: boolean, when?: Partial<Consent>) =>
    state({ kind: 'authorisation', actor, treatingDoctor }, when);
  const over = { until: caseTime };
  if (record.opening) state({ kind: 'opening' });
  for (const who of record.authorised) authorise(namedActor(who), false, { until: caseTime + day });
  for (const who of record.authorisedStructures) authorise(structureOf(who), false);
  for (const who of record.treating) authorise(namedActor(who), true);
  for (const who of record.expired) authorise(namedActor(who), false, over);
  for (const who of record.onceTreating) authorise(namedActor(who), true, over);
  for (const who of record.withdrawn) authorise(namedActor(who), false, { status: 'inactive', until: caseTime - day });
  for (const who of record.future) authorise(namedActor(who), false, { from: caseTime + day });
  for (const who of record.blocked) state({ kind: 'block', actor: namedActor(who) });
  for (const who of record.onceBlocked) state({ kind: 'block', actor: namedActor(who) }, over);
  for (const team of record.teams) authorise(teamOf(team), false);
  for (const team of record.blockedTeams) state({ kind: 'block', actor: teamOf(team) });
  for (const to of record.opposes) state({ kind: 'opposition', to });
  if (record.acceptsMasked) state({ kind: 'maskedInEmergency' });
  return consents;
}

function namedActor(name: string): Extract<ConsentActor, { id: string }> {
  const actor = sandboxActor(name);
  if (actor.kind === 'professional') return { kind: 'professional', id: actor.id };
  return structureOf(name);
}

function structureOf(name: string): { readonly kind: 'structure'; readonly id: string } {
  const actor = sandboxActor(name);
  const structure = actor.kind === 'professional' || actor.kind === 'structure' ? actor.structure : undefined;
  if (structure === undefined) throw new Error(`${name} has no structure`);
  return { kind: 'structure', id: structure.id };
}

function teamOf(members: readonly string[]): ConsentActor {
  return { kind: 'careTeam', members: members.map(namedActor) };
}
