import fc from 'fast-check';
import type { Json } from '../../server/fhir/json.ts';
import { type ElementShape, isPrimitive, structureOf } from '../../server/fhir/structure.ts';

type Members = Record<string, Json>;

/** Resources of these types hold others. */
const types = [
  'Patient',
  'DocumentReference',
  'Consent',
  'List',
  'Bundle',
  'Parameters',
  'AuditEvent',
  'OperationOutcome',
];
/** The deepest element is a primitive or left out. */
const deepest = 3;

/** Any resource that has elements of its structure, in any number, with ids and extensions of primitives; nothing else is true of it. */
export function anyResource(gen: fc.GeneratorValue, depth = 0): Json {
  const resourceType = gen(() => fc.constantFrom(...types));
  return { resourceType, ...members(gen, resourceType, depth) };
}

function members(gen: fc.GeneratorValue, type: string, depth: number): Members {
  const shapes = [...(structureOf(type) ?? [])]
    .map(([, shape]) => shape)
    .filter((shape) => depth < deepest || isLeaf(shape));
  const chosen = new Map<string, ElementShape>();
  for (const shape of gen(() => fc.subarray(shapes, { minLength: 1, maxLength: Math.min(3, shapes.length) })))
    chosen.set(shape.choice ?? shape.name, shape);
  return Object.assign({}, ...[...chosen.values()].map((shape) => member(gen, shape, depth))) as Members;
}

function isLeaf({ type, isAttribute }: ElementShape): boolean {
  return isAttribute || type === 'xhtml' || isPrimitive(type);
}

function member(gen: fc.GeneratorValue, shape: ElementShape, depth: number): Members {
  const { name, type, isList, isAttribute } = shape;
  const one = () => valueOfType(gen, type, depth + 1);
  const count = isList ? gen(() => fc.integer({ min: 1, max: 2 })) : 1;
  const values = Array.from({ length: count }, one);
  const [first = ''] = values;
  if (isAttribute || !isPrimitive(type)) return { [name]: isList ? values : first };
  const kinds = values.map(() =>
    gen(() => fc.constantFrom<'value' | 'more' | 'both'>('value', 'value', 'more', 'both')),
  );
  const more: Json = { id: 'x1', extension: [{ url: 'urn:a:b', valueString: 'c' }] };
  const plain = values.map((value, i) => (kinds[i] === 'more' ? null : value));
  const beside = kinds.map((kind) => (kind === 'value' ? null : more));
  return {
    ...(plain.some((value) => value !== null) && { [name]: isList ? plain : first }),
    ...(beside.some((value) => value !== null) && { [`_${name}`]: isList ? beside : more }),
  };
}

function valueOfType(gen: fc.GeneratorValue, type: string, depth: number): Json {
  switch (type) {
    case 'boolean':
      return gen(fc.boolean);
    case 'integer':
      return gen(() => fc.integer());
    case 'unsignedInt':
    case 'positiveInt':
      return gen(() => fc.nat());
    case 'decimal':
      return gen(() => fc.double({ noNaN: true, noDefaultInfinity: true })) + 0;
    case 'xhtml':
      return `<div xmlns="http://www.w3.org/1999/xhtml"><p>${gen(() => fc.stringMatching(/^[a-z ]{0,9}$/))}.</p></div>`;
    case 'Resource':
      return anyResource(gen, depth);
    default:
      return isPrimitive(type) ? gen(text) : members(gen, type, depth);
  }
}

/** Whatever XML can hold; a value is not empty. XML 1.0 §2.2. */
function text(): fc.Arbitrary<string> {
  return fc
    .string({ unit: 'binary', minLength: 1, maxLength: 12 })
    .map((value) => value.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '.'));
}
