import type {
  Association,
  DocumentEntry,
  EntryDraft,
  EntryUuid,
  Folder,
  Submission,
  SubmissionSet,
} from './document.ts';
import {
  member,
  type Naming,
  naming,
  need,
  newUuid,
  registeredAssociation,
  registeredEntry,
  registeredFolder,
  registeredSet,
} from './registered.ts';
import { nameOf, type RegistryFacts } from './rules/facts.ts';
import type { Surrounding } from './surrounding.ts';

/** What becomes registered, and what it does to objects that are registered already. */
export type Acceptance = {
  readonly set: SubmissionSet;
  readonly entries: readonly DocumentEntry[];
  /** Folders that the message creates. */
  readonly folders: readonly Folder[];
  readonly associations: readonly Association[];
  /** Registered documents that become deprecated: those replaced, and what transforms or completes them, and so on. */
  readonly deprecated: readonly EntryUuid[];
  /** Registered documents that must still be approved when this is written, the deprecated ones included. */
  readonly approved: readonly EntryUuid[];
  /** Registered folders that receive a document: they must still be approved, and their lastUpdateTime is now. */
  readonly touched: readonly EntryUuid[];
};

export type AcceptFacts = Pick<RegistryFacts, 'documents' | 'targets' | 'folders'> & {
  /** What is registered around the targets, whatever the caller sees of it. */
  readonly around: Surrounding;
  /** The repository of the documents; absent: the one that each entry names. */
  readonly repositoryUniqueId?: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** A new UUID, lower case, without prefix. */
  readonly newId: () => string;
};

/**
 * Turns a submission that the rules let pass into registered objects: symbolic ids become UUIDs wherever they stand, given UUIDs stay;
 * first versions, approved; hash and size of the bytes where they came along. A replacement deprecates its target with what transforms
 * or completes it, and takes its place in current folders. IHE ITI TF-2 3.41.4.1.3, 3.42.4.1.3; TF-3 4.2.2.2.
 * @throws TypeError for a submission that the rules refuse.
 */
export function accept(submission: Submission, facts: AcceptFacts): Acceptance {
  const uuidOf = naming(facts.newId);
  const [draft] = submission.sets;
  const set = registeredSet(need(draft, 'submission set'), uuidOf);
  const entries = submission.entries.map((entry) => firstVersion(entry, uuidOf, facts));
  const folders = submission.folders.map((folder) =>
    registeredFolder(
      folder,
      uuidOf,
      { logicalID: uuidOf(folder.logicalID ?? folder.id), version: 1, status: 'approved' },
      facts.now,
    ),
  );
  const sent = submission.associations.map((association) => registeredAssociation(association, uuidOf));
  const associations = [...sent, ...inFoldersOfReplaced(sent, set, facts)];
  const replaced = sent.filter(replaces).map(({ target }) => target);
  const deprecated = withDependents(replaced, facts.around);
  const bound = sent.map(({ target }) => target);
  const approved = [...new Set([...deprecated, ...bound.filter((target) => facts.targets.has(target))])];
  const filled = associations.filter(({ type }) => type === 'HasMember').map(({ source }) => source);
  const registered = (folder: EntryUuid) => facts.folders.has(folder) || facts.around.folders.has(folder);
  const touched = [...new Set(filled)].filter(registered);
  return { set, entries, folders, associations, deprecated, approved, touched };
}

/** An entry as it was sent where no bytes came along, else with their hash and size. */
function firstVersion(
  draft: EntryDraft,
  uuidOf: Naming,
  { documents, repositoryUniqueId }: AcceptFacts,
): DocumentEntry {
  const { id, logicalID } = draft;
  const document = documents.find((received) => nameOf(received.id) === nameOf(id));
  const isStable = draft.objectType === 'stable';
  return registeredEntry(draft, uuidOf, {
    logicalID: uuidOf(logicalID ?? id),
    version: 1,
    status: 'approved',
    repositoryUniqueId: need(repositoryUniqueId ?? draft.repositoryUniqueId, 'repositoryUniqueId'),
    ...(isStable && {
      hash: need(document?.sha1 ?? draft.hash?.toLowerCase(), 'document'),
      size: need(document?.size ?? draft.size, 'document'),
    }),
  });
}

function replaces({ type }: Association): boolean {
  return type === 'RPLC' || type === 'XFRM_RPLC';
}

/**
 * The replaced documents, and whatever transforms or completes one of them, or one of those in turn: it is out of date with it.
 * IHE ITI TF-3 4.2.2.2.1.
 */
function withDependents(replaced: readonly EntryUuid[], { associations, documents }: Surrounding): EntryUuid[] {
  const found = new Set(replaced);
  for (const document of found)
    for (const { type, source, target, status } of associations)
      if (target === document && status === 'approved' && (type === 'XFRM' || type === 'APND'))
        if (documents.get(source)?.entry.status === 'approved') found.add(source);
  return [...found];
}

/** A replacement is put into every current folder that holds its target, as its submission set records. IHE ITI TF-2 3.42.4.1.3.5. */
function inFoldersOfReplaced(
  sent: readonly Association[],
  set: SubmissionSet,
  { around: { associations, folders }, newId }: AcceptFacts,
): Association[] {
  const held = new Set(sent.filter(({ type }) => type === 'HasMember').map((a) => `${a.source} ${a.target}`));
  const isNew = (membership: string) => {
    const before = held.size;
    return held.add(membership).size > before;
  };
  return sent.filter(replaces).flatMap(({ source: entry, target: old }) =>
    associations
      .filter((a) => a.type === 'HasMember' && a.status === 'approved' && a.target === old)
      .filter((a) => folders.get(a.source)?.status === 'approved' && isNew(`${a.source} ${entry}`))
      .flatMap(({ source: folder }) => {
        const membership = member(folder, entry, newUuid(newId));
        return [membership, member(set.entryUUID, membership.entryUUID, newUuid(newId))];
      }),
  );
}
