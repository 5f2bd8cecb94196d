import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, CapabilityStatement, Patient } from 'fhir/r4.js';
import type { Json } from '../../server/fhir/json.ts';
import { validate } from '../../server/fhir/validate.ts';
import { extensions, profiles } from '../../server/fhir/vocabulary.ts';
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
      'raisonFermeture',
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

  test('tells a professional whether he is treating doctor, and nothing of the sort to others', async () => {
    const told = async (who: string) =>
      extension((await existence(who, 'laurent')).json.entry?.[0]?.resource, extensions.treatingDoctor)?.valueBoolean;
    expect([await told('dr-martin'), await told('dr-nguyen'), await told('laurent')]).toEqual([true, false, undefined]);
  });

  test('of several identifiers finds each record once, under the identifier asked for', async () => {
    const insC = '1.2.250.1.213.1.4.2|0123609568591758810929';
    const asked = [door.of('laurent'), `urn:oid:${insC}`, door.of('garnier'), door.of('casanova')].join(',');
    const { json } = await door.get<Bundle<Patient>>('dr-nguyen', `Patient?identifier=${asked}`);
    expect(json.total).toBe(2);
    expect(json.entry?.map(({ resource }) => resource?.identifier?.[0]?.value)).toEqual([
      door.world.ins('laurent').value,
      door.world.ins('casanova').value,
    ]);
    const old = await door.get<Bundle<Patient>>('dr-nguyen', `Patient?identifier=urn:oid:${insC}`);
    expect(old.json.entry?.[0]?.resource?.identifier).toMatchObject([
      { use: 'secondary', type: { coding: [{ code: 'INS-C' }] }, value: '0123609568591758810929' },
    ]);
  });

  test('can be asked for open records alone', async () => {
    const total = async (who: string, active: string) =>
      (await door.get<Bundle>('dr-nguyen', `Patient?identifier=${door.of(who)}&active=${active}`)).json.total;
    expect([await total('faure', 'true'), await total('faure', 'false'), await total('laurent', 'true')]).toEqual([
      0, 1, 1,
    ]);
  });

  test.each(['regie', 'samu-15'])('tells traits to %s, who may search by them', async (who) => {
    const mode = who === 'samu-15' ? ({ mode: 'centre_15' } as const) : {};
    const { json } = await door.get<Bundle<Patient>>(who, `Patient?identifier=${door.of('laurent')}`, mode);
    expect(json.entry?.[0]?.resource?.name?.[0]?.family).toBe('LAURENT');
    const [last] = door.world.tools.store.events().slice(-1);
    expect(last?.action).toBe(who === 'samu-15' ? 'searchPatients' : 'testExistence');
    const kinds = door.world.tools.store.jobs().map(({ kind }) => kind);
    expect(kinds.includes('reviewEmergencyAccess')).toBe(who === 'samu-15');
  });

  test('tells centre 15 no traits of who opposed it', async () => {
    const asked = `Patient?identifier=${door.of('girard')}`;
    const { json } = await door.get<Bundle<Patient>>('samu-15', asked, { mode: 'centre_15' });
    expect(json.total).toBe(1);
    expect(json.entry?.[0]?.resource).not.toHaveProperty('name');
  });

  test.each([
    ['Patient?identifier=161053523812385', 'parameterMalformed'],
    [`Patient?identifier=${Array(21).fill('urn:oid:1.2.3|4').join(',')}`, 'parameterMalformed'],
    ['Patient?identifier:text=urn:oid:1.2.3|4', 'parameterUnknown'],
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

  test('is the patient of FR Core: every profile that it claims holds', async () => {
    const { json } = await door.get<Patient>('dr-martin', `Patient/${await idOf('laurent')}`);
    expect(json.meta?.profile).toEqual([profiles.patientIns, profiles.pdqmPatient]);
    expect(validate(json as unknown as Json, 'Patient')).toEqual({ resource: json, problems: [], warnings: [] });
    const reliability = extension(json, extensions.identityReliability)?.extension;
    expect(reliability).toMatchObject([{ url: 'identityStatus', valueCoding: { code: 'VALI' } }]);
    expect(json.name?.[0]).toMatchObject({
      extension: [{ url: extensions.givenNames, valueString: 'MICHEL' }],
      given: ['MICHEL'],
    });
    const place = extension(json, extensions.birthPlace)?.valueAddress?.extension;
    expect(place).toMatchObject([{ url: extensions.inseeCode, valueCoding: { code: '35238' } }]);
    expect(json.meta?.lastUpdated).toMatch(/^2026-07-01T08:00:00/);
  });

  test('is not sent again to who has this version', async () => {
    const id = await idOf('laurent');
    const { headers } = await door.get('dr-martin', `Patient/${id}`);
    const etag = headers.get('etag') ?? '';
    const again = await door.get('dr-martin', `Patient/${id}`, { headers: { 'If-None-Match': etag } });
    expect([again.status, again.bytes.length, again.headers.get('etag')]).toEqual([304, 0, etag]);
  });

  test('by version: the one that it is at, and no other', async () => {
    const id = await idOf('laurent');
    const { json } = await door.get<Patient>('dr-martin', `Patient/${id}`);
    const version = Number(json.meta?.versionId);
    const at = async (who: string, v: number) => door.get<Patient>(who, `Patient/${id}/_history/${v}`);
    expect((await at('dr-martin', version)).json).toEqual(json);
    expect((await at('dr-martin', version - 1)).status).toBe(404);
    expect((await at('pharm-durand', version)).status).toBe(404);
  });

  test('by id in a search: who may not read him finds nobody', async () => {
    const asked = `Patient?_id=${await idOf('laurent')},${await idOf('girard')},nobody`;
    const found = async (who: string) => {
      const { status, json } = await door.get<Bundle<Patient>>(who, asked);
      return [status, json.total, json.entry?.[0]?.resource?.name?.[0]?.family];
    };
    expect(await found('dr-martin')).toEqual([200, 1, 'LAURENT']);
    expect(await found('pharm-durand')).toEqual([200, 0, undefined]);
    expect(await found('regie')).toEqual([200, 2, 'LAURENT']);
  });

  test('without a right and unnamed he is unknown; named, the refusal is said', async () => {
    const id = await idOf('laurent');
    expect((await door.get('pharm-durand', `Patient/${id}`)).status).toBe(404);
    expect((await door.get('pharm-durand', `Patient/${id}`, { patient: 'laurent' })).status).toBe(403);
    expect((await door.get('dr-martin', 'Patient/nobody')).status).toBe(404);
    expect((await door.get('dr-martin', `Patient/${id}`, { patient: 'casanova' })).status).toBe(404);
  });
});

test('the CapabilityStatement says how patients are found and told of', async () => {
  const { json } = await door.ask<CapabilityStatement>('metadata');
  const [rest] = json.rest ?? [];
  const patient = rest?.resource?.find(({ type }) => type === 'Patient');
  expect(patient).toMatchObject({
    versioning: 'versioned',
    readHistory: false,
    conditionalCreate: true,
    conditionalUpdate: true,
    conditionalDelete: 'single',
  });
  expect(patient?.interaction?.map(({ code }) => code).sort()).toEqual(
    ['create', 'delete', 'read', 'search-type', 'update', 'vread'].sort(),
  );
  expect(patient?.operation?.map(({ name }) => name)).toEqual(expect.arrayContaining(['match', 'ihe-pix']));
  expect(patient?.documentation).toContain('Modifiers: :not, :exact, :contains, :missing.');
  const asked = '_id active family given name identifier telecom birthdate address address-city address-country';
  const names = `${asked} address-postalcode address-state gender mothersMaidenName _lastUpdated`.split(' ');
  expect(patient?.searchParam?.map(({ name }) => name).sort()).toEqual(names.sort());
  expect(rest?.operation?.map(({ name }) => name)).toContain('process-message');
  expect(json.messaging?.[0]?.supportedMessage).toMatchObject([{ mode: 'receiver' }]);
});
