import { type Submission, visibilityOf } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import type { MessageFacts } from './facts.ts';
import { isLotSignature } from './lot-signature.ts';

/** A document is not hidden from professionals and from the patient at once, unless a setting allows it. DMP, EX_2.1-1050. */
export function maskedAndHidden({ entries }: Submission, { regime }: MessageFacts): Problem[] {
  if (regime.maskedAndHiddenTogether) return [];
  return entries
    .filter((entry) => !isLotSignature(entry))
    .filter(({ confidentialityCodes = [] }) => {
      const codes = visibilityOf(confidentialityCodes);
      return codes.includes('MASQUE_PS') && codes.includes('INVISIBLE_PATIENT');
    })
    .map(({ id }) =>
      problem('visibilityNotAllowed', {
        object: id,
        value: 'MASQUE_PS',
        detail: 'together with INVISIBLE_PATIENT nobody but its author would see it',
      }),
    );
}
