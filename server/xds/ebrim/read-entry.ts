import type { EntryDraft } from '../../domain/document.ts';
import { attributeOf } from '../../xml/element.ts';
import { entryScheme, entryType, limitedMetadata, referenceIdSlot, statusUrn } from '../vocabulary.ts';
import { checkClassifications, checkIdentifiers, code, codes, identifier } from './classifications.ts';
import { cx, cxi, documentAvailability, pidLine, size, xcn } from './data-types.ts';
import { readAuthors } from './read-author.ts';
import {
  extraSlots,
  given,
  home,
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
    report(source, 'objectUnclassified', {
      attribute: 'objectType',
      detail: 'objectType is not that of a document entry',
    });
  return {
    id,
    ...present({
      logicalID: logicalId(source),
      version: version(source),
      objectType,
      // The registry sets it: one that it does not know says nothing.
      status: keyOf(statusUrn, attributeOf(element, 'status')),
      documentAvailability: typed(source, 'documentAvailability', documentAvailability),
      uniqueId: identifier(source, 'XDSDocumentEntry.uniqueId'),
      patientId: inType(source, 'patientId', identifier(source, 'XDSDocumentEntry.patientId'), cx),
      sourcePatientId: typed(source, 'sourcePatientId', cx),
      sourcePatientInfo: typedAll(source, 'sourcePatientInfo', pidLine),
      mimeType: given(attributeOf(element, 'mimeType')),
      title: localized(source, 'Name', 'title'),
      comments: localized(source, 'Description', 'comments'),
      languageCode: value(source, 'languageCode'),
      creationTime: value(source, 'creationTime'),
      serviceStartTime: value(source, 'serviceStartTime'),
      serviceStopTime: value(source, 'serviceStopTime'),
      hash: value(source, 'hash')?.toLowerCase(),
      size: typed(source, 'size', size),
      repositoryUniqueId: value(source, 'repositoryUniqueId'),
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
      legalAuthenticator: typed(source, 'legalAuthenticator', xcn),
      referenceIds: typedAll(source, referenceIdSlot, cxi),
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
