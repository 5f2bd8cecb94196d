import type { Code } from '../../domain/code.ts';
import type { EntryDraft, SetDraft, Submission } from '../../domain/document.ts';
import { oidOfUuid } from '../../domain/identifier.ts';
import { nullFlavor } from '../vocabulary.ts';

const unknown: Code = { code: 'UNK', system: nullFlavor, display: 'Unknown' };
/** No language is known. BCP 47, RFC 5646 §4.1. */
const undetermined = 'und';

/**
 * A submission of minimal metadata with all that the registry asks for: what its source did not say is unknown in words, the creation of a
 * document no later than its submission, the source's patient whom the document is of. IHE MHD 1:33.2 (Minimal metadata).
 */
export function withUnknowns({ sets, entries, ...rest }: Submission, newId: () => string): Submission {
  const patientId = entries.find((entry) => entry.patientId !== undefined)?.patientId;
  const [{ submissionTime } = {}] = sets;
  return {
    ...rest,
    sets: sets.map(
      (set): SetDraft => ({
        uniqueId: oidOfUuid(newId()),
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
