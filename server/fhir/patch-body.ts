import { refuse } from '../domain/error.ts';
import { jsonOf } from './body.ts';
import { isObject, isSaidToBe, type Json, type JsonObject } from './json.ts';
import { formatSent } from './media-type.ts';
import { archivedToken, labelToken, type PatchOperation } from './patch.ts';
import { archivedUrls, fhirJson, fhirXml } from './vocabulary.ts';
import { readXmlPatch } from './xml/patch.ts';
import { readXml } from './xml/read.ts';

/** Media types of a patch: JSON Patch, XML Patch, and Parameters with FHIRPath Patch. */
export const patchTypes = {
  jsonPatch: 'application/json-patch+json',
  xmlPatch: 'application/xml-patch+xml',
  fhirPathPatch: fhirJson,
  fhirPathPatchInXml: fhirXml,
} as const;

/** Bytes of a patch. */
export const longestPatch = 65_536;

/**
 * The operations of a patch that was sent. FHIR R4 http.html#patch, fhirpatch.html; RFC 6902; RFC 5261.
 * @throws Refused mediaTypeUnsupported, notUtf8, notJson, elementMalformed, patchForbidden, and as `readXml`
 */
export async function readPatch(contentType: string, bytes: Buffer): Promise<readonly PatchOperation[]> {
  const type = contentType.split(';')[0]?.trim().toLowerCase();
  if (type === patchTypes.jsonPatch) return jsonPatch(jsonOf(bytes));
  if (type === patchTypes.xmlPatch) return readXmlPatch(bytes);
  const format = formatSent(contentType) ?? refuse('mediaTypeUnsupported', { value: contentType });
  return fhirPathPatch(format === 'json' ? jsonOf(bytes) : await readXml(bytes));
}

function jsonPatch(json: Json): PatchOperation[] {
  if (!isList(json) || json.length === 0) malformed('patch', 'a list of operations is expected');
  return json.map((one, i) => {
    const { op, path, from, value } = isObject(one) ? one : {};
    if (typeof op !== 'string' || typeof path !== 'string') malformed(`[${i}]`, 'op and path are expected');
    if (from !== undefined && typeof from !== 'string') malformed(`[${i}].from`, 'a pointer is expected');
    return {
      op,
      path: pointer(path, `[${i}].path`),
      ...(from !== undefined && { from: pointer(from, `[${i}].from`) }),
      ...(value !== undefined && { value }),
    };
  });
}

/** A pointer, or the form of the DMP's draft guide that names an extension by its URL. RFC 6901; PDSM4DMP. */
function pointer(text: string, at: string): readonly string[] {
  const [, url, more = ''] = /^\/extension\[url\s*[:=]\s*'([^']*)'\]((?:\/\w+)?)$/.exec(text) ?? [];
  if (url !== undefined) return ['extension', extensionToken(url), ...more.split('/').slice(1)];
  if (!text.startsWith('/')) malformed(at, 'a pointer begins with /');
  return text
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function extensionToken(url: string): string {
  return archivedUrls.includes(url) ? archivedToken : refuse('patchForbidden', { expression: `extension('${url}')` });
}

type Part = JsonObject;

/** Parameters with one `operation` for each change. FHIR R4 fhirpatch.html. */
function fhirPathPatch(json: Json): PatchOperation[] {
  const all = isSaidToBe('Parameters', json) ? json['parameter'] : undefined;
  if (!isList(all) || all.length === 0) malformed('Parameters', 'Parameters with operations are expected');
  return all.map((one, i) => {
    const parts = isObject(one) && one['name'] === 'operation' ? one['part'] : undefined;
    if (!isList(parts)) malformed(`Parameters.parameter[${i}]`, 'an operation with its parts is expected');
    return fhirPathOperation(parts.filter(isObject), `Parameters.parameter[${i}]`);
  });
}

function fhirPathOperation(parts: readonly Part[], at: string): PatchOperation {
  const part = (name: string) => parts.find((one) => one['name'] === name);
  const text = (name: string) => {
    const value = valueIn(part(name));
    return typeof value === 'string' ? value : undefined;
  };
  const count = (name: string) => {
    const value = valueIn(part(name));
    return typeof value === 'number' ? String(value) : malformed(at, `${name} is expected`);
  };
  const path = placeOf(text('path') ?? malformed(at, 'path is expected'));
  const value = valueIn(part('value'));
  const given = value === undefined ? {} : { value };
  switch (text('type') ?? '') {
    case 'add': {
      const name = text('name') ?? malformed(at, 'name is expected');
      const isMany = path.length === 0 && (name === 'securityLabel' || name === 'extension');
      return { op: 'add', path: [...path, name, ...(isMany ? ['-'] : [])], ...given };
    }
    case 'insert':
      return { op: 'add', path: [...path, count('index')], ...given };
    case 'delete':
      return { op: 'remove', path };
    case 'replace':
      return { op: 'replace', path, ...given };
    case 'move':
      return { op: 'move', from: [...path, count('source')], path: [...path, count('destination')] };
    default:
      return malformed(at, 'type is add, insert, delete, replace or move');
  }
}

/** The element that a path names, as a pointer; of FHIRPath no more than names what may be changed. */
function placeOf(path: string): readonly string[] {
  if (path === 'DocumentReference') return [];
  const [, element = '', index, code, url, value] =
    /^DocumentReference\.(\w+)(?:\[(\d+)\]|\.where\(coding\.code\s*=\s*'(\w+)'\)|(?:\.where\(url\s*=\s*|\()'([^']+)'\))?(\.value(?:Boolean)?)?$/.exec(
      path,
    ) ?? [];
  if (element === '') refuse('patchForbidden', { expression: path });
  if (url !== undefined) return [element, extensionToken(url), ...(value === undefined ? [] : ['valueBoolean'])];
  const within = index ?? (code === undefined ? undefined : labelToken(code));
  const rest = value === undefined ? [] : ['valueBoolean'];
  return within === undefined ? [element, ...rest] : [element, within, ...rest];
}

/** The value of a part, put together from its parts where it has no type of its own. */
function valueIn(part: Part | undefined): Json | undefined {
  if (part === undefined) return undefined;
  const key = Object.keys(part).find((name) => name.startsWith('value'));
  if (key !== undefined) return part[key];
  const parts = part['part'];
  if (!isList(parts)) return undefined;
  const members = parts.filter(isObject).map((one): readonly [string, Json] => {
    const value = valueIn(one) ?? null;
    const name = typeof one['name'] === 'string' ? one['name'] : '';
    if (name === 'value') return [Object.keys(one).find((k) => k.startsWith('value')) ?? name, value];
    return [name, name === 'coding' ? [value] : value];
  });
  return Object.fromEntries(members);
}

function isList(json: Json | undefined): json is readonly Json[] {
  return Array.isArray(json);
}

function malformed(expression: string, detail: string): never {
  refuse('elementMalformed', { expression, detail });
}
