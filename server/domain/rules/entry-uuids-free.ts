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
  const names = new Set([
    ...[...sets, ...entries, ...folders, ...associations].map(({ id }) => nameOf(id)),
    ...[...entries, ...folders].flatMap(({ logicalID }) => (logicalID === undefined ? [] : [nameOf(logicalID)])),
  ]);
  return [...names].filter((name) => taken.has(name)).map((value) => problem('entryUuidInUse', { value }));
}
