import { markDisposable } from '../blobs/pieces.ts';
import { refuse } from '../domain/error.ts';
import { fromQuotedPrintable } from './quoted-printable.ts';

/** Gives the next bytes of a body, undefined behind the last. */
export type Pull = () => Promise<Buffer | undefined>;

/** How much is accepted: bytes of one part's headers, number of parts. */
export type MultipartLimits = { readonly headerBytes: number; readonly parts: number };

/**
 * One part. `contentId` is without angle brackets. The body can be read once, before the next part is asked for; `ready` is all of it when
 * it came in one piece with its headers, as parts of ordinary messages do.
 */
export type Part = {
  readonly contentType: string | undefined;
  readonly contentId: string | undefined;
  readonly body: AsyncIterable<Buffer>;
  readonly ready: Buffer | undefined;
};

/**
 * Reads a multipart body part by part while it streams in; holds no more than one piece of it. What is left of a part is skipped when the
 * next one is asked for. Parts in base64 or quoted-printable are decoded. RFC 2046 §5.1; lines end with CRLF.
 * Every method throws Refused multipartBroken, bodyTruncated or messageTooLarge.
 */
export class MultipartReader {
  readonly #pull: Pull;
  readonly #limits: MultipartLimits;
  /** CRLF, two hyphens, boundary. */
  readonly #delimiter: Buffer;
  #buffer: Buffer = nothing;
  #place: 'start' | 'body' | 'delimiter' | 'end' = 'start';
  #parts = 0;

  constructor(pull: Pull, boundary: string, limits: MultipartLimits) {
    this.#pull = pull;
    this.#limits = limits;
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  }

  /** The next part; undefined behind the closing delimiter, when the whole source was read. */
  async next(): Promise<Part | undefined> {
    if (this.#place === 'end') return undefined;
    if (this.#place === 'start') await this.#skipPreamble();
    else while ((await this.#piece()) !== undefined);
    if (await this.#isClosing()) {
      this.#place = 'end';
      while ((await this.#pull()) !== undefined);
      return undefined;
    }
    if (++this.#parts > this.#limits.parts)
      refuse('messageTooLarge', { detail: `more than ${this.#limits.parts} parts` });
    const headers = await this.#headers();
    await this.#enterBody();
    return {
      contentType: headers.get('content-type'),
      contentId: headers.get('content-id')?.replace(/^<(.*)>$/, '$1'),
      ...decoded(this.#body(), this.#ready(), headers.get('content-transfer-encoding')),
    };
  }

  #ready(): Buffer | undefined {
    const end = this.#buffer.indexOf(this.#delimiter);
    return end === -1 ? undefined : this.#buffer.subarray(0, end);
  }

  async *#body(): AsyncGenerator<Buffer, void, undefined> {
    for (let piece = await this.#piece(); piece !== undefined; piece = await this.#piece()) yield piece;
  }

  /** The next bytes in front of the delimiter; undefined when the delimiter was reached, which is then consumed. */
  async #piece(): Promise<Buffer | undefined> {
    if (this.#place === 'delimiter') return undefined;
    for (;;) {
      const at = this.#buffer.indexOf(this.#delimiter);
      if (at === 0) {
        this.#buffer = this.#buffer.subarray(this.#delimiter.length);
        this.#place = 'delimiter';
        return undefined;
      }
      const sure = at === -1 ? this.#buffer.length - this.#begun() : at;
      if (sure > 0) return this.#take(sure);
      await this.#more();
    }
  }

  /** How many bytes at the end of the buffer may be the beginning of a delimiter. It holds one CR only: its first byte. */
  #begun(): number {
    const from = this.#buffer.lastIndexOf(0x0d);
    if (from === -1) return 0;
    const length = this.#buffer.length - from;
    return length < this.#delimiter.length && this.#startsLikeDelimiter(from, length) ? length : 0;
  }

  #startsLikeDelimiter(from: number, length: number): boolean {
    return this.#buffer.compare(this.#delimiter, 0, length, from, from + length) === 0;
  }

  /** The first delimiter has no CRLF in front when nothing is in front of it. */
  async #skipPreamble(): Promise<void> {
    const first = this.#delimiter.subarray(2);
    while (this.#buffer.length < first.length && first.subarray(0, this.#buffer.length).equals(this.#buffer)) {
      await this.#more();
    }
    if (this.#buffer.subarray(0, first.length).equals(first)) {
      this.#buffer = this.#buffer.subarray(first.length);
      this.#place = 'delimiter';
      return;
    }
    let skipped = 0;
    for (let piece = await this.#piece(); piece !== undefined; piece = await this.#piece()) {
      skipped += piece.length;
      if (skipped > PREAMBLE)
        refuse('multipartBroken', { detail: `the boundary is not found in the first ${PREAMBLE} bytes` });
    }
  }

  /** Reads the rest of a delimiter line: nothing but white space may stand there. */
  async #isClosing(): Promise<boolean> {
    await this.#atLeast(2);
    if (this.#buffer[0] === HYPHEN && this.#buffer[1] === HYPHEN) {
      const behind = this.#buffer[2] ?? (await this.#pull())?.[0];
      if (behind !== undefined && !isWhite(behind))
        refuse('multipartBroken', { detail: 'characters behind a boundary' });
      return true;
    }
    let padding = 0;
    while (this.#buffer[padding] === SPACE || this.#buffer[padding] === TAB) await this.#atLeast(++padding + 2);
    if (this.#buffer[padding] !== CR || this.#buffer[padding + 1] !== LF)
      refuse('multipartBroken', { detail: 'a boundary that is not followed by CRLF' });
    this.#take(padding + 2);
    return false;
  }

  /** The headers of a part, names in lower case. The CRLF behind the last header line stays unread. */
  async #headers(): Promise<Map<string, string>> {
    await this.#atLeast(2);
    if (this.#buffer[0] === CR && this.#buffer[1] === LF) return new Map();
    const limit = this.#limits.headerBytes;
    let end = this.#buffer.indexOf('\r\n\r\n');
    while (end === -1 && this.#buffer.length <= limit) {
      await this.#more();
      end = this.#buffer.indexOf('\r\n\r\n');
    }
    if (end === -1 || end > limit)
      refuse('multipartBroken', { detail: `more than ${limit} bytes of headers in a part` });
    return readHeaders(this.#take(end + 2).toString('latin1', 0, end));
  }

  /** Enters the body behind the blank line. The CRLF of the blank line may be the delimiter's own, when the part is empty. */
  async #enterBody(): Promise<void> {
    this.#place = 'body';
    const { length } = this.#delimiter;
    while (this.#buffer.length < length && this.#startsLikeDelimiter(0, this.#buffer.length)) await this.#more();
    if (this.#buffer.length >= length && this.#startsLikeDelimiter(0, length)) return;
    this.#take(2);
  }

  /** A piece that is all of what arrived together holds nothing that is read again here. */
  #take(length: number): Buffer {
    const taken = this.#buffer.subarray(0, length);
    if (length < this.#buffer.length) this.#buffer = this.#buffer.subarray(length);
    else {
      this.#buffer = nothing;
      markDisposable(taken);
    }
    return taken;
  }

  async #atLeast(length: number): Promise<void> {
    while (this.#buffer.length < length) await this.#more();
  }

  async #more(): Promise<void> {
    const chunk = await this.#pull();
    if (chunk === undefined) refuse('bodyTruncated');
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
  }
}

/** Whether a text is a boundary of RFC 2046 §5.1.1. */
export function isBoundary(text: string): boolean {
  return /^[\w'()+,./:=? -]{1,70}$/.test(text) && !text.endsWith(' ');
}

/** Whether a text without white space is base64 with its padding. RFC 4648 §4. */
export function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

const nothing = Buffer.alloc(0);
const PREAMBLE = 64 * 1024;
const [HYPHEN, CR, LF, SPACE, TAB] = [0x2d, 0x0d, 0x0a, 0x20, 0x09];
const isWhite = (byte: number) => byte === CR || byte === LF || byte === SPACE || byte === TAB;
const single = new Set(['content-type', 'content-id', 'content-transfer-encoding']);

function readHeaders(text: string): Map<string, string> {
  const headers = new Map<string, string>();
  if (/^[ \t]/.test(text)) refuse('multipartBroken', { detail: 'a part header that begins with white space' });
  for (const line of text.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    const found = /^([\w!#$%&'*+.^`|~-]+)[ \t]*:([^\r\n\0]*)$/.exec(line);
    if (found === null) refuse('multipartBroken', { detail: 'a part header without a name and a colon' });
    const name = (found[1] ?? '').toLowerCase();
    if (single.has(name) && headers.has(name)) refuse('multipartBroken', { detail: `${name} twice in one part` });
    headers.set(name, (found[2] ?? '').trim());
  }
  return headers;
}

function decoded(
  body: AsyncIterable<Buffer>,
  ready: Buffer | undefined,
  encoding = 'binary',
): Pick<Part, 'body' | 'ready'> {
  switch (encoding.toLowerCase()) {
    case 'binary':
    case '8bit':
    case '7bit':
      return { body, ready };
    case 'base64':
      return { body: fromBase64(body), ready: undefined };
    case 'quoted-printable':
      return { body: fromQuotedPrintable(body), ready: undefined };
    default:
      return refuse('multipartBroken', {
        detail: 'a Content-Transfer-Encoding that is not binary, 8bit, 7bit, base64 or quoted-printable',
      });
  }
}

async function* fromBase64(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let rest = '';
  let padded = false;
  for await (const piece of body) {
    const text = rest + piece.toString('latin1').replace(/[ \t\r\n]+/g, '');
    const whole = text.length - (text.length % 4);
    rest = text.slice(whole);
    if (whole === 0) continue;
    const groups = text.slice(0, whole);
    if (padded || !isBase64(groups)) refuse('multipartBroken', { detail: 'a part that is not base64 as it says' });
    padded = groups.endsWith('=');
    yield Buffer.from(groups, 'base64');
  }
  if (rest !== '') refuse('multipartBroken', { detail: 'a part that is not base64 as it says' });
}
