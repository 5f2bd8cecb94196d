import type { Parameter, Parameters } from './query-parameters.ts';

/** How parameters are coded and how often they come; what a query requires it says itself. IHE ITI TF-2 3.18.4.1.2.3. */
export const text = { type: 'text' } as const satisfies Parameter;
export const texts = { type: 'text', many: true } as const satisfies Parameter;
export const textGroups = { type: 'text', many: true, and: true } as const satisfies Parameter;
export const codes = { type: 'code', many: true } as const satisfies Parameter;
export const codeGroups = { type: 'code', many: true, and: true } as const satisfies Parameter;
export const time = { type: 'dtm' } as const satisfies Parameter;

export const required = <P extends Parameter>(parameter: P) => ({ ...parameter, required: true }) as const;

/** By which attributes documents are asked for, of one patient or of several. IHE ITI TF-2 3.18.4.1.2.3.7.1, 3.51.4.1.2.3.1. */
export const documentAttributes = {
  $XDSDocumentEntryClassCode: codes,
  $XDSDocumentEntryTypeCode: codes,
  $XDSDocumentEntryPracticeSettingCode: codes,
  $XDSDocumentEntryHealthcareFacilityTypeCode: codes,
  $XDSDocumentEntryEventCodeList: codeGroups,
  $XDSDocumentEntryConfidentialityCode: codeGroups,
  $XDSDocumentEntryFormatCode: codes,
  $XDSDocumentEntryAuthorPerson: texts,
  $XDSDocumentEntryType: texts,
} as const satisfies Parameters;

/** By which times; from ≤ value < to. */
export const documentTimes = {
  $XDSDocumentEntryCreationTimeFrom: time,
  $XDSDocumentEntryCreationTimeTo: time,
  $XDSDocumentEntryServiceStartTimeFrom: time,
  $XDSDocumentEntryServiceStartTimeTo: time,
  $XDSDocumentEntryServiceStopTimeFrom: time,
  $XDSDocumentEntryServiceStopTimeTo: time,
} as const satisfies Parameters;

/** By which attributes folders are. */
export const folderAttributes = {
  $XDSFolderStatus: required(texts),
  $XDSFolderLastUpdateTimeFrom: time,
  $XDSFolderLastUpdateTimeTo: time,
  $XDSFolderCodeList: codeGroups,
} as const satisfies Parameters;
