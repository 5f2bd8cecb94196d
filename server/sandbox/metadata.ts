import { hash } from 'node:crypto';
import { documentType } from '../cda/document-types.ts';
import { formatOf } from '../cda/format.ts';
import type { CdaFacts, CdaParticipant } from '../cda/header.ts';
import { personOf } from '../cda/metadata.ts';
import type { Code } from '../domain/code.ts';
import {
  type DocumentEntry,
  type Submission,
  type SubmissionSet,
  type VisibilityCode,
  visibilityCode,
} from '../domain/document.ts';
import type { Cx } from '../domain/identifier.ts';
import {
  type Author,
  patientXcn,
  professionalAuthority,
  professionalXcn,
  structureAuthority,
  structureXon,
} from '../domain/people.ts';
import { dtmOf } from '../domain/time.ts';
import { practiceOf, type SandboxPatient, type SandboxProfessional, type SandboxStructure } from './people.ts';
import { authorSpecialtyOf } from './roles.ts';

/** Who files a document, and for whom. */
export type Depositor = SandboxProfessional | SandboxStructure | SandboxPatient;

/** One document to be filed. UUIDs are given without prefix; `at` is milliseconds since 1970. */
export type Filing = {
  readonly bytes: Uint8Array;
  readonly facts: CdaFacts;
  readonly depositor: Depositor;
  readonly patient: SandboxPatient;
  readonly hide?: VisibilityCode;
  /** Other type and title than the document's own. */
  readonly typeCode?: Code;
  readonly title?: string;
  readonly entryUuid: string;
  readonly setUuid: string;
  readonly setUniqueId: string;
  readonly at: number;
};

/** The metadata of one CDA and of the set that brings it, as a source of the DMP fills them. CI-SIS volet Partage de documents de santé. */
export type Filed = { readonly entry: DocumentEntry; readonly set: SubmissionSet };

/** A type that the DMP does not know, so that no class follows from it. */
export class TypeUnknown extends Error {
  override readonly name = 'TypeUnknown';
}

/**
 * Describes a document by its own header, completed by what is known of its depositor.
 * @throws TypeUnknown
 */
export function describe(filing: Filing): Filed {
  return { entry: entryOf(filing), set: setOf(filing) };
}

const patientIdOf = ({ ins, insOid }: SandboxPatient): Cx => ({ id: ins, authority: { oid: insOid }, type: 'NH' });

function setOf({ depositor, patient, setUuid, setUniqueId, at }: Filing): SubmissionSet {
  return {
    entryUUID: `urn:uuid:${setUuid}`,
    status: 'approved',
    uniqueId: setUniqueId,
    sourceId: '1.2.250.1.999.2.1',
    patientId: patientIdOf(patient),
    submissionTime: dtmOf(at),
    contentTypeCode: contentTypeOf(depositor),
    authors: [authorOf(depositor)],
    intendedRecipients: [],
    extra: [],
  };
}

function entryOf({ facts, depositor, patient, bytes, hide, typeCode, title, entryUuid, at }: Filing): DocumentEntry {
  const { code } = typeCode ?? facts.typeCode;
  const type = documentType(code);
  if (type === undefined) throw new TypeUnknown(code);
  const entryUUID = `urn:uuid:${entryUuid}`;
  const patientId = patientIdOf(patient);
  const authors = facts.authors.map(authorIn).filter((author) => author !== undefined);
  const legal = facts.legalAuthenticator && personOf(facts.legalAuthenticator);
  return {
    entryUUID,
    logicalID: entryUUID,
    version: 1,
    objectType: 'stable',
    status: 'approved',
    uniqueId: facts.uniqueId,
    patientId,
    sourcePatientId: patientId,
    sourcePatientInfo: patientLines(patient),
    mimeType: 'text/xml',
    title: { value: title ?? facts.title, language: 'fr-FR' },
    languageCode: facts.languageCode,
    creationTime: facts.effectiveTime ?? dtmOf(at),
    serviceStartTime: facts.serviceStart ?? facts.effectiveTime ?? dtmOf(at),
    ...(facts.serviceStop !== undefined && { serviceStopTime: facts.serviceStop }),
    hash: hash('sha1', bytes, 'hex'),
    size: bytes.length,
    repositoryUniqueId: '',
    ...type,
    formatCode: formatOf(facts),
    healthcareFacilityTypeCode: facts.facility ?? facilityOf(depositor),
    practiceSettingCode: facts.setting ?? settingOf(depositor),
    confidentialityCodes: [
      { code: 'N', system: '2.16.840.1.113883.5.25', display: 'Normal' },
      ...(hide === undefined ? [] : [visibilityCode(hide)]),
    ],
    eventCodes: [],
    authors: authors.length > 0 ? authors : [authorOf(depositor)],
    ...(legal && { legalAuthenticator: legal }),
    referenceIds: [],
    extra: [],
  };
}

/** The same as a source sends it: one set, its documents, and what makes them members. */
export function submissionOf({ entry, set }: Filed, associationUuid: string): Submission {
  const { entryUUID: entryId, repositoryUniqueId: _place, ...described } = entry;
  const { entryUUID: setId, ...filed } = set;
  return {
    sets: [{ ...filed, id: setId }],
    entries: [{ ...described, id: entryId }],
    folders: [],
    associations: [
      {
        id: `urn:uuid:${associationUuid}`,
        type: 'HasMember',
        source: setId,
        target: entryId,
        submissionSetStatus: 'Original',
        extra: [],
      },
    ],
  };
}

const patientExpression: Code = {
  code: 'EXP_PATIENT',
  system: '1.2.250.1.213.1.1.4.6',
  display: 'Expression personnelle du patient',
};

/** The depositor as an author: identifiers decide, names are for readers. */
export function authorOf(depositor: Depositor): Author {
  if (depositor.kind === 'patient') return authorIsPatient(depositor);
  const person = depositor.kind === 'professional' ? depositor : depositor.employee;
  const id = depositor.kind === 'professional' ? depositor.idNat : `${depositor.structIdNat}/${depositor.employee.id}`;
  return {
    person: professionalXcn(id, person),
    institutions: [structureXon(depositor.structIdNat, practiceOf(depositor)?.display ?? depositor.display)],
    roles: [],
    specialties: [authorSpecialtyOf(person)],
    telecommunications: [],
  };
}

function authorIsPatient(patient: SandboxPatient): Author {
  const { code, display, system } = patientExpression;
  return {
    person: patientXcn({ value: patient.ins, oid: patient.insOid }, patient),
    institutions: [],
    roles: [],
    specialties: [`${code}^${display}^${system}`],
    telecommunications: [],
  };
}

/** An author of the document's header; undefined when nobody is named. */
function authorIn(by: CdaParticipant): Author | undefined {
  const person = personOf(by);
  if (person === undefined) return undefined;
  const { organisation, specialty } = by;
  const specialties =
    by.id?.oid === professionalAuthority
      ? specialty && [`${specialty.code}^${specialty.display ?? ''}^${specialty.system}`]
      : [`${patientExpression.code}^${patientExpression.display}^${patientExpression.system}`];
  return {
    person,
    institutions:
      organisation?.id?.oid === structureAuthority ? [structureXon(organisation.id.value, organisation.name)] : [],
    roles: [],
    specialties: specialties ?? [],
    telecommunications: [],
  };
}

function patientLines({ family, given, birthDate, gender }: SandboxPatient) {
  return [
    { field: 5, value: `${family}^${given}^^^^^L` },
    { field: 7, value: birthDate.replaceAll('-', '') },
    { field: 8, value: gender === 'male' ? 'M' : 'F' },
  ];
}

function facilityOf(depositor: Depositor): Code {
  if (depositor.kind === 'patient') return patientExpression;
  return { code: practiceOf(depositor)?.sector ?? 'SA43', system: '1.2.250.1.71.4.2.4' };
}

function settingOf(depositor: Depositor): Code {
  if (depositor.kind === 'patient') return patientExpression;
  return { code: practiceOf(depositor)?.setting ?? 'AMBULATOIRE', system: '1.2.250.1.213.1.1.4.9' };
}

/** The kind of activity that the set comes from. JDV_J59-ContentTypeCode-DMP. */
function contentTypeOf(depositor: Depositor): Code {
  if (depositor.kind === 'patient') return patientExpression;
  const place = practiceOf(depositor);
  const system = '1.2.250.1.213.2.2';
  if (place?.sector === 'SA25') return { code: '26', system, display: 'Analyses médicales biologiques' };
  if (place?.setting === 'ETABLISSEMENT')
    return { code: '03', system, display: 'Hospitalisation complète (non compris hospitalisation de semaine)' };
  return { code: '07', system, display: 'Consultations, soins externes' };
}
