import type { Problem } from '../domain/error.ts';
import { register } from '../usecases/submit.ts';
import { readSubmission } from './ebrim/read.ts';
import { writeRegistryResponse } from './errors.ts';
import type { Answer, Exchange, XdsTransaction } from './exchange.ts';
import { submittedObjects } from './only-child.ts';
import { action, namespace } from './vocabulary.ts';

/** Register Document Set-b. IHE ITI TF-2 3.42. */
export const iti42: XdsTransaction = {
  name: 'ITI-42',
  requestAction: action.iti42[0],
  responseAction: action.iti42[1],
  packaging: 'soap',
  receiver: 'registry',
  requestRoot: { namespace: namespace.lcm, local: 'SubmitObjectsRequest' },
  handle,
  refused,
};

async function handle({ tools, request, body }: Exchange): Promise<Answer> {
  await register(tools, request, readSubmission(submittedObjects(body)));
  return { body: writeRegistryResponse('success', [], 'registry') };
}

/** All or nothing: there is no partial success. IHE ITI TF-2 3.42.4.2. */
function refused(problems: readonly Problem[]): Answer {
  return { body: writeRegistryResponse('failure', problems, 'registry') };
}
