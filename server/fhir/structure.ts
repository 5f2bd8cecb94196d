import { readFileSync } from 'node:fs';

/** One element as JSON and XML name it; each type of a choice has its own. */
export type ElementShape = {
  readonly name: string;
  /** A data type, `Resource` for any resource, or the path of an element that is defined in place. */
  readonly type: string;
  /** Its place in the order of XML, which the types of a choice share. */
  readonly place: number;
  readonly min: number;
  readonly isList: boolean;
  /** XML writes it as an attribute. FHIR R4 xml.html. */
  readonly isAttribute: boolean;
  /** The name before `[x]` of a choice, of which one stands. */
  readonly choice?: string;
  /** The value set whose codes alone are taken. */
  readonly valueSet?: string;
};

/** The elements of a type, in the order of XML. */
export type Structure = ReadonlyMap<string, ElementShape>;

/** What profiles/fhir/structures.json says of an element. */
type Defined = {
  readonly path: string;
  readonly min: number;
  readonly max: string;
  readonly representation?: readonly string[];
  readonly contentReference?: string;
  readonly type?: readonly { readonly code: string }[];
  readonly binding?: { readonly valueSet: string };
};
type Definitions = {
  readonly entry: readonly {
    readonly resource: {
      readonly name: string;
      readonly kind: 'primitive-type' | 'complex-type' | 'resource';
      readonly abstract: boolean;
      readonly snapshot: { readonly element: readonly Defined[] };
    };
  }[];
};

type Table = {
  readonly structures: ReadonlyMap<string, Structure>;
  readonly resources: ReadonlySet<string>;
  readonly primitives: ReadonlySet<string>;
};

let table: Table | undefined;

/** The elements of a resource, of a data type or of an element that is defined in place; undefined when it is not known here. */
export function structureOf(type: string): Structure | undefined {
  return known().structures.get(type);
}

/** Whether it is a resource that is read or written here. */
export function isResource(type: string): boolean {
  return known().resources.has(type);
}

/** Whether its value is one text, number or boolean. FHIR R4 datatypes.html#primitive. */
export function isPrimitive(type: string): boolean {
  return known().primitives.has(type);
}

let codes: ReadonlyMap<string, ReadonlySet<string>> | undefined;

/** The codes of a value set, of all its systems; undefined where no list gives them. */
export function codesOf(valueSet: string): ReadonlySet<string> | undefined {
  codes ??= listed();
  return codes.get(valueSet);
}

function listed(): ReadonlyMap<string, ReadonlySet<string>> {
  const file = new URL('../../profiles/fhir/codes.json', import.meta.url);
  const lists = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, string[]>>;
  return new Map(Object.entries(lists).map(([url, systems]) => [url, new Set(Object.values(systems).flat())]));
}

/** Read when it is asked for first: most servers never see a body of FHIR. */
function known(): Table {
  table ??= compiled();
  return table;
}

function compiled(): Table {
  const file = new URL('../../profiles/fhir/structures.json', import.meta.url);
  // Written by scripts/build-profiles.ts, and checked against it.
  const { entry } = JSON.parse(readFileSync(file, 'utf8')) as Definitions;
  const structures = new Map<string, Map<string, ElementShape>>();
  const named = entry.filter(({ resource: { kind, abstract } }) => kind === 'resource' && !abstract);
  const resources = new Set(named.map(({ resource }) => resource.name));
  const primitives = new Set<string>();
  for (const { resource } of entry) {
    if (resource.kind === 'primitive-type' && resource.name !== 'xhtml') primitives.add(resource.name);
    // JSON writes the value of a primitive in its own place.
    const isOwnValue = ({ path }: Defined) => resource.kind === 'primitive-type' && path === `${resource.name}.value`;
    for (const element of resource.snapshot.element) if (!isOwnValue(element)) addTo(structures, element, resources);
  }
  return { structures, resources, primitives };
}

function addTo(
  structures: Map<string, Map<string, ElementShape>>,
  element: Defined,
  resources: ReadonlySet<string>,
): void {
  const dot = element.path.lastIndexOf('.');
  if (dot < 0) {
    structures.set(element.path, new Map());
    return;
  }
  const holder = element.path.slice(0, dot);
  const name = element.path.slice(dot + 1);
  const structure = structures.get(holder) ?? new Map<string, ElementShape>();
  structures.set(holder, structure);
  const shape = {
    place: structure.size,
    min: element.min,
    isList: element.max !== '1',
    isAttribute: element.representation?.includes('xmlAttr') ?? false,
    ...(element.binding && { valueSet: element.binding.valueSet }),
  };
  if (!name.endsWith('[x]')) {
    structure.set(name, { name, type: typeOf(element, resources), ...shape });
    return;
  }
  const choice = name.slice(0, -3);
  for (const { code } of element.type ?? []) {
    const chosen = `${choice}${code.charAt(0).toUpperCase()}${code.slice(1)}`;
    structure.set(chosen, { name: chosen, type: code, ...shape, choice });
  }
}

/** An element that holds a resource of one kind, as outcome of an entry does, is written like one that holds any. */
function typeOf({ path, contentReference, type = [] }: Defined, resources: ReadonlySet<string>): string {
  if (contentReference !== undefined) return contentReference.slice(contentReference.indexOf('#') + 1);
  const [code = ''] = type.map((one) => one.code);
  if (resources.has(code)) return 'Resource';
  return code === 'BackboneElement' || code === 'Element' ? path : code;
}
