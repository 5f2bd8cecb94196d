import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { nameOf, type RegistryFacts } from './facts.ts';

/** Nothing is appended to a transformation; the original is what grows. IHE ITI TF-3 4.2.2.2.3. */
export function noAppendToTransform({ associations }: Submission, facts: RegistryFacts): Problem[] {
  const transformed = new Set(
    [...associations, ...facts.associations].flatMap(({ type, source }) =>
      type === 'XFRM' && source !== undefined ? [nameOf(source)] : [],
    ),
  );
  return associations
    .filter(({ type, target }) => type === 'APND' && target !== undefined && transformed.has(nameOf(target)))
    .map(({ id }) => problem('associationInvalid', { object: id, detail: 'a transformation is not appended to' }));
}
