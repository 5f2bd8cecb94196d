import { describe, expect, test } from '@jest/globals';
import { graded, namesakesOf } from '../../server/domain/match.ts';
import type { Traits } from '../../server/domain/record.ts';
import { recordOf } from '../support/permits.ts';

const blanc: Traits = {
  family: 'BLANC',
  given: 'JULIETTE',
  gender: 'female',
  birthDate: '1988-01-11',
  birthPlace: '69123',
};
const candidate = (traits: Traits, id = 'r') => ({ record: { ...recordOf(id), traits }, position: 1 });
const gradesOf = (asked: Partial<Traits>, ...held: readonly Traits[]) =>
  graded(
    asked,
    held.map((traits, i) => candidate(traits, `r${i}`)),
  ).map(({ score, grade }) => [score, grade]);

describe('a match', () => {
  test.each<[string, Partial<Traits>, Traits, unknown[]]>([
    ['of everything is certain', blanc, blanc, [[1, 'certain']]],
    ['without place of birth too', { ...blanc, birthPlace: '' }, blanc, [[1, 'certain']]],
    ['against the place of birth is not', { ...blanc, birthPlace: '75056' }, blanc, [[0.9, 'probable']]],
    ['whatever accents and hyphens', { ...blanc, given: 'Julïette' }, blanc, [[1, 'certain']]],
    [
      'by the family in use is probable',
      { ...blanc, family: 'DURAND' },
      { ...blanc, usedFamily: 'DURAND' },
      [[1, 'probable']],
    ],
    ['with day and month changed round', { ...blanc, birthDate: '1988-11-01' }, blanc, [[0.85, 'probable']]],
    ['with a year of birth alone', { ...blanc, birthDate: '1988' }, blanc, [[0.85, 'probable']]],
    ['with one part of the date another', { ...blanc, birthDate: '1989-01-11' }, blanc, [[0.85, 'probable']]],
    ['with another sex', { ...blanc, gender: 'male' }, blanc, [[0.9, 'probable']]],
    ['with an unknown sex is not certain', { ...blanc, gender: 'unknown' }, blanc, [[0.9, 'probable']]],
    ['of another family and given name is none', { ...blanc, family: 'X', given: 'Y', birthPlace: '75056' }, blanc, []],
  ])('%s', (_, asked, held, expected) => {
    expect(gradesOf(asked, held)).toEqual(expected);
  });

  test('of two who agree in everything is certain of none', () => {
    expect(gradesOf(blanc, blanc, blanc)).toEqual([
      [1, 'probable'],
      [1, 'probable'],
    ]);
  });

  test('gives the likeliest first', () => {
    const twin = { ...blanc, given: 'CHLOE' };
    expect(gradesOf(blanc, twin, blanc)).toEqual([
      [1, 'certain'],
      [0.8, 'possible'],
    ]);
  });
});

describe('where namesakes are looked for', () => {
  test('around the year of birth in the family, and on the day by given name', () => {
    expect(namesakesOf(blanc)).toEqual([
      { families: ['BLANC'], born: { from: '1987-01-01', to: '1990-01-01' } },
      {
        born: { from: '1988-01-11', to: '1988-01-12' },
        givens: ['JULIETTE'],
        genders: ['female', 'unknown'],
      },
    ]);
  });

  test.each<[string, Partial<Traits>]>([
    ['nothing', {}],
    ['a family alone', { family: 'BLANC' }],
    ['a given name and a sex', { given: 'JULIETTE', gender: 'female' }],
    ['a date alone', { birthDate: '1988-01-11' }],
    ['names without letters', { family: '--', gender: 'female' }],
  ])('nowhere for %s', (_, asked) => {
    expect(namesakesOf(asked)).toEqual([]);
  });
});
