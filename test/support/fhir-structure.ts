import { isObject, type Json, type JsonObject } from '../../server/fhir/json.ts';
import { codesOf, type ElementShape, structureOf } from '../../server/fhir/structure.ts';

/** Elements that FHIR R4 does not have, that are missing or whose code no required value set has, in any resource and what it holds. */
export function structureFaults(resource: JsonObject): string[] {
  const { resourceType } = resource;
  return typeof resourceType === 'string' ? faultsIn(resource, resourceType, resourceType) : ['no resourceType'];
}

function faultsIn({ resourceType: _, ...element }: JsonObject, type: string, at: string): string[] {
  const structure = structureOf(type);
  if (structure === undefined) return [`${at}: no type ${type}`];
  const missing = [...structure.values()].filter(
    ({ name, min, choice }) => min > 0 && choice === undefined && element[name] === undefined,
  );
  return [
    ...missing.map(({ name }) => `${at}.${name} is missing`),
    ...Object.entries(element).flatMap(([name, value]) => {
      const shape = structure.get(name.replace(/^_/, ''));
      if (shape === undefined) return [`${at}.${name} is unknown`];
      if (Array.isArray(value) !== shape.isList) return [`${at}.${name} is ${shape.isList ? 'no' : 'a'} list`];
      const values = Array.isArray(value) ? (value as readonly Json[]) : [value];
      if (values.length === 0) return [`${at}.${name} is empty`];
      return name.startsWith('_') ? [] : values.flatMap((one) => faultsOf(one, shape, `${at}.${name}`));
    }),
  ];
}

function faultsOf(value: Json, { type, valueSet }: ElementShape, at: string): string[] {
  if (isObject(value)) {
    if (Object.keys(value).length === 0) return [`${at} is empty`];
    return type === 'Resource' ? structureFaults(value) : faultsIn(value, type, at);
  }
  if (value === '' || value === null) return [`${at} is empty`];
  const codes = valueSet === undefined ? undefined : codesOf(valueSet);
  if (codes === undefined || typeof value !== 'string') return [];
  return codes.has(value) ? [] : [`${at} has the code ${value}`];
}
