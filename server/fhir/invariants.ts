import { readFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { type Problem, problem } from '../domain/error.ts';
import type { Json } from './json.ts';
import { isObject, type JsonObject } from './profile/path.ts';

/** Characters of a text that are looked at; base64 stays such when cut there. */
const longest = 4096;

/** Contained resources of one; every reference is looked up among them. */
const mostContained = 500;

/** Milliseconds of checking before others get their turn. */
const turn = 10;

/**
 * What breaks the rules of FHIR R4 among elements (`dom-2`, `per-1`, `ref-1`…), in a resource whose structure is sound; entries of a
 * transaction each by itself. Checked by @medplum/core with the definitions in profiles/fhir/structures.json, both loaded when they are needed
 * first. FHIR R4 conformance-rules.html#constraints.
 */
export async function invariantProblems(resource: JsonObject): Promise<readonly Problem[]> {
  checking ??= loaded();
  const check = await checking;
  const { entry, resourceType, type } = resource;
  if (resourceType !== 'Bundle' || type !== 'transaction' || !Array.isArray(entry)) return check(resource, '');
  const entries = (entry as readonly Json[]).filter(isObject);
  const found = [...check({ ...resource, entry: entries.map(({ resource: _, fullUrl: __, ...rest }) => rest) }, '')];
  let since = performance.now();
  for (const [i, one] of entries.entries()) {
    const { resource: inside } = one;
    if (isObject(inside) && inside['resourceType'] !== 'Binary')
      found.push(...check(inside, `Bundle.entry[${i}].resource`));
    if (performance.now() - since < turn) continue;
    await setImmediate();
    since = performance.now();
  }
  return found;
}

/** @param at where the resource stands in another; empty when it stands alone */
type Check = (resource: JsonObject, at: string) => readonly Problem[];

let checking: Promise<Check> | undefined;

async function loaded(): Promise<Check> {
  const { indexStructureDefinitionBundle, OperationOutcomeError, validateResource } = await import('@medplum/core');
  const file = new URL('../../profiles/fhir/structures.json', import.meta.url);
  indexStructureDefinitionBundle(JSON.parse(await readFile(file, 'utf8')));
  return (resource, at) => {
    const { resourceType, contained } = resource;
    const type = typeof resourceType === 'string' ? resourceType : '';
    if (Array.isArray(contained) && contained.length > mostContained)
      return [problem('tooManyEntries', { value: String(contained.length), detail: `${mostContained} contained` })];
    try {
      // What it is, is what is checked.
      validateResource(abridged(resource) as never);
      return [];
    } catch (error) {
      if (!(error instanceof OperationOutcomeError)) throw error;
      return error.outcome.issue.map(({ code, details, expression: [place = type] = [] }) => {
        const expression = at === '' ? place : place.replace(type, at);
        const detail = details?.text ?? '';
        return problem(code === 'invariant' ? 'invariantBroken' : 'elementMalformed', { expression, detail });
      });
    }
  };
}

/** The same with long texts cut short: documents are not looked at. */
function abridged(value: Json): Json {
  if (typeof value === 'string') return value.length > longest ? value.slice(0, longest) : value;
  if (Array.isArray(value)) return (value as readonly Json[]).map(abridged);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inside]) => [key, abridged(inside)]));
}
