import type { Association, EntryUuid, Folder } from './document.ts';
import type { RecordId } from './record.ts';
import type { Target } from './rules/facts.ts';

/** A registered document; `latest` when no later version of it is registered; `from`: its record, where that is another than the one of the change. */
export type Known = Target & { readonly latest: boolean; readonly from?: RecordId };

/** What is registered around some documents, whatever a caller sees of it: for the side effects of a change, never for an answer. */
export type Surrounding = {
  /** Associations of every one of the documents. */
  readonly associations: readonly Association[];
  /** Folders that hold one of the documents, all of their versions that do. */
  readonly folders: ReadonlyMap<EntryUuid, Folder>;
  /** The documents themselves, and those that were reached from them. */
  readonly documents: ReadonlyMap<EntryUuid, Known>;
};
