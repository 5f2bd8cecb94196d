import type { EntryDraft } from '../../domain/document.ts';
import { readCx, readCxi, readPidLine, readXcn } from '../../domain/hl7v2.ts';
import { isOid } from '../../domain/identifier.ts';
import { isDtm } from '../../domain/time.ts';
import { attributeOf } from '../../xml/element.ts';
import { availabilityUrn, entryScheme, entryType, limitedMetadata, referenceIdSlot, statusUrn } from '../vocabulary.ts';
import { readAuthors } from './read-author.ts';
import {
  checkClassifications,
  checkIdentifiers,
  code,
  codes,
  extraSlots,
  home,
  identifier,
  inType,
  keyOf,
  localized,
  logicalId,
  present,
  report,
  type Source,
  typed,
  typedAll,
  value,
  version,
} from './registry-object.ts';

/** Reads an ExtrinsicObject. IHE ITI TF-3 4.2.3.2. */
export function readEntry(source: Source): EntryDraft {
  const { element, id } = source;
  checkClassifications(source, schemes, noNodes, limitedMetadata.entry);
  checkIdentifiers(source, ['XDSDocumentEntry.patientId', 'XDSDocumentEntry.uniqueId']);
  const objectType = keyOf(entryType, attributeOf(element, 'objectType')?.toLowerCase());
  if (objectType === undefined)
    report(source, 'objectUnclassified', { detail: 'objectType is not that of a document entry' });
  return {
    id,
    ...present({
      logicalID: logicalId(source),
      version: version(source),
      objectType,
      // The registry sets it: one that it does not know says nothing.
      status: keyOf(statusUrn, attributeOf(element, 'status')),
      documentAvailability: typed(source, 'documentAvailability', (text) => keyOf(availabilityUrn, text)),
      uniqueId: identifier(source, 'XDSDocumentEntry.uniqueId'),
      patientId: inType(source, 'patientId', identifier(source, 'XDSDocumentEntry.patientId'), readCx),
      sourcePatientId: typed(source, 'sourcePatientId', readCx),
      sourcePatientInfo: pidLines(source),
      mimeType: inType(source, 'mimeType', attributeOf(element, 'mimeType')?.trim(), when(mediaType)),
      title: localized(source, 'Name', 'title'),
      comments: localized(source, 'Description', 'comments'),
      languageCode: typed(source, 'languageCode', when(languageTag)),
      creationTime: typed(source, 'creationTime', dtm),
      serviceStartTime: typed(source, 'serviceStartTime', dtm),
      serviceStopTime: typed(source, 'serviceStopTime', dtm),
      hash: typed(source, 'hash', when(sha1))?.toLowerCase(),
      size: typed(source, 'size', (text) => (/^\d{1,15}$/.test(text) ? Number(text) : undefined)),
      repositoryUniqueId: typed(source, 'repositoryUniqueId', (text) => (isOid(text) ? text : undefined)),
      uri: value(source, 'URI'),
      homeCommunityId: home(source),
      classCode: code(source, entryScheme.classCode, 'classCode'),
      typeCode: code(source, entryScheme.typeCode, 'typeCode'),
      formatCode: code(source, entryScheme.formatCode, 'formatCode'),
      healthcareFacilityTypeCode: code(source, entryScheme.healthcareFacilityTypeCode, 'healthcareFacilityTypeCode'),
      practiceSettingCode: code(source, entryScheme.practiceSettingCode, 'practiceSettingCode'),
      confidentialityCodes: codes(source, entryScheme.confidentialityCode, 'confidentialityCode'),
      eventCodes: codes(source, entryScheme.eventCodeList, 'eventCodeList'),
      authors: readAuthors(source, entryScheme.author),
      legalAuthenticator: typed(source, 'legalAuthenticator', readXcn),
      referenceIds: typedAll(source, referenceIdSlot, readCxi),
      extra: extraSlots(source, slots),
    }),
  };
}

const schemes: ReadonlySet<string> = new Set(Object.values(entryScheme));
const noNodes: ReadonlySet<string> = new Set();
const slots: ReadonlySet<string> = new Set([
  'documentAvailability',
  'sourcePatientId',
  'sourcePatientInfo',
  'languageCode',
  'creationTime',
  'serviceStartTime',
  'serviceStopTime',
  'hash',
  'size',
  'repositoryUniqueId',
  'URI',
  'legalAuthenticator',
  referenceIdSlot,
]);

const mediaType = /^[\w!#$&.+^-]+\/[\w!#$&.+^-]+$/;
const languageTag = /^[A-Za-z]{1,8}(-[A-Za-z\d]{1,8})*$/;
const sha1 = /^[\dA-Fa-f]{40}$/;

function when(form: RegExp): (text: string) => string | undefined {
  return (text) => (form.test(text) ? text : undefined);
}

function dtm(text: string): string | undefined {
  return isDtm(text) ? text : undefined;
}

function pidLines(source: Source) {
  const lines = typedAll(source, 'sourcePatientInfo', readPidLine);
  for (const field of [7, 8])
    if (lines.filter((line) => line.field === field).length > 1)
      report(source, 'attributeRepeated', { attribute: `PID-${field} of sourcePatientInfo` });
  return lines;
}
