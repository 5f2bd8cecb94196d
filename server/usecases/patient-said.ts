import type { RecordFacts } from '../domain/decision.ts';
import { type Problem, problem } from '../domain/error.ts';

/** What a message says of the patient: names as they were sent, dates and genders as FHIR writes them. */
export type PatientSaid = {
  readonly expression: string;
  readonly family?: string;
  readonly birthDate?: string;
  readonly gender?: string;
};

/** The message and the record know the same person. IHE MHD 2:3.65.4.1.3. */
export function patientProblems(said: readonly PatientSaid[] = [], facts: RecordFacts | undefined): Problem[] {
  if (facts === undefined) return [];
  const { family, usedFamily, birthDate, gender } = facts.record.traits;
  const families = [family, usedFamily].flatMap((name) => (name === undefined || name === '' ? [] : [plain(name)]));
  return said.flatMap(({ expression, ...sent }) => {
    const differs = (attribute: string, value: string) =>
      problem('attributesContradict', {
        attribute,
        value,
        expression: `${expression}.${attribute}`,
        detail: 'the record of that identifier is of another person',
      });
    return [
      ...(sent.family === undefined || families.length === 0 || families.includes(plain(sent.family))
        ? []
        : [differs('name', sent.family)]),
      ...(sent.birthDate === undefined || birthDate.startsWith(sent.birthDate) || birthDate === ''
        ? []
        : [differs('birthDate', sent.birthDate)]),
      ...(isSexed(sent.gender) && isSexed(gender) && sent.gender !== gender ? [differs('gender', sent.gender)] : []),
    ];
  });
}

function isSexed(gender: string | undefined): gender is 'male' | 'female' {
  return gender === 'male' || gender === 'female';
}

/** Letters alone, in capitals and without accents. */
function plain(name: string): string {
  return name
    .normalize('NFD')
    .replace(/[^\p{L}]/gu, '')
    .toUpperCase();
}
