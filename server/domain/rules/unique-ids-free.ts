import type { EntryDraft, Submission } from '../document.ts';
import { type Problem, type ProblemName, problem } from '../error.ts';
import { type HeldUniqueId, nameOf, type ReceivedFacts, type RegistryFacts } from './facts.ts';

/**
 * No uniqueId is registered already, not even with the same bytes. Another content under a known uniqueId is told as such.
 * IHE ITI TF-3 table 4.2.4.1-2 (XDSDuplicateUniqueIdInRegistry, XDSNonIdenticalHash, XDSNonIdenticalSize).
 */
export function uniqueIdsFree({ sets, entries, folders }: Submission, { held, documents }: RegistryFacts): Problem[] {
  const received = new Map(documents.map((document) => [nameOf(document.id), document]));
  const used = (kind: string) => (draft: { readonly id: string; readonly uniqueId?: string }) =>
    draft.uniqueId !== undefined && held.has(draft.uniqueId)
      ? [problem('uniqueIdInUse', { object: draft.id, value: draft.uniqueId, detail: kind })]
      : [];
  return [
    ...sets.flatMap(used('SubmissionSet')),
    ...folders.flatMap(used('Folder')),
    ...entries.flatMap((entry) => usedByEntry(entry, held.get(entry.uniqueId ?? ''), received.get(nameOf(entry.id)))),
  ];
}

function usedByEntry(
  { id, uniqueId }: EntryDraft,
  holders: readonly HeldUniqueId[] | undefined,
  document: ReceivedFacts | undefined,
): Problem[] {
  if (uniqueId === undefined || holders === undefined) return [];
  const name = clash(holders, document);
  return [problem(name, { object: id, value: uniqueId, detail: 'DocumentEntry' })];
}

function clash(holders: readonly HeldUniqueId[], document: ReceivedFacts | undefined): ProblemName {
  const [first, ...more] = holders;
  if (first?.kind !== 'document' || more.length > 0 || first.hash === undefined || document === undefined)
    return 'uniqueIdInUse';
  if (first.hash !== document.sha1) return 'nonIdenticalHash';
  return first.size === document.size ? 'uniqueIdInUse' : 'nonIdenticalSize';
}
