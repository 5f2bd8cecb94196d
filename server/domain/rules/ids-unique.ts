import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { nameOf } from './facts.ts';
import { repeated } from './repeated.ts';

/** Each id names one object of the message. ebRIM 3.0 (Identifiable/@id). */
export function idsUnique({ sets, entries, folders, associations }: Submission): Problem[] {
  const names = [...sets, ...entries, ...folders, ...associations].map(({ id }) => nameOf(id));
  return repeated(names).map((value) => problem('duplicateId', { object: value, value }));
}
