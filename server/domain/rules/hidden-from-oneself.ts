import { type Submission, visibilityOf } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import type { MessageFacts } from './facts.ts';

/** The patient hides nothing from himself, nor do representatives from themselves or from the patient. DMP, visibility codes. */
export function hiddenFromOneself({ entries }: Submission, { caller: { actor } }: MessageFacts): Problem[] {
  if (actor.kind !== 'patient' && actor.kind !== 'representative') return [];
  const refused =
    actor.kind === 'patient' ? ['INVISIBLE_PATIENT'] : ['INVISIBLE_PATIENT', 'INVISIBLE_REPRESENTANTS_LEGAUX'];
  return entries.flatMap(({ id, confidentialityCodes = [] }) =>
    visibilityOf(confidentialityCodes)
      .filter((code) => refused.includes(code))
      .map((value) =>
        problem('visibilityNotAllowed', { object: id, value, detail: 'it would hide the document from its depositor' }),
      ),
  );
}
