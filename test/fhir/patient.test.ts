import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, Patient } from 'fhir/r4.js';
import { extensions } from '../../server/fhir/vocabulary.ts';
import { type Door, openDoor } from './door.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(() => door.close());

const existence = (who: string, patient: string) =>
  door.get<Bundle<Patient>>(who, `Patient?identifier=${door.of(patient)}`);
const extension = (patient: Patient | undefined, url: string) => patient?.extension?.find((e) => e.url === url);

describe('the existence test', () => {
  test.each([
    ['dr-nguyen', 'laurent', 'valid'],
    ['dr-nguyen', 'blanc', 'blocked'],
    ['pharm-durand', 'laurent', 'none'],
  ])('tells %s that %s has a record, and the own right: %s', async (who, patient, right) => {
    const { status, json } = await existence(who, patient);
    expect([status, json.total]).toEqual([200, 1]);
    const found = json.entry?.[0]?.resource;
    expect(found?.active).toBe(true);
    expect(extension(found, extensions.authorisation)?.valueCode).toBe(right);
    expect(found).not.toHaveProperty('name');
    expect(found).not.toHaveProperty('birthDate');
    expect(found).not.toHaveProperty('gender');
    expect(found?.identifier).toHaveLength(1);
  });

  test('a closed record is there, not active, with date and motive', async () => {
    const { json } = await existence('dr-nguyen', 'faure');
    const found = json.entry?.[0]?.resource;
    expect(found?.active).toBe(false);
    expect(extension(found, extensions.closing)?.extension?.map(({ url }) => url)).toEqual([
      'dateFermeture',
      'motifFermeture',
    ]);
  });

  test('no record and no such person are answered alike', async () => {
    const none = await existence('dr-nguyen', 'garnier');
    const nobody = await door.get<Bundle>(
      'dr-nguyen',
      'Patient?identifier=urn:oid:1.2.250.1.213.1.4.10|100000000000000',
    );
    for (const { status, json } of [none, nobody]) {
      expect([status, json.total, json.entry]).toEqual([200, 0, undefined]);
    }
  });

  test('the holder sees his traits', async () => {
    const found = (await existence('laurent', 'laurent')).json.entry?.[0]?.resource;
    expect(found?.name?.[0]).toMatchObject({ use: 'official', family: 'LAURENT', given: ['MICHEL'] });
    expect(extension(found, extensions.authorisation)).toBeUndefined();
  });

  test('a representative sees the traits of the child', async () => {
    const found = (await existence('sophie-morel', 'lea-morel')).json.entry?.[0]?.resource;
    expect(found?.name?.[0]?.given).toEqual(['LEA']);
  });

  test.each([
    ['Patient', 'parameterMissing'],
    ['Patient?family=LAURENT', 'parameterMissing'],
    ['Patient?identifier=161053523812385', 'parameterMalformed'],
    ['Patient?identifier=urn:oid:1.2.250.1.213.1.4.10|', 'parameterMalformed'],
  ])('%s is refused: %s', async (path, name) => {
    const { status, json } = await door.get('dr-nguyen', path);
    expect(status).toBe(400);
    expect(json.issue[0]?.details?.text).toBe(name);
  });
});

describe('the read of a patient', () => {
  const idOf = async (patient: string) => (await existence('dr-martin', patient)).json.entry?.[0]?.resource?.id ?? '';

  test('gives the INS and the traits of birth', async () => {
    const id = await idOf('laurent');
    const { status, headers, json } = await door.get<Patient>('dr-martin', `Patient/${id}`);
    expect(status).toBe(200);
    expect(headers.get('etag')).toBe(`W/"${json.meta?.versionId}"`);
    expect(json.identifier?.[0]).toMatchObject({
      use: 'official',
      type: { coding: [{ code: 'INS-NIR-TEST' }] },
      system: 'urn:oid:1.2.250.1.213.1.4.10',
      value: door.world.ins('laurent').value,
    });
    expect(json).toMatchObject({ id, active: true, gender: 'male', birthDate: '1961-05-14' });
  });

  test('without a right and unnamed he is unknown; named, the refusal is said', async () => {
    const id = await idOf('laurent');
    expect((await door.get('pharm-durand', `Patient/${id}`)).status).toBe(404);
    expect((await door.get('pharm-durand', `Patient/${id}`, { patient: 'laurent' })).status).toBe(403);
    expect((await door.get('dr-martin', 'Patient/nobody')).status).toBe(404);
    expect((await door.get('dr-martin', `Patient/${id}`, { patient: 'casanova' })).status).toBe(404);
  });
});
