import type { Action } from '../../server/domain/action.ts';
import type { Actor, Caller, Mode } from '../../server/domain/actor.ts';
import type { Consent, ConsentStatement } from '../../server/domain/consent.ts';
import { decide, type Permit, type RecordFacts, type Surroundings } from '../../server/domain/decision.ts';
import type { Identifier } from '../../server/domain/identifier.ts';
import type { PatientRecord } from '../../server/domain/record.ts';
import { regimes } from '../../server/domain/regime.ts';

/** The instant at which these permits are decided. */
export const decidedAt = Date.UTC(2026, 0, 15, 9);

const testOid = '1.2.250.1.213.1.4.10';
const holder: Identifier = { value: '279035121518989', oid: testOid };

const doctor = (id: string, name: string, specialty = 'SM26'): Extract<Actor, { profession: string }> => ({
  kind: 'professional',
  id,
  name,
  card: 'CPS',
  profession: '10',
  specialty,
  structure: { id: '1750000001', name: 'Cabinet des Lilas' },
});

/** Actors that see a record differently; all but the stranger are named by its consents. */
export const actors = {
  holder: { kind: 'patient', ins: holder, name: 'LAURENT ANNE' },
  representative: { kind: 'representative', id: 'rep-1', name: 'MOREL SOPHIE', of: holder },
  treatingDoctor: doctor('899970000001', 'MARTIN'),
  otherDoctor: doctor('899970000002', 'NGUYEN', 'SM04'),
  occupationalDoctor: doctor('899970000003', 'ROUX', 'SM25'),
  dentist: { ...doctor('899970000004', 'DENIS'), profession: '40' },
  hospital: { kind: 'structure', structure: { id: '1750000009', name: 'Hôpital Nord' } },
  stranger: doctor('899970000005', 'LEROY'),
  feeder: { kind: 'system', id: '1.2.250.1.999.1.1', name: 'Régie', rights: ['feed'] },
  remover: { kind: 'system', id: '1.2.250.1.999.1.2', name: 'Régie', rights: ['remove'] },
  updater: { kind: 'system', id: '1.2.250.1.999.1.3', name: 'Régie', rights: ['restrictedUpdate'] },
  ourselves: { kind: 'system', id: 'opendmp', name: 'OpenDMP', rights: [] },
} as const satisfies Record<string, Actor>;
export type ActorName = keyof typeof actors;

const around: Omit<Surroundings, 'regime'> = {
  now: decidedAt,
  habilitations: {
    refused: { '10': ['ATTEST-RESID'], '40': ['ATTEST-RESID', '80788-3'] },
    others: ['ATTEST-RESID'],
    social: ['94'],
  },
  emergencyCentres: new Set(),
  occupationalSpecialties: new Set(['SM25']),
  domain: { credentials: 'required' },
};

/** A record of the holder; `value` tells records of one test apart. */
export function recordOf(id: string, value = holder.value): PatientRecord {
  return {
    id,
    version: 1,
    state: 'open',
    identifiers: [{ value, oid: testOid, use: 'official' }],
    traits: { family: 'LAURENT', given: 'ANNE', gender: 'female', birthDate: '1979-03-03' },
    attached: false,
    createdAt: 0,
    representatives: [{ id: 'rep-1', name: 'MOREL SOPHIE', relation: 'MTH' }],
  };
}

export function consentOf(record: string, id: string, statement: ConsentStatement): Consent {
  const statedBy = { kind: 'patient', id: holder.value, name: 'LAURENT ANNE' };
  return { id, record, version: 1, status: 'active', statement, from: 0, statedAt: 0, statedBy };
}

/** Consents that authorise every professional and structure of `actors` but the stranger. */
export function consentsOf(record: string): Consent[] {
  const named = (['treatingDoctor', 'otherDoctor', 'occupationalDoctor', 'dentist'] as const).map((name) =>
    consentOf(record, `${record}-${name}`, {
      kind: 'authorisation',
      actor: { kind: 'professional', id: actors[name].id },
      treatingDoctor: name === 'treatingDoctor',
    }),
  );
  const structure = { kind: 'structure', id: actors.hospital.structure.id } as const;
  return [
    ...named,
    consentOf(record, `${record}-hospital`, { kind: 'authorisation', actor: structure, treatingDoctor: false }),
  ];
}

export function callerOf(name: ActorName, mode: Mode = 'normal'): Caller {
  const actor: Actor = actors[name];
  return {
    actor,
    mode,
    secret: false,
    credential: { kind: 'internal', id: `test-${name}` },
    ...(mode === 'breakGlass' && { reason: 'patient inconscient' }),
  };
}

/** A permit to query across patients, of a system that has the right. */
export function permitAcross(): Permit {
  const actor: Actor = { kind: 'system', id: 'regie', name: 'Régie', rights: ['multiPatient'] };
  const caller: Caller = { actor, mode: 'normal', secret: false, credential: { kind: 'internal', id: 'test' } };
  const decision = decide({ caller, action: 'queryAcrossPatients' }, undefined, { ...around, regime: regimes['2011'] });
  if ('permit' in decision) return decision.permit;
  throw new Error(decision.refused.reason);
}

/** A permit to search patients, of a system that feeds identities. */
export function permitToSearch(): Permit {
  return permitFor(undefined, 'feeder', { action: 'searchPatients' });
}

/** A permit to read what documents say of professionals. */
export function permitToReadDirectory(): Permit {
  return permitFor(undefined, 'stranger', { action: 'readDirectory' });
}

/** A permit that `decide()` gave; our own jobs act under the regime of 2022. @throws when it refused */
export function permitFor(
  facts: RecordFacts | undefined,
  name: ActorName,
  { action, mode = 'normal' }: { readonly action?: Action; readonly mode?: Mode } = {},
): Permit {
  const [usual, regime] =
    name === 'ourselves' ? (['announce', regimes['2022']] as const) : (['searchDocuments', regimes['2011']] as const);
  const question = { caller: callerOf(name, mode), action: action ?? usual };
  const decision = decide(question, facts, { ...around, regime });
  if ('permit' in decision) return decision.permit;
  throw new Error(`${name} may not ${question.action}: ${decision.refused.reason}`);
}
