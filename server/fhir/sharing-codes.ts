import type { ProblemName } from '../domain/error.ts';

const metadata = 'XDSRepositoryMetadataError';

/**
 * The codes of document sharing for what is wrong with documents, sets and folders, as a Document Recipient tells them.
 * IHE MHD 2:3.65.4.1.3; IHE ITI TF-3 table 4.2.4.1-2.
 */
export const sharingCodes: { readonly [N in ProblemName]?: string } = {
  unknownPatient: 'XDSUnknownPatientId',
  recordClosed: 'XDSUnknownPatientId',
  patientDiffersFromCredential: 'XDSPatientIdDoesNotMatch',
  patientIdsDiffer: 'XDSPatientIdDoesNotMatch',
  targetOfAnotherPatient: 'XDSPatientIdDoesNotMatch',
  attributeMissing: metadata,
  attributeMalformed: metadata,
  attributeRepeated: metadata,
  attributeForbidden: metadata,
  attributesContradict: metadata,
  codeNotAllowed: metadata,
  submissionSetCount: metadata,
  duplicateId: metadata,
  duplicateUniqueIdInMessage: 'XDSRepositoryDuplicateUniqueIdInMessage',
  referenceUnresolved: 'UnresolvedReferenceException',
  associationInvalid: metadata,
  entryNotInSet: metadata,
  uniqueIdInUse: 'XDSDuplicateUniqueIdInRegistry',
  nonIdenticalHash: 'XDSNonIdenticalHash',
  nonIdenticalSize: 'XDSNonIdenticalSize',
  entryUuidInUse: metadata,
  targetDeprecated: 'XDSRegistryDeprecatedDocumentError',
  uniqueIdOfAnotherKind: metadata,
  documentMissing: 'XDSMissingDocument',
  documentWithoutMetadata: 'XDSMissingDocumentMetadata',
  hashDiffers: metadata,
  sizeDiffers: metadata,
  lotSignatureMissing: metadata,
  lotSignatureWrong: 'InvalidDocumentContent',
  authorNotCaller: metadata,
  visibilityNotAllowed: metadata,
};
