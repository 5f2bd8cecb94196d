import { type Problem, problem } from '../../domain/error.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { isResource, structureOf } from '../structure.ts';
import { type Around, invariants } from './rules.ts';

/**
 * What breaks the rules of FHIR R4 among elements (`dom-2`, `per-1`, `ref-1`…), in a resource whose structure is sound, and in every resource
 * inside it. FHIR R4 conformance-rules.html#constraints.
 */
export function invariantProblems(resource: JsonObject): readonly Problem[] {
  const found: Problem[] = [];
  const { resourceType } = resource;
  if (typeof resourceType === 'string') checkElement(resource, resourceType, resourceType, aroundOf(resource), found);
  return found;
}

function aroundOf({ contained }: JsonObject): Around {
  const all = Array.isArray(contained) ? (contained as readonly Json[]).filter(isObject) : [];
  return { contained: new Set(all.flatMap(({ id }) => (typeof id === 'string' ? [id] : []))) };
}

function checkElement(element: JsonObject, type: string, at: string, around: Around, found: Problem[]): void {
  const structure = structureOf(type);
  if (structure === undefined) return;
  judge(element, type, type, at, around, found);
  if (isResource(type) && structure.has('contained')) judge(element, 'DomainResource', type, at, around, found);
  // A FHIR document is kept as it came.
  if (type === 'Bundle' && at !== type) return;
  for (const [name, value] of Object.entries(element)) {
    const shape = structure.get(name);
    if (shape === undefined || typeof value !== 'object') continue;
    const children = Array.isArray(value) ? (value as readonly Json[]) : [value];
    for (const [i, child] of children.entries()) {
      if (!isObject(child)) continue;
      const place = Array.isArray(value) ? `${at}.${name}[${i}]` : `${at}.${name}`;
      const { resourceType } = child;
      if (shape.type !== 'Resource') checkElement(child, shape.type, place, around, found);
      else if (typeof resourceType === 'string')
        checkElement(child, resourceType, place, name === 'contained' ? around : aroundOf(child), found);
    }
  }
}

function judge(element: JsonObject, rules: string, type: string, at: string, around: Around, found: Problem[]): void {
  if (!Object.hasOwn(invariants, rules)) return;
  for (const { key, says, keeps } of invariants[rules] ?? [])
    if (!keeps(element, around))
      found.push(problem('invariantBroken', { expression: at, detail: says, rule: `FHIR R4, ${type}: ${key}` }));
}
