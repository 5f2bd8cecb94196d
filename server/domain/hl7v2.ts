import { type Authority, type Cx, type Cxi, isOid } from './identifier.ts';
import type { PidLine, Recipient, Xcn, Xon, Xtn } from './people.ts';

/** The components of one value as written, position 1 at index 0; undefined when the value repeats itself with `~`. */
type Components = readonly string[];
type Rest = Readonly<Record<string, string>>;

const escapes: Readonly<Record<string, string>> = { F: '|', S: '^', R: '~', T: '&', E: '\\' };
const escaped: Readonly<Record<string, string>> = {
  '|': '\\F\\',
  '^': '\\S\\',
  '~': '\\R\\',
  '&': '\\T\\',
  '\\': '\\E\\',
};

/**
 * Reads a CX `id^^^&OID&ISO`. Component 5 (type) is kept, component 7 (the date that French sources send) goes to `rest`; anything else,
 * a namespace or another universal id type than `ISO` is malformed. IHE ITI TF-3 table 4.2.3.1.7-2; CI-SIS annexe INS.
 */
export function readCx(text: string): Cx | undefined {
  const c = components(text);
  if (c === undefined || !onlyAt(c, [1, 4, 5, 7]) || [1, 5, 7].some((n) => raw(c, n).includes('&'))) return undefined;
  const id = plain(c, 1);
  const authority = readAuthority(raw(c, 4));
  if (id === undefined || authority?.oid === undefined || authority.namespace !== undefined) return undefined;
  return { id, authority, ...optional({ type: plain(c, 5) }), ...restOf(c, [1, 4, 5]) };
}

/** Writes what `readCx` reads back as the same; so do all that write here, each component at its place, those of `rest` too. */
export function writeCx({ id, authority, type, rest }: Cx): string {
  return write({ 1: toEscaped(id), 4: writeAuthority(authority), 5: toEscaped(type) }, rest);
}

/**
 * Reads a CXi `id^^^&OID&ISO^type` of referenceIdList. The authority may be a namespace, or absent where the id is unique by itself
 * (a studyInstanceUID); component 6, the home community, goes to `rest`. IHE ITI TF-3 table 4.2.3.1.7-2, 4.2.3.2.28.
 */
export function readCxi(text: string): Cxi | undefined {
  const c = components(text);
  if (c === undefined || !onlyAt(c, [1, 4, 5, 6])) return undefined;
  const id = plain(c, 1);
  const type = plain(c, 5);
  const authority = readAuthority(raw(c, 4));
  if (id === undefined || type === undefined || authority === undefined) return undefined;
  return { id, authority, type, ...restOf(c, [1, 4, 5]) };
}

export function writeCxi({ id, authority, type, rest }: Cxi): string {
  return write({ 1: toEscaped(id), 4: writeAuthority(authority), 5: toEscaped(type) }, rest);
}

/**
 * Reads an XCN: family name or id must be there, an authority only with an id and with an OID.
 * IHE ITI TF-3 table 4.2.3.1.7-2; components 10 and 13 as CI-SIS fills them.
 */
export function readXcn(text: string): Xcn | undefined {
  const c = components(text);
  if (c === undefined) return undefined;
  const id = plain(c, 1);
  const family = plain(c, 2);
  const authority = readAuthority(raw(c, 9));
  if (authority === undefined || (id === undefined && family === undefined)) return undefined;
  const named = isNamed(authority);
  if (named && (id === undefined || authority.oid === undefined)) return undefined;
  return {
    ...optional({
      id,
      family,
      given: plain(c, 3),
      second: plain(c, 4),
      suffix: plain(c, 5),
      prefix: plain(c, 6),
      degree: plain(c, 7),
    }),
    ...(named && { authority }),
    ...optional({ nameType: plain(c, 10), idType: plain(c, 13) }),
    ...restOf(c, [1, 2, 3, 4, 5, 6, 7, 9, 10, 13]),
  };
}

export function writeXcn(person: Xcn): string {
  const { id, family, given, second, suffix, prefix, degree, authority, nameType, idType, rest } = person;
  return write(
    {
      1: toEscaped(id),
      2: toEscaped(family),
      3: toEscaped(given),
      4: toEscaped(second),
      5: toEscaped(suffix),
      6: toEscaped(prefix),
      7: toEscaped(degree),
      9: writeAuthority(authority),
      10: toEscaped(nameType),
      13: toEscaped(idType),
    },
    rest,
  );
}

/**
 * Reads an XON: the name is required; an id that is no OID needs an authority; no component besides 1, 6, 7 and 10.
 * IHE ITI TF-3 table 4.2.3.1.7-2; component 7 as CI-SIS fills it.
 */
export function readXon(text: string): Xon | undefined {
  const c = components(text);
  if (c === undefined || !onlyAt(c, [1, 6, 7, 10])) return undefined;
  const name = plain(c, 1);
  const id = plain(c, 10);
  const authority = readAuthority(raw(c, 6));
  if (name === undefined || authority === undefined) return undefined;
  const named = isNamed(authority);
  if (named ? authority.oid === undefined : id !== undefined && !isOid(id)) return undefined;
  return {
    name,
    ...(named && { authority }),
    ...optional({ idType: plain(c, 7), id }),
    ...restOf(c, [1, 6, 7, 10]),
  };
}

export function writeXon({ name, authority, idType, id, rest }: Xon): string {
  return write({ 1: toEscaped(name), 6: writeAuthority(authority), 7: toEscaped(idType), 10: toEscaped(id) }, rest);
}

/** Reads an XTN: an address, a number, an unformatted text or the old component 1 must be there. IHE ITI TF-3 4.2.3.1.4.5. */
export function readXtn(text: string): Xtn | undefined {
  const c = components(text);
  if (c === undefined || ![1, 4, 7, 12].some((n) => raw(c, n) !== '')) return undefined;
  return {
    ...optional({
      use: plain(c, 2),
      type: plain(c, 3),
      address: plain(c, 4),
      country: plain(c, 5),
      area: plain(c, 6),
      number: plain(c, 7),
      unformatted: plain(c, 12),
    }),
    ...restOf(c, [2, 3, 4, 5, 6, 7, 12]),
  };
}

export function writeXtn({ use, type, address, country, area, number, unformatted, rest }: Xtn): string {
  return write(
    {
      2: toEscaped(use),
      3: toEscaped(type),
      4: toEscaped(address),
      5: toEscaped(country),
      6: toEscaped(area),
      7: toEscaped(number),
      12: toEscaped(unformatted),
    },
    rest,
  );
}

/** Reads one intendedRecipient `XON|XCN|XTN`: at least one part, trailing bars left out or not. IHE ITI TF-3 4.2.3.3.7. */
export function readRecipient(text: string): Recipient | undefined {
  const parts = text.split('|');
  const [xon = '', xcn = '', xtn = ''] = parts;
  if (parts.slice(3).some((part) => part !== '')) return undefined;
  const organisation = xon === '' ? undefined : readXon(xon);
  const person = xcn === '' ? undefined : readXcn(xcn);
  const telecommunication = xtn === '' ? undefined : readXtn(xtn);
  if (xon !== '' && organisation === undefined) return undefined;
  if (xcn !== '' && person === undefined) return undefined;
  if (xtn !== '' && telecommunication === undefined) return undefined;
  if (xon === '' && xcn === '' && xtn === '') return undefined;
  return {
    ...(organisation && { organisation }),
    ...(person && { person }),
    ...(telecommunication && { telecommunication }),
  };
}

/** Without trailing separators. IHE ITI TF-3 4.2.3.3.7. */
export function writeRecipient({ organisation, person, telecommunication }: Recipient): string {
  const parts = [
    organisation === undefined ? '' : writeXon(organisation),
    person === undefined ? '' : writeXcn(person),
    telecommunication === undefined ? '' : writeXtn(telecommunication),
  ];
  return withoutTrailing(parts.join('|'), '|');
}

/** Reads one line of sourcePatientInfo, `PID-n|value`. PID-2, 4, 12 and 19 are not allowed. IHE ITI TF-3 4.2.3.2.23. */
export function readPidLine(text: string): PidLine | undefined {
  const [, digits, value] = /^PID-([1-9]\d?)\|(.*)$/s.exec(text) ?? [];
  if (digits === undefined || value === undefined) return undefined;
  const field = Number(digits);
  return [2, 4, 12, 19].includes(field) ? undefined : { field, value };
}

export function writePidLine({ field, value }: PidLine): string {
  return `PID-${field}|${value}`;
}

function components(text: string): Components | undefined {
  return text.includes('~') ? undefined : text.split('^').map((component) => withoutTrailing(component, '&'));
}

function raw(c: Components, position: number): string {
  return c[position - 1] ?? '';
}

/** The first sub-component, unescaped; `restOf` keeps the component whole when there are more. */
function plain(c: Components, position: number): string | undefined {
  const component = raw(c, position);
  const end = component.indexOf('&');
  const text = fromEscaped(end < 0 ? component : component.slice(0, end));
  return text === '' ? undefined : text;
}

function onlyAt(c: Components, positions: readonly number[]): boolean {
  return c.every((component, index) => component === '' || positions.includes(index + 1));
}

/** What the named attributes do not say: other components, and those of several sub-components (an authority is read whole). */
function restOf(c: Components, known: readonly number[]): { rest?: Rest } {
  let rest: Record<string, string> | undefined;
  for (const [index, component] of c.entries()) {
    const position = index + 1;
    if (component === '') continue;
    if (known.includes(position) && (!component.includes('&') || isAuthority(component))) continue;
    rest ??= {};
    rest[position] = component;
  }
  return rest === undefined ? {} : { rest };
}

/** `{}` for an empty component, undefined when malformed. */
function readAuthority(component: string): Authority | undefined {
  const [namespace = '', oid = '', type = '', ...more] = component.split('&');
  if (more.length > 0 || (oid === '') !== (type === '')) return undefined;
  if (oid !== '' && (type !== 'ISO' || !isOid(oid))) return undefined;
  return { ...(oid !== '' && { oid }), ...(namespace !== '' && { namespace: fromEscaped(namespace) }) };
}

function isAuthority(component: string): boolean {
  return /^[^&]*&[\d.]+&ISO$/.test(component);
}

function isNamed({ oid, namespace }: Authority): boolean {
  return oid !== undefined || namespace !== undefined;
}

function writeAuthority(authority: Authority | undefined): string {
  if (authority === undefined) return '';
  const namespace = toEscaped(authority.namespace);
  return authority.oid === undefined ? namespace : `${namespace}&${authority.oid}&ISO`;
}

function write(parts: Readonly<Record<string, string>>, rest: Rest | undefined): string {
  const all = rest === undefined ? parts : { ...parts, ...rest };
  let text = '';
  let at = 1;
  // Keys that are whole numbers come in ascending order.
  for (const key in all) {
    const component = all[key];
    if (component === undefined || component === '') continue;
    const position = Number(key);
    text += '^'.repeat(position - at) + component;
    at = position;
  }
  return text;
}

function withoutTrailing(text: string, delimiter: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === delimiter) end--;
  return end === text.length ? text : text.slice(0, end);
}

function fromEscaped(text: string): string {
  return text.includes('\\') ? text.replace(/\\([FSRTE])\\/g, (_, letter: string) => escapes[letter] ?? '') : text;
}

/** A text as one component: the delimiters of HL7 v2 escaped. */
export function toEscaped(text: string | undefined): string {
  return text === undefined ? '' : text.replace(/[|^~&\\]/g, (character) => escaped[character] ?? '');
}

/** Leaves out what is undefined, as exact optional attributes ask. */
function optional<T extends Record<string, string | undefined>>(values: T): { [K in keyof T]?: string } {
  const present: { [K in keyof T]?: string } = {};
  for (const key in values) {
    const value = values[key];
    if (value !== undefined) present[key] = value;
  }
  return present;
}
