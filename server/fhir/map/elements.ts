import type { Extension, Identifier, Meta, Reference } from 'fhir/r4.js';
import type { Slot } from '../../domain/document.ts';
import { isObject, type JsonObject, JsonRejected, parseJson } from '../json.ts';
import { shapeProblems } from '../read/shape.ts';
import { elementsSlot, mhdIdentifierType, understoodUrls } from '../vocabulary.ts';

/** What a document or list says by FHIR and XDS has no attribute for. */
export type Elements = {
  readonly meta?: Pick<Meta, 'source' | 'security' | 'tag'>;
  readonly language?: string;
  readonly extension?: readonly Extension[];
  readonly identifier?: readonly Identifier[];
  /** Of a document, by identifier. */
  readonly custodian?: Reference;
};

/** Characters of one value of a slot. IHE ITI TF-3 4.2.3.1.6. */
const longest = 250;

/**
 * These elements as one slot, in JSON of printable characters without blanks, which XML leaves as they are; none for no element. So they come
 * back by FHIR whichever face the entry went through. IHE ITI TF-3 4.2.3.1.6 (extra metadata).
 */
export function slotsOf(elements: Elements): Slot[] {
  if (Object.keys(elements).length === 0) return [];
  const text = JSON.stringify(elements).replace(
    /[^\u0021-\u007e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const values = Array.from({ length: Math.ceil(text.length / longest) }, (_, i) =>
    text.slice(i * longest, (i + 1) * longest),
  );
  return [{ name: elementsSlot, values }];
}

/** What these slots hold of FHIR, and the others. A slot of that name that was not written so says nothing, and stays a slot. */
export function elementsOf(slots: readonly Slot[]): { readonly elements: Elements; readonly others: readonly Slot[] } {
  const named = slots.filter(({ name }) => name === elementsSlot);
  const [only, ...more] = named;
  const elements = only === undefined || more.length > 0 ? undefined : read(only);
  if (elements === undefined) return { elements: {}, others: slots };
  return { elements, others: slots.filter((slot) => slot !== only) };
}

const names: readonly string[] = ['meta', 'language', 'extension', 'identifier', 'custodian'];

function read(slot: Slot): Elements | undefined {
  const sent = jsonIn(slot.values.join(''));
  if (sent === undefined || !Object.keys(sent).every((name) => names.includes(name))) return undefined;
  const around = { resourceType: 'DocumentReference', status: 'current', content: [{ attachment: { url: 'urn:a' } }] };
  if (shapeProblems({ ...around, ...sent }, 'DocumentReference').length > 0) return undefined;
  // Its structure was checked just now.
  const elements = sent as Elements;
  const { meta = {}, extension = [], identifier = [] } = elements;
  const isOwn =
    Object.keys(meta).every((name) => ['source', 'security', 'tag'].includes(name)) &&
    extension.every(({ url }) => !understoodUrls.includes(url)) &&
    identifier.every(isFurther);
  const [written] = slotsOf(elements);
  const isWritten = written?.values.join('') === slot.values.join('') && written.values.length === slot.values.length;
  return isOwn && isWritten && slot.type === undefined ? elements : undefined;
}

function jsonIn(text: string): JsonObject | undefined {
  try {
    const sent = parseJson(text);
    return isObject(sent) ? sent : undefined;
  } catch (error) {
    if (error instanceof JsonRejected) return undefined;
    throw error;
  }
}

/** Whether it is neither entryUUID nor uniqueId. IHE MHD, slices of identifier by use and by type. */
export function isFurther({ use, type }: Identifier): boolean {
  const isTyped = type?.coding?.some(({ system }) => system === mhdIdentifierType) === true;
  return !isTyped && use !== 'official' && use !== 'usual';
}
