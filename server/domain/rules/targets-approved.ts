import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { resolve } from './ends.ts';
import type { RegistryFacts } from './facts.ts';

/**
 * A registered document that a new association names is current, whatever the association says; so is a folder that receives one.
 * IHE ITI TF-3 4.2.2, TF-2 3.42.4.1.3.4, 3.42.4.1.3.5 (XDSRegistryDeprecatedDocumentError).
 */
export function targetsApproved(submission: Submission, facts: RegistryFacts): Problem[] {
  return resolve(submission, facts).flatMap(({ association: { id: object, type }, source, target }) => {
    const problems: Problem[] = [];
    const ofFolder = type === 'HasMember' && (source?.kind === 'folder' || source?.kind === 'registeredFolder');
    if (target?.kind === 'registeredEntry') {
      const { entryUUID, status } = target.target.entry;
      if (status !== 'approved')
        problems.push(problem('targetDeprecated', { object, value: entryUUID, detail: status }));
    }
    if (ofFolder && source.kind === 'registeredFolder' && source.folder.status !== 'approved')
      problems.push(
        problem('targetDeprecated', { object, value: source.folder.entryUUID, detail: 'the folder is deprecated' }),
      );
    return problems;
  });
}
