import type { Association, DocumentEntry, EntryUuid, Folder, SubmissionSet } from '../../domain/document.ts';
import { writeCxi, writePidLine, writeRecipient } from '../../domain/hl7v2.ts';
import {
  associationScheme,
  associationUrn,
  availabilityUrn,
  entryScheme,
  entryType,
  folderScheme,
  objectType,
  packageNode,
  referenceIdSlot,
  setScheme,
  statusUrn,
} from '../vocabulary.ts';
import {
  attribute,
  attributeText,
  authors,
  codes,
  extra,
  identifier,
  localized,
  node,
  optionalSlot,
  type Parts,
  partsOf,
  patientIdentifier,
  patientSlot,
  personSlot,
  sharedCodes,
  slot,
  slotOf,
} from './write-parts.ts';

/**
 * A DocumentEntry as a query returns it: an ExtrinsicObject whose elements use the prefix `rim`, which the caller declares. Children
 * stand in the order of the schema; ids of its classifications and identifiers are made from its own. IHE ITI TF-3 4.2.3.2.
 */
export function writeDocument(entry: DocumentEntry): string {
  const parts = partsOf(entry.entryUUID);
  const { sourcePatientInfo, referenceIds, legalAuthenticator, documentAvailability } = entry;
  return (
    `<rim:ExtrinsicObject id="${parts.id}" lid="${attributeText(entry.logicalID)}"` +
    attribute('home', entry.homeCommunityId) +
    ` mimeType="${attributeText(entry.mimeType)}" objectType="${entryType[entry.objectType]}" status="${statusUrn[entry.status]}">` +
    optionalSlot('creationTime', entry.creationTime) +
    optionalSlot('hash', entry.hash) +
    slot('languageCode', entry.languageCode) +
    personSlot('legalAuthenticator', legalAuthenticator) +
    optionalSlot('repositoryUniqueId', entry.repositoryUniqueId || undefined) +
    optionalSlot('serviceStartTime', entry.serviceStartTime) +
    optionalSlot('serviceStopTime', entry.serviceStopTime) +
    optionalSlot('size', entry.size?.toString()) +
    patientSlot('sourcePatientId', entry.sourcePatientId) +
    slotOf('sourcePatientInfo', sourcePatientInfo, writePidLine) +
    optionalSlot('URI', entry.uri) +
    (documentAvailability === undefined ? '' : slot('documentAvailability', availabilityUrn[documentAvailability])) +
    slotOf(referenceIdSlot, referenceIds, writeCxi) +
    extra(entry.extra) +
    localized('Name', entry.title) +
    localized('Description', entry.comments) +
    `<rim:VersionInfo versionName="${entry.version}"/>` +
    authors(parts, entryScheme.author, entry.authors) +
    sharedCodes(parts, entryScheme.classCode, [entry.classCode]) +
    codes(parts, entryScheme.confidentialityCode, entry.confidentialityCodes) +
    sharedCodes(parts, entryScheme.eventCodeList, entry.eventCodes) +
    sharedCodes(parts, entryScheme.formatCode, [entry.formatCode]) +
    sharedCodes(parts, entryScheme.healthcareFacilityTypeCode, [entry.healthcareFacilityTypeCode]) +
    sharedCodes(parts, entryScheme.practiceSettingCode, [entry.practiceSettingCode]) +
    sharedCodes(parts, entryScheme.typeCode, [entry.typeCode]) +
    patientIdentifier(parts, 'XDSDocumentEntry.patientId', entry.patientId) +
    identifier(parts, 'XDSDocumentEntry.uniqueId', entry.uniqueId) +
    '</rim:ExtrinsicObject>'
  );
}

/** A submission set as a query returns it. IHE ITI TF-3 4.2.3.3. */
export function writeSubmissionSet(set: SubmissionSet): string {
  const parts = partsOf(set.entryUUID);
  return (
    openPackage(parts, set.homeCommunityId, statusUrn[set.status]) +
    slot('submissionTime', set.submissionTime) +
    slotOf('intendedRecipient', set.intendedRecipients, writeRecipient) +
    extra(set.extra) +
    localized('Name', set.title) +
    localized('Description', set.comments) +
    authors(parts, setScheme.author, set.authors) +
    codes(parts, setScheme.contentTypeCode, [set.contentTypeCode]) +
    node(parts, packageNode.submissionSet) +
    patientIdentifier(parts, 'XDSSubmissionSet.patientId', set.patientId) +
    identifier(parts, 'XDSSubmissionSet.sourceId', set.sourceId) +
    identifier(parts, 'XDSSubmissionSet.uniqueId', set.uniqueId) +
    '</rim:RegistryPackage>'
  );
}

/** A folder as a query returns it. IHE ITI TF-3 4.2.3.4. */
export function writeFolder(folder: Folder): string {
  const parts = partsOf(folder.entryUUID);
  return (
    openPackage(parts, folder.homeCommunityId, statusUrn[folder.status], folder.logicalID) +
    slot('lastUpdateTime', folder.lastUpdateTime) +
    extra(folder.extra) +
    localized('Name', folder.title) +
    localized('Description', folder.comments) +
    `<rim:VersionInfo versionName="${folder.version}"/>` +
    codes(parts, folderScheme.codeList, folder.codes) +
    node(parts, packageNode.folder) +
    patientIdentifier(parts, 'XDSFolder.patientId', folder.patientId) +
    identifier(parts, 'XDSFolder.uniqueId', folder.uniqueId) +
    '</rim:RegistryPackage>'
  );
}

/** An association as a query returns it. IHE ITI TF-3 4.2.2. */
export function writeAssociation(association: Association): string {
  const parts = partsOf(association.entryUUID);
  const { documentation, associationPropagation: propagated, originalStatus, newStatus } = association;
  return (
    `<rim:Association id="${parts.id}" objectType="${objectType.association}" status="${statusUrn[association.status]}"` +
    ` associationType="${associationUrn[association.type]}" sourceObject="${attributeText(association.source)}"` +
    ` targetObject="${attributeText(association.target)}">` +
    optionalSlot('SubmissionSetStatus', association.submissionSetStatus) +
    optionalSlot('PreviousVersion', association.previousVersion) +
    (propagated === undefined ? '' : slot('AssociationPropagation', propagated ? 'yes' : 'no')) +
    optionalSlot('OriginalStatus', originalStatus && statusUrn[originalStatus]) +
    optionalSlot('NewStatus', newStatus && statusUrn[newStatus]) +
    extra(association.extra) +
    codes(parts, associationScheme.documentation, documentation === undefined ? [] : [documentation]) +
    '</rim:Association>'
  );
}

/** The name of an object and nothing else. */
export function writeObjectRef(entryUUID: EntryUuid): string {
  return `<rim:ObjectRef id="${attributeText(entryUUID)}"/>`;
}

function openPackage(parts: Parts, home: string | undefined, status: string, lid?: string): string {
  return (
    `<rim:RegistryPackage id="${parts.id}"${attribute('lid', lid)}${attribute('home', home)}` +
    ` objectType="${objectType.registryPackage}" status="${status}">`
  );
}
