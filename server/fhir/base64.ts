import { dispose } from '../blobs/pieces.ts';

/** Characters; divisible by four. */
const piece = 64 * 1024;

/** The bytes that base64 stands for, in pieces. White space is allowed. RFC 4648 §4; FHIR R4 datatypes.html#base64Binary. */
export async function* bytesOf(base64: string): AsyncGenerator<Buffer, void, undefined> {
  const plain = withoutSpace(base64);
  for (let at = 0; at < plain.length; at += piece) yield Buffer.from(plain.slice(at, at + piece), 'base64');
}

/** Base64 as it is counted and decoded; the very text where no white space is in it. FHIR R4 datatypes.html#base64Binary. */
export function withoutSpace(base64: string): string {
  return /\s/.test(base64) ? base64.replace(/\s+/g, '') : base64;
}

/** The base64 of bytes, in pieces as they come, between what stands before and behind it. */
export async function* base64Of(
  head: string,
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  tail: string,
): AsyncGenerator<Buffer, void, undefined> {
  yield Buffer.from(head);
  let rest: Uint8Array = Buffer.alloc(0);
  for await (const chunk of ArrayBuffer.isView(bytes) ? [bytes] : bytes) {
    const joined = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = joined.length - (joined.length % 3);
    yield Buffer.from(Buffer.from(joined.buffer, joined.byteOffset, whole).toString('base64'));
    rest = Buffer.from(joined.subarray(whole));
    if (joined === chunk) dispose(chunk);
  }
  yield Buffer.from(Buffer.from(rest).toString('base64') + tail);
}
