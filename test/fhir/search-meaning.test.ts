import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, DocumentReference } from 'fhir/r4.js';
import { bundleOf, changed, post } from './deposits.ts';
import { type Door, openDoor } from './door.ts';

let door: Door;

const titles = ({ entry = [] }: Bundle<DocumentReference>) =>
  entry.map(({ resource }) => resource?.content[0]?.attachment.title ?? '').sort();

/** Titles of what is found in the record of casanova, which the test fills. */
async function found(query: string): Promise<string[]> {
  const path = `DocumentReference?patient.identifier=${door.of('casanova')}&${query}`;
  const { status, json } = await door.get<Bundle<DocumentReference>>('dr-martin', path);
  expect(status).toBe(200);
  expect(json.total).toBe(json.entry?.length ?? 0);
  return titles(json);
}

const count = async (type: string, query: string) => {
  const path = `${type}?patient.identifier=${door.of('laurent')}&_count=500&${query}`;
  const { status, json } = await door.get<Bundle>('laurent', path);
  return status === 200 ? (json.total ?? -1) : status;
};

beforeAll(async () => {
  door = await openDoor();
  for (const [title, period] of [
    ['going on', { start: '2026-02-01T08:00:00Z' }],
    ['ended', { start: '2026-01-10T07:00:00Z', end: '2026-01-12T07:00:00Z' }],
  ] as const) {
    const bundle = changed(bundleOf(door, 'dr-martin', 'casanova'), (_, { document }) => {
      document.context = { ...document.context, period };
      for (const { attachment } of document.content) attachment.title = title;
    });
    const { status, json } = await post(door, 'dr-martin', bundle);
    if (status !== 200) throw new Error(JSON.stringify(json));
  }
});
afterAll(() => door.close());

describe('a period without an end goes on', () => {
  test.each([
    ['period=2026', ['ended']],
    ['period=2026-02-01', []],
    ['period=ne2026', ['going on']],
    ['period=eb2026-03', ['ended']],
    ['period=eb2026-01-12', []],
    ['period=sa2026-01', ['going on']],
    ['period=ge2030', ['going on']],
    ['period=gt2026-01-12', ['going on']],
    ['period=ge2026-01-12', ['ended', 'going on']],
    ['period=le2026-01-10', ['ended']],
    ['period=lt2026-01-10', []],
  ])('%s finds %j, also as one of several values', async (query, expected) => {
    expect(await found(query)).toEqual(expected);
    expect(await found(`${query},1900`)).toEqual(expected);
  });
});

describe('a code whose system FHIR fixes is found under that system and under no other', () => {
  const fixed = 'http://hl7.org/fhir/';
  test.each([
    ['DocumentReference', 'status', `${fixed}document-reference-status`, 'current'],
    ['DocumentReference', 'contenttype', 'urn:ietf:bcp:13', 'text/xml'],
    ['DocumentReference', 'language', 'urn:ietf:bcp:47', 'fr-FR'],
    ['List', 'status', `${fixed}list-status`, 'current'],
    ['List', 'code', 'https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes', 'submissionset'],
    ['Consent', 'status', `${fixed}consent-state-codes`, 'active'],
  ])('%s?%s', async (type, parameter, system, code) => {
    const all = await count(type, `${parameter}=${code}`);
    expect(all).toBeGreaterThan(0);
    expect(await count(type, `${parameter}=${system}|${code}`)).toBe(all);
    expect(await count(type, `${parameter}=|${code}`)).toBe(all);
    expect(await count(type, `${parameter}=urn:other|${code}`)).toBe(0);
    if (type !== 'Consent') expect(await count(type, `${parameter}:not=urn:other|${code}`)).toBe(await count(type, ''));
  });

  test.each([
    ['action', `${fixed}audit-event-action`, 'E'],
    ['outcome', 'http://terminology.hl7.org/CodeSystem/audit-event-outcome', '0'],
  ])('AuditEvent?%s', async (parameter, system, code) => {
    const some = async (value: string) => {
      const path = `AuditEvent?patient.identifier=${door.of('laurent')}&date=ge2000&_count=1&${parameter}=${value}`;
      const { status, json } = await door.get<Bundle>('laurent', path);
      return [status, (json.entry ?? []).length];
    };
    await count('DocumentReference', '');
    expect(await some(code)).toEqual([200, 1]);
    expect(await some(`${system}|${code}`)).toEqual([200, 1]);
    expect(await some(`|${code}`)).toEqual([200, 1]);
    expect(await some(`urn:other|${code}`)).toEqual([200, 0]);
  });

  test.each(['draft', 'proposed', 'rejected', 'entered-in-error'])('no consent is %s', async (code) => {
    expect(await count('Consent', `status=${code}`)).toBe(0);
  });

  test('what is no code of the value set is refused', async () => {
    expect(await count('Consent', 'status=current')).toBe(400);
    expect(await count('List', 'status=active')).toBe(400);
    expect(await count('DocumentReference', 'status=active')).toBe(400);
  });
});

describe('a chain by type looks at authors of that type alone', () => {
  test.each([
    ['author.family=LAURENT', 1],
    ['author:Patient.family=LAURENT', 1],
    ['author:Practitioner.family=LAURENT', 0],
    ['author:PractitionerRole.practitioner.family=LAURENT', 0],
    ['author:Patient.family=MARTIN', 0],
    ['author:Patient.given=Hélène', 0],
  ])('%s finds %j document', async (query, expected) => {
    expect(await count('DocumentReference', query)).toBe(expected);
    const lists = await count('List', query.replace('author', 'source'));
    expect(lists > 0).toBe(expected > 0);
  });

  test('practitioners are found as practitioners', async () => {
    const all = await count('DocumentReference', 'author.family=MARTIN');
    expect(all).toBeGreaterThan(0);
    expect(await count('DocumentReference', 'author:Practitioner.family=MARTIN')).toBe(all);
    expect(await count('DocumentReference', 'author:PractitionerRole.practitioner.family=MARTIN')).toBe(all);
  });
});

describe('values that cannot be meant are refused', () => {
  test.each(['0000', '2026-01-01T10:00:00+25:00', '2026-01-01T10:00:00+14:30', '2026-01-01T10:00:00-13:60'])(
    'the date %s',
    async (date) => {
      expect(await count('DocumentReference', `creation=${encodeURIComponent(date)}`)).toBe(400);
    },
  );

  test('the furthest zones are taken', async () => {
    for (const zone of ['%2B14:00', '-12:00', '%2B13:59'])
      expect(await count('DocumentReference', `creation=ge2020-01-01T10:00:00${zone}`)).toBeGreaterThan(0);
  });

  test.each(['DocumentReference', 'List', 'Consent', 'AuditEvent'])(
    'two patients for one search of %s',
    async (type) => {
      const [one, other] = [door.of('laurent'), door.of('casanova')];
      const path = `${type}?date=ge2020&patient.identifier=${one},${other}`.replace(
        /date=ge2020&/,
        type === 'AuditEvent' ? '$&' : '',
      );
      const { status, json } = await door.get('dr-martin', path);
      expect(status).toBe(400);
      expect(json.issue[0]?.details?.text).toBe('parameterMalformed');
    },
  );
});
