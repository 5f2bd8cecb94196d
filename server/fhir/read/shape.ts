import type { Bundle, FhirResource, Resource } from 'fhir/r4.js';
import { type Problem, problem, Refused } from '../../domain/error.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { codesOf, type ElementShape, isPrimitive, type Structure, structureOf } from '../structure.ts';
import { narrativeFault } from '../xml/narrative.ts';

/** Elements that FHIR has and that are not taken, because the record cannot keep or obey what they say. IHE MHD 4.2.3, cardinalities of 0. */
const refused: Readonly<Record<string, readonly string[]>> = {
  Bundle: ['total', 'link', 'signature'],
  'Bundle.entry': ['link', 'search', 'response'],
  List: ['encounter', 'orderedBy', 'emptyReason'],
  'List.entry': ['flag', 'deleted', 'date'],
  DocumentReference: ['docStatus'],
  Group: ['characteristic'],
  CareTeam: ['encounter', 'reasonCode', 'reasonReference', 'telecom', 'note'],
  Device: ['statusReason', 'specialization', 'safety', 'parent'],
};

/** Lists of which one is taken. IHE MHD 4.2.3, DocumentReference.content. */
const single: ReadonlySet<string> = new Set(['DocumentReference.content']);

const people = ['Patient', 'Practitioner', 'PractitionerRole', 'Organization', 'Device'];

/** Which resources stand where: by the element that holds them, or in what is contained by any other resource. */
const places: Readonly<Record<string, readonly string[]>> = {
  contained: people,
  'Consent.contained': [...people, 'CareTeam', 'Group'],
  'Parameters.parameter.resource': ['Patient'],
  'Bundle.entry.resource': ['List', 'DocumentReference', 'Binary', 'Bundle', 'Parameters', ...people],
};

const text = (pattern: RegExp) => (value: Json) => typeof value === 'string' && pattern.test(value);
const whole = (least: number) => (value: Json) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= least;
const day = '\\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\\d|3[01]))?)?';
const hour = '([01]\\d|2[0-3]):[0-5]\\d:([0-5]\\d|60)(\\.\\d+)?';
const clock = `\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T${hour}(Z|[+-]\\d\\d:\\d\\d)`;
const anyText = text(/\S/);
const anyUri = text(/^\S+$/);

/** FHIR R4 datatypes.html#primitive. */
const primitives: Readonly<Record<string, (value: Json) => boolean>> = {
  string: anyText,
  markdown: anyText,
  code: text(/^\S+( \S+)*$/),
  uri: anyUri,
  url: anyUri,
  canonical: anyUri,
  oid: text(/^urn:oid:[0-2](\.(0|[1-9]\d*))+$/),
  uuid: text(/^urn:uuid:[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i),
  id: text(/^[A-Za-z0-9.-]{1,64}$/),
  base64Binary: (value) => typeof value === 'string' && /^[A-Za-z0-9+/\s]+={0,2}$/.test(value.trimEnd()),
  date: text(new RegExp(`^${day}$`)),
  dateTime: text(new RegExp(`^(${day}|${clock})$`)),
  instant: text(new RegExp(`^${clock}$`)),
  time: text(new RegExp(`^${hour}$`)),
  boolean: (value) => typeof value === 'boolean',
  integer: whole(Number.MIN_SAFE_INTEGER),
  unsignedInt: whole(0),
  positiveInt: whole(1),
  decimal: (value) => typeof value === 'number',
};

/** So many are told at once. */
const most = 100;

/**
 * What is wrong with the structure of a resource: resourceType, unknown elements, cardinality, types, codes of required bindings. Modifier
 * extensions and rules by which a resource has to be understood are not known, and refused. FHIR R4 json.html, datatypes.html,
 * extensibility.html#modifierExtension, resource-definitions.html#Resource.implicitRules; IHE MHD 4.2.3.
 */
export function shapeProblems(resource: Json, type: string): Problem[] {
  const problems: Problem[] = [];
  checkResource(resource, [type], type, problems);
  return problems.slice(0, most);
}

export type ResourceType = FhirResource['resourceType'];

/** The resource of FHIR R4 by that name. */
export type ResourceOf<T extends ResourceType> = T extends 'Bundle'
  ? Bundle<FhirResource>
  : Extract<FhirResource, { resourceType: T }>;

/** What was sent, typed as the resource that it is; undefined with what is wrong with its structure. */
export function shapeOf<T extends ResourceType>(
  sent: Json,
  type: T,
): { readonly resource: ResourceOf<T> | undefined; readonly problems: readonly Problem[] } {
  const problems = shapeProblems(sent, type);
  // The one place where JSON becomes a resource: its structure was checked just now.
  return { resource: problems.length === 0 ? (sent as unknown as ResourceOf<T>) : undefined, problems };
}

/** What was sent, typed as the resource that it is. @throws Refused with what is wrong with its structure */
export function shaped<T extends ResourceType>(sent: Json, type: T): ResourceOf<T> {
  const { resource, problems } = shapeOf(sent, type);
  if (resource === undefined) throw new Refused(problems);
  return resource;
}

/** Whether a resource that stands within another is of this type; its structure was checked with that of the other. */
export function isA<T extends ResourceType>(resource: Resource | undefined, type: T): resource is ResourceOf<T> {
  return resource?.resourceType === type;
}

type Found = Problem[];
function checkResource(value: Json, allowed: readonly string[], path: string, found: Found): void {
  if (!isObject(value)) {
    wrong(found, path, value, `a ${allowed.join(', ')} is expected`);
    return;
  }
  const { resourceType, ...members } = value;
  if (typeof resourceType !== 'string' || !allowed.includes(resourceType))
    wrong(found, `${path}.resourceType`, resourceType ?? null, `${allowed.join(', ')} is expected`);
  else if (resourceType === 'Bundle' && path !== 'Bundle') checkDocument(members, path, found);
  else checkElements(members, resourceType, path, found);
}

/** A FHIR document, which is kept as it came: its resources are looked at no further. FHIR R4 bundle.html, bdl-9 to bdl-11. */
function checkDocument({ entry, ...members }: JsonObject, path: string, found: Found): void {
  const entries = listOf(entry);
  if (entry === undefined) missing(found, `${path}.entry`);
  else if (entries.length === 0) wrong(found, `${path}.entry`, entry, 'a list that is not empty is expected');
  for (const [i, one] of entries.entries())
    if (!isObject(one)) wrong(found, `${path}.entry[${i}]`, one, 'an element is expected');
  const { type = 'document' } = members;
  if (type !== 'document') wrong(found, `${path}.type`, type, 'document is expected');
  for (const name of ['identifier', 'timestamp']) if (!Object.hasOwn(members, name)) missing(found, `${path}.${name}`);
  checkElements(members, 'Bundle', path, found, []);
}

function checkElements(value: JsonObject, type: string, path: string, found: Found, not = refused[type] ?? []): void {
  if (found.length > most) return;
  const structure = structureOf(type) ?? nothing;
  const there = new Set<string>();
  for (const [name, inside] of Object.entries(value)) {
    if (found.length > most) return;
    const shape = modifying.has(name) || not.includes(name) ? undefined : structure.get(name);
    if (shape === undefined) {
      if (!isOfPrimitive(name, inside, structure))
        found.push(problem('elementUnknown', { expression: `${path}.${name}` }));
      continue;
    }
    const group = shape.choice ?? name;
    if (there.has(group)) wrong(found, `${path}.${name}`, null, `one ${group} is expected`);
    there.add(group);
    checkCount(inside, shape, type, `${path}.${name}`, found);
  }
  for (const name of requiredIn(structure)) if (!there.has(name)) missing(found, `${path}.${name}`);
}

/** Elements that change what the others mean. */
const modifying: ReadonlySet<string> = new Set(['modifierExtension', 'implicitRules']);

const nothing: Structure = new Map();
const required = new WeakMap<Structure, readonly string[]>();

/** Elements, and choices, of which one at least stands. */
function requiredIn(structure: Structure): readonly string[] {
  const known = required.get(structure);
  if (known !== undefined) return known;
  const asked = [...structure.values()].filter(({ min }) => min > 0).map(({ name, choice }) => choice ?? name);
  const names = [...new Set(asked)];
  required.set(structure, names);
  return names;
}

/** `_name` holds id and extensions of a primitive element. FHIR R4 json.html#primitive. */
function isOfPrimitive(name: string, inside: Json, structure: Structure): boolean {
  const shape = name.startsWith('_') ? structure.get(name.slice(1)) : undefined;
  return shape !== undefined && isPrimitive(shape.type) && typeof inside === 'object' && inside !== null;
}

function checkCount(value: Json, shape: ElementShape, holder: string, path: string, found: Found): void {
  const { name, isList } = shape;
  const values = isList ? listOf(value) : [value];
  if (values.length === 0) wrong(found, path, value, 'a list that is not empty is expected');
  if (values.length > 1 && single.has(`${holder}.${name}`))
    wrong(found, `${path}[1]`, values[1] ?? null, 'one is expected');
  for (const [i, one] of values.entries()) {
    if (found.length > most) return;
    checkValue(one, shape, holder, isList ? `${path}[${i}]` : path, found);
  }
}

function checkValue(value: Json, shape: ElementShape, holder: string, path: string, found: Found): void {
  const { name, type } = shape;
  const isRight = primitives[type];
  if (type === 'Resource') checkResource(value, places[`${holder}.${name}`] ?? places[name] ?? [], path, found);
  else if (type === 'xhtml') checkNarrative(value, path, found);
  else if (isRight === undefined) checkInside(value, type, path, found);
  else if (!isRight(value)) wrong(found, path, value, `${type} is expected`);
  else if (shape.valueSet !== undefined) checkCode(value, shape.valueSet, path, found);
}

function checkInside(value: Json, type: string, path: string, found: Found): void {
  if (isObject(value) && Object.keys(value).length > 0) checkElements(value, type, path, found);
  else wrong(found, path, value, type.includes('.') ? 'an element is expected' : `${type} is expected`);
}

function checkNarrative(value: Json, path: string, found: Found): void {
  const fault = typeof value === 'string' ? narrativeFault(value) : 'xhtml is expected';
  if (fault !== undefined) wrong(found, path, null, fault);
}

/** FHIR R4 terminologies.html#required. */
function checkCode(value: Json, valueSet: string, path: string, found: Found): void {
  const codes = codesOf(valueSet);
  if (codes === undefined || (typeof value === 'string' && codes.has(value))) return;
  const expected = codes.size > 12 ? `a code of ${valueSet}` : `one of ${[...codes].join(', ')}`;
  wrong(found, path, value, `${expected} is expected`);
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function missing(found: Found, expression: string): void {
  found.push(problem('elementMissing', { expression }));
}

function wrong(found: Found, expression: string, value: Json, detail: string): void {
  const shown = typeof value === 'object' ? undefined : String(value).slice(0, 100);
  found.push(problem('elementMalformed', { expression, detail, ...(shown !== undefined && { value: shown }) }));
}
