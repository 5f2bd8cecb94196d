import { hash } from 'node:crypto';
import type { Habilitations } from './decision.ts';
import {
  type Association,
  type DocumentEntry,
  type EntryUuid,
  type SubmissionSet,
  visibilityCodes,
  visibilityOf,
  visibilitySystem,
} from './document.ts';
import { oidOfUuid } from './identifier.ts';
import { dtmOf } from './time.ts';

/** The slot by which a snapshot says from what it was made. */
const madeFrom = 'urn:opendmp:snapshot:made-from';

/** Whether the entry is the snapshot of a document that is assembled on demand. */
function isSnapshot({ extra }: Pick<DocumentEntry, 'extra'>): boolean {
  return extra.some(({ name }) => name === madeFrom);
}

/** Whether the snapshot was made from just these documents. */
export function isMadeFrom({ extra }: Pick<DocumentEntry, 'extra'>, documents: readonly DocumentEntry[]): boolean {
  return extra.some(({ name, values }) => name === madeFrom && values[0] === fingerprint(documents));
}

function fingerprint(documents: readonly DocumentEntry[]): string {
  return hash('sha256', documents.map(({ entryUUID }) => entryUUID).join('\n'), 'hex');
}

/**
 * What a snapshot may speak of, among the documents that its reader sees: no other snapshot, and no type that some profession may not read,
 * since others will read the snapshot by its own type.
 */
export function speakableOf(documents: readonly DocumentEntry[], { refused, others }: Habilitations): DocumentEntry[] {
  const types = new Set([...Object.values(refused), others].flat());
  return documents.filter((entry) => !isSnapshot(entry) && !types.has(entry.typeCode.code));
}

/** How a snapshot is made and registered. */
export type SnapshotFacts = {
  readonly uniqueId: string;
  readonly repositoryUniqueId: string;
  /** The bytes: SHA-1 in lower-case hex, size in bytes. */
  readonly sha1: string;
  readonly size: number;
  readonly documents: readonly DocumentEntry[];
  /** The set that brought the on-demand entry. */
  readonly set: SubmissionSet;
  /** Former snapshots of the same reader. */
  readonly replaced: readonly EntryUuid[];
  readonly now: number;
  readonly newId: () => string;
};

export type Snapshot = {
  readonly entry: DocumentEntry;
  readonly set: SubmissionSet;
  readonly associations: readonly Association[];
};

/**
 * The stable entry of what was assembled, in a set of its own, replacing the former snapshots. It is hidden from all from whom one of the
 * documents is hidden of which it speaks. IHE ITI TF-2 3.43.4.2.3 (Persistence of Retrieved Documents Option); TF-3 4.2.2.2.6 (IsSnapshotOf).
 */
export function snapshotOf(onDemand: DocumentEntry, facts: SnapshotFacts): Snapshot {
  const { documents, now, newId, replaced } = facts;
  const uuid = (): EntryUuid => `urn:uuid:${newId()}`;
  const entryUUID = uuid();
  const { documentAvailability: _availability, ...described } = onDemand;
  const hidden = new Set(documents.flatMap(({ confidentialityCodes }) => visibilityOf(confidentialityCodes)));
  const own = visibilityOf(onDemand.confidentialityCodes);
  const added = visibilityCodes.filter((code) => hidden.has(code) && !own.includes(code));
  const entry: DocumentEntry = {
    ...described,
    entryUUID,
    logicalID: entryUUID,
    version: 1,
    objectType: 'stable',
    status: 'approved',
    uniqueId: facts.uniqueId,
    repositoryUniqueId: facts.repositoryUniqueId,
    creationTime: dtmOf(now),
    hash: facts.sha1,
    size: facts.size,
    confidentialityCodes: [
      ...onDemand.confidentialityCodes,
      ...added.map((code) => ({ code, system: visibilitySystem })),
    ],
    extra: [...onDemand.extra, { name: madeFrom, values: [fingerprint(documents)] }],
  };
  const { title: _title, comments: _comments, ...filed } = facts.set;
  const set: SubmissionSet = {
    ...filed,
    entryUUID: uuid(),
    uniqueId: oidOfUuid(newId()),
    submissionTime: dtmOf(now),
    authors: onDemand.authors,
    intendedRecipients: [],
    extra: [],
  };
  const association = (type: Association['type'], source: EntryUuid, target: EntryUuid): Association => ({
    entryUUID: uuid(),
    type,
    source,
    target,
    status: 'approved',
    extra: [],
  });
  return {
    entry,
    set,
    associations: [
      { ...association('HasMember', set.entryUUID, entryUUID), submissionSetStatus: 'Original' },
      association('IsSnapshotOf', entryUUID, onDemand.entryUUID),
      ...replaced.map((target) => association('RPLC', entryUUID, target)),
    ],
  };
}
