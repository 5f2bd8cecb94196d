import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import type { MessageFacts } from './facts.ts';

/** repositoryUniqueId names a source that can be called, unless the domain registers those of others too. IHE ITI TF-2 3.61.4.1.2. */
export function knownSource({ entries }: Submission, { domain, sources }: MessageFacts): Problem[] {
  if (domain.foreignRepositories.includes('ITI-61')) return [];
  return entries.flatMap(({ id, repositoryUniqueId: value }) => {
    if (value === undefined || sources.includes(value)) return [];
    const detail = 'no On-Demand Document Source of that name is configured';
    return [problem('attributeForbidden', { attribute: 'repositoryUniqueId', object: id, value, detail })];
  });
}
