import { isDeepStrictEqual } from 'node:util';
import type { Extension, FhirResource } from 'fhir/r4.js';
import { type Problem, type ProblemName, problem } from '../../domain/error.ts';

/** A resource that is being read. */
export type Source = {
  /** Its name in problems: the id of its draft. */
  readonly object: string;
  /** Its FHIRPath within what was sent. */
  readonly path: string;
  readonly contained: readonly FhirResource[];
  /** The resource of another entry of the Bundle. */
  readonly elsewhere?: (reference: string) => FhirResource | undefined;
  /** What is found wrong goes here. */
  readonly problems: Problem[];
};

/** Reports what is wrong with an attribute, `at` an element below the resource. */
export function report(
  source: Source,
  name: ProblemName,
  attribute: string,
  at: string,
  more: { readonly value?: string; readonly detail?: string } = {},
): undefined {
  const { object, path, problems } = source;
  problems.push(problem(name, { object, attribute, expression: `${path}.${at}`, ...more }));
}

/**
 * The resource that a reference names, contained or in another entry of the Bundle, with where it stands: what it refers to itself is looked
 * up there. FHIR R4 references.html#contained, bundle.html#references.
 */
export function resolvedIn<S extends Source>(
  source: S,
  reference: string | undefined,
): { readonly resource: FhirResource; readonly source: S } | undefined {
  if (reference === undefined) return undefined;
  if (reference.startsWith('#')) {
    const resource = source.contained.find(({ id }) => id === reference.slice(1));
    return resource && { resource, source };
  }
  const resource = source.elsewhere?.(reference);
  if (resource === undefined) return undefined;
  // What a contained resource is says its resourceType.
  const contained = ('contained' in resource ? (resource.contained ?? []) : []) as readonly FhirResource[];
  return { resource, source: { ...source, contained } };
}

/** The extensions of that URL. */
export function extensionsOf(
  element: { extension?: Extension[] | undefined } | undefined,
  ...urls: readonly string[]
): Extension[] {
  return element?.extension?.filter(({ url }) => urls.includes(url)) ?? [];
}

/** The HL7 v2 text by which one of our own writers keeps an element whole. */
export function hl7v2TextOf(element: { extension?: Extension[] | undefined }, url: string): string | undefined {
  return extensionsOf(element, url)[0]?.valueString;
}

/**
 * The value that an extension of ours holds, when the element around it says the same: it is what is written for the value. Otherwise the two
 * contradict each other, which is reported.
 */
export function agreeing<T>(
  source: Source,
  text: string,
  read: (text: string) => T | undefined,
  rewritten: (value: T) => unknown,
  element: unknown,
  attribute: string,
  at: string,
): T | undefined {
  const value = read(text);
  if (value === undefined) return report(source, 'attributeMalformed', attribute, at, { value: text });
  if (isDeepStrictEqual(JSON.parse(JSON.stringify(rewritten(value))), element)) return value;
  return report(source, 'attributesContradict', attribute, at, {
    value: text,
    detail: 'the HL7 v2 text in the extension and the elements differ',
  });
}

/** Leaves out what is undefined, as exact optional attributes ask. */
export function present<T extends Record<string, unknown>>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // Object.entries forgets which key has which value.
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
