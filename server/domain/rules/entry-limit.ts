import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import type { MessageFacts } from './facts.ts';

/** A submission holds no more entries than this server takes in one transaction. */
export function entryLimit({ entries }: Submission, { entriesPerSubmission }: MessageFacts): Problem[] {
  if (entries.length <= entriesPerSubmission) return [];
  return [problem('tooManyEntries', { value: String(entries.length), detail: String(entriesPerSubmission) })];
}
