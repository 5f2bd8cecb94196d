import { describe, expect, test } from '@jest/globals';
import type { AuditEvent } from '../../server/domain/event.ts';
import { auditEventOf } from '../../server/fhir/map/audit-event.ts';

const observer = { base: 'https://dmp.example.org/fhir', repositoryUniqueId: '1.2.250.1.999' };

const happened = (changes: Partial<AuditEvent> = {}): AuditEvent => ({
  sequence: 7,
  previous: '0',
  hash: '1',
  at: Date.UTC(2026, 0, 2),
  action: 'searchDocuments',
  origin: {
    transaction: 'ITI-18',
    requestId: 'q-1',
    endpoint: 'https://dmp.example.org/xds/registry',
    address: '192.0.2.1',
  },
  outcome: 'done',
  ground: 'authorisation',
  actor: {
    kind: 'professional',
    id: '899970000001',
    name: 'MARTIN Hélène',
    card: 'CPS',
    profession: '10',
    structure: { id: '1490000019', name: 'Cabinet' },
  },
  mode: 'normal',
  credential: '_assertion-1',
  record: 'r1',
  patient: { value: '279035121518989', oid: '1.2.250.1.213.1.4.10' },
  query: '<AdhocQuery/>',
  ...changes,
});
const shown = (changes?: Partial<AuditEvent>) => auditEventOf(happened(changes), observer);
const transaction = (name: AuditEvent['origin']['transaction']) => ({
  origin: { ...happened().origin, transaction: name },
});
const documents = [{ entryUUID: 'urn:uuid:00000000-0000-4000-8000-000000000001', uniqueId: '1.2.3' }];

describe('an event of XDS as AuditEvent', () => {
  test('a stored query: DCM Query, the query with its encoding, the assertion as policy, no profile', () => {
    const event = shown();
    expect(event).toMatchObject({
      id: '7',
      type: { code: '110112' },
      subtype: [{ system: 'urn:ihe:event-type-code', code: 'ITI-18', display: 'Registry Stored Query' }],
      action: 'E',
      outcome: '0',
    });
    expect(event).not.toHaveProperty('meta');
    expect(event.agent.map(({ type, requestor }) => [type?.coding?.[0]?.code, requestor])).toEqual([
      ['110153', false],
      ['110152', false],
      ['IRCP', true],
      ['PROV', false],
    ]);
    expect(event.agent[2]?.policy).toEqual(['_assertion-1']);
    expect(event.agent[3]?.who?.identifier).toEqual({ system: 'urn:oid:1.2.250.1.71.4.2.2', value: '1490000019' });
    expect(event.entity?.find(({ role }) => role?.code === '24')).toMatchObject({
      query: Buffer.from('<AdhocQuery/>').toString('base64'),
      detail: [{ type: 'QueryEncoding', valueBase64Binary: 'VVRGLTg=' }],
    });
  });

  test('a deposit: DCM Import, created by the author, the submission set as a job', () => {
    const submissionSet = { entryUUID: 'urn:uuid:00000000-0000-4000-8000-000000000009', uniqueId: '1.2.9' };
    const event = shown({ ...transaction('ITI-41'), action: 'submitDocuments', submissionSet, documents });
    expect(event).toMatchObject({ type: { code: '110107' }, action: 'C' });
    expect(event.agent[2]?.type?.coding?.[0]?.code).toBe('AUT');
    expect(event.entity?.find(({ role }) => role?.code === '20')).toMatchObject({
      what: { identifier: { value: submissionSet.entryUUID } },
      detail: [{ type: 'uniqueId', valueString: '1.2.9' }],
    });
    expect(event.entity?.find(({ role }) => role?.code === '3')?.what?.reference).toBe(
      'DocumentReference/00000000-0000-4000-8000-000000000001',
    );
  });

  test('a retrieval: DCM Export, this server the source, the repository named', () => {
    const event = shown({ ...transaction('ITI-43'), action: 'retrieveDocuments', documents });
    expect(event).toMatchObject({ type: { code: '110106' }, action: 'R' });
    expect(event.agent[0]?.type?.coding?.[0]?.code).toBe('110152');
    expect(event.agent[1]?.type?.coding?.[0]?.code).toBe('110153');
    expect(event.entity?.find(({ role }) => role?.code === '3')).toMatchObject({
      what: { reference: 'Binary/00000000-0000-4000-8000-000000000001' },
      detail: [
        { type: 'uniqueId', valueString: '1.2.3' },
        { type: 'Repository Unique ID', valueBase64Binary: Buffer.from('1.2.250.1.999').toString('base64') },
      ],
    });
  });
});

describe('any event', () => {
  test.each([
    ['normal', 'TREAT'],
    ['breakGlass', 'BTG'],
    ['emergencyCentre', 'ETREAT'],
  ] as const)('of mode %s has the purpose %s', (mode, reason) => {
    expect(shown({ mode }).agent[2]?.purposeOfUse?.[0]?.coding?.[0]?.code).toBe(reason);
  });

  test('refused: outcome 8 and the words that the caller got, whatever the reason was', () => {
    const told = (ground: string) => shown({ outcome: 'refused', ground });
    expect(told('blocked').outcome).toBe('8');
    expect(told('blocked').outcomeDesc).toBe(told('notAuthorised').outcomeDesc);
    expect(told('recordDestroyed').outcomeDesc).toBe(told('unknownRecord').outcomeDesc);
    expect(told('recordClosed').outcomeDesc).toMatch(/closed/);
  });

  test('failed: outcome 4 and what was wrong; a profile is for success alone', () => {
    const failed = shown({ ...transaction('ITI-67'), outcome: 'failed', ground: 'parameterMalformed' });
    expect(failed.outcome).toBe('4');
    expect(failed.outcomeDesc).toMatch(/^parameterMalformed\. Rule: FHIR R4/);
    expect(failed.outcomeDesc).not.toMatch(/no value|\d{15}/);
    expect(failed).not.toHaveProperty('meta');
    expect(shown(transaction('ITI-67')).meta?.profile).toHaveLength(1);
  });

  test('without the client’s address, or without the query, no profile is claimed', () => {
    const { address: _address, ...origin } = { ...happened().origin, transaction: 'ITI-67' as const };
    expect(shown({ origin })).not.toHaveProperty('meta');
    const { query: _query, ...rest } = happened(transaction('ITI-67'));
    expect(auditEventOf(rest, observer)).not.toHaveProperty('meta');
  });

  test.each([
    ['patient', { kind: 'patient', ins: { value: '1', oid: '1.2.3' }, name: 'LAURENT' }, 'PATRQT', 'urn:oid:1.2.3'],
    [
      'representative',
      { kind: 'representative', id: '2', name: 'MOREL', of: { value: '1', oid: '1.2.3' } },
      'PWATRNY',
      undefined,
    ],
    ['structure', { kind: 'structure', structure: { id: '3', name: 'Labo' } }, 'TREAT', 'urn:oid:1.2.250.1.71.4.2.2'],
  ] as const)('of a %s names who he is and why he asks', (_kind, actor, reason, system) => {
    const user = shown({ actor }).agent[2];
    expect(user?.purposeOfUse?.[0]?.coding?.[0]?.code).toBe(reason);
    expect(user?.who?.identifier?.system).toBe(system);
  });

  test.each([
    ['createRecord', 'C'],
    ['destroyRecord', 'D'],
    ['readPatient', 'R'],
    ['searchDocuments', 'E'],
    ['closeRecord', 'U'],
  ] as const)('of our own: %s is %s', (action, letter) => {
    expect(shown({ ...transaction('internal'), action }).action).toBe(letter);
  });
});
