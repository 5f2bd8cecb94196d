import type { Permit, RecordFacts } from '../domain/decision.ts';
import type { EntryUuid, Folder, FolderDraft } from '../domain/document.ts';
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

/** What a message says of the patient: names as they were sent, dates and genders as FHIR writes them. */
export type PatientSaid = {
  readonly expression: string;
  readonly family?: string;
  readonly birthDate?: string;
  readonly gender?: string;
};

/** The message and the record know the same person. IHE MHD 2:3.65.4.1.3. */
export function patientProblems(said: readonly PatientSaid[] = [], facts: RecordFacts | undefined): Problem[] {
  if (facts === undefined) return [];
  const { family, usedFamily, birthDate, gender } = facts.record.traits;
  const families = [family, usedFamily].flatMap((name) => (name === undefined || name === '' ? [] : [plain(name)]));
  return said.flatMap(({ expression, ...sent }) => {
    const differs = (attribute: string, value: string) =>
      problem('attributesContradict', {
        attribute,
        value,
        expression: `${expression}.${attribute}`,
        detail: 'the record of that identifier is of another person',
      });
    return [
      ...(sent.family === undefined || families.length === 0 || families.includes(plain(sent.family))
        ? []
        : [differs('name', sent.family)]),
      ...(sent.birthDate === undefined || birthDate.startsWith(sent.birthDate) || birthDate === ''
        ? []
        : [differs('birthDate', sent.birthDate)]),
      ...(isSexed(sent.gender) && isSexed(gender) && sent.gender !== gender ? [differs('gender', sent.gender)] : []),
    ];
  });
}

function isSexed(gender: string | undefined): gender is 'male' | 'female' {
  return gender === 'male' || gender === 'female';
}

/** Letters alone, in capitals and without accents. */
function plain(name: string): string {
  return name
    .normalize('NFD')
    .replace(/[^\p{L}]/gu, '')
    .toUpperCase();
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
