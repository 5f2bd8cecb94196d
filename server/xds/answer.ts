import type { AnswerPart, Written } from './exchange.ts';

/** An answer ready for HTTP. `length` in bytes. */
export type Packaged = {
  readonly contentType: string;
  readonly length: number;
  readonly bytes: Buffer | AsyncIterable<Uint8Array>;
};

/** An envelope as plain SOAP. SOAP 1.2 Part 2 §7. */
export function packPlain(action: string, envelope: Written): Packaged {
  const bytes = encode(piecesOf(envelope));
  return { contentType: `application/soap+xml; charset=UTF-8; action="${action}"`, length: bytes.length, bytes };
}

/**
 * An envelope and its parts as an MTOM package, in the strict form. Small ones are one buffer, others a stream that goes no faster than it
 * is read and fails when a part has not the size that it promised. `id` makes boundary and root id: letters, digits, hyphens.
 * IHE ITI TF-2 V.8; XOP §4.1.
 */
export function packMtom(action: string, envelope: Written, parts: readonly AnswerPart[], id: string): Packaged {
  const boundary = `MIME-${id}`;
  const root = `root-${id}@opendmp`;
  const rootType = 'application/xop+xml; charset=UTF-8; type="application/soap+xml"';
  const first = encode([`--${boundary}\r\n${headersOf(rootType, root)}`, ...piecesOf(envelope)]);
  const heads = parts.map((part) => Buffer.from(`\r\n--${boundary}\r\n${headersOf(part.mediaType, part.contentId)}`));
  const last = Buffer.from(`\r\n--${boundary}--\r\n`);
  const length =
    [first, ...heads, last].reduce((sum, piece) => sum + piece.length, 0) +
    parts.reduce((sum, { size }) => sum + size, 0);
  const contentType =
    `multipart/related; type="application/xop+xml"; start="<${root}>"; start-info="application/soap+xml"; ` +
    `boundary="${boundary}"; action="${action}"`;
  const small = length <= WHOLE ? wholeOf(parts) : undefined;
  if (small === undefined) return { contentType, length, bytes: stream(first, heads, parts, last) };
  const pieces = small.flatMap((bytes, index) => [heads[index] ?? nothing, bytes]);
  return { contentType, length, bytes: Buffer.concat([first, ...pieces, last]) };
}

/** The pieces of XML, for more to be put around them. */
export function piecesOf(written: Written): readonly (string | Uint8Array)[] {
  return typeof written === 'string' ? [written] : written;
}

/** In UTF-8, each piece on its own: joined first they would be copied once more, and with two bytes a character where one piece needs them. */
export function encode(pieces: readonly (string | Uint8Array)[]): Buffer {
  // Room for a piece of any characters, whose bytes are then not counted beforehand: to count costs as much as to write.
  const longest = pieces.reduce((most, piece) => (typeof piece === 'string' ? Math.max(most, piece.length) : most), 0);
  const spare = 1024 + 2 * Math.min(longest, mostSpare);
  let bytes = Buffer.allocUnsafeSlow(pieces.reduce((sum, { length }) => sum + length, spare));
  let at = 0;
  const makeRoom = (needed: number) => {
    if (at + needed > bytes.length) bytes = Buffer.concat([bytes.subarray(0, at)], 2 * (at + needed));
  };
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      if (at + 3 * piece.length > bytes.length) makeRoom(Buffer.byteLength(piece));
      at += bytes.write(piece, at);
    } else {
      makeRoom(piece.length);
      bytes.set(piece, at);
      at += piece.length;
    }
  }
  return bytes.subarray(0, at);
}

const mostSpare = 32 * 1024;

/** Up to this many bytes an answer is one buffer: one write, one packet more or less. */
const WHOLE = 256 * 1024;
const nothing = Buffer.alloc(0);

function headersOf(contentType: string, contentId: string): string {
  const type = contentType.replace(/[^\x20-\x7e]/g, '');
  return `Content-Type: ${type}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <${contentId}>\r\n\r\n`;
}

function wholeOf(parts: readonly AnswerPart[]): Uint8Array[] | undefined {
  const whole = parts.flatMap(({ bytes }) => (bytes instanceof Uint8Array ? [bytes] : []));
  return whole.length === parts.length ? whole : undefined;
}

async function* stream(
  first: Buffer,
  heads: readonly Buffer[],
  parts: readonly AnswerPart[],
  last: Buffer,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield first;
  for (const [index, { bytes, size, contentId }] of parts.entries()) {
    yield heads[index] ?? nothing;
    let sent = 0;
    for await (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) {
      sent += piece.length;
      yield piece;
    }
    if (sent !== size) throw new Error(`part ${contentId} has ${sent} bytes instead of ${size}`);
  }
  yield last;
}
