import type { DocumentFilter, Exclusion, FolderFilter, SetFilter } from '../store/port.ts';
import type { AssociationFilter } from '../usecases/query-find.ts';
import type { GivenParameters } from './query-parameters.ts';
import { withoutTrailingDelimiters } from './query-values.ts';
import { availabilityUrn, entryType, statusUrn } from './vocabulary.ts';

/** Statuses that objects other than entries have. */
const packageStatus = { approved: statusUrn.approved, deprecated: statusUrn.deprecated };
const bothStatuses = ['approved', 'deprecated'] as const;

/**
 * The documents that exist at the level asked for: at level 1, the latest version of each entry when it is online. IHE Metadata Update,
 * 3.18.4.1.2.3.5.1.
 */
export function documentsOfLevel(given: GivenParameters): DocumentFilter {
  const asked = given.known('$XDSDocumentEntryDocumentAvailability', availabilityUrn);
  if (given.level() === 2) return { allVersions: true, ...(asked && { availabilities: asked }) };
  return { availabilities: (asked ?? ['online']).filter((availability) => availability === 'online') };
}

/** All that the parameters of documents say. Stable entries are meant where no type is given. IHE ITI TF-2 3.18.4.1.2.3.7.1. */
export function documentFilter(given: GivenParameters): DocumentFilter {
  const statuses = given.known('$XDSDocumentEntryStatus', statusUrn);
  const excluded = attributes(given, 'Exclude');
  return {
    ...documentsOfLevel(given),
    ...(statuses && { statuses }),
    ...(excluded.objectTypes === undefined && { objectTypes: ['stable'] }),
    ...attributes(given, ''),
    ...created(given),
    ...given.range('serviceStartTime', '$XDSDocumentEntryServiceStartTime'),
    ...given.range('serviceStopTime', '$XDSDocumentEntryServiceStopTime'),
    ...(Object.keys(excluded).length > 0 && { exclude: excluded }),
  };
}

/** On-demand entries, which have no creationTime, match whatever is asked of it. IHE ITI TF-2 3.18.4.1.2.3.7.1. */
function created(given: GivenParameters): Pick<DocumentFilter, 'creationTime'> {
  const { creationTime } = given.range('creationTime', '$XDSDocumentEntryCreationTime');
  return creationTime === undefined ? {} : { creationTime: { ...creationTime, orAbsent: true } };
}

/** The attributes by which entries are wanted or, with the suffix, left out. */
export const excludable = [
  'ClassCode',
  'TypeCode',
  'PracticeSettingCode',
  'HealthcareFacilityTypeCode',
  'EventCodeList',
  'ConfidentialityCode',
  'AuthorPerson',
  'FormatCode',
  'Type',
  'ReferenceIdList',
] as const;

function attributes(given: GivenParameters, suffix: '' | 'Exclude'): Exclusion {
  const name = (attribute: (typeof excludable)[number]) => `$XDSDocumentEntry${attribute}${suffix}`;
  return {
    ...objectTypes(given, name('Type')),
    ...given.codes('classCodes', name('ClassCode')),
    ...given.codes('typeCodes', name('TypeCode')),
    ...given.codes('formatCodes', name('FormatCode')),
    ...given.codes('practiceSettingCodes', name('PracticeSettingCode')),
    ...given.codes('healthcareFacilityTypeCodes', name('HealthcareFacilityTypeCode')),
    ...given.codeGroups('eventCodes', name('EventCodeList')),
    ...given.codeGroups('confidentialityCodes', name('ConfidentialityCode')),
    ...given.groups('referenceIds', name('ReferenceIdList')),
    ...authorPersons(given, name('AuthorPerson')),
  };
}

function authorPersons(given: GivenParameters, name: string): Pick<SetFilter, 'authorPersons'> {
  const { authorPersons: patterns } = given.list('authorPersons', name);
  return patterns === undefined ? {} : { authorPersons: patterns.map(withoutTrailingDelimiters) };
}

function objectTypes(given: GivenParameters, name: string): Pick<DocumentFilter, 'objectTypes'> {
  if (!given.has(name)) return {};
  const types = given.texts(name).flatMap((text): ('stable' | 'onDemand')[] => {
    const urn = text.trim().toLowerCase();
    if (urn === entryType.stable) return ['stable'];
    if (urn === entryType.onDemand) return ['onDemand'];
    given.report('queryParameterMalformed', name, text);
    return [];
  });
  return { objectTypes: types };
}

/** All that the parameters of submission sets say. IHE ITI TF-2 3.18.4.1.2.3.7.2. */
export function setFilter(given: GivenParameters): SetFilter {
  const statuses = given.known('$XDSSubmissionSetStatus', packageStatus);
  return {
    ...(statuses && { statuses }),
    ...given.list('sourceIds', '$XDSSubmissionSetSourceId'),
    ...authorPersons(given, '$XDSSubmissionSetAuthorPerson'),
    ...given.codes('contentTypeCodes', '$XDSSubmissionSetContentType'),
    ...given.range('submissionTime', '$XDSSubmissionSetSubmissionTime'),
  };
}

/** All that the parameters of folders say; the status asked for decides on deprecated ones at either level. IHE ITI TF-2 3.18.4.1.2.3.7.3. */
export function folderFilter(given: GivenParameters): FolderFilter {
  const statuses = given.known('$XDSFolderStatus', packageStatus);
  return {
    ...(given.level() === 2 && { allVersions: true }),
    ...(statuses && { statuses }),
    ...given.codeGroups('codes', '$XDSFolderCodeList'),
    ...given.range('lastUpdateTime', '$XDSFolderLastUpdateTime'),
  };
}

/** The folders that exist at the level asked for: at level 1, the latest version of each when it is approved. */
export function foldersOfLevel(given: GivenParameters): FolderFilter {
  return given.level() === 2 ? { allVersions: true } : { statuses: ['approved'] };
}

/** The associations that exist at the level asked for, at level 1 approved ones, of which those whose status is asked for. */
export function associationFilter(given: GivenParameters): AssociationFilter {
  const asked = given.known('$XDSAssociationStatus', packageStatus) ?? bothStatuses;
  return { statuses: given.level() === 2 ? asked : asked.filter((status) => status === 'approved') };
}
