import type { CodeableConcept, Coding, Identifier as FhirIdentifier } from 'fhir/r4.js';
import type { Code } from '../../domain/code.ts';
import { readCx, readCxi } from '../../domain/hl7v2.ts';
import { type Authority, type Cx, type Cxi, isOid } from '../../domain/identifier.ts';
import { type Dtm, dateTimeOf, dtmOf, isDtm } from '../../domain/time.ts';
import { cxIdentifier, relatedIdentifier, uniqueIdOf } from '../map/code.ts';
import { extensions, hl7IdentifierType, mhdIdentifierType, systemOf, uris } from '../vocabulary.ts';
import { agreeing, hl7v2TextOf, report, type Source } from './source.ts';

/** A coding; without a system it names nothing, and the rules say so. */
export function codeIn({ system, code = '', display }: Coding): Code {
  return { code, system: system === undefined ? '' : systemOf(system), ...(display !== undefined && { display }) };
}

/** The first coding of a concept: XDS holds one. Reported as missing when there is none. */
export function conceptIn(
  source: Source,
  concept: CodeableConcept | undefined,
  attribute: string,
  at: string,
): Code | undefined {
  if (concept === undefined) return undefined;
  const [coding] = concept.coding ?? [];
  return coding === undefined ? report(source, 'attributeMissing', attribute, `${at}.coding`) : codeIn(coding);
}

/** The concepts of a list, as `conceptIn`. */
export function conceptsIn(
  source: Source,
  concepts: readonly CodeableConcept[] | undefined,
  attribute: string,
  at: string,
): Code[] {
  return (concepts ?? []).flatMap((concept, i) => conceptIn(source, concept, attribute, `${at}[${i}]`) ?? []);
}

/**
 * The first coding of each label, and of the others those that none says: one that is left out would show a document to whom it is hidden.
 */
export function labelsIn(source: Source, labels: readonly CodeableConcept[] | undefined): Code[] {
  const firsts = conceptsIn(source, labels, 'confidentialityCode', 'securityLabel');
  const further = (labels ?? []).flatMap(({ coding = [] }) => coding.slice(1).map(codeIn));
  const all = [...firsts, ...further];
  const isNew = ({ code, system }: Code, i: number) =>
    i < firsts.length || all.findIndex((one) => one.code === code && one.system === system) === i;
  return all.filter(isNew);
}

/** A role or specialty of an author: a coding as CI-SIS writes it, or the text. */
export function roleIn({ coding: [coding] = [], text }: CodeableConcept): string | undefined {
  if (coding?.code === undefined) return text;
  const system = systemOf(coding.system ?? '');
  return isOid(system) ? `${coding.code}^${coding.display ?? text ?? coding.code}^${system}` : (text ?? coding.code);
}

/** The owner of an identifier. */
export function ownerIn({ system, assigner }: FhirIdentifier): Authority {
  const oid = system?.startsWith('urn:oid:') === true ? system.slice(8) : undefined;
  const namespace = assigner?.display;
  return { ...(oid !== undefined && { oid }), ...(namespace !== undefined && { namespace }) };
}

/** An identifier of a patient: value, OID, and its type by HL7 table 0203. */
export function cxIn(
  source: Source,
  identifier: FhirIdentifier | undefined,
  attribute: string,
  at: string,
): Cx | undefined {
  if (identifier === undefined) return undefined;
  const { value, type } = identifier;
  const text = hl7v2TextOf(identifier, extensions.hl7v2);
  if (text !== undefined) return agreeing(source, text, readCx, cxIdentifier, identifier, attribute, at);
  const authority = ownerIn(identifier);
  if (value === undefined || authority.oid === undefined)
    return report(source, 'attributeMalformed', attribute, at, {
      value: `${identifier.system ?? ''}|${value ?? ''}`,
      detail: 'value and system urn:oid:<OID> are expected',
    });
  const code = type?.coding?.find(({ system }) => system === hl7IdentifierType)?.code;
  return { id: value, authority: { oid: authority.oid }, ...(code !== undefined && { type: code }) };
}

/** A reference id. IHE MHD, mapping of referenceIdList. */
export function cxiIn(
  source: Source,
  identifier: FhirIdentifier | undefined,
  usualType: string | undefined,
  at: string,
): Cxi | undefined {
  const attribute = 'referenceIdList';
  if (identifier?.value === undefined) return report(source, 'attributeMissing', attribute, `${at}.identifier`);
  const text = hl7v2TextOf(identifier, extensions.hl7v2);
  if (text !== undefined) return agreeing(source, text, readCxi, relatedIdentifier, identifier, attribute, at);
  const type = identifier.type?.coding?.find(({ system }) => system === uris)?.code ?? usualType;
  if (type === undefined) return report(source, 'attributeMissing', attribute, `${at}.identifier.type`);
  return { id: identifier.value, authority: ownerIn(identifier), type };
}

/** Identifiers as MHD slices them: by `use` up to 4.2.3 and in PDSm, by `type` from 4.2.4. */
export function namesIn(identifiers: readonly FhirIdentifier[] | undefined): {
  entryUUID?: string;
  uniqueId?: string;
} {
  const typed = (code: string) =>
    identifiers?.find(
      ({ type }) => type?.coding?.some((c) => c.system === mhdIdentifierType && c.code === code) === true,
    );
  const used = (use: FhirIdentifier['use']) => identifiers?.find((identifier) => identifier.use === use);
  const entryUUID = (typed('entryUUID') ?? used('official'))?.value;
  const unique = typed('uniqueId') ?? used('usual');
  const uniqueId = unique && uniqueIdIn(unique);
  return { ...(entryUUID !== undefined && { entryUUID }), ...(uniqueId !== undefined && { uniqueId }) };
}

/** Every entryUUID and uniqueId that identifiers name, each once. */
export function allNamesIn(
  identifiers: readonly FhirIdentifier[] = [],
  master?: FhirIdentifier,
): { readonly entryUUIDs: readonly string[]; readonly uniqueIds: readonly string[] } {
  const isOf = ({ type, use }: FhirIdentifier, code: string, usual: FhirIdentifier['use']) => {
    const typed = type?.coding?.find(({ system }) => system === mhdIdentifierType)?.code;
    return typed === undefined ? use === usual : typed === code;
  };
  const entries = identifiers.filter((one) => isOf(one, 'entryUUID', 'official'));
  const unique = [
    ...(master === undefined ? [] : [master]),
    ...identifiers.filter((one) => isOf(one, 'uniqueId', 'usual')),
  ];
  return {
    entryUUIDs: [...new Set(entries.flatMap(({ value }) => value?.toLowerCase() ?? []))],
    uniqueIds: [...new Set(unique.flatMap((one) => uniqueIdIn(one) ?? []))],
  };
}

/** The uniqueId that an identifier names. */
export function uniqueIdIn({ system, value }: FhirIdentifier): string | undefined {
  return value === undefined ? undefined : uniqueIdOf(system, value);
}

const dateOnly = /^\d{4}(-\d\d){0,2}$/;
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/**
 * A dateTime as DTM in UTC; a fraction of a second is dropped. `precise` is the DTM that an extension of ours gives, which knows hours and
 * minutes without seconds: it counts when it says the same.
 */
export function timeIn(
  source: Source,
  dateTime: string | undefined,
  precise: string | undefined,
  attribute: string,
  at: string,
): Dtm | undefined {
  if (dateTime === undefined) return undefined;
  if (precise !== undefined && isDtm(precise) && dateTimeOf(precise) === dateTime) return precise;
  const ms = instant.test(dateTime) ? Date.parse(dateTime) : Number.NaN;
  const dtm = dateOnly.test(dateTime) ? dateTime.replaceAll('-', '') : Number.isNaN(ms) ? '' : dtmOf(ms);
  if (precise !== undefined)
    return report(source, 'attributesContradict', attribute, at, {
      value: dateTime,
      detail: `the extension says ${precise}`,
    });
  return isDtm(dtm) ? dtm : report(source, 'attributeMalformed', attribute, at, { value: dateTime });
}

/**
 * The SHA-1 as 40 hexadecimal digits: base64 of the 20 bytes, or of the digits, as examples up to MHD 4.2.3 have it, or the digits themselves.
 */
export function hashIn(source: Source, hash: string | undefined, at: string): string | undefined {
  if (hash === undefined) return undefined;
  const bytes = Buffer.from(hash, 'base64');
  const digits = /^[0-9a-fA-F]{40}$/;
  if (hash.length === 28 && bytes.length === 20) return bytes.toString('hex');
  if (hash.length === 56 && digits.test(bytes.toString('latin1'))) return bytes.toString('latin1').toLowerCase();
  if (digits.test(hash)) return hash.toLowerCase();
  return report(source, 'attributeMalformed', 'hash', at, { value: hash, detail: 'base64 of the SHA-1 is expected' });
}
