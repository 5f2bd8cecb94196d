import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { insC, insKey, insOids, isIns, parseIns } from '../../server/domain/ins.ts';

type Cases = {
  keys: { matricule: string; key: string }[];
  calculated: { firstName: string; birthDate: string; nir: string; nirKey: string; insC: string }[];
};
const cases = JSON.parse(readFileSync(new URL('../cases/ins.json', import.meta.url), 'utf8')) as Cases;

describe('matricule', () => {
  test.each(cases.keys)('$matricule has the key $key', ({ matricule, key }) => {
    expect(insKey(matricule)).toBe(key);
    expect(isIns(matricule + key)).toBe(true);
  });
  test.each([
    ['key off by one', '207058575627096'],
    ['two digits swapped', '270058575627097'],
    ['key missing', '2070585756270'],
    ['Corsica in lower case', '188102b17295165'],
    ['a letter elsewhere', '2070A8575627097'],
    ['month 13', '207138575627097'],
    ['sex 0', '007058575627097'],
    ['a space', ' 07058575627097'],
    ['a newline behind', '207058575627097\n'],
  ])('%s is no INS', (_, value) => {
    expect(isIns(value)).toBe(false);
  });
});

describe('parseIns', () => {
  const value = '207058575627097';
  test.each([
    ['production', insOids.production, '1.2.250.1.213.1.4.8', true],
    ['production', insOids.production, '1.2.250.1.213.1.4.9', true],
    ['production', insOids.production, '1.2.250.1.213.1.4.10', false],
    ['production', insOids.production, '1.2.250.1.213.1.4.11', false],
    ['test', insOids.test, '1.2.250.1.213.1.4.10', true],
    ['test', insOids.test, '1.2.250.1.213.1.4.8', false],
    ['demo', insOids.demo, '1.2.250.1.213.1.4.11', true],
    ['demo', insOids.demo, insOids.calculated, false],
  ])('%s: %j under %s is accepted: %s', (_, accepted, oid, yes) => {
    expect(parseIns({ value, oid }, accepted)).toEqual(yes ? { value, oid } : undefined);
  });
  test('a wrong key is refused under the right OID', () => {
    expect(parseIns({ value: '207058575627001', oid: '1.2.250.1.213.1.4.10' }, insOids.test)).toBeUndefined();
  });
});

describe('calculated INS', () => {
  test.each(cases.calculated)('$firstName $birthDate $nir', ({ firstName, birthDate, nir, nirKey, insC: expected }) => {
    expect(insC({ firstName, birthDate, certifiedNir: nir })).toEqual({ value: expected });
    expect(insKey(nir)).toBe(nirKey);
  });
  test('accents, hyphens and apostrophes of the first name do not count', () => {
    const of = (firstName: string) => insC({ firstName, birthDate: '651112', certifiedNir: '265112A571315' });
    expect(of("Mârïe-o'dílé")).toEqual(of('MARIE ODILE'));
  });
  test('an absent birth date counts as 000000', () => {
    const of = (birthDate: string) => insC({ firstName: 'DAVID', birthDate, certifiedNir: '285072B502024' });
    expect(of('')).toEqual(of('000000'));
  });
  test.each([
    ['nirMissing', { certifiedNir: '' }],
    ['nirTemporary', { certifiedNir: '7850725502024' }],
    ['nirMalformed', { certifiedNir: '285072B50202465' }],
    ['nirOfInsured', { insuredNir: '285072B502024' }],
    ['birthDateMalformed', { birthDate: '1985-07' }],
  ])('%s', (refused, change) => {
    expect(insC({ firstName: 'DAVID', birthDate: '850717', certifiedNir: '285072B502024', ...change })).toEqual({
      refused,
    });
  });
});
