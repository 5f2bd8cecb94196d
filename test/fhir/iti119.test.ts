import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, ParametersParameter, Patient } from 'fhir/r4.js';
import { extensions } from '../../server/fhir/vocabulary.ts';
import { type IdentityDoor, openIdentityDoor, problemsOf } from './identity-door.ts';

let door: IdentityDoor;
beforeAll(async () => {
  door = await openIdentityDoor();
});
afterAll(() => door.close());

const laurent: Patient = {
  resourceType: 'Patient',
  name: [{ family: 'Laurent', given: ['Michel'] }],
  gender: 'male',
  birthDate: '1961-05-14',
};
const match = async (who: string, patient: object, more: ParametersParameter[] = [], changes = {}) =>
  door.send<Bundle<Patient>>(
    who,
    'POST',
    'Patient/$match',
    { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: patient }, ...more] },
    changes,
  );
const matchesIn = ({ json }: { json: Bundle<Patient> }) =>
  (json.entry ?? []).map(({ resource, search }) => [
    resource?.name?.[0]?.family,
    search?.mode,
    search?.score,
    search?.extension?.find(({ url }) => url === extensions.matchGrade)?.valueCode,
  ]);

describe('a match with an INS', () => {
  test('by a professional is the existence test: one certain match without traits, or none', async () => {
    const answer = await match('pharm-durand', { ...laurent, identifier: [door.ins('laurent')] });
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ type: 'searchset', total: 1 });
    expect(matchesIn(answer)).toEqual([[undefined, 'match', 1, 'certain']]);
    expect(answer.json.entry?.[0]?.resource).toMatchObject({ id: await door.idOf('laurent'), active: true });
    expect(answer.json.entry?.[0]?.resource).not.toHaveProperty('birthDate');
    const none = await match('pharm-durand', { ...laurent, identifier: [door.ins('garnier')] });
    expect([none.status, none.json.total, none.json.entry]).toEqual([200, 0, undefined]);
  });

  test('shows nothing of whether the traits agree', async () => {
    const [right, wrong] = await Promise.all(
      ['Laurent', 'Durand'].map(async (family) =>
        match('pharm-durand', { resourceType: 'Patient', identifier: [door.ins('laurent')], name: [{ family }] }),
      ),
    );
    expect(right?.json.entry).toEqual(wrong?.json.entry);
  });

  test('takes the Patient alone too', async () => {
    const bare = { resourceType: 'Patient', identifier: [door.ins('laurent')] };
    const answer = await door.send<Bundle<Patient>>('dr-martin', 'POST', 'Patient/$match', bare);
    expect(matchesIn(answer)).toEqual([[undefined, 'match', 1, 'certain']]);
  });

  test('is traced as what it is', async () => {
    const before = door.eventCount();
    await match('pharm-durand', { resourceType: 'Patient', identifier: [door.ins('laurent')] });
    expect(door.eventsSince(before)).toEqual(['ITI-119 testExistence done']);
  });
});

describe('a match by traits', () => {
  test.each<[string, Partial<Patient>, unknown[]]>([
    ['all of them are his', {}, [['LAURENT', 'match', 1, 'certain']]],
    ['month and day are others', { birthDate: '1961-04-15' }, [['LAURENT', 'match', 0.67, 'possible']]],
    [
      'the given name is another',
      { name: [{ family: 'LAURENT', given: ['PAUL'] }] },
      [['LAURENT', 'match', 0.78, 'possible']],
    ],
    [
      'the given name is the beginning',
      { name: [{ family: 'LAURENT', given: ['MIC'] }] },
      [['LAURENT', 'match', 0.89, 'probable']],
    ],
    ['the day of birth is another', { birthDate: '1961-05-15' }, [['LAURENT', 'match', 0.83, 'possible']]],
    [
      'the family is another',
      { name: [{ family: 'DURAND', given: ['MICHEL'] }] },
      [['LAURENT', 'match', 0.67, 'possible']],
    ],
    ['nobody has them', { name: [{ family: 'X', given: ['Y'] }], birthDate: '1900-01-01' }, []],
  ])('where %s', async (_, changes, expected) => {
    const answer = await match('regie', { ...laurent, ...changes });
    expect(answer.status).toBe(200);
    expect(matchesIn(answer)).toEqual(expected);
  });

  test('of certain matches alone, and of so many', async () => {
    const certain = { name: 'onlyCertainMatches', valueBoolean: true };
    const other = { ...laurent, name: [{ family: 'LAURENT', given: ['PAUL'] }] };
    expect(matchesIn(await match('regie', laurent, [certain]))).toHaveLength(1);
    expect(matchesIn(await match('regie', other, [certain]))).toEqual([]);
    expect(matchesIn(await match('regie', other, [{ name: 'count', valueInteger: 1 }]))).toHaveLength(1);
  });

  test.each(['dr-martin', 'hopital-nord', 'sec-moreau', 'laurent'])('is not for %s in normal mode', async (who) => {
    const answer = await match(who, laurent);
    expect([answer.status, problemsOf(answer)]).toEqual([403, ['accessDenied forbidden']]);
  });

  test('is for centre 15, except of who opposed it', async () => {
    const girard = {
      ...laurent,
      name: [{ family: 'GIRARD', given: ['BERNARD'] }],
      birthDate: '1955-11-30',
    };
    const mode = { mode: 'centre_15' } as const;
    expect(matchesIn(await match('samu-15', laurent, [], mode))).toHaveLength(1);
    expect(matchesIn(await match('samu-15', girard, [], mode))).toEqual([]);
    expect(matchesIn(await match('regie', girard))).toHaveLength(1);
  });

  test('leaves an event, and one for each patient who is shown', async () => {
    const before = door.eventCount();
    await match('regie', laurent);
    expect(door.eventsSince(before)).toEqual(['ITI-119 searchPatients done', 'ITI-119 searchPatients done']);
  });
});

describe('a match is refused', () => {
  const patient = { name: 'resource', resource: laurent };
  test.each<[string, object, number, string[]]>([
    [
      'that says too little',
      { resourceType: 'Patient', name: [{ given: ['Michel'] }], gender: 'male' },
      400,
      ['searchTooBroad too-costly'],
    ],
    ['of another resource', { resourceType: 'Practitioner' }, 400, ['elementMalformed value']],
    [
      'without a Patient',
      { resourceType: 'Parameters', parameter: [{ name: 'count', valueInteger: 1 }] },
      400,
      ['elementMissing required'],
    ],
    [
      'with all that is wrong at once',
      {
        resourceType: 'Parameters',
        parameter: [
          patient,
          { name: 'count', valueInteger: 0 },
          { name: 'onlyCertainMatches', valueString: 'yes' },
          { name: 'threshold', valueDecimal: 0.5 },
        ],
      },
      400,
      ['elementUnknown structure', 'elementMalformed value', 'elementMalformed value'],
    ],
    [
      'with two Patients',
      { resourceType: 'Parameters', parameter: [patient, patient] },
      400,
      ['elementMalformed value'],
    ],
    ['with a broken Patient', { resourceType: 'Patient', birthDate: '14/05/1961' }, 400, ['elementMalformed value']],
  ])('%s', async (_, body, status, names) => {
    const answer = await door.send('regie', 'POST', 'Patient/$match', body);
    expect([answer.status, problemsOf(answer)]).toEqual([status, names]);
  });
});
