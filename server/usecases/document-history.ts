import type { StoredDocument } from '../store/port.ts';
import type { Request, Tools } from './perform.ts';
import { lookUp, nothing } from './query.ts';

/**
 * Every state of a document, newest first: its versions and the statuses that they had. Whoever may not see it as it is now sees none.
 * @throws Refused as `lookUp`
 */
export async function documentHistory(
  tools: Tools,
  request: Request,
  logicalID: string,
): Promise<readonly StoredDocument[]> {
  const question = { query: `history of ${logicalID}` };
  const found = await lookUp(tools, request, question, [logicalID], async (permit) => ({
    ...nothing,
    documents: await tools.store.read.history(permit, [logicalID]),
  }));
  return found.documents;
}
