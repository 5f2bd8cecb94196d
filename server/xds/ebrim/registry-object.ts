import type { LocalizedText, Slot } from '../../domain/document.ts';
import { type About, type Problem, type ProblemName, problem } from '../../domain/error.ts';
import { isUuid } from '../../domain/identifier.ts';
import { attributeOf, child, childrenOf, type XmlElement } from '../../xml/element.ts';
import { slotValues } from '../only-child.ts';
import { namespace } from '../vocabulary.ts';

const { rim } = namespace;

/** A registry object (or a classification of it) while it is read: what is wrong with it is added to `problems`. */
export type Source = {
  readonly element: XmlElement;
  /** The id that the message gives the object. */
  readonly id: string;
  readonly slots: ReadonlyMap<string, Slot>;
  /** Its classifications by their scheme. */
  readonly classified: ReadonlyMap<string, readonly XmlElement[]>;
  readonly problems: Problem[];
};

/** How a text of a data type is read, and what it has to be in words, for whoever wrote it otherwise. IHE ITI TF-3 table 4.2.3.1.7-2. */
export type DataType<T> = { readonly read: (text: string) => T | undefined; readonly form: string };

/** An id as it is compared: UUIDs in lower case, symbolic ids as they are. */
export function readId(text: string | undefined): string {
  const id = text?.trim() ?? '';
  return isUuid(id) ? id.toLowerCase() : id;
}

/** Opens an object; a missing id, a repeated or nameless slot and a value longer than ebRIM allows are problems. */
export function openObject(element: XmlElement, problems: Problem[]): Source {
  const id = readId(attributeOf(element, 'id'));
  if (id === '') problems.push(problem('attributeMissing', { attribute: 'id', object: element.local }));
  const classified = Map.groupBy(
    childrenOf(element, rim, 'Classification'),
    (c) => attributeOf(c, 'classificationScheme')?.trim().toLowerCase() ?? '',
  );
  return { element, id, problems, slots: readSlots(element, id, problems), classified };
}

/** Opens a classification of an object: its own slots, the object's id. */
export function openClassification({ id, problems }: Source, element: XmlElement): Source {
  return { element, id, problems, slots: readSlots(element, id, problems), classified: none };
}

/** Adds a problem about this object. */
export function report({ id, problems }: Source, name: ProblemName, about: About): void {
  problems.push(problem(name, { object: id, ...about }));
}

/** The values of a slot, without the white space around them; empty ones are none. */
export function values({ slots }: Source, slot: string): string[] {
  return (slots.get(slot)?.values ?? []).map((value) => value.trim()).filter((value) => value !== '');
}

/** The one value of a slot. */
export function value(source: Source, slot: string): string | undefined {
  const [first, ...more] = values(source, slot);
  if (more.length > 0) report(source, 'attributeRepeated', { attribute: slot });
  return first;
}

/** The one value of a slot in its data type. */
export function typed<T>(source: Source, slot: string, type: DataType<T>): T | undefined {
  return inType(source, slot, value(source, slot), type);
}

/** All values of a slot in their data type; malformed ones are left out. */
export function typedAll<T>(source: Source, slot: string, type: DataType<T>): T[] {
  return values(source, slot).flatMap((text) => inType(source, slot, text, type) ?? []);
}

/** A text in its data type; malformed is a problem of the attribute. */
export function inType<T>(
  source: Source,
  attribute: string,
  text: string | undefined,
  { read, form }: DataType<T>,
): T | undefined {
  if (text === undefined) return undefined;
  const result = read(text);
  if (result === undefined)
    report(source, 'attributeMalformed', { attribute, value: text, detail: `it has to be ${form}` });
  return result;
}

/** Slots that are not named here, byte for byte. */
export function extraSlots({ slots }: Source, known: ReadonlySet<string>): Slot[] {
  const extra: Slot[] = [];
  for (const [name, slot] of slots) if (!known.has(name)) extra.push(slot);
  return extra;
}

/** Name or Description. IHE ITI TF-3 4.2.3.1.1: one LocalizedString. */
export function localized(source: Source, local: 'Name' | 'Description', attribute: string): LocalizedText | undefined {
  const texts = childrenOf(source.element, rim, local).flatMap((names) => childrenOf(names, rim, 'LocalizedString'));
  if (texts.length > 1) report(source, 'attributeRepeated', { attribute });
  const [first] = texts;
  const text = first && attributeOf(first, 'value');
  if (first === undefined || text === undefined || text === '') return undefined;
  const language = attributeOf(first, 'lang', namespace.xml);
  return language === undefined || language === '' ? { value: text } : { value: text, language };
}

/** An attribute of the XML without white space around it; empty counts as absent. */
export function given(text: string | undefined): string | undefined {
  const trimmed = text?.trim();
  return trimmed === '' ? undefined : trimmed;
}

/** `@home`; the samples of the standard send it empty. */
export function home({ element }: Source): string | undefined {
  return given(attributeOf(element, 'home'));
}

/** `@lid`. */
export function logicalId(source: Source): string | undefined {
  const lid = readId(attributeOf(source.element, 'lid'));
  return lid === '' ? undefined : lid;
}

/** The version of the metadata; what is no whole number from 1 is ebRIM's own default and says nothing. */
export function version({ element }: Source): number | undefined {
  const info = child(element, rim, 'VersionInfo');
  const name = info && attributeOf(info, 'versionName')?.trim();
  return name !== undefined && /^[1-9]\d{0,8}$/.test(name) ? Number(name) : undefined;
}

/** The name that belongs to a URN in a table of names. */
export function keyOf<K extends string>(table: Readonly<Record<K, string>>, urn: string | undefined): K | undefined {
  const wanted = urn?.trim();
  for (const key in table) if (table[key] === wanted) return key;
  return undefined;
}

/** The fields that are there. */
export function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const kept: Partial<T> = {};
  for (const key in fields) if (fields[key] !== undefined) kept[key] = fields[key];
  // The loop has left out exactly what the type leaves out.
  return kept as { [K in keyof T]?: Exclude<T[K], undefined> };
}

const none: ReadonlyMap<string, never> = new Map<string, never>();
/** The longest slot value, identifier or code. ebRIM 3.0 (LongName). */
export const LONGEST = 256;
export const tooLong = `longer than ${LONGEST} characters`;

function readSlots(element: XmlElement, object: string, problems: Problem[]): Map<string, Slot> {
  const slots = new Map<string, Slot>();
  for (const slot of childrenOf(element, rim, 'Slot')) {
    const name = attributeOf(slot, 'name') ?? '';
    const key = name.trim();
    const type = attributeOf(slot, 'slotType');
    const texts = slotValues(slot);
    if (key === '') problems.push(problem('attributeMissing', { attribute: 'name of a Slot', object }));
    else if (slots.has(key)) problems.push(problem('attributeRepeated', { attribute: key, object }));
    else slots.set(key, { name, values: texts, ...(type !== undefined && { type }) });
    const long = name.length > LONGEST ? name : texts.find((text) => text.trim().length > LONGEST);
    if (long !== undefined)
      problems.push(problem('attributeMalformed', { attribute: key, object, value: long.trim(), detail: tooLong }));
  }
  return slots;
}
