import type { Problem } from '../domain/error.ts';
import { updateRestricted } from '../usecases/update.ts';
import { readSubmission } from './ebrim/read.ts';
import { writeRegistryResponse } from './errors.ts';
import type { Answer, Exchange, XdsTransaction } from './exchange.ts';
import { submittedObjects } from './only-child.ts';
import { action, namespace } from './vocabulary.ts';

/** Restricted Update Document Set. IHE Restricted Metadata Update 3.92. */
export const iti92: XdsTransaction = {
  name: 'ITI-92',
  requestAction: action.iti92[0],
  responseAction: action.iti92[1],
  packaging: 'soap',
  receiver: 'registry',
  requestRoot: { namespace: namespace.lcm, local: 'SubmitObjectsRequest' },
  handle,
  refused,
};

async function handle({ tools, request, body }: Exchange): Promise<Answer> {
  await updateRestricted(tools, request, readSubmission(submittedObjects(body)));
  return { body: writeRegistryResponse('success', [], 'registry') };
}

/** All or nothing; each error is located at its object. IHE Restricted Metadata Update 3.92.4.2. */
function refused(problems: readonly Problem[]): Answer {
  return { body: writeRegistryResponse('failure', problems, 'registry', 'object') };
}
