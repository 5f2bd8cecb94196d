import type { Code } from '../../domain/code.ts';
import type { LocalizedText, Slot } from '../../domain/document.ts';
import { writeXcn, writeXon, writeXtn } from '../../domain/hl7v2.ts';
import { isUuid } from '../../domain/identifier.ts';
import type { Author } from '../../domain/people.ts';
import { escapeAttribute, escapeText } from '../../xml/write.ts';
import { type IdentifierName, identification, objectType } from '../vocabulary.ts';

/** The object being written, and how many parts with an id of their own it has so far. */
export type Parts = { readonly id: string; readonly nameOfPart: (number: number) => string; count: number };

export function partsOf(name: string): Parts {
  const id = escapeAttribute(name);
  return { id, nameOfPart: isUuid(name) ? uuidsLike(name) : (number) => `${id}.${number}`, count: 0 };
}

export function attribute(name: string, value: string | undefined): string {
  return value === undefined ? '' : ` ${name}="${escapeAttribute(value)}"`;
}

/** A slot of one value. */
export function slot(name: string, value: string): string {
  return `<rim:Slot name="${name}"><rim:ValueList><rim:Value>${escapeText(value)}</rim:Value></rim:ValueList></rim:Slot>`;
}

export function optionalSlot(name: string, value: string | undefined): string {
  return value === undefined ? '' : slot(name, value);
}

/** A slot of as many values as there are; none without values. */
export function slotOf<T>(name: string, values: readonly T[], write: (value: T) => string): string {
  if (values.length === 0) return '';
  let text = `<rim:Slot name="${name}"><rim:ValueList>`;
  for (const value of values) text += `<rim:Value>${escapeText(write(value))}</rim:Value>`;
  return `${text}</rim:ValueList></rim:Slot>`;
}

/** Slots that the model does not know, as they came. */
export function extra(slots: readonly Slot[]): string {
  let text = '';
  for (const { name, values, type } of slots) {
    text += `<rim:Slot name="${escapeAttribute(name)}"${attribute('slotType', type)}><rim:ValueList>`;
    for (const value of values) text += `<rim:Value>${escapeText(value)}</rim:Value>`;
    text += '</rim:ValueList></rim:Slot>';
  }
  return text;
}

/** Name or Description. */
export function localized(element: 'Name' | 'Description', text: LocalizedText | undefined): string {
  return text === undefined
    ? ''
    : `<rim:${element}><rim:LocalizedString${attribute('xml:lang', text.language)} value="${escapeAttribute(text.value)}"/></rim:${element}>`;
}

/** One classification for each code; a code without display is named by itself, since an empty name is not allowed. */
export function codes(parts: Parts, scheme: string, all: readonly Code[]): string {
  let text = '';
  for (const code of all) text += openClassification(parts, scheme) + written(code, codeText);
  return text;
}

function codeText({ code, system, display }: Code): string {
  return (
    ` nodeRepresentation="${escapeAttribute(code)}">${slot('codingScheme', system)}` +
    `<rim:Name><rim:LocalizedString value="${escapeAttribute(display ?? code)}"/></rim:Name></rim:Classification>`
  );
}

/** One classification for each author. IHE ITI TF-3 4.2.3.1.4. */
export function authors(parts: Parts, scheme: string, all: readonly Author[]): string {
  let text = '';
  for (const author of all) text += openClassification(parts, scheme) + written(author, authorText);
  return text;
}

function authorText({ person, institutions, roles, specialties, telecommunications }: Author): string {
  return ` nodeRepresentation="">${
    (person === undefined ? '' : slot('authorPerson', writeXcn(person))) +
    slotOf('authorInstitution', institutions, writeXon) +
    slotOf('authorRole', roles, asIs) +
    slotOf('authorSpecialty', specialties, asIs) +
    slotOf('authorTelecommunication', telecommunications, writeXtn)
  }</rim:Classification>`;
}

/** Entries that the store read share their codes and authors: what was written for one is kept as long as it is. */
function written<T extends Code | Author>(value: T, write: (value: T) => string): string {
  const known = texts.get(value);
  if (known !== undefined) return known;
  const text = write(value);
  texts.set(value, text);
  return text;
}

const texts = new WeakMap<Code | Author, string>();

/** The classification that says what a package is. */
export function node(parts: Parts, classificationNode: string): string {
  return (
    `<rim:Classification id="${nextId(parts)}" objectType="${objectType.classification}"` +
    ` classifiedObject="${parts.id}" classificationNode="${classificationNode}"/>`
  );
}

export function identifier(parts: Parts, name: IdentifierName, value: string): string {
  return (
    `<rim:ExternalIdentifier id="${nextId(parts)}" objectType="${objectType.externalIdentifier}"` +
    ` registryObject="${parts.id}" identificationScheme="${identification[name]}" value="${escapeAttribute(value)}">` +
    `<rim:Name><rim:LocalizedString value="${name}"/></rim:Name></rim:ExternalIdentifier>`
  );
}

function openClassification(parts: Parts, scheme: string): string {
  return (
    `<rim:Classification id="${nextId(parts)}" objectType="${objectType.classification}"` +
    ` classifiedObject="${parts.id}" classificationScheme="${scheme}"`
  );
}

/**
 * The id of the next part: always the same for the same place of the same object. It is the object's UUID with the number of the part in
 * its first 16 bits and another version: 8 (RFC 9562 §5.8), or 4 for a part of an object of version 8.
 */
function nextId(parts: Parts): string {
  return parts.nameOfPart(parts.count++);
}

function uuidsLike(name: string): (number: number) => string {
  const version = name[23] === '8' ? '4' : '8';
  const rest = `${name.slice(13, 23)}${version}${name.slice(24)}`;
  return (number) => `urn:uuid:${number.toString(16).padStart(4, '0')}${rest}`;
}

function asIs(text: string): string {
  return text;
}
