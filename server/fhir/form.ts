import type { IncomingMessage } from 'node:http';
import { refuse } from '../domain/error.ts';
import type { Given } from './search.ts';

/** Bytes of a search form; a query string could not be longer. */
const longest = 16_384;

/**
 * Reads the parameters of a search that was posted. FHIR R4 http.html#search. Who takes longer than `patience` milliseconds to send so little
 * loses the connection.
 * @throws Refused mediaTypeUnsupported, messageTooLarge, bodyTruncated
 */
export async function readForm(request: IncomingMessage, patience = 10_000): Promise<Given> {
  const type = request.headers['content-type'] ?? '';
  if (type.split(';')[0]?.trim().toLowerCase() !== 'application/x-www-form-urlencoded')
    refuse('mediaTypeUnsupported', { value: type });
  const chunks: Buffer[] = [];
  let size = 0;
  const late = setTimeout(() => request.destroy(), patience);
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > longest) break;
      chunks.push(chunk);
    }
  } catch {
    refuse('bodyTruncated');
  } finally {
    clearTimeout(late);
  }
  if (size > longest) refuse('messageTooLarge', { detail: `a search form may have ${longest} bytes` });
  return [...new URLSearchParams(Buffer.concat(chunks).toString())];
}
