import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import type { MessageFacts } from './facts.ts';

/** Documents have a media type that the domain exchanges; its parameters do not matter. IHE ITI TF-3 4.2.3.2.14. */
export function mimeTypes({ entries }: Submission, { domain }: MessageFacts): Problem[] {
  const { mimeTypes: allowed } = domain;
  if (allowed === 'any') return [];
  return entries.flatMap(({ id, mimeType }) => {
    if (mimeType === undefined || allowed.includes(mimeType.replace(/\s*;.*$/s, '').toLowerCase())) return [];
    const detail = `this domain exchanges ${allowed.join(', ')}`;
    return [problem('codeNotAllowed', { attribute: 'mimeType', object: id, value: mimeType, detail })];
  });
}
