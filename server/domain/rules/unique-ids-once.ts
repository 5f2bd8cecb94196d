import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { repeated } from './repeated.ts';

/** No uniqueId stands twice in a message, whatever the kinds of object. IHE ITI TF-3 table 4.2.4.1-2. */
export function uniqueIdsOnce({ sets, entries, folders }: Submission): Problem[] {
  const all = [...sets, ...entries, ...folders];
  return repeated(all.flatMap(({ uniqueId }) => uniqueId ?? [])).map((value) => {
    const object = all.findLast(({ uniqueId }) => uniqueId === value)?.id;
    return problem('duplicateUniqueIdInMessage', { value, ...(object !== undefined && { object }) });
  });
}
