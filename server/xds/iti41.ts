import { withStatedTraits } from '../cda/stated-traits.ts';
import type { Problem } from '../domain/error.ts';
import { withManifests } from '../dsg/lot-manifest.ts';
import { submit } from '../usecases/submit.ts';
import { readSubmission } from './ebrim/read.ts';
import { readId } from './ebrim/registry-object.ts';
import { writeRegistryResponse } from './errors.ts';
import type { Answer, Exchange, XdsTransaction } from './exchange.ts';
import { onlyChild, submittedObjects } from './only-child.ts';
import { action, namespace } from './vocabulary.ts';

/** Provide and Register Document Set-b. IHE ITI TF-2 3.41. */
export const iti41: XdsTransaction = {
  name: 'ITI-41',
  requestAction: action.iti41[0],
  responseAction: action.iti41[1],
  packaging: 'mtom',
  receiver: 'repository',
  requestRoot: { namespace: namespace.xds, local: 'ProvideAndRegisterDocumentSetRequest' },
  handle,
  refused,
};

async function handle({ tools, request, body, documents }: Exchange): Promise<Answer> {
  const { submission, problems } = readSubmission(submittedObjects(onlyChild(body, 'lcm', 'SubmitObjectsRequest')));
  const received = (await documents()).map((document) => ({ ...document, id: readId(document.id) }));
  const deposit = await withManifests({ submission, documents: received, problems });
  const { warnings } = await submit(tools, request, await withStatedTraits(deposit, tools.settings.regime));
  return { body: writeRegistryResponse('success', warnings, 'repository') };
}

/** All or nothing: there is no partial success. IHE ITI TF-2 3.41.4.2. */
function refused(problems: readonly Problem[]): Answer {
  return { body: writeRegistryResponse('failure', problems, 'repository') };
}
