import { refuse } from '../../domain/error.ts';
import { attributeOf, type XmlElement } from '../../xml/element.ts';
import type { Json } from '../json.ts';
import { archivedToken, labelToken, onlyToken, type PatchOperation } from '../patch.ts';
import { type ElementShape, isPrimitive, structureOf } from '../structure.ts';
import { archivedUrls, fhirNamespace } from '../vocabulary.ts';
import { primitiveOf, readMembers, treeOf } from './read.ts';

const type = 'DocumentReference';

/**
 * The operations of an XML Patch on a DocumentReference, as those of a JSON Patch. Selectors are paths of elements from the root, each with a
 * position, `extension[@url='…']` or `securityLabel[f:coding/f:code/@value='…']` at most, and an attribute at the end. Where an element is put
 * among others says nothing: the order is that of the resource. RFC 5261; FHIR R4 http.html#patch.
 * @throws Refused notUtf8, notXml, xmlForbidden, xmlTooLarge, elementUnknown, elementMalformed, patchForbidden
 */
export async function readXmlPatch(bytes: Uint8Array): Promise<readonly PatchOperation[]> {
  const { root, source } = await treeOf(bytes);
  if (root.local !== 'diff') malformed(root.local, 'the root of an XML Patch is diff');
  if (root.children.length === 0) malformed('diff', 'operations are expected');
  return root.children.flatMap((element, i) => {
    const at = `diff/${element.local}[${i + 1}]`;
    if (element.namespace !== root.namespace) malformed(at, 'the namespace of diff is expected');
    return operationsOf(element, source, at);
  });
}

function operationsOf(element: XmlElement, source: string, at: string): PatchOperation[] {
  const target = targetOf(element, attributeOf(element, 'sel') ?? malformed(at, 'sel is expected'), at);
  switch (element.local) {
    case 'add':
      return added(element, target, source, at);
    case 'replace':
      return [{ op: 'replace', path: target.path, value: replacement(element, target, source, at) }];
    case 'remove':
      return [{ op: 'remove', path: target.path }];
    default:
      return malformed(at, 'add, replace or remove is expected');
  }
}

/** What a selector selects: an element of a type, or an attribute with the value of that type. */
type Target = {
  readonly path: readonly string[];
  readonly type: string;
  /** The last element of the selector; absent for the resource itself. */
  readonly shape: ElementShape | undefined;
  readonly isValue: boolean;
};

function targetOf(element: XmlElement, selector: string, at: string): Target {
  const [root, ...steps] = stepsOf(selector.trim().replace(/^\//, ''));
  if (root === undefined || nameOf(element, root, at) !== type)
    malformed(`${at}/@sel`, `a path from ${type} is expected`);
  let target: Target = { path: [], type, shape: undefined, isValue: false };
  for (const step of steps) target = stepInto(element, target, step, `${at}/@sel`);
  return target;
}

/** The steps of a path: slashes within brackets divide nothing. */
function stepsOf(selector: string): string[] {
  return selector.match(/(?:[^/[]|\[(?:'[^']*'|"[^"]*"|[^\]'"])*\])+/g) ?? [];
}

function stepInto(element: XmlElement, from: Target, step: string, at: string): Target {
  if (from.isValue) malformed(at, 'nothing stands behind an attribute');
  if (step === '@value' && isPrimitive(from.type)) return { ...from, isValue: true };
  const [name = '', predicate] = split(step);
  const isAttribute = name.startsWith('@');
  const shape = structureOf(from.type)?.get(isAttribute ? name.slice(1) : nameOf(element, name, at));
  if (shape === undefined || shape.isAttribute !== isAttribute)
    refuse('patchForbidden', { expression: step.slice(0, 200) });
  const path = [...from.path, shape.name];
  if (shape.isList) path.push(predicate === undefined ? onlyToken : tokenOf(element, shape.name, predicate, at));
  else if (predicate !== undefined && predicate !== '1') malformed(at, `${shape.name} stands once`);
  return { path, type: shape.type, shape, isValue: isAttribute };
}

function split(step: string): readonly [name: string, predicate: string | undefined] {
  const [, name = step, predicate] = /^([^[]*)\[(.*)\]$/s.exec(step) ?? [];
  return [name, predicate?.trim()];
}

/** Which of several: by position, or by what it holds. */
function tokenOf(element: XmlElement, name: string, predicate: string, at: string): string {
  if (/^[1-9]\d{0,5}$/.test(predicate)) return String(Number(predicate) - 1);
  const [, before = '', value = ''] = /^([^=]*)=\s*'([^']*)'$/.exec(predicate.replaceAll('"', "'")) ?? [];
  const left = before.trimEnd();
  if (name === 'extension' && left === '@url')
    return archivedUrls.includes(value)
      ? archivedToken
      : refuse('patchForbidden', { expression: `extension('${value}')` });
  const path = left.split('/');
  const isCode =
    name === 'securityLabel' &&
    path.length === 3 &&
    nameOf(element, path[0] ?? '', at) === 'coding' &&
    nameOf(element, path[1] ?? '', at) === 'code' &&
    path[2] === '@value';
  return isCode ? labelToken(value) : malformed(at, 'a position, @url or coding/code/@value is expected in brackets');
}

/** The local name, where the prefix stands for FHIR. A name without prefix is of the default namespace. RFC 5261 §4.2.2. */
function nameOf(element: XmlElement, name: string, at: string): string {
  const [, prefix = '', local = ''] = /^(?:([\w.-]+):)?([\w.-]+)$/.exec(name) ?? [];
  let namespace: string | undefined;
  for (let e: XmlElement | undefined = element; e !== undefined && namespace === undefined; e = e.parent)
    namespace = e.declares?.[prefix];
  if (local === '' || namespace !== fhirNamespace)
    malformed(at, `${name.slice(0, 100)} is no element of ${fhirNamespace}`);
  return local;
}

/** Content that is put into an element, beside one of a list, or as an attribute. RFC 5261 §4.3. */
function added(element: XmlElement, target: Target, source: string, at: string): PatchOperation[] {
  const { path, shape } = target;
  const attribute = attributeOf(element, 'type');
  if (attribute !== undefined) {
    const inside = stepInto(element, target, attribute, `${at}/@type`);
    return [{ op: 'add', path: inside.path, value: textValue(element, inside, at) }];
  }
  const position = attributeOf(element, 'pos');
  if (position !== undefined && !['before', 'after', 'prepend'].includes(position))
    malformed(`${at}/@pos`, 'before, after or prepend is expected');
  const isBeside = position === 'before' || position === 'after';
  if (isBeside && (shape === undefined || target.isValue))
    malformed(`${at}/@pos`, 'an element is expected to be beside');
  const holder = isBeside ? parentOf(path, shape) : path;
  const holderType = isBeside ? typeAt(holder) : target.type;
  const members = readMembers(element, source, holderType, at);
  if (target.isValue || Object.keys(members).length === 0) malformed(at, 'elements to add are expected');
  return Object.entries(members).flatMap(([name, value]) =>
    structureOf(holderType)?.get(name)?.isList === true && Array.isArray(value)
      ? (value as readonly Json[]).map((one) => ({ op: 'add', path: [...holder, name, '-'], value: one }))
      : [{ op: 'add', path: [...holder, name], value }],
  );
}

function parentOf(path: readonly string[], shape: ElementShape | undefined): readonly string[] {
  return path.slice(0, shape?.isList === true ? -2 : -1);
}

/** The type of what stands at a path; positions in lists say nothing of it. */
function typeAt(path: readonly string[]): string {
  return path.reduce((holder, token) => structureOf(holder)?.get(token)?.type ?? holder, type);
}

function replacement(element: XmlElement, target: Target, source: string, at: string): Json {
  const { shape, path } = target;
  if (target.isValue) return textValue(element, target, at);
  if (shape === undefined) refuse('patchForbidden', { expression: type });
  const members = readMembers(element, source, typeAt(parentOf(path, shape)), at);
  const given = members[shape.name];
  if (Object.keys(members).length !== 1 || given === undefined) malformed(at, `one ${shape.name} is expected`);
  if (!shape.isList) return given;
  const [one, ...more] = Array.isArray(given) ? (given as readonly Json[]) : [];
  return one === undefined || more.length > 0 ? malformed(at, `one ${shape.name} is expected`) : one;
}

function textValue(element: XmlElement, target: Target, at: string): Json {
  if (!target.isValue || element.children.length > 0) malformed(at, 'text is expected as the value of an attribute');
  return primitiveOf(target.type, element.text.trim()) ?? malformed(at, `${target.type} is expected`);
}

function malformed(expression: string, detail: string): never {
  refuse('elementMalformed', { expression, detail });
}
