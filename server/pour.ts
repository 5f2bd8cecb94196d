import { Readable } from 'node:stream';
import type { Context } from 'koa';
import { dispose } from './blobs/pieces.ts';

/**
 * Sends an answer that comes as a stream, piece by piece: the next one is asked for when the kernel has taken the last, whose memory is then
 * free. Koa's own pipe would leave that to the next collection. Does nothing for other answers. When the stream breaks off so does the
 * connection, so that nobody takes the answer for whole; Koa hears of it from the stream.
 */
export async function pour(ctx: Context): Promise<void> {
  const { body, res } = ctx;
  if (!(body instanceof Readable) || ctx.method === 'HEAD') return;
  ctx.respond = false;
  let settle: ((taken: boolean) => void) | undefined;
  res.once('close', () => settle?.(false));
  try {
    for await (const piece of body) {
      const taken = await new Promise<boolean>((resolve) => {
        settle = resolve;
        res.write(piece, (error) => resolve(error === null || error === undefined));
      });
      if (!taken) return;
      dispose(piece);
    }
    res.end();
  } catch {
    if (!res.writableEnded) res.destroy();
  }
}
