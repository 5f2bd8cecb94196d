import type { Acceptance } from '../domain/accept.ts';
import type { Permit } from '../domain/decision.ts';
import type { Association, Folder, FolderDraft } from '../domain/document.ts';
import { type Problem, problem } from '../domain/error.ts';
import { member, newUuid, registeredFolder } from '../domain/registered.ts';
import { attributeFormats } from '../domain/rules/attribute-formats.ts';
import type { RegistryFacts } from '../domain/rules/facts.ts';
import { requiredAttributes } from '../domain/rules/required-attributes.ts';
import { valueSets } from '../domain/rules/value-sets.ts';
import type { Surrounding } from '../domain/surrounding.ts';
import { latestFolder } from '../domain/update/operation.ts';
import { propagated } from '../domain/update/propagation.ts';
import { rightProblems } from '../domain/update/rights.ts';
import type { Expectation, Row } from '../store/port.ts';
import { foldersNamed } from './folders-named.ts';
import type { Request, Tools } from './perform.ts';
import { nothingElseNames, surroundingOf } from './surrounding.ts';

/** A registered folder, and what is said of it now; the draft's id is the logicalID. */
export type FolderChange = { readonly draft: FolderDraft; readonly before: Folder };

const nothing = { sets: [], entries: [], folders: [], associations: [] };

/** What is wrong with these changes, whose author alone may make them. IHE Metadata Update 3.57.4.1.3 (Update Folder). */
export async function folderProblems(
  tools: Tools,
  request: Request,
  changes: readonly FolderChange[],
  { permit, facts }: { readonly permit: Permit; readonly facts: RegistryFacts },
): Promise<Problem[]> {
  const folders = changes.map(({ draft }) => ({ ...draft, logicalID: draft.id }));
  const drafts = { ...nothing, folders };
  const known = await foldersNamed(
    tools.store.read,
    permit,
    [],
    changes.map(({ draft }) => draft.id),
  );
  const { caller } = request;
  return [
    ...requiredAttributes(drafts),
    ...attributeFormats(drafts),
    ...valueSets(drafts, facts),
    ...folders.flatMap((draft) => {
      const before = latestFolder({ folders: known }, draft.logicalID);
      if (before === undefined) return [problem('referenceUnresolved', { object: draft.id, value: draft.id })];
      const operation = { kind: 'folder', draft, before, member: { id: draft.id } } as const;
      return rightProblems({ action: 'updateDocument', operation }, { caller, permit, holder: facts.holder });
    }),
  ];
}

export type FolderVersions = {
  readonly accepted: Acceptance;
  readonly versions: readonly Folder[];
  readonly put: readonly Row[];
  readonly expect: readonly Expectation[];
};

/**
 * New versions of folders, in place of the ones before in what a deposit does to them: what it puts into a folder it puts into the new version,
 * which holds besides what the folder held. IHE Metadata Update 3.57.4.1.3 (Update Folder, association propagation).
 */
export async function folderVersions(
  { store: { read }, newId, now }: Tools,
  permit: Permit,
  changes: readonly FolderChange[],
  accepted: Acceptance,
): Promise<FolderVersions> {
  const names = changes.map(({ before }) => before.entryUUID);
  if (names.length === 0) return { accepted, versions: [], put: [], expect: [] };
  const around = await surroundingOf(read, permit, names, []);
  const versions = changes.map(({ draft, before: { logicalID, version } }) =>
    registeredFolder(
      { ...draft, id: logicalID },
      () => newUuid(newId),
      { logicalID, version: version + 1, status: 'approved' },
      now(),
    ),
  );
  const next = new Map(names.map((name, i) => [name, versions[i]?.entryUUID ?? name]));
  const { set, deprecated, touched, associations } = accepted;
  const put = changes.map(
    ({ before }): Row => ({ kind: 'folderState', folder: before.entryUUID, status: 'deprecated' }),
  );
  return {
    accepted: {
      ...accepted,
      associations: [
        ...associations.map((one) => ({ ...one, source: next.get(one.source) ?? one.source })),
        ...propagated(next, set.entryUUID, withoutDocuments(around, deprecated), newId),
        ...versions.map(({ entryUUID }): Association => member(set.entryUUID, entryUUID, newUuid(newId))),
      ],
      touched: touched.filter((folder) => !next.has(folder)),
    },
    versions,
    put: [...versions.map((folder): Row => ({ kind: 'folder', folder })), ...put],
    expect: [
      ...names.map((entryUUID) => ({ latest: { kind: 'folder' as const, entryUUID } })),
      ...names.map((entryUUID) => ({ stateIs: { kind: 'folder' as const, entryUUID, status: 'approved' as const } })),
      ...nothingElseNames(names, around),
    ],
  };
}

/** What the deposit itself puts out of date is not carried over. */
function withoutDocuments(around: Surrounding, names: readonly string[]): Surrounding {
  const documents = new Map([...around.documents].filter(([name]) => !names.includes(name)));
  return { ...around, documents };
}
