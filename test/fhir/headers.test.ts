import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, DocumentReference } from 'fhir/r4.js';
import { preference } from '../../server/fhir/preference.ts';
import { bundleOf } from './deposits.ts';
import { type Door, openDoor } from './door.ts';

let door: Door;
let id: string;
beforeAll(async () => {
  door = await openDoor();
  const { json } = await door.get<Bundle<DocumentReference>>(
    'dr-martin',
    `DocumentReference?patient.identifier=${door.of('laurent')}&_count=1`,
  );
  id = json.entry?.[0]?.resource?.id ?? '';
});
afterAll(async () => {
  expect(door.faults).toEqual([]);
  await door.close();
});

describe('OPTIONS tells what an address allows, to anybody', () => {
  test.each([
    ['DocumentReference/1', 'GET, HEAD, PATCH, DELETE'],
    ['metadata', 'GET, HEAD'],
    ['Consent', 'GET, HEAD, POST, PUT'],
    ['', 'POST'],
  ])('%s: %s', async (path, allowed) => {
    const { status, headers, bytes } = await door.ask(path === '' ? door.base : path, { method: 'OPTIONS' });
    expect([status, headers.get('allow'), bytes.length]).toEqual([204, allowed, 0]);
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  test('what is not served allows nothing', async () => {
    const { status, json } = await door.ask('Observation/1', { method: 'OPTIONS' });
    expect([status, json.issue[0]?.details?.text]).toEqual([404, 'resourceTypeUnknown']);
  });
});

test('a method that is not allowed is answered with those that are, even with none', async () => {
  const unserved = await door.get('dr-martin', 'Bundle/1');
  expect([unserved.status, unserved.headers.get('allow')]).toEqual([405, '']);
  const unknown = await door.get('dr-martin', 'Observation/1');
  expect([unknown.status, unknown.headers.get('allow')]).toEqual([404, null]);
});

test('addresses are case-sensitive', async () => {
  expect((await door.get('dr-martin', `DocumentReference/${id}`)).status).toBe(200);
  for (const path of [`documentreference/${id}`, `DOCUMENTREFERENCE/${id}`, `DocumentReference/${id}/_HISTORY`]) {
    const { status, json } = await door.get('dr-martin', path);
    expect([404, 405]).toContain(status);
    expect(json.resourceType).toBe('OperationOutcome');
  }
  expect((await door.ask('Metadata')).status).toBe(401);
});

describe('a body that says to be compressed is refused, whatever it is', () => {
  test.each(['gzip', 'br', 'deflate', 'GZIP', 'identity, gzip'])('%s', async (coding) => {
    const plain = JSON.stringify(bundleOf(door));
    const before = (
      await door.get<Bundle>('dr-martin', `DocumentReference?patient.identifier=${door.of('laurent')}&_count=0`)
    ).json.total;
    for (const body of [plain, gzipSync(plain)])
      for (const [path, type] of [
        [door.base, 'application/fhir+json'],
        ['Binary', 'application/pdf'],
        ['Patient/_search', 'application/x-www-form-urlencoded'],
      ] as const) {
        const { status, json } = await door.ask(path, {
          method: 'POST',
          headers: {
            'Content-Type': type,
            'Content-Encoding': coding,
            Authorization: `Bearer ${await door.token('dr-martin')}`,
          },
          body,
        });
        expect([path, status, json.issue[0]?.details?.text]).toEqual([path, 415, 'contentCodingUnsupported']);
      }
    const { json } = await door.get<Bundle>(
      'dr-martin',
      `DocumentReference?patient.identifier=${door.of('laurent')}&_count=0`,
    );
    expect(json.total).toBe(before);
  });

  test('one that says that it is not is taken', async () => {
    const { status } = await door.ask(door.base, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/fhir+json',
        'Content-Encoding': 'identity',
        Authorization: `Bearer ${await door.token('dr-martin')}`,
      },
      body: JSON.stringify(bundleOf(door)),
    });
    expect(status).toBe(200);
  });
});

describe('what the caller prefers', () => {
  test.each([
    ['handling=strict', 'strict'],
    ['handling="strict"', 'strict'],
    ['return=minimal, handling=strict', 'strict'],
    ['Handling = strict; x=1', 'strict'],
    ['handling=lenient, handling=strict', 'lenient'],
    ['return=handling', undefined],
    ['xhandling=strict', undefined],
    ['', undefined],
  ])('%j says %j of handling', (header, said) => {
    expect(preference(header, 'handling')).toBe(said);
  });

  test('is heeded when it is quoted', async () => {
    const path = `DocumentReference?patient.identifier=${door.of('laurent')}&colour=red`;
    const asked = async (headers: Record<string, string>) => (await door.get('dr-martin', path, { headers })).status;
    expect(await asked({ Prefer: 'handling="strict"' })).toBe(400);
    expect(await asked({ Prefer: 'handling="lenient"' })).toBe(200);
  });
});
