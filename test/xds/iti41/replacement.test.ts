import { beforeEach, expect, test } from '@jest/globals';
import { writeDocument } from '../../../server/xds/ebrim/write.ts';
import { iti41 } from '../../../server/xds/iti41.ts';
import { namespace } from '../../../server/xds/vocabulary.ts';
import { openWorld } from '../../support/world.ts';
import { handled, seen } from '../handled.ts';
import {
  associationsOf,
  foldered,
  foldersOf,
  registered,
  type Sandbox,
  sound,
  stored,
  versionsOf,
} from '../registered.ts';
import { linking, memberOf, setOf, submitting } from '../registry-messages.ts';

let world: Sandbox;
beforeEach(async () => {
  world = await openWorld();
});

/** Deposits a document of `dr-nguyen`, who is authorised and not the treating doctor, with what else is given. */
async function deposit(uniqueId: string, ...more: string[]) {
  const { hash: _hash, size: _size, ...entry } = await sound(world, 'doc1', uniqueId);
  const objects = [
    writeDocument({ ...entry, authors: [] }),
    memberOf('doc1', { submissionSetStatus: 'Original' }),
    ...more,
  ];
  const message = submitting(setOf(world, 'dr-nguyen'), ...objects);
  const xml =
    `<xds:ProvideAndRegisterDocumentSetRequest xmlns:xds="${namespace.xds}">${message}` +
    '<xds:Document id="doc1">Qm9uam91cg==</xds:Document></xds:ProvideAndRegisterDocumentSetRequest>';
  return seen(await handled(iti41, world, world.as('dr-nguyen'), xml));
}

test('what completes the replaced document and is hidden from the author goes out of date too', async () => {
  await deposit('2.999.80.1');
  const old = await stored(world, '2.999.80.1');
  const addendum = await registered(world, '2.999.80.2', {
    codes: ['MASQUE_PS'],
    more: [linking('APND', 'doc1', old.entryUUID)],
  });
  await registered(world, '2.999.80.3', { codes: ['MASQUE_PS'], more: [linking('XFRM', 'doc1', addendum.entryUUID)] });
  expect(await versionsOf(world, '2.999.80.2', 'dr-nguyen')).toEqual([]);
  expect(await deposit('2.999.80.4', linking('RPLC', 'doc1', old.entryUUID))).toMatchObject({ status: 'Success' });
  const statuses = await Promise.all([1, 2, 3, 4].map(async (n) => (await stored(world, `2.999.80.${n}`)).status));
  expect(statuses).toEqual(['deprecated', 'deprecated', 'deprecated', 'approved']);
});

test('a folder receives the replacement though its other documents are hidden from the author', async () => {
  await deposit('2.999.80.1');
  const old = await stored(world, '2.999.80.1');
  const hidden = await registered(world, '2.999.80.2', { codes: ['MASQUE_PS'] });
  const folder = await foldered(world, '2.999.81.1', hidden, old);
  world.clock.now += 60_000;
  await deposit('2.999.80.3', linking('RPLC', 'doc1', old.entryUUID));
  const { entryUUID } = await stored(world, '2.999.80.3');
  expect((await associationsOf(world, folder.entryUUID)).map(({ target }) => target)).toContain(entryUUID);
  expect(Number((await foldersOf(world, folder.logicalID))[0]?.lastUpdateTime)).toBe(
    Number(folder.lastUpdateTime) + 100,
  );
});

test.each([
  ['INVISIBLE_PATIENT', 0],
  ['MASQUE_PS', 0],
  [undefined, 100],
] as const)(
  'the time of a folder tells nobody of a document that is hidden: with %s it goes on by %d',
  async (code, by) => {
    const folder = await foldered(world, '2.999.81.1', await registered(world, '2.999.80.1'));
    world.clock.now += 60_000;
    const put = [linking('HasMember', folder.entryUUID, 'doc1', { entryUUID: 'in' }), memberOf('in')];
    const { entryUUID } = await registered(world, '2.999.80.2', { codes: code === undefined ? [] : [code], more: put });
    expect((await associationsOf(world, folder.entryUUID)).map(({ target }) => target)).toContain(entryUUID);
    const [now] = await foldersOf(world, folder.logicalID);
    expect(Number(now?.lastUpdateTime) - Number(folder.lastUpdateTime)).toBe(by);
  },
);

test('a document of the set that is registered already is named by reference, and a hidden one is not there', async () => {
  const known = await registered(world, '2.999.80.1');
  const hidden = await registered(world, '2.999.80.2', { codes: ['MASQUE_PS'] });
  const reference = { submissionSetStatus: 'Reference' } as const;
  expect(await deposit('2.999.80.3', memberOf(known.entryUUID, reference))).toMatchObject({ status: 'Success' });
  const refused = await deposit('2.999.80.4', memberOf(hidden.entryUUID, reference));
  expect(refused.errors.map(({ code }) => code)).toEqual(['UnresolvedReferenceException']);
});

test('another’s document is refused by right, an outdated one by its status, each at its association', async () => {
  const theirs = await registered(world, '2.999.80.1');
  expect(await deposit('2.999.80.2', linking('RPLC', 'doc1', theirs.entryUUID, { entryUUID: 'a9' }))).toMatchObject({
    status: 'Failure',
    errors: [
      {
        code: 'XDSRepositoryError',
        context: expect.stringMatching(/^DMPAccessDeniedByRightsService: .*may be replaced by its author/),
        location: 'a9',
      },
    ],
  });
  await deposit('2.999.80.3');
  const own = await stored(world, '2.999.80.3');
  const replace = async (uniqueId: string) =>
    deposit(uniqueId, linking('RPLC', 'doc1', own.entryUUID, { entryUUID: 'a9' }));
  await replace('2.999.80.4');
  expect((await replace('2.999.80.5')).errors).toEqual([
    {
      code: 'XDSRegistryDeprecatedDocumentError',
      context: expect.stringContaining(`"${own.entryUUID}" is not current: deprecated`),
      location: 'a9',
    },
  ]);
});
