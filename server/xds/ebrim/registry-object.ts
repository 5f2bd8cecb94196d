import type { Code } from '../../domain/code.ts';
import type { LocalizedText, Slot } from '../../domain/document.ts';
import { type About, type Problem, type ProblemName, problem } from '../../domain/error.ts';
import { isUuid } from '../../domain/identifier.ts';
import { attributeOf, child, childrenOf, type XmlElement } from '../../xml/element.ts';
import { type IdentifierName, identification, namespace } from '../vocabulary.ts';

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
export function typed<T>(source: Source, slot: string, read: (text: string) => T | undefined): T | undefined {
  return inType(source, slot, value(source, slot), read);
}

/** All values of a slot in their data type; malformed ones are left out. */
export function typedAll<T>(source: Source, slot: string, read: (text: string) => T | undefined): T[] {
  return values(source, slot).flatMap((text) => inType(source, slot, text, read) ?? []);
}

/** A text in its data type; malformed is a problem of the attribute. */
export function inType<T>(
  source: Source,
  attribute: string,
  text: string | undefined,
  read: (text: string) => T | undefined,
): T | undefined {
  if (text === undefined) return undefined;
  const result = read(text);
  if (result === undefined) report(source, 'attributeMalformed', { attribute, value: text });
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
  const texts = childrenOf(child(source.element, rim, local), rim, 'LocalizedString');
  if (texts.length > 1) report(source, 'attributeRepeated', { attribute });
  const [first] = texts;
  const text = first && attributeOf(first, 'value');
  if (first === undefined || text === undefined || text === '') return undefined;
  const language = attributeOf(first, 'lang', namespace.xml);
  return language === undefined || language === '' ? { value: text } : { value: text, language };
}

/** All codes of one scheme. IHE ITI TF-3 4.2.3.1.2. */
export function codes(source: Source, scheme: string, attribute: string): Code[] {
  return classifications(source, scheme).flatMap((element) => readCode(source, element, attribute) ?? []);
}

/** The one code of a scheme. */
export function code(source: Source, scheme: string, attribute: string): Code | undefined {
  const [first, ...more] = codes(source, scheme, attribute);
  if (more.length > 0) report(source, 'attributeRepeated', { attribute });
  return first;
}

/** The classifications of a scheme, in their order. */
export function classifications({ classified }: Source, scheme: string): readonly XmlElement[] {
  return classified.get(scheme) ?? [];
}

/**
 * Reports classifications that point to another object, or are of a scheme or node that this kind of object does not have.
 * IHE ITI TF-3 4.2.5.1, 4.2.5.2.
 */
export function checkClassifications(
  source: Source,
  schemes: ReadonlySet<string>,
  nodes: ReadonlySet<string>,
  limited?: string,
): void {
  for (const element of childrenOf(source.element, rim, 'Classification')) {
    checkPointsHome(source, element, 'classifiedObject');
    const scheme = attributeOf(element, 'classificationScheme')?.trim().toLowerCase();
    const node = attributeOf(element, 'classificationNode')?.trim().toLowerCase();
    if (node !== undefined && node === limited) report(source, 'attributeForbidden', { attribute: 'limitedMetadata' });
    else if (node !== undefined && !nodes.has(node)) unknownValue(source, 'classificationNode', node);
    else if (scheme !== undefined && !schemes.has(scheme)) unknownValue(source, 'classificationScheme', scheme);
    else if (scheme === undefined && node === undefined)
      report(source, 'attributeMissing', { attribute: 'classificationScheme of a Classification' });
  }
}

/** The value of one external identifier. Its Name is fixed. IHE ITI TF-3 4.2.3.1.3. */
export function identifier(source: Source, name: IdentifierName): string | undefined {
  const attribute = name.slice(name.indexOf('.') + 1);
  const found = childrenOf(source.element, rim, 'ExternalIdentifier').filter(
    (e) => attributeOf(e, 'identificationScheme')?.trim().toLowerCase() === identification[name],
  );
  if (found.length > 1) report(source, 'attributeRepeated', { attribute });
  const [first] = found;
  if (first === undefined) return undefined;
  const called = nameOf(first);
  if (called === '') report(source, 'attributeMissing', { attribute: `Name of the identifier ${name}` });
  else if (called !== name)
    report(source, 'attributeMalformed', { attribute: `Name of the identifier ${name}`, value: called });
  const text = attributeOf(first, 'value')?.trim() ?? '';
  return text === '' ? undefined : text;
}

/** Reports identifiers that point to another object or are of a scheme that this kind of object does not have. */
export function checkIdentifiers(source: Source, names: readonly IdentifierName[]): void {
  const schemes: ReadonlySet<string> = new Set(names.map((name) => identification[name]));
  for (const element of childrenOf(source.element, rim, 'ExternalIdentifier')) {
    checkPointsHome(source, element, 'registryObject');
    const scheme = attributeOf(element, 'identificationScheme')?.trim().toLowerCase() ?? '';
    if (scheme === '')
      report(source, 'attributeMissing', { attribute: 'identificationScheme of an ExternalIdentifier' });
    else if (!schemes.has(scheme)) unknownValue(source, 'identificationScheme', scheme);
    if ((attributeOf(element, 'value') ?? '').length > LONGEST)
      report(source, 'attributeMalformed', { attribute: 'value of an ExternalIdentifier', detail: tooLong });
  }
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
const LONGEST = 256;
const tooLong = `longer than ${LONGEST} characters`;

function readSlots(element: XmlElement, object: string, problems: Problem[]): Map<string, Slot> {
  const slots = new Map<string, Slot>();
  for (const slot of childrenOf(element, rim, 'Slot')) {
    const name = attributeOf(slot, 'name') ?? '';
    const key = name.trim();
    const type = attributeOf(slot, 'slotType');
    const texts = childrenOf(child(slot, rim, 'ValueList'), rim, 'Value').map((v) => v.text);
    if (key === '') problems.push(problem('attributeMissing', { attribute: 'name of a Slot', object }));
    else if (slots.has(key)) problems.push(problem('attributeRepeated', { attribute: key, object }));
    else slots.set(key, { name, values: texts, ...(type !== undefined && { type }) });
    if (name.length > LONGEST || texts.some((text) => text.trim().length > LONGEST))
      problems.push(problem('attributeMalformed', { attribute: key, object, detail: tooLong }));
  }
  return slots;
}

function readCode(source: Source, element: XmlElement, attribute: string): Code | undefined {
  const inner = openClassification(source, element);
  const text = attributeOf(element, 'nodeRepresentation')?.trim() ?? '';
  const system = value(inner, 'codingScheme');
  const display = nameOf(element);
  const faulty = (detail: string) => report(source, 'attributeMalformed', { attribute, value: text, detail });
  if (text === '') faulty('nodeRepresentation, the code itself, is empty');
  if (system === undefined) faulty('the slot codingScheme is missing');
  if (display === '') faulty('Name, the display name, is missing');
  if (text.length > LONGEST) faulty(tooLong);
  return text === '' || system === undefined ? undefined : { code: text, system, ...(display !== '' && { display }) };
}

function nameOf(element: XmlElement): string {
  const text = child(child(element, rim, 'Name'), rim, 'LocalizedString');
  return (text && attributeOf(text, 'value')?.trim()) ?? '';
}

function checkPointsHome(source: Source, element: XmlElement, by: 'classifiedObject' | 'registryObject'): void {
  const pointed = readId(attributeOf(element, by));
  if (pointed === '') report(source, 'attributeMissing', { attribute: `${by} of a ${element.local}` });
  else if (pointed !== source.id)
    report(source, 'attributesContradict', {
      attribute: by,
      value: pointed,
      detail: `${by} of a ${element.local} inside it is ${pointed}`,
    });
}

function unknownValue(source: Source, attribute: string, text: string): void {
  report(source, 'attributeMalformed', { attribute, value: text, detail: 'not known for this kind of object' });
}
