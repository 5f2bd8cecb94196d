import type { AssociationType, Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { resolve } from './ends.ts';
import type { RegistryFacts } from './facts.ts';

const needApproved: readonly (AssociationType | undefined)[] = ['RPLC', 'XFRM', 'APND', 'XFRM_RPLC', 'IsSnapshotOf'];

/**
 * What is replaced, transformed, appended to, persisted, or put in or into a folder is current.
 * IHE ITI TF-2 3.42.4.1.3 (XDSRegistryDeprecatedDocumentError).
 */
export function targetsApproved(submission: Submission, facts: RegistryFacts): Problem[] {
  return resolve(submission, facts).flatMap(({ association: { id: object, type }, source, target }) => {
    const problems: Problem[] = [];
    const ofFolder = type === 'HasMember' && (source?.kind === 'folder' || source?.kind === 'registeredFolder');
    if (target?.kind === 'registeredEntry' && (ofFolder || needApproved.includes(type))) {
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
