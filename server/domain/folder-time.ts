import { type Association, type DocumentEntry, type EntryUuid, visibilityOf } from './document.ts';

/**
 * Whether a registered folder receives anything that is not hidden from somebody. One that only hidden documents come into keeps its
 * lastUpdateTime, by which others would learn of them.
 * @param documents those that the associations name, as far as they are known
 */
export function growsInSight(
  folder: EntryUuid,
  associations: readonly Association[],
  documents: readonly DocumentEntry[],
): boolean {
  const hidden = new Set(
    documents.flatMap(({ entryUUID, confidentialityCodes }) =>
      visibilityOf(confidentialityCodes).length > 0 ? [entryUUID] : [],
    ),
  );
  return associations.some(
    ({ type, source, target }) => type === 'HasMember' && source === folder && !hidden.has(target),
  );
}
