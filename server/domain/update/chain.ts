import {
  type AssociationDraft,
  type EntryDraft,
  type EntryUuid,
  visibilityCode,
  visibilityOf,
  visibilitySystem,
} from '../document.ts';
import type { Known, Surrounding } from '../surrounding.ts';
import type { OperationOf } from './operation.ts';

type EntryOperation = OperationOf<'entry'>;

/** Relationships that make a chain of one document over time. */
export const replacements = ['RPLC', 'XFRM_RPLC'] as const;

/**
 * What masking or unmasking one document asks of the others of its replacement chain: new versions of their latest ones, with or without
 * MASQUE_PS. Otherwise the mask would hide a document and show what it replaced. Access policy, changes (mask, unmask).
 */
export function maskedWith(
  operations: readonly EntryOperation[],
  set: string,
  around: Surrounding,
  newId: () => string,
): EntryOperation[] {
  const done = new Set(operations.map(({ before }) => before.entry.logicalID));
  return operations.flatMap((operation) => {
    const masks = isMasked(operation.draft);
    if (masks === isMasked(operation.before.entry)) return [];
    return chainOf(operation.before.entry.entryUUID, around)
      .filter(({ entry }) => isMasked(entry) !== masks && !done.has(entry.logicalID))
      .map((before) => {
        done.add(before.entry.logicalID);
        return remasked(before, masks, set, newId);
      });
  });
}

/** The latest versions of all entries that are joined with one by replacements, in any number of steps. */
function chainOf(start: EntryUuid, { associations, documents }: Surrounding): Known[] {
  const lines = new Set<string>();
  const reached = new Set([start]);
  for (const name of reached) {
    const line = documents.get(name)?.entry.logicalID;
    if (line === undefined) continue;
    lines.add(line);
    for (const { entry } of documents.values()) if (entry.logicalID === line) reached.add(entry.entryUUID);
    for (const { type, source, target } of associations)
      if (type === 'RPLC' || type === 'XFRM_RPLC') {
        if (source === name) reached.add(target);
        if (target === name) reached.add(source);
      }
  }
  return [...documents.values()].filter(({ entry, latest }) => latest && lines.has(entry.logicalID));
}

function isMasked({ confidentialityCodes = [] }: Pick<EntryDraft, 'confidentialityCodes'>): boolean {
  return visibilityOf(confidentialityCodes).includes('MASQUE_PS');
}

function remasked(before: Known, masks: boolean, set: string, newId: () => string): EntryOperation {
  const id = `urn:uuid:${newId()}`;
  const { entryUUID: _name, ...rest } = before.entry;
  const kept = rest.confidentialityCodes.filter(
    ({ code, system }) => code !== 'MASQUE_PS' || system !== visibilitySystem,
  );
  const confidentialityCodes = masks ? [...kept, visibilityCode('MASQUE_PS')] : kept;
  const member: AssociationDraft = {
    id: `urn:uuid:${newId()}`,
    type: 'HasMember',
    source: set,
    target: id,
    submissionSetStatus: 'Original',
    previousVersion: String(before.entry.version),
  };
  return { kind: 'entry', draft: { ...rest, id, confidentialityCodes }, before, member };
}
