import type { StoredDocument } from '../store/port.ts';
import type { Request, Tools } from './perform.ts';
import { lookUp, nothing, type Sought } from './query.ts';
import { type Relations, relationsOf } from './relations.ts';

/**
 * Every state of a document, newest first: its versions and the statuses that they had; and how they relate to others now. Whoever may not see it
 * as it is now sees none.
 * @throws Refused as `lookUp`
 */
export async function documentHistory(
  tools: Tools,
  request: Request,
  logicalID: string,
): Promise<{ readonly states: readonly StoredDocument[]; readonly relations: Relations }> {
  const question = { query: `history of ${logicalID}` };
  const sought: Sought = { names: [{ by: 'logicalID', values: [logicalID] }], versions: 'latest' };
  let relations: Relations = new Map();
  const { documents } = await lookUp(tools, request, question, sought, async (permit) => {
    const states = await tools.store.read.history(permit, [logicalID]);
    relations = await relationsOf(tools, permit, states);
    return { ...nothing, documents: states };
  });
  return { states: documents, relations };
}
