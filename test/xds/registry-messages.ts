import type { Association, DocumentEntry, Folder, SubmissionSet } from '../../server/domain/document.ts';
import type { Identifier } from '../../server/domain/identifier.ts';
import { type Author, professionalAuthority } from '../../server/domain/people.ts';
import { writeAssociation, writeDocument, writeFolder, writeSubmissionSet } from '../../server/xds/ebrim/write.ts';
import { namespace } from '../../server/xds/vocabulary.ts';
import { association, code, submissionSet } from '../support/registry.ts';
import type { World } from '../support/world.ts';

let number = 0;

/** Objects in a SubmitObjectsRequest. */
export function submitting(...objects: readonly string[]): string {
  return (
    `<lcm:SubmitObjectsRequest xmlns:lcm="${namespace.lcm}" xmlns:rim="${namespace.rim}"><rim:RegistryObjectList>` +
    `${objects.join('')}</rim:RegistryObjectList></lcm:SubmitObjectsRequest>`
  );
}

/** The set `ss1` of one of the sandbox's people for `laurent`; its uniqueId is new each time. */
export function setOf(world: World, slug: string, changes: Partial<SubmissionSet> = {}): string {
  const { value, oid } = world.ins('laurent');
  return writeSubmissionSet(
    submissionSet(1, {
      entryUUID: 'ss1',
      uniqueId: `2.999.77.${++number}`,
      sourceId: '2.999.60',
      patientId: { id: value, authority: { oid } },
      submissionTime: '20260701080000',
      contentTypeCode: code('07', '1.2.250.1.213.2.2', 'Consultation'),
      authors: [authorOf(world, slug)],
      ...changes,
    }),
  );
}

function authorOf(world: World, slug: string): Author {
  const { actor } = world.as(slug).caller;
  const person =
    actor.kind === 'patient'
      ? { id: actor.ins.value, authority: { oid: actor.ins.oid }, family: 'X' }
      : { id: 'id' in actor ? actor.id : '', authority: { oid: professionalAuthority }, family: 'X' };
  const structures = 'structure' in actor ? [actor.structure] : [];
  return {
    ...(actor.kind === 'structure' ? {} : { person }),
    institutions: structures.map(({ id }) => ({ name: 'S', id, authority: { oid: '1.2.250.1.71.4.2.2' } })),
    roles: [],
    specialties: [],
    telecommunications: [],
  };
}

let link = 0;

/** An association of the message; its id is new each time unless given. */
export function linking(
  type: Association['type'],
  source: string,
  target: string,
  changes: Partial<Association> = {},
): string {
  return writeAssociation({ ...association(1, 1, 1), entryUUID: `link${++link}`, type, source, target, ...changes });
}

/** A member of `ss1`. */
export const memberOf = (target: string, changes: Partial<Association> = {}): string =>
  linking('HasMember', 'ss1', target, changes);

/** The next version of an entry as `next1` (or the id given), with its membership; as a consumer sends back what a query gave it. */
export function nextVersion(
  entry: DocumentEntry,
  changes: Partial<DocumentEntry> = {},
  membership: Partial<Association> = {},
): string {
  const next = { ...entry, entryUUID: 'next1', ...changes };
  return (
    writeDocument(next) +
    memberOf(next.entryUUID, { submissionSetStatus: 'Original', previousVersion: String(entry.version), ...membership })
  );
}

/** The same of a folder, as `folder1`. */
export function nextFolder(
  folder: Folder,
  changes: Partial<Folder> = {},
  membership: Partial<Association> = {},
): string {
  const next = { ...folder, entryUUID: 'folder1', ...changes };
  return writeFolder(next) + memberOf(next.entryUUID, { previousVersion: String(folder.version), ...membership });
}

/** A change of status. */
export function restating(
  target: string,
  originalStatus: NonNullable<Association['originalStatus']>,
  newStatus: NonNullable<Association['newStatus']>,
): string {
  return linking('UpdateAvailabilityStatus', 'ss1', target, { originalStatus, newStatus });
}

/** The `patientId` of one of the sandbox's people. */
export function cxOf({ value, oid }: Identifier): DocumentEntry['patientId'] {
  return { id: value, authority: { oid } };
}
