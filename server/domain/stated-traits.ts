import type { EntryDraft, Submission } from './document.ts';
import { type Problem, problem } from './error.ts';
import type { Traits } from './record.ts';

/** What is said of a person: family names as they were sent, date of birth and gender as FHIR writes them. */
export type Said = {
  readonly families: readonly string[];
  readonly birthDate?: string;
  readonly gender?: string;
};

/** What a document, or its metadata, says of the patient. */
export type StatedTraits = Said & {
  readonly object: string;
  readonly attribute: 'recordTarget' | 'sourcePatientInfo';
};

/** In what it is another person than the one whose traits these are, as far as both are known. */
export function differing(said: Said, held: Traits): readonly ('name' | 'birthDate' | 'gender')[] {
  const names = said.families.map(lettersOf).filter((name) => name !== '');
  const known = [held.family, held.usedFamily ?? ''].map(lettersOf).filter((name) => name !== '');
  const { birthDate = '', gender = '' } = said;
  return [
    ...(names.length === 0 || known.length === 0 || names.some((name) => known.includes(name))
      ? []
      : ['name' as const]),
    ...(held.birthDate === '' || held.birthDate.startsWith(birthDate) ? [] : ['birthDate' as const]),
    ...(isSexed(gender) && isSexed(held.gender) && gender !== held.gender ? ['gender' as const] : []),
  ];
}

/**
 * Where PID lines and headers of a submission tell of another person than the record's holder. In what is not said: whoever deposits learns
 * nothing of the holder. Access policy, changes (deposit).
 */
export function traitsProblems(
  { entries }: Submission,
  stated: readonly StatedTraits[],
  held: Traits | undefined,
): Problem[] {
  if (held === undefined) return [];
  return [...entries.map(ofPidLines), ...stated]
    .filter((one) => differing(one, held).length > 0)
    .map(({ object, attribute }) => problem('traitsDiffer', { object, attribute }));
}

/** IHE ITI TF-3 4.2.3.2.23: PID-5 names, PID-7 YYYYMMDD, PID-8 M or F. */
function ofPidLines({ id, sourcePatientInfo = [] }: EntryDraft): StatedTraits {
  const valuesOf = (field: number) =>
    sourcePatientInfo.filter((line) => line.field === field).flatMap(({ value }) => value.split('~'));
  const [birth = ''] = valuesOf(7);
  const [sex = ''] = valuesOf(8);
  return {
    object: id,
    attribute: 'sourcePatientInfo',
    families: valuesOf(5).map((name) => /^[^^&]*/.exec(name)?.[0] ?? ''),
    ...traitsOfV3(birth, sex),
  };
}

/** A date of HL7 (YYYYMMDD) and a gender M or F as FHIR writes them; a date that is not whole, and any other gender, say nothing. */
export function traitsOfV3(birth: string, sex: string): Pick<Said, 'birthDate' | 'gender'> {
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)/.exec(birth) ?? [];
  const gender = new Map([
    ['M', 'male'],
    ['F', 'female'],
  ]).get(sex);
  return {
    ...(year !== undefined && { birthDate: `${year}-${month}-${day}` }),
    ...(gender !== undefined && { gender }),
  };
}

function isSexed(gender: string): gender is 'male' | 'female' {
  return gender === 'male' || gender === 'female';
}

/** Letters alone, in capitals and without accents. */
function lettersOf(name: string): string {
  return name
    .normalize('NFD')
    .replace(/[^\p{L}]/gu, '')
    .toUpperCase();
}
