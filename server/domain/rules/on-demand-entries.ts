import type { EntryDraft, Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';

/** On-demand entries alone, which say nothing of bytes that are not there yet. IHE ITI TF-2 3.61.4.1.2; TF-3 table 4.3.1-3. */
export function onDemandEntries({ entries }: Submission): Problem[] {
  return entries.flatMap((entry) => [
    ...(entry.objectType === 'stable' ? [problem('objectTypeNotHere', { object: entry.id })] : []),
    ...(entry.repositoryUniqueId === undefined
      ? [problem('attributeMissing', { attribute: 'repositoryUniqueId', object: entry.id })]
      : []),
    ...saidOfBytes(entry),
  ]);
}

/** What an entry says of bytes, which an on-demand document does not have. IHE ITI TF-3 table 4.3.1-3. */
export function saidOfBytes({ id, creationTime, hash, size, documentAvailability }: EntryDraft): Problem[] {
  return Object.entries({ creationTime, hash, size, documentAvailability })
    .filter(([, value]) => value !== undefined)
    .map(([attribute, value]) =>
      problem('attributeForbidden', {
        attribute,
        object: id,
        value: String(value),
        detail: 'an on-demand document has none before it is retrieved',
      }),
    );
}
