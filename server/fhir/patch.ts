import { isDeepStrictEqual } from 'node:util';
import type { DocumentReference } from 'fhir/r4.js';
import { type AvailabilityStatus, type VisibilityCode, visibilityCodes } from '../domain/document.ts';
import { refuse } from '../domain/error.ts';
import type { Wish } from '../usecases/visibility.ts';
import { statusesShownAs } from './document-status.ts';
import type { Json } from './json.ts';
import { archivedUrls, extensions } from './vocabulary.ts';

/** One operation of a JSON Patch, its pointers taken apart. RFC 6902. */
export type PatchOperation = {
  readonly op: string;
  readonly path: readonly string[];
  readonly from?: readonly string[];
  readonly value?: Json;
};

/** Tokens that stand for a place by what it holds: the extension isArchived, the label of a code, the one that a list has. */
export const archivedToken = '?isArchived';
export const onlyToken = '?only';
export const labelToken = (code: string) => `?${code}`;

/**
 * What a patch wants of a document. Status, securityLabel and the extension isArchived may be touched and nothing else. A visibility code adds to
 * the basic level, which stays: where it takes its place the document is hidden, and where the basic level is put in its own place the document
 * is masked, and hidden from the patient, no more. CI-SIS PDSm, flow 3; DMP TD3.3a to d.
 * @throws Refused patchForbidden, patchFailed, codeNotAllowed, elementMalformed
 */
export function wishOf(operations: readonly PatchOperation[], before: DocumentReference): Wish {
  // Copies, of which one is changed part by part.
  const [resource, former] = [copyOf(before), copyOf(before)];
  for (const operation of operations) apply(resource, tolerated(located(operation, resource), resource));
  checkRest(resource, former);
  const levels = listAt(former, 'securityLabel').map(codeOf);
  const [had, wanted] = [labelsOf(former, levels), labelsOf(resource, levels)];
  const status = statusOf(former, resource);
  return {
    hide: wanted.filter((code) => !had.includes(code)),
    show: had.filter((code) => !wanted.includes(code)),
    ...(status !== undefined && { status }),
  };
}

type Node = string | number | boolean | null | Node[] | { [key: string]: Node };
type Resource = { [key: string]: Node };

function copyOf(value: unknown): Resource {
  // A FHIR resource is a JSON object.
  return JSON.parse(JSON.stringify(value)) as Resource;
}

const patchable = ['status', 'securityLabel', 'extension'];

/** With a position where the one that a list has is meant. */
function located(operation: PatchOperation, resource: Resource): PatchOperation {
  const path: string[] = [];
  for (const token of operation.path) {
    if (token !== onlyToken) path.push(token);
    else {
      const list = at(resource, path);
      if (!Array.isArray(list) || list.length !== 1) failed(`not one, but several are at ${shown(path)}`);
      path.push('0');
    }
  }
  return { ...operation, path };
}

/** The forms of the DMP's draft guide in those of RFC 6902. */
function tolerated(operation: PatchOperation, resource: Resource): PatchOperation {
  const { op, path } = operation;
  const [root = '', second = '', third] = path;
  if (op !== 'test' && !patchable.includes(root)) forbidden(root);
  if (root === 'extension' && third === 'valueBoolean' && path.length === 3) {
    const all = listAt(resource, 'extension');
    const at = all.findIndex(isArchived);
    if (second !== archivedToken && isArchived(all[Number(second)] ?? null)) return operation;
    if (op === 'test') return at < 0 ? operation : { ...operation, path: [root, String(at), third] };
    if (at >= 0) return { ...operation, path: [root, String(at), third] };
    const value = { url: extensions.isArchived, valueBoolean: operation.value ?? null };
    return op === 'remove' ? operation : { op: 'add', path: [root, '-'], value };
  }
  if (root === 'extension' && second === archivedToken) {
    const at = listAt(resource, 'extension').findIndex(isArchived);
    return { ...operation, path: [root, at < 0 ? '-' : String(at), ...path.slice(2)] };
  }
  if (root === 'securityLabel' && second.startsWith('?')) {
    const at = listAt(resource, root).findIndex((label) => labelToken(codeOf(label)) === second);
    return { ...operation, path: [root, String(at), ...path.slice(2)] };
  }
  return operation;
}

function apply(resource: Resource, operation: PatchOperation): void {
  const { op, path, from, value } = operation;
  switch (op) {
    case 'add':
      add(resource, path, needed(value));
      break;
    case 'remove':
      remove(resource, path);
      break;
    case 'replace':
      replace(resource, path, needed(value));
      break;
    case 'move':
      if (!patchable.includes(from?.[0] ?? '')) forbidden(from?.[0] ?? '');
      add(resource, path, remove(resource, from ?? []));
      break;
    case 'copy':
      add(resource, path, structuredClone(at(resource, from ?? [])));
      break;
    case 'test':
      if (!isDeepStrictEqual(at(resource, path), needed(value))) failed(`test of ${shown(path)}`);
      break;
    default:
      failed(`operation ${op}`);
  }
}

function replace(resource: Resource, path: readonly string[], value: Node): void {
  const [root, index] = path;
  const isBasic = root === 'securityLabel' && path.length === 2 && codeOf(value) === codeOf(at(resource, path));
  remove(resource, path);
  add(resource, path, value);
  if (isBasic && !isVisibility(codeOf(value)) && index !== undefined)
    resource['securityLabel'] = listAt(resource, 'securityLabel').filter(
      (label) => !['MASQUE_PS', 'INVISIBLE_PATIENT'].includes(codeOf(label)),
    );
}

function add(resource: Resource, path: readonly string[], value: Node): void {
  const { holder, key } = holderOf(resource, path);
  if (!Array.isArray(holder)) {
    holder[key] = value;
    return;
  }
  const index = key === '-' ? holder.length : indexIn(key, path);
  if (index > holder.length) failed(`nothing is at ${shown(path)}`);
  holder.splice(index, 0, value);
}

function remove(resource: Resource, path: readonly string[]): Node {
  const found = at(resource, path);
  const { holder, key } = holderOf(resource, path);
  if (Array.isArray(holder)) holder.splice(indexIn(key, path), 1);
  else delete holder[key];
  return found;
}

function holderOf(resource: Resource, path: readonly string[]): { holder: Node[] | Resource; key: string } {
  const key = path.at(-1);
  // A list that is absent is empty: FHIR has no empty ones.
  if (path.length === 2 && (path[0] === 'extension' || path[0] === 'securityLabel'))
    resource[path[0]] = listAt(resource, path[0]);
  const holder = path.length > 1 ? at(resource, path.slice(0, -1)) : resource;
  if (key === undefined || typeof holder !== 'object' || holder === null) failed(`nothing is at ${shown(path)}`);
  return { holder, key };
}

function at(resource: Resource, path: readonly string[]): Node {
  let node: Node = resource;
  for (const token of path) {
    let next: Node | undefined;
    if (Array.isArray(node)) next = node[indexIn(token, path)];
    else if (typeof node === 'object' && node !== null && Object.hasOwn(node, token)) next = node[token];
    if (next === undefined) failed(`nothing is at ${shown(path)}`);
    node = next;
  }
  return node;
}

function indexIn(token: string, path: readonly string[]): number {
  if (!/^(0|[1-9]\d{0,5})$/.test(token)) failed(`nothing is at ${shown(path)}`);
  return Number(token);
}

function listAt(resource: Resource, name: string): Node[] {
  const list = resource[name] ?? [];
  return Array.isArray(list) ? list : malformed(name, 'a list is expected');
}

function needed(value: Json | undefined): Node {
  if (value === undefined) failed('an operation without value');
  return JSON.parse(JSON.stringify(value)) as Node;
}

/** Nothing but the three elements has changed, whatever way the operations took. */
function checkRest(resource: Resource, before: Resource): void {
  const rest = ({ status: _status, securityLabel: _labels, extension: _extension, ...others }: Resource) => others;
  if (!isDeepStrictEqual(rest(resource), rest(before))) forbidden('');
  const others = (of: Resource) => listAt(of, 'extension').filter((extension) => !isArchived(extension));
  if (!isDeepStrictEqual(others(resource), others(before))) forbidden('extension');
  if (listAt(resource, 'extension').filter(isArchived).length > 1) malformed('extension', 'isArchived stands once');
}

function isArchived(extension: Node): boolean {
  return isObject(extension) && archivedUrls.some((url) => url === extension['url']);
}

/** The visibility codes of a resource; beside them its basic level, and no other. Systems are those of the code's name. */
function labelsOf(resource: Resource, levels: readonly string[]): VisibilityCode[] {
  const codes = listAt(resource, 'securityLabel').map(codeOf);
  for (const value of codes)
    if (!isVisibility(value) && !levels.includes(value))
      refuse('codeNotAllowed', { attribute: 'securityLabel', expression: 'DocumentReference.securityLabel', value });
  return visibilityCodes.filter((code) => codes.includes(code));
}

function codeOf(label: Node): string {
  const coding = isObject(label) ? label['coding'] : undefined;
  const [first, second] = Array.isArray(coding) ? coding : [];
  if (second !== undefined) malformed('securityLabel', 'one coding in each is expected');
  const code = first !== undefined && isObject(first) ? first['code'] : undefined;
  return typeof code === 'string' ? code : malformed('securityLabel', 'coding with code is expected');
}

function isVisibility(code: string): boolean {
  return visibilityCodes.some((known) => known === code);
}

/** The new status, or undefined where it stays. What leaves the archive, or enters it, does so whatever else its status is. */
function statusOf(before: Resource, after: Resource): AvailabilityStatus | undefined {
  const status = after['status'];
  const [named] = (typeof status === 'string' && statusesShownAs.get(status)) || [];
  if (named === undefined) malformed('status', 'current, superseded or entered-in-error is expected');
  const [was, is] = [archivedIn(before), archivedIn(after)];
  if (named === 'deleted') return named;
  if (was !== is) return is ? 'archived' : named;
  return before['status'] === status ? undefined : named;
}

function archivedIn(resource: Resource): boolean {
  const found = listAt(resource, 'extension').find(isArchived);
  if (found === undefined || !isObject(found)) return false;
  const value = found['valueBoolean'];
  return typeof value === 'boolean' ? value : malformed('extension', 'valueBoolean is expected');
}

function isObject(node: Node): node is Resource {
  return typeof node === 'object' && node !== null && !Array.isArray(node);
}

function shown(path: readonly string[]): string {
  return `/${path.join('/')}`;
}

function forbidden(root: string): never {
  refuse('patchForbidden', { expression: root === '' ? 'DocumentReference' : `DocumentReference.${root}` });
}

function failed(detail: string): never {
  refuse('patchFailed', { detail });
}

function malformed(element: string, detail: string): never {
  refuse('elementMalformed', { expression: `DocumentReference.${element}`, detail });
}
