import type { AffinityDomain, CodedAttribute } from '../domain/affinity-domain.ts';
import type { Code } from '../domain/code.ts';
import { type EntryDraft, type VisibilityCode, visibilityCode } from '../domain/document.ts';
import { toEscaped } from '../domain/hl7v2.ts';
import { type Cx, cxOf, type Identifier } from '../domain/identifier.ts';
import {
  type Author,
  type PidLine,
  patientXcn,
  professionalAuthority,
  professionalXcn,
  structureAuthority,
  structureXon,
  type Xcn,
} from '../domain/people.ts';
import { documentType } from './document-types.ts';
import { formatOf } from './format.ts';
import type { CdaFacts, CdaParticipant } from './header.ts';

/** A document and what is known of it besides its own header. */
export type Described = {
  /** The message's name for the entry. */
  readonly id: string;
  readonly facts: CdaFacts;
  readonly size: number;
  readonly sha1: string;
  readonly patientId?: Cx;
  readonly sourcePatientId?: Cx;
  readonly sourcePatientInfo: readonly PidLine[];
  readonly hidden: readonly VisibilityCode[];
  /** Who files it: an institution of last resort for the author. */
  readonly filer?: Author;
  /** Where the header is silent. */
  readonly otherwise?: { readonly facility: Code; readonly setting: Code };
};

/**
 * The entry of a CDA R2 by its header: what the header does not say is left out, so that the rules name it. CI-SIS volet Partage de documents
 * de santé, correspondance entre les métadonnées XDS et l'en-tête CDA.
 */
export function entryOf(described: Described, domain: AffinityDomain): EntryDraft {
  const { id, facts, size, sha1, patientId, sourcePatientId, sourcePatientInfo, hidden, filer, otherwise } = described;
  const authors = facts.authors.map(authorOf).filter((author) => author !== undefined);
  const legal = facts.legalAuthenticator && personOf(facts.legalAuthenticator);
  const classCode = classOf(facts.typeCode, domain);
  const start = facts.serviceStart ?? facts.effectiveTime;
  const facility = facts.facility ?? otherwise?.facility;
  const setting = facts.setting ?? otherwise?.setting;
  return {
    id,
    objectType: 'stable',
    uniqueId: facts.uniqueId,
    ...(patientId && { patientId }),
    ...(sourcePatientId && { sourcePatientId }),
    sourcePatientInfo,
    mimeType: 'text/xml',
    title: { value: facts.title, language: facts.languageCode },
    languageCode: facts.languageCode,
    ...(facts.effectiveTime !== undefined && { creationTime: facts.effectiveTime }),
    ...(start !== undefined && { serviceStartTime: start }),
    ...(facts.serviceStop !== undefined && { serviceStopTime: facts.serviceStop }),
    hash: sha1,
    size,
    ...(classCode && { classCode }),
    typeCode: named(facts.typeCode, 'typeCode', domain),
    formatCode: named(formatOf(facts), 'formatCode', domain),
    ...(facility && { healthcareFacilityTypeCode: named(facility, 'healthcareFacilityTypeCode', domain) }),
    ...(setting && { practiceSettingCode: named(setting, 'practiceSettingCode', domain) }),
    confidentialityCodes: [facts.confidentialityCode ?? normal, ...hidden.map(visibilityCode)],
    eventCodes: facts.events,
    authors: authors.length > 0 || filer === undefined ? authors : [filer],
    ...(legal && { legalAuthenticator: legal }),
    referenceIds: [],
    extra: [],
  };
}

/**
 * The source's patient as the header knows him: the second identifier, else the first, and the traits as lines of PID. CI-SIS, sourcePatientId,
 * sourcePatientInfo.
 */
export function sourcePatientOf({
  patient: { id, ids, family, given, gender, birthTime },
}: CdaFacts): Partial<Pick<Described, 'sourcePatientId'>> & Pick<Described, 'sourcePatientInfo'> {
  const local = ids[1] ?? id;
  const name = [family, given].map((part) => toEscaped(part)).join('^');
  return {
    ...(local && { sourcePatientId: cxOf(local) }),
    sourcePatientInfo: [
      ...(family === undefined ? [] : [{ field: 5, value: `${name}^^^^^L` }]),
      ...(birthTime === undefined ? [] : [{ field: 7, value: birthTime.slice(0, 8) }]),
      ...(gender === undefined ? [] : [{ field: 8, value: gender === 'UN' ? 'U' : gender }]),
    ],
  };
}

/** A person, by the authority that names her: a professional, a patient, or an employee of a structure. */
export function xcnOf(id: Identifier, { family, given }: { readonly family: string; readonly given?: string }): Xcn {
  const names = { family, ...(given !== undefined && { given }) };
  if (id.oid === professionalAuthority) return professionalXcn(id.value, names);
  const patient = patientXcn(id, names);
  return id.oid.startsWith('1.2.250.1.213.1.4.') ? patient : { ...patient, idType: 'RI' };
}

const normal: Code = { code: 'N', system: '2.16.840.1.113883.5.25', display: 'Normal' };

/** By the domain's table, else by that of CI-SIS; where the domain prescribes no classes, a type that neither knows is a class of its own. */
function classOf(type: Code, { classOfType, valueSets }: AffinityDomain): Code | undefined {
  const code = Object.hasOwn(classOfType, type.code) ? classOfType[type.code] : undefined;
  const known = valueSets.classCode?.codes.find((held) => held.code === code) ?? documentType(type.code)?.classCode;
  return known ?? (valueSets.classCode === undefined ? type : undefined);
}

/** A code with the name that the domain gives it. */
function named(code: Code, attribute: CodedAttribute, { valueSets }: AffinityDomain): Code {
  return valueSets[attribute]?.codes.find((held) => held.code === code.code && held.system === code.system) ?? code;
}

/** An author of the header; undefined when nobody is named. */
function authorOf(by: CdaParticipant): Author | undefined {
  const person = personOf(by);
  const { organisation, specialty, role } = by;
  const institutions =
    organisation?.id?.oid === structureAuthority ? [structureXon(organisation.id.value, organisation.name)] : [];
  if (person === undefined && institutions.length === 0) return undefined;
  return {
    ...(person && { person }),
    institutions,
    roles: role === undefined ? [] : [role],
    specialties: specialty === undefined ? [] : [`${specialty.code}^${specialty.display ?? ''}^${specialty.system}`],
    telecommunications: [],
  };
}

/** A participant of the header as a person; undefined without identifier or family name. */
export function personOf({ id, family, given }: CdaParticipant): Xcn | undefined {
  if (id === undefined || family === undefined) return undefined;
  return xcnOf(id, { family, ...(given !== undefined && { given }) });
}
