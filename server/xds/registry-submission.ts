import type { Request, Tools } from '../usecases/perform.ts';
import { readSubmission } from './ebrim/read.ts';
import { type Location, writeRegistryResponse } from './errors.ts';
import type { XdsTransaction } from './exchange.ts';
import { submittedObjects } from './only-child.ts';
import { namespace } from './vocabulary.ts';

type RegistrySubmission = Pick<XdsTransaction, 'name' | 'synchronous'> & {
  readonly actions: readonly [request: string, response: string];
  readonly submit: (tools: Tools, request: Request, sent: ReturnType<typeof readSubmission>) => Promise<unknown>;
  /** What errors are located at. */
  readonly errorsAt: Location;
};

/**
 * A transaction that submits objects to the registry (lcm:SubmitObjectsRequest): all of them, or none. There is no partial success.
 * IHE ITI TF-2 3.42.4.2.
 */
export function registrySubmission({ actions, submit, errorsAt, ...named }: RegistrySubmission): XdsTransaction {
  const [requestAction, responseAction] = actions;
  return {
    ...named,
    requestAction,
    responseAction,
    packaging: 'soap',
    receiver: 'registry',
    requestRoot: { namespace: namespace.lcm, local: 'SubmitObjectsRequest' },
    async handle({ tools, request, body }) {
      await submit(tools, request, readSubmission(submittedObjects(body)));
      return { body: writeRegistryResponse('success', [], 'registry') };
    },
    refused: (problems) => ({ body: writeRegistryResponse('failure', problems, 'registry', errorsAt) }),
  };
}
