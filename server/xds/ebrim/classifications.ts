import type { Code } from '../../domain/code.ts';
import { attributeOf, child, childrenOf, type XmlElement } from '../../xml/element.ts';
import { type IdentifierName, identification, namespace } from '../vocabulary.ts';
import { LONGEST, openClassification, readId, report, type Source, tooLong, value } from './registry-object.ts';

const { rim } = namespace;

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
    const text = attributeOf(element, 'value') ?? '';
    if (text.length > LONGEST)
      report(source, 'attributeMalformed', {
        attribute: 'value of an ExternalIdentifier',
        value: text,
        detail: tooLong,
      });
  }
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
