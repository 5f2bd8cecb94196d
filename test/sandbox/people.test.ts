import { describe, expect, test } from '@jest/globals';
import { insC, isIns } from '../../server/domain/ins.ts';
import { people, practiceOf } from '../../server/sandbox/people.ts';

const withIns = people.filter((p) => p.kind === 'patient' || p.kind === 'representative');
const patients = people.filter((p) => p.kind === 'patient');
const professionals = people.filter((p) => p.kind === 'professional');
const structures = people.filter((p) => p.kind === 'structure');

test('everyone of the contract is there, each slug once', () => {
  expect(people.map((p) => `${p.kind} ${p.slug}`)).toEqual([
    'professional dr-martin',
    'professional dr-nguyen',
    'professional dr-leroy',
    'professional dr-roux',
    'professional dr-bernard',
    'professional inf-petit',
    'professional pharm-durand',
    'professional sec-moreau',
    'structure hopital-nord',
    'structure labo-centre',
    'structure radio-ouest',
    'structure samu-15',
    'system regie',
    'patient laurent',
    'patient casanova',
    'patient garnier',
    'patient faure',
    'patient blanc',
    'patient girard',
    'patient henry',
    'patient masson',
    'patient lea-morel',
    'representative sophie-morel',
  ]);
});

describe('identities', () => {
  test.each(withIns)('$slug has a right key, under the test OID, in a CX', ({ ins, insOid, insCx }) => {
    expect(isIns(ins)).toBe(true);
    expect(insOid).toBe('1.2.250.1.213.1.4.10');
    expect(insCx).toBe(`${ins}^^^&1.2.250.1.213.1.4.10&ISO^NH`);
  });

  test.each(patients)('the matricule of $slug says sex, birth and place', ({ ins, gender, birthDate, birthPlace }) => {
    expect(ins.slice(0, 1)).toBe(gender === 'male' ? '1' : '2');
    expect(ins.slice(1, 5)).toBe(birthDate.slice(2, 4) + birthDate.slice(5, 7));
    expect(ins.slice(5, 10)).toBe(birthPlace);
  });

  test.each(patients.filter((p) => p.insC !== undefined))('the INS-C of $slug is computed from the card', (p) => {
    const birthDate = p.birthDate.slice(2).replaceAll('-', '');
    expect(insC({ firstName: p.given, birthDate, certifiedNir: p.ins.slice(0, 13) })).toEqual({ value: p.insC });
  });

  test('one is Corsican, one a minor with her own matricule', () => {
    expect(patients.find((p) => p.slug === 'casanova')?.ins.slice(5, 7)).toBe('2B');
    expect(patients.find((p) => p.slug === 'lea-morel')?.birthDate).toBe('2014-03-09');
  });
});

describe('professionals and structures', () => {
  test.each(professionals.filter((p) => p.card === 'CPS'))(
    '$slug has an RPPS of the test range with its key',
    ({ idNat }) => {
      expect(idNat).toMatch(/^89997\d{7}$/);
      expect(luhn(idNat.slice(1))).toBe(true);
    },
  );

  test.each([...professionals, ...structures])('$slug works somewhere', (p) => {
    expect(practiceOf(p)?.structIdNat).toBe(p.structIdNat);
  });

  test('the secretary works in the practice of dr-martin', () => {
    const of = (slug: string) => professionals.find((p) => p.slug === slug)?.structIdNat;
    expect(of('sec-moreau')).toBe(of('dr-martin'));
  });

  test('structures have a FINESS with its key, each its own', () => {
    for (const { structIdNat } of structures) expect(luhn(structIdNat.slice(1))).toBe(true);
    expect(new Set(structures.map((s) => s.structIdNat)).size).toBe(4);
  });
});

function luhn(digits: string): boolean {
  const sum = [...digits].reverse().reduce((total, digit, i) => {
    const value = Number(digit) * (i % 2 === 0 ? 1 : 2);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}
