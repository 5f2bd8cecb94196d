import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';

/**
 * Where no bytes come along, a stable entry says what and where its document is: hash, size and repositoryUniqueId. IHE ITI TF-3 table 4.3.1-3
 * (Register, Source).
 */
export function registeredContent({ entries }: Submission): Problem[] {
  return entries
    .filter(({ objectType }) => objectType !== 'onDemand')
    .flatMap(({ id, hash, size, repositoryUniqueId }) =>
      Object.entries({ hash, size, repositoryUniqueId })
        .filter(([, value]) => value === undefined)
        .map(([attribute]) => problem('attributeMissing', { attribute, object: id })),
    );
}
