/** What a problem is about; every part is shown to the caller, so nothing private belongs here. */
export type About = {
  /** The attribute, parameter, header or element at fault, in the words of its standard. */
  readonly attribute?: string;
  /** The FHIRPath of what is at fault, within what was sent. */
  readonly expression?: string;
  /** The object of the message, by the id that the sender gave it. */
  readonly object?: string;
  readonly value?: string;
  /** Whatever else the words of the problem need. */
  readonly detail?: string;
  /** The clause that is broken, where the problem has many. */
  readonly rule?: string;
};

type Words = {
  /** One sentence on what is wrong; may show the attribute, object and value. */
  readonly what: (about: About) => string;
  /** The clause that asks for it. */
  readonly rule: string;
  /** What the sender does next. */
  readonly remedy: string;
};

const quoted = (value: string | undefined) =>
  value === undefined ? 'no value' : `"${value.length > 200 ? `${value.slice(0, 200)}…` : value}"`;
const of = (about: About) => (about.object === undefined ? '' : ` of ${about.object}`);
const ofDocument = ({ object = '' }: About) => (object === '' ? '' : ` of the document ${quoted(object)}`);
const attribute = (about: About) => `${about.attribute ?? 'an attribute'}${of(about)}`;
const given = (about: About) => (about.value === undefined ? '' : ` ${quoted(about.value)}`);
const because = (about: About) => (about.detail === undefined ? '' : `: ${about.detail}`);

const tf3 = (section: string) => `IHE ITI TF-3 ${section}`;
const tf2 = (section: string) => `IHE ITI TF-2 ${section}`;

/**
 * Every problem that the service can answer with, in public words. Faces translate the name to their code (`xds/errors.ts`,
 * `fhir/outcome.ts`); the words stay the same on every face.
 */
export const catalogue = {
  // The message itself
  notXml: {
    what: (a) => `The message is not well-formed XML${because(a)}`,
    rule: 'XML 1.0; SOAP 1.2 Part 1 §5; FHIR R4 xml.html',
    remedy: 'Send one well-formed document encoded in UTF-8: a SOAP 1.2 envelope, or for FHIR one resource.',
  },
  xmlForbidden: {
    what: (a) => `The message holds something that is not accepted in XML here${because(a)}`,
    rule: 'SOAP 1.2 Part 1 §5 (no DTD, no processing instruction); FHIR R4 xml.html',
    remedy: 'Send plain elements and text: no DOCTYPE, no entity declarations, no processing instructions.',
  },
  notUtf8: {
    what: (a) => `The message is not UTF-8${because(a)}`,
    rule: `${tf2('Appendix V')}; XML 1.0 §4.3.3`,
    remedy: 'Encode the message in UTF-8 and declare no other charset.',
  },
  xmlTooLarge: {
    what: (a) => `The message goes over a limit of this server${because(a)}`,
    rule: 'Limits of docs/configuration.md',
    remedy: 'Send large documents as MTOM parts, and split large submissions.',
  },
  notSoap: {
    what: (a) => `The message is no SOAP 1.2 envelope${because(a)}`,
    rule: `SOAP 1.2 Part 1 §5; ${tf2('Appendix V')}`,
    remedy: 'Send an Envelope of namespace http://www.w3.org/2003/05/soap-envelope with one Body holding one element.',
  },
  soapVersion: {
    what: () => 'The message is SOAP 1.1 or of another version',
    rule: `SOAP 1.2 Part 1 §5.4.7; ${tf2('Appendix V')}`,
    remedy: 'Use SOAP 1.2: namespace http://www.w3.org/2003/05/soap-envelope and media type application/soap+xml.',
  },
  actionMissing: {
    what: () => 'The header wsa:Action is missing, empty or doubled',
    rule: `WS-Addressing 1.0 SOAP Binding; ${tf2('Appendix V')} (IHE-WSA101)`,
    remedy: 'Send exactly one wsa:Action with the action of the transaction.',
  },
  actionUnknown: {
    what: (a) => `The action ${quoted(a.value)} is not served at this address`,
    rule: `WS-Addressing 1.0 SOAP Binding §6.4.2; ${tf2('Appendix V')}`,
    remedy: 'Check the address and the wsa:Action; docs/transactions.md lists both.',
  },
  addressingInvalid: {
    what: (a) => `The header ${a.attribute ?? 'of WS-Addressing'} cannot be followed${because(a)}`,
    rule: `WS-Addressing 1.0 SOAP Binding §6.4.1; ${tf2('Appendix V')} (IHE-WSA102)`,
    remedy:
      'Send one MessageID and at most one ReplyTo; let ReplyTo be http://www.w3.org/2005/08/addressing/anonymous, or an address that the operator of the server allows.',
  },
  headerNotUnderstood: {
    what: (a) => `The header block ${quoted(a.value)} must be understood and is not`,
    rule: 'SOAP 1.2 Part 1 §5.2.3',
    remedy: 'Leave the block out, or drop its mustUnderstand.',
  },
  bodyUnexpected: {
    what: (a) => `The Body holds ${quoted(a.value)} where the action asks for another element${because(a)}`,
    rule: `${tf2('3.18, 3.41, 3.43')} (message semantics)`,
    remedy: 'Send the request element that belongs to the wsa:Action.',
  },
  multipartBroken: {
    what: (a) => `The MIME package is broken${because(a)}`,
    rule: `RFC 2046 §5.1, RFC 2387; ${tf2('V.8')} (MTOM)`,
    remedy:
      'Check boundary, part headers and the closing delimiter; lines end with CRLF, and each part is named by a document.',
  },
  bodyTruncated: {
    what: () => 'The body ended before it was complete',
    rule: 'RFC 9112 §8; RFC 2046 §5.1.1',
    remedy: 'Send the message again, whole.',
  },
  includeUnresolved: {
    what: (a) => `xop:Include names ${quoted(a.value)}${because(a)}`,
    rule: `XOP §4; ${tf2('V.8')}`,
    remedy: 'Let each href be cid: and the Content-ID of exactly one part of the message.',
  },
  mediaTypeUnsupported: {
    what: (a) => `The content type ${quoted(a.value)} is not accepted here`,
    rule: `${tf2('Appendix V')}; RFC 9110 §15.5.16`,
    remedy:
      'Send application/soap+xml or multipart/related with application/xop+xml; for FHIR application/fhir+json or application/fhir+xml.',
  },
  contentCodingUnsupported: {
    what: (a) => `The Content-Encoding ${quoted(a.value)} is not accepted here`,
    rule: 'RFC 9110 §8.4, §15.5.16',
    remedy: 'Send the body as it is, without Content-Encoding; a SOAP message may be compressed with gzip.',
  },
  contentCodingBroken: {
    what: (a) => `The body is not compressed as Content-Encoding says${because(a)}`,
    rule: 'RFC 9110 §8.4.1.3; RFC 1952',
    remedy: 'Send the gzip data whole, or the body as it is without Content-Encoding.',
  },
  messageTooLarge: {
    what: (a) => `The message is larger than this server accepts${because(a)}`,
    rule: 'Limits of docs/configuration.md',
    remedy: 'Send fewer or smaller documents in one message.',
  },
  notIdentified: {
    what: () => 'The caller could not be identified',
    rule: 'WS-Security SOAP Message Security 1.1 §12; RFC 6750 §3',
    remedy:
      'Send one fresh, valid VIHF assertion in wsse:Security, or one valid bearer token; an assertion serves one request.',
  },

  // The record and the right to it
  unknownPatient: {
    what: (a) => `Patient ${quoted(a.value)} is not known here${because(a)}`,
    rule: `${tf3('table 4.2.4.1-2')} (XDSUnknownPatientId)`,
    remedy: 'Check the identifier (in the DMP the INS) and its OID; a record must exist before documents are shared.',
  },
  recordClosed: {
    what: (a) => `The record of patient ${quoted(a.value)} is closed`,
    rule: 'CSP L.1111-18; access policy',
    remedy: 'Nothing can be read or deposited until the holder has reopened the record.',
  },
  accessDenied: {
    what: () => 'The access rights of this record do not allow the request',
    rule: 'CSP L.1111-17 to 19; functional rights matrix of the DMP',
    remedy:
      'Ask the patient for an authorisation; in an emergency that threatens life, break-glass access may be open to you. What is for systems alone takes a right that the operator gives (docs/systems.md).',
  },
  insufficientScope: {
    what: (a) => `The scopes of the token do not cover the request${because(a)}`,
    rule: 'RFC 6750 §3.1; IHE ITI TF-2 3.72; SMART App Launch 2.2',
    remedy: 'Ask for a token with one of the scopes named.',
  },
  patientNotNamed: {
    what: () => 'Neither the request nor the credential names a patient',
    rule: `VIHF resource-id; ${tf2('3.18.4.1.2.3.7')}`,
    remedy: 'Name the patient in the request, or bring an assertion or token for one patient.',
  },
  patientDiffersFromCredential: {
    what: (a) => `The request names patient ${quoted(a.value)}, the assertion or token another one`,
    rule: `${tf3('table 4.2.4.1-2')} (XDSPatientIdDoesNotMatch); VIHF resource-id`,
    remedy: 'Ask for an assertion or token for the patient whom the request names.',
  },

  // Metadata
  attributeMissing: {
    what: (a) => `${attribute(a)} is missing${because(a)}`,
    rule: tf3('4.2.3'),
    remedy: 'Add the attribute.',
  },
  attributeMalformed: {
    what: (a) => `${attribute(a)} is ${quoted(a.value)}${because(a)}`,
    rule: tf3('table 4.2.3.1.7-2'),
    remedy: 'Write the value in the form of its data type.',
  },
  attributeRepeated: {
    what: (a) => `${attribute(a)} is given more than once`,
    rule: tf3('4.2.3'),
    remedy: 'Send it once.',
  },
  attributeForbidden: {
    what: (a) => `${attribute(a)}${given(a)} may not be sent here${because(a)}`,
    rule: tf3('4.3.1'),
    remedy: 'Leave the attribute out.',
  },
  attributesContradict: {
    what: (a) => `${attribute(a)}${given(a)} contradicts another attribute${because(a)}`,
    rule: tf3('4.2.3'),
    remedy: 'Make the two agree.',
  },
  codeNotAllowed: {
    what: (a) => `${attribute(a)} has the code ${quoted(a.value)}, which is not accepted${because(a)}`,
    rule: `${tf3('4.2.3.1.2')}; CI-SIS value sets`,
    remedy: 'Use a code and codingScheme of the value set.',
  },
  objectUnclassified: {
    what: (a) => `The object ${quoted(a.object)} is of no known kind${because(a)}`,
    rule: tf3('4.2.1'),
    remedy: 'Give objectType to entries, and the classification node of its kind to each RegistryPackage.',
  },
  submissionSetCount: {
    what: (a) => `The submission holds ${a.detail ?? 'no'} submission sets instead of one`,
    rule: `${tf3('4.2.1.4')}; ${tf2('3.42.4.1.2')}`,
    remedy: 'Send exactly one submission set.',
  },
  tooManyEntries: {
    what: (a) => `The submission holds ${a.value ?? 'too many'} entries, more than ${a.detail ?? 'the limit'}`,
    rule: 'Limits of docs/configuration.md',
    remedy: 'Split the submission.',
  },
  duplicateId: {
    what: (a) => `The id ${quoted(a.value)} names more than one object of the message`,
    rule: 'ebRIM 3.0 (identifiable)',
    remedy: 'Give each object its own id.',
  },
  duplicateUniqueIdInMessage: {
    what: (a) => `The uniqueId ${quoted(a.value)} is used more than once in the message`,
    rule: `${tf3('table 4.2.4.1-2')} (DuplicateUniqueIdInMessage)`,
    remedy: 'Give each document, set and folder its own uniqueId.',
  },
  referenceUnresolved: {
    what: (a) => `${attribute(a)} names ${quoted(a.value)}, which is not found${because(a)}`,
    rule: `${tf3('4.2.2')}; ${tf2('3.42.4.1.3')}`,
    remedy: 'Name an object of the message by its id, or a registered object by its entryUUID.',
  },
  associationInvalid: {
    what: (a) => `The association ${quoted(a.object)} is not legal${because(a)}`,
    rule: tf3('4.2.2'),
    remedy: 'Check type, ends and slots of the association.',
  },
  entryNotInSet: {
    what: (a) => `The object ${quoted(a.object)} is not a member of the submission set`,
    rule: tf3('4.2.1.4'),
    remedy: 'Add a HasMember association from the submission set, SubmissionSetStatus Original for a document.',
  },
  patientIdsDiffer: {
    what: (a) => `patientId${of(a)} is ${quoted(a.value)}, the submission set's another${because(a)}`,
    rule: `${tf3('table 4.2.4.1-2')} (XDSPatientIdDoesNotMatch)`,
    remedy: 'Send one submission for one patient.',
  },
  uniqueIdInUse: {
    what: (a) => `The uniqueId ${quoted(a.value)}${of(a)} is already registered${because(a)}`,
    rule: `${tf3('table 4.2.4.1-2')} (XDSDuplicateUniqueIdInRegistry)`,
    remedy: 'Give the object a new uniqueId; if this is a repeated sending, it had arrived the first time.',
  },
  nonIdenticalHash: {
    what: (a) => `The uniqueId ${quoted(a.value)} is already registered with another content`,
    rule: `${tf3('table 4.2.4.1-2')} (XDSNonIdenticalHash)`,
    remedy: 'Give the changed document a new uniqueId and replace the old one.',
  },
  nonIdenticalSize: {
    what: (a) => `The uniqueId ${quoted(a.value)} is already registered with another size`,
    rule: `${tf3('table 4.2.4.1-2')} (XDSNonIdenticalSize)`,
    remedy: 'Give the changed document a new uniqueId and replace the old one.',
  },
  entryUuidInUse: {
    what: (a) => `The id ${quoted(a.value)} is already registered`,
    rule: `${tf3('4.2.3.1.5')}`,
    remedy: 'Send a symbolic id, or a UUID that was never used.',
  },
  targetDeprecated: {
    what: (a) => `${quoted(a.value)} is not current${because(a)}`,
    rule: `${tf3('table 4.2.4.1-2')} (XDSRegistryDeprecatedDocumentError)`,
    remedy: 'Relate the new document to the current one, and put it into a current folder.',
  },
  targetOfAnotherPatient: {
    what: (a) => `${attribute(a)} names ${quoted(a.value)}, which is another patient's`,
    rule: `${tf3('table 4.2.4.1-2')} (XDSPatientIdDoesNotMatch)`,
    remedy: 'Relate objects of one patient; a set may have a document of another as a member by reference alone.',
  },
  uniqueIdOfAnotherKind: {
    what: (a) => `The uniqueId ${quoted(a.value)}${of(a)} names a registered ${a.detail ?? 'object of another kind'}`,
    rule: tf2('3.42.4.1.3.3.1'),
    remedy: 'Give the document a new uniqueId.',
  },

  // Updates of metadata
  initialVersion: {
    what: (a) => `The entry ${quoted(a.object)} is a first version: its logicalID is missing or its own id`,
    rule: 'IHE Metadata Update 3.57.4.1.3',
    remedy: 'Send the logicalID (lid) of the registered entry, or deposit a new document by ITI-41.',
  },
  initialFolder: {
    what: (a) => `The folder ${quoted(a.object)} is a first version: its logicalID is missing or its own id`,
    rule: 'IHE Metadata Update 3.57.4.1.3',
    remedy: 'Send the logicalID (lid) of the registered folder, or create a new one by ITI-41.',
  },
  updateUndecodable: {
    what: (a) => `The object ${quoted(a.object)} asks for no one operation${because(a)}`,
    rule: 'IHE Metadata Update 3.57.4.1.3 (XDSMetadataUpdateOperationError)',
    remedy:
      'Send each new version with its HasMember, each status change with OriginalStatus and NewStatus, each new association with its SubmitAssociation.',
  },
  updateInvalid: {
    what: (a) => `The object ${quoted(a.object)} cannot be changed so${because(a)}`,
    rule: 'IHE Metadata Update 3.57.4.1.3 (XDSMetadataUpdateError)',
    remedy: 'Read the object again and change it as it is now.',
  },
  versionNotLatest: {
    what: (a) => `PreviousVersion${of(a)} is ${quoted(a.value)}${because(a)}`,
    rule: 'IHE Metadata Update 3.57.4.1.3 (XDSMetadataVersionError)',
    remedy: 'Read the latest version, apply the change to it and send its number as PreviousVersion.',
  },
  identityChanged: {
    what: (a) => `${attribute(a)} is ${quoted(a.value)}, not that of the version before`,
    rule: 'IHE Metadata Update 3.57.4.1.3 (XDSMetadataIdentifierError)',
    remedy: 'Keep logicalID, uniqueId and objectType in every version.',
  },
  patientNotReconciled: {
    what: (a) =>
      `${a.attribute ?? 'patientId'}${of(a)}, ${quoted(a.value)}, would join objects of two patients${because(a)}`,
    rule: 'IHE Metadata Update 3.57.4.1.3 (XDSPatientIDReconciliationError)',
    remedy:
      'Name one patient in the set and in all that it brings. What moves to another patient takes along what is related to it in the same message; for the rest send AssociationPropagation "no". Where documents do not leave their record, delete it there and deposit it in the right one.',
  },
  attributeUnmodifiable: {
    what: (a) => `${attribute(a)}${given(a)} may not be changed${because(a)}`,
    rule: 'IHE Restricted Metadata Update 3.92.4.1.3 (UnmodifiableMetadataError)',
    remedy: 'Send the value of the latest version.',
  },
  annotationInvalid: {
    what: (a) => `The HasMember of ${quoted(a.object)} is not right${because(a)}`,
    rule: 'IHE Restricted Metadata Update 3.92.4.1.2 (XDSMetadataAnnotationError)',
    remedy: 'Send one HasMember from the submission set with PreviousVersion and without AssociationPropagation "no".',
  },
  objectNotUpdatable: {
    what: (a) => `The object ${quoted(a.object)} is of a kind that is not updated here`,
    rule: 'IHE Restricted Metadata Update 3.92.4.1.2 (XDSObjectTypeError)',
    remedy: 'Send document entries alone; update folders by ITI-57.',
  },
  policyForbids: {
    what: (a) => `${attribute(a)} may not be changed by a restricted update here${because(a)}`,
    rule: 'IHE Restricted Metadata Update 3.92.4.1.3 (LocalPolicyRestrictionError); access policy',
    remedy: 'Leave the visibility of documents to their authors, the patient and the treating doctor.',
  },
  changeNotYours: {
    what: (a) => `This change of ${quoted(a.object)} is not yours to make${because(a)}`,
    rule: 'DMP functional rights matrix (TD3.3a to d); access policy',
    remedy: 'Ask the author of the document, the treating doctor or the patient.',
  },

  // The document itself
  documentMissing: {
    what: (a) => `The entry ${quoted(a.object)} has no document in the message`,
    rule: tf2('3.41.4.1.2 (XDSMissingDocument)'),
    remedy: 'Send one xds:Document whose id is the id of the entry.',
  },
  documentWithoutMetadata: {
    what: (a) => `The document ${quoted(a.object)} has no entry in the message`,
    rule: tf2('3.41.4.1.2 (XDSMissingDocumentMetadata)'),
    remedy: 'Send one ExtrinsicObject whose id is the id of the xds:Document.',
  },
  hashDiffers: {
    what: (a) => `hash${of(a)} is ${quoted(a.value)}, the document's bytes give ${a.detail ?? 'another'}`,
    rule: `${tf3('4.2.3.2.10')}; ${tf2('3.41.4.1.3')}`,
    remedy: 'Send the SHA-1 of the document exactly as it lies in the message, or leave hash out.',
  },
  sizeDiffers: {
    what: (a) => `size${of(a)} is ${quoted(a.value)}, the document has ${a.detail ?? 'another number of'} bytes`,
    rule: `${tf3('4.2.3.2.22')}; ${tf2('3.41.4.1.3')}`,
    remedy: 'Send the number of bytes of the document as it lies in the message, or leave size out.',
  },
  objectTypeNotHere: {
    what: (a) => `The entry ${quoted(a.object)} is on-demand`,
    rule: tf2('3.41.4.1.2, 3.61'),
    remedy: 'Register on-demand entries by ITI-61.',
  },

  // What the French rules ask of a deposit
  lotSignatureMissing: {
    what: (a) => `The submission set ${quoted(a.value)} comes without its signature`,
    rule: 'DMP TD2.1, signature du lot; setting DMP_LOT_SIGNATURE',
    remedy:
      'Add a signature document (typeCode E1762, formatCode of XML Signature) whose ds:Manifest names the set and every document.',
  },
  traitsDiffer: {
    what: (a) => `${attribute(a)} tells of another person than the record of that INS`,
    rule: 'Référentiel INS, traits stricts; setting DMP_TRAITS',
    remedy: 'Check for whom the document is, and send the family name, date of birth and gender that INSi gives.',
  },
  lotSignatureWrong: {
    what: (a) => `The signature ${quoted(a.value)} does not sign its submission set${because(a)}`,
    rule: 'IHE DSG, TF-3 5.10.3; DMP TD2.1, signature du lot',
    remedy: 'Let its ds:Manifest name the submission set and every document by urn:oid: and uniqueId, with its digest.',
  },
  authorNotCaller: {
    what: (a) => `Author of the submission set is ${quoted(a.value)}, which is not the caller${because(a)}`,
    rule: 'DMP, TD2.1: the author of the set is the user of the VIHF',
    remedy: 'Put the caller into authorPerson (component 1 and 9) or authorInstitution (component 10) of the set.',
  },
  visibilityNotAllowed: {
    what: (a) => `confidentialityCode${of(a)} ${quoted(a.value)} may not be set${because(a)}`,
    rule: 'DMP, visibility codes (TRE_A07); access policy',
    remedy: 'Choose another visibility.',
  },
  notYoursToReplace: {
    what: (a) => `${quoted(a.value)} may be replaced by its author or the author's structure alone`,
    rule: 'Access policy, changes; DMP TD2.1b',
    remedy: 'Deposit a new document instead.',
  },
  patientDocumentNotAllowed: {
    what: (a) => `The document ${quoted(a.object)} is of a type that only the patient deposits`,
    rule: 'CI-SIS, documents of the patient (EXPPAT, DOCPAT)',
    remedy: 'Use the typeCode of a professional document.',
  },
  insMalformed: {
    what: (a) => `${attribute(a)} ${quoted(a.value)} is no INS${because(a)}`,
    rule: 'Référentiel INS; CI-SIS annexe INS',
    remedy: 'Send the 15 characters of the matricule with its key, under the INS OID of this environment.',
  },

  // Queries and retrieval
  queryUnknown: {
    what: (a) => `The stored query ${quoted(a.value)} is not served here`,
    rule: tf2('3.18.4.1.2.4 (XDSUnknownStoredQuery)'),
    remedy: 'Check the id of the AdhocQuery; docs/transactions.md lists the queries served.',
  },
  queryParameterMissing: {
    what: (a) => `The query parameter ${a.attribute ?? ''} is missing${because(a)}`,
    rule: tf2('3.18.4.1.2.3.7 (XDSStoredQueryMissingParam)'),
    remedy: 'Add the parameter.',
  },
  queryParameterRepeated: {
    what: (a) => `The query parameter ${a.attribute ?? ''} has more values than it may have${because(a)}`,
    rule: tf2('3.18.4.1.2.3 (XDSStoredQueryParamNumber)'),
    remedy: 'Send one value, or one of the parameters that exclude each other.',
  },
  queryParameterMalformed: {
    what: (a) => `The query parameter ${a.attribute ?? ''} has the value ${quoted(a.value)}${because(a)}`,
    rule: tf2('3.18.4.1.2.3.4 (coding of values)'),
    remedy:
      "Write strings in single quotes, times and numbers in digits, lists in parentheses, codes as ('code^^scheme').",
  },
  queryReturnType: {
    what: (a) =>
      a.value === undefined
        ? 'query:ResponseOption has no returnType'
        : `The returnType ${quoted(a.value)} is not served`,
    rule: tf2('3.18.4.1.2.2'),
    remedy: 'Ask for LeafClass or ObjectRef.',
  },
  tooManyResults: {
    what: (a) => `The query finds more than ${a.detail ?? 'the limit of'} objects`,
    rule: tf2('3.18.4.1.2.6 (XDSTooManyResults)'),
    remedy: 'Ask for ObjectRef and read the objects in slices, or narrow the query.',
  },
  notSinglePatient: {
    what: () => 'The objects asked for belong to more than one patient',
    rule: tf2('3.18.4.1.2.3.8 (XDSResultNotSinglePatient)'),
    remedy: 'Ask for ObjectRef, or for the objects of one patient.',
  },
  documentRequestMalformed: {
    what: (a) => `The request names no documents as it should${because(a)}`,
    rule: `${tf2('3.43.4.1.2')}; IHE RMD 3.86.4.1.2 (DocumentRequest)`,
    remedy: 'Send an xds:DocumentRequest for each document, with one RepositoryUniqueId and one DocumentUniqueId.',
  },
  documentUnknown: {
    what: (a) => `The document ${quoted(a.value)} is not available`,
    rule: tf2('3.43.4.2.3 (XDSDocumentUniqueIdError)'),
    remedy: 'Use the uniqueId and repositoryUniqueId that the query returned.',
  },
  repositoryUnknown: {
    what: (a) => `The repository ${quoted(a.value)}${ofDocument(a)} is not this one`,
    rule: tf2('3.43.4.2.3 (XDSUnknownRepositoryId)'),
    remedy: 'Send the request to the repository that the entry names.',
  },

  sourceUnavailable: {
    what: (a) => `The document ${quoted(a.value)} could not be assembled`,
    rule: tf2('3.43.4.2.3 (on-demand documents)'),
    remedy: 'Try again later; the documents that it is made from can be retrieved one by one.',
  },

  // Removal
  referencesExist: {
    what: (a) => `The object ${quoted(a.value)} is named by what would be left, ${a.detail ?? 'an association'}`,
    rule: 'IHE RMD 3.62.4.1.3 (ReferencesExistException)',
    remedy: 'Remove the association in the same request.',
  },
  leftUnreferenced: {
    what: (a) => `The object ${quoted(a.value)} would be left over${because(a)}`,
    rule: 'IHE RMD 3.62.4.1.3 (XDSUnreferencedObjectException)',
    remedy: 'Remove it in the same request.',
  },
  documentNotRemovable: {
    what: (a) => `The document ${quoted(a.value)} is assembled when it is asked for: there is nothing to remove`,
    rule: 'IHE RMD 3.86.4.1.3 (XDSRemoveDocumentsError)',
    remedy: 'Remove its entry from the registry (ITI-62).',
  },

  // FHIR
  resourceUnknown: {
    what: (a) => `${a.value ?? 'The resource'} is not known here`,
    rule: 'FHIR R4 http.html#read',
    remedy: 'Search again: the resource may not exist, or not for you.',
  },
  resourceTypeUnknown: {
    what: (a) => `${quoted(a.value)} is not served here`,
    rule: 'FHIR R4 http.html#general',
    remedy: 'See /fhir/metadata for what is served.',
  },
  interactionUnsupported: {
    what: (a) => `${a.value ?? 'The interaction'} is not supported`,
    rule: 'FHIR R4 http.html#summary',
    remedy: 'See /fhir/metadata for what is served.',
  },
  parameterMissing: {
    what: (a) => `The search parameter ${a.attribute ?? ''} is missing${because(a)}`,
    rule: 'IHE MHD 2:3.67.4.1.2; IHE BALP ITI-81',
    remedy: 'Add the parameter.',
  },
  parameterMalformed: {
    what: (a) => `The search parameter ${a.attribute ?? ''} has the value ${quoted(a.value)}${because(a)}`,
    rule: 'FHIR R4 search.html',
    remedy: 'Write the value in the form of its parameter type.',
  },
  parameterUnknown: {
    what: (a) => `The search parameter ${a.attribute ?? ''} is not supported`,
    rule: 'FHIR R4 search.html#errors',
    remedy: 'Leave it out, or ask for lenient handling.',
  },
  notAcceptable: {
    what: (a) => `${quoted(a.value)} cannot be served${because(a)}`,
    rule: 'FHIR R4 http.html#mime-type',
    remedy: 'Accept application/fhir+json or application/fhir+xml, or for a document its own media type.',
  },
  notJson: {
    what: (a) => `The body is no JSON${because(a)}`,
    rule: 'FHIR R4 json.html; RFC 8259',
    remedy: 'Send one JSON object in UTF-8, each key once, at most 100 levels deep.',
  },
  elementUnknown: {
    what: (a) => `${a.expression ?? 'An element'} is no element that is taken here${because(a)}`,
    rule: 'FHIR R4 json.html, xml.html; IHE MHD 4.2.3, structure of its resources',
    remedy: 'Leave the element out, or check its spelling and place.',
  },
  elementNotKept: {
    what: (a) => `${a.expression ?? 'An element'} would not be kept${because(a)}`,
    rule: 'IHE MHD 4.2.3, mapping of XDSDocumentEntry, XDSSubmissionSet and XDSFolder',
    remedy: 'Leave it out, or say it where it is kept.',
  },
  elementMissing: {
    what: (a) => `${a.expression ?? 'An element'} is missing${because(a)}`,
    rule: 'FHIR R4, cardinality of the resource; IHE MHD 4.2.3',
    remedy: 'Add the element.',
  },
  elementMalformed: {
    what: (a) => `${a.expression ?? 'An element'}${given(a)} is malformed${because(a)}`,
    rule: 'FHIR R4 datatypes.html, json.html, xml.html',
    remedy: 'Write the element as its definition and its data type have it.',
  },
  bundleEntryForeign: {
    what: (a) => `The Bundle holds ${quoted(a.value)}, which is not taken with documents${because(a)}`,
    rule: 'IHE MHD 2:3.65.4.1.2',
    remedy:
      'Send one List that is the submission set, and Lists that are folders, DocumentReference and Binary by POST; at most one Patient.',
  },
  profileNotTaken: {
    what: (a) => `${quoted(a.value)} is not taken in this domain`,
    rule: 'IHE MHD 1:33.2; CI-SIS volet Partage de documents de santé en mobilité',
    remedy: 'Send comprehensive metadata: MHD Comprehensive or UnContained.Comprehensive, or PDSm comprehensive.',
  },
  profileElementMissing: {
    what: (a) => `${a.expression ?? 'An element'} is missing${because(a)}`,
    rule: 'The profile that is claimed or asked for; docs/fhir-profiles.md',
    remedy: 'Add the element, or do not claim the profile.',
  },
  profileElementForbidden: {
    what: (a) => `${a.expression ?? 'An element'} is not allowed by the profile${because(a)}`,
    rule: 'The profile that is claimed or asked for; docs/fhir-profiles.md',
    remedy: 'Leave the element out, or do not claim the profile.',
  },
  profileCodeNotAllowed: {
    what: (a) =>
      `${a.expression ?? 'An element'} has the code ${quoted(a.value)}, which the profile does not allow${because(a)}`,
    rule: 'The profile that is claimed or asked for; docs/fhir-profiles.md',
    remedy: 'Use a code that the profile allows, or do not claim the profile.',
  },
  profileRuleBroken: {
    what: (a) => `${a.expression ?? 'An element'}${given(a)} breaks a rule of the profile${because(a)}`,
    rule: 'The profile that is claimed or asked for; docs/fhir-profiles.md',
    remedy: 'Correct what is named, or do not claim the profile.',
  },
  profileUnknown: {
    what: (a) => `The profile ${quoted(a.value)} is not known here; nothing was checked against it`,
    rule: 'FHIR R4 resource.html#Meta; docs/fhir-profiles.md',
    remedy: 'Nothing has to be done; docs/fhir-profiles.md lists the profiles that are known.',
  },
  invariantBroken: {
    what: (a) => `${a.expression ?? 'The resource'} breaks a rule of FHIR${because(a)}`,
    rule: 'FHIR R4, invariants of the resource and its data types',
    remedy: 'Correct what the rule names.',
  },
  attachmentUnresolved: {
    what: (a) => `attachment.url${of(a)} is ${quoted(a.value)}${because(a)}`,
    rule: 'IHE MHD 2:3.65.4.1.2.3',
    remedy:
      'Let it be the fullUrl of one Binary of the same Bundle, or a Binary that you sent here before and that no document has yet.',
  },
  metadataNotDerivable: {
    what: (a) => `Metadata cannot be made from ${quoted(a.value)}${because(a)}`,
    rule: 'IHE MHD 2:3.106.4.1.3',
    remedy: 'Send a CDA R2 document, or give the attributes yourself in a DocumentReference (ITI-105).',
  },
  transactionNotServed: {
    what: () => 'No transaction but the deposit of documents is served here',
    rule: 'FHIR R4 http.html#transaction; IHE MHD 2:3.65',
    remedy: 'Send the entries as a Bundle of type batch, or one by one.',
  },
  conditionNotTaken: {
    what: (a) => `The condition ${a.attribute ?? ''} ${quoted(a.value)} is not supported here${because(a)}`,
    rule: 'FHIR R4 http.html#ccreate, http.html#concurrency; IHE MHD 2:3.65.4.1.2',
    remedy: 'Send the request without it: a uniqueId is given once, and a replacement only replaces what is current.',
  },
  attachmentsDiffer: {
    what: (a) => `Media type, size or hash of the bytes${of(a)} are stated twice and differ${because(a)}`,
    rule: 'IHE MHD 2:3.65.4.1.2.3; FHIR R4 binary.html, datatypes.html#Attachment',
    remedy: 'Say the same media type, size and hash everywhere, or say it once.',
  },
  rangeNotSatisfiable: {
    what: (a) => `The document has none of the bytes ${quoted(a.value)}${because(a)}`,
    rule: 'RFC 9110 §15.5.17',
    remedy: 'Ask for bytes that lie within its size.',
  },
  batchAnswerFull: {
    what: (a) => `The answer of the batch has no room for this entry${because(a)}`,
    rule: 'A limit of this server (DMP_MAX_BATCH_ANSWER)',
    remedy: 'Ask for it alone, or in another batch.',
  },
  tooMuchStaged: {
    what: (a) => `Too many bytes of yours wait to become documents${because(a)}`,
    rule: 'A limit of this server (DMP_MAX_STAGED)',
    remedy: 'Deposit those that wait, or try again an hour after they came.',
  },
  consentRuleBroken: {
    what: (a) => `${a.expression ?? 'The Consent'} breaks a rule of its profile${because(a)}`,
    rule: 'IHE PCF 1.1, profiles of Consent: Basic, Intermediate, Advanced',
    remedy: 'Correct what is named.',
  },
  consentNotEnforceable: {
    what: (a) => `${a.expression ?? 'The Consent'}${given(a)} cannot be enforced here${because(a)}`,
    rule: 'IHE PCF 1.1, ITI-108; access policy: what cannot be enforced is not taken',
    remedy:
      'State an authorisation, a block, an opposition to break-glass or to centre 15, or masked documents in emergency; /fhir/metadata tells how.',
  },
  subscriptionNotHonoured: {
    what: (a) => `${a.expression ?? 'The Subscription'}${given(a)} cannot be honoured here${because(a)}`,
    rule: 'IHE DSUBm 1.0, ITI-110; Subscriptions R5 Backport 1.1; what cannot be honoured is not taken',
    remedy: 'Change what is named; docs/subscriptions.md and /fhir/metadata tell what is served.',
  },
  openingNotEnded: {
    what: () => 'A Consent that states the opening of the record cannot end while the record is open',
    rule: 'CSP L.1111-18; access policy',
    remedy: 'Close the record, or keep the root permit without actor and change the provisions below it.',
  },
  pageLinkBroken: {
    what: () => 'The page link was altered or is too old',
    rule: 'FHIR R4 http.html#paging',
    remedy: 'Start the search again.',
  },
  multipleMatches: {
    what: (a) => `${quoted(a.value)} names more than one resource`,
    rule: 'FHIR R4 http.html#concurrency (conditional interactions)',
    remedy: 'Use a condition that only one resource meets, such as its identifier or its id.',
  },
  patchForbidden: {
    what: (a) => `${a.expression ?? 'An element'} is not changed by PATCH${because(a)}`,
    rule: 'CI-SIS volet Partage de documents de santé en mobilité, flow 3 (MiseAJourMetadonneeFiche)',
    remedy: 'Change status, securityLabel or the extension isArchived; replace the document for anything else.',
  },
  patchFailed: {
    what: (a) => `The patch does not fit the resource${because(a)}`,
    rule: 'FHIR R4 http.html#patch; RFC 6902',
    remedy: 'Read the latest version and make the patch for it.',
  },
  resourceDeleted: {
    what: (a) => `${a.value ?? 'The resource'} was deleted`,
    rule: 'FHIR R4 http.html#read',
    remedy: 'A deleted document is found by the status entered-in-error, a withdrawn Consent by its history.',
  },
  versionDiffers: {
    what: (a) => `${a.object ?? 'The resource'} is not at version ${a.value ?? ''}${because(a)}`,
    rule: 'FHIR R4 http.html#concurrency',
    remedy: 'Read the latest version, apply the change to it and send its ETag as If-Match.',
  },

  // Patients: demographics, cross-references, feeds by FHIR
  searchTooBroad: {
    what: (a) => `The search for patients names too few traits${because(a)}`,
    rule: 'Access policy, search by traits: two of family, given, birthdate and gender, family or birthdate among them',
    remedy: 'Add the date of birth or the beginning of the family name (a part of it, by :contains, finds too many).',
  },
  directoryNotListed: {
    what: (a) => `Professionals, structures and systems are not listed${because(a)}`,
    rule: 'Access policy: they are looked up by identifier, and listed to nobody',
    remedy: 'Name them by identifier (urn:oid:<OID>|<value>) or _id; roles by their practitioner.',
  },
  domainUnknown: {
    what: (a) => `targetSystem not found: no patient here is named by ${quoted(a.value)}`,
    rule: 'IHE PDQm 2:3.78.4.1.3 (patient identity domains)',
    remedy: 'Ask for the OID of the INS, or of an authority that names patients here, as urn:oid:<OID>|.',
  },
  sourceAuthorityUnknown: {
    what: (a) => `sourceIdentifier Assigning Authority not found${because({ detail: quoted(a.value) })}`,
    rule: 'IHE PIXm 2:3.83.4.2.2 (case 3)',
    remedy: 'Send urn:oid:<OID>|<value> of an authority that names patients here, or this server and Patient/<id>.',
  },
  sourceIdentifierUnknown: {
    what: () => 'sourceIdentifier Patient Identifier not found',
    rule: 'IHE PIXm 2:3.83.4.2.2 (case 4)',
    remedy: 'Check the identifier: nobody here has it.',
  },
  targetSystemUnknown: {
    what: (a) => `targetSystem not found${because({ detail: quoted(a.value) })}`,
    rule: 'IHE PIXm 2:3.83.4.2.2 (case 5)',
    remedy: 'Ask for a domain that names patients here, or leave targetSystem out.',
  },
  identityForeign: {
    what: (a) => `No identifier of the patient is of an authority of this domain${because(a)}: nothing was kept`,
    rule: `${tf2('3.8.4.1.3')}; IHE PIXm 2:3.104.4.1.3`,
    remedy: 'Send the INS, or an identifier of an authority of this domain, with system urn:oid:<OID>.',
  },
  identityHeld: {
    what: (a) => `There is a record of this person already, ${quoted(a.value)}`,
    rule: 'FHIR R4 http.html#ccreate; an identifier names one person',
    remedy: 'Update it by PUT Patient?identifier=…, or create with If-None-Exist.',
  },
  identityNotQualified: {
    what: (a) => `The identity is ${quoted(a.value)}: an INS goes with a validated one alone`,
    rule: 'Référentiel national d’identitovigilance; FR Core, fr-core-1',
    remedy: 'Qualify the identity (VALI) before it is sent with its INS.',
  },
  recordNotOpened: {
    what: () => 'There is no record of this person: nothing was kept',
    rule: 'CSP L.1111-14: opening a record is an act of its own',
    remedy: 'Send the identity again once the record is open.',
  },
  recordNotEmpty: {
    what: (a) => `${a.value ?? 'The record'} holds documents or consents`,
    rule: 'FHIR R4 http.html#delete (referential integrity); CSP L.1111-18: the holder destroys a record',
    remedy: 'Leave it; merge it into the record of the surviving identity if it is a duplicate.',
  },
  mergeImpossible: {
    what: (a) => `Nothing is merged${because(a)}`,
    rule: `${tf2('3.8.4.2.3, 3.44.4.2.3')}; IHE PIXm 2:3.104.4.3`,
    remedy:
      'Send the obsolete patient with active=false, its identifier, and one link replaced-by with the identifier of the surviving one.',
  },
  auditEventNotTaken: {
    what: (a) => `The AuditEvent is not kept: ${a.expression ?? 'it'}${given(a)} cannot be accepted${because(a)}`,
    rule: 'IHE BALP 152 (one event for each patient, source.observer is who recorded it); IHE ITI RESTful ATNA 3.20.4.2',
    remedy: 'Send what your own system recorded, when it happened, one event for each patient.',
  },
  messageEventUnknown: {
    what: (a) => `Messages of the event ${quoted(a.value)} are not processed here`,
    rule: 'FHIR R4 messaging.html; IHE PMIR 3:3.93.4.1.2',
    remedy: 'Send the event urn:ihe:iti:pmir:2019:patient-feed.',
  },

  // Messages of HL7 version 2, and patient feeds
  hl7Malformed: {
    what: (a) => `This is no message of HL7 version 2${because(a)}`,
    rule: 'HL7 v2.5 chapter 2.5; MLLP release 1',
    remedy: 'Send one message that begins with MSH, its segments ended by carriage returns, between <VT> and <FS><CR>.',
  },
  hl7CharsetUnsupported: {
    what: (a) => `The character set ${quoted(a.value)} cannot be read${because(a)}`,
    rule: 'HL7 v2.5 chapter 2.15.9.18 (MSH-18), table 0211',
    remedy: 'Send `UNICODE UTF-8`, `8859/1`, `8859/15` or `ASCII` in MSH-18 and encode the whole message so.',
  },
  hl7TypeUnsupported: {
    what: (a) => `Messages of type ${quoted(a.value)} are not taken here`,
    rule: 'HL7 v2.5 table 0357 (200)',
    remedy: 'Send ADT, ORU^R01 or MDM; docs/feeds.md lists them.',
  },
  hl7EventUnsupported: {
    what: (a) => `The event ${quoted(a.value)} is not accepted here${because(a)}`,
    rule: 'HL7 v2.5 table 0357 (201)',
    remedy: 'docs/feeds.md lists the events that are taken.',
  },
  hl7ProcessingUnsupported: {
    what: (a) => `The processing id ${quoted(a.value)} is not accepted here`,
    rule: 'HL7 v2.5 table 0357 (202), MSH-11',
    remedy: 'Send P to a server in production; T and D to a sandbox.',
  },
  hl7VersionUnsupported: {
    what: (a) => `The version ${quoted(a.value)} is not accepted here`,
    rule: 'HL7 v2.5 table 0357 (203), MSH-12',
    remedy: 'Send a version from 2.1 to 2.9.',
  },
  senderUnknown: {
    what: () => 'The sending application and facility are not known at this address',
    rule: 'HL7 v2.5 chapter 2.15.9.3 (MSH-3, MSH-4)',
    remedy: 'Ask the operator to add the sender to the list of DMP_MLLP_SENDERS.',
  },
  segmentMissing: {
    what: (a) => `The segment ${a.attribute ?? ''} is missing${because(a)}`,
    rule: 'HL7 v2.5 table 0357 (100)',
    remedy: 'Send the segment at its place.',
  },
  partRepeated: {
    what: (a) => `${attribute(a)} is there more than once${because(a)}`,
    rule: 'IHE ITI TF-2 3.8.4, 3.44.4; volet Transmission de documents CDA-R2',
    remedy: 'Send a message of its own for each, or each document in an OBX of its own.',
  },
  fieldMissing: {
    what: (a) => `${attribute(a)} is missing${because(a)}`,
    rule: 'HL7 v2.5 table 0357 (101); IHE ITI TF-2 3.8, 3.44; volet Transmission de documents CDA-R2',
    remedy: 'Send a value.',
  },
  fieldMalformed: {
    what: (a) => `${attribute(a)} is ${quoted(a.value)}${because(a)}`,
    rule: 'HL7 v2.5 table 0357 (102); volet Transmission de documents CDA-R2',
    remedy: 'Write the value in the form of its data type.',
  },
  tableValueUnknown: {
    what: (a) => `${attribute(a)} is ${quoted(a.value)}, which its table does not hold${because(a)}`,
    rule: 'HL7 v2.5 table 0357 (103); volet Transmission de documents CDA-R2, table MetaDMPMSS',
    remedy: 'Send a value of the table.',
  },
  identitiesDiffer: {
    what: (a) => `The identifiers ${quoted(a.value)} are of two persons here`,
    rule: 'IHE ITI TF-2 3.8.4.2, 3.44.4.2',
    remedy: 'Send a merge (ADT^A40, PRPA_IN201304UV02) when they are one person, else the identifiers of one of them.',
  },

  // The server's own state
  busy: {
    what: () => 'The server has too much to do',
    rule: `${tf3('table 4.2.4.1-2')} (Busy)`,
    remedy: 'Try again in a few seconds.',
  },
  outOfResources: {
    what: () => 'The server has no room left; nothing was stored',
    rule: `${tf3('table 4.2.4.1-2')} (OutOfResources)`,
    remedy: 'Try again later; the operator has been told.',
  },
  internal: {
    what: () => 'The server failed; nothing was stored unless the answer says so',
    rule: 'SOAP 1.2 Part 1 §5.4 (Receiver)',
    remedy: 'Try again; if it happens again, give the request id to the operator.',
  },
} satisfies Record<string, Words>;

export type ProblemName = keyof typeof catalogue;

/** One thing that is wrong. `private` is for log and audit and never leaves the house. */
export type Problem = { readonly name: ProblemName; readonly about: About; readonly private?: string };

/** Makes a problem; `about` is public. */
export function problem(name: ProblemName, about: About = {}, secret?: string): Problem {
  return secret === undefined ? { name, about } : { name, about, private: secret };
}

/** The public words: what, rule and remedy in one text. */
export function wordsOf({ name, about }: Problem): string {
  const words: Words = catalogue[name];
  return `${words.what(about)}. Rule: ${about.rule ?? words.rule}. ${words.remedy}`;
}

/** Thrown by use cases and readers when the request cannot be done; carries every problem found, at least one. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(problems.map((p) => p.name).join(', '));
    this.problems = problems;
  }
}

/** Shorthand for one problem. */
export function refuse(name: ProblemName, about: About = {}, secret?: string): never {
  throw new Refused([problem(name, about, secret)]);
}
