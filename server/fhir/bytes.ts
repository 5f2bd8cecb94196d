import type { IncomingMessage } from 'node:http';
import { refuse } from '../domain/error.ts';
import { readSmallBody } from '../small-body.ts';
import { refuseCoding } from './content-coding.ts';

/**
 * The body of a request, of `longest` bytes at most, as `readSmallBody`; `what` names it.
 * @throws Refused contentCodingUnsupported, messageTooLarge, bodyTruncated
 */
export async function readBytes(
  request: IncomingMessage,
  longest: number,
  what: string,
  patience?: number,
): Promise<Buffer> {
  refuseCoding(request);
  const body = await readSmallBody(request, longest, patience);
  if (body === 'endsEarly') refuse('bodyTruncated');
  if (body === 'tooLarge') refuse('messageTooLarge', { detail: `${what} may have ${longest} bytes` });
  return body;
}
