import type { Association, EntryUuid } from '../document.ts';
import { member, newUuid } from '../registered.ts';
import type { Surrounding } from '../surrounding.ts';

/**
 * Repeats on new versions what held for those before: their memberships in current folders and their relationships, all filed by the set of
 * the update. An end of which another new version comes is its new version; one that is out of date is left where it is.
 * `next` names the new version by the one before; what is `sent` is not said again. IHE Metadata Update 3.57.4.1.3 (association propagation).
 */
export function propagated(
  next: ReadonlyMap<EntryUuid, EntryUuid>,
  set: EntryUuid,
  around: Surrounding,
  newId: () => string,
  sent: readonly Association[] = [],
): Association[] {
  const said = new Set(sent.map(meaningOf));
  return around.associations
    .filter((association) => isRepeated(association, next, around))
    .flatMap((association) => {
      const { source, target } = association;
      const repeated = { ...association, source: next.get(source) ?? source, target: next.get(target) ?? target };
      if (said.has(meaningOf(repeated))) return [];
      said.add(meaningOf(repeated));
      const entryUUID = newUuid(newId);
      return [{ ...repeated, entryUUID }, member(set, entryUUID, newUuid(newId))];
    });
}

function meaningOf({ type, source, target }: Association): string {
  return `${type} ${source} ${target}`;
}

/** Whether an association holds for the new versions too. `next` names them by the ones before. */
export function isRepeated(
  { type, source, target, status }: Association,
  next: ReadonlyMap<EntryUuid, EntryUuid>,
  { folders, documents }: Surrounding,
): boolean {
  if (status !== 'approved' || !(next.has(source) || next.has(target))) return false;
  const isUpToDate = (name: EntryUuid) => next.has(name) || documents.get(name)?.latest === true;
  if (type !== 'HasMember') return isUpToDate(source) && isUpToDate(target);
  const isCurrent = next.has(source) ? folders.has(source) : folders.get(source)?.status === 'approved';
  return isCurrent && (next.has(target) || documents.get(target)?.entry.status === 'approved');
}
