import type { AssociationType, AvailabilityStatus } from '../domain/document.ts';

/** XML namespaces of the messages. IHE ITI TF-2 Appendix V; ebXML RegRep 3.0. */
export const namespace = {
  soap12: 'http://www.w3.org/2003/05/soap-envelope',
  soap11: 'http://schemas.xmlsoap.org/soap/envelope/',
  wsa: 'http://www.w3.org/2005/08/addressing',
  wsse: 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd',
  xop: 'http://www.w3.org/2004/08/xop/include',
  xsi: 'http://www.w3.org/2001/XMLSchema-instance',
  xml: 'http://www.w3.org/XML/1998/namespace',
  xds: 'urn:ihe:iti:xds-b:2007',
  rim: 'urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0',
  rs: 'urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0',
  lcm: 'urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0',
  v3: 'urn:hl7-org:v3',
  query: 'urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0',
  rmd: 'urn:ihe:iti:rmd:2017',
} as const;

/** Roles that this server plays besides having no role. SOAP 1.2 Part 1 §2.2. */
export const soapRole = {
  next: 'http://www.w3.org/2003/05/soap-envelope/role/next',
  ultimateReceiver: 'http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver',
} as const;

/** The address of whoever sent the request, and the actions of faults. WS-Addressing 1.0 Core §2.1, SOAP Binding §6. */
export const addressing = {
  anonymous: 'http://www.w3.org/2005/08/addressing/anonymous',
  faultAction: 'http://www.w3.org/2005/08/addressing/fault',
  soapFaultAction: 'http://www.w3.org/2005/08/addressing/soap/fault',
} as const;

/** IHE ITI TF-3 4.2.4.2. */
export const responseStatus = {
  success: 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success',
  failure: 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure',
  partialSuccess: 'urn:ihe:iti:2007:ResponseStatusType:PartialSuccess',
} as const;

/** What RemoveObjectsRequest may say of itself; absent, it is this. ebXML RegRep 3.0 rs (RemoveObjectsRequest). */
export const deletionScope = { all: 'urn:oasis:names:tc:ebxml-regrep:DeletionScopeType:DeleteAll' } as const;

/** IHE ITI TF-3 4.2.4.1. */
export const severity = {
  error: 'urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error',
  warning: 'urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Warning',
} as const;

/** objectType of a DocumentEntry. IHE ITI TF-3 4.2.5.2. */
export const entryType = {
  stable: 'urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1',
  onDemand: 'urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248',
} as const;

/** Classification nodes that say what a RegistryPackage is. IHE ITI TF-3 4.2.5.1. */
export const packageNode = {
  submissionSet: 'urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd',
  folder: 'urn:uuid:d9d542f3-6cc4-48b6-8870-ea235fbc94c2',
} as const;

/** Classification nodes that mark limited metadata, by the kind of object. IHE ITI TF-3 4.2.5.1. */
export const limitedMetadata = {
  entry: 'urn:uuid:ab9b591b-83ab-4d03-8f5d-f93b1fb92e85',
  submissionSet: 'urn:uuid:5003a9db-8d8d-49e6-bf0c-990e34ac7707',
  folder: 'urn:uuid:2c144a76-29a9-4b7c-af54-b25409fe7d03',
} as const;

/** Classification schemes, by attribute. IHE ITI TF-3 4.2.5.2. */
export const entryScheme = {
  author: 'urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d',
  classCode: 'urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a',
  confidentialityCode: 'urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f',
  eventCodeList: 'urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4',
  formatCode: 'urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d',
  healthcareFacilityTypeCode: 'urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1',
  practiceSettingCode: 'urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead',
  typeCode: 'urn:uuid:f0306f51-975f-434e-a61c-c59651d33983',
} as const;
export const setScheme = {
  author: 'urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d',
  contentTypeCode: 'urn:uuid:aa543740-bdda-424e-8c96-df4873be8500',
} as const;
export const folderScheme = { codeList: 'urn:uuid:1ba97051-7806-41a8-a48b-8fce7af683c5' } as const;
export const associationScheme = { documentation: 'urn:uuid:abd807a3-4432-4053-87b4-fd82c643d1f3' } as const;

/** Identification schemes, by the fixed name of the identifier. IHE ITI TF-3 4.2.5.2. */
export const identification = {
  'XDSDocumentEntry.patientId': 'urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427',
  'XDSDocumentEntry.uniqueId': 'urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab',
  'XDSSubmissionSet.patientId': 'urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446',
  'XDSSubmissionSet.sourceId': 'urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832',
  'XDSSubmissionSet.uniqueId': 'urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8',
  'XDSFolder.patientId': 'urn:uuid:f64ffdf0-4b97-4e06-b79f-a52b38ec2f8a',
  'XDSFolder.uniqueId': 'urn:uuid:75df8f67-9973-4fbe-a900-df66cefecc5a',
} as const;
export type IdentifierName = keyof typeof identification;

/** Names of slots that are no plain words. */
export const referenceIdSlot = 'urn:ihe:iti:xds:2013:referenceIdList';

/** IHE ITI TF-3 4.2.3.2.2; Archived and Deleted are the CI-SIS's (JDV_J52-AvailabilityStatus-CISIS). */
export const statusUrn: Readonly<Record<AvailabilityStatus, string>> = {
  approved: 'urn:oasis:names:tc:ebxml-regrep:StatusType:Approved',
  deprecated: 'urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated',
  archived: 'urn:asip:ci-sis:2010:StatusType:Archived',
  deleted: 'urn:asip:ci-sis:2010:StatusType:Deleted',
};

/** IHE Metadata Update (documentAvailability). */
export const availabilityUrn = {
  online: 'urn:ihe:iti:2010:DocumentAvailability:Online',
  offline: 'urn:ihe:iti:2010:DocumentAvailability:Offline',
} as const;

/** IHE ITI TF-3 4.2.2. */
export const associationUrn: Readonly<Record<AssociationType, string>> = {
  HasMember: 'urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember',
  RPLC: 'urn:ihe:iti:2007:AssociationType:RPLC',
  XFRM: 'urn:ihe:iti:2007:AssociationType:XFRM',
  APND: 'urn:ihe:iti:2007:AssociationType:APND',
  XFRM_RPLC: 'urn:ihe:iti:2007:AssociationType:XFRM_RPLC',
  signs: 'urn:ihe:iti:2007:AssociationType:signs',
  IsSnapshotOf: 'urn:ihe:iti:2010:AssociationType:IsSnapshotOf',
  UpdateAvailabilityStatus: 'urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus',
  SubmitAssociation: 'urn:ihe:iti:2010:AssociationType:SubmitAssociation',
};

/** objectType of everything but entries, on retrieval. ebRIM 3.0, canonical classification scheme ObjectType. */
export const objectType = {
  classification: 'urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Classification',
  externalIdentifier: 'urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:ExternalIdentifier',
  registryPackage: 'urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:RegistryPackage',
  association: 'urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Association',
} as const;

/** Ids of the stored queries served. IHE ITI TF-2 3.18.4.1.2.4. */
export const storedQuery = {
  FindDocuments: 'urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d',
  FindSubmissionSets: 'urn:uuid:f26abbcb-ac74-4422-8a30-edb644bbc1a9',
  FindFolders: 'urn:uuid:958f3006-baad-4929-a4de-ff1114824431',
  GetAll: 'urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3',
  GetDocuments: 'urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4',
  GetFolders: 'urn:uuid:5737b14c-8a1a-4539-b659-e03a34a5e1e4',
  GetAssociations: 'urn:uuid:a7ae438b-4bc2-4642-93e9-be891f7bb155',
  GetDocumentsAndAssociations: 'urn:uuid:bab9529a-4a10-40b3-a01f-f68a615d247a',
  GetSubmissionSets: 'urn:uuid:51224314-5390-4169-9b91-b1980040715a',
  GetSubmissionSetAndContents: 'urn:uuid:e8e3cb2c-e39c-46b9-99e4-c12f57260b83',
  GetFolderAndContents: 'urn:uuid:b909a503-523d-4517-8acf-8e5834dfc4c7',
  GetFoldersForDocument: 'urn:uuid:10cae35a-c7f9-4cf5-b61e-fc3278ffb578',
  GetRelatedDocuments: 'urn:uuid:d90e5407-b356-4d91-a89f-873917b4b0e6',
  FindDocumentsByReferenceId: 'urn:uuid:12941a89-e02e-4be5-967c-ce4bfc8fe492',
  FindDocumentsExclude: 'urn:uuid:4308b1df-36de-4bef-8e2e-ba91f593c435',
} as const;

/** Ids of the stored queries over several patients. IHE ITI TF-2 3.51.4.1.2.3. */
export const multiPatientQuery = {
  FindDocumentsForMultiplePatients: 'urn:uuid:3d1bdb10-39a2-11de-89c2-2f44d94eaa9f',
  FindFoldersForMultiplePatients: 'urn:uuid:50d3f5ac-39a2-11de-a1ca-b366239e58df',
  FindDocumentsByReferenceIdForMultiplePatients: 'urn:uuid:1191642d-86c4-42d8-b784-f95445f9f0d5',
} as const;

/** wsa:Action of each transaction, request and response. */
export const action = {
  iti44: {
    PRPA_IN201301UV02: 'urn:hl7-org:v3:PRPA_IN201301UV02',
    PRPA_IN201302UV02: 'urn:hl7-org:v3:PRPA_IN201302UV02',
    PRPA_IN201304UV02: 'urn:hl7-org:v3:PRPA_IN201304UV02',
  },
  acknowledged: 'urn:hl7-org:v3:MCCI_IN000002UV01',
  iti18: ['urn:ihe:iti:2007:RegistryStoredQuery', 'urn:ihe:iti:2007:RegistryStoredQueryResponse'],
  iti41: [
    'urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b',
    'urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-bResponse',
  ],
  iti42: ['urn:ihe:iti:2007:RegisterDocumentSet-b', 'urn:ihe:iti:2007:RegisterDocumentSet-bResponse'],
  iti57: ['urn:ihe:iti:2010:UpdateDocumentSet', 'urn:ihe:iti:2010:UpdateDocumentSetResponse'],
  iti92: ['urn:ihe:iti:2018:RestrictedUpdateDocumentSet', 'urn:ihe:iti:2018:RestrictedUpdateDocumentSetResponse'],
  iti43: ['urn:ihe:iti:2007:RetrieveDocumentSet', 'urn:ihe:iti:2007:RetrieveDocumentSetResponse'],
  iti51: ['urn:ihe:iti:2009:MultiPatientStoredQuery', 'urn:ihe:iti:2009:MultiPatientStoredQueryResponse'],
  // The name of the response is the standard's own.
  iti61: ['urn:ihe:iti:2010:RegisterOnDemandDocumentEntry', 'urn:ihe:iti:2010:RegisterOnDemandDocumentResponse'],
  iti62: ['urn:ihe:iti:2010:DeleteDocumentSet', 'urn:ihe:iti:2010:DeleteDocumentSetResponse'],
  iti86: ['urn:ihe:iti:2017:RemoveDocuments', 'urn:ihe:iti:2017:RemoveDocumentsResponse'],
} as const;
