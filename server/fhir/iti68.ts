import { problem, refuse } from '../domain/error.ts';
import { isUuid } from '../domain/identifier.ts';
import { retrieve } from '../usecases/retrieve.ts';
import { unknownUnlessNamed } from './concealment.ts';
import type { Answer, Body, Exchange, Interaction } from './exchange.ts';
import { fhirJson, jsonTypes } from './vocabulary.ts';

/**
 * The bytes of a document, with the media type of its entry, or within a Binary resource for who accepts FHIR JSON.
 * The rights are those of the document, never of the address. IHE MHD 2:3.68.4.2; FHIR R4 binary.html#rest.
 */
async function handle({ tools, request, id, base, preferred, parameters }: Exchange): Promise<Answer> {
  const logicalID = `urn:uuid:${id}`;
  if (!isUuid(logicalID)) refuse('resourceUnknown', { value: `Binary/${id}` });
  const asked = parameters.some(([name]) => name === '_format');
  const { documents } = await retrieve(tools, request, { by: 'logicalID', values: [logicalID] });
  const [found] = documents;
  if (found === undefined) refuse('resourceUnknown', { value: `Binary/${id}` });
  const { entry } = found.document;
  const stored = mediaType.test(entry.mimeType) ? entry.mimeType : 'application/octet-stream';
  const chosen = asked ? fhirJson : preferred([stored, ...jsonTypes]);
  const headers = {
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...(entry.hash !== undefined && { ETag: `"${entry.hash}"` }),
  };
  if (chosen === undefined) return { refused: [problem('notAcceptable', { value: stored })] };
  if (chosen !== stored)
    return {
      body: resource(id, stored, `${base}/DocumentReference/${id}`, found.open),
      headers: { ...headers, ETag: `W/"${found.document.revision}"` },
    };
  return {
    body: found.open,
    mediaType: stored,
    size: found.size,
    headers: { ...headers, 'Content-Disposition': 'attachment' },
  };
}

/** RFC 9110 §8.3.1. */
const mediaType = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(\s*;\s*[\w!#$&^.+-]+=("[\w !#$&^.+:/-]*"|[\w!#$&^.+-]+))*$/;

type Opening = () => Promise<Uint8Array | AsyncIterable<Uint8Array>>;

/** The Binary resource, its base64 written as the bytes come. */
function resource(id: string, contentType: string, security: string, open: Opening): Body {
  const head = JSON.stringify({ resourceType: 'Binary', id, contentType, securityContext: { reference: security } });
  return async () => wrapped(`${head.slice(0, -1)},"data":"`, await open(), '"}');
}

async function* wrapped(
  head: string,
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  tail: string,
): AsyncIterable<Uint8Array> {
  yield Buffer.from(head);
  let rest: Uint8Array = Buffer.alloc(0);
  for await (const chunk of ArrayBuffer.isView(bytes) ? [bytes] : bytes) {
    const joined = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = joined.length - (joined.length % 3);
    yield Buffer.from(Buffer.from(joined.buffer, joined.byteOffset, whole).toString('base64'));
    rest = joined.subarray(whole);
  }
  yield Buffer.from(Buffer.from(rest).toString('base64') + tail);
}

/** Retrieve Document. IHE MHD 2:3.68. */
export const binaryInteractions: readonly Interaction[] = [
  {
    method: 'GET',
    path: '/Binary/:id',
    resource: 'Binary',
    interaction: 'read',
    transaction: 'ITI-68',
    action: 'retrieveDocuments',
    what: "Retrieve a document's bytes",
    ownMediaTypes: true,
    handle,
    told: unknownUnlessNamed('Binary'),
  },
];
