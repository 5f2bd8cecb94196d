import { type Problem, Refused } from '../domain/error.ts';
import { removeDocuments } from '../usecases/remove-documents.ts';
import { readDocumentRequests } from './document-requests.ts';
import { writeRegistryResponse } from './errors.ts';
import type { Answer, Exchange, XdsTransaction } from './exchange.ts';
import { action, namespace } from './vocabulary.ts';

/** Remove Documents. IHE RMD 3.86. */
export const iti86: XdsTransaction = {
  name: 'ITI-86',
  requestAction: action.iti86[0],
  responseAction: action.iti86[1],
  packaging: 'soap',
  receiver: 'repository',
  requestRoot: { namespace: namespace.rmd, local: 'RemoveDocumentsRequest' },
  handle,
  refused,
};

/** Documents that cannot be removed are errors of their own. */
async function handle({ tools, request, body }: Exchange): Promise<Answer> {
  const { here, elsewhere } = readDocumentRequests(body, [tools.settings.repositoryUniqueId]);
  try {
    const { removed, problems } = await removeDocuments(
      tools,
      request,
      here.map(({ uniqueId }) => uniqueId),
    );
    const all = [...elsewhere, ...problems];
    const status = removed.length === 0 ? 'failure' : all.length === 0 ? 'success' : 'partialSuccess';
    return { body: writeRegistryResponse(status, all, 'repository') };
  } catch (error) {
    // None of those of this repository: the others are told in the same answer.
    if (elsewhere.length > 0 && error instanceof Refused && error.problems.every(isOfDocument))
      return refused([...elsewhere, ...error.problems]);
    throw error;
  }
}

function isOfDocument({ name }: Problem): boolean {
  return name === 'documentUnknown' || name === 'documentNotRemovable';
}

function refused(problems: readonly Problem[]): Answer {
  return { body: writeRegistryResponse('failure', problems, 'repository') };
}
