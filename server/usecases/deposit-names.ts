import type { Permit } from '../domain/decision.ts';
import type { Association, EntryUuid, Folder, FolderDraft, Submission } from '../domain/document.ts';
import { type Problem, problem } from '../domain/error.ts';
import { nameOf } from '../domain/rules/facts.ts';
import type { Tools } from './perform.ts';

/** Names of registered objects other than the entryUUID. */
export type OtherNames = {
  readonly uniqueIds: readonly string[];
  readonly logicalIDs: readonly string[];
  /** The states in which some are named: it must be the one that they are in. */
  readonly versions?: readonly {
    readonly logicalID: string;
    readonly version: string;
    readonly object: string;
    readonly expression: string;
  }[];
};

/** What is registered under them, as far as it exists for the caller: its latest version. */
export type RegisteredNames = {
  /** By name, as `nameOf` writes it. */
  readonly uuidOf: ReadonlyMap<string, EntryUuid>;
  /** By logicalID. */
  readonly stateOf: ReadonlyMap<string, number>;
  readonly folders: readonly Folder[];
};

const nothing: RegisteredNames = { uuidOf: new Map(), stateOf: new Map(), folders: [] };

/** What is registered under the names that a deposit says otherwise than by entryUUID, as far as the permit sees it. */
export async function registeredNames(
  { store: { read } }: Tools,
  permit: Permit,
  names: OtherNames | undefined,
): Promise<RegisteredNames> {
  if (names === undefined || (names.uniqueIds.length === 0 && names.logicalIDs.length === 0)) return nothing;
  const [unique, logical, versions] = await Promise.all([
    read.documentsByUniqueId(permit, names.uniqueIds),
    read.documentsByLogicalId(permit, names.logicalIDs),
    read.foldersByLogicalId(permit, names.logicalIDs),
  ]);
  const latest = logical.filter((document) => document.latest);
  const folders = [...new Map(versions.map((folder) => [folder.logicalID, folder])).values()];
  return {
    uuidOf: new Map([
      ...latest.map(({ entry }) => [nameOf(entry.logicalID), entry.entryUUID] as const),
      ...folders.map(({ logicalID, entryUUID }) => [nameOf(logicalID), entryUUID] as const),
      ...unique.flatMap(({ entry, latest: isLatest }) =>
        isLatest ? [[entry.uniqueId, entry.entryUUID] as const] : [],
      ),
    ]),
    stateOf: new Map([
      ...latest.map(({ entry, revision }) => [nameOf(entry.logicalID), revision] as const),
      ...folders.map(({ logicalID, version }) => [nameOf(logicalID), version] as const),
    ]),
    folders,
  };
}

/** What is named in a state that it is in no more. FHIR R4 references.html#literal (version specific). */
export function versionProblems({ versions = [] }: Partial<OtherNames> = {}, { stateOf }: RegisteredNames): Problem[] {
  return versions.flatMap(({ logicalID, version, object, expression }) => {
    const state = stateOf.get(nameOf(logicalID));
    if (state === undefined || String(state) === version) return [];
    return [problem('versionDiffers', { object, value: version, expression, detail: `it is at ${state}` })];
  });
}

/** The same with the entryUUIDs of what associations name otherwise, as far as it exists for the caller. */
export function namedByUuid(submission: Submission, { uuidOf }: RegisteredNames): Submission {
  if (uuidOf.size === 0) return submission;
  const renamed = (name: string | undefined) => (name === undefined ? undefined : (uuidOf.get(nameOf(name)) ?? name));
  const associations = submission.associations.map((association) => {
    const [source, target] = [renamed(association.source), renamed(association.target)];
    return { ...association, ...(source !== undefined && { source }), ...(target !== undefined && { target }) };
  });
  return { ...submission, associations };
}

/** A folder that is shown with its members is shown with those that it holds already: they are not put into it again. */
export function withoutHeldMembers(
  submission: Submission,
  shown: readonly FolderDraft[] = [],
  registered: readonly Association[],
): Submission {
  if (shown.length === 0) return submission;
  const held = new Set(
    registered
      .filter(({ type, status }) => type === 'HasMember' && status === 'approved')
      .map(({ source, target }) => `${source} ${target}`),
  );
  const again = new Set(
    submission.associations
      .filter(
        ({ type, source = '', target = '' }) => type === 'HasMember' && held.has(`${nameOf(source)} ${nameOf(target)}`),
      )
      .map(({ id }) => id),
  );
  const associations = submission.associations.filter(({ id, target = '' }) => !again.has(id) && !again.has(target));
  return { ...submission, associations };
}

/** A registered folder receives documents, and may be said to be otherwise than it is; what names it stays. */
export function shownProblems(shown: readonly FolderDraft[] = [], { folders }: RegisteredNames): Problem[] {
  return shown.flatMap((draft) => {
    const folder = folderOf(draft, folders);
    if (folder === undefined)
      return [problem('referenceUnresolved', { object: draft.id, value: draft.id, detail: 'there is no such folder' })];
    const names = [
      ['patientId', draft.patientId?.id, folder.patientId.id],
      ['uniqueId', draft.uniqueId, folder.uniqueId],
    ] as const;
    return names.flatMap(([attribute, sent, held]) =>
      sent === held ? [] : [problem('attributeUnmodifiable', { object: draft.id, attribute })],
    );
  });
}

/** Registered folders of which something else is said now, with what was said before. */
export function changedFolders(
  shown: readonly FolderDraft[] = [],
  { folders }: RegisteredNames,
): { readonly draft: FolderDraft; readonly before: Folder }[] {
  return shown.flatMap((draft) => {
    const before = folderOf(draft, folders);
    return before === undefined || isSame(draft, before) ? [] : [{ draft, before }];
  });
}

function folderOf({ id }: FolderDraft, folders: readonly Folder[]): Folder | undefined {
  return folders.find(({ logicalID }) => nameOf(logicalID) === nameOf(id));
}

function isSame(draft: FolderDraft, folder: Folder): boolean {
  const said = ({ title, comments, codes = [], extra = [] }: FolderDraft | Folder) =>
    JSON.stringify([
      title?.value,
      comments?.value,
      codes.map(({ code, system }) => `${system}|${code}`).sort(),
      extra.map(({ name, values }) => [name, values]),
    ]);
  return said(draft) === said(folder);
}
