import type { IncomingHttpHeaders } from 'node:http';
import { createGunzip } from 'node:zlib';
import { problem, Refused, refuse } from '../domain/error.ts';
import type { Pull } from './multipart.ts';

/** How a body is compressed. `x-gzip` is another name of `gzip`. RFC 9110 §8.4.1.3. */
export type ContentCoding = 'identity' | 'gzip';

/** The coding of a request. @throws Refused contentCodingUnsupported for any other, and for several */
export function contentCodingOf(headers: IncomingHttpHeaders): ContentCoding {
  const coding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (coding === 'identity' || coding === '') return 'identity';
  if (coding === 'gzip' || coding === 'x-gzip') return 'gzip';
  return refuse('contentCodingUnsupported', { value: coding });
}

/** Metadata shrink ten to fifty times, documents less; a bomb a thousand times. Up to so many bytes nobody is asked. */
const mostTimes = 250;
const alwaysTaken = 4 * 1024 ** 2;

/**
 * Gives the bytes of a body compressed with gzip, while it streams in: nothing is asked of `pull` before all that came of the piece before
 * was taken. RFC 1952.
 * @throws Refused (from the function given) contentCodingBroken, bodyTruncated; messageTooLarge beyond the limit, or when the body grows so
 *   much that nobody would compress it so in good faith; and what `pull` throws
 */
export function gunzipped(pull: Pull, messageBytes: number): Pull {
  const inflater = createGunzip({ chunkSize: 64 * 1024 });
  const state: { taken: boolean; asked: boolean; failure?: NodeJS.ErrnoException; wake?: () => void } = {
    taken: true,
    asked: true,
  };
  const stir = () => state.wake?.();
  inflater.on('readable', stir);
  inflater.on('end', stir);
  inflater.on('error', (error) => {
    state.failure = error;
    stir();
  });
  let sent = 0;
  let inflated = 0;

  /** Hands the next compressed piece over; a body that ends is told so once. */
  async function feed(): Promise<void> {
    const piece = await pull();
    if (piece === undefined) {
      state.asked = false;
      inflater.end();
      return;
    }
    sent += piece.length;
    state.taken = false;
    inflater.write(piece, () => {
      state.taken = true;
      stir();
    });
  }

  function tooLarge(detail: string): never {
    inflater.destroy();
    return refuse('messageTooLarge', { detail });
  }

  function check(piece: Buffer): Buffer {
    inflated += piece.length;
    if (inflated > messageBytes) tooLarge(`more than ${messageBytes} bytes decompressed`);
    if (inflated > alwaysTaken && inflated > sent * mostTimes)
      tooLarge(`its compression makes it more than ${mostTimes} times smaller`);
    return piece;
  }

  return async () => {
    for (;;) {
      if (state.failure !== undefined) throw refusalOf(state.failure);
      const piece: unknown = inflater.read();
      if (Buffer.isBuffer(piece)) return check(piece);
      if (inflater.readableEnded) {
        if (state.asked && (await pull()) !== undefined)
          refuse('contentCodingBroken', { detail: 'something follows the end of the compressed data' });
        state.asked = false;
        return undefined;
      }
      if (state.taken && state.asked) await feed();
      else
        await new Promise<void>((resolve) => {
          state.wake = resolve;
        });
    }
  };
}

/** Data that end too early end as a body does that was cut off. */
function refusalOf({ code, message }: NodeJS.ErrnoException): Refused {
  return new Refused([
    code === 'Z_BUF_ERROR' ? problem('bodyTruncated') : problem('contentCodingBroken', { detail: message }),
  ]);
}
