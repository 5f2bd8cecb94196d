import type { Bundle, BundleEntry, FhirResource, List } from 'fhir/r4.js';
import type { Association, DocumentEntry, EntryUuid, Folder, SubmissionSet } from '../../domain/document.ts';
import { profiles } from '../vocabulary.ts';
import { relatesToOf } from './association.ts';
import { idOf, referenceOf } from './document-reference.ts';
import { folderOf, type Member, submissionSetOf } from './list.ts';

/** A document that is provided: its entry, its bytes, and the URN under which they stand in the Bundle. */
export type Provided = { readonly entry: DocumentEntry; readonly bytes: Uint8Array; readonly binary: string };

export type Provision = {
  readonly set: SubmissionSet;
  readonly documents: readonly Provided[];
  readonly folders: readonly Folder[];
  readonly associations: readonly Association[];
};

/** A submission as a source provides it by ITI-65: entries stand under their entryUUID. IHE MHD 2:3.65.4.1.2. */
export function provideBundleOf({ set, documents, folders, associations }: Provision): Bundle {
  const given = new Set([...documents.map(({ entry }) => entry.entryUUID), ...folders.map((f) => f.entryUUID)]);
  const isFolder = (uuid: EntryUuid) => folders.some(({ entryUUID }) => entryUUID === uuid);
  const membersOf = (list: EntryUuid) => membersIn(list, set, associations, given, isFolder);
  return {
    resourceType: 'Bundle',
    meta: { profile: [profiles.mhdBundle] },
    type: 'transaction',
    entry: [
      entryOf(set.entryUUID, submissionSetOf(set, membersOf(set.entryUUID))),
      ...documents.map(({ entry, binary }) => {
        const relatesTo = associations
          .filter(({ source }) => source === entry.entryUUID)
          .flatMap((association) => {
            const { target } = association;
            const isGiven = given.has(target) || target === set.entryUUID;
            const reference = isGiven ? target : `DocumentReference/${idOf(target)}`;
            return relatesToOf(association, { reference }) ?? [];
          });
        const resource = referenceOf(entry, { url: binary });
        return entryOf(entry.entryUUID, { ...resource, ...(relatesTo.length > 0 && { relatesTo }) });
      }),
      ...folders.map((folder) => entryOf(folder.entryUUID, folderOf(folder, membersOf(folder.entryUUID)))),
      ...documents.map(({ entry, bytes, binary }) =>
        entryOf(binary, {
          resourceType: 'Binary',
          contentType: entry.mimeType,
          data: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
        }),
      ),
    ],
  };
}

function entryOf(fullUrl: string, resource: FhirResource | List): BundleEntry {
  return { fullUrl, resource, request: { method: 'POST', url: resource.resourceType } };
}

/** Objects of a list. What is a member of the set by being in a folder is said by the folder. */
function membersIn(
  list: EntryUuid,
  set: SubmissionSet,
  associations: readonly Association[],
  given: ReadonlySet<EntryUuid>,
  isFolder: (uuid: EntryUuid) => boolean,
): Member[] {
  const own = new Set(associations.map(({ entryUUID }) => entryUUID));
  const isOfSet = (a: Association) => a.type === 'HasMember' && a.source === set.entryUUID;
  return associations
    .filter(({ type, source, target }) => type === 'HasMember' && source === list && !own.has(target))
    .map((association): Member => {
      const { target, entryUUID } = association;
      const isGiven = given.has(target);
      const membership =
        list === set.entryUUID ? undefined : associations.find((a) => isOfSet(a) && a.target === entryUUID);
      const isOfDocument = list === set.entryUUID && !isFolder(target);
      const usual = isOfDocument ? (isGiven ? 'Original' : 'Reference') : undefined;
      return {
        association,
        reference: isGiven ? target : `DocumentReference/${idOf(target)}`,
        ...(membership && { membership }),
        ...(usual && { usual }),
      };
    });
}
