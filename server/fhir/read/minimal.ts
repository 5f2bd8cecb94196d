import type { Code } from '../../domain/code.ts';
import type { EntryDraft, FolderDraft, SetDraft, Submission } from '../../domain/document.ts';
import { oidOfUuid } from '../../domain/identifier.ts';
import { nullFlavor } from '../vocabulary.ts';

const unknown: Code = { code: 'UNK', system: nullFlavor, display: 'Unknown' };
/** No language is known. BCP 47, RFC 5646 §4.1. */
const undetermined = 'und';

/** The same with a uniqueId for the set and each folder whose source gave none. IHE MHD 4.2.3, IHE.MHD.List: identifier[uniqueId] 0..1. */
export function withUniqueIds(submission: Submission, newId: () => string): Submission {
  const named = <T extends SetDraft | FolderDraft>(draft: T): T => ({ uniqueId: oidOfUuid(newId()), ...draft });
  return { ...submission, sets: submission.sets.map(named), folders: submission.folders.map(named) };
}

/**
 * A submission of minimal metadata with all that the registry asks for: what its source did not say is unknown in words, the creation of a
 * document no later than its submission, the source's patient whom the document is of. IHE MHD 1:33.2 (Minimal metadata).
 */
export function withUnknowns({ sets, entries, ...rest }: Submission): Submission {
  const patientId = entries.find((entry) => entry.patientId !== undefined)?.patientId;
  const [{ submissionTime } = {}] = sets;
  return {
    ...rest,
    sets: sets.map(
      (set): SetDraft => ({
        contentTypeCode: unknown,
        ...(patientId && { patientId }),
        ...set,
      }),
    ),
    entries: entries.map(
      (entry): EntryDraft => ({
        classCode: unknown,
        typeCode: unknown,
        formatCode: unknown,
        healthcareFacilityTypeCode: unknown,
        practiceSettingCode: unknown,
        languageCode: undetermined,
        ...(submissionTime !== undefined && { creationTime: submissionTime }),
        ...(entry.patientId && { sourcePatientId: entry.patientId }),
        ...entry,
        confidentialityCodes: entry.confidentialityCodes?.[0] === undefined ? [unknown] : entry.confidentialityCodes,
      }),
    ),
  };
}
