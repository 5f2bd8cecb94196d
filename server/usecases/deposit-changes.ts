import type { Received } from '../blobs/port.ts';
import type { Acceptance } from '../domain/accept.ts';
import type { DocumentEntry, Submission } from '../domain/document.ts';
import { growsInSight } from '../domain/folder-time.ts';
import { nameOf, type RegistryFacts } from '../domain/rules/facts.ts';
import { dtmOf } from '../domain/time.ts';
import type { Expectation, ObjectKind, Row, SealedContent } from '../store/port.ts';
import type { Deposit } from './deposit.ts';
import { ownersOf } from './owners.ts';
import type { Request, Settings } from './perform.ts';
import { uuids } from './surrounding.ts';

/**
 * What must be true when it is written; ids that we made ourselves are new by construction. A document may have a name that others have
 * with the same bytes, where the domain takes those again.
 */
export function expectations(
  submission: Submission,
  { set, entries, folders, approved, touched }: Acceptance,
  { domain }: Settings,
): Expectation[] {
  const absent = (kind: ObjectKind, drafts: readonly { id: string }[]) =>
    uuids(drafts.map(({ id }) => id)).map((entryUUID) => ({ absent: { kind, entryUUID } }));
  const nameOfBytes = ({ uniqueId, hash, size, objectType }: DocumentEntry): Expectation =>
    objectType === 'onDemand'
      ? { uniqueIdFree: uniqueId, unless: {} }
      : domain.sameBytesAgain === 'accepted' && hash !== undefined && size !== undefined
        ? { uniqueIdFree: uniqueId, unless: { hash, size } }
        : { uniqueIdFree: uniqueId };
  return [
    ...[set, ...folders].map(({ uniqueId }) => ({ uniqueIdFree: uniqueId })),
    ...entries.map(nameOfBytes),
    ...absent('submissionSet', submission.sets),
    ...absent('document', submission.entries),
    ...absent('folder', submission.folders),
    ...absent('association', submission.associations),
    ...approved.map((document) => ({ statusIs: { document, status: 'approved' as const } })),
    ...touched.map((entryUUID) => ({ stateIs: { kind: 'folder' as const, entryUUID, status: 'approved' as const } })),
  ];
}

/** What is written of a deposit. `registered`: documents that it puts into folders; `registeredAt` in milliseconds since 1970. */
export function rows(
  request: Request,
  { submission, documents }: Deposit,
  { set, entries, folders, associations, deprecated, touched }: Acceptance,
  kept: ReadonlyMap<Received, SealedContent>,
  registered: readonly DocumentEntry[],
  registeredAt: number,
): Row[] {
  const received = new Map(documents.map((document) => [nameOf(document.id), document.received]));
  return [
    ...entries.map((entry, index): Row => {
      const bytes = received.get(nameOf(submission.entries[index]?.id ?? ''));
      const content = bytes && kept.get(bytes);
      const owners = ownersOf(request, [...set.authors, ...entry.authors]);
      return {
        kind: 'document',
        entry,
        registeredAt,
        ...(bytes && { sha256: bytes.sha256 }),
        ...(content && { content }),
        owners,
      };
    }),
    { kind: 'submissionSet', set, owners: ownersOf(request, set.authors) },
    ...folders.map((folder): Row => ({ kind: 'folder', folder })),
    ...associations.map((association): Row => ({ kind: 'association', association })),
    ...deprecated.map((document): Row => ({ kind: 'status', document, status: 'deprecated' })),
    ...touched.map(
      (folder): Row => ({
        kind: 'folderState',
        folder,
        ...(growsInSight(folder, associations, [...entries, ...registered]) && { lastUpdateTime: dtmOf(registeredAt) }),
      }),
    ),
  ];
}

/** Registered documents that registered folders receive: nobody else puts them there at the same time. */
export function putIntoFolders({ associations }: Acceptance, { folders, targets }: RegistryFacts): string[] {
  return associations
    .filter(({ type, source, target }) => type === 'HasMember' && folders.has(source) && targets.has(target))
    .map(({ target }) => target);
}
