import type { Association, EntryUuid } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import type { Surrounding } from '../surrounding.ts';
import { beforeOf, type Operation, propagates, type UpdateFacts } from './operation.ts';
import { isRepeated } from './propagation.ts';

/**
 * What comes to another patient takes along what is related to it among what comes with it, and nothing else: an association that propagation
 * would draw between it and something current that stays behind would join two patients.
 * IHE Metadata Update 3.57.4.1.3 (patient ID reconciliation).
 */
export function unreconciled(operations: readonly Operation[], { arriving: { around } }: UpdateFacts): Problem[] {
  if (around.associations.length === 0) return [];
  const versions = operations.filter((o) => o.kind === 'entry' || o.kind === 'folder').filter(propagates);
  const coming = new Map(versions.map((version) => [beforeOf(version), version] as const));
  const next = new Map([...coming].map(([before, { draft }]) => [before, draft.id] as const));
  return around.associations
    .filter((association) => isRepeated(association, next, around))
    .flatMap(({ source, target }) => {
      const left = [source, target].find((end) => !coming.has(end));
      const object = (coming.get(source) ?? coming.get(target))?.draft.id ?? '';
      if (left === undefined || !isApproved(left, around)) return [];
      const detail = 'AssociationPropagation is on, and it stays behind';
      return [problem('patientNotReconciled', { attribute: 'an association', object, value: left, detail })];
    });
}

/** The associations between two objects that come along. `next` names their new versions by the ones before. */
export function comingAlong(next: ReadonlyMap<EntryUuid, EntryUuid>, around: Surrounding): readonly Association[] {
  return around.associations.filter(({ source, target }) => next.has(source) && next.has(target));
}

function isApproved(name: EntryUuid, { documents, folders }: Surrounding): boolean {
  return (documents.get(name)?.entry ?? folders.get(name))?.status === 'approved';
}
