import type {
  Association,
  AssociationDraft,
  AvailabilityStatus,
  DocumentEntry,
  EntryDraft,
  EntryUuid,
  Folder,
  FolderDraft,
} from '../document.ts';
import type { RecordId } from '../record.ts';
import type { RegistryFacts } from '../rules/facts.ts';
import type { Known, Surrounding } from '../surrounding.ts';

/** A registered folder; `own` when the caller filed the set that created it; `from` as that of a document. */
export type KnownFolder = {
  readonly folder: Folder;
  readonly latest: boolean;
  readonly own: boolean;
  readonly from?: RecordId;
};

/** Latest versions in other patients' records, of which the message brings the next ones to this record's patient. */
export type Arriving = {
  /** By logicalID. */
  readonly entries: ReadonlyMap<EntryUuid, Known>;
  readonly folders: ReadonlyMap<EntryUuid, KnownFolder>;
  /** What is registered around them there. */
  readonly around: Surrounding;
};

/** What the registry knows of the things that an update names. Whatever does not exist for the caller is not among them. */
export type UpdateFacts = Omit<RegistryFacts, 'targets' | 'folders' | 'associations'> & {
  readonly repositoryUniqueId: string;
  /** Named documents and all versions of named entries. */
  readonly entries: ReadonlyMap<EntryUuid, Known>;
  /** Likewise. */
  readonly folders: ReadonlyMap<EntryUuid, KnownFolder>;
  /** Named associations. */
  readonly associations: ReadonlyMap<EntryUuid, Association>;
  /** What is registered around all of them, whatever the caller sees of it. */
  readonly around: Surrounding;
  readonly arriving: Arriving;
};

/** The status of an object from now on; an association is of whoever wrote its source. `object` is the name by which the message calls it. */
type NewStatus<T, S> = { readonly object: string; readonly of: T; readonly from: S; readonly to: S };
type TwoStates = 'approved' | 'deprecated';

/** One end of a submitted association: a new version of the message, by its id there, or a registered object. */
export type SubmittedEnd =
  | { readonly kind: 'document'; readonly entry: DocumentEntry | EntryDraft; readonly own: boolean }
  | { readonly kind: 'folder'; readonly folder: Folder | FolderDraft };

/** What an update asks for: each object of the message but the set and its members is exactly one. IHE Metadata Update 3.57.4.1.3. */
export type Operation =
  | {
      readonly kind: 'entry';
      readonly draft: EntryDraft;
      readonly before: Known;
      /** The HasMember of the set. */
      readonly member: AssociationDraft;
    }
  | {
      readonly kind: 'folder';
      readonly draft: FolderDraft;
      readonly before: KnownFolder;
      readonly member: AssociationDraft;
    }
  | ({ readonly kind: 'entryStatus' } & NewStatus<Known, AvailabilityStatus>)
  | ({ readonly kind: 'folderStatus' } & NewStatus<KnownFolder, TwoStates>)
  | ({ readonly kind: 'associationStatus'; readonly own: boolean } & NewStatus<Association, TwoStates>)
  | {
      readonly kind: 'association';
      readonly draft: AssociationDraft;
      readonly source: SubmittedEnd;
      readonly target: SubmittedEnd;
    };

export type OperationOf<K extends Operation['kind']> = Extract<Operation, { kind: K }>;

/** An operation that brings a new version. */
export type NewVersion = OperationOf<'entry'> | OperationOf<'folder'>;

/** The name of the version before. */
export function beforeOf({ kind, before }: NewVersion): EntryUuid {
  return kind === 'entry' ? before.entry.entryUUID : before.folder.entryUUID;
}

/** Whether associations of the version before are repeated on the new one; so it is unless the source says no. */
export function propagates({ member }: NewVersion): boolean {
  return member.associationPropagation !== false;
}

/** The latest version of an entry. */
export function latestEntry({ entries, arriving }: UpdateFacts, logicalID: string): Known | undefined {
  return (
    [...entries.values()].find(({ latest, entry }) => latest && entry.logicalID === logicalID) ??
    arriving.entries.get(logicalID)
  );
}

export function latestFolder(
  { folders, arriving }: Pick<UpdateFacts, 'folders'> & Partial<Pick<UpdateFacts, 'arriving'>>,
  logicalID: string,
): KnownFolder | undefined {
  return (
    [...folders.values()].find(({ latest, folder }) => latest && folder.logicalID === logicalID) ??
    arriving?.folders.get(logicalID)
  );
}
