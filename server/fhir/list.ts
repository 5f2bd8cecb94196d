import type { List } from 'fhir/r4.js';
import type { Association } from '../domain/document.ts';
import { problem, refuse } from '../domain/error.ts';
import { isUuid } from '../domain/identifier.ts';
import type { Found } from '../usecases/query.ts';
import { getPackage } from '../usecases/query-contents.ts';
import { unknownUnlessNamed } from './concealment.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { idOf } from './map/document-reference.ts';
import { folderOf, type Member, submissionSetOf } from './map/list.ts';

const type = 'List';

/** A submission set or a folder, with those members that exist for the caller. IHE MHD, mapping of XDSSubmissionSet and XDSFolder. */
async function read({ tools, request, id }: Exchange): Promise<Answer> {
  const unknown = { value: `${type}/${id}` };
  const name = `urn:uuid:${id}`;
  if (!isUuid(name)) refuse('resourceUnknown', unknown);
  const list = listOf(await getPackage(tools, request, { name, query: `${type}/${id}` }), name);
  if (list === undefined) return { refused: [problem('resourceUnknown', unknown)] };
  return { body: JSON.stringify({ ...list, id }), headers: { ETag: `W/"${list.meta?.versionId ?? 1}"` } };
}

function listOf(found: Found, name: string): List | undefined {
  const [stored] = found.sets;
  if (stored !== undefined) {
    const { set, record } = stored;
    return submissionSetOf(set, membersOf(found, set.entryUUID), `Patient/${record}`);
  }
  const held = found.folders.find(({ folder }) => folder.logicalID === name);
  return held && folderOf(held.folder, membersOf(found, held.folder.entryUUID), `Patient/${held.record}`);
}

function membersOf({ documents, folders, sets, associations }: Found, source: string): Member[] {
  const places = new Map([
    ...documents.map(({ entry }) => [entry.entryUUID, `DocumentReference/${idOf(entry.logicalID)}`] as const),
    ...folders.map(({ folder }) => [folder.entryUUID, `${type}/${idOf(folder.logicalID)}`] as const),
  ]);
  const isOfSet = sets.length > 0;
  return associations
    .filter((association) => association.source === source && association.status === 'approved')
    .flatMap((association: Association): Member[] => {
      const reference = places.get(association.target);
      if (reference === undefined) return [];
      const isDocument = isOfSet && reference.startsWith('DocumentReference/');
      return [{ association, reference, ...(isDocument && { usual: 'Reference' as const }) }];
    });
}

/** The read of a submission set or folder. FHIR R4 http.html#read. */
export const listInteractions: readonly Interaction[] = [
  {
    method: 'GET',
    path: `/${type}/:id`,
    resource: type,
    interaction: 'read',
    transaction: 'read',
    action: 'lookUpDocuments',
    what: 'Read one submission set or folder',
    handle: read,
    told: unknownUnlessNamed(type),
  },
];
