import type { CodeableConcept, DocumentReference, FhirResource, Period } from 'fhir/r4.js';
import type { DocumentEntry } from '../../domain/document.ts';
import { dateTimeOf } from '../../domain/time.ts';
import type { StoredDocument } from '../../store/port.ts';
import { documentStatus } from '../document-status.ts';
import { encounterReference, extensions, profiles, uris } from '../vocabulary.ts';
import { authenticatorReference, authorReference } from './author.ts';
import { codingOf, conceptOf, cxIdentifier, relatedIdentifier, uniqueIdentifier } from './code.ts';
import { elementsOf } from './elements.ts';
import { registryEntryOf, slotOf } from './registry-extension.ts';
import { sourcePatientOf } from './source-patient.ts';

/** The FHIR id of a document and of its bytes: the logicalID without prefix, which stays while versions come and go. */
export function idOf(logicalID: string): string {
  return logicalID.slice('urn:uuid:'.length);
}

/** Where a document is to be found, and what is said of it besides its entry. */
export type Whereabouts = {
  /** Of its bytes. */
  readonly url: string;
  /** Of the record's holder; without it he is named by identifier alone. */
  readonly patient?: string;
  readonly date?: string;
};

/** What is shown of a registered document. */
type Shown = Pick<StoredDocument, 'entry' | 'record' | 'registeredAt' | 'revision' | 'changedAt'>;

/**
 * A registered document with every attribute of its entry.
 * @param base the public address of this face, without trailing slash
 */
export function documentReferenceOf(document: Shown, base: string): DocumentReference {
  const { entry, record, registeredAt, revision, changedAt } = document;
  const id = idOf(entry.logicalID);
  const date = new Date(registeredAt).toISOString();
  const where = { url: `${base}/Binary/${id}`, patient: `Patient/${record}`, date };
  const { meta, ...reference } = referenceOf(entry, where);
  const state = { versionId: String(revision), lastUpdated: new Date(changedAt).toISOString() };
  return { ...reference, id, meta: { ...meta, ...state } };
}

/**
 * A document with every attribute of its entry. IHE MHD, mapping of XDSDocumentEntry; what has no element there goes into
 * extensions of our own.
 */
export function referenceOf(entry: DocumentEntry, { url, patient, date }: Whereabouts): DocumentReference {
  const contained: FhirResource[] = [];
  const author = entry.authors.map((a, i) => authorReference(a, `author-${i + 1}`, contained));
  const authenticator = entry.legalAuthenticator && authenticatorReference(entry.legalAuthenticator, contained);
  const source = sourcePatientOf(entry.sourcePatientId, entry.sourcePatientInfo);
  contained.push(source);
  const profile = profilesOf(entry);
  const { elements, others } = elementsOf(entry.extra);
  const archived = entry.status === 'archived' ? [{ url: extensions.isArchived, valueBoolean: true }] : [];
  return {
    resourceType: 'DocumentReference',
    meta: { ...elements.meta, versionId: String(entry.version), ...(profile.length > 0 && { profile }) },
    ...(elements.language !== undefined && { language: elements.language }),
    contained,
    extension: [...archived, registryEntryOf(entry), ...others.map(slotOf), ...(elements.extension ?? [])],
    masterIdentifier: uniqueIdentifier(entry.uniqueId),
    identifier: [{ use: 'official', system: uris, value: entry.entryUUID }, ...(elements.identifier ?? [])],
    status: documentStatus[entry.status],
    type: conceptOf(entry.typeCode),
    category: [conceptOf(entry.classCode)],
    subject: {
      ...(patient !== undefined && { reference: patient }),
      type: 'Patient',
      identifier: cxIdentifier(entry.patientId),
    },
    ...(date !== undefined && { date }),
    ...(author.length > 0 && { author }),
    ...(authenticator && { authenticator }),
    ...(elements.custodian && { custodian: elements.custodian }),
    ...(entry.comments && { description: entry.comments.value }),
    securityLabel: entry.confidentialityCodes.map(conceptOf),
    content: [{ attachment: attachmentOf(entry, url), format: codingOf(entry.formatCode) }],
    context: contextOf(entry, `#${source.id}`),
  };
}

function attachmentOf(entry: DocumentEntry, url: string) {
  const { hash, size, title, creationTime } = entry;
  return {
    contentType: entry.mimeType,
    language: entry.languageCode,
    url,
    ...(size !== undefined && { size }),
    ...(hash !== undefined && { hash: Buffer.from(hash, 'hex').toString('base64') }),
    ...(title && { title: title.value }),
    ...(creationTime !== undefined && { creation: dateTimeOf(creationTime) }),
  };
}

function contextOf(entry: DocumentEntry, source: string): NonNullable<DocumentReference['context']> {
  const period = periodOf(entry);
  const encounters = entry.referenceIds.filter(({ type }) => type === encounterReference);
  const related = entry.referenceIds.filter(({ type }) => type !== encounterReference);
  return {
    ...(encounters.length > 0 && { encounter: encounters.map((id) => ({ identifier: relatedIdentifier(id) })) }),
    ...(entry.eventCodes.length > 0 && { event: entry.eventCodes.map((code): CodeableConcept => conceptOf(code)) }),
    ...(period && { period }),
    facilityType: conceptOf(entry.healthcareFacilityTypeCode),
    practiceSetting: conceptOf(entry.practiceSettingCode),
    sourcePatientInfo: { reference: source },
    ...(related.length > 0 && { related: related.map((id) => ({ identifier: relatedIdentifier(id) })) }),
  };
}

function periodOf({ serviceStartTime: start, serviceStopTime: stop }: DocumentEntry): Period | undefined {
  if (start === undefined && stop === undefined) return undefined;
  return {
    ...(start !== undefined && { start: dateTimeOf(start) }),
    ...(stop !== undefined && { end: dateTimeOf(stop) }),
  };
}

/** The profiles that the resource really meets. */
function profilesOf(entry: DocumentEntry): string[] {
  const {
    status,
    creationTime,
    authors,
    legalAuthenticator,
    size,
    hash,
    title,
    serviceStartTime,
    confidentialityCodes,
  } = entry;
  if (status === 'deleted' || creationTime === undefined || confidentialityCodes.length === 0) return [];
  const pdsm =
    authors.length > 0 &&
    legalAuthenticator !== undefined &&
    size !== undefined &&
    hash !== undefined &&
    title !== undefined &&
    serviceStartTime !== undefined;
  return pdsm ? [profiles.mhdDocument, profiles.pdsmDocument] : [profiles.mhdDocument];
}
