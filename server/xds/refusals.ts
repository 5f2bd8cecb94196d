import type { Action } from '../domain/action.ts';
import { type Problem, problem, Refused } from '../domain/error.ts';
import { StoreBusy, StoreFull, StoreStopped } from '../store/port.ts';
import { isTraced, type Request, type Tools, traceFailure } from '../usecases/perform.ts';
import { XmlRejected } from '../xml/read.ts';
import type { XdsTransaction } from './exchange.ts';

/**
 * The problems that the transaction answers with. A refusal that the use cases did not see (the reading failed) is traced here.
 * @throws what is no refusal
 */
export async function accountFor(
  tools: Tools,
  request: Request,
  transaction: XdsTransaction,
  error: unknown,
): Promise<readonly Problem[]> {
  const problems = problemsOf(error);
  if (problems === undefined) throw error;
  if (error instanceof Refused && isTraced(error)) return problems;
  try {
    await traceFailure(tools, request, actions[transaction.name], problems);
    return problems;
  } catch (failure) {
    if (failure instanceof Refused) return failure.problems;
    // A store that is full cannot take the event of its being full.
    if (!(error instanceof Refused)) return problems;
    throw failure;
  }
}

const actions = {
  'ITI-18': 'searchDocuments',
  'ITI-41': 'submitDocuments',
  'ITI-42': 'registerDocuments',
  'ITI-43': 'retrieveDocuments',
  'ITI-44': 'feedIdentities',
  'ITI-51': 'queryAcrossPatients',
  'ITI-57': 'updateDocument',
  'ITI-61': 'registerOnDemand',
  'ITI-62': 'removeDocuments',
  'ITI-86': 'removeDocuments',
  'ITI-92': 'restrictedUpdate',
} as const satisfies Record<XdsTransaction['name'], Action>;

/** What an error tells the caller; undefined for a fault of ours. */
export function problemsOf(error: unknown): readonly Problem[] | undefined {
  if (error instanceof Refused) return error.problems;
  if (error instanceof XmlRejected) return [problem(error.problem, { detail: error.detail })];
  if (error instanceof StoreBusy || error instanceof StoreStopped) return [problem('busy')];
  if (error instanceof StoreFull) return [problem('outOfResources')];
  return undefined;
}
