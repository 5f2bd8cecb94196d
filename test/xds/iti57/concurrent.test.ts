import { beforeEach, describe, expect, test } from '@jest/globals';
import type { DocumentEntry, Folder } from '../../../server/domain/document.ts';
import { writeDocument } from '../../../server/xds/ebrim/write.ts';
import { iti42 } from '../../../server/xds/iti42.ts';
import { iti57 } from '../../../server/xds/iti57.ts';
import { confidential } from '../../support/registry.ts';
import { openWorld } from '../../support/world.ts';
import { handled, seen } from '../handled.ts';
import { associationsOf, foldered, registered, registering, type Sandbox, sound, stored } from '../registered.ts';
import { linking, memberOf, nextVersion, restating, setOf, submitting } from '../registry-messages.ts';

let world: Sandbox;
let entry: DocumentEntry;
let folder: Folder;
beforeEach(async () => {
  world = await openWorld();
  entry = await registered(world, '2.999.80.1');
  folder = await foldered(world, '2.999.90.1', await registered(world, '2.999.80.2'));
});

/** The world of one request: another is committed after this one has read and before it writes. */
function overtakenBy(other: () => Promise<unknown>): Sandbox {
  const { store } = world.tools;
  let isFirst = true;
  const commit: typeof store.write.commit = async (permit, changes) => {
    if (isFirst) {
      isFirst = false;
      await other();
    }
    return store.write.commit(permit, changes);
  };
  return { ...world, tools: { ...world.tools, store: { ...store, write: { ...store.write, commit } } } };
}

const replace = async (by: Sandbox, uniqueId: string) => {
  const next = writeDocument(await sound(world, 'doc1', uniqueId));
  const objects = [
    next,
    memberOf('doc1', { submissionSetStatus: 'Original' }),
    linking('RPLC', 'doc1', entry.entryUUID),
  ];
  return seen(await handled(iti42, by, by.as('regie'), submitting(setOf(by, 'dr-martin'), ...objects)));
};
const update = async (by: Sandbox, changes: Partial<DocumentEntry>) =>
  seen(await handled(iti57, by, by.as('dr-martin'), submitting(setOf(by, 'dr-martin'), nextVersion(entry, changes))));
const addToFolder = async () =>
  registering(
    world,
    'dr-martin',
    linking('HasMember', folder.entryUUID, entry.entryUUID, { entryUUID: 'in' }),
    memberOf('in'),
  );
const addendum = async () => registered(world, '2.999.80.4', { more: [linking('APND', 'doc1', entry.entryUUID)] });
const membersOfFolder = async () =>
  (await associationsOf(world, folder.entryUUID))
    .filter(({ source }) => source === folder.entryUUID)
    .map((a) => a.target);

describe('what arrives while a change is made', () => {
  test('a document put into a folder while it is replaced: the replacement is in the folder', async () => {
    expect(await replace(overtakenBy(addToFolder), '2.999.80.3')).toMatchObject({ status: 'Success' });
    expect(await membersOfFolder()).toContain((await stored(world, '2.999.80.3')).entryUUID);
  });

  test('a document put into a folder while it is updated: the new version is in the folder', async () => {
    expect(await update(overtakenBy(addToFolder), { title: { value: 'Corrected' } })).toMatchObject({
      status: 'Success',
    });
    expect(await membersOfFolder()).toContain((await stored(world, '2.999.80.1')).entryUUID);
  });

  test('an addendum to what is replaced is deprecated with it', async () => {
    expect(await replace(overtakenBy(addendum), '2.999.80.3')).toMatchObject({ status: 'Success' });
    expect((await stored(world, '2.999.80.4')).status).toBe('deprecated');
  });

  test('a replacement of what is masked is masked', async () => {
    const masked = { confidentialityCodes: confidential('MASQUE_PS') };
    const by = overtakenBy(() => replace(world, '2.999.80.3'));
    expect(await update(by, masked)).toMatchObject({ status: 'Success' });
    const { confidentialityCodes } = await stored(world, '2.999.80.3');
    expect(confidentialityCodes.map(({ code }) => code)).toContain('MASQUE_PS');
  });
});

describe('an association that is submitted', () => {
  const submit = async (by: Sandbox, ...of: Parameters<typeof linking>) =>
    seen(
      await handled(
        iti57,
        by,
        by.as('dr-martin'),
        submitting(
          setOf(by, 'dr-martin'),
          linking(of[0], of[1], of[2], { entryUUID: 'x1' }),
          linking('SubmitAssociation', 'ss1', 'x1'),
        ),
      ),
    );
  const into = async (by: Sandbox) => submit(by, 'HasMember', folder.entryUUID, entry.entryUUID);

  test('while ITI-42 or ITI-57 files the same is refused: the folder holds the document once', async () => {
    for (const other of [addToFolder, async () => into(world)]) {
      const { status, errors } = await into(overtakenBy(other));
      expect([status, errors.map(({ code }) => code)]).toEqual(['Failure', ['XDSMetadataUpdateError']]);
      expect((await membersOfFolder()).filter((member) => member === entry.entryUUID)).toHaveLength(1);
    }
  });

  test('while its end is replaced is refused: what is related is current', async () => {
    const { status, errors } = await into(overtakenBy(async () => replace(world, '2.999.80.3')));
    expect([status, errors.map(({ code }) => code)]).toEqual(['Failure', ['XDSMetadataUpdateError']]);
    expect(await membersOfFolder()).not.toContain(entry.entryUUID);
  });

  test('again does not become current beside one that says the same', async () => {
    await into(world);
    const [former] = (await associationsOf(world, folder.entryUUID)).filter(({ target }) => target === entry.entryUUID);
    const state = async (from: 'approved' | 'deprecated', to: 'approved' | 'deprecated', by = world) =>
      seen(
        await handled(
          iti57,
          by,
          by.as('dr-martin'),
          submitting(setOf(by, 'dr-martin'), restating(former?.entryUUID ?? '', from, to)),
        ),
      );
    expect(await state('approved', 'deprecated')).toMatchObject({ status: 'Success' });
    expect(await state('deprecated', 'approved')).toMatchObject({ status: 'Success' });
    expect(await state('approved', 'deprecated')).toMatchObject({ status: 'Success' });
    expect(await state('deprecated', 'approved', overtakenBy(addToFolder))).toMatchObject({
      status: 'Failure',
      errors: [
        { code: 'XDSMetadataUpdateError', context: expect.stringContaining('another association says the same') },
      ],
    });
    expect(await state('deprecated', 'approved')).toMatchObject({ status: 'Failure' });
  });

  test('twice in one message is refused, new or current again', async () => {
    const one = (id: string) => [
      linking('HasMember', folder.entryUUID, entry.entryUUID, { entryUUID: id }),
      linking('SubmitAssociation', 'ss1', id),
    ];
    const send = async (...objects: string[]) =>
      seen(await handled(iti57, world, world.as('dr-martin'), submitting(setOf(world, 'dr-martin'), ...objects)));
    const refused = { status: 'Failure', errors: [{ code: 'XDSMetadataUpdateError' }] };
    expect(await send(...one('x1'), ...one('x2'))).toMatchObject(refused);
    expect(await send(...one('x1'))).toMatchObject({ status: 'Success' });
    const [former] = (await associationsOf(world, folder.entryUUID)).filter(({ target }) => target === entry.entryUUID);
    const name = former?.entryUUID ?? '';
    expect(await send(restating(name, 'approved', 'deprecated'))).toMatchObject({ status: 'Success' });
    expect(await send(restating(name, 'deprecated', 'approved'), ...one('x1'))).toMatchObject(refused);
    expect(await send(restating(name, 'deprecated', 'approved'))).toMatchObject({ status: 'Success' });
  });

  test('that propagation would repeat is there once', async () => {
    await into(world);
    const next = nextVersion(entry, { title: { value: 'Corrected' } });
    const submitted = [
      linking('HasMember', folder.entryUUID, 'next1', { entryUUID: 'x1' }),
      linking('SubmitAssociation', 'ss1', 'x1'),
    ];
    const message = submitting(setOf(world, 'dr-martin'), next, ...submitted);
    expect(await seen(await handled(iti57, world, world.as('dr-martin'), message))).toMatchObject({
      status: 'Success',
    });
    const { entryUUID } = await stored(world, '2.999.80.1');
    expect((await membersOfFolder()).filter((member) => member === entryUUID)).toHaveLength(1);
  });

  test('with nobody else is filed', async () => {
    expect(await into(world)).toMatchObject({ status: 'Success' });
    expect(await membersOfFolder()).toContain(entry.entryUUID);
  });
});
