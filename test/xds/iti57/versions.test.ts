import { beforeEach, describe, expect, test } from '@jest/globals';
import type { DocumentEntry } from '../../../server/domain/document.ts';
import { iti57 } from '../../../server/xds/iti57.ts';
import { openWorld } from '../../support/world.ts';
import { handled, seen } from '../handled.ts';
import {
  associationsOf,
  entryOf,
  everyVersion,
  foldered,
  foldersOf,
  reading,
  registered,
  type Sandbox,
  stored,
} from '../registered.ts';
import {
  cxOf,
  linking,
  memberOf,
  nextFolder,
  nextVersion,
  restating,
  setOf,
  submitting,
} from '../registry-messages.ts';

let world: Sandbox;
let entry: DocumentEntry;
beforeEach(async () => {
  world = await openWorld();
  entry = await registered(world, '2.999.80.1');
});

const send = async (...objects: string[]) =>
  seen(await handled(iti57, world, world.as('dr-martin'), submitting(setOf(world, 'dr-martin'), ...objects)));
const title = (value: string) => ({ title: { value } });
const nowhere = 'urn:uuid:00000000-0000-4000-8000-00000000dead';
const told = async (...objects: string[]) => {
  const before = world.tools.store.events().length;
  const { status, errors } = await send(...objects);
  expect(status).toBe('Failure');
  expect(world.tools.store.events().length).toBe(before + 1);
  return errors.map(({ code, location }) => `${code} ${location}`);
};

describe('a new version of an entry', () => {
  test('is the latest, with the same logicalID, uniqueId, document and status; the one before is deprecated', async () => {
    expect(await send(nextVersion(entry, title('Corrected')))).toMatchObject({ status: 'Success', errors: [] });
    const [former, next] = await everyVersion(world, '2.999.80.1');
    expect(next).toMatchObject({ ...title('Corrected'), version: 2, status: 'approved', logicalID: entry.logicalID });
    expect(next?.entryUUID).not.toBe(entry.entryUUID);
    expect(next).toMatchObject({ hash: entry.hash, size: entry.size, uniqueId: entry.uniqueId });
    expect(former).toEqual({ ...entry, status: 'deprecated' });
  });

  test('its membership keeps PreviousVersion', async () => {
    await send(nextVersion(entry, title('Corrected')));
    const { entryUUID } = await stored(world, '2.999.80.1');
    expect(await associationsOf(world, entryUUID)).toMatchObject([
      { type: 'HasMember', target: entryUUID, submissionSetStatus: 'Original', previousVersion: '1' },
    ]);
  });

  test('the next one follows it', async () => {
    await send(nextVersion(entry, title('2')));
    await send(nextVersion(await stored(world, '2.999.80.1'), title('3')));
    const versions = await everyVersion(world, '2.999.80.1');
    expect(versions.map(({ version, status }) => `${version} ${status}`)).toEqual([
      '1 deprecated',
      '2 deprecated',
      '3 approved',
    ]);
  });

  test('leaves one event with its action, its set and the new name', async () => {
    await send(nextVersion(entry, title('Corrected')));
    const { entryUUID } = await stored(world, '2.999.80.1');
    const event = world.tools.store.events().findLast(({ origin }) => origin.transaction === 'ITI-57');
    expect(event).toMatchObject({
      action: 'updateDocument',
      outcome: 'done',
      documents: [{ entryUUID, uniqueId: '2.999.80.1' }],
      submissionSet: { uniqueId: expect.stringMatching(/^2\.999\.77\./) },
    });
  });

  test.each([
    ['a first version', () => nextVersion({ ...entry, logicalID: 'next1' }), ['XDSInvalidRequestException next1']],
    [
      'of an entry that is not there',
      () => nextVersion({ ...entry, logicalID: nowhere }),
      ['UnresolvedReferenceException next1'],
    ],
    [
      'without PreviousVersion',
      () => nextVersion(entry).replace(/<rim:Slot name="PreviousVersion">.*?<\/rim:Slot>/, ''),
      ['XDSMetadataVersionError next1'],
    ],
    [
      'of another version than the latest',
      () => nextVersion(entry, {}, { previousVersion: '7' }),
      ['XDSMetadataVersionError next1'],
    ],
    [
      'under another uniqueId',
      () => nextVersion(entry, { uniqueId: '2.999.80.99' }),
      ['XDSMetadataIdentifierError next1'],
    ],
    [
      'that is no member of the set',
      () => nextVersion(entry).replace(/<rim:Association.*/, ''),
      ['XDSMetadataUpdateOperationError next1'],
    ],
    ['of another document', () => nextVersion(entry, { hash: '0'.repeat(40) }), ['XDSMetadataUpdateError next1']],
    [
      'of another repository',
      () => nextVersion(entry, { repositoryUniqueId: '2.999.7' }),
      ['XDSMetadataUpdateError next1'],
    ],
    [
      'of another patient',
      () => nextVersion(entry, { patientId: cxOf(world.ins('casanova')) }),
      ['XDSPatientIDReconciliationError next1'],
    ],
    [
      'that is incomplete',
      () => nextVersion(entry).replace(/<rim:Slot name="(hash|size|languageCode)">.*?<\/rim:Slot>/g, ''),
      ['XDSRegistryMetadataError next1', 'XDSRegistryMetadataError next1', 'XDSRegistryMetadataError next1'],
    ],
    [
      'with a code outside of the domain',
      () => nextVersion(entry, { typeCode: { code: 'nope', system: '2.999' } }),
      ['XDSRegistryMetadataError next1'],
    ],
  ])('%s is refused', async (_, message, errors) => {
    expect(await told(message())).toEqual(errors);
    expect(await everyVersion(world, '2.999.80.1')).toEqual([entry]);
  });

  test('twice in one message is refused, and all problems are told at once', async () => {
    const twice = nextVersion(entry) + nextVersion(entry, { entryUUID: 'next2' }, { previousVersion: '9' });
    expect(await told(twice)).toEqual(
      expect.arrayContaining(['XDSRegistryDuplicateUniqueIdInMessage next2', 'XDSMetadataVersionError next2']),
    );
    const same = nextVersion(entry) + nextVersion(entry, { entryUUID: 'next2' });
    expect(await told(same)).toContain('XDSMetadataUpdateOperationError next2');
  });

  test('a uniqueId of the set that is taken', async () => {
    const used = setOf(world, 'dr-martin', { uniqueId: '2.999.80.1' });
    const answer = await seen(await handled(iti57, world, world.as('dr-martin'), submitting(used, nextVersion(entry))));
    expect(answer.errors.map(({ code }) => code)).toEqual(expect.arrayContaining(['XDSDuplicateUniqueIdInRegistry']));
  });

  test('of two at once one is done, the other is out of date', async () => {
    const answers = await Promise.all([send(nextVersion(entry, title('a'))), send(nextVersion(entry, title('b')))]);
    const outcomes = answers.map(({ status, errors }) => [status, ...errors.map(({ code }) => code)].join(' '));
    expect(outcomes.sort()).toEqual(['Failure XDSMetadataVersionError', 'Success']);
    expect(await everyVersion(world, '2.999.80.1')).toHaveLength(2);
  });

  test('what was replaced stays deprecated', async () => {
    await registered(world, '2.999.80.2', { more: [linking('RPLC', 'doc1', entry.entryUUID)] });
    const old = await stored(world, '2.999.80.1');
    await send(nextVersion(old, title('Corrected')));
    expect(await stored(world, '2.999.80.1')).toMatchObject({ version: 2, status: 'deprecated' });
  });

  test('may change its status in the same message', async () => {
    await send(nextVersion(entry, title('Corrected')), restating('next1', 'approved', 'archived'));
    expect((await everyVersion(world, '2.999.80.1')).map(({ status }) => status)).toEqual(['deprecated', 'archived']);
    const actions = world.tools.store.events().filter(({ origin }) => origin.transaction === 'ITI-57');
    expect(actions.map(({ action }) => action)).toEqual(['updateDocument', 'archive']);
  });
});

test.each([
  ['INVISIBLE_PATIENT', 0],
  [undefined, 100],
] as const)('a folder that receives a document with %s keeps its time, or goes on by %d', async (code, by) => {
  const folder = await foldered(world, '2.999.81.1', entry);
  const put = await registered(world, '2.999.80.2', { codes: code === undefined ? [] : [code] });
  world.clock.now += 60_000;
  const sent = await send(
    linking('HasMember', folder.entryUUID, put.entryUUID, { entryUUID: 'in' }),
    linking('SubmitAssociation', 'ss1', 'in'),
  );
  expect(sent).toMatchObject({ status: 'Success' });
  expect((await associationsOf(world, folder.entryUUID)).map(({ target }) => target)).toContain(put.entryUUID);
  const [now] = await foldersOf(world, folder.logicalID);
  expect(Number(now?.lastUpdateTime) - Number(folder.lastUpdateTime)).toBe(by);
});

describe('a new version of a folder', () => {
  test('keeps its documents; its lastUpdateTime is now', async () => {
    const folder = await foldered(world, '2.999.81.1', entry);
    world.clock.now += 60_000;
    expect(await send(nextFolder(folder, title('Grossesse')))).toMatchObject({ status: 'Success' });
    const [former, next] = await foldersOf(world, folder.logicalID);
    expect(former).toEqual({ ...folder, status: 'deprecated' });
    expect(next).toMatchObject({ ...title('Grossesse'), version: 2, status: 'approved', logicalID: folder.logicalID });
    expect(Number(next?.lastUpdateTime)).toBe(Number(folder.lastUpdateTime) + 100);
    const members = (await associationsOf(world, next?.entryUUID ?? '')).filter(
      ({ source }) => source === next?.entryUUID,
    );
    expect(members).toMatchObject([{ type: 'HasMember', target: entry.entryUUID, status: 'approved' }]);
  });

  test.each([
    ['a first version', { logicalID: 'folder1' }, {}, 'XDSMetadataUpdateError folder1'],
    ['an unknown one', { logicalID: nowhere }, {}, 'UnresolvedReferenceException folder1'],
    ['a stale version', {}, { previousVersion: '2' }, 'XDSMetadataVersionError folder1'],
    ['another uniqueId', { uniqueId: '2.999.81.9' }, {}, 'XDSMetadataIdentifierError folder1'],
  ])('%s is refused', async (_, changes, membership, error) => {
    const folder = await foldered(world, '2.999.81.1', entry);
    expect(await told(nextFolder(folder, changes, membership))).toEqual([error]);
    expect(await foldersOf(world, folder.logicalID)).toEqual([folder]);
  });

  test('a deprecated one is refused', async () => {
    const folder = await foldered(world, '2.999.81.1', entry);
    await send(restating(folder.entryUUID, 'approved', 'deprecated'));
    expect(await told(nextFolder(folder))).toEqual(['XDSMetadataUpdateError folder1']);
  });
});

describe('propagation', () => {
  test('a new version is in the folders and the relationships of the one before', async () => {
    const folder = await foldered(world, '2.999.81.1', entry);
    const addendum = await registered(world, '2.999.80.2', { more: [linking('APND', 'doc1', entry.entryUUID)] });
    await send(nextVersion(entry, title('Corrected')));
    const { entryUUID } = await stored(world, '2.999.80.1');
    const found = await associationsOf(world, entryUUID);
    expect(found).toContainEqual(
      expect.objectContaining({ type: 'HasMember', source: folder.entryUUID, target: entryUUID }),
    );
    expect(found).toContainEqual(
      expect.objectContaining({ type: 'APND', source: addendum.entryUUID, target: entryUUID, status: 'approved' }),
    );
    const repeated = found.filter(({ previousVersion }) => previousVersion === undefined);
    const filed = await associationsOf(world, ...repeated.map((a) => a.entryUUID));
    expect(filed.map(({ type, target }) => `${type} ${target}`)).toEqual(
      repeated.map((a) => `HasMember ${a.entryUUID}`),
    );
    const old = await associationsOf(world, entry.entryUUID);
    expect(old.every(({ status }) => status === 'approved')).toBe(true);
    expect(old).toHaveLength(3);
  });

  test('but not when the source says no', async () => {
    await foldered(world, '2.999.81.1', entry);
    await send(nextVersion(entry, title('Corrected'), { associationPropagation: false }));
    const { entryUUID } = await stored(world, '2.999.80.1');
    expect(await associationsOf(world, entryUUID)).toMatchObject([
      { previousVersion: '1', associationPropagation: false },
    ]);
  });

  test('related objects that are updated together are connected new to new, once', async () => {
    const folder = await foldered(world, '2.999.81.1', entry);
    const addendum = await registered(world, '2.999.80.2', { more: [linking('APND', 'doc1', entry.entryUUID)] });
    const message = [nextVersion(entry), nextVersion(addendum, { entryUUID: 'next2' }), nextFolder(folder)];
    expect(await send(...message)).toMatchObject({ status: 'Success' });
    const [one, other] = [await stored(world, '2.999.80.1'), await stored(world, '2.999.80.2')];
    const [, next] = await foldersOf(world, folder.logicalID);
    const between = (await associationsOf(world, one.entryUUID)).filter(
      ({ previousVersion }) => previousVersion === undefined,
    );
    expect(between.map(({ type, source }) => `${type} ${source}`).sort()).toEqual(
      [`APND ${other.entryUUID}`, `HasMember ${next?.entryUUID}`].sort(),
    );
  });

  test('related objects with another AssociationPropagation are refused', async () => {
    const addendum = await registered(world, '2.999.80.2', { more: [linking('APND', 'doc1', entry.entryUUID)] });
    const message = [
      nextVersion(entry),
      nextVersion(addendum, { entryUUID: 'next2' }, { associationPropagation: false }),
    ];
    expect(await told(...message)).toEqual([expect.stringMatching(/^XDSMetadataUpdateError next[12]$/)]);
  });

  test('reaches a folder and an addendum that the author of the update does not see', async () => {
    const own = await registered(world, '2.999.80.5', { changes: nguyen(), by: 'dr-nguyen' });
    const hidden = await registered(world, '2.999.80.6', {
      codes: ['MASQUE_PS'],
      more: [linking('APND', 'doc1', own.entryUUID)],
    });
    expect(
      await reading(world, 'dr-nguyen', (p) => world.tools.store.read.documentsByUuid(p, [hidden.entryUUID])),
    ).toEqual([]);
    const message = submitting(setOf(world, 'dr-nguyen'), nextVersion(own, title('Corrected')));
    expect(await seen(await handled(iti57, world, world.as('dr-nguyen'), message))).toMatchObject({
      status: 'Success',
    });
    const { entryUUID } = await stored(world, '2.999.80.5');
    expect(await associationsOf(world, hidden.entryUUID)).toContainEqual(
      expect.objectContaining({ type: 'APND', source: hidden.entryUUID, target: entryUUID }),
    );
  });

  const nguyen = () => ({
    authors: entry.authors.map((author) => ({
      ...author,
      ...(author.person && { person: { ...author.person, id: '899970000024' } }),
      institutions: [],
    })),
  });
});

describe('a submitted association', () => {
  test('joins two registered documents; the set files it', async () => {
    const other = await registered(world, '2.999.80.2');
    const message = [
      linking('XFRM', other.entryUUID, entry.entryUUID, { entryUUID: 'x1' }),
      linking('SubmitAssociation', 'ss1', 'x1'),
    ];
    expect(await send(...message)).toMatchObject({ status: 'Success' });
    const found = (await associationsOf(world, entry.entryUUID)).find(({ type }) => type === 'XFRM');
    expect(found).toMatchObject({ source: other.entryUUID, target: entry.entryUUID, status: 'approved' });
    const filed = await associationsOf(world, found?.entryUUID ?? '');
    expect(filed).toMatchObject([{ type: 'HasMember', target: found?.entryUUID }]);
    expect(await associationsOf(world, filed[0]?.source ?? '')).toHaveLength(1);
  });

  test('puts a document into a folder, whose lastUpdateTime is now', async () => {
    const folder = await foldered(world, '2.999.81.1');
    world.clock.now += 60_000;
    await send(
      linking('HasMember', folder.entryUUID, entry.entryUUID, { entryUUID: 'x1' }),
      linking('SubmitAssociation', 'ss1', 'x1'),
    );
    expect(await associationsOf(world, folder.entryUUID)).toContainEqual(
      expect.objectContaining({ source: folder.entryUUID, target: entry.entryUUID }),
    );
    expect(Number((await foldersOf(world, folder.logicalID))[0]?.lastUpdateTime)).toBe(
      Number(folder.lastUpdateTime) + 100,
    );
  });

  test.each([
    [
      'without its trigger',
      () => [linking('XFRM', 'next1', entry.entryUUID, { entryUUID: 'x1' })],
      'XDSMetadataUpdateOperationError x1',
    ],
    [
      'from a document that is not there',
      () => [linking('XFRM', nowhere, entry.entryUUID, { entryUUID: 'x1' }), linking('SubmitAssociation', 'ss1', 'x1')],
      'UnresolvedReferenceException x1',
    ],
    [
      'of a document with itself',
      () => [
        linking('XFRM', entry.entryUUID, entry.entryUUID, { entryUUID: 'x1' }),
        linking('SubmitAssociation', 'ss1', 'x1'),
      ],
      'XDSRegistryMetadataError x1',
    ],
    [
      'a trigger of nothing',
      () => [linking('SubmitAssociation', 'ss1', 'x9', { entryUUID: 't1' })],
      'UnresolvedReferenceException t1',
    ],
  ])('%s is refused', async (_, message, error) => {
    expect(await told(...message())).toEqual([error]);
  });

  test('to a document that is not current is refused', async () => {
    const other = await registered(world, '2.999.80.2');
    await registered(world, '2.999.80.3', { more: [linking('RPLC', 'doc1', entry.entryUUID)] });
    const message = [
      linking('XFRM', other.entryUUID, entry.entryUUID, { entryUUID: 'x1' }),
      linking('SubmitAssociation', 'ss1', 'x1'),
    ];
    expect(await told(...message)).toEqual(['XDSMetadataUpdateError x1']);
  });
});

test('an object that asks for no operation', async () => {
  expect(await told(memberOf(nowhere, { entryUUID: 'm1', submissionSetStatus: 'Reference' }))).toEqual([
    'UnresolvedReferenceException m1',
  ]);
  expect(await send(memberOf(entry.entryUUID, { submissionSetStatus: 'Reference' }))).toMatchObject({
    status: 'Success',
  });
});

test('a document whose latest version is unknown to the caller is unknown', async () => {
  const hidden = await registered(world, '2.999.80.7', { codes: ['MASQUE_PS'] });
  await expect(entryOf(world, '2.999.80.7', 'dr-nguyen')).rejects.toThrow('sees no');
  const message = submitting(setOf(world, 'dr-nguyen'), nextVersion(hidden));
  const answer = await seen(await handled(iti57, world, world.as('dr-nguyen'), message));
  expect(answer.errors.map(({ code }) => code)).toEqual(['UnresolvedReferenceException']);
});

describe('the status of an association', () => {
  const member = async (folder: { entryUUID: string }) => {
    const [found] = (await associationsOf(world, folder.entryUUID)).filter(({ source }) => source === folder.entryUUID);
    if (found === undefined) throw new Error('the folder is empty');
    return found;
  };
  const statusOf = async ({ entryUUID, source }: { entryUUID: string; source: string }) =>
    (await associationsOf(world, source)).find((one) => one.entryUUID === entryUUID)?.status;

  test('of a folder’s membership is deprecated, and approved again, without a new version', async () => {
    const folder = await foldered(world, '2.999.81.1', entry);
    const membership = await member(folder);
    for (const [from, to] of [
      ['approved', 'deprecated'],
      ['deprecated', 'approved'],
    ] as const) {
      expect(await send(restating(membership.entryUUID, from, to))).toMatchObject({ status: 'Success', errors: [] });
      expect(await statusOf(membership)).toBe(to);
    }
    expect(await everyVersion(world, '2.999.80.1')).toHaveLength(1);
  });

  test('of a relationship is deprecated, both documents staying as they are', async () => {
    const addendum = await registered(world, '2.999.80.2', { more: [linking('APND', 'doc1', entry.entryUUID)] });
    const [append] = (await associationsOf(world, addendum.entryUUID)).filter(({ type }) => type === 'APND');
    if (append === undefined) throw new Error('no addendum');
    expect(await send(restating(append.entryUUID, 'approved', 'deprecated'))).toMatchObject({ status: 'Success' });
    expect(await statusOf(append)).toBe('deprecated');
    expect([(await entryOf(world, '2.999.80.1')).status, (await entryOf(world, '2.999.80.2')).status]).toEqual([
      'approved',
      'approved',
    ]);
  });

  test('of a set’s membership stays as it was filed', async () => {
    const [filed] = (await associationsOf(world, entry.entryUUID)).filter(({ target }) => target === entry.entryUUID);
    if (filed === undefined) throw new Error('no set holds it');
    expect(await told(restating(filed.entryUUID, 'approved', 'deprecated'))).toEqual([
      `XDSMetadataUpdateError ${filed.entryUUID}`,
    ]);
  });

  test.each([
    ['it does not have', 'deprecated', 'approved'],
    ['that only documents have', 'approved', 'archived'],
    ['it has already', 'approved', 'approved'],
  ] as const)('does not change from or to one %s', async (_, from, to) => {
    const membership = await member(await foldered(world, '2.999.81.1', entry));
    expect(new Set(await told(restating(membership.entryUUID, from, to)))).toEqual(
      new Set([`XDSMetadataUpdateError ${membership.entryUUID}`]),
    );
    expect(await statusOf(membership)).toBe('approved');
  });
});
