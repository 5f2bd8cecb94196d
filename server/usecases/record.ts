import { type Actor, professionalId, structureId } from '../domain/actor.ts';
import type { Consent, ConsentActor, ConsentStatement } from '../domain/consent.ts';
import { refuse } from '../domain/error.ts';
import type { Identifier } from '../domain/identifier.ts';
import { parseIns } from '../domain/ins.ts';
import { legalMoves, type PatientIdentifier, type PatientRecord, type Traits } from '../domain/record.ts';
import { perform, type Request, type Tools } from './perform.ts';

/** What is needed to open a record. `others` are further identifiers of the holder, such as an INS-C. */
export type Opening = {
  readonly ins: Identifier;
  readonly others?: readonly PatientIdentifier[];
  readonly traits: Traits;
  readonly representatives?: PatientRecord['representatives'];
  /** What the holder opposes from the first moment. */
  readonly oppositions?: readonly ('breakGlass' | 'emergencyCentre')[];
};

/**
 * Opens a record with its own key: the holder's consent to the opening, his oppositions, and, where a professional creates, the creator's
 * authorisation. The INS must be free.
 * @throws Refused insMalformed, accessDenied, and what the decision refuses
 */
export async function createRecord(tools: Tools, request: Request, opening: Opening): Promise<PatientRecord> {
  return perform(tools, request, 'createRecord', { identifier: opening.ins }, async () => {
    const { ins, others = [] } = opening;
    if (parseIns(ins, tools.settings.insOids) === undefined) refuse('insMalformed', { value: ins.value });
    const now = tools.now();
    const record: PatientRecord = {
      id: tools.newId(),
      version: 1,
      state: 'open',
      identifiers: [{ ...ins, use: 'official' }, ...others],
      traits: opening.traits,
      attached: false,
      createdAt: now,
      representatives: opening.representatives ?? [],
    };
    const state = (statement: ConsentStatement, until?: number): Consent =>
      consentOf(tools, request, record.id, statement, until);
    const creator = authorisedBy(request.caller.actor);
    const consents = [
      state({ kind: 'opening' }),
      ...(opening.oppositions ?? []).map((to) => state({ kind: 'opposition', to })),
      ...(creator === undefined
        ? []
        : [
            state(
              { kind: 'authorisation', actor: creator, treatingDoctor: false },
              monthsAfter(now, tools.settings.regime.authorisationMonths),
            ),
          ]),
    ];
    return {
      answer: record,
      expect: [{ insFree: record.identifiers }],
      put: [
        { kind: 'record', record },
        { kind: 'key', record: record.id, wrapped: tools.keyring.newKey(record.id) },
        ...consents.map((consent) => ({ kind: 'consent' as const, consent })),
      ],
    };
  });
}

/**
 * Closes a record: nothing is read or deposited any more, all authorisations end. CSP L.1111-18.
 * @throws Refused what the decision refuses
 */
export async function closeRecord(
  tools: Tools,
  request: Request,
  patient: Identifier,
  { motive, text }: { readonly motive: string; readonly text?: string },
): Promise<PatientRecord> {
  return perform(tools, request, 'closeRecord', { identifier: patient }, async (_permit, facts) => {
    const state = facts && legalMoves[facts.record.state].close;
    if (facts === undefined || state === undefined) refuse('accessDenied', {}, 'illegalMove');
    const now = tools.now();
    const record: PatientRecord = {
      ...facts.record,
      version: facts.record.version + 1,
      state,
      closed: { at: now, motive, ...(text !== undefined && { text }) },
    };
    const ended = facts.consents
      .filter((c) => c.status === 'active' && c.statement.kind === 'authorisation')
      .map((consent) => ({ kind: 'consent' as const, consent: endConsent(consent, now) }));
    return { answer: record, put: [{ kind: 'record', record }, ...ended] };
  });
}

/** A new consent stated by the caller, valid from now. */
export function consentOf(
  tools: Tools,
  { caller }: Request,
  record: string,
  statement: ConsentStatement,
  until?: number,
): Consent {
  const now = tools.now();
  return {
    id: tools.newId(),
    record,
    version: 1,
    status: 'active',
    statement,
    from: now,
    ...(until !== undefined && { until }),
    statedAt: now,
    statedBy: statedBy(caller.actor),
  };
}

/** The consent as it stands once it no longer holds. */
export function endConsent(consent: Consent, now: number): Consent {
  return { ...consent, version: consent.version + 1, status: 'inactive', until: Math.min(now, consent.until ?? now) };
}

/** Whom an actor's own authorisation names: the person; the structure of a secretary. Undefined for who needs none or cannot have one. */
export function authorisedBy(actor: Actor): ConsentActor | undefined {
  if (actor.kind !== 'professional' && actor.kind !== 'air') return undefined;
  if (actor.card === 'CPS') return { kind: 'professional', id: actor.id, name: actor.name };
  if (actor.structure === undefined || actor.structure.claimed === true) return undefined;
  const { id, name } = actor.structure;
  return { kind: 'structure', id, ...(name !== undefined && { name }) };
}

/** The same day and time so many months later; the last day of the month where that day does not exist. */
export function monthsAfter(now: number, months: number): number {
  const start = new Date(now);
  const later = new Date(now);
  later.setUTCDate(1);
  later.setUTCMonth(start.getUTCMonth() + months);
  const lastDay = new Date(Date.UTC(later.getUTCFullYear(), later.getUTCMonth() + 1, 0)).getUTCDate();
  later.setUTCDate(Math.min(start.getUTCDate(), lastDay));
  return later.getTime();
}

function statedBy(actor: Actor): Consent['statedBy'] {
  if (actor.kind === 'structure')
    return { kind: actor.kind, id: actor.structure.id, name: actor.structure.name ?? actor.structure.id };
  if (actor.kind === 'patient') return { kind: actor.kind, id: actor.ins.value, name: actor.name };
  return { kind: actor.kind, id: professionalId(actor) ?? structureId(actor) ?? actor.id, name: actor.name };
}
