import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AuditEvent, Bundle, DocumentReference, List, OperationOutcome } from 'fhir/r4.js';
import { type Door, openDoor } from '../fhir/door.ts';
import { nextOf } from '../fhir/paging.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(async () => door.close());

/** The document of a record that its holder does not see, and a submission set that holds it. */
async function hiddenOf(holder: string, label: string): Promise<{ id: string; uniqueId: string; list: string }> {
  const found = await door.get<Bundle<DocumentReference | List>>(
    'dr-martin',
    `DocumentReference?patient.identifier=${encodeURIComponent(door.of(holder))}&_revinclude=List:item`,
  );
  const all = found.json.entry?.flatMap(({ resource }) => resource ?? []) ?? [];
  const document = all.find((one) => JSON.stringify(one).includes(label)) as DocumentReference;
  const list = all.find(
    (one) => one.resourceType === 'List' && JSON.stringify(one).includes(document.id ?? ''),
  ) as List;
  return {
    id: document.id ?? '',
    uniqueId: document.masterIdentifier?.value?.replace('urn:oid:', '') ?? '',
    list: list.id ?? '',
  };
}

describe('whoever has no right on a record gets the same answer for documents of it and for none', () => {
  const patch = async (who: string, uniqueId: string, further: string) => {
    const { status, json } = await door.ask<OperationOutcome>(
      `DocumentReference?identifier=${encodeURIComponent(`urn:ietf:rfc:3986|urn:oid:${uniqueId}`)}${further}`,
      {
        method: 'PATCH',
        headers: {
          'Content-Type': 'application/json-patch+json',
          Authorization: `Bearer ${await door.token(who)}`,
        },
        body: JSON.stringify([{ op: 'replace', path: '/status', value: 'superseded' }]),
      },
    );
    const { id: _id, ...told } = json;
    return { status, told };
  };

  test.each([
    ['dr-roux', '', 404],
    ['dr-roux', '&patientele=1', 400],
    ['dr-bernard', '&patient-name=x', 400],
    ['inf-petit', '&patients', 400],
  ])('a conditional PATCH by %s with%s', async (who, further, status) => {
    const { uniqueId } = await hiddenOf('masson', 'INVISIBLE_PATIENT');
    const there = await patch(who, uniqueId, further);
    expect(there.status).toBe(status);
    expect(there).toEqual(await patch(who, '1.2.3.4.5.6.7', further));
  });

  test('and who names the patient learns that he has no right, whatever the document', async () => {
    const { uniqueId } = await hiddenOf('masson', 'INVISIBLE_PATIENT');
    const patient = `&patient.identifier=${encodeURIComponent(door.of('masson'))}`;
    const there = await patch('dr-roux', uniqueId, patient);
    expect(there.status).toBe(403);
    expect(there).toEqual(await patch('dr-roux', '1.2.3.4.5.6.7', patient));
  });
});

describe('the history of a record names no hidden document', () => {
  const queries = (p: string, { id, uniqueId, list }: Awaited<ReturnType<typeof hiddenOf>>) => [
    `DocumentReference/${id}`,
    `Binary/${id}`,
    `DocumentReference/${id}/_history`,
    `DocumentReference?identifier=${encodeURIComponent(`urn:oid:${uniqueId}`)}`,
    `DocumentReference?${p}&related=DocumentReference/${id}`,
    `DocumentReference?${p}&related.identifier=${encodeURIComponent(`urn:oid:${uniqueId}`)}`,
    `DocumentReference?${p}&_id=${id}`,
    `List?${p}&item=DocumentReference/${id.toUpperCase()}`,
    `List?${p}&_id=${list}`,
    `List/${list}`,
    `AuditEvent?${p}&date=ge2026-01-01&entity=DocumentReference/${id}`,
    `Consent?${p}&_id=${id}`,
  ];
  const textOf = (event: AuditEvent) =>
    `${JSON.stringify(event)} ${(event.entity ?? [])
      .map(({ query = '' }) => Buffer.from(query, 'base64').toString())
      .join(' ')}`.toLowerCase();

  test('whatever was asked about it, and keeps the queries that name none', async () => {
    const p = `patient.identifier=${encodeURIComponent(door.of('masson'))}`;
    const hidden = await hiddenOf('masson', 'INVISIBLE_PATIENT');
    for (const query of [...queries(p, hidden), `DocumentReference?${p}&type=11502-2`])
      await door.get('dr-martin', query);
    const seen = await door.get<Bundle<AuditEvent>>('masson', 'AuditEvent?date=ge2026-01-01&_count=500');
    const told = seen.json.entry?.flatMap(({ resource }) => (resource ? [textOf(resource)] : [])) ?? [];
    for (const name of [hidden.id, hidden.uniqueId, hidden.list])
      expect(told.filter((text) => text.includes(name))).toEqual([]);
    expect(told.filter((text) => text.includes('type=11502-2'))).toHaveLength(1);
    const doctors = await door.get<Bundle<AuditEvent>>('dr-martin', `AuditEvent?${p}&date=ge2026-01-01&_count=500`);
    expect(JSON.stringify(doctors.json)).toContain(hidden.id);
  });

  test('and what it leaves out of the own searches of its reader is the same for a hidden document and for none', async () => {
    const hidden = await hiddenOf('masson', 'INVISIBLE_PATIENT');
    const entities = async (uniqueId: string) => {
      await door.get('masson', `DocumentReference?related.identifier=${encodeURIComponent(`urn:oid:${uniqueId}`)}`);
      const seen = await door.get<Bundle<AuditEvent>>('masson', 'AuditEvent?date=ge2026-01-01&_count=1');
      return seen.json.entry?.[0]?.resource?.entity?.map((one) => Object.keys(one).sort());
    };
    expect(await entities(hidden.uniqueId)).toEqual(await entities('1.2.250.1.999.1.3.9999'));
  });
});

test('a link to the next page tells nothing of what lies between', async () => {
  const found = await door.get<Bundle>('laurent', 'DocumentReference?_count=2');
  const next = nextOf(found.json);
  const token = new URL(next).searchParams.get('_page') ?? '';
  expect((await door.get<Bundle>('laurent', 'DocumentReference?_count=2')).json.link).toEqual(found.json.link);
  const readable = token.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'));
  expect(token.length).toBeGreaterThan(40);
  expect(readable.join(' ')).not.toMatch(/_count|\[\d+\]/);
  expect((await door.get('laurent', next)).status).toBe(200);
  for (const other of ['dr-martin', 'casanova']) expect((await door.get(other, next)).status).toBe(400);
});
