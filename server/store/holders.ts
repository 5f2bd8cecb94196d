import { daysOf, familiesOf, givensOf, type HolderFilter, plainLetters } from '../domain/demographics.ts';
import type { PatientRecord } from '../domain/record.ts';

/** One family name by which the holder of a record is found, in plain letters, with what else is looked for beside it. */
export type HolderName = {
  readonly family: string;
  /** All given names, each between bars. */
  readonly givens: string;
  /** The first day of the date of birth as a number YYYYMMDD; 0 when unknown. */
  readonly born: number;
  readonly gender: string;
};

/** The names by which a record's holder is found; none once it is destroyed or merged. */
export function holderNames({ state, traits }: PatientRecord): HolderName[] {
  if (state !== 'open' && state !== 'closed') return [];
  const givens = `|${givensOf(traits).map(plainLetters).join('|')}|`;
  const born = dayNumber(daysOf(traits.birthDate)?.from ?? '');
  const families = new Set(familiesOf(traits).map(plainLetters));
  return [...families].map((family) => ({ family, givens, born, gender: traits.gender }));
}

/** A day as a number; 0 for none. */
export function dayNumber(day: string): number {
  return Number(day.replaceAll('-', ''));
}

/** Whether a name passes the filter. */
export function matchesHolder(name: HolderName, { families, givens, born, genders }: HolderFilter): boolean {
  return (
    (families === undefined || families.some((family) => name.family.startsWith(family))) &&
    (givens === undefined || givens.some((given) => name.givens.includes(`|${given}`))) &&
    (genders === undefined || genders.includes(name.gender)) &&
    (born === undefined || name.born !== 0) &&
    (born?.from === undefined || name.born >= dayNumber(born.from)) &&
    (born?.to === undefined || name.born < dayNumber(born.to))
  );
}
