import type { EntryDraft, Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { type HeldUniqueId, nameOf, type RegistryFacts } from './facts.ts';

/** The bytes of a document, by what tells them apart. */
type Bytes = { readonly hash?: string | undefined; readonly size?: number | undefined };

/**
 * No uniqueId is registered already; where the domain does not take the same bytes again, not even with them. Another content under a known
 * uniqueId is told as such; on-demand entries may share one (3.61.4.1.3). So is a document that bears the
 * name of a set or folder. IHE ITI TF-2 3.42.4.1.3.3.1; TF-3 table 4.2.4.1-2.
 */
export function uniqueIdsFree({ sets, entries, folders }: Submission, facts: RegistryFacts): Problem[] {
  const { held, documents, domain } = facts;
  const received = new Map(documents.map(({ id, sha1, size }) => [nameOf(id), { hash: sha1, size }]));
  const used = (kind: string) => (draft: { readonly id: string; readonly uniqueId?: string }) =>
    draft.uniqueId !== undefined && held.has(draft.uniqueId)
      ? [problem('uniqueIdInUse', { object: draft.id, value: draft.uniqueId, detail: kind })]
      : [];
  return [
    ...sets.flatMap(used('SubmissionSet')),
    ...folders.flatMap(used('Folder')),
    ...entries.flatMap((entry) =>
      usedByEntry(
        entry,
        held.get(entry.uniqueId ?? '') ?? [],
        received.get(nameOf(entry.id)) ?? { hash: entry.hash?.toLowerCase(), size: entry.size },
        domain.sameBytesAgain === 'accepted',
      ),
    ),
  ];
}

function usedByEntry(
  { id, uniqueId: value, objectType }: EntryDraft,
  holders: readonly HeldUniqueId[],
  bytes: Bytes,
  sameBytesAgain: boolean,
): Problem[] {
  if (value === undefined || holders.length === 0) return [];
  const other = holders.find(({ kind }) => kind !== 'document');
  if (other !== undefined) return [problem('uniqueIdOfAnotherKind', { object: id, value, detail: other.kind })];
  if (objectType === 'onDemand' && holders.every(({ hash }) => hash === undefined)) return [];
  const about = { object: id, value, detail: 'DocumentEntry' };
  const isKnown = bytes.hash !== undefined && holders.every(({ hash }) => hash !== undefined);
  if (isKnown && holders.some(({ hash }) => hash !== bytes.hash)) return [problem('nonIdenticalHash', about)];
  if (isKnown && holders.some(({ size }) => size !== bytes.size)) return [problem('nonIdenticalSize', about)];
  return isKnown && sameBytesAgain ? [] : [problem('uniqueIdInUse', about)];
}
