import { refuse } from '../domain/error.ts';
import type { Staged } from '../store/port.ts';
import { stage } from '../usecases/staging.ts';
import { bytesOf } from './base64.ts';
import { mediaType } from './document-bytes.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { shaped } from './read/shape.ts';
import { fhirJson, fhirXml } from './vocabulary.ts';

/**
 * Takes the bytes of a document that a later deposit names by their address, whatever their media type, or within a Binary resource. They wait
 * for an hour, for their sender alone. FHIR R4 binary.html#rest; `X-Security-Context` says nothing here: nobody else ever reads them.
 */
async function create(exchange: Exchange): Promise<Answer> {
  const { tools, request, base, limits, uploads, header } = exchange;
  if (header('If-None-Exist') !== '')
    refuse('parameterUnknown', { attribute: 'If-None-Exist', detail: 'Binary is not searched' });
  const type = header('Content-Type');
  const isResource = [fhirJson, fhirXml].includes(type.split(';')[0]?.trim().toLowerCase() ?? '');
  const sent = isResource ? await inResource(exchange) : { contentType: type, source: exchange.stream };
  if (!mediaType.test(sent.contentType)) refuse('mediaTypeUnsupported', { value: sent.contentType });
  const staged = await stage(tools, request, sent, { each: limits.binaryBytes, together: limits.stagedBytes }, uploads);
  return created(staged, base, new Date(tools.now()));
}

async function inResource({ json }: Exchange) {
  const { contentType, data = '' } = shaped(await json(), 'Binary');
  return { contentType, source: () => bytesOf(data) };
}

function created({ id, contentType }: Staged, base: string, at: Date): Answer {
  return {
    status: 201,
    body: JSON.stringify({ resourceType: 'Binary', id, meta: { versionId: '1', lastUpdated: at }, contentType }),
    headers: {
      Location: `${base}/Binary/${id}`,
      ETag: 'W/"1"',
      'Last-Modified': at.toUTCString(),
    },
  };
}

/** Bytes ahead of their document. FHIR R4 http.html#create. */
export const stagingInteractions: readonly Interaction[] = [
  {
    method: 'POST',
    path: '/Binary',
    resource: 'Binary',
    interaction: 'create',
    transaction: 'create',
    action: 'stageContent',
    what: 'Send the bytes of a document ahead of it, of any media type; they wait for an hour',
    handle: create,
  },
];
