import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, Patient } from 'fhir/r4.js';
import { extensions, profiles } from '../../server/fhir/vocabulary.ts';
import { type IdentityDoor, localOid, named, openIdentityDoor, patientFor, problemsOf } from './identity-door.ts';

let open: IdentityDoor;
let dmp: IdentityDoor;
beforeAll(async () => {
  open = await openIdentityDoor('open');
  dmp = await openIdentityDoor('dmp');
});
afterAll(async () => {
  await open.close();
  await dmp.close();
});

let last = 0;
const fresh = () => `p${++last}`;
const put = async (value: string, changes: Partial<Patient> = {}, headers = {}) =>
  open.send<Patient>('regie', 'PUT', named(value), patientFor(value, changes), { headers });
const post = async (value: string, changes: Partial<Patient> = {}, headers = {}) =>
  open.send<Patient>('regie', 'POST', 'Patient', patientFor(value, changes), { headers });
const total = async (value: string) => (await open.get<Bundle>('regie', named(value))).json.total;
const other = (value: string) => ({ identifier: { system: `urn:oid:${localOid}`, value } });

describe('a patient who is told of, where a feed makes patients known', () => {
  test('is new: 201 with his address, and read there', async () => {
    const value = fresh();
    const { status, headers, json } = await put(value);
    expect([status, headers.get('etag')]).toEqual([201, 'W/"1"']);
    expect(headers.get('location')).toBe(`${open.base}/Patient/${json.id}/_history/1`);
    const read = await open.get<Patient>('regie', `Patient/${json.id}`);
    expect(read.json).toMatchObject({
      identifier: [{ system: `urn:oid:${localOid}`, value, use: 'official' }],
      name: [{ use: 'official', family: 'DOE', given: ['JANE'] }],
      gender: 'female',
      birthDate: '1980-02-29',
      active: true,
    });
    expect(read.json.name?.[0]?.extension).toEqual([{ url: extensions.givenNames, valueString: 'JANE ANN' }]);
    expect(read.json.meta?.profile).not.toContain(profiles.patientIns);
  });

  test('is changed: 200, the next version; told the same again, nothing', async () => {
    const value = fresh();
    await put(value);
    const changed = await put(value, {
      name: [
        { family: 'Roe', given: ['Jane'] },
        { use: 'usual', family: 'Poe' },
      ],
    });
    expect([changed.status, changed.headers.get('etag')]).toEqual([200, 'W/"2"']);
    expect(changed.json.name).toMatchObject([{ family: 'ROE' }, { use: 'usual', family: 'POE' }]);
    const again = await put(value, {
      name: [
        { family: 'Roe', given: ['Jane'] },
        { use: 'usual', family: 'Poe' },
      ],
    });
    expect([again.status, again.headers.get('etag')]).toEqual([200, 'W/"2"']);
  });

  test('gets further identifiers; one of another patient is a conflict', async () => {
    const [value, second, third] = [fresh(), fresh(), fresh()];
    await put(value);
    await put(third);
    const identifier = (...values: string[]) => values.map((one) => ({ system: `urn:oid:${localOid}`, value: one }));
    expect((await put(value, { identifier: identifier(value, second) })).status).toBe(200);
    expect(await total(second)).toBe(1);
    const conflict = await put(value, { identifier: identifier(value, third) });
    expect([conflict.status, problemsOf(conflict)]).toEqual([409, ['identitiesDiffer conflict']]);
  });

  test('nothing is sent back to who prefers so', async () => {
    const { status, bytes } = await put(fresh(), {}, { Prefer: 'return=minimal' });
    expect([status, bytes.length]).toEqual([201, 0]);
  });

  test('told of by id, at the version that was read', async () => {
    const value = fresh();
    const { id } = (await put(value)).json;
    const byId = async (version: string, path = id ?? '') =>
      open.send<Patient>('regie', 'PUT', `Patient/${path}`, patientFor(value, { id: path, gender: 'male' }), {
        headers: { 'If-Match': version },
      });
    expect((await byId('W/"7"')).status).toBe(412);
    expect((await byId('nonsense')).status).toBe(412);
    const done = await byId('W/"1"');
    expect([done.status, done.json.gender]).toEqual([200, 'male']);
    expect((await byId('W/"1"')).status).toBe(412);
    const nobody = await byId('*', 'nobody');
    expect([nobody.status, problemsOf(nobody)]).toEqual([409, ['identitiesDiffer conflict']]);
    const wrong = await open.send('regie', 'PUT', `Patient/${id}`, patientFor(value, { id: 'other' }));
    expect([wrong.status, problemsOf(wrong)]).toEqual([400, ['elementMalformed value']]);
  });
});

describe('a creation', () => {
  test('of who is known is a conflict', async () => {
    const value = fresh();
    expect((await post(value)).status).toBe(201);
    const again = await post(value, { gender: 'male' });
    expect([again.status, problemsOf(again)]).toEqual([409, ['identityHeld duplicate']]);
  });

  test('on condition leaves who is known as he is', async () => {
    const value = fresh();
    const condition = { 'If-None-Exist': `identifier=urn:oid:${localOid}|${value}` };
    const first = await post(value, {}, condition);
    const second = await post(value, { gender: 'male' }, condition);
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.json).toMatchObject({ id: first.json.id, gender: 'female' });
  });

  test('on condition is of one patient, however many ask at once', async () => {
    const value = fresh();
    const before = open.world.tools.store.held().record;
    const condition = { 'If-None-Exist': `identifier=urn:oid:${localOid}|${value}` };
    const answers = await Promise.all(Array.from({ length: 12 }, async () => post(value, {}, condition)));
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array<number>(11).fill(200), 201]);
    expect(new Set(answers.map(({ json }) => json.id)).size).toBe(1);
    expect(open.world.tools.store.held().record).toBe(before + 1);
  });

  test('without condition too: one is created, the others are in conflict', async () => {
    const value = fresh();
    const answers = await Promise.all(Array.from({ length: 6 }, async () => post(value)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409]);
  });

  test.each(['', 'family=Doe', 'identifier=4711', 'identifier=urn:oid:1.2.3|4&gender=male'])(
    'on the condition %j is refused, where it is one',
    async (condition) => {
      const answer = await post(fresh(), {}, { 'If-None-Exist': condition });
      expect(answer.status).toBe(condition === '' ? 201 : 400);
      if (condition !== '') expect(problemsOf(answer)).toEqual(['parameterMalformed value']);
    },
  );
});

describe('a merge', () => {
  test('makes one patient of two; the one who is replaced is no more', async () => {
    const [old, survivor] = [fresh(), fresh()];
    const oldId = (await put(old)).json.id;
    const { id } = (await put(survivor)).json;
    const merged = await put(old, { active: false, link: [{ type: 'replaced-by', other: other(survivor) }] });
    expect(merged.status).toBe(200);
    expect(merged.json).toMatchObject({
      id: oldId,
      active: false,
      link: [{ type: 'replaced-by', other: { reference: `Patient/${id}`, identifier: { value: survivor } } }],
    });
    expect([await total(old), await total(survivor)]).toEqual([0, 1]);
    expect((await open.get('regie', `Patient/${oldId}`)).status).toBe(404);
    expect((await put(old)).status).toBe(404);
  });

  test('by the address of the surviving patient', async () => {
    const [old, survivor] = [fresh(), fresh()];
    await put(old);
    const { id } = (await put(survivor)).json;
    const link = [{ type: 'replaced-by' as const, other: { reference: `Patient/${id}` } }];
    expect((await put(old, { active: false, link })).status).toBe(200);
    expect(await total(old)).toBe(0);
  });

  test('into an identifier that nobody has renames the patient', async () => {
    const [old, survivor] = [fresh(), fresh()];
    const { id } = (await put(old)).json;
    expect((await put(old, { active: false, link: [{ type: 'replaced-by', other: other(survivor) }] })).status).toBe(
      200,
    );
    expect((await open.get<Bundle<Patient>>('regie', named(survivor))).json.entry?.[0]?.resource?.id).toBe(id);
  });

  test.each<[string, (value: string) => Partial<Patient>, string]>([
    ['of who is active', () => ({ link: [{ type: 'replaced-by', other: other('x') }] }), 'Patient.active'],
    [
      'into nobody',
      () => ({ active: false, link: [{ type: 'replaced-by', other: { display: 'X' } }] }),
      'Patient.link.other',
    ],
    ['without a link', () => ({ active: false }), 'Patient.active'],
    ['into himself', (value) => ({ active: false, link: [{ type: 'replaced-by', other: other(value) }] }), 'the same'],
    [
      'into an unknown domain',
      () => ({ active: false, link: [{ type: 'replaced-by', other: { identifier: { system: 'x', value: 'y' } } }] }),
      'Patient.link.other',
    ],
  ])('%s is refused', async (_, changes, words) => {
    const value = fresh();
    await put(value);
    const answer = await put(value, changes(value));
    expect(answer.status).toBe(422);
    expect(problemsOf(answer)).toEqual(['mergeImpossible business-rule']);
    expect(JSON.stringify(answer.json)).toContain(words);
    expect(await total(value)).toBe(1);
  });

  test('of who is not known is refused', async () => {
    const answer = await put(fresh(), { active: false, link: [{ type: 'replaced-by', other: other('y') }] });
    expect([answer.status, problemsOf(answer)]).toEqual([422, ['mergeImpossible business-rule']]);
  });
});

describe('a removal', () => {
  test('takes away who was told of alone, and may be repeated', async () => {
    const value = fresh();
    const { id } = (await put(value)).json;
    const remove = async () => open.send('regie', 'DELETE', named(value));
    expect((await remove()).status).toBe(204);
    expect([await total(value), (await open.get('regie', `Patient/${id}`)).status]).toEqual([0, 404]);
    expect((await remove()).status).toBe(204);
    expect((await put(value)).status).toBe(201);
  });

  test('by id too', async () => {
    const value = fresh();
    const { id } = (await put(value)).json;
    expect((await open.send('regie', 'DELETE', `Patient/${id}`)).status).toBe(204);
    expect(await total(value)).toBe(0);
  });

  test('never of a record that holds anything', async () => {
    const path = `Patient?identifier=${dmp.of('laurent')}`;
    const answer = await dmp.send('regie', 'DELETE', path);
    expect([answer.status, problemsOf(answer)]).toEqual([409, ['recordNotEmpty conflict']]);
    expect((await dmp.get<Bundle>('dr-martin', path)).json.total).toBe(1);
  });
});

describe('a feed in a domain of INS', () => {
  const tell = async (slug: string, changes: Partial<Patient> = {}, who = 'regie') => {
    const patient = { resourceType: 'Patient', identifier: [dmp.ins(slug)], name: [{ family: 'X' }], ...changes };
    return dmp.send<Patient>(who, 'PUT', `Patient?identifier=${dmp.of(slug)}`, patient);
  };

  test('changes the traits of a record', async () => {
    const answer = await tell('henry', { name: [{ family: 'Henry-Duval', given: ['Antoine'] }] });
    expect([answer.status, answer.json.name?.[0]?.family]).toEqual([200, 'HENRY-DUVAL']);
  });

  test('opens none', async () => {
    const before = dmp.world.tools.store.held().record;
    const answer = await tell('garnier');
    expect([answer.status, problemsOf(answer)]).toEqual([422, ['recordNotOpened business-rule']]);
    expect(dmp.world.tools.store.held().record).toBe(before);
  });

  test('takes an INS of a qualified identity alone', async () => {
    const status = (code: string) => [
      {
        url: extensions.identityReliability,
        extension: [
          {
            url: 'identityStatus',
            valueCoding: { system: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0445', code },
          },
        ],
      },
    ];
    const refused = await tell('masson', { extension: status('PROV') });
    expect([refused.status, problemsOf(refused)]).toEqual([422, ['identityNotQualified business-rule']]);
    expect((await tell('masson', { extension: status('VALI') })).status).toBe(200);
  });

  test.each(['dr-martin', 'hopital-nord', 'laurent'])('is not for %s', async (who) => {
    const answer = await tell('laurent', {}, who);
    expect([answer.status, problemsOf(answer)]).toEqual([403, ['accessDenied forbidden']]);
    expect((await dmp.send(who, 'DELETE', `Patient?identifier=${dmp.of('laurent')}`)).status).toBe(403);
    expect((await dmp.send(who, 'POST', 'Patient', patientFor('1'))).status).toBe(403);
  });

  test('with a wrong INS, or of a foreign authority, is refused', async () => {
    const wrong = { system: 'urn:oid:1.2.250.1.213.1.4.10', value: '161053523812386' };
    const tellOf = async (identifier: { system: string; value: string }) =>
      dmp.send('regie', 'PUT', `Patient?identifier=${identifier.system}|${identifier.value}`, {
        ...patientFor('1'),
        identifier: [identifier],
      });
    expect(problemsOf(await tellOf(wrong))).toEqual(['insMalformed value']);
    const foreign = await tellOf({ system: 'urn:oid:1.2.3.4', value: '1' });
    expect([foreign.status, problemsOf(foreign)]).toEqual([422, ['identityForeign business-rule']]);
  });
});

describe('a feed is refused', () => {
  test.each<[string, string, object, string[]]>([
    ['whose condition is another’s', named('zz'), patientFor('yy'), ['parameterMalformed value']],
    ['without a condition', 'Patient', patientFor('yy'), ['parameterMissing required']],
    ['on another condition', 'Patient?family=Doe', patientFor('yy'), ['parameterMalformed value']],
    ['on two conditions', `${named('yy')}&gender=male`, patientFor('yy'), ['parameterMalformed value']],
    [
      'without identifier',
      named('yy'),
      { resourceType: 'Patient', name: [{ family: 'X' }] },
      ['elementMissing required', 'parameterMalformed value'],
    ],
    ['of another resource', named('yy'), { resourceType: 'Practitioner' }, ['elementMalformed value']],
    [
      'of a Patient with everything wrong',
      named('yy'),
      { ...patientFor('yy'), colour: 'red', birthDate: '29/02/1980', link: [{ type: 'replaced-by' }] },
      ['elementUnknown structure', 'elementMalformed value', 'elementMissing required'],
    ],
  ])('%s', async (_, path, body, names) => {
    const answer = await open.send('regie', 'PUT', path, body);
    expect(answer.status).toBe(400);
    expect(problemsOf(answer).sort()).toEqual(names.sort());
  });
});

test('each act leaves its event: what was told of whom', async () => {
  const value = fresh();
  const before = open.eventCount();
  await post(value);
  await put(value, { gender: 'male' });
  await open.send('regie', 'DELETE', named(value));
  const events = open.world.tools.store.events().slice(before);
  expect(events.map(({ origin, action, outcome, query }) => [origin.transaction, action, outcome, query])).toEqual(
    ['add', 'revise', 'remove'].map((message) => [
      'ITI-104',
      'feedIdentities',
      'done',
      `${message} ${value}^^^&${localOid}&ISO`,
    ]),
  );
});
