import { SaxesParser } from 'saxes';
import type { ProblemName } from '../domain/error.ts';
import type { XmlAttribute, XmlElement } from './element.ts';

/** How large a message may be. Counts are of the whole message, lengths in UTF-16 code units. */
export type XmlLimits = {
  readonly depth: number;
  readonly elements: number;
  readonly attributes: number;
  readonly attributesPerElement: number;
  /** Of one attribute value, and of the own text of one element. */
  readonly valueLength: number;
  /** The one element whose text is not limited: base64 of a document. */
  readonly unlimitedText?: { readonly namespace: string; readonly local: string };
};

export const defaultXmlLimits: XmlLimits = {
  depth: 64,
  elements: 200_000,
  attributes: 95_000,
  attributesPerElement: 64,
  valueLength: 1_000_000,
};

/** The text is not XML that is accepted here. `detail` is public: it shows nothing but the sender's own words. */
export class XmlRejected extends Error {
  override readonly name = 'XmlRejected';
  readonly problem: ProblemName;
  readonly detail: string;
  constructor(problem: ProblemName, detail: string) {
    super(`${problem}: ${detail}`);
    this.problem = problem;
    this.detail = detail;
  }
}

/**
 * Decodes a message that must be UTF-8; one byte order mark is taken off.
 * @throws XmlRejected notUtf8
 */
export function decodeUtf8(bytes: Uint8Array): string {
  if (bytes[0] === 0 || bytes[1] === 0) throw new XmlRejected('notUtf8', 'it looks like UTF-16 or UTF-32');
  if ((bytes[0] === 0xfe && bytes[1] === 0xff) || (bytes[0] === 0xff && bytes[1] === 0xfe))
    throw new XmlRejected('notUtf8', 'it begins with the byte order mark of UTF-16');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new XmlRejected('notUtf8', 'a sequence of bytes is not valid');
  }
}

/**
 * Decodes a message whose transport may name its charset: UTF-8, or UTF-16 by its byte order mark or in a named byte order. The charset named
 * wins over the XML declaration, whose encoding is then taken out. XML 1.0 §4.3.3; RFC 7303 §3.
 * @throws XmlRejected notUtf8
 */
export function decodeXml(bytes: Uint8Array, charset: string | undefined): string {
  const encoding = encodingOf(bytes, charset?.toLowerCase());
  const text = encoding === 'utf-8' ? decodeUtf8(bytes) : decodeUtf16(bytes, encoding);
  return charset === undefined && encoding === 'utf-8' ? text : text.replace(declaredEncoding, '$1');
}

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be';

function encodingOf(bytes: Uint8Array, charset: string | undefined): Encoding {
  const mark =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? 'utf-16le'
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? 'utf-16be'
        : undefined;
  switch (charset) {
    case undefined:
      return mark ?? 'utf-8';
    case 'utf-8':
    case 'utf8':
    case 'us-ascii':
      return 'utf-8';
    case 'utf-16':
      if (mark === undefined) throw new XmlRejected('notUtf8', 'it is UTF-16 without a byte order mark');
      return mark;
    case 'utf-16le':
    case 'utf-16be':
      return charset;
    default:
      throw new XmlRejected('notUtf8', `the content type names ${shortened(charset)}`);
  }
}

function decodeUtf16(bytes: Uint8Array, encoding: Encoding): string {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new XmlRejected('notUtf8', 'a sequence of bytes is not valid UTF-16');
  }
}

/** A declaration is short: one that says more than this keeps what it says, and is refused for it. */
const declaredEncoding = /^(<\?xml\s[^>]{0,100}?)\s{1,20}encoding\s{0,20}=\s{0,20}(?:"[^"]{0,40}"|'[^']{0,40}')/;

/**
 * Reads a whole XML 1.0 document into a tree, namespaces resolved. Refused: DTD, processing instructions, entities other than the five
 * of XML, another encoding than UTF-8, and whatever goes over a limit (before the rest is looked at). Comments are skipped; see holdsComment.
 * Costs about 1 ms for 60 kB: for large sources use parseXmlInTurns.
 * @throws XmlRejected notXml, xmlForbidden, notUtf8, xmlTooLarge
 */
export function parseXml(source: string, limits: XmlLimits): XmlElement {
  const reader = idle.pop() ?? new TreeReader();
  const root = reader.read(source, limits);
  idle.push(reader);
  return root;
}

/** The same, but gives way to other work after each quarter of a million characters. */
export async function parseXmlInTurns(source: string, limits: XmlLimits): Promise<XmlElement> {
  if (source.length <= TURN) return parseXml(source, limits);
  const reader = idle.pop() ?? new TreeReader();
  reader.begin(source, limits);
  for (let at = 0; at < source.length; at += TURN) {
    if (at > 0) await new Promise<void>((resolve) => setImmediate(resolve));
    reader.feed(source.slice(at, at + TURN));
  }
  const root = reader.finish();
  idle.push(reader);
  return root;
}

/**
 * Whether a comment lies inside an element of `source`. Also says yes to a CDATA section that looks like one.
 */
export function holdsComment(source: string, { start, end }: XmlElement): boolean {
  return source.slice(start, end).includes('<!--');
}

const TURN = 256 * 1024;
const XMLNS = 'http://www.w3.org/2000/xmlns/';
const none: readonly never[] = [];

type Building = {
  namespace: string;
  local: string;
  attributes: readonly XmlAttribute[];
  children: readonly XmlElement[];
  text: string;
  start: number;
  end: number;
  declares: Readonly<Record<string, string>> | undefined;
  parent: Building | undefined;
};

type ReadAttribute = { readonly prefix: string; readonly local: string; readonly value: string; readonly uri: string };
type ReadTag = { readonly local: string; readonly uri: string; readonly ns: Record<string, string> };

/** What saxes has besides its types: handlers as plain properties. `on()` stores them by a computed name, five times slower afterwards. */
type Handlers = {
  xmldeclHandler: (declaration: { readonly encoding?: string }) => void;
  doctypeHandler: () => void;
  piHandler: () => void;
  attributeHandler: (attribute: ReadAttribute) => void;
  openTagHandler: (tag: ReadTag) => void;
  textHandler: (text: string) => void;
  cdataHandler: (text: string) => void;
  closeTagHandler: () => void;
};

/** Readers that are not at work. A new parser costs more than reading a small message; one that threw is dropped. */
const idle: TreeReader[] = [];

class TreeReader {
  readonly #parser = new SaxesParser({ xmlns: true, defaultXMLVersion: '1.0', forceXMLVersion: true });
  #source = '';
  #limits = defaultXmlLimits;
  #root: Building | undefined;
  #open: Building | undefined;
  #depth = 0;
  #elements = 0;
  #attributes = 0;
  #own: ReadAttribute[] = [];

  constructor() {
    const handlers = this.#parser as unknown as Handlers;
    handlers.xmldeclHandler = ({ encoding }) => {
      if (encoding !== undefined && encoding.toUpperCase() !== 'UTF-8')
        throw new XmlRejected('notUtf8', `the XML declaration names ${shortened(encoding)}`);
    };
    handlers.doctypeHandler = () => {
      throw new XmlRejected('xmlForbidden', 'a DOCTYPE');
    };
    handlers.piHandler = () => {
      throw new XmlRejected('xmlForbidden', 'a processing instruction');
    };
    handlers.attributeHandler = (attribute) => this.#attribute(attribute);
    handlers.openTagHandler = (tag) => this.#openTag(tag);
    handlers.textHandler = (text) => this.#text(text);
    handlers.cdataHandler = (text) => this.#text(text);
    handlers.closeTagHandler = () => this.#closeTag();
  }

  read(source: string, limits: XmlLimits): XmlElement {
    this.begin(source, limits);
    this.feed(source);
    return this.finish();
  }

  begin(source: string, limits: XmlLimits): void {
    if (source.charCodeAt(0) === 0xfeff) throw new XmlRejected('notXml', 'more than one byte order mark');
    this.#source = source;
    this.#limits = limits;
    this.#depth = this.#elements = this.#attributes = 0;
    this.#own = [];
    this.#root = this.#open = undefined;
  }

  feed(piece: string): void {
    try {
      this.#parser.write(piece);
    } catch (error) {
      throw rejection(error);
    }
  }

  finish(): XmlElement {
    try {
      this.#parser.close();
    } catch (error) {
      throw rejection(error);
    }
    const root = this.#root;
    this.#source = '';
    this.#root = this.#open = undefined;
    if (root === undefined) throw new XmlRejected('notXml', 'no element');
    return root;
  }

  #attribute(attribute: ReadAttribute): void {
    const { attributes, attributesPerElement, valueLength } = this.#limits;
    if (++this.#attributes > attributes) throw tooLarge('attributes', attributes);
    if (this.#own.push(attribute) > attributesPerElement)
      throw tooLarge('attributes on one element', attributesPerElement);
    if (attribute.value.length > valueLength) throw tooLarge('characters in one attribute', valueLength);
  }

  #openTag(tag: ReadTag): void {
    const { depth, elements } = this.#limits;
    if (++this.#depth > depth) throw tooLarge('levels of elements', depth);
    if (++this.#elements > elements) throw tooLarge('elements', elements);
    const parent = this.#open;
    const element: Building = {
      namespace: tag.uri,
      local: tag.local,
      attributes: none,
      children: none,
      text: '',
      // An attribute value cannot hold `<`, so the last one before `>` begins the tag.
      start: this.#source.lastIndexOf('<', this.#parser.position - 1),
      end: 0,
      declares: undefined,
      parent,
    };
    if (this.#own.length > 0) this.#takeAttributes(element, tag);
    if (parent === undefined) this.#root = element;
    else if (parent.children === none) parent.children = [element];
    else (parent.children as XmlElement[]).push(element);
    this.#open = element;
  }

  #takeAttributes(element: Building, tag: ReadTag): void {
    const taken: XmlAttribute[] = [];
    for (const { prefix, local, value, uri } of this.#own) {
      if (uri !== XMLNS) taken.push({ namespace: uri, local, value });
      else {
        // saxes trims namespace names, other readers do not: what is read in two ways is not accepted.
        if (tag.ns[prefix === '' ? '' : local] !== value)
          throw new XmlRejected('notXml', 'white space around a namespace name');
        element.declares = tag.ns;
      }
    }
    element.attributes = taken;
    this.#own.length = 0;
  }

  #text(text: string): void {
    const element = this.#open;
    if (element === undefined) return;
    const whole = element.text === '' ? text : element.text + text;
    const { valueLength, unlimitedText: free } = this.#limits;
    if (whole.length > valueLength && !(free?.local === element.local && free.namespace === element.namespace))
      throw tooLarge('characters in one element', valueLength);
    element.text = whole;
  }

  #closeTag(): void {
    const element = this.#open;
    if (element === undefined) return;
    element.end = this.#parser.position;
    this.#open = element.parent;
    this.#depth--;
  }
}

function tooLarge(what: string, limit: number): XmlRejected {
  return new XmlRejected('xmlTooLarge', `more than ${limit} ${what}`);
}

function rejection(error: unknown): XmlRejected {
  if (error instanceof XmlRejected) return error;
  const message = Error.isError(error) ? error.message : String(error);
  if (/undefined entity/.test(message)) return new XmlRejected('xmlForbidden', `an entity (${message})`);
  return new XmlRejected('notXml', `at line:column ${shortened(message)}`);
}

function shortened(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
