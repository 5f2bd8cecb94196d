import type { IncomingMessage } from 'node:http';

/**
 * The whole body of a request of `longest` bytes at most; `tooLarge` beyond, of which nothing more is read, and `endsEarly` where the connection
 * broke. Who takes longer than `patience` milliseconds to send so little loses the connection.
 */
export async function readSmallBody(
  request: IncomingMessage,
  longest: number,
  patience = 10_000,
): Promise<Buffer | 'tooLarge' | 'endsEarly'> {
  if (Number(request.headers['content-length'] ?? 0) > longest) return 'tooLarge';
  const chunks: Buffer[] = [];
  let size = 0;
  const late = setTimeout(() => request.destroy(), patience);
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > longest) return 'tooLarge';
      chunks.push(chunk);
    }
  } catch {
    return 'endsEarly';
  } finally {
    clearTimeout(late);
  }
  return Buffer.concat(chunks);
}
