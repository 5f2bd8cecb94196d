import { type Problem, type ProblemName, wordsOf } from '../domain/error.ts';
import { sharingCodeOf } from '../domain/sharing-code.ts';

/** Codes of the value set issue-type that this face answers with. FHIR R4 valueset-issue-type. */
export type IssueCode =
  | 'structure'
  | 'required'
  | 'value'
  | 'invalid'
  | 'code-invalid'
  | 'login'
  | 'forbidden'
  | 'not-found'
  | 'not-supported'
  | 'duplicate'
  | 'conflict'
  | 'business-rule'
  | 'invariant'
  | 'too-long'
  | 'too-costly'
  | 'exception'
  | 'transient'
  | 'multiple-matches'
  | 'processing'
  | 'deleted';

type Translation = { readonly status: number; readonly code: IssueCode };

const as = (status: number, code: IssueCode): Translation => ({ status, code });

/** How every problem of the catalogue is answered: HTTP status and issue code. FHIR R4 http.html#Status-Codes. */
const translations = {
  notXml: as(400, 'structure'),
  xmlForbidden: as(400, 'structure'),
  notUtf8: as(400, 'structure'),
  xmlTooLarge: as(413, 'too-costly'),
  notSoap: as(400, 'structure'),
  soapVersion: as(400, 'structure'),
  actionMissing: as(400, 'structure'),
  actionUnknown: as(400, 'not-supported'),
  addressingInvalid: as(400, 'not-supported'),
  headerNotUnderstood: as(400, 'not-supported'),
  bodyUnexpected: as(400, 'structure'),
  multipartBroken: as(400, 'structure'),
  bodyTruncated: as(400, 'structure'),
  includeUnresolved: as(400, 'structure'),
  mediaTypeUnsupported: as(415, 'not-supported'),
  contentCodingUnsupported: as(415, 'not-supported'),
  contentCodingBroken: as(400, 'structure'),
  messageTooLarge: as(413, 'too-long'),
  notIdentified: as(401, 'login'),

  unknownPatient: as(404, 'not-found'),
  recordClosed: as(403, 'forbidden'),
  accessDenied: as(403, 'forbidden'),
  insufficientScope: as(403, 'forbidden'),
  patientNotNamed: as(400, 'required'),
  patientDiffersFromCredential: as(403, 'forbidden'),

  attributeMissing: as(400, 'required'),
  attributeMalformed: as(400, 'value'),
  attributeRepeated: as(400, 'invalid'),
  attributeForbidden: as(400, 'invalid'),
  attributesContradict: as(400, 'invalid'),
  codeNotAllowed: as(400, 'code-invalid'),
  objectUnclassified: as(400, 'structure'),
  submissionSetCount: as(400, 'structure'),
  tooManyEntries: as(413, 'too-costly'),
  duplicateId: as(400, 'duplicate'),
  duplicateUniqueIdInMessage: as(400, 'duplicate'),
  referenceUnresolved: as(400, 'not-found'),
  associationInvalid: as(400, 'invalid'),
  entryNotInSet: as(400, 'invalid'),
  patientIdsDiffer: as(400, 'invalid'),
  uniqueIdInUse: as(400, 'duplicate'),
  nonIdenticalHash: as(400, 'duplicate'),
  nonIdenticalSize: as(400, 'duplicate'),
  entryUuidInUse: as(400, 'duplicate'),
  targetDeprecated: as(400, 'business-rule'),
  targetOfAnotherPatient: as(400, 'invalid'),
  uniqueIdOfAnotherKind: as(400, 'duplicate'),

  initialVersion: as(400, 'invalid'),
  initialFolder: as(400, 'invalid'),
  updateUndecodable: as(400, 'structure'),
  updateInvalid: as(400, 'business-rule'),
  versionNotLatest: as(412, 'conflict'),
  identityChanged: as(400, 'business-rule'),
  patientNotReconciled: as(400, 'business-rule'),
  attributeUnmodifiable: as(400, 'business-rule'),
  annotationInvalid: as(400, 'structure'),
  objectNotUpdatable: as(400, 'not-supported'),
  policyForbids: as(403, 'forbidden'),
  changeNotYours: as(403, 'forbidden'),

  documentMissing: as(400, 'required'),
  documentWithoutMetadata: as(400, 'required'),
  hashDiffers: as(400, 'value'),
  sizeDiffers: as(400, 'value'),
  objectTypeNotHere: as(400, 'not-supported'),

  lotSignatureMissing: as(400, 'business-rule'),
  traitsDiffer: as(400, 'business-rule'),
  lotSignatureWrong: as(400, 'business-rule'),
  authorNotCaller: as(400, 'business-rule'),
  visibilityNotAllowed: as(400, 'business-rule'),
  notYoursToReplace: as(403, 'forbidden'),
  patientDocumentNotAllowed: as(400, 'business-rule'),
  insMalformed: as(400, 'value'),

  queryUnknown: as(400, 'not-supported'),
  queryParameterMissing: as(400, 'required'),
  queryParameterRepeated: as(400, 'invalid'),
  queryParameterMalformed: as(400, 'value'),
  queryReturnType: as(400, 'not-supported'),
  tooManyResults: as(400, 'too-costly'),
  notSinglePatient: as(400, 'invalid'),
  documentRequestMalformed: as(400, 'invalid'),
  documentUnknown: as(404, 'not-found'),
  repositoryUnknown: as(404, 'not-found'),
  sourceUnavailable: as(503, 'transient'),
  referencesExist: as(409, 'conflict'),
  leftUnreferenced: as(409, 'conflict'),
  documentNotRemovable: as(422, 'business-rule'),

  resourceUnknown: as(404, 'not-found'),
  resourceTypeUnknown: as(404, 'not-supported'),
  interactionUnsupported: as(405, 'not-supported'),
  parameterMissing: as(400, 'required'),
  parameterMalformed: as(400, 'value'),
  parameterUnknown: as(400, 'not-supported'),
  notAcceptable: as(406, 'not-supported'),
  consentRuleBroken: as(422, 'business-rule'),
  consentNotEnforceable: as(422, 'business-rule'),
  subscriptionNotHonoured: as(422, 'business-rule'),
  openingNotEnded: as(422, 'business-rule'),
  pageLinkBroken: as(400, 'invalid'),
  multipleMatches: as(412, 'multiple-matches'),
  patchForbidden: as(405, 'not-supported'),
  patchFailed: as(422, 'processing'),
  resourceDeleted: as(410, 'deleted'),
  versionDiffers: as(412, 'conflict'),
  notJson: as(400, 'structure'),
  elementUnknown: as(400, 'structure'),
  elementNotKept: as(422, 'business-rule'),
  elementMissing: as(400, 'required'),
  elementMalformed: as(400, 'value'),
  bundleEntryForeign: as(400, 'not-supported'),
  profileNotTaken: as(400, 'not-supported'),
  profileElementMissing: as(422, 'required'),
  profileElementForbidden: as(422, 'structure'),
  profileCodeNotAllowed: as(422, 'code-invalid'),
  profileRuleBroken: as(422, 'invariant'),
  profileUnknown: as(422, 'not-supported'),
  invariantBroken: as(422, 'invariant'),
  attachmentUnresolved: as(400, 'not-found'),
  attachmentsDiffer: as(400, 'value'),
  metadataNotDerivable: as(422, 'not-supported'),
  transactionNotServed: as(400, 'not-supported'),
  conditionNotTaken: as(400, 'not-supported'),
  rangeNotSatisfiable: as(416, 'value'),
  batchAnswerFull: as(413, 'too-costly'),
  tooMuchStaged: as(429, 'too-costly'),

  searchTooBroad: as(400, 'too-costly'),
  directoryNotListed: as(400, 'too-costly'),
  domainUnknown: as(404, 'not-found'),
  sourceAuthorityUnknown: as(400, 'code-invalid'),
  sourceIdentifierUnknown: as(404, 'not-found'),
  targetSystemUnknown: as(403, 'code-invalid'),
  identityForeign: as(422, 'business-rule'),
  identityHeld: as(409, 'duplicate'),
  identityNotQualified: as(422, 'business-rule'),
  recordNotOpened: as(422, 'business-rule'),
  recordNotEmpty: as(409, 'conflict'),
  mergeImpossible: as(422, 'business-rule'),
  auditEventNotTaken: as(422, 'business-rule'),
  messageEventUnknown: as(400, 'not-supported'),

  hl7Malformed: as(400, 'structure'),
  hl7CharsetUnsupported: as(400, 'structure'),
  hl7TypeUnsupported: as(400, 'not-supported'),
  hl7EventUnsupported: as(400, 'not-supported'),
  hl7ProcessingUnsupported: as(400, 'not-supported'),
  hl7VersionUnsupported: as(400, 'not-supported'),
  senderUnknown: as(401, 'login'),
  segmentMissing: as(400, 'structure'),
  partRepeated: as(400, 'structure'),
  fieldMissing: as(400, 'required'),
  fieldMalformed: as(400, 'value'),
  tableValueUnknown: as(400, 'code-invalid'),
  identitiesDiffer: as(409, 'conflict'),

  busy: as(503, 'transient'),
  outOfResources: as(507, 'transient'),
  internal: as(500, 'exception'),
} satisfies Record<ProblemName, Translation>;

/** Problems whose cause the caller named by a search parameter. */
const ofParameter: ReadonlySet<ProblemName> = new Set(['parameterMissing', 'parameterMalformed', 'parameterUnknown']);

/** The HTTP status of an answer that refuses for this problem. */
export function statusOf(name: ProblemName): number {
  return translations[name].status;
}

/** The status of an answer that refuses for these problems: 5xx before 4xx, and else that of the one found first. */
export function answerStatus(problems: readonly Problem[]): number {
  const statuses = problems.map(({ name }) => statusOf(name));
  return statuses.find((status) => status >= 500) ?? statuses[0] ?? 500;
}

/** So many problems are told one by one. */
const mostTold = 1000;

/**
 * An OperationOutcome with one issue for each problem: its name as `details`, with the code of document sharing where it has one, its public
 * words as `diagnostics`, and as `expression` the FHIRPath of what is at fault, or the name of the search parameter. The id is the request's.
 * FHIR R4 operationoutcome.html.
 */
export function outcomeOf(problems: readonly Problem[], requestId: string, severity: 'error' | 'warning' = 'error') {
  return {
    resourceType: 'OperationOutcome',
    id: requestId,
    issue: [...problems.slice(0, mostTold).map((problem) => issueOf(problem, severity)), ...leftOut(problems.length)],
  };
}

function issueOf({ name, about }: Problem, severity: 'error' | 'warning') {
  const { attribute, expression } = about;
  const sharingCode = sharingCodeOf(name, 'repository');
  return {
    severity: severity === 'error' && statusOf(name) >= 500 ? 'fatal' : severity,
    code: translations[name].code,
    details: { ...(sharingCode !== undefined && { coding: [{ code: sharingCode }] }), text: name },
    diagnostics: wordsOf({ name, about }),
    ...((expression ?? attribute) !== undefined && {
      expression: [expression ?? (ofParameter.has(name) ? `http.${attribute}` : attribute)],
    }),
  } as const;
}

/** How many problems are not told one by one. */
function leftOut(found: number) {
  if (found <= mostTold) return [];
  const diagnostics = `${found - mostTold} further problems were found.`;
  return [{ severity: 'information', code: 'processing', details: { text: 'further' }, diagnostics } as const];
}
