import type { Caller } from '../domain/actor.ts';
import type { Consent } from '../domain/consent.ts';
import type { Permit, RecordFacts } from '../domain/decision.ts';
import type { HolderFilter } from '../domain/demographics.ts';
import type { DirectoryEntry, DirectoryKind } from '../domain/directory.ts';
import type {
  Association,
  AvailabilityStatus,
  DocumentEntry,
  Folder,
  SubmissionSet,
  VisibilityCode,
} from '../domain/document.ts';
import type { AuditEvent, EventDraft } from '../domain/event.ts';
import type { Cx, Identifier } from '../domain/identifier.ts';
import type { PatientRecord, RecordId } from '../domain/record.ts';
import type { ChangeKind, Interest, Shown, SubscriptionStatus, Watched } from '../domain/subscription.ts';

export type ObjectKind = 'document' | 'submissionSet' | 'folder' | 'association';

/** Where the sealed bytes of a document lie: a place in a segment, or a file of their own. Opaque to everyone but blobs and store. */
export type ContentPlace =
  | { readonly segment: number; readonly offset: number; readonly length: number }
  | { readonly file: string; readonly length: number };

/** A document with what the store knows besides: its place in the order of arrival, and its content. */
export type StoredDocument = {
  readonly entry: DocumentEntry;
  readonly record: RecordId;
  /** Grows with every document of the store; newest first is descending. */
  readonly position: number;
  readonly registeredAt: number;
  /** SHA-256 of the bytes, hexadecimal; absent for an on-demand entry. */
  readonly sha256?: string;
  readonly content?: ContentPlace;
  /** The record whose key wraps the document's: another than `record` after a merge. */
  readonly sealedFor: RecordId;
  /** Whether the permit's viewer wrote or filed it. */
  readonly own: boolean;
  /** Whether it is the source of an association, whatever is hidden of that. */
  readonly relates: boolean;
  /** Whether no later version of the entry is registered. */
  readonly latest: boolean;
  /** Counts the states of the logical document from 1: each new version and each new status of the latest one is a state. */
  readonly revision: number;
  /** Since when it is in this state, in milliseconds. */
  readonly changedAt: number;
  /** The reader keeps this very entry: what is made of it may be kept as long as it is. */
  readonly kept?: true;
};

/** What is sealed and goes with a change set: ordinary documents inside, large ones already on disk under `file`. */
export type SealedContent = { readonly sealed: Uint8Array } | { readonly file: string; readonly length: number };

/** What a change set writes; one row, one object. An existing object of the same id is replaced where the kind says so. */
export type Row =
  /** Created or replaced. */
  | { readonly kind: 'record'; readonly record: PatientRecord }
  /** The record's own key, wrapped by the master key: created with the record. */
  | { readonly kind: 'key'; readonly record: RecordId; readonly wrapped: Uint8Array }
  /**
   * Created or replaced. What a change set puts of one group is a version of it; `form` is kept with that version and those that follow,
   * until another is given.
   */
  | { readonly kind: 'consent'; readonly consent: Consent; readonly form?: string }
  | {
      readonly kind: 'document';
      readonly entry: DocumentEntry;
      readonly registeredAt: number;
      readonly sha256?: string;
      readonly content?: SealedContent;
      /** Ids of the set's author, who counts as depositor: they are added to the entry's own authors in `owners`. */
      readonly owners: Owners;
    }
  /**
   * A new version of the entry `of`, which is its latest one so far: content, sha256 and owners are those of that version, its own authors
   * added to the owners. All versions of an entry are visible to the same viewers: to those of the latest. `from` is the record of `of` where
   * it is another than the permit's, for which a permit goes along: the earlier versions stay there with their bytes, and the new one has
   * `content`, sealed for its own record, or what an earlier version left here.
   */
  | {
      readonly kind: 'version';
      readonly entry: DocumentEntry;
      readonly of: string;
      readonly registeredAt: number;
      readonly from?: RecordId;
      readonly content?: SealedContent;
    }
  | { readonly kind: 'submissionSet'; readonly set: SubmissionSet; readonly owners: Owners }
  /** `from`: the record of the version before where it is another than the permit's, for which a permit goes along. */
  | { readonly kind: 'folder'; readonly folder: Folder; readonly from?: RecordId }
  | { readonly kind: 'association'; readonly association: Association }
  /** Changes the status of a registered document; `at` in milliseconds, absent: the time of the change set's first event. */
  | { readonly kind: 'status'; readonly document: string; readonly status: AvailabilityStatus; readonly at?: number }
  /** Changes what is given of a registered folder. */
  | {
      readonly kind: 'folderState';
      readonly folder: string;
      readonly status?: Folder['status'];
      readonly lastUpdateTime?: Folder['lastUpdateTime'];
    }
  /** Changes the status of a registered association. */
  | { readonly kind: 'associationState'; readonly association: string; readonly status: Association['status'] }
  /**
   * All that the subsumed record holds becomes the permit's record's: documents, sets, folders, associations, events, jobs, subscriptions; its documents, sets
   * and folders show this patientId. Its own row is replaced by what is given, which names nobody. With permits of `feedIdentities` alone.
   */
  | { readonly kind: 'merge'; readonly subsumed: PatientRecord; readonly patientId: Cx }
  /** Documents, sets and folders that show one of these identifiers show this patientId. */
  | { readonly kind: 'patientId'; readonly of: readonly Identifier[]; readonly patientId: Cx }
  /**
   * A registered object is no more: its names are free again. Of a document's versions that are left, the last one is the latest.
   * Traces go on hiding its name from those who did not see it.
   */
  | { readonly kind: 'remove'; readonly object: ObjectKind; readonly name: string }
  /** The bytes of a registered document, of all its versions, are here no more; what is known of it stays. */
  | { readonly kind: 'removeContent'; readonly document: string }
  /**
   * Destroys the key of the record, and of the records merged into it: their documents are unreadable for ever. Subscriptions to the record
   * are no more.
   */
  | { readonly kind: 'destroyKey'; readonly record: RecordId }
  /** Bytes that came before the document they are of; of no record. */
  | { readonly kind: 'staged'; readonly staged: Staged }
  /** They have become a document, or are given up: nobody finds them any more. Of no record. */
  | { readonly kind: 'unstaged'; readonly id: string }
  /**
   * Created, or replaced where it stands at `at`; of no record. Changes are kept for it from its creation, and from `restart`, on. What it has told besides is added to its log,
   * of which the latest `loggedNotices` stay.
   */
  | {
      readonly kind: 'subscription';
      readonly subscription: Subscription;
      readonly told?: readonly Notice[];
      readonly restart?: true;
    }
  /** It is no more, nor is its log. Of no record. */
  | { readonly kind: 'unsubscribe'; readonly id: string };

/** How many of its notices a subscription can repeat. */
export const loggedNotices = 1000;

/**
 * Bytes that wait to become a document: on disk, sealed, with the header of the file here and not there, its key wrapped by one that goes with
 * it. `owner` alone may name them, before `until` (milliseconds). `size` in bytes, unsealed; hashes hexadecimal.
 */
export type Staged = {
  readonly id: string;
  readonly owner: string;
  readonly until: number;
  readonly contentType: string;
  readonly size: number;
  readonly sha1: string;
  readonly sha256: string;
  readonly content: StagedContent;
  /** The wrapped key that opens `content.header`, in base64. */
  readonly key: string;
};

/** Sealed bytes in a file of their own that no record's key opens yet; `header` in base64. */
export type StagedContent = { readonly file: string; readonly length: number; readonly header: string };

/**
 * Somebody waits for changes, of one record or of all. Nothing clinical; the filter is what the subscriber asked for, whose caller is judged again
 * before each notification.
 */
export type Subscription = {
  readonly id: string;
  /** Counts what the subscriber made of it, from 1. */
  readonly version: number;
  readonly changedAt: number;
  /** The actor, by `nameOfActor`. */
  readonly owner: string;
  readonly caller: Caller;
  /** Absent: all records. */
  readonly record?: RecordId;
  readonly interest: Interest;
  readonly filter: WatchFilter;
  readonly channel: Channel;
  readonly shown: Shown;
  /** When it ends by itself, in milliseconds. */
  readonly end?: number;
  /** The form in which it was asked for, without secrets. */
  readonly form: string;
  readonly status: SubscriptionStatus;
  /** Of notifications that failed one after the other. */
  readonly failures: number;
  /** Since when they fail. */
  readonly failingSince?: number;
  /** Why the last one did, in public words. */
  readonly error?: string;
  /** The receiver answered once: notifications may follow. */
  readonly greeted: boolean;
  /** How many events were told so far; their numbers begin at 1. */
  readonly count: number;
  /** When something was last sent, in milliseconds. */
  readonly lastSentAt?: number;
  /** The position of the last change that was looked at; a new one begins behind all that are known. */
  readonly cursor: number;
  /** When there is something to do: send, try again, a sign of life, end. Changes bring it forward while nothing fails. */
  readonly due?: number;
};
export type StoredSubscription = Subscription & {
  /** Changes with every write. */
  readonly revision: number;
};

/** One of the fields, by the kind of object. */
export type WatchFilter = {
  readonly documents?: DocumentFilter;
  readonly sets?: SetFilter;
  readonly folders?: FolderFilter;
};

/** Durations in seconds. */
export type Channel = {
  readonly kind: 'rest-hook' | 'websocket';
  readonly endpoint?: string;
  /** Headers for the receiver, sealed: under a key that goes with them. */
  readonly headers?: { readonly key: string; readonly sealed: string };
  readonly heartbeat?: number;
  readonly timeout: number;
  /** Most events of one notification. */
  readonly most: number;
  /** Notifications are written in XML, not in JSON. */
  readonly xml?: true;
};

/** What became of one object in one commit, for those who wait for it. */
export type Change = {
  /** Grows with every change that is kept. */
  readonly position: number;
  readonly record: RecordId;
  readonly object: Watched;
  /** The logicalID of a document or folder, the entryUUID of a submission set. */
  readonly name: string;
  readonly kind: ChangeKind;
  /** Milliseconds. */
  readonly at: number;
  /** Of a folder that grew: the entryUUIDs of what was put in. */
  readonly members?: readonly string[];
  /** Of a document that was registered before: what decided who saw it. */
  readonly before?: { readonly codes: readonly VisibilityCode[]; readonly typeCode: string; readonly owners: Owners };
};

/** An event that a subscriber was told, by its number. */
export type Notice = Pick<Change, 'record' | 'object' | 'name' | 'kind' | 'at'> & { readonly number: number };

/** How the consents of one group stood from `at` (milliseconds) on, in the order in which they were first put. */
export type StoredConsents = {
  /** The group: the id of a form, or of a consent that stands alone. */
  readonly id: string;
  readonly record: RecordId;
  /** 1, 2, … */
  readonly version: number;
  readonly at: number;
  /** Grows with every version of the store. */
  readonly position: number;
  readonly consents: readonly Consent[];
  /** The form in which they were stated, as it was sent; empty where it was withdrawn. */
  readonly form?: string;
};

/** Whose a document is: PS_IdNat of professionals, Struct_IdNat of structures; `patient` when the holder deposited it. */
export type Owners = {
  readonly professionals: readonly string[];
  readonly structures: readonly string[];
  readonly patient: boolean;
};

/** Work that is owed and done later. A commit owes notices about its record; an answer that is to be delivered is owed by itself. */
export type Job =
  | {
      readonly kind: 'notifyPatient' | 'notifyTreatingDoctor' | 'reviewEmergencyAccess';
      readonly record: RecordId;
    }
  | ({ readonly kind: 'deliverAnswer' } & Delivery);
export type JobKind = Job['kind'];

/** An answer on its way: sealed in a file of its own, under a key that goes with the job. `size` in bytes, unsealed. */
export type Delivery = {
  readonly to: string;
  readonly contentType: string;
  readonly size: number;
  readonly content: { readonly file: string; readonly length: number };
  readonly key: { readonly name: string; readonly wrapped: string };
};

/** A job as it waits. Its number is never given twice; `queuedAt` in milliseconds. */
export type QueuedJob = {
  readonly number: number;
  readonly job: Job;
  readonly queuedAt: number;
  /** How often it was tried in vain. */
  readonly attempts: number;
};

/** What must still be true when the change set is applied; otherwise nothing of it is. */
export type Expectation =
  /** No object of this kind has this entryUUID. */
  | { readonly absent: { readonly kind: ObjectKind; readonly entryUUID: string } }
  /** No document, set or folder has this uniqueId; with `unless`, documents of the same bytes, or like it without any, are no conflict. */
  | { readonly uniqueIdFree: string; readonly unless?: { readonly hash?: string; readonly size?: number } }
  /** No document, set, folder or consent is in the record. */
  | { readonly empty: RecordId }
  /** No record has one of these identifiers. */
  | { readonly insFree: readonly Identifier[] }
  /** The record (and its consents) is unchanged since it was read. */
  | { readonly recordAt: { readonly record: RecordId; readonly version: number } }
  /** The document has this status. */
  | { readonly statusIs: { readonly document: string; readonly status: AvailabilityStatus } }
  /** The folder or association has this status. */
  | {
      readonly stateIs: {
        readonly kind: 'folder' | 'association';
        readonly entryUUID: string;
        readonly status: 'approved' | 'deprecated';
      };
    }
  /** No association names one of these objects, save those that are among them, and those. */
  | { readonly unreferenced: readonly string[]; readonly save?: readonly string[] }
  /** The subscription is unchanged since it was read; undefined: there is none of this id. */
  | { readonly subscriptionAt: { readonly id: string; readonly revision: number | undefined } }
  /** These bytes still wait. */
  | { readonly staged: string }
  /** No more than so many bytes wait for this owner at that time. */
  | { readonly waiting: { readonly owner: string; readonly at: number; readonly most: number } }
  /** No event is in the trail that a partner told with this digest. */
  | { readonly untold: string }
  /** The document or folder is the latest version of its logical object. */
  | { readonly latest: { readonly kind: 'document' | 'folder'; readonly entryUUID: string } };

/** Plain data, structured-cloneable: what changes, what must hold, what is traced. */
export type ChangeSet = {
  readonly expect: readonly Expectation[];
  readonly put: readonly Row[];
  /** What is removed from other records, or changes its state there, with a permit for each: it goes with the rest or not at all. */
  readonly elsewhere?: readonly { readonly permit: Permit; readonly put: readonly Row[] }[];
  readonly events: readonly EventDraft[];
  readonly jobs: readonly Job[];
  /** A credential that serves once: refused when it was spent before. */
  readonly spend?: Spend;
};
export type Spend = { readonly key: string; readonly until: number };

export type Outcome =
  /** `awaited`: a subscription waits for something of it. */
  | { readonly done: true; readonly sequences: readonly number[]; readonly awaited?: true }
  | { readonly done: false; readonly conflicts: readonly Expectation[]; readonly spent: boolean };

/**
 * Changes. A use case hands over what changes, as data, and gets no transaction to hold: many change sets share one sync.
 */
export interface Writer {
  /**
   * Makes the whole change set visible, with its events and jobs, or nothing of it. Resolves only when it would survive a power cut;
   * change sets take effect in the order of their resolution, and a read that starts afterwards sees them.
   * A conflict names the expectations that no longer held: the caller reads again and decides again.
   * @throws StoreBusy when too many change sets wait, StoreFull when the disk is full (nothing was written, the store goes on),
   *   StoreStopped when the store was closed or has failed.
   */
  commit(permit: Permit, changes: ChangeSet): Promise<Outcome>;
  /** Writes events that change nothing: refusals, failed identifications. Same promise. No permit: nothing of a patient is read or changed. */
  note(events: readonly EventDraft[], spend?: Spend): Promise<Outcome>;
}

/** Jobs that wait. Kinds that nobody asks for wait on. Changes keep the promises of `commit`, and fail like it. */
export interface Outbox {
  add(job: Job, now: number): Promise<void>;
  /** The job is done, or given up. */
  remove(number: number): Promise<void>;
  /** The job failed once more and waits until then. */
  putOff(number: number, until: number): Promise<void>;
  /** Jobs of these kinds that are due, oldest first, `limit` at most. */
  due(kinds: readonly JobKind[], now: number, limit: number): Promise<readonly QueuedJob[]>;
  /** When the next one of these kinds falls due that is not yet. */
  nextDue(kinds: readonly JobKind[], now: number): Promise<number | undefined>;
  waiting(kind: JobKind): Promise<number>;
  /** Whether an answer that waits lies in this file: what no job names is swept. */
  isNamed(file: string): Promise<boolean>;
}

/** Bytes that wait to become documents. They come and go as rows of change sets; what ended unused is forgotten here. */
export interface Staging {
  /** Whether it has ended is the caller's to judge: the store has no clock. */
  find(id: string): Promise<Staged | undefined>;
  /** How many bytes wait for this owner until after `now`. */
  waiting(owner: string, now: number): Promise<number>;
  /** Whether bytes that wait lie in this file: what nothing names is swept. */
  isNamed(file: string): Promise<boolean>;
  /** Forgets what ended by `now`. Same promise as `commit`. */
  expire(now: number): Promise<void>;
}

/**
 * Subscriptions, and what they wait for: changes are kept from the commit that makes them until every subscription concerned has looked at
 * them; where none is concerned none is kept. Nothing here is clinical: what changed is read with a permit.
 */
export interface Subscriptions {
  find(id: string): Promise<StoredSubscription | undefined>;
  /** Of one owner, the newest first. */
  ofOwner(owner: string): Promise<readonly StoredSubscription[]>;
  /** Those that have something to do, longest first. */
  due(now: number, limit: number): Promise<readonly StoredSubscription[]>;
  nextDue(now: number): Promise<number | undefined>;
  /** What it has not looked at yet, oldest first. */
  changes(subscription: Pick<Subscription, 'id' | 'cursor' | 'record'>, limit: number): Promise<readonly Change[]>;
  /** What it told, from ≤ number ≤ to, oldest first. */
  told(id: string, from: number, to: number, limit: number): Promise<readonly Notice[]>;
  /**
   * Writes where it stands, unless somebody else wrote meanwhile, which is answered by false. Same promise as `commit`. Where changes wait that it
   * has not looked at and nothing fails, it is due at once, whatever `due` says.
   */
  advance(before: StoredSubscription, next: Subscription, told: readonly Notice[]): Promise<boolean>;
}

/** The only reads without a permit: what `decide()` needs to make one. No clinical content. */
export interface FactsReader {
  /** By any identifier of the holder, old ones included; destroyed records included. */
  recordByIdentifier(identifier: Identifier): Promise<RecordFacts | undefined>;
  recordById(id: RecordId): Promise<RecordFacts | undefined>;
  /** The record that a document belongs to, by entryUUID; by logicalID the one where it went. */
  recordOfDocument(entryUUID: string): Promise<RecordFacts | undefined>;
  /** The records that hold objects of these names, entryUUIDs or uniqueIds, each once; in the order of the names, what is newest first. */
  recordsOfObjects(names: readonly string[]): Promise<readonly RecordId[]>;
  /**
   * The records that hold versions of these objects, by logicalID or uniqueId, each once, in the order of the names. Most objects stay in one
   * record, and sets have no versions. `latest` answers those of the latest versions alone.
   */
  recordsOfVersions(names: readonly string[], which: 'latest' | 'all'): Promise<readonly RecordId[]>;
  /** The records that hold associations to these objects, each once. */
  recordsReferring(entryUUIDs: readonly string[]): Promise<readonly RecordId[]>;
  /** The record that a group of consents belongs to. */
  recordOfConsent(id: string): Promise<RecordFacts | undefined>;
  /** The record that an event belongs to. */
  recordOfEvent(sequence: number): Promise<RecordFacts | undefined>;
  /** Where in the trail an event is that a partner told, by its digest, and when it came. */
  toldEvent(digest: string): Promise<ToldPlace | undefined>;
  /** Whether a registered document lies in this file: what no commit names is swept. */
  isNamed(file: string): Promise<boolean>;
  /** Whether a record has an identifier that this authority gave. */
  isAuthority(oid: string): Promise<boolean>;
}

/** A record whose holder was found; `position` grows with every record of the store. */
export type FoundHolder = { readonly record: RecordId; readonly position: number };

/** AND of all fields that are given; a list is an OR. Codes match by code and system; a code without system (FHIR) by code alone. */
export type DocumentFilter = {
  /** Older versions of entries too, which are left out otherwise. */
  readonly allVersions?: boolean;
  readonly statuses?: readonly AvailabilityStatus[];
  /** An entry that says nothing of it is online. */
  readonly availabilities?: readonly ('online' | 'offline')[];
  readonly objectTypes?: readonly ('stable' | 'onDemand')[];
  readonly classCodes?: readonly CodeMatch[];
  readonly typeCodes?: readonly CodeMatch[];
  readonly formatCodes?: readonly CodeMatch[];
  readonly practiceSettingCodes?: readonly CodeMatch[];
  readonly healthcareFacilityTypeCodes?: readonly CodeMatch[];
  /** Each inner list is an OR; all inner lists must match. */
  readonly eventCodes?: readonly (readonly CodeMatch[])[];
  readonly confidentialityCodes?: readonly (readonly CodeMatch[])[];
  /** Patterns with `%` and `_` against the CXi text, case-sensitive. IHE ITI TF-2 3.18.4.1.2.3.7.14. */
  readonly referenceIds?: readonly (readonly string[])[];
  /** Patterns with `%` and `_` against the XCN text of each author, case-sensitive. IHE ITI TF-2 3.18.4.1.2.3.7.1. */
  readonly authorPersons?: readonly string[];
  /**
   * Half-open ranges of 14-digit DTMs: from ≤ value < to. An absent serviceStart/Stop value matches unless it must be `present`; an absent
   * creationTime, which on-demand entries have, where `orAbsent` says so.
   */
  readonly creationTime?: TimeRange & { readonly orAbsent?: true };
  readonly serviceStartTime?: TimeRange & { readonly present?: true };
  readonly serviceStopTime?: TimeRange & { readonly present?: true };
  /** Since when it is in its state, in milliseconds: from ≤ value < to. */
  readonly changedAt?: { readonly from?: number; readonly to?: number };
  /** An entry is left out when one of these fields matches it. */
  readonly exclude?: Exclusion;
};
/** The fields by which entries can be left out. */
export type Exclusion = Pick<
  DocumentFilter,
  | 'objectTypes'
  | 'classCodes'
  | 'typeCodes'
  | 'formatCodes'
  | 'practiceSettingCodes'
  | 'healthcareFacilityTypeCodes'
  | 'eventCodes'
  | 'confidentialityCodes'
  | 'referenceIds'
  | 'authorPersons'
>;
export type CodeMatch = { readonly code: string; readonly system?: string };
export type TimeRange = { readonly from?: string; readonly to?: string };

/** AND of all fields that are given; a list is an OR. */
export type SetFilter = {
  readonly entryUUIDs?: readonly string[];
  readonly uniqueIds?: readonly string[];
  readonly statuses?: readonly ('approved' | 'deprecated')[];
  readonly sourceIds?: readonly string[];
  readonly submissionTime?: TimeRange;
  /** Patterns as those of documents. */
  readonly authorPersons?: readonly string[];
  readonly contentTypeCodes?: readonly CodeMatch[];
};

/** AND of all fields that are given; a list is an OR, of `codes` each inner list. */
export type FolderFilter = {
  /** Older versions too, which are left out otherwise. */
  readonly allVersions?: boolean;
  readonly entryUUIDs?: readonly string[];
  readonly uniqueIds?: readonly string[];
  readonly logicalIDs?: readonly string[];
  readonly statuses?: readonly ('approved' | 'deprecated')[];
  readonly codes?: readonly (readonly CodeMatch[])[];
  readonly lastUpdateTime?: TimeRange;
};

/** A submission set in the order of arrival of all sets; `own`: the permit's viewer filed it. */
export type StoredSet = {
  readonly set: SubmissionSet;
  readonly record: RecordId;
  readonly position: number;
  readonly own: boolean;
};

/** A folder in the order of arrival of all folders; `latest`: no later version is registered. */
export type StoredFolder = {
  readonly folder: Folder;
  readonly record: RecordId;
  readonly position: number;
  readonly latest: boolean;
};

/** Keyset paging: `before` is the position of the last object of the page before. Newest first. */
export type PageRequest = { readonly before?: number; readonly limit: number };
/** `before` is the place of the last event of the page before. */
export type EventPageRequest = { readonly before?: EventPlace; readonly limit: number };
/** An event that a partner told: its number, and when it came, in milliseconds. */
export type ToldPlace = { readonly sequence: number; readonly receivedAt: number };
/** Where an event stands in its history: what a partner told stands at the time that it says. */
export type EventPlace = Pick<AuditEvent, 'at' | 'sequence'>;
export type Page<T> = { readonly items: readonly T[]; readonly more: boolean };

/** What a submission is checked against; concerns names only, never content. */
export type Holder = {
  readonly kind: 'document' | 'submissionSet' | 'folder';
  readonly entryUUID: string;
  readonly hash?: string;
  readonly size?: number;
};

/** Reads of patient data: each asks for a permit, applies its visibility inside the query, and touches no record but the permit's. */
export interface Reader {
  documents(permit: Permit, filter: DocumentFilter, page: PageRequest): Promise<Page<StoredDocument>>;
  countDocuments(permit: Permit, filter: DocumentFilter): Promise<number>;
  /**
   * Documents by name; those hidden, unknown or of another record are left out. Newest first. Without a filter, all versions and whatever
   * their state.
   */
  documentsByUuid(
    permit: Permit,
    entryUUIDs: readonly string[],
    filter?: DocumentFilter,
  ): Promise<readonly StoredDocument[]>;
  documentsByUniqueId(
    permit: Permit,
    uniqueIds: readonly string[],
    filter?: DocumentFilter,
  ): Promise<readonly StoredDocument[]>;
  documentsByLogicalId(
    permit: Permit,
    logicalIDs: readonly string[],
    filter?: DocumentFilter,
  ): Promise<readonly StoredDocument[]>;
  /** Every state that these logical documents were and are in, each as it was then, newest first; nothing of a hidden one. */
  history(permit: Permit, logicalIDs: readonly string[]): Promise<readonly StoredDocument[]>;
  /** Documents that the source's references name, whatever their visibility: for the checks of a submission to this record alone. */
  targets(permit: Permit, entryUUIDs: readonly string[]): Promise<readonly StoredDocument[]>;
  /** Submission sets of which the viewer sees a member, and own ones. */
  submissionSets(permit: Permit, filter: SetFilter, page: PageRequest): Promise<Page<StoredSet>>;
  /**
   * Folders of which the viewer sees a member, and empty ones; whoever sees own documents alone sees no empty ones.
   */
  foldersMatching(permit: Permit, filter: FolderFilter, page: PageRequest): Promise<Page<StoredFolder>>;
  /** The same folders by name, oldest first. */
  folders(permit: Permit, entryUUIDs: readonly string[]): Promise<readonly Folder[]>;
  /** All versions of these folders, oldest first. */
  foldersByLogicalId(permit: Permit, logicalIDs: readonly string[]): Promise<readonly Folder[]>;
  /** Associations by their own names; those with a hidden end, be it a document, a folder or an association, are left out. */
  associations(permit: Permit, entryUUIDs: readonly string[]): Promise<readonly Association[]>;
  /** The same by the name of an end. */
  associationsOf(permit: Permit, entryUUIDs: readonly string[]): Promise<readonly Association[]>;
  /**
   * For the side effects that a change has on what its author does not see, never for an answer: all versions of these entries, associations
   * that name these objects, and folders, whatever is hidden of them. To objects of this record associations of others may point too: a set may
   * refer to another patient's document.
   */
  everyVersion(permit: Permit, logicalIDs: readonly string[]): Promise<readonly StoredDocument[]>;
  everyAssociationOf(permit: Permit, entryUUIDs: readonly string[]): Promise<readonly Association[]>;
  everyFolder(permit: Permit, entryUUIDs: readonly string[]): Promise<readonly Folder[]>;
  /** Who holds these uniqueIds, in the whole store. */
  holders(permit: Permit, uniqueIds: readonly string[]): Promise<ReadonlyMap<string, readonly Holder[]>>;
  /** Which of these entryUUIDs are taken, in the whole store. */
  taken(permit: Permit, entryUUIDs: readonly string[]): Promise<ReadonlySet<string>>;
  /** What is stated in the permit's record, each group in its latest version, the one changed last first. */
  consents(permit: Permit): Promise<readonly StoredConsents[]>;
  /** The versions of one group, newest first. */
  consentVersions(permit: Permit, id: string): Promise<readonly StoredConsents[]>;
  /**
   * Events of the permit's record, those of the latest time first, of one time that of the highest number. Documents that the permit's visibility hides are not named; an event that named
   * only such documents is left out, and so is what a partner told if it says the name of one, whenever the document came.
   */
  events(permit: Permit, filter: EventFilter, page: EventPageRequest): Promise<Page<AuditEvent>>;
  event(permit: Permit, sequence: number): Promise<AuditEvent | undefined>;
  /**
   * Records that hold a document, or a folder, that passes the filter, whatever is hidden of it, oldest first, `limit` at most: where a query
   * across patients looks. With permits of `queryAcrossPatients` alone. The time it takes grows with the store; other requests have
   * their turn in between, so that what is answered is no state of one instant.
   */
  recordsWithDocuments(permit: Permit, filter: DocumentFilter, limit: number): Promise<readonly RecordId[]>;
  recordsWithFolders(permit: Permit, filter: FolderFilter, limit: number): Promise<readonly RecordId[]>;
  /**
   * Records whose holder passes the filter by one of the family names, each once, `limit` at most, in no order; none that is destroyed or
   * merged. With permits of `searchPatients` alone. Found by index where families or a range of days are given.
   */
  recordsOfHolders(permit: Permit, filter: HolderFilter, limit: number): Promise<readonly FoundHolder[]>;
  /**
   * What documents of professionals say, or said once, of whom is named, whoever sees them: each thing once, what is newest first, of each who is
   * named `directoryRows` at most. With permits of `readDirectory` alone.
   */
  directory(permit: Permit, asked: DirectoryQuestion): Promise<readonly DirectoryEntry[]>;
  /** Whether no document, set, folder or consent is in the permit's record, whatever is hidden of it. */
  isEmpty(permit: Permit): Promise<boolean>;
  /** The wrapped key of the record, or of one that was merged into it; undefined once destroyed. */
  wrappedKey(permit: Permit, of?: RecordId): Promise<Uint8Array | undefined>;
}

/** By id, or of roles by the id of the professional. */
export type DirectoryQuestion =
  | { readonly kind: DirectoryKind; readonly ids: readonly string[] }
  | { readonly rolesOf: readonly string[] };

/** How many different things of one professional, structure or system are read. */
export const directoryRows = 100;

/** Times in milliseconds, from ≤ at < to. `actor`: only events of this actor (PS_IdNat or Struct_IdNat). */
export type EventFilter = { readonly from?: number; readonly to?: number; readonly actor?: string };

export type Store = {
  readonly facts: FactsReader;
  readonly read: Reader;
  readonly write: Writer;
  readonly outbox: Outbox;
  readonly staging: Staging;
  readonly subscriptions: Subscriptions;
  close(): Promise<void>;
};

/** Too many change sets wait; try again later. */
export class StoreBusy extends Error {
  override readonly name = 'StoreBusy';
}
/** The disk is full: nothing of the change was written. */
export class StoreFull extends Error {
  override readonly name = 'StoreFull';
}
/** The store is closed, or its writer has failed. */
export class StoreStopped extends Error {
  override readonly name = 'StoreStopped';
}
