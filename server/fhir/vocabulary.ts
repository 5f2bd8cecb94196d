/** Strings of FHIR and of the guides that this face follows; nowhere else. */

const hl7 = 'http://terminology.hl7.org/CodeSystem';
const nos = (name: string) => `https://mos.esante.gouv.fr/NOS/${name}/FHIR/${name.replace('_', '-')}`;

/**
 * Code systems: what the domain stores (an OID; `URN` and `ASTM` where the French value sets write so) and the URL that FHIR writes.
 * Further URLs of a row are read and never written. CI-SIS "Terminologies de santé"; HL7 terminology.
 */
const codeSystems: readonly (readonly [stored: string, written: string, ...alsoRead: string[]])[] = [
  ['1.2.250.1.213.1.1.4.6', nos('TRE_A00-ProducteurDocNonPS')],
  ['1.2.250.1.213.1.1.4.9', nos('TRE_A01-CadreExercice')],
  ['1.2.250.1.213.1.1.4.5', nos('TRE_A02-ProfessionSavFaire-CISIS')],
  ['1.2.250.1.213.1.1.4.1', nos('TRE_A03-ClasseDocument'), nos('TRE_A03-ClasseDocument-CISIS')],
  ['1.2.250.1.213.1.1.4.12', nos('TRE_A05-TypeDocComplementaire'), nos('TRE_A05-TypeDocComplementaireCISIS')],
  ['1.2.250.1.213.1.1.4.2.282', nos('TRE_A06-FormatCodeComplementaire')],
  ['1.2.250.1.213.1.1.4.13', nos('TRE_A07-StatutVisibiliteDocument'), nos('TRE_A07-StatusVisibiliteDocument')],
  ['2.16.840.1.113883.5.25', `${hl7}/v3-Confidentiality`, nos('TRE_A08-HL7Confidentiality')],
  ['1.2.840.10008.2.6.1', nos('TRE_A09-DICOMuidRegistry')],
  ['URN', nos('TRE_A10-NomenclatureURN')],
  [
    '1.3.6.1.4.1.19376.1.2.3',
    nos('TRE_A11-IheFormatCode'),
    'http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode',
  ],
  ['ASTM', nos('TRE_A12-NomenclatureASTM')],
  ['1.2.250.1.71.1.2.7', nos('TRE_G15-ProfessionSante')],
  ['1.2.250.1.71.4.2.5', nos('TRE_R01-EnsembleSavoirFaire-CISIS')],
  ['1.2.250.1.71.4.2.4', nos('TRE_R02-SecteurActivite')],
  ['1.2.250.1.213.2.2', nos('TRE_R209-TypeActivite')],
  ['1.2.250.1.213.1.1.4.248', nos('TRE_R248-ModeAcces')],
  ['2.16.840.1.113883.6.1', 'http://loinc.org', nos('TRE_A04-Loinc')],
  ['2.16.840.1.113883.6.96', 'http://snomed.info/sct'],
  ['2.16.840.1.113883.6.3', 'http://hl7.org/fhir/sid/icd-10'],
  ['1.2.840.10008.2.16.4', 'http://dicom.nema.org/resources/ontology/DCM'],
  ['2.16.840.1.113883.5.1', `${hl7}/v3-AdministrativeGender`],
  ['2.16.840.1.113883.5.4', `${hl7}/v3-ActCode`],
  ['2.16.840.1.113883.5.88', `${hl7}/v3-ParticipationFunction`],
  ['2.16.840.1.113883.5.111', `${hl7}/v3-RoleCode`],
  ['2.16.840.1.113883.5.1008', `${hl7}/v3-NullFlavor`],
];

/** Why a code is not said. HL7 v3 NullFlavor. */
export const nullFlavor = '2.16.840.1.113883.5.1008';

const urlOf = new Map(codeSystems.map(([stored, written]) => [stored, written]));
const storedOf = new Map(codeSystems.flatMap(([stored, ...urls]) => urls.map((url) => [url, stored] as const)));

/** The URL that FHIR writes for a code system; an OID that has none is written `urn:oid:`. */
export function systemUrl(stored: string): string {
  return urlOf.get(stored) ?? (/^[0-2](\.\d+)+$/.test(stored) ? `urn:oid:${stored}` : stored);
}

/** What the domain stores for a code system's URL, `urn:oid:` or bare OID. `systemOf(systemUrl(x))` is x. */
export function systemOf(url: string): string {
  return storedOf.get(url) ?? (url.startsWith('urn:oid:') ? url.slice(8) : url);
}

/** The system of identifiers that are themselves URIs. */
export const uris = 'urn:ietf:rfc:3986';

/** Systems of codes that FHIR fixes, whose elements name none. FHIR R4 terminologies-systems.html. */
export const fixedSystems = {
  documentStatus: ['http://hl7.org/fhir/document-reference-status'],
  listStatus: ['http://hl7.org/fhir/list-status'],
  listType: [
    'https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes',
    'http://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes',
  ],
  consentStatus: ['http://hl7.org/fhir/consent-state-codes'],
  mediaType: ['urn:ietf:bcp:13'],
  language: ['urn:ietf:bcp:47'],
  eventAction: ['http://hl7.org/fhir/audit-event-action'],
  eventOutcome: [
    'http://terminology.hl7.org/CodeSystem/audit-event-outcome',
    'http://hl7.org/fhir/audit-event-outcome',
  ],
  subscriptionStatus: ['http://hl7.org/fhir/subscription-status'],
  subscriptionChannel: [
    'http://terminology.hl7.org/CodeSystem/subscription-channel-type',
    'http://hl7.org/fhir/subscription-channel-type',
  ],
  publication: ['http://hl7.org/fhir/publication-status'],
} as const;

/** HL7 table 0203, the types of identifiers in CX. */
export const hl7IdentifierType = `${hl7}/v2-0203`;

/** The definitions of FHIR itself. */
export const coreDefinitions = 'http://hl7.org/fhir/StructureDefinition/';

const mhd = 'https://profiles.ihe.net/ITI/MHD/StructureDefinition';
/** How MHD 4.2.4 tells entryUUID and uniqueId apart. */
export const mhdIdentifierType = 'https://profiles.ihe.net/ITI/MHD/CodeSystem/IHE.MHD.MHDIdentifierType';
/** Kinds of List, as they are written; the same under http is read. */
export const mhdListTypes = 'https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes';
const balp = 'https://profiles.ihe.net/ITI/BALP';
const pcf = 'https://profiles.ihe.net/ITI/PCF';
const frCore = 'https://hl7.fr/ig/fhir/core';
const pdsm = 'https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition';

export const profiles = {
  mhdDocument: `${mhd}/IHE.MHD.Comprehensive.DocumentReference`,
  pdsmDocument: `${pdsm}/pdsm-comprehensive-document-reference`,
  mhdSubmissionSet: `${mhd}/IHE.MHD.Comprehensive.SubmissionSet`,
  mhdFolder: `${mhd}/IHE.MHD.Comprehensive.Folder`,
  mhdSimplifiedDocument: `${mhd}/IHE.MHD.SimplifiedPublish.DocumentReference`,
  pdsmSimplifiedDocument: `${pdsm}/pdsm-simplified-publish`,
  mhdBundle: `${mhd}/IHE.MHD.Comprehensive.ProvideBundle`,
  pdsmBundle: `${pdsm}/pdsm-comprehensive-provide-document-bundle`,
  pdsmSubmissionSet: `${pdsm}/pdsm-submissionset-comprehensive`,
  pdsmFolder: `${pdsm}/pdsm-folder-comprehensive`,
  mhdMinimalBundle: `${mhd}/IHE.MHD.Minimal.ProvideBundle`,
  consentBasic: `${pcf}/StructureDefinition/IHE.PCF.consentBasic`,
  consentIntermediate: `${pcf}/StructureDefinition/IHE.PCF.consentIntermediate`,
  consentAdvanced: `${pcf}/StructureDefinition/IHE.PCF.consentAdvanced`,
  patient: `${frCore}/StructureDefinition/fr-core-patient`,
  patientIns: `${frCore}/StructureDefinition/fr-core-patient-ins`,
  auditPatientQuery: `${balp}/StructureDefinition/IHE.BasicAudit.PatientQuery`,
  auditPatientCreate: `${balp}/StructureDefinition/IHE.BasicAudit.PatientCreate`,
  auditPatientRead: `${balp}/StructureDefinition/IHE.BasicAudit.PatientRead`,
  auditPatientUpdate: `${balp}/StructureDefinition/IHE.BasicAudit.PatientUpdate`,
  auditPatientDelete: `${balp}/StructureDefinition/IHE.BasicAudit.PatientDelete`,
  auditProvide: `${mhd}/IHE.MHD.ProvideBundle.Audit.Recipient`,
  auditFindLists: `${mhd}/IHE.MHD.FindDocumentLists.Audit.Responder`,
  auditPublish: `${mhd}/IHE.MHD.SimplifiedPublish.Audit.Recipient`,
  auditGenerate: `${mhd}/IHE.MHD.GenerateMetadata.Audit.Recipient`,
  auditFindDocuments: `${mhd}/IHE.MHD.FindDocumentReferences.Audit.Responder`,
  auditRetrieve: `${mhd}/IHE.MHD.RetrieveDocument.Audit.Responder`,
  auditPatientDemographics: 'https://profiles.ihe.net/ITI/PDQm/StructureDefinition/IHE.PDQm.Query.Audit.Supplier',
  auditPatientMatch: 'https://profiles.ihe.net/ITI/PDQm/StructureDefinition/IHE.PDQm.Match.Audit.Supplier',
  auditFeedCreate: 'https://profiles.ihe.net/ITI/PIXm/StructureDefinition/IHE.PIXm.Feed.Create.Audit.Manager',
  auditFeedUpdate: 'https://profiles.ihe.net/ITI/PIXm/StructureDefinition/IHE.PIXm.Feed.Update.Audit.Manager',
  auditFeedDelete: 'https://profiles.ihe.net/ITI/PIXm/StructureDefinition/IHE.PIXm.Feed.Delete.Audit.Manager',
  auditPixQuery: 'https://profiles.ihe.net/ITI/PIXm/StructureDefinition/IHE.PIXm.Query.Audit.Manager',
  pdqmPatient: 'https://profiles.ihe.net/ITI/PDQm/StructureDefinition/IHE.PDQm.Patient',
} as const;

const dsubm = 'https://profiles.ihe.net/ITI/DSUBm';
const backport = 'http://hl7.org/fhir/uv/subscriptions-backport';

/** Subscriptions: IHE DSUBm on the R5 Backport. */
export const subscriptions = {
  /** Of topics, as they are written; what the narrative of the guide writes is read too. */
  topicBases: [`${dsubm}/SubscriptionTopic/`, `${dsubm}/`],
  profile: `${backport}/StructureDefinition/backport-subscription`,
  guideProfiles: `${dsubm}/StructureDefinition/`,
  topicCode: { system: 'http://hl7.org/fhir/fhir-types', code: 'SubscriptionTopic' },
  topicElement: 'http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic.',
  topicsServed: `${backport}/StructureDefinition/capabilitystatement-subscriptiontopic-canonical`,
  filter: `${backport}/StructureDefinition/backport-filter-criteria`,
  content: `${backport}/StructureDefinition/backport-payload-content`,
  heartbeat: `${backport}/StructureDefinition/backport-heartbeat-period`,
  timeout: `${backport}/StructureDefinition/backport-timeout`,
  most: `${backport}/StructureDefinition/backport-max-count`,
  channelType: `${backport}/StructureDefinition/backport-channel-type`,
  notification: `${backport}/StructureDefinition/backport-subscription-notification-r4`,
  statusParameters: `${backport}/StructureDefinition/backport-subscription-status-r4`,
  operations: `${backport}/OperationDefinition/backport-subscription-`,
} as const;

export const operations = {
  match: 'https://profiles.ihe.net/ITI/PDQm/OperationDefinition/PDQmMatch',
  pix: 'https://profiles.ihe.net/ITI/PIXm/OperationDefinition/IHE.PIXm.pix',
  processMessage: 'http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message',
} as const;

/** The events of ITI-93 and of its answer. IHE PMIR. */
export const pmir = {
  feed: 'urn:ihe:iti:pmir:2019:patient-feed',
  answer: 'urn:ihe:iti:pmir:2019:patient-feed-response',
  definition: 'https://profiles.ihe.net/ITI/PMIR/MessageDefinition/IHE.PMIR.MessageDefinition',
} as const;

/** Generate Metadata. IHE MHD 2:3.106. */
export const generateMetadata = 'https://profiles.ihe.net/ITI/MHD/OperationDefinition/generate-metadata';

/** The guides' statements of a server's duties that this server fulfils in part; named in the CapabilityStatement. */
export const implementationGuides = [
  'https://profiles.ihe.net/ITI/MHD/ImplementationGuide/ihe.iti.mhd',
  'https://interop.esante.gouv.fr/ig/fhir/pdsm/ImplementationGuide/ans.fhir.fr.pdsm',
  `${pcf}/ImplementationGuide/ihe.iti.pcf`,
  `${dsubm}/ImplementationGuide/ihe.iti.dsubm`,
  'https://profiles.ihe.net/ITI/PDQm/ImplementationGuide/ihe.iti.pdqm',
  'https://profiles.ihe.net/ITI/PIXm/ImplementationGuide/ihe.iti.pixm',
] as const;

/** The actors of the guides that are played: their CapabilityStatements. */
export const actorsPlayed = [
  ...['DocumentRecipient', 'DocumentRecipient.Comprehensive', 'DocumentRecipient.UnContained'].map(mhdActor),
  ...['DocumentRecipient.Simplified', 'DocumentRecipient.Generate', 'DocumentRecipient.Fdoc'].map(mhdActor),
  mhdActor('DocumentResponder'),
  'https://interop.esante.gouv.fr/ig/fhir/pdsm/CapabilityStatement/PDSm-GestionnaireDePartageDeDocuments',
  'https://profiles.ihe.net/ITI/PDQm/CapabilityStatement/IHE.PDQm.PatientDemographicsSupplier',
  'https://profiles.ihe.net/ITI/PDQm/CapabilityStatement/IHE.PDQm.PatientDemographicsSupplierMatch',
  'https://profiles.ihe.net/ITI/PIXm/CapabilityStatement/IHE.PIXm.Manager',
  `${dsubm}/CapabilityStatement/IHE.DSUBm.ResourceNotificationBroker`,
] as const;

function mhdActor(name: string): string {
  return `https://profiles.ihe.net/ITI/MHD/CapabilityStatement/IHE.MHD.${name}`;
}

/** Definitions of our own guide: one base for every deployment. */
const own = 'https://opendmp.example/fhir/StructureDefinition';

/** What every Consent obeys, whatever it claims. */
export const ownConsent = `${own}/opendmp-consent`;

export const consent = {
  /** The overarching policies that are kept here; a denial of all besides. IHE PCF, policies. */
  permitPolicies: [`${pcf}/Policy-all-normal`, `${pcf}/Policy-basic-normal`],
  denyPolicy: `${pcf}/Policy-deny`,
  /** Whoever is authorised under it is the treating doctor. */
  treatingDoctorPolicy: 'https://opendmp.example/fhir/policy/treating-doctor',
  scope: { system: `${hl7}/consentscope`, code: 'patient-privacy' },
  category: { system: 'http://loinc.org', code: '59284-0', display: 'Consent Document' },
  role: { system: `${hl7}/v3-ParticipationType`, code: 'IRCP', display: 'information recipient' },
  purposes: `${hl7}/v3-ActReason`,
} as const;

const dmp = 'https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition';

export const extensions = {
  isArchived: `${pdsm}/pdsm-ext-is-archived`,
  /** XDS attributes without a home in DocumentReference; complex. */
  registryEntry: `${own}/registry-entry`,
  /** A slot that the model does not know; complex: name, type, value (0..*). */
  slot: `${own}/extra-slot`,
  /** An association beyond its ends and kind: entryUUID, type, submissionSetStatus, documentation, extra slots; complex. */
  association: `${own}/association`,
  /** An author of a submission set beyond the first. */
  furtherAuthor: `${own}/further-author`,
  designationType: `${mhd}/ihe-designationType`,
  sourceId: `${mhd}/ihe-sourceId`,
  intendedRecipient: `${mhd}/ihe-intendedRecipient`,
  authorOrg: `${mhd}/ihe-authorOrg`,
  /** HL7 v2 text of an element that FHIR's structure cannot hold whole. */
  hl7v2: `${own}/hl7v2-text`,
  /** One line of sourcePatientInfo that FHIR's structure cannot hold whole. */
  pidLine: `${own}/pid-line`,
  /** What a Patient or Device as author, or a PractitionerRole of several institutions, has no element for. */
  authorInstitution: `${own}/author-institution`,
  authorRole: `${own}/author-role`,
  authorSpecialty: `${own}/author-specialty`,
  authorTelecom: `${own}/author-telecom`,
  /** The caller's own right on the record: valid, expired, none, blocked. */
  authorisation: `${own}/authorisation-status`,
  closing: `${dmp}/dmp-fermeture`,
  attached: `${dmp}/dmp-rattachement-mes`,
  birthPlace: 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace',
  inseeCode: `${frCore}/StructureDefinition/fr-core-address-insee-code`,
  givenNames: `${frCore}/StructureDefinition/fr-core-patient-birth-list-given-name`,
  mothersMaidenName: 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName',
  matchGrade: 'http://hl7.org/fhir/StructureDefinition/match-grade',
  treatingDoctor: `${dmp}/dmp-medecin-traitant`,
  identityReliability: `${frCore}/StructureDefinition/fr-core-identity-reliability`,
  dataAbsentReason: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason',
} as const;

/** Further extensions for intendedRecipient that are read: PDSm since 3.1, and before. */
export const recipientUrls: readonly string[] = [
  extensions.intendedRecipient,
  `${pdsm}/pdsm-ext-intended-recipient`,
  `${pdsm}/PDSmintendedrecipient`,
];

/** Further extensions for isArchived that are read: PDSm before 3.1. */
export const archivedUrls: readonly string[] = [extensions.isArchived, `${pdsm}/pdsm-is-archived`];

/** The extensions of a document or list that say something to this server. */
export const understoodUrls: readonly string[] = [
  ...archivedUrls,
  ...recipientUrls,
  extensions.registryEntry,
  extensions.slot,
  extensions.furtherAuthor,
  extensions.designationType,
  extensions.sourceId,
];

/** The slot that keeps what FHIR says and XDS has no attribute for. IHE ITI TF-3 4.2.3.1.6 (extra metadata). */
export const elementsSlot = 'urn:opendmp:fhir:elements';

/** Types of identifiers in France. FR Core, fr-core-cs-v2-0203. */
export const identifierTypes = {
  system: `${frCore}/CodeSystem/fr-core-cs-v2-0203`,
  professional: 'IDNPS',
  structure: 'IDNST',
  /** The number of the register, which PS_IdNat begins by an 8. */
  rpps: { system: 'https://rpps.esante.gouv.fr', code: 'RPPS' },
  ofPatient: {
    '1.2.250.1.213.1.4.8': 'INS-NIR',
    '1.2.250.1.213.1.4.9': 'INS-NIA',
    '1.2.250.1.213.1.4.10': 'INS-NIR-TEST',
    '1.2.250.1.213.1.4.11': 'INS-NIR-DEMO',
    '1.2.250.1.213.1.4.2': 'INS-C',
  } as Readonly<Record<string, string>>,
} as const;

/** How sure a match is. FHIR R4, value set match-grade. */
export const matchGrades = { certain: 'certain', probable: 'probable', possible: 'possible' } as const;

/** Status of an identity. FR Core, fr-core-cs-v2-0445. */
export const identityStatus = { system: `${frCore}/CodeSystem/fr-core-cs-v2-0445`, validated: 'VALI' } as const;

export const communes = nos('TRE_R13-CommuneOM');
export const closingMotives = 'https://interop.esante.gouv.fr/ig/fhir/dmp/CodeSystem/dmp-motif-fermeture';

export const dcm = 'http://dicom.nema.org/resources/ontology/DCM';
export const audit = {
  eventType: `${hl7}/audit-event-type`,
  interaction: 'http://hl7.org/fhir/restful-interaction',
  transaction: 'urn:ihe:event-type-code',
  /** Types of HL7 version 2 messages. */
  messageType: `${hl7}/v2-0076`,
  entityType: `${hl7}/audit-entity-type`,
  role: `${hl7}/object-role`,
  resourceType: 'http://hl7.org/fhir/resource-types',
  /** Who keeps what is deleted. IHE BALP 152.3. */
  custodian: { system: `${hl7}/provenance-participant-type`, code: 'custodian', display: 'Custodian' },
  sourceType: `${hl7}/security-source-type`,
  participation: `${hl7}/v3-ParticipationType`,
  roleClass: `${hl7}/v3-RoleClass`,
  reason: `${hl7}/v3-ActReason`,
  basicEntity: `${balp}/CodeSystem/BasicAuditEntityType`,
  /** Which partner's system told an event of its own. */
  toldBy: 'https://opendmp.example/fhir/CodeSystem/told-by',
  /** The token of a FHIR request by its jti. IHE BALP 152.7. */
  tokenId: 'urn:ietf:params:oauth:jti:',
} as const;

/** Reference ids that FHIR holds as the encounter rather than as a related identifier. IHE MHD, mapping of referenceIdList. */
export const encounterReference = 'urn:ihe:iti:xds:2015:encounterId';

/** Marks a resource that is shown in part. FHIR R4 search.html#elements. */
export const subsetted = { system: `${hl7}/v3-ObservationValue`, code: 'SUBSETTED' } as const;

export const fhirJson = 'application/fhir+json';
export const fhirXml = 'application/fhir+xml';

/** What a client may call the forms of a resource; the first is what is sent. FHIR R4 http.html#mime-type. */
export const jsonTypes: readonly string[] = [fhirJson, 'application/json', 'text/json'];
export const xmlTypes: readonly string[] = [fhirXml, 'application/xml', 'text/xml'];

/** FHIR R4 xml.html, narrative.html. */
export const fhirNamespace = 'http://hl7.org/fhir';
export const xhtml = 'http://www.w3.org/1999/xhtml';

/** How access to the server is secured. FHIR R4 CodeSystem restful-security-service; SMART App Launch. */
export const security = {
  service: 'http://terminology.hl7.org/CodeSystem/restful-security-service',
  oauthUris: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
} as const;
