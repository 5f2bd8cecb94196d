import { beforeAll, describe, expect, test } from '@jest/globals';
import type { MemoryStore } from '../../support/memory-store.ts';
import { association, code, document, folder, uuid } from '../../support/registry.ts';
import type { World } from '../../support/world.ts';
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
  otherHolder,
  type QueryName,
  quoted,
  register,
  type Slots,
  secondRecord,
  status,
  types,
  unnamed,
  uuids,
} from './registry.ts';

let world: World<MemoryStore>;

/**
 * Set 20 filed documents 1 and 2, folder 30 and the membership of 1 in it; set 21 filed 3, which replaces 2; set 22 filed version 5 of 4 and
 * version 32 of folder 31. 6 is on-demand and 7 its snapshot, 8 is offline.
 */
beforeAll(async () => {
  world = await emptyRegistry();
  await register(world, [
    doc(1, { formatCode: code('F1'), confidentialityCodes: [code('X')] }),
    doc(2),
    { kind: 'status', document: uuid(2), status: 'deprecated' },
    doc(3),
    doc(4),
    doc(6, { objectType: 'onDemand' }),
    doc(7),
    doc(8, { documentAvailability: 'offline' }),
    lot(20),
    link(101, 20, 1),
    link(102, 20, 2),
    binder(30),
    link(130, 20, 30),
    link(201, 30, 1),
    link(103, 20, 201),
    lot(21),
    link(111, 21, 3),
    link(302, 3, 2, 'RPLC'),
    link(303, 7, 6, 'IsSnapshotOf'),
    link(304, 7, 3, 'APND'),
    { kind: 'associationState', association: uuid(304), status: 'deprecated' },
    link(305, 8, 3, 'XFRM'),
    binder(31),
    link(202, 31, 1),
    link(203, 31, 4),
    link(204, 30, 4),
    { kind: 'associationState', association: uuid(204), status: 'deprecated' },
  ]);
  await register(world, [
    {
      kind: 'version',
      entry: document(5, { logicalID: uuid(4), uniqueId: '2.999.1.4', version: 2 }),
      of: uuid(4),
      registeredAt: 2,
    },
    { kind: 'status', document: uuid(4), status: 'deprecated' },
    { kind: 'folderState', folder: uuid(31), status: 'deprecated' },
    { kind: 'folder', folder: folder(32, { logicalID: uuid(31), uniqueId: '2.999.3.31', version: 2 }) },
    lot(22),
    { kind: 'association', association: { ...association(121, 22, 5), previousVersion: '1' } },
    link(122, 22, 32),
    link(211, 32, 1),
    link(212, 32, 5),
  ]);
  await register(world, [doc(51), lot(52), link(53, 52, 51), binder(54), link(55, 54, 51)], secondRecord);
});

type Expected = { documents?: number[]; sets?: number[]; folders?: number[]; associations?: number[] };
const nothing = { documents: [], sets: [], folders: [], associations: [] };
const sorted = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b);

async function answer(name: QueryName, slots: Slots) {
  const asked = await ask(world, as('otherDoctor'), name, slots);
  expect([asked.status, asked.codes]).toEqual(['Success', []]);
  const { documents, sets, folders, associations } = asked;
  return {
    documents: sorted(documents),
    sets: sorted(sets),
    folders: sorted(folders),
    associations: sorted(associations),
  };
}

const level2: Slots[number] = ['$MetadataLevel', '2'];
const deprecated: Slots[number] = ['$XDSAssociationStatus', status('deprecated')];
const entryUuid = (...n: number[]): Slots[number] => ['$XDSDocumentEntryEntryUUID', uuids(...n)];
const entryId = (...n: number[]): Slots[number] => [
  '$XDSDocumentEntryUniqueId',
  quoted(...n.map((one) => `2.999.1.${one}`)),
];
const setUuid = (n: number): Slots[number] => ['$XDSSubmissionSetEntryUUID', uuids(n)];
const folderUuid = (...n: number[]): Slots[number] => ['$XDSFolderEntryUUID', uuids(...n)];
const folderId = (...n: number[]): Slots[number] => ['$XDSFolderUniqueId', quoted(...n.map((one) => `2.999.3.${one}`))];
const named = (...n: number[]): Slots[number] => ['$uuid', uuids(...n)];

const cases: { readonly [name in QueryName]?: readonly (readonly [string, Slots, Expected])[] } = {
  GetDocuments: [
    ['by entryUUID, whatever the status', [entryUuid(1, 2, 99)], { documents: [1, 2] }],
    [
      'by entryUUID in upper case',
      [['$XDSDocumentEntryEntryUUID', quoted(`urn:uuid:${uuid(1).slice(9).toUpperCase()}`)]],
      { documents: [1] },
    ],
    ['by uniqueId', [entryId(1, 3)], { documents: [1, 3] }],
    ['by uniqueId of several versions: the latest', [entryId(4)], { documents: [5] }],
    ['by uniqueId of several versions at level 2', [entryId(4), level2], { documents: [4, 5] }],
    ['an older version by entryUUID', [entryUuid(4)], {}],
    ['an older version by entryUUID at level 2', [entryUuid(4), level2], { documents: [4] }],
    ['by logicalID', [['$XDSDocumentEntryLogicalID', uuids(4)]], { documents: [5] }],
    ['by logicalID at level 2', [['$XDSDocumentEntryLogicalID', uuids(4)], level2], { documents: [4, 5] }],
    ['offline', [entryUuid(8)], {}],
    ['offline at level 2', [entryUuid(8), level2], { documents: [8] }],
    ['on-demand', [entryUuid(6)], { documents: [6] }],
    ['of another record', [entryUuid(51)], {}],
    ['what is a folder', [entryUuid(30)], {}],
  ],
  GetFolders: [
    ['by entryUUID', [folderUuid(30, 99)], { folders: [30] }],
    ['by uniqueId of several versions: the latest', [folderId(31, 30)], { folders: [30, 32] }],
    ['by uniqueId at level 2', [folderId(31), level2], { folders: [31, 32] }],
    ['an older version', [folderUuid(31)], {}],
    ['an older version at level 2', [folderUuid(31), level2], { folders: [31] }],
    ['by logicalID', [['$XDSFolderLogicalID', uuids(31)]], { folders: [32] }],
    ['of another record', [folderUuid(54)], {}],
  ],
  GetAssociations: [
    ['that name one object at either end', [named(1)], { associations: [101, 201, 202, 211] }],
    ['that name one of several', [named(20, 3)], { associations: [101, 102, 103, 111, 130, 302, 305] }],
    ['deprecated ones at level 2', [named(7), level2], { associations: [303, 304] }],
    ['deprecated ones alone', [named(7), level2, deprecated], { associations: [304] }],
    ['deprecated ones at level 1', [named(7), deprecated], {}],
    ['that name an association', [named(201)], { associations: [103] }],
    ['unknown or of another record', [named(99, 51)], {}],
  ],
  GetDocumentsAndAssociations: [
    ['by entryUUID', [entryUuid(2)], { documents: [2], associations: [102, 302] }],
    ['by uniqueId', [entryId(3, 1)], { documents: [1, 3], associations: [101, 111, 201, 202, 211, 302, 305] }],
    ['at level 2', [entryUuid(4, 7), level2], { documents: [4, 7], associations: [203, 204, 303, 304] }],
    ['at level 1', [entryUuid(4, 7)], { documents: [7], associations: [303] }],
    ['deprecated associations alone', [entryUuid(4), level2, deprecated], { documents: [4], associations: [204] }],
    ['of another record', [entryUuid(51)], {}],
  ],
  GetSubmissionSets: [
    ['of a document', [named(1)], { sets: [20], associations: [101] }],
    ['of a folder', [named(30)], { sets: [20], associations: [130] }],
    ['of an association', [named(201)], { sets: [20], associations: [103] }],
    ['of several', [named(2, 3, 5)], { sets: [20, 21, 22], associations: [102, 111, 121] }],
    ['of what no set holds, and of another record', [named(6, 51)], {}],
    ['of a set', [named(20)], {}],
  ],
  GetSubmissionSetAndContents: [
    [
      'the set, its contents, and the associations that it holds',
      [setUuid(20)],
      { sets: [20], documents: [1, 2], folders: [30], associations: [101, 102, 103, 130, 201] },
    ],
    [
      'by uniqueId',
      [['$XDSSubmissionSetUniqueId', "'2.999.2.21'"]],
      { sets: [21], documents: [3], associations: [111] },
    ],
    [
      'format: an association held goes with its end',
      [setUuid(20), ['$XDSDocumentEntryFormatCode', quoted('F9^^1.2.250.1.213.1.1.4.1')]],
      { sets: [20], folders: [30], associations: [130] },
    ],
    [
      'confidentiality',
      [setUuid(20), ['$XDSDocumentEntryConfidentialityCode', quoted('X^^1.2.250.1.213.1.1.4.1')]],
      { sets: [20], documents: [1], folders: [30], associations: [101, 103, 130, 201] },
    ],
    [
      'objectType',
      [setUuid(20), ['$XDSDocumentEntryType', types('onDemand')]],
      { sets: [20], folders: [30], associations: [130] },
    ],
    ['versions', [setUuid(22)], { sets: [22], documents: [5], folders: [32], associations: [121, 122] }],
    ['of another record', [setUuid(52)], {}],
    ['unknown', [setUuid(99)], {}],
  ],
  GetFolderAndContents: [
    [
      'the folder, its documents and their memberships',
      [folderUuid(30)],
      { folders: [30], documents: [1], associations: [201] },
    ],
    ['by uniqueId: the latest version', [folderId(31)], { folders: [32], documents: [1, 5], associations: [211, 212] }],
    [
      'by uniqueId at level 2: all versions with their associations',
      [folderId(31), level2],
      { folders: [31, 32], documents: [1, 4, 5], associations: [202, 203, 211, 212] },
    ],
    [
      'an older version by entryUUID at level 2',
      [folderUuid(31), level2],
      { folders: [31], documents: [1, 4], associations: [202, 203] },
    ],
    ['an older version by entryUUID', [folderUuid(31)], {}],
    [
      'deprecated members at level 2',
      [folderUuid(30), level2],
      { folders: [30], documents: [1, 4], associations: [201, 204] },
    ],
    [
      'deprecated members alone',
      [folderUuid(30), level2, deprecated],
      { folders: [30], documents: [4], associations: [204] },
    ],
    [
      'format',
      [folderUuid(32), ['$XDSDocumentEntryFormatCode', quoted('F1^^1.2.250.1.213.1.1.4.1')]],
      { folders: [32], documents: [1], associations: [211] },
    ],
    [
      'confidentiality',
      [folderUuid(32), ['$XDSDocumentEntryConfidentialityCode', quoted('Z^^1.2.250.1.213.1.1.4.1')]],
      { folders: [32] },
    ],
    ['objectType', [folderUuid(32), ['$XDSDocumentEntryType', types('onDemand')]], { folders: [32] }],
    ['of another record', [folderUuid(54)], {}],
  ],
  GetFoldersForDocument: [
    ['approved and latest ones', [entryUuid(1)], { folders: [30, 32] }],
    ['at level 2', [entryUuid(1), level2], { folders: [30, 31, 32] }],
    ['by uniqueId of several versions', [entryId(4)], { folders: [32] }],
    ['by uniqueId at level 2', [entryId(4), level2], { folders: [30, 31, 32] }],
    ['by memberships that are deprecated', [entryUuid(4), level2, deprecated], { folders: [30] }],
    ['an older version', [entryUuid(4)], {}],
    ['in no folder', [entryUuid(3)], {}],
  ],
  GetRelatedDocuments: [
    [
      'the association and both documents',
      [entryUuid(2), ['$AssociationTypes', kinds('RPLC')]],
      { documents: [2, 3], associations: [302] },
    ],
    [
      'by uniqueId, from the other end',
      [entryId(3), ['$AssociationTypes', kinds('RPLC', 'APND')]],
      { documents: [2, 3], associations: [302] },
    ],
    [
      'deprecated associations at level 2',
      [entryUuid(3), ['$AssociationTypes', kinds('APND')], level2],
      { documents: [3, 7], associations: [304] },
    ],
    [
      'deprecated associations alone',
      [entryUuid(3), ['$AssociationTypes', kinds('APND', 'RPLC')], level2, deprecated],
      { documents: [3, 7], associations: [304] },
    ],
    ['nothing where there is no such association', [entryUuid(1), ['$AssociationTypes', kinds('RPLC')]], {}],
    ['an offline document at the other end', [entryUuid(3), ['$AssociationTypes', kinds('XFRM')]], {}],
    [
      'the same at level 2',
      [entryUuid(3), ['$AssociationTypes', kinds('XFRM')], level2],
      { documents: [3, 8], associations: [305] },
    ],
    [
      'a stable document at the other end, asked from the on-demand one',
      [entryUuid(6), ['$AssociationTypes', kinds('IsSnapshotOf')]],
      { documents: [6, 7], associations: [303] },
    ],
    ['an on-demand document at the other end', [entryUuid(7), ['$AssociationTypes', kinds('IsSnapshotOf')]], {}],
    [
      'the same with objectType',
      [entryUuid(7), ['$AssociationTypes', kinds('IsSnapshotOf')], ['$XDSDocumentEntryType', types('onDemand')]],
      { documents: [6, 7], associations: [303] },
    ],
    ['memberships join no two documents', [entryUuid(1), ['$AssociationTypes', kinds('HasMember')]], {}],
  ],
};

for (const [name, rows] of Object.entries(cases) as [QueryName, NonNullable<(typeof cases)[QueryName]>][])
  describe(name, () => {
    test.each(rows)('%s', async (_what, slots, expected) => {
      expect(await answer(name, slots)).toEqual({ ...nothing, ...expected });
    });

    test('references name the same objects', async () => {
      const [, slots = [], expected] = rows[0] ?? [];
      const { refs, documents, associations } = await ask(world, as('otherDoctor'), name, slots, 'ObjectRef');
      expect(sorted(refs)).toEqual(sorted(Object.values(expected ?? {}).flat()));
      expect([documents, associations]).toEqual([[], []]);
    });
  });

test('a membership keeps its PreviousVersion', async () => {
  const { body } = await ask(world, as('otherDoctor'), 'GetAssociations', [named(22)]);
  expect(body).toContain('<rim:Slot name="PreviousVersion"><rim:ValueList><rim:Value>1</rim:Value>');
});

test('objects answered carry logicalID, version and status', async () => {
  const { body } = await ask(world, as('otherDoctor'), 'GetDocuments', [entryUuid(4), level2]);
  expect(body).toMatch(new RegExp(`id="${uuid(4)}" lid="${uuid(4)}".*StatusType:Deprecated".*versionName="1"`));
  const latest = await ask(world, as('otherDoctor'), 'GetFolders', [folderId(31)]);
  expect(latest.body).toMatch(new RegExp(`id="${uuid(32)}" lid="${uuid(31)}".*StatusType:Approved".*versionName="2"`));
  const old = await ask(world, as('otherDoctor'), 'GetAssociations', [named(7), level2, deprecated]);
  expect(old.body).toMatch(/StatusType:Deprecated" associationType="urn:ihe:iti:2007:AssociationType:APND"/);
});

describe('the trace', () => {
  const traced = async (name: QueryName, slots: Slots) => {
    await ask(world, as('otherDoctor'), name, slots);
    const event = world.tools.store.events().at(-1);
    return {
      ...event,
      documents: sorted(event?.documents?.map((d) => Number.parseInt(d.entryUUID.slice(-12), 16)) ?? []),
    };
  };

  test('names the documents answered and those of associations answered', async () => {
    expect(await traced('GetSubmissionSetAndContents', [setUuid(20)])).toMatchObject({
      action: 'lookUpDocuments',
      outcome: 'done',
      documents: [1, 2],
      query: `GetSubmissionSetAndContents $XDSSubmissionSetEntryUUID=${uuids(20)}`,
    });
    expect(await traced('GetAssociations', [named(3)])).toMatchObject({ documents: [2, 3, 8] });
    expect(await traced('GetFolders', [folderUuid(30)])).toMatchObject({ documents: [] });
  });
});

describe('of one patient', () => {
  const pairs: readonly (readonly [QueryName, Slots])[] = [
    ['GetDocuments', [entryUuid(1, 51)]],
    ['GetDocuments', [entryId(1, 51)]],
    ['GetFolders', [folderUuid(30, 54)]],
    ['GetFolders', [folderId(30, 54)]],
    ['GetSubmissionSets', [named(1, 51)]],
  ];
  const associations: typeof pairs = [
    ['GetAssociations', [named(1, 51)]],
    ['GetAssociations', [named(1, 52)]],
  ];
  test.each(pairs)('%s that names objects of two patients, both open to the caller', async (name, slots) => {
    const refused = await ask(world, unnamed('otherDoctor'), name, slots);
    expect([refused.status, refused.codes, refused.list]).toEqual([
      'Failure',
      ['XDSResultNotSinglePatient'],
      expect.anything(),
    ]);
  });

  test('GetAssociations answers no object of a patient: associations of both are there', async () => {
    for (const [name, slots] of associations) {
      const { status: told, associations: found } = await ask(world, unnamed('otherDoctor'), name, slots);
      expect(told).toBe('Success');
      expect([found.includes(53), found.length > 1]).toEqual([true, true]);
    }
  });

  test.each([...pairs, ...associations])('%s by reference: the objects of both', async (name, slots) => {
    const events = world.tools.store.events().length;
    const { status: told, refs } = await ask(world, unnamed('otherDoctor'), name, slots, 'ObjectRef');
    expect(told).toBe('Success');
    const others = [51, 52, 53, 54].filter((number) => refs.includes(number));
    expect([others.length > 0, refs.length > others.length]).toEqual([true, true]);
    const records = world.tools.store
      .events()
      .slice(events)
      .map(({ record }) => record);
    expect(new Set(records)).toEqual(new Set([firstRecord, secondRecord]));
    expect((await ask(world, unnamed('stranger'), name, slots, 'ObjectRef')).refs).toEqual([]);
  });

  test.each([...pairs, ...associations])(
    '%s: with a patient in the assertion, the others do not exist',
    async (name, slots) => {
      const [first, second] = await Promise.all(
        [as('otherDoctor'), as('otherDoctor', otherHolder)].map(async (request) => ask(world, request, name, slots)),
      );
      expect([first?.status, second?.status]).toEqual(['Success', 'Success']);
      for (const id of [51, 52, 53, 54].map(uuid)) expect(first?.body).not.toContain(id);
      for (const id of [1, 20, 30].map(uuid)) expect(second?.body).not.toContain(id);
    },
  );

  test('nothing is told of objects that the caller has no right to', async () => {
    const unknown = await ask(world, unnamed('stranger'), 'GetDocuments', [entryUuid(99)]);
    const closed = await ask(world, unnamed('stranger'), 'GetDocuments', [entryUuid(1)]);
    expect([closed.status, closed.codes, closed.contexts]).toEqual([unknown.status, unknown.codes, unknown.contexts]);
    expect([closed.status, closed.documents]).toEqual(['Success', []]);
    const events = world.tools.store.events().slice(-2);
    expect(events.map(({ outcome, ground }) => [outcome, ground])).toEqual([
      ['refused', 'unknownRecord'],
      ['refused', 'notAuthorised'],
    ]);
  });

  test('nor of a second patient whom the caller may not see', async () => {
    const { tools } = world;
    const facts = await tools.store.facts.recordById(secondRecord);
    const consents = (facts?.consents ?? []).map((consent) => ({ ...consent, status: 'inactive' as const }));
    await register(
      world,
      consents.map((consent) => ({ kind: 'consent', consent })),
      secondRecord,
    );
    const asked = await ask(world, unnamed('otherDoctor'), 'GetDocuments', [entryUuid(1, 51)]);
    expect([asked.status, asked.documents]).toEqual(['Success', [1]]);
  });
});

test('a domain that says nothing of unknown patients answers with nothing', async () => {
  const { settings } = world.tools;
  const quiet = {
    ...world,
    tools: {
      ...world.tools,
      settings: { ...settings, domain: { ...settings.domain, unknownPatientInQueries: 'empty' as const } },
    },
  };
  const unknown = { value: '199999999999999', oid: otherHolder.oid };
  const find: Slots = [['$XDSDocumentEntryStatus', status('approved')]];
  expect(await ask(quiet, as('otherDoctor', unknown), 'FindDocuments', find)).toMatchObject({
    status: 'Success',
    documents: [],
  });
  expect(await ask(quiet, unnamed('otherDoctor'), 'GetDocuments', [entryUuid(99)])).toMatchObject({
    status: 'Success',
  });
  expect(await ask(world, as('otherDoctor', unknown), 'FindDocuments', find)).toMatchObject({
    status: 'Failure',
    codes: ['XDSUnknownPatientId'],
  });
});
