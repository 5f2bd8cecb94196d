import type { IncomingMessage } from 'node:http';
import { markDisposable } from '../blobs/pieces.ts';
import { refuse } from '../domain/error.ts';
import { refuseCoding } from './content-coding.ts';

/**
 * The bytes of a body as they come; the next are taken when the last were used, and may be given back then. Who sends nothing for longer than
 * `patience` milliseconds loses the connection.
 * @throws Refused messageTooLarge before anything is read when the size is announced, contentCodingUnsupported, bodyTruncated
 */
export async function* incoming(
  request: IncomingMessage,
  longest: number,
  patience = 10_000,
): AsyncGenerator<Uint8Array, void, undefined> {
  refuseCoding(request);
  const tooLong = () => refuse('messageTooLarge', { detail: `a Binary may have ${longest} bytes` });
  if (Number(request.headers['content-length'] ?? 0) > longest) tooLong();
  let size = 0;
  let late = setTimeout(() => request.destroy(), patience);
  const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer, undefined>;
  try {
    for (;;) {
      const chunk = await nextOf(chunks);
      clearTimeout(late);
      if (chunk === undefined) return;
      size += chunk.length;
      if (size > longest) tooLong();
      markDisposable(chunk);
      yield chunk;
      late = setTimeout(() => request.destroy(), patience);
    }
  } finally {
    clearTimeout(late);
    await chunks.return?.();
  }
}

async function nextOf(chunks: AsyncIterator<Buffer, undefined>): Promise<Buffer | undefined> {
  try {
    const { value } = await chunks.next();
    return value;
  } catch {
    refuse('bodyTruncated');
  }
}
