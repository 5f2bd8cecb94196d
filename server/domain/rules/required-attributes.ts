import type { AssociationDraft, EntryDraft, FolderDraft, SetDraft, Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';

/** Attributes that a source must send, by their names in the standard. */
const ofEntry: Readonly<Record<string, (entry: EntryDraft) => unknown>> = {
  objectType: (e) => e.objectType,
  classCode: (e) => e.classCode,
  confidentialityCode: (e) => e.confidentialityCodes?.[0],
  // An on-demand entry has none before it is retrieved.
  creationTime: (e) => e.objectType === 'onDemand' || e.creationTime,
  formatCode: (e) => e.formatCode,
  healthcareFacilityTypeCode: (e) => e.healthcareFacilityTypeCode,
  languageCode: (e) => e.languageCode,
  mimeType: (e) => e.mimeType,
  patientId: (e) => e.patientId,
  practiceSettingCode: (e) => e.practiceSettingCode,
  sourcePatientId: (e) => e.sourcePatientId,
  typeCode: (e) => e.typeCode,
  uniqueId: (e) => e.uniqueId,
};
const ofSet: Readonly<Record<string, (set: SetDraft) => unknown>> = {
  contentTypeCode: (s) => s.contentTypeCode,
  patientId: (s) => s.patientId,
  sourceId: (s) => s.sourceId,
  submissionTime: (s) => s.submissionTime,
  uniqueId: (s) => s.uniqueId,
};
const ofFolder: Readonly<Record<string, (folder: FolderDraft) => unknown>> = {
  codeList: (f) => f.codes?.[0],
  patientId: (f) => f.patientId,
  title: (f) => f.title,
  uniqueId: (f) => f.uniqueId,
};
const ofAssociation: Readonly<Record<string, (association: AssociationDraft) => unknown>> = {
  associationType: (a) => a.type,
  sourceObject: (a) => a.source,
  targetObject: (a) => a.target,
};

/** Every attribute is there that a Document Source must send. IHE ITI TF-3 table 4.3.1-3 (Provide and Register, Source). */
export function requiredAttributes({ sets, entries, folders, associations }: Submission): Problem[] {
  return [
    ...sets.flatMap((draft) => missing(draft, ofSet)),
    ...entries.flatMap((draft) => missing(draft, ofEntry)),
    ...folders.flatMap((draft) => missing(draft, ofFolder)),
    ...associations.flatMap((draft) => missing(draft, ofAssociation)),
  ];
}

function missing<T extends { readonly id: string }>(
  draft: T,
  required: Readonly<Record<string, (draft: T) => unknown>>,
): Problem[] {
  return Object.entries(required)
    .filter(([, value]) => value(draft) === undefined)
    .map(([attribute]) => problem('attributeMissing', { attribute, object: draft.id }));
}
