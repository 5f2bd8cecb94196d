import type { IncomingHttpHeaders } from 'node:http';
import { type Blobs, ContentTooLarge, type Received } from '../blobs/port.ts';
import { refuse } from '../domain/error.ts';
import { decodeXml } from '../xml/read.ts';
import { readMediaType } from './media-type.ts';
import { isBoundary, type MultipartLimits, MultipartReader, type Part, type Pull } from './multipart.ts';

export type PackageLimits = MultipartLimits & {
  /** Bytes of the XML, documents inside it included. */
  readonly rootBytes: number;
  /** Bytes of documents that are sent in front of the root part: they are kept before anybody is identified. */
  readonly spooledBytes: number;
  readonly messageBytes: number;
};

/** A message whose XML was read, its attachments perhaps not yet. */
export type Incoming = { readonly source: string; readonly attachments: Attachments };

/**
 * The packaging of a message, by its headers. `root` names the root part; undefined: the first. Without `boundary` it is plain SOAP, in the
 * charset that is named. IHE ITI TF-2 V.8.
 */
export type Packaging =
  | { readonly boundary: string; readonly root: string | undefined }
  | { readonly boundary?: undefined; readonly charset: string | undefined };

/**
 * Tells plain SOAP from MTOM by the headers of a request. Lenient about `type`, `start-info` and `action`, which say nothing new.
 * @throws Refused mediaTypeUnsupported, multipartBroken
 */
export function packagingOf(headers: IncomingHttpHeaders): Packaging {
  const header = headers['content-type'] ?? '';
  const media = readMediaType(header);
  if (media?.type === 'multipart/related') {
    const boundary = media.parameters.get('boundary') ?? '';
    if (!isBoundary(boundary)) refuse('multipartBroken', { detail: 'Content-Type has no legal boundary' });
    const start = media.parameters.get('start')?.replace(/^<(.*)>$/, '$1');
    return { boundary, root: start === '' ? undefined : start };
  }
  if (media === undefined || !envelopeTypes.has(media.type)) refuse('mediaTypeUnsupported', { value: header });
  return { charset: media.parameters.get('charset') };
}

/**
 * Reads a message up to the end of its XML. Documents in front of it are kept in `blobs`.
 * @throws Refused multipartBroken, bodyTruncated, messageTooLarge; XmlRejected notUtf8
 */
export async function openMessage(
  packaging: Packaging,
  pull: Pull,
  blobs: Blobs,
  limits: PackageLimits,
): Promise<Incoming> {
  if (packaging.boundary === undefined) {
    const bytes = await whole(everyPiece(pull), limits.rootBytes);
    return { source: decodeXml(bytes, packaging.charset), attachments: new Attachments(undefined, blobs, limits) };
  }
  const reader = new MultipartReader(pull, packaging.boundary, limits);
  const attachments = new Attachments(reader, blobs, limits);
  try {
    for (;;) {
      const part = await reader.next();
      if (part === undefined) refuse('multipartBroken', { detail: 'no part is the root that Content-Type names' });
      if (packaging.root !== undefined && part.contentId !== packaging.root) await attachments.spool(part);
      else return { source: await readRoot(part, limits.rootBytes), attachments };
    }
  } catch (error) {
    await attachments.discard();
    throw error;
  }
}

/** The parts of a message besides its root. Each is asked for by its Content-ID, once. */
export class Attachments {
  readonly #reader: MultipartReader | undefined;
  readonly #blobs: Blobs;
  readonly #limits: PackageLimits;
  readonly #kept = new Map<string, Received>();
  #spooled = 0;

  constructor(reader: MultipartReader | undefined, blobs: Blobs, limits: PackageLimits) {
    this.#reader = reader;
    this.#blobs = blobs;
    this.#limits = limits;
  }

  /** Keeps a part that stands in front of the root. */
  async spool(part: Part): Promise<void> {
    const left = this.#limits.spooledBytes - this.#spooled;
    const received = await this.#receive(
      part,
      left,
      `more than ${this.#limits.spooledBytes} bytes in front of the root part`,
    );
    this.#spooled += received.size;
  }

  /**
   * Hands over the part that has one of these Content-IDs; whoever asks discards it. Parts on the way there are kept like those in front of
   * the root. Undefined when there is none up to the end of the message.
   * @throws Refused multipartBroken, bodyTruncated, messageTooLarge
   */
  async take(contentIds: readonly string[]): Promise<Received | undefined> {
    for (;;) {
      for (const contentId of contentIds) {
        const received = this.#kept.get(contentId);
        if (received === undefined) continue;
        this.#kept.delete(contentId);
        return received;
      }
      const part = await this.#reader?.next();
      if (part === undefined) return undefined;
      await this.spool(part);
    }
  }

  /**
   * Receives all parts, to the end of the message, and hands them over. Parts that nobody names would be lost without a word: they are
   * refused.
   * @throws Refused multipartBroken, bodyTruncated, messageTooLarge; everything received is then discarded
   */
  async receive(isNamed: (contentId: string) => boolean): Promise<ReadonlyMap<string, Received>> {
    try {
      for (const contentId of this.#kept.keys()) checkNamed(contentId, isNamed);
      for (let part = await this.#reader?.next(); part !== undefined; part = await this.#reader?.next()) {
        if (part.contentId !== undefined) checkNamed(part.contentId, isNamed);
        await this.#receive(part, this.#limits.messageBytes, `more than ${this.#limits.messageBytes} bytes`);
      }
      const parts = new Map(this.#kept);
      this.#kept.clear();
      return parts;
    } catch (error) {
      await this.discard();
      throw error;
    }
  }

  /** Forgets what was received and not handed over. */
  async discard(): Promise<void> {
    const kept = [...this.#kept.values()];
    this.#kept.clear();
    await Promise.allSettled(kept.map((received) => received.discard()));
  }

  async #receive({ contentId, body, ready }: Part, limit: number, detail: string): Promise<Received> {
    if (contentId === undefined) refuse('multipartBroken', { detail: 'a part besides the root has no Content-ID' });
    if (this.#kept.has(contentId)) refuse('multipartBroken', { detail: `two parts have the Content-ID ${contentId}` });
    try {
      const fits = ready !== undefined && ready.length <= limit;
      const received = fits ? this.#blobs.receiveBytes(ready) : await this.#blobs.receive(body, limit);
      this.#kept.set(contentId, received);
      return received;
    } catch (error) {
      if (error instanceof ContentTooLarge) refuse('messageTooLarge', { detail });
      throw error;
    }
  }
}

/** Types under which an envelope comes, whole or as root part; SOAP 1.1 ones too, so that its sender gets a VersionMismatch. */
const envelopeTypes = new Set(['application/soap+xml', 'application/xop+xml', 'text/xml', 'application/xml']);

function checkNamed(contentId: string, isNamed: (contentId: string) => boolean): void {
  if (!isNamed(contentId))
    refuse('multipartBroken', { detail: `no document names the part with the Content-ID ${contentId}` });
}

async function readRoot({ contentType, body, ready }: Part, limit: number): Promise<string> {
  const media = contentType === undefined ? undefined : readMediaType(contentType);
  if (contentType !== undefined && (media === undefined || !envelopeTypes.has(media.type)))
    refuse('multipartBroken', { detail: `the root part is ${contentType}` });
  const bytes = ready !== undefined && ready.length <= limit ? ready : await whole(body, limit);
  return decodeXml(bytes, media?.parameters.get('charset'));
}

async function* everyPiece(pull: Pull): AsyncGenerator<Buffer, void, undefined> {
  for (let piece = await pull(); piece !== undefined; piece = await pull()) yield piece;
}

async function whole(body: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of body) {
    pieces.push(piece);
    length += piece.length;
    if (length > limit) refuse('messageTooLarge', { detail: `more than ${limit} bytes of XML` });
  }
  const [first] = pieces;
  return pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces);
}
