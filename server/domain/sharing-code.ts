import type { ProblemName } from './error.ts';

/** Who answers: the codes name the actor that refuses. IHE ITI TF-3 table 4.2.4.1-2. */
export type Receiver = 'registry' | 'repository';

/** A code of document sharing, or one for each receiver. */
export type SharingCode = string | { readonly [receiver in Receiver]: string };

/** The codes of both receivers, where they differ. */
export const either = (registry: string, repository: string): SharingCode => ({ registry, repository });

const metadata = either('XDSRegistryMetadataError', 'XDSRepositoryMetadataError');

/**
 * The codes of document sharing for what is wrong with documents, sets and folders, on every face: the error list of XDS and the
 * OperationOutcome of MHD tell the same. IHE ITI TF-3 table 4.2.4.1-2; IHE MHD 2:3.65.4.1.3.
 */
export const sharingCodes = {
  unknownPatient: 'XDSUnknownPatientId',
  recordClosed: 'XDSUnknownPatientId',
  patientDiffersFromCredential: 'XDSPatientIdDoesNotMatch',

  attributeMissing: metadata,
  attributeMalformed: metadata,
  attributeRepeated: metadata,
  attributeForbidden: metadata,
  attributesContradict: metadata,
  codeNotAllowed: metadata,
  objectUnclassified: metadata,
  submissionSetCount: metadata,
  duplicateId: metadata,
  duplicateUniqueIdInMessage: either(
    'XDSRegistryDuplicateUniqueIdInMessage',
    'XDSRepositoryDuplicateUniqueIdInMessage',
  ),
  referenceUnresolved: 'UnresolvedReferenceException',
  associationInvalid: metadata,
  entryNotInSet: metadata,
  patientIdsDiffer: 'XDSPatientIdDoesNotMatch',
  uniqueIdInUse: 'XDSDuplicateUniqueIdInRegistry',
  nonIdenticalHash: 'XDSNonIdenticalHash',
  nonIdenticalSize: 'XDSNonIdenticalSize',
  entryUuidInUse: metadata,
  targetDeprecated: 'XDSRegistryDeprecatedDocumentError',
  targetOfAnotherPatient: 'XDSPatientIdDoesNotMatch',
  uniqueIdOfAnotherKind: metadata,

  documentMissing: 'XDSMissingDocument',
  documentWithoutMetadata: 'XDSMissingDocumentMetadata',
  hashDiffers: metadata,
  sizeDiffers: metadata,

  lotSignatureMissing: metadata,
  lotSignatureWrong: 'InvalidDocumentContent',
  authorNotCaller: metadata,
  visibilityNotAllowed: metadata,
  patientDocumentNotAllowed: metadata,
  traitsDiffer: metadata,
} satisfies { readonly [N in ProblemName]?: SharingCode };

/** The code that this receiver tells for a problem; undefined for what is no matter of documents, sets and folders. */
export function sharingCodeOf(name: ProblemName, receiver: Receiver): string | undefined {
  const codes: { readonly [N in ProblemName]?: SharingCode } = sharingCodes;
  const code = codes[name];
  return typeof code === 'object' ? code[receiver] : code;
}
