import type { Submission } from '../document.ts';
import { type Problem, problem } from '../error.ts';
import { nameOf } from './facts.ts';

/** Every entry and folder of the message, and every membership in a folder, belongs to the submission set. IHE ITI TF-3 4.2.1.4. */
export function membersOfSet({ sets, entries, folders, associations }: Submission): Problem[] {
  const owners = new Set(sets.map(({ id }) => nameOf(id)));
  const memberships = associations.filter(({ type }) => type === 'HasMember');
  const isOfSet = (source: string | undefined) => source !== undefined && owners.has(nameOf(source));
  const members = new Set(
    memberships.flatMap(({ source, target }) => (isOfSet(source) && target !== undefined ? [nameOf(target)] : [])),
  );
  const ofFolders = memberships.filter(({ source }) => source !== undefined && !isOfSet(source));
  return [...entries, ...folders, ...ofFolders]
    .filter(({ id }) => !members.has(nameOf(id)))
    .map(({ id }) => problem('entryNotInSet', { object: id }));
}
