import type { Permit } from '../../domain/decision.ts';
import { checkAcross, checkDirectory, checkHolders, readingOf } from '../permit.ts';
import { type FactsReader, type Outbox, type Reader, type Staging, StoreStopped, type Subscriptions } from '../port.ts';
import type { ChangeCounts } from './change-counts.ts';
import { makeConsentReads } from './consents.ts';
import { makeDirectoryReads } from './directory.ts';
import { openDatabase } from './driver.ts';
import { makeHolderReads } from './holders.ts';
import { makeJobReads } from './jobs.ts';
import { makeAcrossReads } from './read-across.ts';
import { makeDocumentReads } from './read-documents.ts';
import { makeEventReads } from './read-events.ts';
import { makeEmptiness, makeFactReads } from './read-facts.ts';
import { makeNameReads } from './read-names.ts';
import { makeObjectReads } from './read-objects.ts';
import { makePackageReads } from './read-packages.ts';
import { makeRecordKeys } from './record-keys.ts';
import { makeStagingReads } from './staging.ts';
import { makeSubscriptionReads } from './subscriptions.ts';
import { makeHiddenAmong, type Reading } from './visible.ts';

export type OpenReader = {
  readonly facts: FactsReader;
  readonly read: Reader;
  readonly outbox: OutboxReads;
  readonly staging: Omit<Staging, 'expire'>;
  readonly subscriptions: Omit<Subscriptions, 'advance'>;
  close(): void;
};
type OutboxReads = Omit<Outbox, 'add' | 'remove' | 'putOff'>;

/** The connections of one thread, for reading only. Each call sees one state of the store, the latest when it starts. */
export function openReader(mainFile: string, keysFile: string, counts: ChangeCounts): OpenReader {
  const main = openDatabase(mainFile, { readOnly: true });
  main.exec('PRAGMA case_sensitive_like = ON; PRAGMA cache_size = -16384');
  const keys = openDatabase(keysFile, { readOnly: true });
  const wrapped = keys.prepare<{ wrapped: Uint8Array }>('SELECT wrapped FROM wrapped_key WHERE record = ?');
  const merged = main.prepare('SELECT 1 FROM record m JOIN record r ON r.key = m.merged WHERE m.id = ? AND r.id = ?');
  const hiddenAmong = makeHiddenAmong(main);
  const recordKeys = makeRecordKeys(main);
  const facts = makeFactReads(main, counts, recordKeys);
  const isEmpty = makeEmptiness(main);
  const documents = makeDocumentReads(main, counts, recordKeys);
  const objects = makeObjectReads(main, hiddenAmong);
  const packages = makePackageReads(main, hiddenAmong);
  const across = makeAcrossReads(main);
  const names = makeNameReads(main, counts);
  const holders = makeHolderReads(main);
  const directory = makeDirectoryReads(main);
  const consents = makeConsentReads(main);
  const events = makeEventReads(main, hiddenAmong, (reading, ids) => packages.hiddenSets(reading, ids), names.holders);
  const jobs = makeJobReads(main);
  const staging = makeStagingReads(main);
  const subscriptions = makeSubscriptionReads(main);
  let open = true;

  /** Everything a reader throws comes as a rejection. */
  async function reading<T>(read: () => T): Promise<T> {
    await Promise.resolve();
    if (!open) throw new StoreStopped('The store is closed');
    return read();
  }
  /** The same for what is read in several goes. */
  async function readingOn<T>(begin: () => AsyncIterable<T>): Promise<T[]> {
    try {
      return await Array.fromAsync(await reading(begin));
    } catch (error) {
      if (!open) throw new StoreStopped('The store is closed', { cause: error });
      throw error;
    }
  }
  const permitted = <T>(permit: Permit, read: (reading: Reading) => T) => reading(() => read(readingOf(permit)));

  return {
    facts: {
      recordByIdentifier: (identifier) => reading(() => facts.recordByIdentifier(identifier)),
      recordById: (id) => reading(() => facts.recordById(id)),
      recordOfDocument: (entryUUID) => reading(() => facts.recordOfDocument(entryUUID)),
      recordsOfObjects: (all) => reading(() => names.records(all)),
      recordsOfVersions: (all, which) => reading(() => names.recordsOfVersions(all, which)),
      recordsReferring: (ids) => reading(() => names.referring(ids)),
      recordOfConsent: (id) => reading(() => facts.recordOfConsent(id)),
      recordOfEvent: (sequence) => reading(() => facts.recordOfEvent(sequence)),
      toldEvent: (digest) => reading(() => facts.toldEvent(digest)),
      isNamed: (file) => reading(() => facts.isNamed(file)),
      isAuthority: (oid) => reading(() => holders.isAuthority(oid)),
    },
    read: {
      documents: (permit, filter, page) => permitted(permit, (r) => documents.documents(r, filter, page)),
      countDocuments: (permit, filter) => permitted(permit, (r) => documents.countDocuments(r, filter)),
      documentsByUuid: (permit, ids, filter) => permitted(permit, (r) => documents.documentsByUuid(r, ids, filter)),
      documentsByUniqueId: (permit, ids, filter) =>
        permitted(permit, (r) => documents.documentsByUniqueId(r, ids, filter)),
      documentsByLogicalId: (permit, ids, filter) =>
        permitted(permit, (r) => documents.documentsByLogicalId(r, ids, filter)),
      history: (permit, ids) => permitted(permit, (r) => documents.history(r, ids)),
      targets: (permit, ids) => permitted(permit, (r) => documents.targets(r, ids)),
      submissionSets: (permit, filter, page) => permitted(permit, (r) => packages.submissionSets(r, filter, page)),
      foldersMatching: (permit, filter, page) => permitted(permit, (r) => packages.folders(r, filter, page)),
      folders: (permit, ids) => permitted(permit, (r) => objects.folders(r, ids)),
      foldersByLogicalId: (permit, ids) => permitted(permit, (r) => objects.foldersByLogicalId(r, ids)),
      associations: (permit, ids) => permitted(permit, (r) => objects.associations(r, ids)),
      associationsOf: (permit, ids) => permitted(permit, (r) => objects.associationsOf(r, ids)),
      everyAssociationOf: (permit, ids) => permitted(permit, (r) => objects.everyAssociationOf(r, ids)),
      everyVersion: (permit, ids) => permitted(permit, (r) => documents.everyVersion(r, ids)),
      everyFolder: (permit, ids) => permitted(permit, (r) => objects.everyFolder(r, ids)),
      recordsWithDocuments: (permit, filter, limit) =>
        readingOn(() => {
          checkAcross(permit);
          return across.ofDocuments(filter, limit);
        }),
      recordsWithFolders: (permit, filter, limit) =>
        readingOn(() => {
          checkAcross(permit);
          return across.ofFolders(filter, limit);
        }),
      recordsOfHolders: (permit, filter, limit) =>
        reading(() => {
          checkHolders(permit);
          return holders.find(filter, limit);
        }),
      holders: (permit, uniqueIds) => permitted(permit, () => names.holders(uniqueIds)),
      taken: (permit, ids) => permitted(permit, () => names.taken(ids)),
      consents: (permit) => permitted(permit, (r) => consents.consents(r)),
      consentVersions: (permit, id) => permitted(permit, (r) => consents.consentVersions(r, id)),
      events: (permit, filter, page) => permitted(permit, (r) => events.events(r, filter, page)),
      event: (permit, sequence) => permitted(permit, (r) => events.event(r, sequence)),
      directory: (permit, asked) =>
        reading(() => {
          checkDirectory(permit);
          return directory(asked);
        }),
      isEmpty: (permit) => permitted(permit, ({ record }) => isEmpty(record)),
      wrappedKey: (permit, of) =>
        permitted(permit, ({ record }) =>
          of === undefined || of === record || merged.get(of, record) !== undefined
            ? wrapped.get(of ?? record)?.wrapped
            : undefined,
        ),
    },
    outbox: {
      due: (kinds, now, limit) => reading(() => jobs.due(kinds, now, limit)),
      nextDue: (kinds, now) => reading(() => jobs.nextDue(kinds, now)),
      waiting: (kind) => reading(() => jobs.waiting(kind)),
      isNamed: (file) => reading(() => jobs.isNamed(file)),
    },
    staging: {
      find: (id) => reading(() => staging.find(id)),
      waiting: (owner, now) => reading(() => staging.waiting(owner, now)),
      isNamed: (file) => reading(() => staging.isNamed(file)),
    },
    subscriptions: {
      find: (id) => reading(() => subscriptions.find(id)),
      ofOwner: (owner) => reading(() => subscriptions.ofOwner(owner)),
      due: (now, limit) => reading(() => subscriptions.due(now, limit)),
      nextDue: (now) => reading(() => subscriptions.nextDue(now)),
      changes: (subscription, limit) => reading(() => subscriptions.changes(subscription, limit)),
      told: (id, from, to, limit) => reading(() => subscriptions.told(id, from, to, limit)),
    },
    close() {
      if (!open) return;
      open = false;
      main.close();
      keys.close();
    },
  };
}
