import { daysOf, familiesOf, givensOf, type HolderFilter, plainLetters } from './demographics.ts';
import type { PatientRecord, Traits } from './record.ts';

/** How sure a match is. FHIR R4, extension match-grade. */
export type Grade = 'certain' | 'probable' | 'possible';

/** A record whose holder may be the person. */
export type Candidate = { readonly record: PatientRecord; readonly position: number };

export type Match = { readonly record: PatientRecord; readonly score: number; readonly grade: Grade };

/** What each trait says of who somebody is, of 1 in all. */
const weights = { family: 0.3, given: 0.2, birthDate: 0.3, gender: 0.1, birthPlace: 0.1 } as const;
type Weighed = keyof typeof weights;
const weighed: readonly Weighed[] = ['family', 'given', 'birthDate', 'gender', 'birthPlace'];

const least = 0.5;
const likely = 0.85;

/**
 * Where namesakes are to be looked for: of the same family, born within a year of it; and born on the same day with the same given name.
 * None when too little is told: two of family, given, birthDate and gender, family or birthDate among them.
 */
export function namesakesOf({ family = '', given = '', birthDate = '', gender }: Partial<Traits>): HolderFilter[] {
  const [families, givens] = [plainLetters(family), plainLetters(given)];
  const born = daysOf(birthDate);
  const said = [families, givens, birthDate].filter((text) => text !== '').length + (gender === undefined ? 0 : 1);
  if (said < 2) return [];
  const near = born && { from: newYear(born.from, -1), to: newYear(born.to, 2) };
  const others = { ...(givens !== '' && { givens: [givens] }), ...(gender && { genders: [gender, 'unknown'] }) };
  const ofFamily: HolderFilter[] =
    families === '' ? [] : [near ? { families: [families], born: near } : { families: [families], ...others }];
  return born === undefined ? ofFamily : [...ofFamily, { born, ...others }];
}

function newYear(day: string, years: number): string {
  return `${String(Number(day.slice(0, 4)) + years).padStart(4, '0')}-01-01`;
}

/**
 * The candidates who may be the person, the likeliest first. Certain is who agrees alone in family and given name of birth, sex and whole date
 * of birth, and not against the place of birth. Référentiel INS, traits stricts.
 */
export function graded(asked: Partial<Traits>, candidates: readonly Candidate[]): Match[] {
  const scored = candidates.map(({ record }) => ({ record, score: scoreOf(asked, record.traits) }));
  const exact = scored.filter(({ record }) => isStrictlySame(asked, record.traits));
  return scored
    .filter(({ score }) => score >= least)
    .sort((a, b) => b.score - a.score)
    .map(({ record, score }) => ({
      record,
      score,
      grade: exact.length === 1 && exact[0]?.record === record ? 'certain' : score >= likely ? 'probable' : 'possible',
    }));
}

/** How much of what is asked agrees, from 0 to 1 with two decimals; what is not known of the holder counts neither way. */
function scoreOf(asked: Partial<Traits>, held: Traits): number {
  let [agreed, all] = [0, 0];
  for (const trait of weighed) {
    const agreement = agreementOf(trait, asked, held);
    if (agreement === undefined) continue;
    agreed += weights[trait] * agreement;
    all += weights[trait];
  }
  return all === 0 ? 0 : Math.round((agreed / all) * 100) / 100;
}

function agreementOf(trait: Weighed, asked: Partial<Traits>, held: Traits): number | undefined {
  const [wanted, known] = [asked[trait], held[trait]];
  if (wanted === undefined || wanted === '' || known === undefined || known === '' || known === 'unknown')
    return undefined;
  if (trait === 'family') return nameAgreement(wanted, familiesOf(held));
  if (trait === 'given') return nameAgreement(wanted, givensOf(held));
  if (trait === 'birthDate') return dateAgreement(wanted, known);
  return wanted === known ? 1 : 0;
}

/** Whole, or half where one begins with the other. */
function nameAgreement(wanted: string, held: readonly string[]): number {
  const asked = plainLetters(wanted);
  const names = held.map(plainLetters);
  if (names.includes(asked)) return 1;
  return asked !== '' && names.some((name) => name.startsWith(asked) || asked.startsWith(name)) ? 0.5 : 0;
}

/** Whole; half for a date that the other one completes, day and month changed round, or one of the three parts another. */
function dateAgreement(wanted: string, held: string): number {
  if (wanted === held) return 1;
  if (held.startsWith(wanted) || wanted.startsWith(held)) return 0.5;
  const [a, b] = [wanted.split('-'), held.split('-')];
  if (a.length < 3 || b.length < 3) return 0;
  const isTurned = a[0] === b[0] && a[1] === b[2] && a[2] === b[1];
  return isTurned || a.filter((part, i) => part === b[i]).length === 2 ? 0.5 : 0;
}

function isStrictlySame(asked: Partial<Traits>, held: Traits): boolean {
  const strict = [
    plainLetters(asked.family ?? '') === plainLetters(held.family),
    plainLetters(asked.given ?? '') === plainLetters(held.given),
    asked.birthDate?.length === 10 && asked.birthDate === held.birthDate,
    asked.gender !== undefined && asked.gender !== 'unknown' && asked.gender === held.gender,
    agreementOf('birthPlace', asked, held) !== 0,
  ];
  return strict.every(Boolean);
}
