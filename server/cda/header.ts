import type { Code } from '../domain/code.ts';
import type { Identifier } from '../domain/identifier.ts';
import { type Dtm, dtmOf, isDtm } from '../domain/time.ts';
import { attributeOf, childrenOf, descendant, type XmlElement } from '../xml/element.ts';
import { decodeUtf8, defaultXmlLimits, parseXml } from '../xml/read.ts';

/** Someone that a CDA header names: a person, where, and the coded specialty. */
export type CdaParticipant = {
  readonly id?: Identifier;
  readonly family?: string;
  readonly given?: string;
  readonly specialty?: Code;
  /** The functional role, in words (functionCode). */
  readonly role?: string;
  readonly organisation?: { readonly id?: Identifier; readonly name: string };
};

/** What the header of a CDA says, as far as metadata are made from it. */
export type CdaFacts = {
  /** `root` or `root^extension`. */
  readonly uniqueId: string;
  readonly typeCode: Code;
  readonly title: string;
  readonly effectiveTime?: Dtm;
  readonly serviceStart?: Dtm;
  readonly serviceStop?: Dtm;
  readonly languageCode: string;
  readonly confidentialityCode?: Code;
  /** uniqueId of the document that this one replaces. */
  readonly replaces?: string;
  readonly patient: {
    readonly id: Identifier | undefined;
    readonly ids: readonly Identifier[];
    readonly family?: string;
    readonly given?: string;
    readonly gender?: string;
    readonly birthTime?: string;
  };
  readonly authors: readonly CdaParticipant[];
  readonly legalAuthenticator?: CdaParticipant;
  readonly facility?: Code;
  readonly setting?: Code;
  /** The acts that are documented. */
  readonly events: readonly Code[];
  readonly templates: readonly string[];
  /** Media type of a level 1 body. */
  readonly nonXmlType?: string;
};

const v3 = 'urn:hl7-org:v3';

/** Reads the header of a CDA R2 document; undefined when these bytes are none. Processing instructions before the root are skipped. */
export function readCda(bytes: Uint8Array): CdaFacts | undefined {
  const root = clinicalDocument(bytes);
  const id = at(root, 'id');
  const typeCode = codeAt(root, 'code');
  if (root === undefined || id === undefined || typeCode === undefined) return undefined;
  const person = at(root, 'recordTarget', 'patientRole', 'patient');
  const service = at(root, 'documentationOf', 'serviceEvent');
  const legal = at(root, 'legalAuthenticator', 'assignedEntity');
  const related = childrenOf(root, v3, 'relatedDocument').find((r) => attributeOf(r, 'typeCode') === 'RPLC');
  const replaced = at(related, 'parentDocument', 'id');
  return {
    uniqueId: uniqueIdOf(id),
    typeCode,
    title: at(root, 'title')?.text.trim() ?? typeCode.display ?? typeCode.code,
    languageCode: valueIn(at(root, 'languageCode'), 'code') ?? 'fr-FR',
    patient: {
      id: identifierAt(at(root, 'recordTarget', 'patientRole'), 'id'),
      ids: childrenOf(at(root, 'recordTarget', 'patientRole'), v3, 'id').flatMap((held) => identifierIn(held) ?? []),
      ...some('family', at(person, 'name', 'family')?.text.trim()),
      ...some('given', at(person, 'name', 'given')?.text.trim()),
      ...some('gender', valueIn(at(person, 'administrativeGenderCode'), 'code')),
      ...some('birthTime', valueIn(at(person, 'birthTime'), 'value')),
    },
    authors: childrenOf(root, v3, 'author').map((a) => ({
      ...participant(at(a, 'assignedAuthor'), 'representedOrganization'),
      ...some('role', valueIn(at(a, 'functionCode'), 'displayName')),
    })),
    events: childrenOf(root, v3, 'documentationOf').flatMap((act) => codeAt(act, 'serviceEvent', 'code') ?? []),
    templates: childrenOf(root, v3, 'templateId').map((t) => attributeOf(t, 'root') ?? ''),
    ...some('confidentialityCode', codeAt(root, 'confidentialityCode')),
    ...some('replaces', replaced === undefined ? undefined : uniqueIdOf(replaced)),
    ...some('effectiveTime', timeAt(root, 'effectiveTime')),
    ...some('serviceStart', timeAt(service, 'effectiveTime', 'low') ?? timeAt(service, 'effectiveTime')),
    ...some('serviceStop', timeAt(service, 'effectiveTime', 'high')),
    ...some('legalAuthenticator', legal && participant(legal, 'representedOrganization')),
    ...some('facility', codeAt(root, 'componentOf', 'encompassingEncounter', 'location', 'healthCareFacility', 'code')),
    ...some(
      'setting',
      codeAt(service, 'performer', 'assignedEntity', 'representedOrganization', 'standardIndustryClassCode'),
    ),
    ...some('nonXmlType', valueIn(at(root, 'component', 'nonXMLBody', 'text'), 'mediaType')),
  };
}

/** The bytes inside a CDA of level 1; undefined for any other document. */
export function unwrapCda(bytes: Uint8Array): Uint8Array | undefined {
  const text = at(clinicalDocument(bytes), 'component', 'nonXMLBody', 'text');
  if (text === undefined) return undefined;
  return attributeOf(text, 'representation') === 'B64' ? Buffer.from(text.text, 'base64') : Buffer.from(text.text);
}

function clinicalDocument(bytes: Uint8Array): XmlElement | undefined {
  try {
    const source = decodeUtf8(bytes).replace(/<\?(?!xml\s)[\s\S]*?\?>/g, '');
    const root = parseXml(source, limits);
    return root.local === 'ClinicalDocument' && root.namespace === v3 ? root : undefined;
  } catch {
    return undefined;
  }
}

const limits = {
  ...defaultXmlLimits,
  attributes: 2_000_000,
  unlimitedText: { namespace: v3, local: 'text' },
};

function at(element: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  return descendant(element, v3, path);
}

function participant(element: XmlElement | undefined, organisation: string): CdaParticipant {
  const name = at(element, 'assignedPerson', 'name');
  const place = at(element, organisation);
  return {
    ...some('id', identifierAt(element, 'id')),
    ...some('family', at(name, 'family')?.text.trim()),
    ...some('given', at(name, 'given')?.text.trim()),
    ...some('specialty', codeAt(element, 'code')),
    ...some(
      'organisation',
      place && { name: at(place, 'name')?.text.trim() ?? '', ...some('id', identifierAt(place, 'id')) },
    ),
  };
}

function uniqueIdOf(id: XmlElement): string {
  const extension = attributeOf(id, 'extension');
  return `${attributeOf(id, 'root') ?? ''}${extension === undefined ? '' : `^${extension}`}`;
}

function identifierAt(element: XmlElement | undefined, local: string): Identifier | undefined {
  return identifierIn(at(element, local));
}

function identifierIn(id: XmlElement | undefined): Identifier | undefined {
  const oid = valueIn(id, 'root');
  const value = valueIn(id, 'extension');
  return oid === undefined || value === undefined ? undefined : { value, oid };
}

function codeAt(element: XmlElement | undefined, ...path: readonly string[]): Code | undefined {
  const found = at(element, ...path);
  const code = valueIn(found, 'code');
  const system = valueIn(found, 'codeSystem');
  if (code === undefined || system === undefined) return undefined;
  return { code, system, ...some('display', valueIn(found, 'displayName')) };
}

/** A TS as DTM in UTC; a date without zone stays as written. */
function timeAt(element: XmlElement | undefined, ...path: readonly string[]): Dtm | undefined {
  const written = valueIn(at(element, ...path), 'value');
  const parts = /^(\d{4,14})(?:\.\d+)?([+-])?(\d\d)?(\d\d)?$/.exec(written ?? '');
  if (parts === null) return undefined;
  const [, digits = '', sign, hours = '0', minutes = '0'] = parts;
  if (!isDtm(digits)) return undefined;
  if (sign === undefined || digits.length < 10) return digits;
  const [y, mo, d, h, mi, s] = [0, 4, 6, 8, 10, 12].map((from, i) =>
    Number(digits.padEnd(14, '0').slice(from, [4, 6, 8, 10, 12, 14][i])),
  );
  const utc = Date.UTC(y ?? 0, (mo ?? 1) - 1, d, h, mi, s);
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return dtmOf(sign === '+' ? utc - offset : utc + offset).slice(0, digits.length);
}

function valueIn(element: XmlElement | undefined, name: string): string | undefined {
  return element === undefined ? undefined : attributeOf(element, name);
}

/** A property, only when it has a value. */
function some<K extends string, T>(name: K, value: T | undefined): { readonly [P in K]?: T } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [P in K]: T });
}
