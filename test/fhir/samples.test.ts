import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Bundle, DocumentReference } from 'fhir/r4.js';
import { post } from './deposits.ts';
import { type Door, openDoor } from './door.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(() => door.close());

test('the sample of a deposit is taken, once for each number put into it', async () => {
  const sample = readFileSync(new URL('../../docs/samples/iti65-consultation.json', import.meta.url), 'utf8');
  const deposit = (number: number) =>
    post<Bundle>(door, 'dr-martin', sample.replaceAll('@UNIQUE@', String(1_795_500_000 + number)));
  for (const number of [1, 2]) {
    const { status, json } = await deposit(number);
    expect([status, json.entry?.length]).toEqual([200, 3]);
  }
  expect((await deposit(1)).status).toBe(400);
  const query = `DocumentReference?patient.identifier=${door.of('laurent')}&status=current&_count=1`;
  const { json } = await door.get<Bundle<DocumentReference>>('dr-nguyen', query);
  const { title, url = '', size } = json.entry?.[0]?.resource?.content[0]?.attachment ?? {};
  expect(title).toBe('Téléconsultation du soir');
  const { bytes } = await door.get('dr-nguyen', url);
  expect([bytes.length, bytes.toString().includes('<title>Téléconsultation du soir</title>')]).toEqual([size, true]);
});
