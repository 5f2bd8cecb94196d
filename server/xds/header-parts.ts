import type { ReadEnvelope } from '../auth/credentials.ts';
import type { Received } from '../blobs/port.ts';
import { Refused, refuse } from '../domain/error.ts';
import { attributeOf, child, type XmlElement } from '../xml/element.ts';
import { parseXmlInTurns, type XmlLimits } from '../xml/read.ts';
import { partNames, unresolved } from './documents.ts';
import type { Attachments } from './mtom.ts';
import { namespace } from './vocabulary.ts';

/** Certificates, digests and signatures, each a few kilobytes at most. */
const MOST_INCLUDES = 32;
const MOST_BYTES = 64 * 1024;

/**
 * The envelope with the base64 of its header where it was before it was packed: stacks that optimise every base64 put the certificates and
 * digests of an assertion into parts of their own, and a signature is of what the header says without them. An envelope whose header
 * includes nothing is given back as it is. XOP 1.0 §3.2; WS-Security 1.1 §7; IHE ITI TF-2 V.8.
 * @throws Refused includeUnresolved, multipartBroken, bodyTruncated, messageTooLarge
 */
export async function withHeaderWhole(
  envelope: ReadEnvelope,
  attachments: Attachments,
  limits: XmlLimits,
): Promise<ReadEnvelope> {
  const includes = includesIn(child(envelope.root, namespace.soap12, 'Header'));
  if (includes.length === 0) return envelope;
  if (includes.length > MOST_INCLUDES)
    refuse('messageTooLarge', { detail: `more than ${MOST_INCLUDES} parts of the header` });
  let source = '';
  let at = 0;
  for (const include of includes) {
    source += envelope.source.slice(at, include.start) + (await base64Of(include, attachments));
    at = include.end;
  }
  source += envelope.source.slice(at);
  return { source, root: await parseXmlInTurns(source, limits) };
}

/** In the order in which they are written. */
function includesIn(element: XmlElement | undefined): XmlElement[] {
  if (element === undefined) return [];
  if (element.local === 'Include' && element.namespace === namespace.xop) return [element];
  return element.children.flatMap(includesIn);
}

async function base64Of(include: XmlElement, attachments: Attachments): Promise<string> {
  const href = attributeOf(include, 'href')?.trim() ?? '';
  const received = await attachments.take(partNames(href));
  if (received === undefined) throw new Refused([unresolved(href, 'the header has no such part')]);
  try {
    if (received.size > MOST_BYTES)
      refuse('messageTooLarge', { detail: `more than ${MOST_BYTES} bytes in a part of the header` });
    return (await bytesOf(received)).toString('base64');
  } finally {
    await received.discard();
  }
}

async function bytesOf(received: Received): Promise<Buffer> {
  const opened = await received.open();
  if (opened instanceof Uint8Array) return Buffer.from(opened);
  const pieces: Uint8Array[] = [];
  for await (const piece of opened) pieces.push(piece);
  return Buffer.concat(pieces);
}
