import type { Problem } from '../domain/error.ts';
import { registerOnDemand } from '../usecases/submit.ts';
import { readSubmission } from './ebrim/read.ts';
import { writeRegistryResponse } from './errors.ts';
import type { Answer, Exchange, XdsTransaction } from './exchange.ts';
import { submittedObjects } from './only-child.ts';
import { action, namespace } from './vocabulary.ts';

/** Register On-Demand Document Entry. IHE ITI TF-2 3.61. */
export const iti61: XdsTransaction = {
  name: 'ITI-61',
  requestAction: action.iti61[0],
  responseAction: action.iti61[1],
  packaging: 'soap',
  receiver: 'registry',
  requestRoot: { namespace: namespace.lcm, local: 'SubmitObjectsRequest' },
  handle,
  refused,
};

async function handle({ tools, request, body }: Exchange): Promise<Answer> {
  await registerOnDemand(tools, request, readSubmission(submittedObjects(body)));
  return { body: writeRegistryResponse('success', [], 'registry') };
}

/** All or nothing: there is no partial success. */
function refused(problems: readonly Problem[]): Answer {
  return { body: writeRegistryResponse('failure', problems, 'registry') };
}
