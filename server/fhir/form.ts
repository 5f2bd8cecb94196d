import type { IncomingMessage } from 'node:http';
import { refuse } from '../domain/error.ts';
import { readBytes } from './bytes.ts';
import type { Given } from './search.ts';

/** Bytes of a search form; a query string could not be longer. */
const longest = 16_384;

/**
 * Reads the parameters of a search that was posted. FHIR R4 http.html#search.
 * @throws Refused mediaTypeUnsupported, and as `readBytes`
 */
export async function readForm(request: IncomingMessage, patience?: number): Promise<Given> {
  const type = request.headers['content-type'] ?? '';
  if (type.split(';')[0]?.trim().toLowerCase() !== 'application/x-www-form-urlencoded')
    refuse('mediaTypeUnsupported', { value: type });
  const bytes = await readBytes(request, longest, 'a search form', patience);
  return [...new URLSearchParams(bytes.toString())];
}
