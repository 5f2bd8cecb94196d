import type { Code } from '../../domain/code.ts';
import type { LocalizedText, Slot } from '../../domain/document.ts';
import { writeCx, writeXcn, writeXon, writeXtn } from '../../domain/hl7v2.ts';
import { type Cx, isUuid } from '../../domain/identifier.ts';
import type { Author, Xcn } from '../../domain/people.ts';
import { escapeAttribute, escapeText } from '../../xml/write.ts';
import { type IdentifierName, identification, objectType } from '../vocabulary.ts';

/**
 * The object being written, and how many parts with an id of their own it has so far. The id of a part is what `idOf` gives for its number,
 * then `rest`. `classified` is what each of its classifications says from that `rest` to the value of the scheme.
 */
export type Parts = {
  readonly id: string;
  readonly idOf: (number: number) => string;
  readonly rest: string;
  readonly classified: string;
  count: number;
};

/**
 * The id of a part is always the same for the same place of the same object. It is the object's UUID with the number of the part in its
 * first 16 bits and another version: 8 (RFC 9562 §5.8), or 4 for a part of an object of version 8.
 */
export function partsOf(name: string): Parts {
  if (!isUuid(name)) {
    const id = attributeText(name);
    return { id, idOf: (number) => `${id}.${number}`, rest: '', classified: classifiedBy(id), count: 0 };
  }
  const version = name[23] === '8' ? '4' : '8';
  const rest = `${name.slice(13, 23)}${version}${name.slice(24)}`;
  return { id: name, idOf: numbered, rest, classified: classifiedBy(name, rest), count: 0 };
}

/** One text without parts of its own: it is written once for each classification. */
function classifiedBy(id: string, rest = ''): string {
  return [rest, `" objectType="${objectType.classification}" classifiedObject="`, id, '" classificationScheme="'].join(
    '',
  );
}

function numbered(number: number): string {
  return usual[number] ?? firstOf(number);
}

function firstOf(number: number): string {
  return `urn:uuid:${number.toString(16).padStart(4, '0')}`;
}

const usual = Array.from({ length: 32 }, (_, number) => firstOf(number));

export function attribute(name: string, value: string | undefined): string {
  return value === undefined ? '' : ` ${name}="${attributeText(value)}"`;
}

/** A slot of one value. */
export function slot(name: string, value: string): string {
  return escapedSlot(name, contentText(value));
}

function escapedSlot(name: string, text: string): string {
  return `<rim:Slot name="${name}"><rim:ValueList><rim:Value>${text}</rim:Value></rim:ValueList></rim:Slot>`;
}

/** A slot of a patient's identifier. */
export function patientSlot(name: string, patient: Cx): string {
  return escapedSlot(name, patientText(patient));
}

export function optionalSlot(name: string, value: string | undefined): string {
  return value === undefined ? '' : slot(name, value);
}

/** Text for an attribute value between double quotes. */
export function attributeText(text: string): string {
  return special.test(text) ? narrow(escapeAttribute(text)) : text;
}

function contentText(text: string): string {
  return special.test(text) ? narrow(escapeText(text)) : text;
}

/**
 * Characters beyond U+00FF by their numbers, XML 1.0 §4.1. One of them would make all of an object, most of which is ASCII, a text of two
 * bytes a character, which costs several times as much to put together and to encode.
 */
function narrow(text: string): string {
  return text.replace(wide, (character) => `&#${character.codePointAt(0) ?? 0};`);
}

/** Whatever may have to be written in another way than as it is. */
const special = /[^ !#-%'-;=?-~\xa0-\xff]/;
const wide = /[^\0-\xff]/gu;

/** A slot of as many values as there are; none without values. */
export function slotOf<T>(name: string, values: readonly T[], write: (value: T) => string): string {
  if (values.length === 0) return '';
  let text = `<rim:Slot name="${name}"><rim:ValueList>`;
  for (const value of values) text += `<rim:Value>${contentText(write(value))}</rim:Value>`;
  return `${text}</rim:ValueList></rim:Slot>`;
}

/** Slots that the model does not know, as they came. */
export function extra(slots: readonly Slot[]): string {
  let text = '';
  for (const { name, values, type } of slots) {
    text += `<rim:Slot name="${attributeText(name)}"${attribute('slotType', type)}><rim:ValueList>`;
    for (const value of values) text += `<rim:Value>${contentText(value)}</rim:Value>`;
    text += '</rim:ValueList></rim:Slot>';
  }
  return text;
}

/** Name or Description. */
export function localized(element: 'Name' | 'Description', text: LocalizedText | undefined): string {
  return text === undefined
    ? ''
    : `<rim:${element}><rim:LocalizedString${attribute('xml:lang', text.language)} value="${attributeText(text.value)}"/></rim:${element}>`;
}

/** One classification for each code; a code without display is named by itself, since an empty name is not allowed. */
export function codes(parts: Parts, scheme: string, all: readonly Code[]): string {
  let text = '';
  for (const code of all) text += openClassification(parts, scheme) + codeText(code);
  return text;
}

/** The same for codes that the store shares between entries. */
export function sharedCodes(parts: Parts, scheme: string, all: readonly Code[]): string {
  let text = '';
  for (const code of all) text += openClassification(parts, scheme) + written(code, codeText);
  return text;
}

function codeText({ code, system, display }: Code): string {
  return (
    `" nodeRepresentation="${attributeText(code)}">${slot('codingScheme', system)}` +
    `<rim:Name><rim:LocalizedString value="${attributeText(display ?? code)}"/></rim:Name></rim:Classification>`
  );
}

/** One classification for each author. IHE ITI TF-3 4.2.3.1.4. */
export function authors(parts: Parts, scheme: string, all: readonly Author[]): string {
  let text = '';
  for (const author of all) text += openClassification(parts, scheme) + written(author, authorText);
  return text;
}

function authorText({ person, institutions, roles, specialties, telecommunications }: Author): string {
  return `" nodeRepresentation="">${
    (person === undefined ? '' : slot('authorPerson', writeXcn(person))) +
    slotOf('authorInstitution', institutions, writeXon) +
    slotOf('authorRole', roles, asIs) +
    slotOf('authorSpecialty', specialties, asIs) +
    slotOf('authorTelecommunication', telecommunications, writeXtn)
  }</rim:Classification>`;
}

/** A slot of a person whom the store shares between entries; none without. */
export function personSlot(name: string, person: Xcn | undefined): string {
  return person === undefined ? '' : written(person, () => slot(name, writeXcn(person)));
}

/**
 * Entries that the store read share their codes and people, each of which stands in one kind of place: what was written for one is kept as long
 * as it is, in one piece.
 */
function written<T extends Code | Author | Xcn>(value: T, write: (value: T) => string): string {
  const known = texts.get(value);
  if (known !== undefined) return known;
  const text = Buffer.from(write(value), 'latin1').toString('latin1');
  texts.set(value, text);
  return text;
}

const texts = new WeakMap<Code | Author | Xcn, string>();

/** The classification that says what a package is. */
export function node(parts: Parts, classificationNode: string): string {
  return (
    `<rim:Classification id="${nextId(parts)}" objectType="${objectType.classification}"` +
    ` classifiedObject="${parts.id}" classificationNode="${classificationNode}"/>`
  );
}

export function patientIdentifier(parts: Parts, name: IdentifierName, patient: Cx): string {
  return escapedIdentifier(parts, name, patientText(patient));
}

export function identifier(parts: Parts, name: IdentifierName, value: string): string {
  return escapedIdentifier(parts, name, attributeText(value));
}

function escapedIdentifier(parts: Parts, name: IdentifierName, text: string): string {
  return (
    `<rim:ExternalIdentifier id="${nextId(parts)}" objectType="${objectType.externalIdentifier}"` +
    ` registryObject="${parts.id}" identificationScheme="${identification[name]}" value="${text}">` +
    `<rim:Name><rim:LocalizedString value="${name}"/></rim:Name></rim:ExternalIdentifier>`
  );
}

/** For an attribute or for content. The objects of an answer are of one patient, whose identifier is written once for all of them. */
function patientText(patient: Cx): string {
  if (last === undefined || !isSame(patient, last.patient)) last = { patient, text: attributeText(writeCx(patient)) };
  return last.text;
}

let last: { readonly patient: Cx; readonly text: string } | undefined;

function isSame(one: Cx, other: Cx): boolean {
  return (
    one.id === other.id &&
    one.authority.oid === other.authority.oid &&
    one.authority.namespace === other.authority.namespace &&
    one.type === other.type &&
    one.rest === other.rest
  );
}

/** As far as the scheme. */
function openClassification(parts: Parts, scheme: string): string {
  return `<rim:Classification id="${parts.idOf(parts.count++)}${parts.classified}${scheme}`;
}

function nextId(parts: Parts): string {
  return parts.idOf(parts.count++) + parts.rest;
}

function asIs(text: string): string {
  return text;
}
