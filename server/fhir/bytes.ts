import type { IncomingMessage } from 'node:http';
import { refuse } from '../domain/error.ts';

/**
 * The body of a request, of `longest` bytes at most. Who takes longer than `patience` milliseconds to send so little loses the connection.
 * @throws Refused messageTooLarge, bodyTruncated
 */
export async function readBytes(
  request: IncomingMessage,
  longest: number,
  what: string,
  patience = 10_000,
): Promise<Buffer> {
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
  if (size > longest) refuse('messageTooLarge', { detail: `${what} may have ${longest} bytes` });
  return Buffer.concat(chunks);
}
