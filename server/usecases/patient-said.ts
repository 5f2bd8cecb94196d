import type { RecordFacts } from '../domain/decision.ts';
import { type Problem, problem } from '../domain/error.ts';
import { differing } from '../domain/stated-traits.ts';

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
  return said.flatMap(({ expression, family, ...sent }) => {
    const values = { name: family, ...sent };
    return differing({ families: family === undefined ? [] : [family], ...sent }, facts.record.traits).map(
      (attribute) =>
        problem('attributesContradict', {
          attribute,
          value: values[attribute] ?? '',
          expression: `${expression}.${attribute}`,
          detail: 'the record of that identifier is of another person',
        }),
    );
  });
}
