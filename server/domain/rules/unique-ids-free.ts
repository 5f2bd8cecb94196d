import type { AffinityDomain } from '../affinity-domain.ts';
import type { EntryDraft, Submission } from '../document.ts';
import { type Problem, type ProblemName, problem } from '../error.ts';
import { type HeldUniqueId, nameOf, type ReceivedFacts, type RegistryFacts } from './facts.ts';

/**
 * No uniqueId is registered already; where the domain does not take the same bytes again, not even with them. Another content under a known
 * uniqueId is told as such. IHE ITI TF-3 table 4.2.4.1-2 (XDSDuplicateUniqueIdInRegistry, XDSNonIdenticalHash, XDSNonIdenticalSize).
 */
export function uniqueIdsFree({ sets, entries, folders }: Submission, facts: RegistryFacts): Problem[] {
  const { held, documents, domain } = facts;
  const received = new Map(documents.map((document) => [nameOf(document.id), document]));
  const used = (kind: string) => (draft: { readonly id: string; readonly uniqueId?: string }) =>
    draft.uniqueId !== undefined && held.has(draft.uniqueId)
      ? [problem('uniqueIdInUse', { object: draft.id, value: draft.uniqueId, detail: kind })]
      : [];
  return [
    ...sets.flatMap(used('SubmissionSet')),
    ...folders.flatMap(used('Folder')),
    ...entries.flatMap((entry) =>
      usedByEntry(entry, held.get(entry.uniqueId ?? ''), received.get(nameOf(entry.id)), domain.sameBytesAgain),
    ),
  ];
}

function usedByEntry(
  { id, uniqueId }: EntryDraft,
  holders: readonly HeldUniqueId[] | undefined,
  document: ReceivedFacts | undefined,
  sameBytesAgain: AffinityDomain['sameBytesAgain'],
): Problem[] {
  if (uniqueId === undefined || holders === undefined) return [];
  if (sameBytesAgain === 'accepted' && holders.every((holder) => isSameDocument(holder, document))) return [];
  const name = clash(holders, document);
  return [problem(name, { object: id, value: uniqueId, detail: 'DocumentEntry' })];
}

function isSameDocument({ kind, hash, size }: HeldUniqueId, document: ReceivedFacts | undefined): boolean {
  return kind === 'document' && hash !== undefined && hash === document?.sha1 && size === document.size;
}

function clash(holders: readonly HeldUniqueId[], document: ReceivedFacts | undefined): ProblemName {
  const [first, ...more] = holders;
  if (first?.kind !== 'document' || more.length > 0 || first.hash === undefined || document === undefined)
    return 'uniqueIdInUse';
  if (first.hash !== document.sha1) return 'nonIdenticalHash';
  return first.size === document.size ? 'uniqueIdInUse' : 'nonIdenticalSize';
}
