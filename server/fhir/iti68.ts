import { refuse } from '../domain/error.ts';
import { isUuid } from '../domain/identifier.ts';
import { retrieve } from '../usecases/retrieve.ts';
import { findStaged, readStaged } from '../usecases/staging.ts';
import { unknownUnlessNamed } from './concealment.ts';
import { bytesAnswer, type DocumentBytes } from './document-bytes.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';

/**
 * The bytes of a document, or of what its sender sent ahead of one. The rights are those of the document, never of the address.
 * IHE MHD 2:3.68.4.2; FHIR R4 binary.html#rest.
 */
async function handle(exchange: Exchange): Promise<Answer> {
  const { tools, request, id } = exchange;
  if (!isUuid(`urn:uuid:${id}`)) refuse('resourceUnknown', { value: `Binary/${id}` });
  const staged = await findStaged(tools, request.caller, id);
  if (staged === undefined) return documentOf(exchange);
  const { open } = await readStaged(tools, request, staged);
  const { contentType, size, sha1 } = staged;
  return bytesAnswer({ id, contentType, size, open, etag: `"${sha1}"`, resourceTag: 'W/"1"' }, exchange);
}

async function documentOf(exchange: Exchange): Promise<Answer> {
  const { tools, request, id, base } = exchange;
  const { documents } = await retrieve(tools, request, { by: 'logicalID', values: [`urn:uuid:${id}`] });
  const [found] = documents;
  if (found === undefined) refuse('resourceUnknown', { value: `Binary/${id}` });
  const { document, size, open } = found;
  const { mimeType, hash = '' } = document.entry;
  const bytes: DocumentBytes = {
    id,
    contentType: mimeType,
    size,
    open,
    etag: `"${hash}"`,
    resourceTag: `W/"${document.revision}"`,
    modified: document.registeredAt,
    securityContext: `${base}/DocumentReference/${id}`,
  };
  return bytesAnswer(bytes, exchange);
}

/** Retrieve Document, of a deleted one too: as by ITI-43, metadata and bytes stay. IHE MHD 2:3.68; DMP functional rights matrix, TD3.2. */
export const binaryInteractions: readonly Interaction[] = [
  {
    method: 'GET',
    path: '/Binary/:id',
    resource: 'Binary',
    interaction: 'read',
    transaction: 'ITI-68',
    action: 'retrieveDocuments',
    what: "Retrieve a document's bytes, all or a range of them",
    ownMediaTypes: true,
    handle,
    told: unknownUnlessNamed('Binary'),
  },
];
