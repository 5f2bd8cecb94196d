import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { type MessageFacts, nameOf } from './facts.ts';
import { repeated } from './repeated.ts';

/** Every stable entry has one document in the message and every document its entry. IHE ITI TF-2 3.41.4.1.2. */
export function documentsAndEntries({ entries }: Submission, { documents }: MessageFacts): Problem[] {
  const sent = documents.map(({ id }) => nameOf(id));
  const known = new Set(sent);
  const asked = new Set(entries.map(({ id }) => nameOf(id)));
  return [
    ...entries
      .filter(({ id, objectType }) => objectType !== 'onDemand' && !known.has(nameOf(id)))
      .map(({ id }) => problem('documentMissing', { object: id })),
    ...documents
      .filter(({ id }) => !asked.has(nameOf(id)))
      .map(({ id }) => problem('documentWithoutMetadata', { object: id })),
    ...repeated(sent).map((value) => problem('duplicateId', { value })),
  ];
}
