import { type Problem, problem, Refused } from '../domain/error.ts';
import { type RetrievedDocument, retrieve } from '../usecases/retrieve.ts';
import { escapeText } from '../xml/write.ts';
import { type DocumentRequest, readDocumentRequests } from './document-requests.ts';
import { writeRegistryResponse } from './errors.ts';
import type { Answer, AnswerPart, Exchange, XdsTransaction } from './exchange.ts';
import { action, namespace, type responseStatus } from './vocabulary.ts';

const { xds, xop } = namespace;

/** Retrieve Document Set. IHE ITI TF-2 3.43. */
export const iti43: XdsTransaction = {
  name: 'ITI-43',
  requestAction: action.iti43[0],
  responseAction: action.iti43[1],
  packaging: 'mtom',
  receiver: 'repository',
  requestRoot: { namespace: xds, local: 'RetrieveDocumentSetRequest' },
  handle,
  refused,
};

/** Documents that cannot be had are errors of their own; a document asked for twice is answered once. */
async function handle({ tools, request, body }: Exchange): Promise<Answer> {
  const { here, elsewhere } = readDocumentRequests(body, [
    tools.settings.repositoryUniqueId,
    ...tools.sources.repositories,
  ]);
  try {
    const values = here.map(({ uniqueId }) => uniqueId);
    const { documents, problems } = await retrieve(tools, request, { by: 'uniqueId', values });
    const byUniqueId = new Map(documents.map((one) => [(one.onDemand ?? one.document).entry.uniqueId, one]));
    const pairs = here.map((asked) => ({ asked, found: byUniqueId.get(asked.uniqueId) }));
    const isThere = ({ repository }: DocumentRequest, { onDemand }: RetrievedDocument) =>
      repository === (onDemand?.entry.repositoryUniqueId ?? tools.settings.repositoryUniqueId);
    const there = pairs.flatMap(({ asked, found }) => (found && isThere(asked, found) ? [{ asked, found }] : []));
    const unknown = pairs.flatMap(({ asked, found }) =>
      found && !isThere(asked, found) ? [problem('documentUnknown', { value: asked.uniqueId })] : [],
    );
    return await answer(there, [...elsewhere, ...problems, ...unknown]);
  } catch (error) {
    // None of those of this repository: the others are told in the same answer.
    if (elsewhere.length > 0 && error instanceof Refused && error.problems.every(isOfDocument))
      return refused([...elsewhere, ...error.problems]);
    throw error;
  }
}

function isOfDocument({ name }: Problem): boolean {
  return name === 'documentUnknown' || name === 'sourceUnavailable';
}

function refused(problems: readonly Problem[]): Answer {
  return { body: response(writeRegistryResponse('failure', problems, 'repository'), '') };
}

async function answer(
  documents: readonly { readonly asked: DocumentRequest; readonly found: RetrievedDocument }[],
  problems: readonly Problem[],
): Promise<Answer> {
  const parts: AnswerPart[] = [];
  let responses = '';
  let held = 0;
  for (const { asked, found } of documents) {
    const { entry } = found.document;
    const contentId = `${entry.entryUUID.slice('urn:uuid:'.length)}@opendmp`;
    held += found.size;
    const bytes = held <= HELD || parts.length === 0 ? await found.open() : later(found);
    parts.push({ contentId, mediaType: entry.mimeType, size: found.size, bytes });
    responses += documentResponse(asked, found, contentId);
  }
  const status: keyof typeof responseStatus =
    problems.length === 0 ? 'success' : parts.length === 0 ? 'failure' : 'partialSuccess';
  return { body: response(writeRegistryResponse(status, problems, 'repository'), responses), parts };
}

/**
 * Bytes of documents that are opened before the answer begins, so that what is lost still ends in a fault; beyond it all but the first
 * document are opened in their turn.
 */
const HELD = 4 * 1024 * 1024;

async function* later(found: RetrievedDocument): AsyncGenerator<Uint8Array> {
  const bytes = await found.open();
  if (bytes instanceof Uint8Array) yield bytes;
  else yield* bytes;
}

function documentResponse(
  { repository, uniqueId, home }: DocumentRequest,
  { document: { entry }, onDemand }: RetrievedDocument,
  cid: string,
): string {
  return (
    '<xds:DocumentResponse>' +
    (home === undefined ? '' : `<xds:HomeCommunityId>${escapeText(home)}</xds:HomeCommunityId>`) +
    `<xds:RepositoryUniqueId>${escapeText(repository)}</xds:RepositoryUniqueId>` +
    `<xds:DocumentUniqueId>${escapeText(uniqueId)}</xds:DocumentUniqueId>` +
    (onDemand === undefined
      ? ''
      : `<xds:NewRepositoryUniqueId>${escapeText(entry.repositoryUniqueId)}</xds:NewRepositoryUniqueId>` +
        `<xds:NewDocumentUniqueId>${escapeText(entry.uniqueId)}</xds:NewDocumentUniqueId>`) +
    `<xds:mimeType>${escapeText(entry.mimeType)}</xds:mimeType>` +
    `<xds:Document><xop:Include xmlns:xop="${xop}" href="cid:${cid}"/></xds:Document>` +
    '</xds:DocumentResponse>'
  );
}

function response(registryResponse: string, documents: string): string {
  return `<xds:RetrieveDocumentSetResponse xmlns:xds="${xds}">${registryResponse}${documents}</xds:RetrieveDocumentSetResponse>`;
}
