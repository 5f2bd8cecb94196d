import { createHash } from 'node:crypto';
import type { Caller } from '../../server/domain/actor.ts';
import { decide, type Permit, type RecordFacts } from '../../server/domain/decision.ts';
import type { DocumentEntry } from '../../server/domain/document.ts';
import type { Identifier } from '../../server/domain/identifier.ts';
import type { PatientRecord } from '../../server/domain/record.ts';
import { regimes } from '../../server/domain/regime.ts';
import type { ChangeSet } from '../../server/store/port.ts';

const holder: Identifier = { value: '279035121518989', oid: '1.2.250.1.213.1.4.10' };

/** Our own work acts under the regime of 2022, where the system creates records; the holder deposits. */
function permitOf(kind: 'createRecord' | 'submitDocuments', facts: RecordFacts | undefined, now: number): Permit {
  const caller: Caller = {
    actor:
      kind === 'createRecord'
        ? { kind: 'system', id: 'kill-test', name: 'Kill test', rights: [] }
        : { kind: 'patient', ins: holder, name: 'ESSAI' },
    mode: 'normal',
    secret: false,
    credential: { kind: 'internal', id: 'kill-test' },
  };
  const decision = decide({ caller, action: kind }, facts, {
    now,
    regime: regimes['2022'],
    habilitations: { refused: {}, others: [], social: [] },
    emergencyCentres: new Set(),
    occupationalSpecialties: new Set(),
    domain: { credentials: 'required' as const },
  });
  if ('refused' in decision) throw new Error(`The kill test may not ${kind}: ${decision.refused.reason}`);
  return decision.permit;
}

export const creationPermit = (now: number) => permitOf('createRecord', undefined, now);
export const depositPermit = (facts: RecordFacts, now: number) => permitOf('submitDocuments', facts, now);

export function newRecord(id: string): PatientRecord {
  return {
    id,
    version: 1,
    state: 'open',
    identifiers: [{ ...holder, use: 'official' }],
    traits: { family: 'ESSAI', given: 'ESSAI', gender: 'unknown', birthDate: '1979-03-03' },
    attached: false,
    createdAt: 0,
    representatives: [],
  };
}

/** The bytes of a document, of a length and content that its name alone decides. */
export function bytesOf(id: string): Buffer {
  const digest = createHash('sha256').update(id).digest();
  return Buffer.alloc(500 + (digest.readUInt16BE(0) % 8000), digest);
}

/** A deposit of one document, traced, by a credential that serves once; all named by one UUID. */
export function deposit(record: string, id: string, now: number): ChangeSet {
  const entry = entryOf(id);
  return {
    expect: [{ absent: { kind: 'document', entryUUID: entry.entryUUID } }, { uniqueIdFree: entry.uniqueId }],
    put: [
      {
        kind: 'document',
        entry,
        registeredAt: now,
        content: { sealed: bytesOf(id) },
        owners: { professionals: [], structures: [], patient: true },
      },
    ],
    events: [
      {
        at: now,
        action: 'submitDocuments',
        origin: { transaction: 'internal', requestId: id, endpoint: 'kill-test' },
        outcome: 'done',
        record,
        documents: [{ entryUUID: entry.entryUUID, uniqueId: entry.uniqueId }],
      },
    ],
    jobs: [],
    spend: { key: id, until: now + 600_000 },
  };
}

function entryOf(id: string): DocumentEntry {
  const entryUUID = `urn:uuid:${id}`;
  const patientId = { id: holder.value, authority: { oid: holder.oid } };
  const code = { code: '1', system: '1.2.250.1.999' };
  return {
    entryUUID,
    logicalID: entryUUID,
    version: 1,
    objectType: 'stable',
    status: 'approved',
    uniqueId: entryUUID,
    patientId,
    sourcePatientId: patientId,
    sourcePatientInfo: [],
    mimeType: 'text/plain',
    languageCode: 'fr-FR',
    repositoryUniqueId: '1.2.250.1.999.1',
    classCode: code,
    typeCode: code,
    formatCode: code,
    healthcareFacilityTypeCode: code,
    practiceSettingCode: code,
    confidentialityCodes: [],
    eventCodes: [],
    authors: [],
    referenceIds: [],
    extra: [],
  };
}
