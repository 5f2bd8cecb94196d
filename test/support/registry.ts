import type { Association, DocumentEntry, Folder, SubmissionSet } from '../../server/domain/document.ts';
import { type VisibilityCode, visibilitySystem } from '../../server/domain/document.ts';
import type { Author } from '../../server/domain/people.ts';
import { professionalAuthority, structureAuthority } from '../../server/domain/people.ts';

/** `urn:uuid:` of a number: the same number, the same name. */
export function uuid(number: number): string {
  return `urn:uuid:00000000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
}

export const code = (value: string, system = '1.2.250.1.213.1.1.4.1', display = value) => ({
  code: value,
  system,
  display,
});

export const confidential = (...codes: readonly VisibilityCode[]) => [
  code('N', '2.16.840.1.113883.5.25'),
  ...codes.map((c) => code(c, visibilitySystem)),
];

export function authorOf(professional: string, structure?: string): Author {
  return {
    person: {
      id: professional,
      family: `NOM${professional.slice(-1)}`,
      given: 'Prénom',
      authority: { oid: professionalAuthority },
      nameType: 'D',
      idType: 'IDNPS',
    },
    institutions:
      structure === undefined
        ? []
        : [{ name: 'Structure', authority: { oid: structureAuthority }, idType: 'IDNST', id: structure }],
    roles: [],
    specialties: [],
    telecommunications: [],
  };
}

const patientId = { id: '279035121518989', authority: { oid: '1.2.250.1.213.1.4.10' }, type: 'NH' };

/** A registered document; the number names it everywhere. */
export function document(number: number, changes: Partial<DocumentEntry> = {}): DocumentEntry {
  return {
    entryUUID: uuid(number),
    logicalID: uuid(number),
    version: 1,
    objectType: 'stable',
    status: 'approved',
    uniqueId: `2.999.1.${number}`,
    patientId,
    sourcePatientId: patientId,
    sourcePatientInfo: [{ field: 5, value: 'LAURENT^ANNE^^^^^L' }],
    mimeType: 'text/xml',
    title: { value: `Document ${number}`, language: 'fr-FR' },
    languageCode: 'fr-FR',
    creationTime: '20260102030405',
    hash: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
    size: 3,
    repositoryUniqueId: '1.2.250.1.999',
    classCode: code('10'),
    typeCode: code('11488-4', '2.16.840.1.113883.6.1'),
    formatCode: code('urn:ihe:lab:xd-lab:2008', '1.3.6.1.4.1.19376.1.2.3'),
    healthcareFacilityTypeCode: code('SA01'),
    practiceSettingCode: code('ETABLISSEMENT'),
    confidentialityCodes: confidential(),
    eventCodes: [],
    authors: [authorOf('899970000099')],
    referenceIds: [],
    extra: [],
    ...changes,
  };
}

export function submissionSet(number: number, changes: Partial<SubmissionSet> = {}): SubmissionSet {
  return {
    entryUUID: uuid(number),
    status: 'approved',
    uniqueId: `2.999.2.${number}`,
    sourceId: '2.999.9',
    patientId,
    submissionTime: '20260102030405',
    contentTypeCode: code('04'),
    authors: [authorOf('899970000099')],
    intendedRecipients: [],
    extra: [],
    ...changes,
  };
}

export function folder(number: number, changes: Partial<Folder> = {}): Folder {
  return {
    entryUUID: uuid(number),
    logicalID: uuid(number),
    version: 1,
    status: 'approved',
    uniqueId: `2.999.3.${number}`,
    patientId,
    title: { value: `Folder ${number}` },
    codes: [code('F')],
    lastUpdateTime: '20260102030405',
    extra: [],
    ...changes,
  };
}

export function association(
  number: number,
  source: number,
  target: number,
  type: Association['type'] = 'HasMember',
): Association {
  return {
    entryUUID: uuid(number),
    type,
    source: uuid(source),
    target: uuid(target),
    status: 'approved',
    extra: [],
  };
}
