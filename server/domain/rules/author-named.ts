import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';

/** An author is at least a person, an institution or a telecommunication address. IHE ITI TF-3 4.2.3.1.4. */
export function authorNamed({ sets, entries }: Submission): Problem[] {
  return [...sets, ...entries].flatMap(({ id, authors = [] }) =>
    authors
      .filter((a) => a.person === undefined && a.institutions.length === 0 && a.telecommunications.length === 0)
      .map(() =>
        problem('attributeMissing', {
          attribute: 'authorPerson',
          object: id,
          detail: 'an author needs authorPerson, authorInstitution or authorTelecommunication',
        }),
      ),
  );
}
