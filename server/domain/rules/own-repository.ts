import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import type { MessageFacts } from './facts.ts';

/** Documents lie in this repository, unless the domain registers those of others too. IHE ITI TF-3 4.2.3.2.18. */
export function ownRepository({ entries }: Submission, { domain, repositoryUniqueId: own }: MessageFacts): Problem[] {
  if (domain.foreignRepositories.includes('ITI-42')) return [];
  return entries.flatMap(({ id, repositoryUniqueId: value }) => {
    if (value === undefined || value === own) return [];
    const detail = 'documents of other repositories are not registered in this domain';
    return [problem('attributeForbidden', { attribute: 'repositoryUniqueId', object: id, value, detail })];
  });
}
