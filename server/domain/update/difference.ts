import type { Code } from '../code.ts';
import {
  type DocumentEntry,
  type EntryDraft,
  type VisibilityCode,
  visibilityOf,
  visibilitySystem,
} from '../document.ts';

/** How a new version differs from the one before, as far as rights see it. */
export type Difference = {
  readonly added: readonly VisibilityCode[];
  readonly removed: readonly VisibilityCode[];
  /** Whether any other attribute changes. */
  readonly other: boolean;
};

export function differenceOf(before: DocumentEntry, draft: EntryDraft): Difference {
  const had = visibilityOf(before.confidentialityCodes);
  const wanted = visibilityOf(draft.confidentialityCodes ?? []);
  return {
    added: wanted.filter((code) => !had.includes(code)),
    removed: had.filter((code) => !wanted.includes(code)),
    other: attributesOf(before) !== attributesOf(draft),
  };
}

/**
 * The attributes that a source chooses, in one text. Not among them: what the registry sets, visibility codes, the order of lists, the displays
 * of codes and the language of texts, which never decide.
 */
function attributesOf(entry: Omit<EntryDraft, 'id'>): string {
  return JSON.stringify([
    entry.documentAvailability ?? 'online',
    entry.patientId && [entry.patientId.id, entry.patientId.authority.oid],
    entry.sourcePatientId && [entry.sourcePatientId.id, entry.sourcePatientId.authority.oid],
    listed(entry.sourcePatientInfo),
    entry.mimeType,
    entry.title?.value,
    entry.comments?.value,
    entry.languageCode,
    entry.creationTime,
    entry.serviceStartTime,
    entry.serviceStopTime,
    entry.repositoryUniqueId,
    entry.uri,
    entry.homeCommunityId,
    coded([entry.classCode]),
    coded([entry.typeCode]),
    coded([entry.formatCode]),
    coded([entry.healthcareFacilityTypeCode]),
    coded([entry.practiceSettingCode]),
    coded(entry.confidentialityCodes?.filter(({ system }) => system !== visibilitySystem)),
    coded(entry.eventCodes),
    listed(entry.authors),
    listed(entry.legalAuthenticator && [entry.legalAuthenticator]),
    listed(entry.referenceIds),
    listed(entry.extra),
  ]);
}

function coded(codes: readonly (Code | undefined)[] = []): readonly string[] {
  return codes.map((code) => (code === undefined ? '' : `${code.code}^^${code.system}`)).sort();
}

/** Values in an order of their own, their fields too. */
function listed(values: readonly object[] = []): readonly string[] {
  return values.map((value) => JSON.stringify(sorted(value))).sort();
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => [name, sorted(field)]);
}
