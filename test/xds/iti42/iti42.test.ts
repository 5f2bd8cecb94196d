import { beforeEach, describe, expect, test } from '@jest/globals';
import { writeDocument } from '../../../server/xds/ebrim/write.ts';
import { iti42 } from '../../../server/xds/iti42.ts';
import { confidential } from '../../support/registry.ts';
import { openWorld } from '../../support/world.ts';
import { handled, seen } from '../handled.ts';
import {
  associationsOf,
  entryOf,
  foldered,
  foldersOf,
  registered,
  registering,
  type Sandbox,
  sound,
  stored,
} from '../registered.ts';
import { linking, memberOf, setOf, submitting } from '../registry-messages.ts';

let world: Sandbox;
beforeEach(async () => {
  world = await openWorld();
});

const original = { submissionSetStatus: 'Original' } as const;
const codesOf = ({ errors }: { errors: readonly { code: string }[] }) => errors.map(({ code }) => code);
const one = async (changes: object = {}, ...more: string[]) =>
  registering(
    world,
    'dr-martin',
    writeDocument({ ...(await sound(world, 'doc1', '2.999.80.1')), ...changes }),
    memberOf('doc1', original),
    ...more,
  );

test('an entry is registered as it was sent, its document elsewhere', async () => {
  expect(await one()).toMatchObject({ status: 'Success', errors: [] });
  const entry = await entryOf(world, '2.999.80.1');
  expect(entry).toMatchObject({ status: 'approved', version: 1, repositoryUniqueId: '1.2.250.1.213.4.1.1.1.2' });
  expect(entry.logicalID).toBe(entry.entryUUID);
  expect(world.tools.store.events().at(-2)).toMatchObject({
    action: 'registerDocuments',
    outcome: 'done',
    ground: 'systemRight',
    origin: { transaction: 'ITI-42' },
    documents: [{ uniqueId: '2.999.80.1' }],
  });
});

test('what stands in a list inside a package is not left out without a word', async () => {
  const inside = `<rim:RegistryObjectList>${writeDocument(await sound(world, 'doc1', '2.999.80.1'))}</rim:RegistryObjectList>`;
  const message = submitting(
    setOf(world, 'dr-martin').replace('</rim:RegistryPackage>', `${inside}</rim:RegistryPackage>`),
  );
  const { status, errors } = await seen(await handled(iti42, world, world.as('regie'), message));
  expect([status, codesOf({ errors })]).toEqual(['Failure', ['XDSRegistryMetadataError']]);
  expect(errors[0]?.context).toContain('stands beside it, joined by HasMember');
});

test('an object that no classification names is of no known kind; that it is not there is not told of it too', async () => {
  const node = /<rim:Classification [^>]*classificationNode=[^>]*>/;
  const entry = writeDocument(await sound(world, 'doc1', '2.999.80.1'));
  const message = submitting(setOf(world, 'dr-martin').replace(node, ''), entry, memberOf('doc1', original));
  const { errors } = await seen(await handled(iti42, world, world.as('regie'), message));
  expect(new Set(codesOf({ errors }))).toEqual(new Set(['XDSRegistryMetadataError']));
  expect(errors[0]).toMatchObject({
    context: expect.stringContaining('no classification says what it is'),
    location: 'ss1',
  });
});

test('a status that is sent decides nothing: what is new is Approved', async () => {
  expect(await one({ status: 'deprecated' })).toMatchObject({ status: 'Success', errors: [] });
  expect((await entryOf(world, '2.999.80.1')).status).toBe('approved');
});

test('it belongs to its author and to the author of the set, not to the repository', async () => {
  await one({ confidentialityCodes: confidential('MASQUE_PS') });
  expect(await entryOf(world, '2.999.80.1', 'dr-martin')).toMatchObject({
    confidentialityCodes: confidential('MASQUE_PS'),
  });
  await expect(entryOf(world, '2.999.80.1', 'dr-nguyen')).rejects.toThrow('sees no');
});

test('only a system with the right register', async () => {
  const message = submitting(
    setOf(world, 'dr-martin'),
    writeDocument(await sound(world, 'doc1', '2.999.80.1')),
    memberOf('doc1', original),
  );
  for (const slug of ['dr-martin', 'laurent', 'hopital-nord']) {
    const answer = await seen(await handled(iti42, world, world.as(slug), message));
    expect(answer).toMatchObject({
      status: 'Failure',
      errors: [{ code: 'XDSRegistryError', context: expect.stringMatching(/^DMPAccessDeniedByRightsService/) }],
    });
  }
  expect(world.tools.store.events().at(-1)).toMatchObject({ action: 'registerDocuments', outcome: 'refused' });
});

describe('refusals', () => {
  test('hash, size and repositoryUniqueId are needed; all is told at once', async () => {
    const entry = await sound(world, 'doc1', '2.999.80.1');
    const bare = writeDocument({ ...entry, title: { value: 'x'.repeat(200) } }).replace(
      /<rim:Slot name="(hash|size|repositoryUniqueId)">.*?<\/rim:Slot>/g,
      '',
    );
    const answer = await registering(world, 'dr-martin', bare, memberOf('doc1', original));
    expect(codesOf(answer)).toEqual(Array(4).fill('XDSRegistryMetadataError'));
    const contexts = answer.errors.map(({ context }) => context).join('\n');
    for (const attribute of ['hash', 'size', 'repositoryUniqueId', 'title'])
      expect(contexts).toContain(`${attribute} of doc1`);
  });

  test.each([
    ['a document of another repository', { repositoryUniqueId: '2.999.7' }, 'XDSRegistryMetadataError'],
    ['an on-demand entry', { objectType: 'onDemand' as const }, 'XDSRegistryMetadataError'],
    ['a code outside of the domain', { classCode: { code: 'nope', system: '2.999' } }, 'XDSRegistryMetadataError'],
  ])('%s', async (_, changes, code) => {
    const answer = await one(changes);
    expect(answer.status).toBe('Failure');
    expect(new Set(codesOf(answer))).toEqual(new Set([code]));
  });

  test('a uniqueId that is registered, by its bytes', async () => {
    await registered(world, '2.999.80.1');
    expect(codesOf(await one())).toEqual(['XDSDuplicateUniqueIdInRegistry']);
    expect(codesOf(await one({ hash: '0'.repeat(40) }))).toEqual(['XDSNonIdenticalHash']);
    expect(codesOf(await one({ size: 1 }))).toEqual(['XDSNonIdenticalSize']);
  });

  test('a uniqueId twice in the message', async () => {
    const twin = writeDocument(await sound(world, 'doc2', '2.999.80.1'));
    const answer = await one({}, twin, memberOf('doc2', original));
    expect(codesOf(answer)).toEqual(['XDSRegistryDuplicateUniqueIdInMessage']);
  });

  test('an update that comes by ITI-42', async () => {
    const { entryUUID } = await registered(world, '2.999.80.2');
    expect(codesOf(await one({ logicalID: entryUUID }))).toEqual(['XDSRegistryMetadataError']);
  });

  test('a patient without a record', async () => {
    const { value, oid } = world.ins('garnier');
    const patientId = { id: value, authority: { oid } };
    const message = submitting(
      setOf(world, 'dr-martin', { patientId }),
      writeDocument({ ...(await sound(world, 'doc1', '2.999.80.1')), patientId }),
      memberOf('doc1', original),
    );
    expect(codesOf(await seen(await handled(iti42, world, world.as('regie'), message)))).toEqual([
      'XDSUnknownPatientId',
    ]);
  });

  test('a target that is unknown, or not current', async () => {
    const old = await registered(world, '2.999.80.2');
    await registered(world, '2.999.80.3', { more: [linking('RPLC', 'doc1', old.entryUUID)] });
    expect(codesOf(await one({}, linking('RPLC', 'doc1', old.entryUUID)))).toEqual([
      'XDSRegistryDeprecatedDocumentError',
    ]);
    const nowhere = 'urn:uuid:00000000-0000-4000-8000-00000000dead';
    expect(codesOf(await one({}, linking('APND', 'doc1', nowhere)))).toEqual(['UnresolvedReferenceException']);
  });
});

describe('what a replacement does', () => {
  test('its target is deprecated with all that completes or transforms it, hidden or not', async () => {
    const old = await registered(world, '2.999.80.2');
    const addendum = await registered(world, '2.999.80.3', {
      codes: ['MASQUE_PS'],
      more: [linking('APND', 'doc1', old.entryUUID)],
    });
    await registered(world, '2.999.80.4', { more: [linking('APND', 'doc1', addendum.entryUUID)] });
    await registered(world, '2.999.80.5', { more: [linking('XFRM', 'doc1', old.entryUUID)] });
    await registered(world, '2.999.80.6', { more: [linking('signs', 'doc1', old.entryUUID)] });
    expect((await stored(world, '2.999.80.2')).status).toBe('approved');
    await registered(world, '2.999.80.9', { more: [linking('RPLC', 'doc1', old.entryUUID)] });
    const statuses = await Promise.all(
      [2, 3, 4, 5, 6, 9].map(async (n) => (await stored(world, `2.999.80.${n}`)).status),
    );
    expect(statuses).toEqual(['deprecated', 'deprecated', 'deprecated', 'deprecated', 'approved', 'approved']);
  });

  test('it takes its place in the folder, whose lastUpdateTime is now', async () => {
    const old = await registered(world, '2.999.80.2');
    const { logicalID, lastUpdateTime } = await foldered(world, '2.999.81.1', old);
    world.clock.now += 90_000;
    const next = await registered(world, '2.999.80.3', { more: [linking('RPLC', 'doc1', old.entryUUID)] });
    const [membership, ...others] = (await associationsOf(world, logicalID)).filter((a) => a.target === next.entryUUID);
    expect(membership).toMatchObject({ type: 'HasMember', source: logicalID, status: 'approved' });
    expect(others).toEqual([]);
    const filed = await associationsOf(world, membership?.entryUUID ?? '');
    expect(filed).toMatchObject([{ type: 'HasMember', target: membership?.entryUUID }]);
    expect(Number((await foldersOf(world, logicalID))[0]?.lastUpdateTime)).toBe(Number(lastUpdateTime) + 130);
  });

  test('a folder whose documents its author cannot see receives it too', async () => {
    const hidden = await registered(world, '2.999.80.1', { codes: ['MASQUE_PS'] });
    const { logicalID } = await foldered(world, '2.999.81.1', hidden);
    const next = await registered(world, '2.999.80.2', {
      codes: ['MASQUE_PS'],
      more: [linking('RPLC', 'doc1', hidden.entryUUID)],
    });
    expect((await associationsOf(world, logicalID)).map(({ target }) => target)).toContain(next.entryUUID);
  });
});

test('association documentation and a document by reference are kept', async () => {
  const old = await registered(world, '2.999.80.2');
  const documentation = { code: 'CORR', system: '2.999.9', display: 'Correction' };
  const next = await registered(world, '2.999.80.3', {
    more: [
      linking('RPLC', 'doc1', old.entryUUID, { documentation }),
      memberOf(old.entryUUID, { submissionSetStatus: 'Reference' }),
    ],
  });
  const found = await associationsOf(world, old.entryUUID);
  expect(found).toContainEqual(expect.objectContaining({ type: 'RPLC', source: next.entryUUID, documentation }));
  expect(found.map(({ submissionSetStatus }) => submissionSetStatus)).toContain('Reference');
  const set = found.find(({ submissionSetStatus }) => submissionSetStatus === 'Reference')?.source ?? '';
  expect((await associationsOf(world, set)).map(({ target }) => target)).toContain(next.entryUUID);
});

describe('a document that a folder holds', () => {
  const into = (folder: string, document: string) => [
    linking('HasMember', folder, document, { entryUUID: 'in' }),
    memberOf('in'),
  ];

  test('is not put into it again; another one is, and another folder receives it', async () => {
    const [held, other] = [await registered(world, '2.999.80.1'), await registered(world, '2.999.80.2')];
    const { entryUUID, lastUpdateTime } = await foldered(world, '2.999.81.1', held);
    world.clock.now += 90_000;
    const again = await registering(world, 'dr-martin', ...into(entryUUID, held.entryUUID));
    expect(codesOf(again)).toEqual(['XDSRegistryMetadataError']);
    expect(again.errors[0]?.context).toContain('the folder holds the document already');
    expect((await foldersOf(world, entryUUID))[0]?.lastUpdateTime).toBe(lastUpdateTime);
    expect(await registering(world, 'dr-martin', ...into(entryUUID, other.entryUUID))).toMatchObject(success);
    await foldered(world, '2.999.81.2', held);
    expect(await membersOf(entryUUID)).toEqual([held.entryUUID, other.entryUUID]);
  });

  test('is put into it once, however many do it at the same time', async () => {
    const [held, free] = [await registered(world, '2.999.80.1'), await registered(world, '2.999.80.2')];
    const { entryUUID } = await foldered(world, '2.999.81.1', held);
    const answers = await Promise.all(
      [1, 2, 3].map(() => registering(world, 'dr-martin', ...into(entryUUID, free.entryUUID))),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual(['Failure', 'Failure', 'Success']);
    expect(await membersOf(entryUUID)).toEqual([held.entryUUID, free.entryUUID]);
  });

  const success = { status: 'Success', errors: [] };
  const membersOf = async (folder: string) =>
    (await associationsOf(world, folder)).filter(({ source }) => source === folder).map(({ target }) => target);
});

test.each([
  ['signed', (target: string) => linking('signs', 'doc1', target)],
  ['referred to by a set', (target: string) => memberOf(target, { submissionSetStatus: 'Reference' })],
])('a document that was replaced is no longer %s; the one that replaced it is', async (_, naming) => {
  const old = await registered(world, '2.999.80.2');
  const next = await registered(world, '2.999.80.3', { more: [linking('RPLC', 'doc1', old.entryUUID)] });
  expect(codesOf(await one({}, naming(old.entryUUID)))).toEqual(['XDSRegistryDeprecatedDocumentError']);
  expect(await one({}, naming(next.entryUUID))).toMatchObject({ status: 'Success', errors: [] });
});
