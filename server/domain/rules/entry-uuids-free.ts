import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { nameOf, type RegistryFacts } from './facts.ts';

/**
 * UUIDs that the source gives to its objects are new, as are logicalIDs: a new version of a registered object is no new document.
 * IHE ITI TF-3 4.2.3.1.5; IHE Metadata Update.
 */
export function entryUuidsFree(
  { sets, entries, folders, associations }: Submission,
  { taken }: RegistryFacts,
): Problem[] {
  const objects = new Map([
    ...[...entries, ...folders].flatMap(({ id, logicalID }) =>
      logicalID === undefined ? [] : [[nameOf(logicalID), id] as const],
    ),
    ...[...sets, ...entries, ...folders, ...associations].map(({ id }) => [nameOf(id), id] as const),
  ]);
  return [...objects]
    .filter(([name]) => taken.has(name))
    .map(([value, object]) => problem('entryUuidInUse', { object, value }));
}
