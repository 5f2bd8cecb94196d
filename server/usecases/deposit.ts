import type { Received } from '../blobs/port.ts';
import type { DocumentEntry, Folder, FolderDraft, Submission, SubmissionSet } from '../domain/document.ts';
import type { Problem } from '../domain/error.ts';
import type { Identifier } from '../domain/identifier.ts';
import type { RecordId } from '../domain/record.ts';
import { type Manifest, type MessageFacts, nameOf } from '../domain/rules/facts.ts';
import type { StatedTraits } from '../domain/stated-traits.ts';
import type { OtherNames } from './deposit-names.ts';
import type { PatientSaid } from './patient-said.ts';
import type { Request, Tools } from './perform.ts';

/** The bytes of a document by the id that the message gives its entry; `staged`: under which id they waited. */
export type DepositedBytes = { readonly id: string; readonly received: Received; readonly staged?: string };

/** What a source hands over: metadata as read, and the documents by the id that the message gives their entries. */
export type Deposit = {
  readonly submission: Submission;
  readonly documents: readonly DepositedBytes[];
  /** What the signature documents of the lot say. */
  readonly manifests?: readonly Manifest[];
  /** What the headers of the documents say of the patient, where a setting compares it. */
  readonly stated?: readonly StatedTraits[];
  /** What reading the message already found wrong; thrown together with what the rules find. */
  readonly problems?: readonly Problem[];
  /** Names by which associations name what is registered, instead of the entryUUID. */
  readonly named?: OtherNames;
  /** What the message says of the patient besides his identifiers. */
  readonly patients?: readonly PatientSaid[];
  /** Registered folders as the message shows them, their id the logicalID. */
  readonly shownFolders?: readonly FolderDraft[];
};

export type Deposited = {
  readonly set: SubmissionSet;
  /** In the order in which they were sent, as the folders. */
  readonly entries: readonly DocumentEntry[];
  readonly folders: readonly Folder[];
  /** Registered folders that the message named by their logicalID. */
  readonly namedFolders: readonly Folder[];
  /** The revisions that replaced documents are at now, by their logicalID. */
  readonly superseded: ReadonlyMap<string, number>;
  /** What the depositor should know although all is stored. */
  readonly warnings: readonly Problem[];
  /** That of the patient, and its version. */
  readonly record: RecordId | undefined;
  readonly recordVersion: number | undefined;
};

/** The one patient whom the message names, or the credential where the message names none; undefined when there are two or nobody. */
export function patientOf({ sets, entries, folders }: Submission, { caller }: Request): Identifier | undefined {
  const named = new Map<string, Identifier>();
  for (const { patientId } of [...sets, ...entries, ...folders]) {
    const oid = patientId?.authority.oid;
    if (patientId !== undefined && oid !== undefined) named.set(`${patientId.id}^${oid}`, { value: patientId.id, oid });
  }
  const [first] = named.values();
  return named.size > 1 ? undefined : (first ?? caller.patient);
}

/** What the rules see of a message besides itself. */
export function messageFacts(
  { settings, sources }: Tools,
  { caller }: Request,
  { documents, manifests = [] }: Pick<Deposit, 'documents' | 'manifests'>,
): MessageFacts {
  return {
    caller,
    documents: documents.map(({ id, received: { sha1, size } }) => ({ id, sha1, size })),
    manifests,
    domain: settings.domain,
    insOids: settings.insOids,
    sources: sources.repositories,
    repositoryUniqueId: settings.repositoryUniqueId,
    regime: settings.regime,
    entriesPerSubmission: settings.limits.entriesPerSubmission,
  };
}

/** Problems of reading first; what the rules miss because reading left it out, an attribute or an object, is not told twice. */
export function together(read: readonly Problem[] = [], found: readonly Problem[]): Problem[] {
  const told = read.map(({ about }) => about);
  const isTold = ({ name, about: { attribute = '', object } }: Problem) =>
    name === 'attributeMissing' &&
    told.some(
      (a) => a.object === object && (a.attribute === attribute || a.attribute?.endsWith(` of ${attribute}`) === true),
    );
  const unread = new Set(
    read.flatMap(({ name, about: { object = '' } }) => (name === 'objectUnclassified' ? [nameOf(object.trim())] : [])),
  );
  const isUnread = ({ name, about: { value = '' } }: Problem) =>
    name === 'referenceUnresolved' && unread.has(nameOf(value));
  return [...read, ...found.filter((problem) => !isTold(problem) && !isUnread(problem))];
}
