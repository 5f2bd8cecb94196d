import type { XmlAttribute, XmlElement, XmlLimits } from './element.ts';

/** An element while it is read. */
export type Building = {
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

export const none: readonly never[] = [];

const XML = 'http://www.w3.org/XML/1998/namespace';
const XMLNS = 'http://www.w3.org/2000/xmlns/';

const [TAB, LINE, RETURN, SPACE, QUOTE, AMP, APOSTROPHE, SLASH, COLON, LESS, EQUAL, GREATER, BRACKET, X] = [
  0x09, 0x0a, 0x0d, 0x20, 0x22, 0x26, 0x27, 0x2f, 0x3a, 0x3c, 0x3d, 0x3e, 0x5d, 0x78,
] as const;

/** By character of ASCII: 2 begins a name, 1 goes on with it. */
const inNames = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  return /[A-Za-z_]/.test(character) ? 2 : /[\d.-]/.test(character) ? 1 : 0;
});

const entities = [
  ['&amp;', '&'],
  ['&lt;', '<'],
  ['&gt;', '>'],
  ['&quot;', '"'],
  ['&apos;', "'"],
] as const;

const reference = /&#(?:x([\dA-Fa-f]{1,6})|(\d{1,7}));/y;

const declaration =
  /^<\?xml version=(?:"1\.0"|'1\.0')(?: encoding=(?:"[Uu][Tt][Ff]-8"|'[Uu][Tt][Ff]-8'))?(?: standalone=(?:"yes"|"no"|'yes'|'no'))? ?\?>/;

type Name = { readonly namespace: string; readonly local: string };

/** The names of elements that were resolved where the same declarations hold. */
type Scope = { readonly names: Map<string, Name>; readonly outer: Scope | undefined };

/**
 * Reads XML of the plain kind that nearly every message is: names of ASCII, no comment, CDATA section, processing
 * instruction or carriage return, nothing wrong. The tree is the one that `parseXml` would make. Undefined for all else, whatever it is: then
 * the whole parser has the word, which also says what is wrong.
 */
export function readPlain(source: string, limits: XmlLimits): XmlElement | undefined {
  return new PlainReader(source, limits).read();
}

class PlainReader {
  readonly #source: string;
  readonly #limits: XmlLimits;
  #at = 0;
  #open: Building | undefined;
  #scope: Scope = { names: new Map(), outer: undefined };
  /** Of the open elements, as they are written. */
  readonly #names: string[] = [];
  #elements = 0;
  #attributes = 0;

  constructor(source: string, limits: XmlLimits) {
    this.#source = source;
    this.#limits = limits;
  }

  read(): XmlElement | undefined {
    const source = this.#source;
    if (source.startsWith('<?xml')) this.#at = declaration.exec(source)?.[0].length ?? 0;
    this.#skipSpace();
    const root = this.#openTag();
    while (this.#open !== undefined) {
      if (!this.#text()) return undefined;
      if (source.charCodeAt(this.#at + 1) === SLASH) {
        if (!this.#closeTag()) return undefined;
      } else if (this.#openTag() === undefined) return undefined;
    }
    this.#skipSpace();
    return this.#at === source.length ? root : undefined;
  }

  #skipSpace(): void {
    const source = this.#source;
    let at = this.#at;
    while (isSpace(source.charCodeAt(at))) at++;
    this.#at = at;
  }

  /** Behind the name that begins there; that of the prefix and its colon included. The same place where none does. */
  #endOfName(from: number): number {
    const source = this.#source;
    let at = from;
    if (inNames[source.charCodeAt(at)] !== 2) return from;
    while ((inNames[source.charCodeAt(++at)] ?? 0) > 0);
    if (source.charCodeAt(at) !== COLON) return at;
    if (inNames[source.charCodeAt(++at)] !== 2) return from;
    while ((inNames[source.charCodeAt(++at)] ?? 0) > 0);
    return source.charCodeAt(at) === COLON ? from : at;
  }

  #openTag(): Building | undefined {
    const source = this.#source;
    const start = this.#at;
    if (source.charCodeAt(start) !== LESS) return undefined;
    this.#at = this.#endOfName(start + 1);
    if (this.#at === start + 1) return undefined;
    const name = source.slice(start + 1, this.#at);
    const { depth, elements } = this.#limits;
    if (this.#names.length >= depth || ++this.#elements > elements) return undefined;
    const parent = this.#open;
    const element: Building = {
      namespace: '',
      local: '',
      attributes: none,
      children: none,
      text: '',
      start,
      end: 0,
      declares: undefined,
      parent,
    };
    const attributes = this.#readAttributes(element);
    if (attributes === undefined || !this.#resolve(element, name, attributes)) return undefined;
    if (parent !== undefined)
      if (parent.children === none) parent.children = [element];
      else (parent.children as XmlElement[]).push(element);
    if (source.charCodeAt(this.#at) === SLASH) {
      if (source.charCodeAt(++this.#at) !== GREATER) return undefined;
      element.end = ++this.#at;
      if (element.declares !== undefined) this.#scope = this.#scope.outer ?? this.#scope;
    } else {
      this.#at++;
      this.#names.push(name);
      this.#open = element;
    }
    return element;
  }

  /** Up to the end of the start tag: its declarations, and the other attributes, which are answered as they are written. */
  #readAttributes(element: Building): XmlAttribute[] | undefined {
    const source = this.#source;
    const { attributes: most, attributesPerElement, valueLength } = this.#limits;
    const attributes: XmlAttribute[] = [];
    for (let count = 0; ; count++) {
      const before = this.#at;
      this.#skipSpace();
      const next = source.charCodeAt(this.#at);
      if (next === GREATER || next === SLASH) return attributes;
      if (this.#at === before || count === attributesPerElement || ++this.#attributes > most) return undefined;
      const end = this.#endOfName(this.#at);
      const quote = source.charCodeAt(end + 1);
      if (end === this.#at || source.charCodeAt(end) !== EQUAL || (quote !== QUOTE && quote !== APOSTROPHE))
        return undefined;
      const name = source.slice(this.#at, end);
      this.#at = end + 2;
      const value = this.#value(quote);
      if (value === undefined || value.length > valueLength) return undefined;
      if (!isDeclaration(name)) attributes.push({ namespace: '', local: name, value });
      else if (!declare(element, name, value)) return undefined;
    }
  }

  /** Up to behind the quote. White space other than blanks would have to be made blanks. XML 1.0 §3.3.3. */
  #value(quote: number): string | undefined {
    const source = this.#source;
    let text = '';
    let from = this.#at;
    for (let at = from; ; ) {
      const code = source.charCodeAt(at);
      if (code === quote) {
        this.#at = at + 1;
        const last = source.slice(from, at);
        return text === '' ? last : text + last;
      }
      if (code === AMP) {
        text += source.slice(from, at);
        this.#at = at;
        const character = this.#entity();
        if (character === undefined) return undefined;
        text += character;
        at = from = this.#at;
      } else if (code !== LESS && code >= SPACE && isCharacter(code)) at++;
      // NaN, the end of the source, comes here too.
      else return undefined;
    }
  }

  /** The character that an entity or a reference stands for; goes behind it. */
  #entity(): string | undefined {
    for (const [entity, character] of entities)
      if (this.#source.startsWith(entity, this.#at)) {
        this.#at += entity.length;
        return character;
      }
    reference.lastIndex = this.#at;
    const [whole, hexadecimal, decimal] = reference.exec(this.#source) ?? [];
    if (whole === undefined) return undefined;
    this.#at += whole.length;
    const code = hexadecimal === undefined ? Number(decimal) : Number.parseInt(hexadecimal, 16);
    return isLegal(code) ? String.fromCodePoint(code) : undefined;
  }

  /** Up to the next tag. */
  #text(): boolean {
    const source = this.#source;
    let from = this.#at;
    for (let at = from; ; ) {
      const code = source.charCodeAt(at);
      if (code === LESS) {
        this.#at = at;
        return at === from || this.#add(source.slice(from, at));
      }
      if (code === AMP) {
        this.#at = at;
        const character = this.#entity();
        if (character === undefined || !this.#add(source.slice(from, at) + character)) return false;
        at = from = this.#at;
      } else if (code === GREATER && source.charCodeAt(at - 1) === BRACKET && source.charCodeAt(at - 2) === BRACKET)
        return false;
      else if ((code >= SPACE && isCharacter(code)) || code === LINE || code === TAB) at++;
      else return false;
    }
  }

  #add(text: string): boolean {
    const element = this.#open;
    if (element === undefined) return false;
    element.text = element.text === '' ? text : element.text + text;
    return element.text.length <= this.#limits.valueLength || this.#isUnlimited(element);
  }

  #isUnlimited({ local, namespace }: Building): boolean {
    const free = this.#limits.unlimitedText;
    return free?.local === local && free.namespace === namespace;
  }

  #closeTag(): boolean {
    const source = this.#source;
    const element = this.#open;
    const name = this.#names.pop();
    if (element === undefined || name === undefined || !source.startsWith(name, this.#at + 2)) return false;
    this.#at += name.length + 2;
    if (source.charCodeAt(this.#at) !== GREATER) return false;
    element.end = ++this.#at;
    if (element.declares !== undefined) this.#scope = this.#scope.outer ?? this.#scope;
    this.#open = element.parent;
    return true;
  }

  /** Gives an element its name and its attributes; false where a prefix is bound to nothing or an attribute comes twice. */
  #resolve(element: Building, name: string, written: readonly XmlAttribute[]): boolean {
    if (element.declares !== undefined) this.#scope = { names: new Map(), outer: this.#scope };
    const named = this.#scope.names.get(name) ?? resolved(element, name);
    if (named === undefined) return false;
    this.#scope.names.set(name, named);
    element.namespace = named.namespace;
    element.local = named.local;
    if (written.length > 0) element.attributes = attributesOf(element, written);
    return element.attributes.length === written.length;
  }
}

/** Attributes in their namespaces: all of them, or fewer where a prefix is bound to nothing or one comes twice. */
function attributesOf(element: Building, written: readonly XmlAttribute[]): readonly XmlAttribute[] {
  const attributes = written.some(({ local }) => local.includes(':'))
    ? written.flatMap(({ local, value }) => {
        const name = local.includes(':') ? resolved(element, local) : { namespace: '', local };
        return name === undefined ? [] : { ...name, value };
      })
    : written;
  for (let i = 1; i < attributes.length; i++)
    for (let j = 0; j < i; j++)
      if (attributes[i]?.local === attributes[j]?.local && attributes[i]?.namespace === attributes[j]?.namespace)
        return none;
  return attributes;
}

function isDeclaration(name: string): boolean {
  return name.charCodeAt(0) === X && (name === 'xmlns' || name.startsWith('xmlns:'));
}

/** Notes a declaration on its element; false for one that needs a closer look or comes twice. Namespaces in XML 1.0 §3. */
function declare(element: Building, name: string, uri: string): boolean {
  const prefix = name.slice(6);
  // No prefix is found there that was not declared.
  const held = (element.declares ?? Object.create(null)) as Record<string, string>;
  if (prefix === 'xml' || prefix === 'xmlns' || uri === XML || uri === XMLNS || uri.trim() !== uri) return false;
  if (prefix in held || (uri === '' && prefix !== '')) return false;
  held[prefix] = uri;
  element.declares = held;
  return true;
}

/** A name in its namespace. Of attributes, one with a prefix. */
function resolved(element: Building, name: string): Name | undefined {
  const colon = name.indexOf(':');
  const prefix = colon < 0 ? '' : name.slice(0, colon);
  const local = colon < 0 ? name : name.slice(colon + 1);
  if (prefix === 'xml') return { namespace: XML, local };
  for (let holder: Building | undefined = element; holder !== undefined; holder = holder.parent) {
    const namespace = holder.declares?.[prefix];
    if (namespace !== undefined) return { namespace, local };
  }
  return prefix === '' ? { namespace: '', local } : undefined;
}

function isSpace(code: number): boolean {
  return code === SPACE || code === LINE || code === TAB;
}

/** XML 1.0 §2.2 (Char). */
function isLegal(code: number): boolean {
  if (code < SPACE) return code === TAB || code === LINE || code === RETURN;
  return isCharacter(code) || (code > 0xffff && code <= 0x10ffff);
}

/** Of those from the blank on: characters of XML 1.0 that are one code unit. */
function isCharacter(code: number): boolean {
  return code < 0xd800 || (code >= 0xe000 && code <= 0xfffd);
}
