import type { Blobs, Received } from '../blobs/port.ts';
import { type Problem, problem, Refused, refuse } from '../domain/error.ts';
import { attributeOf, childrenOf, type XmlElement } from '../xml/element.ts';
import type { Attachments } from './mtom.ts';
import { isBase64 } from './multipart.ts';
import { shown } from './soap.ts';
import { namespace } from './vocabulary.ts';

export type ReceivedDocument = { readonly id: string; readonly received: Received };

/** Where the bytes of an xds:Document are: in the message itself, or in the part of one of these Content-IDs. */
type Place = { readonly id: string } & (
  | { readonly base64: string }
  | { readonly cid: string; readonly names: readonly string[] }
);

/** Whether the body of a request brings documents. */
export function hasDocuments(body: XmlElement): boolean {
  return body.children.some((element) => element.local === 'Document' && element.namespace === namespace.xds);
}

/**
 * Receives the documents of a request, in the order of their xds:Document elements, and reads the message to its end.
 * An href is compared as it is and percent-decoded; each part serves one document. XOP §4; IHE ITI TF-2 3.41.4.1.2, V.8.
 * `inlineBytes` limits documents in base64, all together.
 * @throws Refused includeUnresolved, multipartBroken, bodyTruncated, messageTooLarge, attributeMissing, attributeMalformed; everything
 *   received is then discarded
 */
export async function receiveDocuments(
  body: XmlElement,
  attachments: Attachments,
  blobs: Blobs,
  inlineBytes: number,
): Promise<readonly ReceivedDocument[]> {
  const all: Received[] = [];
  try {
    const places = placesOf(body);
    checkInlineSize(places, inlineBytes);
    const byName = new Map(
      places.flatMap((place) => ('names' in place ? place.names.map((name) => [name, place]) : [])),
    );
    const parts = await attachments.receive((contentId) => byName.has(contentId));
    all.push(...parts.values());
    const problems: Problem[] = [];
    const used = new Set<Received>();
    const documents: ReceivedDocument[] = [];
    for (const place of places) {
      if ('base64' in place) {
        const received = await receiveInline(place.base64, blobs);
        all.push(received);
        documents.push({ id: place.id, received });
        continue;
      }
      const [received, another] = place.names.flatMap((name) => parts.get(name) ?? []);
      if (received === undefined) problems.push(unresolved(place.cid, 'there is no such part'));
      else if (another !== undefined) problems.push(unresolved(place.cid, 'two parts answer to it'));
      else if (used.has(received)) problems.push(unresolved(place.cid, 'another document names it too'));
      else {
        used.add(received);
        documents.push({ id: place.id, received });
      }
    }
    if (problems.length > 0) throw new Refused(problems);
    return documents;
  } catch (error) {
    await Promise.allSettled(all.map((received) => received.discard()));
    throw error;
  }
}

function placesOf(body: XmlElement): Place[] {
  const problems: Problem[] = [];
  const places: Place[] = [];
  for (const document of childrenOf(body, namespace.xds, 'Document')) {
    const place = placeOf(document);
    if ('name' in place) problems.push(place);
    else places.push(place);
  }
  if (problems.length > 0) throw new Refused(problems);
  return places;
}

function placeOf(document: XmlElement): Place | Problem {
  const id = attributeOf(document, 'id');
  if (id === undefined || id === '') return problem('attributeMissing', { object: 'xds:Document', attribute: 'id' });
  const [include, more] = document.children;
  if (include === undefined) {
    const base64 = document.text.replace(/[ \t\r\n]+/g, '');
    if (isBase64(base64)) return { id, base64 };
    return problem('attributeMalformed', {
      object: id,
      attribute: 'xds:Document',
      detail: 'its content is not base64',
    });
  }
  if (
    include.local !== 'Include' ||
    include.namespace !== namespace.xop ||
    more !== undefined ||
    document.text.trim() !== ''
  )
    return problem('attributeMalformed', {
      object: id,
      attribute: 'xds:Document',
      value: shown(more ?? include),
      detail: 'it holds base64, or one xop:Include and nothing else',
    });
  const href = attributeOf(include, 'href')?.trim() ?? '';
  const names = partNames(href);
  return names.length === 0 ? unresolved(href, 'only cid: is followed') : { id, cid: href, names };
}

/** The Content-IDs that an href may mean: as it is written, and percent-decoded. None for what is no `cid:`. RFC 2392; XOP §4.2. */
export function partNames(href: string): string[] {
  if (!/^cid:/i.test(href)) return [];
  const raw = href.slice('cid:'.length);
  return [...new Set([raw, percentDecoded(raw)])];
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function checkInlineSize(places: readonly Place[], limit: number): void {
  let size = 0;
  for (const place of places) if ('base64' in place) size += Buffer.byteLength(place.base64, 'base64');
  if (size > limit)
    refuse('messageTooLarge', { detail: `more than ${limit} bytes of documents in base64; send them by MTOM` });
}

async function receiveInline(base64: string, blobs: Blobs): Promise<Received> {
  if (base64.length <= PIECE) return blobs.receiveBytes(Buffer.from(base64, 'base64'));
  return blobs.receive(pieces(base64), base64.length);
}

/** In pieces, so that a large document is not twice in memory. */
async function* pieces(base64: string): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < base64.length; at += PIECE) yield Buffer.from(base64.slice(at, at + PIECE), 'base64');
}

/** Characters; divisible by four. */
const PIECE = 64 * 1024;

/** An xop:Include that names no part. */
export function unresolved(href: string, detail: string): Problem {
  return problem('includeUnresolved', { value: href, detail });
}
