import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';

/** Documents are provided for stable entries alone. IHE ITI TF-2 3.41.4.1.2. */
export function stableEntries({ entries }: Submission): Problem[] {
  return entries
    .filter(({ objectType }) => objectType === 'onDemand')
    .map(({ id }) => problem('objectTypeNotHere', { object: id }));
}
