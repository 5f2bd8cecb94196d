import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Mode } from '../../../server/domain/actor.ts';
import { decide } from '../../../server/domain/decision.ts';
import { type DocumentEntry, visibilityCodes } from '../../../server/domain/document.ts';
import { openEmbedded } from '../../../server/store/embedded/open.ts';
import type { Owners, Row, Store } from '../../../server/store/port.ts';
import { factsOfDocument, isOwn, isVisible } from '../../../server/store/visibility.ts';
import type { Request } from '../../../server/usecases/perform.ts';
import { memoryBlobs } from '../../support/memory-blobs.ts';
import { memoryStore } from '../../support/memory-store.ts';
import { type ActorName, actors } from '../../support/permits.ts';
import { authorOf, confidential, document, uuid } from '../../support/registry.ts';
import { type World, worldOn } from '../../support/world.ts';
import {
  as,
  ask,
  binder,
  doc,
  emptyRegistry,
  firstRecord,
  kinds,
  link,
  lot,
  openRecords,
  type QueryName,
  quoted,
  register,
  type Slots,
  status,
  types,
  uuids,
} from './registry.ts';

const nobody = { professionals: [], structures: [], patient: false };
const approved = status('approved', 'deprecated');
/** Each query that could name any of these objects, with each of their names. */
function everyQuery(numbers: readonly number[]): readonly (readonly [QueryName, Slots])[] {
  const uniqueIds = (arc: number) => quoted(...numbers.map((n) => `2.999.${arc}.${n}`));
  const level: Slots[number] = ['$MetadataLevel', '2'];
  const type: Slots[number] = ['$XDSDocumentEntryType', types('stable', 'onDemand')];
  const statuses: Slots = [
    ['$XDSDocumentEntryStatus', approved],
    ['$XDSSubmissionSetStatus', approved],
    ['$XDSFolderStatus', approved],
  ];
  const one = numbers.flatMap((n): readonly (readonly [QueryName, Slots])[] => [
    ['GetSubmissionSetAndContents', [['$XDSSubmissionSetEntryUUID', uuids(n)], type, level]],
    ['GetSubmissionSetAndContents', [['$XDSSubmissionSetUniqueId', `'2.999.2.${n}'`], type]],
    ['GetFolderAndContents', [['$XDSFolderEntryUUID', uuids(n)], type, level]],
    ['GetFolderAndContents', [['$XDSFolderUniqueId', `'2.999.3.${n}'`], type]],
    ['GetFoldersForDocument', [['$XDSDocumentEntryEntryUUID', uuids(n)], level]],
    ['GetFoldersForDocument', [['$XDSDocumentEntryUniqueId', `'2.999.1.${n}'`]]],
    [
      'GetRelatedDocuments',
      [['$XDSDocumentEntryEntryUUID', uuids(n)], ['$AssociationTypes', kinds('RPLC', 'APND')], type, level],
    ],
  ]);
  return [
    ...(['FindDocuments', 'FindDocumentsExclude', 'FindSubmissionSets', 'FindFolders', 'GetAll'] as const).map(
      (name) => [name, [...statuses, type, level]] as const,
    ),
    ['GetDocuments', [['$XDSDocumentEntryEntryUUID', uuids(...numbers)], level]],
    ['GetDocuments', [['$XDSDocumentEntryUniqueId', uniqueIds(1)]]],
    ['GetDocuments', [['$XDSDocumentEntryLogicalID', uuids(...numbers)], level]],
    ['GetFolders', [['$XDSFolderEntryUUID', uuids(...numbers)], level]],
    ['GetFolders', [['$XDSFolderUniqueId', uniqueIds(3)]]],
    ['GetAssociations', [['$uuid', uuids(...numbers)], level]],
    ['GetDocumentsAndAssociations', [['$XDSDocumentEntryEntryUUID', uuids(...numbers)], level]],
    ['GetDocumentsAndAssociations', [['$XDSDocumentEntryUniqueId', uniqueIds(1)]]],
    ['GetSubmissionSets', [['$uuid', uuids(...numbers)], level]],
    ...one,
  ];
}

describe('a masked document', () => {
  const masked = 2;
  let world: World<Store>;
  /** Set 20 filed 1 and 2, set 21 the masked 2 alone, in folder 31 with its membership; set 22 put 2 beside 1 into folder 30. */
  beforeAll(async () => {
    const opened = await emptyRegistry();
    await register(opened, [
      doc(1),
      doc(masked, { confidentialityCodes: confidential('MASQUE_PS') }),
      link(302, masked, 1, 'APND'),
      lot(20),
      link(101, 20, 1),
      link(102, 20, masked),
      lot(21),
      link(112, 21, masked),
      binder(31),
      link(131, 21, 31),
      link(202, 31, masked),
      link(113, 21, 202),
      lot(22),
      binder(30),
      link(130, 22, 30),
      link(203, 30, 1),
      link(204, 30, masked),
      link(123, 22, 203),
      link(124, 22, 204),
    ]);
    world = opened;
  });
  const hidden = [masked, 302, 102, 21, 112, 31, 131, 202, 113, 204, 124];
  const shown = [1, 20, 101, 22, 30, 130, 203, 123];
  const all = [...hidden, ...shown];

  test.each(everyQuery(all))('leaves no trace in %s %j', async (name, slots) => {
    const asked = await ask(world, as('otherDoctor'), name, slots);
    expect(asked.status).toBe('Success');
    for (const number of hidden) expect(asked.body).not.toContain(uuid(number));
    for (const arc of [1, 2, 3]) expect(asked.body).not.toMatch(new RegExp(`2\\.999\\.${arc}\\.(2|21|31)"`));
  });

  test('is there for the treating doctor, with all that holds it', async () => {
    const seen = async (name: ActorName) => {
      const bodies = await Promise.all(
        everyQuery(all).map(async ([query, slots]) => (await ask(world, as(name), query, slots)).body),
      );
      return all.filter((number) => bodies.some((body) => body.includes(`id="${uuid(number)}"`)));
    };
    expect(await seen('treatingDoctor')).toEqual(all);
    expect(await seen('otherDoctor')).toEqual(shown);
  });

  test('asked by its author, is there; the set of others that holds it with it', async () => {
    const opened = await emptyRegistry();
    const author = authorOf(actors.otherDoctor.id);
    await register(opened, [
      doc(1, { confidentialityCodes: confidential('MASQUE_PS'), authors: [author] }),
      lot(20),
      link(101, 20, 1),
    ]);
    const slots: Slots = [['$XDSSubmissionSetEntryUUID', uuids(20)]];
    const own = await ask(opened, as('otherDoctor'), 'GetSubmissionSetAndContents', slots);
    expect([own.sets, own.documents, own.associations]).toEqual([[20], [1], [101]]);
    const other = await ask(opened, as('dentist'), 'GetSubmissionSetAndContents', slots);
    expect([other.sets, other.documents, other.associations]).toEqual([[], [], []]);
  });

  test("one's own set stays when its member is hidden", async () => {
    const opened = await emptyRegistry();
    await register(opened, [
      doc(1, { confidentialityCodes: confidential('MASQUE_PS') }),
      lot(20, {}, { ...nobody, professionals: [actors.otherDoctor.id] }),
      link(101, 20, 1),
    ]);
    const slots: Slots = [['$XDSSubmissionSetEntryUUID', uuids(20)]];
    const { sets, documents, associations } = await ask(
      opened,
      as('otherDoctor'),
      'GetSubmissionSetAndContents',
      slots,
    );
    expect([sets, documents, associations]).toEqual([[20], [], []]);
  });

  test('an older version of an entry that is masked now is hidden with it', async () => {
    const opened = await emptyRegistry();
    await register(opened, [doc(1), lot(20), link(101, 20, 1)]);
    const entry = document(2, {
      logicalID: uuid(1),
      uniqueId: '2.999.1.1',
      version: 2,
      confidentialityCodes: confidential('MASQUE_PS'),
    });
    await register(opened, [{ kind: 'version', entry, of: uuid(1), registeredAt: 2 }]);
    for (const [name, slots] of everyQuery([1, 2, 20, 101]))
      expect((await ask(opened, as('otherDoctor'), name, slots)).body).not.toMatch(/00000000000[12]"|2\.999\.1\.1"/);
  });
});

describe('a structure', () => {
  let world: World<Store>;
  beforeAll(async () => {
    const opened = await emptyRegistry();
    const own = { ...nobody, structures: [actors.hospital.structure.id] };
    await register(opened, [
      doc(1, {}, own),
      doc(2),
      lot(20, {}, own),
      link(101, 20, 1),
      lot(21),
      link(112, 21, 2),
      lot(22),
      link(121, 22, 1),
      link(122, 22, 2),
      binder(30),
      binder(31),
      link(203, 31, 1),
      link(204, 31, 2),
      link(302, 1, 2, 'RPLC'),
    ]);
    world = opened;
  });
  const own = [1, 20, 101, 22, 121, 31, 203];

  test('finds what it filed, by name, and what holds it', async () => {
    const all = [...own, 2, 21, 112, 122, 30, 204, 302];
    const byName = everyQuery(all).filter(([name]) => !name.startsWith('Find') && name !== 'GetAll');
    const bodies = await Promise.all(
      byName.map(async ([name, slots]) => {
        const asked = await ask(world, as('hospital'), name, slots);
        expect(asked.status).toBe('Success');
        return asked.body;
      }),
    );
    expect(all.filter((n) => bodies.some((body) => body.includes(uuid(n))))).toEqual(own);
  });

  test.each(everyQuery([1]).filter(([name]) => name.startsWith('Find') || name === 'GetAll'))(
    'does not search: %s',
    async (name, slots) => {
      expect(await ask(world, as('hospital'), name, slots)).toMatchObject({
        status: 'Failure',
        codes: ['XDSRegistryError'],
      });
    },
  );
});

describe('a professional without authorisation', () => {
  test.each(everyQuery([1, 20, 101, 30]))('learns in %s that he has no right, whatever exists', async (name, slots) => {
    const opened = await emptyRegistry();
    await register(opened, [doc(1), lot(20), link(101, 20, 1), binder(30)]);
    const asked = await ask(opened, as('stranger'), name, slots);
    expect([asked.status, asked.codes]).toEqual(['Failure', ['XDSRegistryError']]);
    expect(asked.contexts[0]).toMatch(/^DMPAccessDeniedByRightsService/);
  });
});

/** A registry as it may come: documents, sets and folders hold one another, and everything is hidden from somebody. */
type Drawn = {
  readonly documents: readonly {
    codes: (typeof visibilityCodes)[number][];
    owner: ActorName | undefined;
    refused: boolean;
  }[];
  readonly sets: readonly { owner: ActorName | undefined; documents: number[]; folders: number[]; links: number[] }[];
  readonly folders: readonly (readonly number[])[];
  readonly relations: readonly (readonly [number, number])[];
};
const places = fc.uniqueArray(fc.nat({ max: 5 }), { maxLength: 3 });
const owner = fc.option(fc.constantFrom<ActorName>('otherDoctor', 'dentist', 'hospital', 'holder'), { nil: undefined });
const drawn: fc.Arbitrary<Drawn> = fc.record({
  documents: fc.array(
    fc.record({
      codes: fc.uniqueArray(fc.constantFrom(...visibilityCodes), { maxLength: 2 }),
      owner,
      refused: fc.boolean(),
    }),
    { minLength: 2, maxLength: 6 },
  ),
  sets: fc.array(fc.record({ owner, documents: places, folders: places, links: places }), { maxLength: 3 }),
  folders: fc.array(places, { maxLength: 3 }),
  relations: fc.array(fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 5 })), { maxLength: 4 }),
});

function ownersOf(name: ActorName | undefined): Owners {
  const actor = name === undefined ? undefined : actors[name];
  return {
    professionals: actor?.kind === 'professional' ? [actor.id] : [],
    structures: actor?.kind === 'structure' ? [actor.structure.id] : [],
    patient: actor?.kind === 'patient',
  };
}

/** The rows of a registry, with what they say about who holds what. */
function rowsOf({ documents, sets, folders, relations }: Drawn) {
  const documentIds = documents.map((_, index) => index + 1);
  const folderIds = folders.map((_, index) => index + 31);
  const entries = documents.map(
    ({ codes, refused }, index): DocumentEntry =>
      document(index + 1, {
        confidentialityCodes: confidential(...codes),
        ...(refused && { typeCode: { code: '80788-3', system: '2.16.840.1.113883.6.1' } }),
      }),
  );
  let next = 100;
  const links: { id: number; source: number; target: number; type: 'HasMember' | 'RPLC' }[] = [];
  const add = (source: number, target: number | undefined, type: 'HasMember' | 'RPLC' = 'HasMember') => {
    if (target !== undefined && source !== target) links.push({ id: next++, source, target, type });
  };
  folders.forEach((members, index) => {
    for (const member of members) add(index + 31, documentIds[member]);
  });
  for (const [from, to] of relations)
    if (documentIds[from] !== undefined) add(documentIds[from], documentIds[to], 'RPLC');
  const inner = links.map(({ id }) => id);
  sets.forEach((set, index) => {
    for (const member of set.documents) add(index + 21, documentIds[member]);
    for (const member of set.folders) add(index + 21, folderIds[member]);
    for (const member of set.links) add(index + 21, inner[member]);
  });
  const rows: Row[] = [
    ...entries.map((entry, index) => doc(index + 1, entry, ownersOf(documents[index]?.owner))),
    ...folderIds.map((id) => binder(id)),
    ...sets.map((set, index) => lot(index + 21, {}, ownersOf(set.owner))),
    ...links.map(({ id, source, target, type }) => link(id, source, target, type)),
  ];
  const setIds = sets.map((set, index) => ({ id: index + 21, owners: ownersOf(set.owner) }));
  return { rows, entries, folderIds, setIds, links };
}

const viewers: readonly (readonly [ActorName, Mode])[] = [
  ['holder', 'normal'],
  ['representative', 'normal'],
  ['treatingDoctor', 'normal'],
  ['otherDoctor', 'normal'],
  ['otherDoctor', 'breakGlass'],
  ['occupationalDoctor', 'normal'],
  ['dentist', 'normal'],
  ['hospital', 'normal'],
  ['stranger', 'normal'],
];

/** Everything that a caller gets, by all queries, is what the permit of `decide()` lets exist; and a search misses nothing of it. */
async function agrees(world: World<Store>, registry: Drawn, [name, mode]: (typeof viewers)[number]): Promise<void> {
  const { rows, entries, folderIds, setIds, links } = rowsOf(registry);
  await register(world, rows);
  const request: Request = {
    ...as(name),
    caller: { ...as(name).caller, mode, ...(mode === 'breakGlass' && { reason: 'patient inconscient' }) },
  };
  const facts = await world.tools.store.facts.recordById(firstRecord);
  const around = { ...world.tools.settings, now: world.tools.now() };
  const decision = decide({ caller: request.caller, action: 'lookUpDocuments' }, facts, around);
  const visibility = 'permit' in decision ? decision.permit.visibility : undefined;
  const documents = entries.filter((entry, index) => {
    const drawnDocument = registry.documents[index];
    const known = factsOfDocument(entry, ownersOf(drawnDocument?.owner));
    return visibility !== undefined && isVisible(known, visibility);
  });
  const exists = new Set(documents.map(({ entryUUID }) => entryUUID));
  const targets = (id: number) => links.filter(({ source }) => source === id).map(({ target }) => uuid(target));
  for (const id of folderIds) {
    const members = targets(id);
    const ownAlone = visibility?.only === 'ownStructure' || visibility?.refusedTypes === 'all';
    if (members.length === 0 ? !ownAlone : members.some((m) => exists.has(m))) exists.add(uuid(id));
  }
  const isSet = (id: number) => setIds.some((set) => set.id === id);
  for (const { id, source, target } of links)
    if ((isSet(source) || exists.has(uuid(source))) && exists.has(uuid(target))) exists.add(uuid(id));
  for (const { id, owners } of setIds)
    if (targets(id).some((member) => exists.has(member)) || (visibility && isOwn(owners, visibility.viewer)))
      exists.add(uuid(id));
  const numbers = [
    ...entries.map((_, index) => index + 1),
    ...folderIds,
    ...setIds.map(({ id }) => id),
    ...links.map(({ id }) => id),
  ];
  const hidden = numbers.map(uuid).filter((id) => !exists.has(id));
  for (const [query, slots] of everyQuery(numbers)) {
    const { body } = await ask(world, request, query, slots);
    for (const id of hidden) expect(body).not.toContain(id);
  }
  const whole = await ask(world, request, 'GetAssociations', [
    ['$uuid', uuids(...numbers)],
    ['$MetadataLevel', '2'],
  ]);
  const found = await ask(world, request, 'GetDocuments', [['$XDSDocumentEntryEntryUUID', uuids(...numbers)]]);
  const ids = (all: readonly number[]) => all.map(uuid).toSorted();
  if (visibility === undefined || (name === 'stranger' && documents.length === 0)) return;
  expect(ids(found.documents)).toEqual(documents.map(({ entryUUID }) => entryUUID).toSorted());
  expect(ids(whole.associations)).toEqual(
    links
      .map(({ id }) => uuid(id))
      .filter((id) => exists.has(id))
      .toSorted(),
  );
}

describe('what all queries give is within the permit, whoever asks', () => {
  const folders: string[] = [];
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true });
  });
  const viewer = fc.constantFrom(...viewers);

  test('in memory', async () => {
    await fc.assert(
      fc.asyncProperty(drawn, viewer, async (registry, who) => agrees(await emptyRegistry(), registry, who)),
      { numRuns: 40 },
    );
  });

  test('in the embedded store', async () => {
    await fc.assert(
      fc.asyncProperty(drawn, viewer, async (registry, who) => {
        const folder = mkdtempSync(join(tmpdir(), 'opendmp-hidden-'));
        folders.push(folder);
        const store = await openEmbedded({ folder, threads: false });
        try {
          const world = await worldOn({ store, blobs: memoryBlobs(memoryStore()) }, { seeded: false });
          await openRecords(world);
          await agrees(world, registry, who);
        } finally {
          await store.close();
        }
      }),
      { numRuns: 8 },
    );
  }, 30_000);
});
