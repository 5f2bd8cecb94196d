import { type Submission, type VisibilityCode, visibilityOf } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { isLotSignature } from './lot-signature.ts';

/**
 * A signature of the lot names every document of it: from whom one of them is hidden, the signature is hidden too. DMP TD2.1, signature du
 * lot: it bears MASQUE_PS and INVISIBLE_PATIENT.
 */
export function signatureHidden({ entries }: Submission): Problem[] {
  const signed = entries.filter((entry) => !isLotSignature(entry));
  const hiding = new Set(signed.flatMap(({ confidentialityCodes = [] }) => visibilityOf(confidentialityCodes)));
  return entries.filter(isLotSignature).flatMap(({ id, confidentialityCodes = [] }) => {
    const codes = visibilityOf(confidentialityCodes);
    const missing = [...hiding].filter((code) => !codes.some((one) => hidesAs(one, code)));
    if (missing.length === 0) return [];
    const detail = `it names a document that is hidden by ${missing.join(', ')}, and is to be hidden so too`;
    return [problem('visibilityNotAllowed', { object: id, value: codes.join(', ') || 'N', detail })];
  });
}

/** Representatives see nothing that is hidden from the patient. */
function hidesAs(one: VisibilityCode, code: VisibilityCode): boolean {
  return one === code || (one === 'INVISIBLE_PATIENT' && code === 'INVISIBLE_REPRESENTANTS_LEGAUX');
}
