import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';

/** A submission has exactly one submission set. IHE ITI TF-3 4.2.1.4. */
export function oneSubmissionSet({ sets }: Submission): Problem[] {
  return sets.length === 1 ? [] : [problem('submissionSetCount', { detail: String(sets.length) })];
}
