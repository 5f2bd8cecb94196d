import type { DocumentReference, Extension, FhirResource, Identifier, Resource } from 'fhir/r4.js';
import type { AvailabilityStatus, EntryDraft, LocalizedText } from '../../domain/document.ts';
import type { Problem } from '../../domain/error.ts';
import type { Cx } from '../../domain/identifier.ts';
import { archivedUrls, encounterReference, extensions } from '../vocabulary.ts';
import { authenticatorIn, authorIn } from './author.ts';
import {
  allNamesIn,
  codeIn,
  conceptIn,
  conceptsIn,
  cxiIn,
  hashIn,
  labelsIn,
  namesIn,
  timeIn,
  uniqueIdIn,
} from './code.ts';
import { extraIn } from './elements.ts';
import { extensionsOf, present, report, type Source } from './source.ts';
import { sourcePatientIn } from './source-patient.ts';

/** A resource by its FHIRPath in what was sent, the id of its draft, and where problems go. */
export type Opened = Pick<Source, 'object' | 'path' | 'elsewhere'> & { readonly problems: Problem[] };

/** @param patientId of the subject, wherever it was found */
export function readDocumentReference(
  resource: DocumentReference,
  opened: Opened,
  patientId: Cx | undefined,
): EntryDraft {
  const source = openSource(resource, opened);
  const attachment = resource.content[0]?.attachment ?? {};
  const own = registryEntryIn(resource);
  const at = 'content[0].attachment';
  const { context = {}, author = [] } = resource;
  const patient = sourcePatientIn(source, context.sourcePatientInfo, 'context.sourcePatientInfo');
  const related = [
    ...(context.encounter ?? []).map((r, i) =>
      cxiIn(source, r.identifier, encounterReference, `context.encounter[${i}]`),
    ),
    ...(context.related ?? []).map((r, i) => cxiIn(source, r.identifier, undefined, `context.related[${i}]`)),
  ];
  reportIdentifiers(source, resource.identifier, resource.masterIdentifier);
  const category = resource.category ?? [];
  if (category.length > 1) report(source, 'attributeRepeated', 'classCode', 'category[1]');
  return {
    id: opened.object,
    ...present({
      logicalID: own('logicalID')?.valueUri,
      version: own('version')?.valuePositiveInt ?? versionIn(resource.meta?.versionId),
      objectType: own('objectType')?.valueCode === 'onDemand' ? ('onDemand' as const) : ('stable' as const),
      status: statusIn(resource),
      documentAvailability: availabilityIn(own('documentAvailability')?.valueCode),
      uniqueId:
        (resource.masterIdentifier && uniqueIdIn(resource.masterIdentifier)) ?? namesIn(resource.identifier).uniqueId,
      patientId,
      sourcePatientId: patient.sourcePatientId ?? (context.sourcePatientInfo === undefined ? patientId : undefined),
      sourcePatientInfo: patient.sourcePatientInfo,
      mimeType: attachment.contentType,
      title: textIn(attachment.title, own('titleLanguage')),
      comments: textIn(resource.description, own('commentsLanguage')),
      languageCode: attachment.language,
      creationTime: timeIn(
        source,
        attachment.creation,
        own('creationTime')?.valueString,
        'creationTime',
        `${at}.creation`,
      ),
      serviceStartTime: timeIn(
        source,
        context.period?.start,
        own('serviceStartTime')?.valueString,
        'serviceStartTime',
        'context.period.start',
      ),
      serviceStopTime: timeIn(
        source,
        context.period?.end,
        own('serviceStopTime')?.valueString,
        'serviceStopTime',
        'context.period.end',
      ),
      hash: hashIn(source, attachment.hash, `${at}.hash`),
      size: attachment.size,
      repositoryUniqueId: own('repositoryUniqueId')?.valueOid?.replace(/^urn:oid:/, ''),
      uri: own('uri')?.valueString,
      homeCommunityId: own('homeCommunityId')?.valueUri,
      classCode: conceptIn(source, category[0], 'classCode', 'category[0]'),
      typeCode: conceptIn(source, resource.type, 'typeCode', 'type'),
      formatCode: resource.content[0]?.format && codeIn(resource.content[0].format),
      healthcareFacilityTypeCode: conceptIn(
        source,
        context.facilityType,
        'healthcareFacilityTypeCode',
        'context.facilityType',
      ),
      practiceSettingCode: conceptIn(source, context.practiceSetting, 'practiceSettingCode', 'context.practiceSetting'),
      confidentialityCodes: labelsIn(source, resource.securityLabel),
      eventCodes: conceptsIn(source, context.event, 'eventCodeList', 'context.event'),
      authors: author.flatMap((one, i) => authorIn(source, one, 'author', `author[${i}]`) ?? []),
      legalAuthenticator: authenticatorIn(source, resource.authenticator, 'authenticator'),
      referenceIds: related.filter((id) => id !== undefined),
      extra: extraIn(source, resource),
    }),
  };
}

/** Identifiers that name one thing twice, differently. IHE MHD, mapping of entryUUID and uniqueId. */
export function reportIdentifiers(
  source: Source,
  identifiers: readonly Identifier[] | undefined,
  master?: Identifier,
): void {
  const { entryUUIDs, uniqueIds } = allNamesIn(identifiers, master);
  const [first, second] = entryUUIDs;
  if (second !== undefined)
    report(source, 'attributesContradict', 'entryUUID', 'identifier', {
      value: second,
      detail: `another identifier says ${first}`,
    });
  const [one, other] = uniqueIds;
  if (other !== undefined)
    report(source, 'attributesContradict', 'uniqueId', 'identifier', {
      value: other,
      detail: `another identifier says ${one}`,
    });
}

/** Where an entry is read from, with the resources that it contains, which its references may name. */
export function openSource({ contained = [] }: { contained?: Resource[] | undefined }, opened: Opened): Source {
  // What a contained resource is says its resourceType.
  return { ...opened, contained: contained as FhirResource[] };
}

/** The parts of our own extension, by name. */
export function registryEntryIn(resource: {
  extension?: Extension[] | undefined;
}): (part: string) => Extension | undefined {
  const [own] = extensionsOf(resource, extensions.registryEntry);
  return (part) => extensionsOf(own, part)[0];
}

/** A text with the language that an extension beside it tells. */
export function textIn(value: string | undefined, language: Extension | undefined): LocalizedText | undefined {
  if (value === undefined) return undefined;
  return { value, ...(language?.valueCode !== undefined && { language: language.valueCode }) };
}

/** A version that another server counts otherwise says nothing here. */
export function versionIn(versionId: string | undefined): number | undefined {
  return versionId !== undefined && /^[1-9]\d{0,8}$/.test(versionId) ? Number(versionId) : undefined;
}

function statusIn({ status, extension = [] }: DocumentReference): AvailabilityStatus {
  if (status === 'superseded') return 'deprecated';
  if (status === 'entered-in-error') return 'deleted';
  return extension.some(({ url, valueBoolean }) => archivedUrls.includes(url) && valueBoolean === true)
    ? 'archived'
    : 'approved';
}

function availabilityIn(code: string | undefined): 'online' | 'offline' | undefined {
  return code === 'online' || code === 'offline' ? code : undefined;
}
