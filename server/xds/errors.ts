import { type Problem, type ProblemName, wordsOf } from '../domain/error.ts';
import { either, type Receiver, type SharingCode, sharingCodes } from '../domain/sharing-code.ts';
import { escapeAttribute } from '../xml/write.ts';
import { namespace, responseStatus, severity } from './vocabulary.ts';

/** How a problem is told by SOAP when no transaction may answer. SOAP 1.2 Part 1 §5.4; statuses of SOAP 1.2 Part 2 §7.5.2.2. */
export type FaultForm = {
  readonly code: 'Sender' | 'Receiver' | 'VersionMismatch' | 'MustUnderstand';
  readonly subcode?: `${'wsa' | 'wsse'}:${string}`;
  readonly status: number;
};

const sender: { readonly fault: FaultForm } = { fault: { code: 'Sender', status: 400 } };
const metadata = either('XDSRegistryMetadataError', 'XDSRepositoryMetadataError');
const general = either('XDSRegistryError', 'XDSRepositoryError');

/**
 * What each problem is called here: an errorCode of IHE ITI TF-3 table 4.2.4.1-2, or a fault where the message could not be taken for the
 * request of a transaction.
 */
const answers = {
  notXml: sender,
  xmlForbidden: sender,
  notUtf8: sender,
  xmlTooLarge: sender,
  notSoap: sender,
  soapVersion: { fault: { code: 'VersionMismatch', status: 500 } },
  actionMissing: { fault: { code: 'Sender', subcode: 'wsa:MessageAddressingHeaderRequired', status: 400 } },
  actionUnknown: { fault: { code: 'Sender', subcode: 'wsa:ActionNotSupported', status: 400 } },
  addressingInvalid: { fault: { code: 'Sender', subcode: 'wsa:InvalidAddressingHeader', status: 400 } },
  headerNotUnderstood: { fault: { code: 'MustUnderstand', status: 500 } },
  bodyUnexpected: sender,
  multipartBroken: sender,
  bodyTruncated: sender,
  includeUnresolved: sender,
  mediaTypeUnsupported: { fault: { code: 'Sender', status: 415 } },
  contentCodingUnsupported: { fault: { code: 'Sender', status: 415 } },
  contentCodingBroken: sender,
  messageTooLarge: sender,
  notIdentified: { fault: { code: 'Sender', subcode: 'wsse:FailedAuthentication', status: 400 } },

  accessDenied: general,
  insufficientScope: general,
  patientNotNamed: either('XDSStoredQueryMissingParam', 'XDSRepositoryError'),

  tooManyEntries: either('XDSRegistryOutOfResources', 'XDSRepositoryOutOfResources'),
  objectTypeNotHere: metadata,
  insMalformed: metadata,

  initialVersion: 'XDSInvalidRequestException',
  initialFolder: 'XDSMetadataUpdateError',
  updateUndecodable: 'XDSMetadataUpdateOperationError',
  updateInvalid: 'XDSMetadataUpdateError',
  versionNotLatest: 'XDSMetadataVersionError',
  identityChanged: 'XDSMetadataIdentifierError',
  patientNotReconciled: 'XDSPatientIDReconciliationError',
  attributeUnmodifiable: 'UnmodifiableMetadataError',
  annotationInvalid: 'XDSMetadataAnnotationError',
  objectNotUpdatable: 'XDSObjectTypeError',
  policyForbids: 'LocalPolicyRestrictionError',
  changeNotYours: general,
  notYoursToReplace: general,

  queryUnknown: 'XDSUnknownStoredQuery',
  queryParameterMissing: 'XDSStoredQueryMissingParam',
  queryParameterRepeated: 'XDSStoredQueryParamNumber',
  queryParameterMalformed: general,
  queryReturnType: general,
  tooManyResults: 'XDSTooManyResults',
  notSinglePatient: 'XDSResultNotSinglePatient',
  documentRequestMalformed: general,
  documentUnknown: 'XDSDocumentUniqueIdError',
  repositoryUnknown: 'XDSUnknownRepositoryId',
  sourceUnavailable: general,

  referencesExist: 'ReferencesExistException',
  leftUnreferenced: 'XDSUnreferencedObjectException',
  documentNotRemovable: 'XDSRemoveDocumentsError',

  resourceUnknown: general,
  resourceTypeUnknown: general,
  interactionUnsupported: general,
  parameterMissing: general,
  parameterMalformed: general,
  parameterUnknown: general,
  notAcceptable: general,
  consentRuleBroken: general,
  consentNotEnforceable: general,
  subscriptionNotHonoured: general,
  openingNotEnded: general,
  pageLinkBroken: general,
  multipleMatches: general,
  patchForbidden: general,
  patchFailed: general,
  resourceDeleted: general,
  versionDiffers: general,
  notJson: general,
  elementUnknown: general,
  elementNotKept: general,
  elementMissing: general,
  elementMalformed: general,
  bundleEntryForeign: general,
  profileNotTaken: general,
  profileElementMissing: general,
  profileElementForbidden: general,
  profileCodeNotAllowed: general,
  profileRuleBroken: general,
  profileUnknown: general,
  invariantBroken: general,
  attachmentUnresolved: general,
  attachmentsDiffer: general,
  metadataNotDerivable: general,
  transactionNotServed: general,
  conditionNotTaken: general,
  rangeNotSatisfiable: general,
  batchAnswerFull: general,
  tooMuchStaged: general,

  hl7Malformed: general,
  hl7CharsetUnsupported: general,
  hl7TypeUnsupported: general,
  hl7EventUnsupported: general,
  hl7ProcessingUnsupported: general,
  hl7VersionUnsupported: general,
  senderUnknown: general,
  segmentMissing: general,
  partRepeated: general,
  fieldMissing: general,
  fieldMalformed: general,
  tableValueUnknown: general,
  identitiesDiffer: general,
  searchTooBroad: general,
  directoryNotListed: general,
  domainUnknown: general,
  sourceAuthorityUnknown: general,
  sourceIdentifierUnknown: general,
  targetSystemUnknown: general,
  identityForeign: general,
  identityHeld: general,
  identityNotQualified: general,
  recordNotOpened: general,
  recordNotEmpty: general,
  mergeImpossible: general,
  auditEventNotTaken: general,
  messageEventUnknown: general,

  busy: either('XDSRegistryBusy', 'XDSRepositoryBusy'),
  outOfResources: either('XDSRegistryOutOfResources', 'XDSRepositoryOutOfResources'),
  internal: { fault: { code: 'Receiver', status: 500 } },

  ...sharingCodes,
} satisfies Record<ProblemName, SharingCode | { readonly fault: FaultForm }>;

const answerTo: Record<ProblemName, SharingCode | { readonly fault: FaultForm }> = answers;

/** The errorCode of a problem; undefined when it is told by a fault alone. */
export function errorCodeOf(name: ProblemName, receiver: Receiver): string | undefined {
  const answer = answerTo[name];
  if (typeof answer === 'string') return answer;
  return 'fault' in answer ? undefined : answer[receiver];
}

/** What the documentation shows for a problem: the errorCodes of both receivers, or the codes of the fault. */
export function codeNames(name: ProblemName): string {
  const answer = answerTo[name];
  if (typeof answer === 'string') return answer;
  if (!('fault' in answer)) return `${answer.registry} or ${answer.repository}`;
  const { code, subcode } = answer.fault;
  return `fault ${code}${subcode === undefined ? '' : ` / ${subcode}`}`;
}

/** The fault that tells a problem where no transaction can: busy and full servers are the receiver's matter, all else the sender's. */
export function faultFormOf(name: ProblemName): FaultForm {
  const answer = answerTo[name];
  if (typeof answer !== 'string' && 'fault' in answer) return answer.fault;
  return name === 'busy' || name === 'outOfResources'
    ? { code: 'Receiver', status: 503 }
    : { code: 'Sender', status: 400 };
}

/** What the location of an error names: the object and its attribute, or the object alone as ITI-57 asks. IHE Metadata Update 3.57.4.2. */
export type Location = 'attribute' | 'object';

export type ResponseStatus = keyof typeof responseStatus;

/** An rs:RegistryResponse, its namespace declared; problems of a success are warnings. IHE ITI TF-3 4.2.4. */
export function writeRegistryResponse(
  status: ResponseStatus,
  problems: readonly Problem[],
  receiver: Receiver,
  location?: Location,
): string {
  const start = `<rs:RegistryResponse xmlns:rs="${namespace.rs}" status="${responseStatus[status]}"`;
  return problems.length === 0
    ? `${start}/>`
    : `${start}>${writeErrorList(problems, receiver, location, status === 'success' ? 'warning' : 'error')}</rs:RegistryResponse>`;
}

/** An rs:RegistryErrorList; the prefix `rs` must be declared around it. '' without problems. IHE ITI TF-3 4.2.4.1. */
export function writeErrorList(
  problems: readonly Problem[],
  receiver: Receiver,
  location?: Location,
  level: keyof typeof severity = 'error',
): string {
  if (problems.length === 0) return '';
  const errors = problems.map((problem) => writeError(problem, receiver, level, location)).join('');
  return `<rs:RegistryErrorList highestSeverity="${severity[level]}">${errors}</rs:RegistryErrorList>`;
}

function writeError(
  problem: Problem,
  receiver: Receiver,
  level: keyof typeof severity,
  where: Location = 'attribute',
): string {
  const code =
    errorCodeOf(problem.name, receiver) ?? (receiver === 'registry' ? 'XDSRegistryError' : 'XDSRepositoryError');
  const { object, attribute } = problem.about;
  const location = [object, where === 'attribute' ? attribute : undefined]
    .filter((part) => part !== undefined)
    .join('/');
  return (
    `<rs:RegistryError errorCode="${code}" codeContext="${escapeAttribute(contextOf(problem))}" ` +
    `severity="${severity[level]}" location="${escapeAttribute(location)}"/>`
  );
}

/** Refusals by right begin with the DMP's own code. */
const ofRights: ReadonlySet<ProblemName> = new Set(['accessDenied', 'changeNotYours', 'notYoursToReplace']);

function contextOf(problem: Problem): string {
  const words = wordsOf(problem);
  return ofRights.has(problem.name) ? `DMPAccessDeniedByRightsService: ${words}` : words;
}
