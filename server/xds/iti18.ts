import { type Problem, Refused, refuse } from '../domain/error.ts';
import type { Request, Tools } from '../usecases/perform.ts';
import { type Find, type Found, findDocuments, getDocuments, nothing } from '../usecases/query.ts';
import { getFolderAndContents, getSubmissionSetAndContents } from '../usecases/query-contents.ts';
import { findAll, findFolders, findSubmissionSets } from '../usecases/query-find.ts';
import {
  getAssociations,
  getDocumentsAndAssociations,
  getFolders,
  getFoldersForDocument,
  getRelatedDocuments,
  getSubmissionSets,
} from '../usecases/query-get.ts';
import { attributeOf, childrenOf, type XmlElement } from '../xml/element.ts';
import { encode, piecesOf } from './answer.ts';
import { writeAssociation, writeFolder, writeObjectRef, writeSubmissionSet } from './ebrim/write.ts';
import { writtenDocument } from './ebrim/written.ts';
import { writeErrorList } from './errors.ts';
import type { Answer, Exchange, Written, XdsTransaction } from './exchange.ts';
import { type RegistryQuery, readQuery } from './queries.ts';
import { action, namespace, responseStatus } from './vocabulary.ts';

/** Registry Stored Query. IHE ITI TF-2 3.18. */
export const iti18: XdsTransaction = {
  name: 'ITI-18',
  requestAction: action.iti18[0],
  responseAction: action.iti18[1],
  packaging: 'soap',
  receiver: 'registry',
  requestRoot: { namespace: namespace.query, local: 'AdhocQueryRequest' },
  handle,
  refused,
};

type ReturnType = 'LeafClass' | 'ObjectRef';

/**
 * Reads a query:AdhocQueryRequest. References may be asked for in any number: it is how large answers are read in slices.
 * @throws Refused queryReturnType, queryUnknown without any query, queryParameterRepeated with two
 */
export function readQueryRequest(
  body: XmlElement,
  { limits }: Tools['settings'],
): { readonly returnType: ReturnType; readonly element: XmlElement; readonly limit: { readonly limit?: number } } {
  const [option, another] = childrenOf(body, namespace.query, 'ResponseOption');
  if (another !== undefined) refuse('queryParameterRepeated', { attribute: 'query:ResponseOption' });
  const returnType = option && attributeOf(option, 'returnType')?.trim();
  if (returnType !== 'LeafClass' && returnType !== 'ObjectRef')
    refuse('queryReturnType', returnType === undefined ? {} : { value: returnType });
  const [element, more] = childrenOf(body, namespace.rim, 'AdhocQuery');
  if (more !== undefined) refuse('queryParameterRepeated', { attribute: 'rim:AdhocQuery' });
  if (element === undefined) refuse('queryUnknown', { detail: 'no rim:AdhocQuery' });
  return { returnType, element, limit: returnType === 'LeafClass' ? { limit: limits.results } : {} };
}

/** The answer to a query that was done. */
export function answered(found: Found, returnType: ReturnType): Answer {
  return { body: response('success', '', objects(found, returnType)) };
}

async function handle({ tools, request, body }: Exchange): Promise<Answer> {
  const { returnType, element, limit } = readQueryRequest(body, tools.settings);
  const query = readQuery(element, { namesPatient: request.caller.patient !== undefined });
  const { meanwhile, answerTo } = writingAhead((found) => answered(found, returnType));
  try {
    return answerTo(await find(tools, request, { ...query, ...limit, meanwhile }));
  } catch (error) {
    // Where the domain wants it so, an unknown patient has no objects. IHE ITI TF-2 3.18.4.1.2.6.
    const isUnknown = error instanceof Refused && error.problems.every(({ name }) => name === 'unknownPatient');
    if (isUnknown && tools.settings.domain.unknownPatientInQueries === 'empty') return answered(nothing, returnType);
    throw error;
  }
}

/** What a search finds is written while its event is: `answerTo` has that answer, where nothing else was found in the end. */
function writingAhead(write: (found: Found) => Answer) {
  let done: { readonly found: Found; readonly answer: Answer } | undefined;
  return {
    meanwhile: (found: Found): void => {
      done = { found, answer: encoded(write(found)) };
    },
    answerTo: (found: Found): Answer =>
      done !== undefined && kinds.every((kind) => found[kind] === done?.found[kind]) ? done.answer : write(found),
  };
}

const kinds = ['documents', 'sets', 'folders', 'associations'] as const satisfies readonly (keyof Found)[];

/** In bytes, where more is to be encoded than the frame of the answer. */
function encoded({ body }: Answer): Answer {
  const pieces = piecesOf(body);
  const isEncoded = pieces.slice(1, -1).every((piece) => typeof piece !== 'string');
  return { body: isEncoded ? body : [encode(pieces)] };
}

async function find(
  tools: Tools,
  request: Request,
  query: RegistryQuery & Pick<Find, 'limit' | 'meanwhile'>,
): Promise<Found> {
  switch (query.kind) {
    case 'findDocuments':
      return { ...nothing, documents: await findDocuments(tools, request, query) };
    case 'findSubmissionSets':
      return findSubmissionSets(tools, request, query);
    case 'findFolders':
      return findFolders(tools, request, query);
    case 'findAll':
      return findAll(tools, request, query);
    case 'getDocuments':
      return { ...nothing, documents: await getDocuments(tools, request, query) };
    case 'getFolders':
      return getFolders(tools, request, query);
    case 'getAssociations':
      return getAssociations(tools, request, query);
    case 'getDocumentsAndAssociations':
      return getDocumentsAndAssociations(tools, request, query);
    case 'getSubmissionSets':
      return getSubmissionSets(tools, request, query);
    case 'getSubmissionSetAndContents':
      return getSubmissionSetAndContents(tools, request, query);
    case 'getFolderAndContents':
      return getFolderAndContents(tools, request, query);
    case 'getFoldersForDocument':
      return getFoldersForDocument(tools, request, query);
    case 'getRelatedDocuments':
      return getRelatedDocuments(tools, request, query);
  }
}

/** On Failure the list of objects is there and empty, as the schema asks. IHE ITI TF-3 4.2.4. */
export function refused(problems: readonly Problem[]): Answer {
  return { body: response('failure', writeErrorList(problems, 'registry'), []) };
}

function objects({ documents, sets, folders, associations }: Found, returnType: ReturnType): (string | Uint8Array)[] {
  const whole = returnType === 'LeafClass';
  return [
    ...sets.map(({ set }) => (whole ? writeSubmissionSet(set) : writeObjectRef(set.entryUUID))),
    ...documents.map((document) => (whole ? writtenDocument(document) : writeObjectRef(document.entry.entryUUID))),
    ...folders.map(({ folder }) => (whole ? writeFolder(folder) : writeObjectRef(folder.entryUUID))),
    ...associations.map((one) => (whole ? writeAssociation(one) : writeObjectRef(one.entryUUID))),
  ];
}

function response(
  status: keyof typeof responseStatus,
  errors: string,
  list: readonly (string | Uint8Array)[],
): Written {
  return [
    `<query:AdhocQueryResponse xmlns:query="${namespace.query}" xmlns:rs="${namespace.rs}" xmlns:rim="${namespace.rim}"` +
      ` status="${responseStatus[status]}">${errors}<rim:RegistryObjectList>`,
    ...list,
    '</rim:RegistryObjectList></query:AdhocQueryResponse>',
  ];
}
