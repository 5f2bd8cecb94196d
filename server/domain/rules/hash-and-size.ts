import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { type MessageFacts, nameOf } from './facts.ts';

/** hash and size, where sent, are those of the document's bytes; the hash in any case. IHE ITI TF-2 3.41.4.1.3. */
export function hashAndSize({ entries }: Submission, { documents }: MessageFacts): Problem[] {
  const received = new Map(documents.map((document) => [nameOf(document.id), document]));
  return entries.flatMap(({ id, hash, size }) => {
    const document = received.get(nameOf(id));
    if (document === undefined) return [];
    const problems: Problem[] = [];
    if (hash !== undefined && hash.toLowerCase() !== document.sha1)
      problems.push(problem('hashDiffers', { object: id, value: hash, detail: document.sha1 }));
    if (size !== undefined && size !== document.size)
      problems.push(problem('sizeDiffers', { object: id, value: String(size), detail: String(document.size) }));
    return problems;
  });
}
