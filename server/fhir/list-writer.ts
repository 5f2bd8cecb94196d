import type { List } from 'fhir/r4.js';
import { earliest } from '../domain/time.ts';
import type { StoredFolder, StoredSet } from '../store/port.ts';
import type { Found } from '../usecases/query.ts';
import type { Contents, Packages } from '../usecases/search-packages.ts';
import { idOf } from './map/document-reference.ts';
import { folderOf, type Member, submissionSetOf } from './map/list.ts';
import type { Hit } from './paged-search.ts';
import { lastingOf } from './search-values.ts';

const type = 'List';

/** A submission set or a folder with those members that exist for the caller. IHE MHD, mapping of XDSSubmissionSet and XDSFolder. */
export type WrittenList = Hit & { readonly resource: string; readonly list: List & { id: string } };

/** Submission sets and folders as List. @param base the public address of this face */
export function listsOf({ sets, folders, contents }: Packages, base: string): WrittenList[] {
  return [
    ...sets.map((stored) => setAsList(stored, contents, base)),
    ...folders.map((stored) => folderAsList(stored, contents, base)),
  ];
}

/** What was found under this name, with its contents: a submission set by entryUUID, a folder by logicalID. */
export function listNamed({ sets, folders, documents, associations }: Found, name: string, base: string) {
  const contents = { documents, folders, memberships: associations.filter(({ status }) => status === 'approved') };
  const ofName = folders.filter(({ folder }) => folder.logicalID === name);
  return listsOf({ sets, folders: sets.length > 0 ? [] : ofName, contents }, base)[0]?.list;
}

/** A submission set as List. */
export function setAsList({ set, record }: StoredSet, contents: Contents, base: string): WrittenList {
  const members = membersOf(contents, set.entryUUID, true);
  return written(submissionSetOf(set, members, `Patient/${record}`), set.entryUUID, set.submissionTime, base);
}

/** A folder as List. */
export function folderAsList({ folder, record }: StoredFolder, contents: Contents, base: string): WrittenList {
  const members = membersOf(contents, folder.entryUUID, false);
  return written(folderOf(folder, members, `Patient/${record}`), folder.logicalID, folder.lastUpdateTime, base);
}

function written(list: List, name: string, time: string, base: string): WrittenList {
  const id = idOf(name);
  const meta = { ...list.meta, lastUpdated: new Date(lastingOf(earliest(time)).from).toISOString() };
  const resource = { ...list, id, meta };
  return { fullUrl: `${base}/${type}/${id}`, resource: JSON.stringify(resource), list: resource };
}

function membersOf({ documents, folders, memberships }: Contents, source: string, isOfSet: boolean): Member[] {
  const places = new Map([
    ...documents.map(({ entry }) => [entry.entryUUID, `DocumentReference/${idOf(entry.logicalID)}`] as const),
    ...folders.map(({ folder }) => [folder.entryUUID, `${type}/${idOf(folder.logicalID)}`] as const),
  ]);
  return memberships
    .filter((association) => association.source === source)
    .flatMap((association): Member[] => {
      const reference = places.get(association.target);
      if (reference === undefined) return [];
      const isDocument = isOfSet && reference.startsWith('DocumentReference/');
      return [{ association, reference, ...(isDocument && { usual: 'Reference' as const }) }];
    });
}
