import type { AssociationDraft, EntryDraft, Folder, FolderDraft, SetDraft, Submission } from '../document.ts';
import { nameOf, type RegistryFacts, type Target } from './facts.ts';

/** What an association can point to: an object of the message, or a registered one. */
export type End =
  | { readonly kind: 'set'; readonly set: SetDraft }
  | { readonly kind: 'entry'; readonly entry: EntryDraft }
  | { readonly kind: 'folder'; readonly folder: FolderDraft }
  | { readonly kind: 'association'; readonly association: AssociationDraft }
  | { readonly kind: 'registeredEntry'; readonly target: Target }
  | { readonly kind: 'registeredFolder'; readonly folder: Folder }
  | { readonly kind: 'registeredSet' | 'registeredAssociation' };

/** An association with what its ends name; an end is undefined when it names nothing that is known to the caller. */
export type Resolved = {
  readonly association: AssociationDraft;
  readonly source: End | undefined;
  readonly target: End | undefined;
};

/** Resolves the ends of every association of the message. IHE ITI TF-3 4.2.2. */
export function resolve(
  submission: Submission,
  { targets, folders, others }: Pick<RegistryFacts, 'targets' | 'folders' | 'others'>,
): Resolved[] {
  const own = new Map<string, End>([
    ...submission.associations.map(
      (association) => [nameOf(association.id), { kind: 'association', association }] as const,
    ),
    ...submission.folders.map((folder) => [nameOf(folder.id), { kind: 'folder', folder }] as const),
    ...submission.entries.map((entry) => [nameOf(entry.id), { kind: 'entry', entry }] as const),
    ...submission.sets.map((set) => [nameOf(set.id), { kind: 'set', set }] as const),
  ]);
  const end = (id: string | undefined): End | undefined => {
    if (id === undefined) return undefined;
    const name = nameOf(id);
    const target = targets.get(name);
    const folder = folders.get(name);
    const other = others.get(name);
    return (
      own.get(name) ??
      (target && { kind: 'registeredEntry', target }) ??
      (folder && { kind: 'registeredFolder', folder }) ??
      (other && { kind: other })
    );
  };
  return submission.associations.map((association) => ({
    association,
    source: end(association.source),
    target: end(association.target),
  }));
}
