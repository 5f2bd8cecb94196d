export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a value says that it is a resource of this type; whether it is one, its structure tells. */
export function isSaidToBe(type: string, value: Json | undefined): value is JsonObject {
  return isObject(value) && value['resourceType'] === type;
}

/** A text that is no JSON, or JSON that is not read here; the message says where and why. */
export class JsonRejected extends Error {
  override readonly name = 'JsonRejected';
}

/** Where Bundles within other resources stood in their text. */
const sent = new WeakMap<object, { readonly text: string; readonly from: number; readonly to: number }>();

/**
 * The text of a FHIR document that came within another resource: what was sent, character by character, where it came as JSON, so that no
 * decimal loses its precision; otherwise JSON without blanks, in the order of its elements.
 */
export function documentText(bundle: object): string {
  const { text, from, to } = sent.get(bundle) ?? {};
  return text?.slice(from, to) ?? JSON.stringify(bundle);
}

/**
 * The same body without the places of lists that hold no value but extensions alone (`null` beside an element of `_name`): nothing here is kept
 * of what such extensions say. FHIR documents within it stay as they are. FHIR R4 json.html#primitive.
 */
export function withoutValueless(body: Json): Json {
  if (typeof body === 'object' && body !== null) dropValueless(body);
  return body;
}

function dropValueless(value: object): void {
  // What was read just now and nobody else has.
  const members = value as Record<string, Json>;
  for (const [name, inside] of Object.entries(members)) {
    const beside = members[`_${name}`];
    if (Array.isArray(inside) && Array.isArray(beside) && inside.includes(null)) {
      const extensions = beside as readonly Json[];
      const isKept = (_: Json, i: number) =>
        inside[i] !== null || typeof extensions[i] !== 'object' || extensions[i] === null;
      const [values, others] = [(inside as readonly Json[]).filter(isKept), extensions.filter(isKept)];
      if (values.length > 0) Object.assign(members, { [name]: values, [`_${name}`]: others });
      else for (const one of [name, `_${name}`]) Reflect.deleteProperty(members, one);
    } else if (typeof inside === 'object' && inside !== null && !isBundle(inside)) dropValueless(inside);
  }
}

function isBundle(value: object): boolean {
  return 'resourceType' in value && value.resourceType === 'Bundle';
}

/** Levels of arrays and objects. */
const deepest = 100;

/** Members of one object: no element of FHIR has a tenth of them. */
const mostMembers = 1000;

/**
 * Reads one JSON value strictly: no key twice, none named `__proto__`, numbers that a double holds, no lone surrogates.
 * RFC 8259; FHIR R4 json.html.
 * @throws JsonRejected
 */
export function parseJson(text: string): Json {
  let at = 0;

  function fail(why: string): never {
    throw new JsonRejected(`${why} at character ${at}`);
  }

  function space(): void {
    for (;;) {
      const c = text.charCodeAt(at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
      at++;
    }
  }

  function value(depth: number): Json {
    if (depth > deepest) fail(`more than ${deepest} levels`);
    space();
    const c = text[at];
    if (c === '"') return string();
    if (c === '{') return object(depth);
    if (c === '[') return array(depth);
    for (const [word, meaning] of words)
      if (text.startsWith(word, at)) {
        at += word.length;
        return meaning;
      }
    return number();
  }

  function number(): number {
    numeral.lastIndex = at;
    const [digits = ''] = numeral.exec(text) ?? [];
    if (digits === '') fail(at >= text.length ? 'the text ends' : 'unexpected character');
    const read = Number(digits);
    if (!Number.isFinite(read)) fail('a number out of range');
    at += digits.length;
    return read;
  }

  function string(): string {
    const from = at;
    at++;
    let end = text.indexOf('"', at);
    for (;;) {
      if (end < 0) fail('a string does not end');
      const backslash = text.slice(at, end).indexOf('\\');
      if (backslash < 0) {
        at = end + 1;
        break;
      }
      at += backslash + 2;
      if (at > end) end = text.indexOf('"', at);
    }
    return unescaped(text.slice(from, at));
  }

  function unescaped(quoted: string): string {
    let read: unknown;
    try {
      read = quoted.includes('\\') || control.test(quoted) ? JSON.parse(quoted) : quoted.slice(1, -1);
    } catch {
      fail('a malformed string');
    }
    if (typeof read !== 'string' || !read.isWellFormed()) fail('a malformed string');
    return read;
  }

  function object(depth: number): Json {
    const read: Record<string, Json> = {};
    const from = at;
    let members = 0;
    at++;
    space();
    if (text[at] === '}') {
      at++;
      return read;
    }
    for (;;) {
      space();
      if (text[at] !== '"') fail('a key is expected');
      if (++members > mostMembers) fail(`an object of more than ${mostMembers} members`);
      const key = string();
      if (key === '__proto__') fail('the key __proto__');
      if (Object.hasOwn(read, key)) fail(`the key ${key} for the second time`);
      space();
      if (text[at] !== ':') fail('a colon is expected');
      at++;
      read[key] = value(depth + 1);
      if (isLast('}')) {
        if (depth > 1 && read['resourceType'] === 'Bundle') sent.set(read, { text, from, to: at });
        return read;
      }
    }
  }

  function array(depth: number): Json {
    const read: Json[] = [];
    at++;
    space();
    if (text[at] === ']') {
      at++;
      return read;
    }
    for (;;) {
      read.push(value(depth + 1));
      if (isLast(']')) return read;
    }
  }

  function isLast(closing: string): boolean {
    space();
    const c = text[at];
    if (c !== ',' && c !== closing) fail(`a comma or ${closing} is expected`);
    at++;
    return c === closing;
  }

  const read = value(1);
  space();
  if (at < text.length) fail('more than one value');
  return read;
}

const words = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const;
const numeral = /-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
// Control characters stand escaped in a JSON string.
const control = /\p{Cc}/u;
