import { type Submission, visibilityOf } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import type { MessageFacts } from './facts.ts';
import { isLotSignature } from './lot-signature.ts';

/** In a session secret from legal representatives, documents are hidden from them and from nobody else. DMP, connexion secrète. */
export function secretSession({ entries }: Submission, { caller }: MessageFacts): Problem[] {
  if (!caller.secret) return [];
  return entries
    .filter((entry) => !isLotSignature(entry))
    .flatMap(({ id, confidentialityCodes = [] }) => {
      const codes = visibilityOf(confidentialityCodes);
      if (codes.length === 1 && codes[0] === 'INVISIBLE_REPRESENTANTS_LEGAUX') return [];
      const detail = 'a secret session deposits with INVISIBLE_REPRESENTANTS_LEGAUX alone';
      return [problem('visibilityNotAllowed', { object: id, value: codes.join(', '), detail })];
    });
}
