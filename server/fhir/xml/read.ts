import { type Problem, problem, Refused, refuse } from '../../domain/error.ts';
import type { XmlElement } from '../../xml/element.ts';
import { decodeUtf8, parseXmlInTurns, type XmlLimits, XmlRejected } from '../../xml/read.ts';
import type { Json } from '../json.ts';
import { type ElementShape, isPrimitive, isResource, type Structure, structureOf } from '../structure.ts';
import { fhirNamespace, xhtml } from '../vocabulary.ts';
import { narrativeFault } from './narrative.ts';

/** The length of values is that of the whole body, which is limited before. */
const limits: XmlLimits = {
  depth: 1000,
  elements: 200_000,
  attributes: 200_000,
  attributesPerElement: 16,
  valueLength: Number.MAX_SAFE_INTEGER,
};

/** Levels of elements in a resource, as deep as JSON may be. */
const deepest = 100;

/** So many are told at once. */
const most = 100;

const schemaInstance = 'http://www.w3.org/2001/XMLSchema-instance';

/**
 * Reads a resource in XML into its JSON form. The order of elements is that of the structure. FHIR R4 xml.html.
 * @throws Refused notUtf8, notXml, xmlForbidden, xmlTooLarge; or with all of elementUnknown and elementMalformed
 */
export async function readXml(bytes: Uint8Array): Promise<Json> {
  const { root, source } = await treeOf(bytes);
  return whole((reading) => readResource(root, root.local, reading, 1), source);
}

/** The XML of a body as a tree. @throws Refused notUtf8, notXml, xmlForbidden, xmlTooLarge */
export async function treeOf(bytes: Uint8Array): Promise<{ readonly root: XmlElement; readonly source: string }> {
  try {
    const source = decodeUtf8(bytes);
    return { root: await parseXmlInTurns(source, limits), source };
  } catch (error) {
    if (error instanceof XmlRejected) refuse(error.problem, { detail: error.detail });
    throw error;
  }
}

/**
 * The elements inside `holder`, which are some of a type, as members of its JSON form. `path` is what problems name.
 * @throws Refused elementUnknown, elementMalformed, all in one
 */
export function readMembers(holder: XmlElement, source: string, type: string, path: string): Members {
  return whole((reading) => {
    const members: Members = {};
    readChildren(holder, members, structureOf(type) ?? new Map(), path, reading, 1);
    return members;
  }, source);
}

/** The value of a primitive; undefined when it is not of its type. FHIR R4 datatypes.html#primitive. */
export function primitiveOf(type: string, text: string): string | number | boolean | undefined {
  switch (type) {
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined;
    case 'integer':
    case 'unsignedInt':
    case 'positiveInt':
      return /^(0|-?[1-9]\d{0,14})$/.test(text) ? Number(text) : undefined;
    case 'decimal':
      return numeral.test(text) && Number.isFinite(Number(text)) ? Number(text) : undefined;
    default:
      return text === '' ? undefined : text;
  }
}

const numeral = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

type Members = Record<string, Json>;
type Reading = { readonly source: string; readonly problems: Problem[] };

function whole<T>(read: (reading: Reading) => T, source: string): T {
  const problems: Problem[] = [];
  const found = read({ source, problems });
  if (problems.length > 0) throw new Refused(problems.slice(0, most));
  return found;
}

function readResource(element: XmlElement, path: string, reading: Reading, depth: number): Json {
  const { namespace, local } = element;
  if (namespace !== fhirNamespace) {
    wrong(reading, path, namespace, `an element of the namespace ${fhirNamespace} is expected`);
    return null;
  }
  if (!isResource(local)) {
    wrong(reading, path, local, 'a resource of FHIR R4 that is known here is expected');
    return null;
  }
  return { resourceType: local, ...readInside(element, structureOf(local), path, reading, depth) };
}

function readInside(
  element: XmlElement,
  structure: Structure = new Map(),
  path: string,
  reading: Reading,
  depth: number,
  besides?: string,
): Members {
  const members: Members = {};
  for (const { namespace, local, value } of element.attributes) {
    if (namespace === '' && local === besides) continue;
    if (namespace === schemaInstance && local === 'schemaLocation' && element.parent === undefined) continue;
    const shape = namespace === '' ? structure.get(local) : undefined;
    if (shape?.isAttribute !== true) unknown(reading, `${path}.@${local}`);
    else if (value === '') wrong(reading, `${path}.${local}`, value, 'a value is expected');
    else members[local] = value;
  }
  readChildren(element, members, structure, path, reading, depth);
  return members;
}

function readChildren(
  element: XmlElement,
  members: Members,
  structure: Structure,
  path: string,
  reading: Reading,
  depth: number,
): void {
  if (reading.problems.length > most) return;
  if (depth > deepest) {
    wrong(reading, path, '', `more than ${deepest} levels`);
    return;
  }
  if (/\S/.test(element.text)) wrong(reading, path, element.text, 'no text is expected between elements');
  const counts = new Map<string, number>();
  let last: ElementShape | undefined;
  for (const child of element.children) {
    if (reading.problems.length > most) return;
    const shape = structure.get(child.local);
    const belongs = child.namespace === (shape?.type === 'xhtml' ? xhtml : fhirNamespace);
    if (shape === undefined || shape.isAttribute || !belongs) {
      unknown(reading, `${path}.${child.local}`, belongs ? undefined : `its namespace is ${quoted(child.namespace)}`);
      continue;
    }
    const { name, isList } = shape;
    const count = counts.get(shape.choice ?? name) ?? 0;
    counts.set(shape.choice ?? name, count + 1);
    const place = isList ? `${path}.${name}[${count}]` : `${path}.${name}`;
    if (!isList && count > 0) wrong(reading, place, '', `one ${shape.choice ?? name} is expected`);
    if (last !== undefined && shape.place < last.place)
      wrong(reading, place, '', `it belongs before ${last.name}: the order is that of the definition`);
    else last = shape;
    readElement(child, shape, members, count, place, reading, depth + 1);
  }
}

function readElement(
  element: XmlElement,
  shape: ElementShape,
  members: Members,
  index: number,
  path: string,
  reading: Reading,
  depth: number,
): void {
  const { name, type } = shape;
  if (type === 'xhtml') members[name] = readNarrative(element, path, reading);
  else if (type === 'Resource') put(members, shape, readHolder(element, path, reading, depth));
  else if (isPrimitive(type)) readPrimitive(element, shape, members, index, path, reading, depth);
  else {
    const inside = readInside(element, structureOf(type), path, reading, depth);
    if (Object.keys(inside).length === 0) wrong(reading, path, '', `${typeName(type)} is expected`);
    put(members, shape, inside);
  }
}

function readPrimitive(
  element: XmlElement,
  shape: ElementShape,
  members: Members,
  index: number,
  path: string,
  reading: Reading,
  depth: number,
): void {
  const { name, type, isList } = shape;
  const written = element.attributes.find(({ namespace, local }) => namespace === '' && local === 'value')?.value;
  const more = readInside(element, structureOf(type), path, reading, depth, 'value');
  const hasMore = Object.keys(more).length > 0;
  const value = written === undefined ? undefined : primitiveOf(type, written);
  if (written === undefined ? !hasMore : value === undefined)
    wrong(reading, path, written ?? '', `${type} is expected`);
  if (!isList) {
    if (value !== undefined) members[name] = value;
    if (hasMore) members[`_${name}`] = more;
    return;
  }
  if (value !== undefined || Array.isArray(members[name])) padded(members, name, index).push(value ?? null);
  if (hasMore || Array.isArray(members[`_${name}`])) padded(members, `_${name}`, index).push(hasMore ? more : null);
}

/** The list of that name, filled with null up to the index. FHIR R4 json.html#primitive. */
function padded(members: Members, name: string, index: number): Json[] {
  const list = listIn(members, name);
  while (list.length < index) list.push(null);
  return list;
}

function put(members: Members, { name, isList }: ElementShape, value: Json): void {
  if (isList) listIn(members, name).push(value);
  else members[name] = value;
}

function listIn(members: Members, name: string): Json[] {
  const there = members[name];
  if (Array.isArray(there)) return there as Json[];
  const list: Json[] = [];
  members[name] = list;
  return list;
}

/** An element that holds one resource. FHIR R4 xml.html, contained and Bundle.entry.resource. */
function readHolder(element: XmlElement, path: string, reading: Reading, depth: number): Json {
  const [child, ...others] = element.children;
  for (const { local } of element.attributes) unknown(reading, `${path}.@${local}`);
  if (/\S/.test(element.text)) wrong(reading, path, element.text, 'no text is expected between elements');
  if (child === undefined || others.length > 0) {
    wrong(reading, path, '', 'one resource is expected');
    return null;
  }
  return readResource(child, path, reading, depth + 1);
}

/** The `div` as it was written. FHIR R4 xml.html, narrative.html. */
function readNarrative({ start, end }: XmlElement, path: string, { source, problems }: Reading): string {
  const div = source.slice(start, end);
  const detail = narrativeFault(div);
  if (detail !== undefined) problems.push(problem('elementMalformed', { expression: path, detail }));
  return div;
}

function unknown({ problems }: Reading, expression: string, detail?: string): void {
  problems.push(problem('elementUnknown', { expression: quoted(expression), ...(detail !== undefined && { detail }) }));
}

function wrong({ problems }: Reading, expression: string, value: string, detail: string): void {
  const shown = value.trim();
  problems.push(problem('elementMalformed', { expression, detail, ...(shown !== '' && { value: quoted(shown) }) }));
}

function typeName(type: string): string {
  return type.includes('.') ? 'an element that is not empty' : type;
}

function quoted(text: string): string {
  return text.slice(0, 200);
}
