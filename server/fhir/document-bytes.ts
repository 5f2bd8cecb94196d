import type { Received, Span } from '../blobs/port.ts';
import { problem } from '../domain/error.ts';
import { escapeAttribute } from '../xml/write.ts';
import { base64Of } from './base64.ts';
import { rangeOf } from './byte-range.ts';
import type { Answer, Exchange } from './exchange.ts';
import { formatNamed } from './media-type.ts';
import { fhirJson, fhirNamespace, fhirXml, jsonTypes, xmlTypes } from './vocabulary.ts';

/** Bytes that a Binary stands for. `etag` and `resourceTag` with their quotes, of the bytes and of the resource around them. */
export type DocumentBytes = Pick<Received, 'open'> & {
  readonly id: string;
  readonly contentType: string;
  readonly size: number;
  readonly etag: string;
  readonly resourceTag: string;
  /** When they came, in milliseconds since 1970; absent where that is not known. */
  readonly modified?: number;
  /** The resource whose rights are theirs. */
  readonly securityContext?: string;
};

/** RFC 9110 §8.3.1. */
export const mediaType = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(\s*;\s*[\w!#$&^.+-]+=("[\w !#$&^.+:/-]*"|[\w!#$&^.+-]+))*$/;

/**
 * The bytes themselves with their media type, all or a range of them, or within a Binary resource for who accepts FHIR JSON or XML. Bytes that
 * the caller has already are not sent again. FHIR R4 binary.html#rest; RFC 9110 §13, §14.
 */
export function bytesAnswer(bytes: DocumentBytes, exchange: Exchange): Answer {
  const stored = mediaType.test(bytes.contentType) ? bytes.contentType : 'application/octet-stream';
  const chosen = chosenOf(stored, exchange);
  const headers = {
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    Vary: 'Accept',
    ...(bytes.modified !== undefined && { 'Last-Modified': new Date(bytes.modified).toUTCString() }),
  };
  if (chosen === undefined) return { refused: [problem('notAcceptable', { value: stored })] };
  const etag = chosen === stored ? bytes.etag : bytes.resourceTag;
  return chosen === stored
    ? rawAnswer(bytes, stored, { ...headers, ETag: etag }, exchange)
    : resourceAnswer(bytes, stored, chosen, { ...headers, ETag: etag });
}

function chosenOf(stored: string, { parameters, preferred }: Exchange): string | undefined {
  const format = parameters.find(([name]) => name === '_format')?.[1];
  if (format === undefined) return preferred([stored, ...jsonTypes, fhirXml]);
  const named = formatNamed(format);
  return named === undefined ? undefined : named === 'xml' ? fhirXml : fhirJson;
}

type Headers = Readonly<Record<string, string>>;

function rawAnswer({ open, size, etag }: DocumentBytes, type: string, given: Headers, exchange: Exchange): Answer {
  const headers = { ...given, 'Accept-Ranges': 'bytes', 'Content-Disposition': 'attachment' };
  const asked = exchange.method === 'GET' ? exchange.header('Range') : '';
  const condition = exchange.header('If-Range').trim();
  const span = condition === '' || condition === etag ? rangeOf(asked, size) : undefined;
  if (span === 'unsatisfiable')
    return {
      refused: [problem('rangeNotSatisfiable', { value: asked, detail: `it has ${size}` })],
      headers: { 'Content-Range': `bytes */${size}` },
    };
  if (span === undefined) return { body: () => open(), mediaType: type, size, headers };
  return {
    status: 206,
    body: () => open(span),
    mediaType: type,
    size: lengthOf(span),
    headers: { ...headers, 'Content-Range': `bytes ${span.from}-${span.to - 1}/${size}` },
  };
}

function lengthOf({ from, to }: Span): number {
  return to - from;
}

/** The Binary resource, its base64 written as the bytes come. FHIR R4 binary.html. */
function resourceAnswer(bytes: DocumentBytes, contentType: string, chosen: string, headers: Headers): Answer {
  const isXml = xmlTypes.includes(chosen);
  const [head, tail] = isXml ? xmlAround(bytes, contentType) : jsonAround(bytes, contentType);
  return {
    body: async () => base64Of(head, await bytes.open(), tail),
    mediaType: `${isXml ? fhirXml : fhirJson}; charset=utf-8`,
    headers,
  };
}

type Around = readonly [head: string, tail: string];

function jsonAround({ id, securityContext: reference }: DocumentBytes, contentType: string): Around {
  const securityContext = reference === undefined ? {} : { securityContext: { reference } };
  const head = JSON.stringify({ resourceType: 'Binary', id, contentType, ...securityContext });
  return [`${head.slice(0, -1)},"data":"`, '"}'];
}

function xmlAround({ id, securityContext }: DocumentBytes, contentType: string): Around {
  const element = (name: string, value: string) => `<${name} value="${escapeAttribute(value)}"/>`;
  const context =
    securityContext === undefined ? '' : `<securityContext>${element('reference', securityContext)}</securityContext>`;
  const elements = `${element('id', id)}${element('contentType', contentType)}${context}`;
  return [`<Binary xmlns="${fhirNamespace}">${elements}<data value="`, '"/></Binary>'];
}
