import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import type { MessageFacts } from './facts.ts';
import { isLotSignature } from './lot-signature.ts';

/** Where a setting asks for it, a set with documents comes with a signature document of its own. DMP TD2.1, signature du lot. */
export function lotSigned({ sets, entries }: Submission, { regime }: MessageFacts): Problem[] {
  if (!regime.lotSignatureRequired || entries.length === 0 || entries.some(isLotSignature)) return [];
  return sets.map(({ id, uniqueId }) =>
    problem('lotSignatureMissing', { object: id, ...(uniqueId !== undefined && { value: uniqueId }) }),
  );
}
