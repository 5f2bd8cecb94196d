import { beforeEach, describe, expect, test } from '@jest/globals';
import type { SystemRight } from '../../../server/domain/actor.ts';
import type { Association } from '../../../server/domain/document.ts';
import type { Row } from '../../../server/store/port.ts';
import type { Request } from '../../../server/usecases/perform.ts';
import { iti43 } from '../../../server/xds/iti43.ts';
import { iti62 } from '../../../server/xds/iti62.ts';
import { iti86 } from '../../../server/xds/iti86.ts';
import { documentRow, first, nobody, permitOn, put, second, seed } from '../../contract/store.ts';
import type { MemoryStore } from '../../support/memory-store.ts';
import { association, confidential, document, folder, submissionSet, uuid } from '../../support/registry.ts';
import { openWorld, type World } from '../../support/world.ts';
import { handled, seen } from '../handled.ts';

const repository = '1.2.250.1.213.4.1.1.1.2';
const content = { sealed: Buffer.from('bytes') };

let world: World<MemoryStore>;

/** A system with these rights, by a token. */
const system = (...rights: SystemRight[]): Request => ({
  caller: {
    actor: { kind: 'system', id: 'regie', name: 'Régie', rights },
    mode: 'normal',
    secret: false,
    credential: { kind: 'token', id: 'token-1', issuer: 'test' },
  },
  origin: { transaction: 'ITI-62', requestId: 'request-1', endpoint: 'test' },
});
/** The same by an assertion, which serves once. */
const once = (spendKey: string): Request => {
  const { caller, origin } = system('remove');
  const credential = { kind: 'assertion', id: 'a', issuer: 'test', spendKey, until: Number.MAX_SAFE_INTEGER } as const;
  return { caller: { ...caller, credential }, origin };
};

/** The same with a credential that names the holder of the first record. */
const ofFirst = (): Request => {
  const { caller, origin } = system('remove');
  return { caller: { ...caller, patient: { value: '279035121518989', oid: '1.2.250.1.213.1.4.10' } }, origin };
};

const linked = (changes: Partial<Association>, ...given: Parameters<typeof association>): Row => ({
  kind: 'association',
  association: { ...association(...given), ...changes },
});

/**
 * One set (10) with documents 1 and 2 (members 21, 22) and a folder 3 (member 23) that holds 1 (association 31, recorded by 32);
 * 2 completes 1 (association 41). Another record has document 5 alone.
 */
beforeEach(async () => {
  world = await openWorld({ seeded: false });
  const { store } = world.tools;
  await seed(store);
  await store.write.commit(
    await permitOn(store, 'ourselves'),
    put(
      { ...documentRow(document(1)), content },
      { ...documentRow(document(2, { confidentialityCodes: confidential('MASQUE_PS') })), content },
      { kind: 'folder', folder: folder(3) },
      { kind: 'submissionSet', set: submissionSet(10), owners: nobody },
      linked({ submissionSetStatus: 'Original' }, 21, 10, 1),
      linked({ submissionSetStatus: 'Original' }, 22, 10, 2),
      linked({}, 23, 10, 3),
      linked({}, 31, 3, 1),
      linked({}, 32, 10, 31),
      linked({}, 41, 2, 1, 'APND'),
    ),
  );
  await store.write.commit(
    await permitOn(store, 'ourselves', { record: second }),
    put({ ...documentRow(document(5)), content }, documentRow(document(6, { objectType: 'onDemand' }))),
  );
});

const whole = [1, 2, 3, 10, 21, 22, 23, 31, 32, 41];
const remaining = async () => {
  const { read } = world.tools.store;
  const left = await read.taken(await permitOn(world.tools.store, 'ourselves'), whole.map(uuid));
  return whole.filter((number) => left.has(uuid(number)));
};

describe('ITI-62', () => {
  const refs = (ids: readonly string[], more = '') =>
    `<lcm:RemoveObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">${more}<rim:ObjectRefList>${ids
      .map((id) => `<rim:ObjectRef id="${id}"/>`)
      .join('')}</rim:ObjectRefList></lcm:RemoveObjectsRequest>`;
  const remove = async (xml: string, request = system('remove')) => seen(await handled(iti62, world, request, xml));

  test.each([
    ['everything of the record', whole, []],
    ['a document with all that names it', [2, 22, 41], [1, 3, 10, 21, 23, 31, 32]],
    ['a relationship alone', [41], [1, 2, 3, 10, 21, 22, 23, 31, 32]],
    ['a folder with its memberships', [3, 23, 31, 32], [1, 2, 10, 21, 22, 41]],
  ])('%s', async (_, going, left) => {
    expect(await remove(refs(going.map(uuid)))).toMatchObject({ status: 'Success', errors: [] });
    expect(await remaining()).toEqual(left);
  });

  test.each([
    ['a name that is nobody’s', [uuid(99)], ['UnresolvedReferenceException']],
    ['one of them nobody’s', [uuid(41), uuid(99)], ['UnresolvedReferenceException']],
    ['no UUID', ['doc1'], ['UnresolvedReferenceException']],
    ['nothing', [], ['XDSRegistryMetadataError']],
    ['a document that its set still names', [uuid(2), uuid(41)], ['ReferencesExistException']],
    [
      'a document that set, folder and addendum name',
      [uuid(1)],
      ['ReferencesExistException', 'ReferencesExistException', 'ReferencesExistException'],
    ],
    ['a membership alone, of a document left over', [uuid(22)], ['XDSUnreferencedObjectException']],
    ['a folder emptied of its only member', [uuid(31), uuid(32)], ['XDSUnreferencedObjectException']],
    ['a set without members', [1, 2, 3, 21, 22, 23, 31, 32, 41].map(uuid), ['XDSUnreferencedObjectException']],
  ])('%s is refused, and nothing removed', async (_, ids, codes) => {
    const answer = await remove(refs(ids));
    expect(answer.status).toBe('Failure');
    expect(answer.errors.map(({ code }) => code)).toEqual(codes);
    expect(await remaining()).toEqual(whole);
    expect(world.tools.store.events().filter(({ outcome }) => outcome === 'done')).toEqual([]);
  });

  test('the context names the object', async () => {
    const { errors } = await remove(refs([uuid(22)]));
    expect(errors[0]?.context).toContain(uuid(2));
  });

  test('a query instead of names is refused', async () => {
    const { errors } = await remove(refs([uuid(41)], '<rim:AdhocQuery id="urn:uuid:x"/>'));
    expect(errors.map(({ code }) => code)).toEqual(['XDSRegistryMetadataError']);
  });

  test('bytes alone, or any other part of an object, are not what it removes', async () => {
    const scoped = (scope: string) =>
      refs([uuid(41)]).replace(
        'RemoveObjectsRequest ',
        `RemoveObjectsRequest deletionScope="urn:oasis:names:tc:ebxml-regrep:DeletionScopeType:${scope}" `,
      );
    const { status, errors } = await remove(scoped('DeleteRepositoryItemOnly'));
    expect([status, errors.map(({ code }) => code)]).toEqual(['Failure', ['XDSRegistryMetadataError']]);
    expect(errors[0]?.context).toContain('deletionScope');
    expect(await remaining()).toEqual(whole);
    expect(await remove(scoped('DeleteAll'))).toMatchObject({ status: 'Success' });
  });

  test.each([
    ['a system without the right', system('register', 'feed')],
    [
      'a doctor',
      {
        ...system(),
        caller: {
          ...system().caller,
          actor: { kind: 'professional', id: '899970000002', name: 'N', card: 'CPS', profession: '10' } as const,
        },
      },
    ],
  ])('%s learns that he may not, whether the object exists or not', async (_, request) => {
    const [known, unknown] = [await remove(refs([uuid(41)]), request), await remove(refs([uuid(99)]), request)];
    for (const { status, errors } of [known, unknown]) {
      expect([status, errors[0]?.code]).toEqual(['Failure', 'XDSRegistryError']);
      expect(errors[0]?.context).toContain('DMPAccessDeniedByRightsService');
    }
    expect(await remaining()).toEqual(whole);
  });

  test('an object of another patient than the credential’s is as unknown as none', async () => {
    const answers = [await remove(refs([uuid(5)]), ofFirst()), await remove(refs([uuid(99)]), ofFirst())];
    const told = answers.map(({ errors }) =>
      errors.map(({ code, context }) => [code, context.replace(/-0+\d+"/, '"')]),
    );
    expect(told[0]).toEqual(told[1]);
    expect(told[0]?.map(([code]) => code)).toEqual(['UnresolvedReferenceException']);
    expect(await remove(refs([uuid(41)]), ofFirst())).toMatchObject({ status: 'Success' });
  });

  /** Which of the other record's objects are left. */
  const elsewhere = async () => {
    const { store } = world.tools;
    const left = await store.read.taken(await permitOn(store, 'ourselves'), [uuid(5), uuid(6)]);
    return [5, 6].filter((number) => left.has(uuid(number)));
  };

  test('objects of two records go together, each record told of its own', async () => {
    expect(await remove(refs([5, 41, 6].map(uuid)), once('key-62'))).toMatchObject({ status: 'Success', errors: [] });
    expect([await remaining(), await elsewhere()]).toEqual([whole.filter((n) => n !== 41), []]);
    const done = world.tools.store.events().filter(({ outcome }) => outcome === 'done');
    expect(done.map(({ record, query, documents }) => [record, query, documents?.map((d) => d.entryUUID)])).toEqual([
      [second, `remove ${uuid(5)},${uuid(6)}`, [uuid(6), uuid(5)]],
      [first, `remove ${uuid(41)}`, undefined],
    ]);
  });

  test.each([
    ['a fault in the first record', [2, 41, 5], 'ReferencesExistException'],
    ['a fault in the other', [5, 2], 'ReferencesExistException'],
    ['a name that is nobody’s besides', [41, 5, 99], 'UnresolvedReferenceException'],
  ])('with %s nothing goes of either', async (_, numbers, code) => {
    const { status, errors } = await remove(refs(numbers.map(uuid)));
    expect([status, [...new Set(errors.map((error) => error.code))]]).toEqual(['Failure', [code]]);
    expect([await remaining(), await elsewhere()]).toEqual([whole, [5, 6]]);
  });

  test('a record that may not be changed so has none of the names', async () => {
    const { store } = world.tools;
    const permit = await permitOn(store, 'ourselves', { record: second });
    const facts = await store.facts.recordById(second);
    if (facts === undefined) throw new Error('no record');
    const closed = { ...facts.record, state: 'closed' as const, version: facts.record.version + 1 };
    await store.write.commit(permit, put({ kind: 'record', record: closed }));
    const { errors } = await remove(refs([41, 5].map(uuid)));
    expect(errors.map(({ code, context }) => [code, context.includes(uuid(5))])).toEqual([
      ['UnresolvedReferenceException', true],
    ]);
    expect([await remaining(), await elsewhere()]).toEqual([whole, [5, 6]]);
  });

  test('the trace names what is gone', async () => {
    await remove(refs(whole.map(uuid)));
    expect(world.tools.store.events().at(-1)).toMatchObject({
      action: 'removeDocuments',
      outcome: 'done',
      ground: 'systemRight',
      record: first,
      documents: expect.arrayContaining([{ entryUUID: uuid(1), uniqueId: '2.999.1.1' }]),
      submissionSet: { entryUUID: uuid(10), uniqueId: '2.999.2.10' },
    });
  });
});

describe('ITI-86', () => {
  const requests = (...documents: readonly (readonly [uniqueId: string, at?: string])[]) =>
    `<rmd:RemoveDocumentsRequest xmlns:rmd="urn:ihe:iti:rmd:2017" xmlns:xds="urn:ihe:iti:xds-b:2007">${documents
      .map(
        ([uniqueId, at = repository]) =>
          `<xds:DocumentRequest><xds:RepositoryUniqueId>${at}</xds:RepositoryUniqueId><xds:DocumentUniqueId>${uniqueId}</xds:DocumentUniqueId></xds:DocumentRequest>`,
      )
      .join('')}</rmd:RemoveDocumentsRequest>`;
  const remove = async (xml: string, request = system('remove')) => seen(await handled(iti86, world, request, xml));
  const one = '2.999.1.1';
  const other = '2.999.1.5';

  test('bytes go and metadata stay', async () => {
    expect(await remove(requests([one]))).toMatchObject({ status: 'Success', errors: [] });
    expect(await remaining()).toEqual(whole);
    const { read } = world.tools.store;
    const [gone] = await read.documentsByUuid(await permitOn(world.tools.store, 'ourselves'), [uuid(1)]);
    expect(gone?.entry.uniqueId).toBe(one);
    expect(gone?.content).toBeUndefined();
    expect((await remove(requests([one]))).errors.map(({ code }) => code)).toEqual(['XDSDocumentUniqueIdError']);
  });

  test.each([
    ['unknown', [['2.999.1.99']], 'Failure', ['XDSDocumentUniqueIdError']],
    ['of another repository', [[one, '2.999.7']], 'Failure', ['XDSUnknownRepositoryId']],
    ['on demand', [['2.999.1.6']], 'Failure', ['XDSRemoveDocumentsError']],
    ['none', [], 'Failure', ['XDSRepositoryError']],
    ['one known, one not', [[one], ['2.999.1.99']], 'PartialSuccess', ['XDSDocumentUniqueIdError']],
    ['one here, one elsewhere', [[one], ['2.999.1.2', '2.999.7']], 'PartialSuccess', ['XDSUnknownRepositoryId']],
    [
      'one elsewhere, one unknown',
      [['2.999.1.99'], [one, '2.999.7']],
      'Failure',
      ['XDSUnknownRepositoryId', 'XDSDocumentUniqueIdError'],
    ],
    ['twice the same', [[one], [one]], 'Success', []],
    ['of two records', [[one], [other]], 'Success', []],
  ] as const)('documents %s', async (_, documents, status, codes) => {
    const answer = await remove(requests(...documents));
    expect([answer.status, answer.errors.map(({ code }) => code)]).toEqual([status, codes]);
  });

  test('a document of another patient than the credential’s is as unknown as none', async () => {
    const answer = await remove(requests([one], [other], ['2.999.1.99']), ofFirst());
    expect(answer.status).toBe('PartialSuccess');
    expect(answer.errors.map(({ code }) => code)).toEqual(['XDSDocumentUniqueIdError', 'XDSDocumentUniqueIdError']);
    expect(answer.errors[0]?.context).toBe(answer.errors[1]?.context.replace('2.999.1.99', other));
    expect(await remove(requests([other]))).toMatchObject({ status: 'Success' });
  });

  test('an error names its document', async () => {
    expect((await remove(requests(['2.999.1.99']))).errors[0]?.context).toContain('2.999.1.99');
    const { errors } = await remove(requests(['2.999.1.98', '2.999.7']));
    expect(errors[0]?.context).toContain('"2.999.7" of the document "2.999.1.98"');
  });

  test('one assertion removes documents of two records, and serves no second request', async () => {
    expect(await remove(requests([one], [other]), once('key-1'))).toMatchObject({ status: 'Success' });
    const done = world.tools.store.events().filter(({ outcome }) => outcome === 'done');
    expect(done.map(({ record, documents }) => [record, documents?.map((d) => d.uniqueId)])).toEqual([
      [first, [one]],
      [second, [other]],
    ]);
    expect((await remove(requests(['2.999.1.2'], [other]), once('key-1'))).errors[0]?.context).toContain('identif');
  });

  test('without the right nothing is removed', async () => {
    const { errors } = await remove(requests([one]), system('register'));
    expect(errors[0]?.context).toContain('DMPAccessDeniedByRightsService');
    expect(await remove(requests([one]))).toMatchObject({ status: 'Success' });
  });

  test('what was removed cannot be retrieved', async () => {
    await remove(requests([one]));
    const doctor: Request = {
      caller: {
        actor: {
          kind: 'professional',
          id: '899970000001',
          name: 'M',
          card: 'CPS',
          profession: '10',
          specialty: 'SM26',
        },
        mode: 'normal',
        secret: false,
        patient: { value: '279035121518989', oid: '1.2.250.1.213.1.4.10' },
        credential: { kind: 'token', id: 't', issuer: 'test' },
      },
      origin: { transaction: 'ITI-43', requestId: 'r', endpoint: 'test' },
    };
    const asked = requests([one])
      .replaceAll('rmd:RemoveDocumentsRequest', 'xds:RetrieveDocumentSetRequest')
      .replace('xmlns:rmd="urn:ihe:iti:rmd:2017" ', '');
    expect((await seen(await handled(iti43, world, doctor, asked))).errors.map(({ code }) => code)).toEqual([
      'XDSDocumentUniqueIdError',
    ]);
  });
});
