import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, Patient } from 'fhir/r4.js';
import { feedIdentity } from '../../server/usecases/feed.ts';
import { type IdentityDoor, localOid, openIdentityDoor, patientFor, problemsOf } from './identity-door.ts';
import { pagesOf } from './paging.ts';

let door: IdentityDoor;
beforeAll(async () => {
  door = await openIdentityDoor();
});
afterAll(() => door.close());

const find = async (asked: string, who = 'regie', changes = {}) =>
  door.get<Bundle<Patient>>(who, `Patient?${asked}`, changes);
const familiesIn = ({ json }: { json: Bundle<Patient> }) =>
  (json.entry ?? []).map(({ resource }) => resource?.name?.[0]?.family).sort();

describe('a search by traits', () => {
  test.each<[string, string[]]>([
    ['family=laurent&birthdate=1961-05-14', ['LAURENT']],
    ['family=Laur&given=mich', ['LAURENT']],
    ['family=LAURENT&gender=male', ['LAURENT']],
    ['family=LAURENT&gender=female', []],
    ['family=lau,CASA&gender=male,female', ['CASANOVA', 'LAURENT']],
    ['family=L&family=LA&gender=male', ['LAURENT']],
    ['family:exact=LAURENT&gender=male', ['LAURENT']],
    ['family:exact=Laurent&gender=male', []],
    ['family:contains=aur&birthdate=1961', ['LAURENT']],
    ['family:contains=aur&family=L&gender=male', ['LAURENT']],
    ['family=aur&birthdate=1961', []],
    ['given:contains=CHE&birthdate=1961', ['LAURENT']],
    ['given:exact=MICHEL&birthdate=1961-05', ['LAURENT']],
    ['birthdate=1961-05-14&gender=male', ['LAURENT']],
    ['birthdate=ge1961-05-14&birthdate=lt1961-05-15&gender=male', ['LAURENT']],
    ['birthdate=gt1961-05-14&birthdate=lt1967-01-01&gender=male', []],
    ['birthdate=sa1960&birthdate=eb1962&gender=male', ['LAURENT']],
    ['birthdate=ap1962-01-01&gender=male', ['LAURENT']],
    ['birthdate=ne1961-05-14&family=LAURENT', []],
    ['birthdate=le1961-05-14&family=LAURENT', ['LAURENT']],
    ['birthdate=1961-05-14,1974-09-18&gender=male,female', ['CASANOVA', 'LAURENT']],
    ['family=LAURENT&gender=male&active=true', ['LAURENT']],
    ['family=LAURENT&gender=male&active=false', []],
    ['family=LAURENT&gender=male&_lastUpdated=ge2026-07-01', ['LAURENT']],
    ['family=LAURENT&gender=male&_lastUpdated=lt2026-07-01', []],
    ['family=LAURENT&gender=male&address-city=Rennes', []],
    ['family=LAURENT&gender=male&telecom=phone|0102030405', []],
    ['family=LAURENT&gender=male&mothersMaidenName=X', []],
    ['family=LAURENT&gender=male&name=mich', ['LAURENT']],
    ['family=LAURENT&gender=male&name=lau&name:contains=CHE', ['LAURENT']],
    ['family=LAURENT&gender=male&name:exact=michel', []],
    ['family=lau,CASA&gender=male,female&name=casa', ['CASANOVA']],
    ['family=LAURENT&gender=male&name:missing=false&telecom:missing=true', ['LAURENT']],
    ['family=LAURENT&gender=male&telecom:missing=false', []],
    ['family=LAURENT&birthdate=1961-05-14&gender:missing=false&birthdate:missing=false', ['LAURENT']],
    ['family=LAURENT&birthdate=1961-05-14&address-city:missing=true', ['LAURENT']],
    ['family=LAURENT&birthdate=1961-05-14&gender:not=female', ['LAURENT']],
    ['family=LAURENT&birthdate=1961-05-14&gender:not=female,male', []],
    ['family=LAURENT&gender=male&active:not=true', []],
    ['family=LAURENT&gender=male&telecom:not=phone|0102030405', ['LAURENT']],
    ['family=lau,CASA&gender=male,female&identifier:not={laurent}', ['CASANOVA']],
  ])('%s finds %j', async (asked, families) => {
    const answer = await find(asked.replace('{laurent}', encodeURIComponent(door.of('laurent'))));
    expect([answer.status, answer.json.total]).toEqual([200, families.length]);
    expect(familiesIn(answer)).toEqual(families);
  });

  test('with an identifier finds nobody when the traits are another’s', async () => {
    const identifier = `identifier=${door.of('laurent')}`;
    expect(familiesIn(await find(`${identifier}&family=LAURENT`))).toEqual(['LAURENT']);
    expect(familiesIn(await find(`${identifier}&family=CASANOVA`))).toEqual([]);
  });

  test.each([
    ['family:missing=maybe', 'parameterMalformed'],
    ['gender:not=blue', 'parameterMalformed'],
    ['name=', 'parameterMalformed'],
    ['identifier:not=1234', 'parameterMalformed'],
    ['name:not=LAURENT', 'parameterUnknown'],
    ['gender:text=male', 'parameterUnknown'],
  ])('%s says nothing that is served', async (more, name) => {
    const refused = await door.get('regie', `Patient?family=LAURENT&gender=male&${more}`);
    expect([refused.status, problemsOf(refused).map((one) => one.split(' ')[0])]).toEqual([400, [name]]);
  });

  test.each([
    'family=LAURENT',
    'name=LAURENT&gender=male',
    'family=LAURENT&gender:not=female',
    'family=LAURENT&name=MICHEL&birthdate:missing=false',
    'birthdate=1961-05-14',
    'given=MICHEL&gender=male',
    'family:contains=AUR&gender=male',
    'family=-&gender=male',
    'address-city=Rennes&telecom=1',
    '_sort=family',
  ])('%s says too little: 400 too-costly', async (asked) => {
    const answer = await find(asked);
    expect([answer.status, problemsOf(answer)]).toEqual([400, ['searchTooBroad too-costly']]);
  });

  test.each([
    ['birthdate=1961-13-01&family=X', 'parameterMalformed value'],
    ['birthdate=1961-05-14T10:00:00Z&family=X', 'parameterMalformed value'],
    ['gender=man&family=X', 'parameterMalformed value'],
    ['active=yes&family=X', 'parameterMalformed value'],
    ['family:text=X&gender=male', 'parameterUnknown not-supported'],
    ['family=&gender=male', 'parameterMalformed value'],
  ])('%s is refused', async (asked, name) => {
    const answer = await find(asked);
    expect([answer.status, problemsOf(answer)]).toEqual([400, [name]]);
  });

  test('reads its parameters from a form too', async () => {
    const response = await door.ask<Bundle<Patient>>('Patient/_search', {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${await door.token('regie')}`,
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: 'family=LAURENT&birthdate=1961-05-14',
    });
    expect([response.status, familiesIn(response)]).toEqual([200, ['LAURENT']]);
  });

  test('pages in the order asked for, and counts them all', async () => {
    const asked = 'birthdate=ge1900&gender=male,female&_sort=family&_count=2';
    const first = await find(asked);
    const pages = await pagesOf<Patient>(door, 'regie', `Patient?${asked}`);
    for (const { total } of pages) expect(total).toBe(first.json.total);
    const families = pages.flatMap(({ entry = [] }) => entry.map(({ resource }) => resource?.name?.[0]?.family));
    // Closed and absent records are nobody's to find so.
    const open = ['BLANC', 'CASANOVA', 'GIRARD', 'HENRY', 'LAURENT', 'MASSON', 'MOREL'];
    expect(families).toEqual(open);
    expect(first.json.total).toBe(open.length);
  });

  test('a count above the most is served at the most', async () => {
    const { status, json } = await find('family=LAURENT&gender=male&_count=99999');
    expect([status, json.total]).toEqual([200, 1]);
  });
});

describe('who may search by traits', () => {
  const asked = 'family=LAURENT&gender=male';
  test.each(['dr-martin', 'sec-moreau', 'hopital-nord', 'laurent', 'samu-15'])('not %s in normal mode', async (who) => {
    const answer = await find(asked, who);
    expect([answer.status, problemsOf(answer)]).toEqual([403, ['accessDenied forbidden']]);
  });

  test.each(['dr-martin', 'sec-moreau', 'hopital-nord'])('%s does not list patients', async (who) => {
    expect((await find('', who)).status).toBe(403);
  });

  test.each(['samu-15', 'dr-bernard'])('%s in mode centre 15, except who opposed it', async (who) => {
    expect(familiesIn(await find(asked, who, { mode: 'centre_15' }))).toEqual(['LAURENT']);
    const girard = await find('family=GIRARD&gender=male', who, { mode: 'centre_15' });
    expect([girard.status, girard.json.total]).toEqual([200, 0]);
  });

  test('a token that names another patient finds nobody', async () => {
    const { json } = await find(asked, 'samu-15', { mode: 'centre_15', patient: 'casanova' });
    expect(json.total).toBe(0);
  });

  test('the search leaves an event, and one for each patient who is shown', async () => {
    const before = door.eventCount();
    await find(asked);
    const [searched, shown, ...more] = door.world.tools.store.events().slice(before);
    expect(more).toEqual([]);
    expect(searched).toMatchObject({ action: 'searchPatients', outcome: 'done', query: `GET /fhir/Patient?${asked}` });
    expect(searched).not.toHaveProperty('record');
    expect(shown).toMatchObject({ action: 'searchPatients', record: await door.idOf('laurent') });
    expect(shown).not.toHaveProperty('query');
  });

  test('centre 15 owes each patient who is shown a notice', async () => {
    const before = door.world.tools.store.jobs().length;
    await find(asked, 'samu-15', { mode: 'centre_15' });
    const record = await door.idOf('laurent');
    expect(door.world.tools.store.jobs().slice(before)).toEqual([
      { kind: 'notifyPatient', record },
      { kind: 'notifyTreatingDoctor', record },
      { kind: 'reviewEmergencyAccess', record },
    ]);
  });

  test('a refused one leaves a refusal', async () => {
    const before = door.eventCount();
    await find(asked, 'dr-martin');
    expect(door.eventsSince(before)).toEqual(['ITI-78 searchPatients refused']);
  });
});

describe('the domains of identifiers', () => {
  test('restrict a search to who has an identifier there', async () => {
    const inDomain = async (oid: string) => find(`family=LAURENT&gender=male&identifier=urn:oid:${oid}|`);
    expect(familiesIn(await inDomain('1.2.250.1.213.1.4.10'))).toEqual(['LAURENT']);
    expect((await inDomain('1.2.250.1.213.1.4.2')).json.total).toBe(1);
    const blanc = await find('family=BLANC&gender=female&identifier=urn:oid:1.2.250.1.213.1.4.2|');
    expect(blanc.json.total).toBe(0);
  });

  test('an unknown one is not found', async () => {
    const answer = await find('family=LAURENT&gender=male&identifier=urn:oid:1.2.3.4|');
    expect([answer.status, problemsOf(answer)]).toEqual([404, ['domainUnknown not-found']]);
    expect(JSON.stringify(answer.json)).toContain('targetSystem not found');
  });
});

describe('what a feed told besides', () => {
  test('is found, and shown', async () => {
    const open = await openIdentityDoor('open');
    const patient = patientFor('1', {
      telecom: [{ system: 'phone', use: 'mobile', value: '01 02 03 04 05' }],
      address: [{ use: 'home', line: ['1 rue de la Paix'], city: 'Fougères', postalCode: '35300', country: 'FRA' }],
      extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName', valueString: 'Élan' }],
    });
    expect((await open.send('regie', 'POST', 'Patient', patient)).status).toBe(201);
    const total = async (more: string) =>
      (await open.get<Bundle>('regie', `Patient?family=DOE&gender=female&${more}`)).json.total;
    expect(await total('telecom=phone|0102030405')).toBe(1);
    expect(await total('telecom=0102030406')).toBe(0);
    expect(await total('address-city=fougeres')).toBe(1);
    expect(await total('address-postalcode=353')).toBe(1);
    expect(await total('address-country:exact=FRA')).toBe(1);
    expect(await total('address=1 rue')).toBe(1);
    expect(await total('mothersMaidenName=elan')).toBe(1);
    expect(await total('given=Ann')).toBe(1);
    const { json } = await open.get<Bundle<Patient>>('regie', 'Patient?family=DOE&gender=female');
    expect(json.entry?.[0]?.resource).toMatchObject({ telecom: patient.telecom, address: patient.address });
    await open.close();
  });

  test('more than a thousand in the index say that the search is too broad', async () => {
    const open = await openIdentityDoor('open');
    const { tools, as } = open.world;
    for (let i = 0; i < 1001; i++)
      await feedIdentity(
        tools,
        as('regie'),
        { identifiers: [{ oid: localOid, value: String(i) }], traits: { family: 'DOE', gender: 'female' } },
        { message: 'add' },
      );
    const answer = await open.get('regie', 'Patient?family=DOE&gender=female');
    expect([answer.status, problemsOf(answer)]).toEqual([400, ['searchTooBroad too-costly']]);
    await open.close();
  }, 60_000);
});
