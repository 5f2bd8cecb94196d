import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type Comparator,
  type Criteria,
  comparators,
  daysOf,
  filterOf,
  matchesCriteria,
  plainLetters,
} from '../../server/domain/demographics.ts';
import type { PatientRecord } from '../../server/domain/record.ts';
import { emptyQuestion } from '../../server/fhir/patient-search.ts';
import { holderNames, matchesHolder } from '../../server/store/holders.ts';
import { recordOf } from '../support/permits.ts';

const { criteria: nothing } = emptyQuestion();
const born = (birthDate: string): PatientRecord => {
  const record = recordOf('r');
  return { ...record, traits: { ...record.traits, birthDate } };
};
const asked = (comparator: Comparator, date: string): Criteria => {
  const days = daysOf(date) ?? { from: '', to: '' };
  return { ...nothing, birthDate: [[{ comparator, days }]] };
};

describe('names in plain letters', () => {
  test.each([
    ["L'Hermite", 'L HERMITE'],
    ['de la Tour-d’Auvergne', 'DE LA TOUR D AUVERGNE'],
    ['ÉLOÏSE', 'ELOISE'],
    ['Cœur', 'COEUR'],
    ['  --  ', ''],
    ['O.   Neil', 'O NEIL'],
  ])('%s is %s', (name, plain) => {
    expect(plainLetters(name)).toBe(plain);
  });
});

describe('dates of birth', () => {
  test.each<[Comparator, string, string, boolean]>([
    ['eq', '1961-05-14', '1961-05-14', true],
    ['eq', '1961-05', '1961-05-14', true],
    ['eq', '1961-05-14', '1961-05', false],
    ['ne', '1961-05-14', '1961-05', true],
    ['gt', '1961-05-14', '1961-05', true],
    ['gt', '1961-05-14', '1961-05-14', false],
    ['ge', '1961-05-14', '1961-05-14', true],
    ['lt', '1961-05-14', '1961-05-13', true],
    ['lt', '1961-05-14', '1961-05-14', false],
    ['le', '1961-05', '1961-05-31', true],
    ['sa', '1961-05', '1961-05-31', false],
    ['sa', '1961-05', '1961-06-01', true],
    ['eb', '1961-05', '1961-04-30', true],
    ['eb', '1961-05', '1961', false],
    ['ap', '1961-05-14', '1962-05-14', true],
    ['ap', '1961-05-14', '1963-05-14', false],
    ['ge', '1900', '', false],
  ])('%s%s and %s: %s', (comparator, date, birthDate, matches) => {
    expect(matchesCriteria(born(birthDate), asked(comparator, date))).toBe(matches);
  });
});

const date = fc
  .tuple(fc.integer({ min: 1958, max: 1962 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 28 }))
  .chain(([y, m, d]) => {
    const parts = [String(y), String(m).padStart(2, '0'), String(d).padStart(2, '0')];
    return fc.constantFrom(1, 2, 3).map((n) => parts.slice(0, n).join('-'));
  });
const names = fc.constantFrom("L'HERMITE", 'LE GALL', 'LEGALL', 'DE LA TOUR', 'ÉLIE', 'MARTIN');
const wanted = fc.constantFrom('l', 'le', "l'h", 'De-La', 'élie', 'MARTIN', 'x');
const how = fc.constantFrom('starts' as const, 'exact' as const, 'contains' as const);
const comparator = fc.constantFrom(...comparators);

describe('where matches are looked for', () => {
  test('is everywhere where a match is', () => {
    const criteria = fc.record({
      family: fc.array(fc.array(fc.record({ text: wanted, how }), { minLength: 1, maxLength: 2 }), { maxLength: 2 }),
      given: fc.array(fc.array(fc.record({ text: wanted, how }), { minLength: 1, maxLength: 2 }), { maxLength: 2 }),
      birthDate: fc.array(
        fc.array(fc.record({ comparator, days: date.map((day) => daysOf(day) ?? { from: '', to: '' }) }), {
          minLength: 1,
          maxLength: 2,
        }),
        { maxLength: 2 },
      ),
      gender: fc.array(fc.constantFrom(['male'], ['female', 'unknown']), { maxLength: 1 }),
    });
    const traits = fc.record({
      family: names,
      given: names,
      usedFamily: names,
      birthDate: date,
      gender: fc.constantFrom('male' as const, 'female' as const, 'unknown' as const),
    });
    let matched = 0;
    fc.assert(
      fc.property(traits, criteria, (held, some) => {
        const record = { ...recordOf('r'), traits: held };
        const all: Criteria = { ...nothing, ...some };
        if (!matchesCriteria(record, all)) return;
        matched++;
        expect(holderNames(record).some((name) => matchesHolder(name, filterOf(all)))).toBe(true);
      }),
      { numRuns: 3000 },
    );
    expect(matched).toBeGreaterThan(100);
  });
});
