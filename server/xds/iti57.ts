import type { Problem } from '../domain/error.ts';
import { update } from '../usecases/update.ts';
import { readSubmission } from './ebrim/read.ts';
import { writeRegistryResponse } from './errors.ts';
import type { Answer, Exchange, XdsTransaction } from './exchange.ts';
import { submittedObjects } from './only-child.ts';
import { action, namespace } from './vocabulary.ts';

/** Update Document Set, which is synchronous alone. IHE Metadata Update 3.57. */
export const iti57: XdsTransaction = {
  name: 'ITI-57',
  requestAction: action.iti57[0],
  responseAction: action.iti57[1],
  packaging: 'soap',
  receiver: 'registry',
  synchronous: true,
  requestRoot: { namespace: namespace.lcm, local: 'SubmitObjectsRequest' },
  handle,
  refused,
};

async function handle({ tools, request, body }: Exchange): Promise<Answer> {
  await update(tools, request, readSubmission(submittedObjects(body)));
  return { body: writeRegistryResponse('success', [], 'registry') };
}

/** All or nothing; each error is located at its object. IHE Metadata Update 3.57.4.2. */
function refused(problems: readonly Problem[]): Answer {
  return { body: writeRegistryResponse('failure', problems, 'registry', 'object') };
}
