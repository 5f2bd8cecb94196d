import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Actor, SystemRight } from '../../../server/domain/actor.ts';
import type { Request } from '../../../server/usecases/perform.ts';
import { iti18 } from '../../../server/xds/iti18.ts';
import { iti51 } from '../../../server/xds/iti51.ts';
import { multiPatientQuery, statusUrn, storedQuery } from '../../../server/xds/vocabulary.ts';
import { documentRow, first, permitOn, put, second, seed } from '../../contract/store.ts';
import type { MemoryStore } from '../../support/memory-store.ts';
import { code, confidential, document, folder, uuid } from '../../support/registry.ts';
import { openWorld, type World } from '../../support/world.ts';
import { all, handled, seen } from '../handled.ts';

const oid = '1.2.250.1.213.1.4.10';
const [one, other] = [`279035121518989^^^&amp;${oid}&amp;ISO`, `160051188801257^^^&amp;${oid}&amp;ISO`];
const approved = `('${statusUrn.approved}')`;

let world: World<MemoryStore>;
beforeAll(async () => {
  world = await openWorld({ seeded: false });
  const { store } = world.tools;
  await seed(store);
  await store.write.commit(
    await permitOn(store, 'ourselves'),
    put(
      documentRow(document(1, { eventCodes: [code('E1')] })),
      documentRow(document(2, { confidentialityCodes: confidential('MASQUE_PS') })),
      documentRow(document(3, { classCode: code('11'), status: 'deprecated' })),
      { kind: 'folder', folder: folder(4) },
    ),
  );
  await store.write.commit(
    await permitOn(store, 'ourselves', { record: second }),
    put(
      documentRow(document(5, { classCode: code('11') })),
      documentRow(document(6, { documentAvailability: 'offline' })),
      {
        kind: 'folder',
        folder: folder(7, { codes: [code('G')] }),
      },
    ),
  );
});

const by = (actor: Actor): Request => ({
  caller: { actor, mode: 'normal', secret: false, credential: { kind: 'token', id: 't', issuer: 'test' } },
  origin: { transaction: 'ITI-51', requestId: 'r', endpoint: 'test' },
});
const system = (...rights: SystemRight[]) => by({ kind: 'system', id: 'regie', name: 'Régie', rights });

const query = (id: string, slots: Readonly<Record<string, string>>, returnType = 'ObjectRef') =>
  `<query:AdhocQueryRequest xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"><query:ResponseOption returnType="${returnType}" returnComposedObjects="true"/><rim:AdhocQuery id="${id}">${Object.entries(
    slots,
  )
    .map(
      ([name, value]) =>
        `<rim:Slot name="${name}"><rim:ValueList><rim:Value>${value}</rim:Value></rim:ValueList></rim:Slot>`,
    )
    .join('')}</rim:AdhocQuery></query:AdhocQueryRequest>`;

async function ask(xml: string, request = system('multiPatient'), on: Pick<World<MemoryStore>, 'tools'> = world) {
  const answer = await seen(await handled(iti51, { ...world, ...on }, request, xml));
  const list = all(answer.root, 'RegistryObjectList')[0];
  const found = ['ObjectRef', 'ExtrinsicObject', 'RegistryPackage'].flatMap((name) => all(list, name));
  return {
    status: answer.status,
    codes: answer.errors.map((error) => error.code),
    errors: answer.errors,
    ids: found.map((object) => object.$?.['id']).sort(),
  };
}
const documents = (slots: Readonly<Record<string, string>>, returnType?: string) =>
  query(multiPatientQuery.FindDocumentsForMultiplePatients, slots, returnType);
const folders = (slots: Readonly<Record<string, string>>) =>
  query(multiPatientQuery.FindFoldersForMultiplePatients, slots);

describe('documents', () => {
  test.each([
    ['of two patients', { $XDSDocumentEntryPatientId: `('${one}','${other}')` }, [1, 5]],
    ['of one of them', { $XDSDocumentEntryPatientId: `('${other}')` }, [5]],
    ['of a patient whom nobody knows', { $XDSDocumentEntryPatientId: `('150010199999942^^^&amp;${oid}&amp;ISO')` }, []],
    ['of all patients, by class', { $XDSDocumentEntryClassCode: `('10^^1.2.250.1.213.1.1.4.1')` }, [1]],
    ['of all patients, by two classes', { $XDSDocumentEntryClassCode: `('10^^2.999.4','11^^2.999.4')` }, [1, 5]],
    ['of all patients, by event', { $XDSDocumentEntryEventCodeList: `('E1^^2.999.4')` }, [1]],
    [
      'by patients and class',
      { $XDSDocumentEntryPatientId: `('${one}')`, $XDSDocumentEntryClassCode: `('11^^2.999.4')` },
      [],
    ],
  ])('%s', async (_, slots, numbers) => {
    const system4 = (value: string) =>
      value.replaceAll('2.999.4', code('x').system).replaceAll('1.2.250.1.213.1.1.4.1', code('x').system);
    const asked = Object.fromEntries(Object.entries(slots).map(([name, value]) => [name, system4(value)]));
    for (const returnType of ['ObjectRef', 'LeafClass'])
      expect(await ask(documents({ $XDSDocumentEntryStatus: approved, ...asked }, returnType))).toMatchObject({
        status: 'Success',
        ids: numbers.map(uuid),
      });
  });

  test('masked documents leave no trace', async () => {
    const { ids } = await ask(
      documents({ $XDSDocumentEntryStatus: approved, $XDSDocumentEntryPatientId: `('${one}')` }),
    );
    expect(ids).not.toContain(uuid(2));
  });
});

describe('folders', () => {
  test.each([
    ['of two patients', { $XDSFolderPatientId: `('${one}','${other}')` }, [4, 7]],
    ['of all, by code', { $XDSFolderCodeList: `('G^^${code('G').system}')` }, [7]],
  ])('%s', async (_, slots, numbers) => {
    expect(await ask(folders({ $XDSFolderStatus: approved, ...slots }))).toMatchObject({ ids: numbers.map(uuid) });
  });
});

test.each([
  ['neither patient nor code', documents({ $XDSDocumentEntryStatus: approved }), 'XDSStoredQueryMissingParam'],
  [
    'type alone',
    documents({ $XDSDocumentEntryStatus: approved, $XDSDocumentEntryTypeCode: "('a^^1.2')" }),
    'XDSStoredQueryMissingParam',
  ],
  ['no status', documents({ $XDSDocumentEntryPatientId: `('${one}')` }), 'XDSStoredQueryMissingParam'],
  ['folders by nothing', folders({ $XDSFolderStatus: approved }), 'XDSStoredQueryMissingParam'],
  [
    'a code without scheme',
    documents({ $XDSDocumentEntryStatus: approved, $XDSDocumentEntryClassCode: "('10')" }),
    'XDSRegistryError',
  ],
  ['a query of ITI-18', query(storedQuery.FindDocuments, {}), 'XDSUnknownStoredQuery'],
  ['a return type of another transaction', documents({}, 'LeafClassWithRepositoryItem'), 'XDSRegistryError'],
])('%s is refused', async (_, xml, code) => {
  expect(await ask(xml)).toMatchObject({ status: 'Failure', codes: [code], ids: [] });
});

test('too many are refused as full objects, not as references', async () => {
  const { tools } = world;
  const settings = { ...tools.settings, limits: { ...tools.settings.limits, results: 1 } };
  const slots = { $XDSDocumentEntryStatus: approved, $XDSDocumentEntryPatientId: `('${one}','${other}')` };
  const small = { tools: { ...tools, settings } };
  expect((await ask(documents(slots, 'LeafClass'), system('multiPatient'), small)).codes).toEqual([
    'XDSTooManyResults',
  ]);
  expect((await ask(documents(slots), system('multiPatient'), small)).ids.length).toBe(2);
});

test('more patients than objects may be answered are refused, as references too, where no patient is named', async () => {
  const { tools } = world;
  const within = (results: number) => ({
    tools: { ...tools, settings: { ...tools.settings, limits: { ...tools.settings.limits, results } } },
  });
  const byClass = documents({
    $XDSDocumentEntryStatus: approved,
    $XDSDocumentEntryClassCode: `('10^^${code('x').system}','11^^${code('x').system}')`,
  });
  expect(await ask(byClass, system('multiPatient'), within(1))).toMatchObject({
    codes: ['XDSTooManyResults'],
    ids: [],
  });
  expect((await ask(byClass, system('multiPatient'), within(2))).ids).toEqual([1, 5].map(uuid));
});

describe('with a credential that names a patient', () => {
  const ofOne = (): Request => {
    const { caller, origin } = system('multiPatient');
    return { caller: { ...caller, patient: { value: '279035121518989', oid } }, origin };
  };
  const named = (...patients: string[]) =>
    documents({
      $XDSDocumentEntryStatus: approved,
      $XDSDocumentEntryPatientId: `(${patients.map((p) => `'${p}'`).join(',')})`,
    });

  test('that patient alone may be asked about', async () => {
    expect(await ask(named(one), ofOne())).toMatchObject({ status: 'Success', ids: [uuid(1)] });
    const every = documents({
      $XDSDocumentEntryStatus: approved,
      $XDSDocumentEntryClassCode: `('10^^${code('x').system}','11^^${code('x').system}')`,
    });
    expect(await ask(every, ofOne())).toMatchObject({ status: 'Success', ids: [uuid(1)] });
  });

  test.each([
    ['another patient', [other], 1],
    ['another besides', [one, other], 1],
    ['another of whom nobody knows', [`150010199999942^^^&amp;${oid}&amp;ISO`], 1],
    ['two others', [other, `150010199999942^^^&amp;${oid}&amp;ISO`], 2],
  ])('%s is refused', async (_, patients, problems) => {
    const { status, codes, errors, ids } = await ask(named(...patients), ofOne());
    expect({ status, ids }).toEqual({ status: 'Failure', ids: [] });
    expect(codes).toEqual(Array(problems).fill('XDSPatientIdDoesNotMatch'));
    expect(errors.at(-1)?.context).toContain(patients.at(-1)?.slice(0, 15));
  });
});

test.each([
  [
    'a system with every other right',
    system('feed', 'register', 'onDemand', 'remove', 'restrictedUpdate', 'auditFeed'),
  ],
  ['a doctor', by({ kind: 'professional', id: '899970000001', name: 'M', card: 'CPS', profession: '10' })],
  ['a structure', by({ kind: 'structure', structure: { id: '1750000009', name: 'H' } })],
  ['a patient', by({ kind: 'patient', ins: { value: '279035121518989', oid }, name: 'L' })],
])('%s may not', async (_, request) => {
  const { errors, ids } = await ask(
    documents({ $XDSDocumentEntryStatus: approved, $XDSDocumentEntryPatientId: `('${one}')` }),
    request,
  );
  expect(errors[0]?.context).toContain('DMPAccessDeniedByRightsService');
  expect(ids).toEqual([]);
});

test('a multi-patient query is none of ITI-18', async () => {
  const answer = await seen(
    await handled(iti18, world, system('multiPatient'), documents({ $XDSDocumentEntryStatus: approved })),
  );
  expect(answer.errors.map(({ code: name }) => name)).toEqual(['XDSUnknownStoredQuery']);
});

test('the history of each record tells of it, and of no other record', async () => {
  const before = world.tools.store.events().length;
  await ask(documents({ $XDSDocumentEntryStatus: approved, $XDSDocumentEntryPatientId: `('${one}','${other}')` }));
  await ask(
    documents({ $XDSDocumentEntryStatus: approved, $XDSDocumentEntryEventCodeList: `('E1^^${code('E1').system}')` }),
  );
  const events = world.tools.store.events().slice(before);
  expect(
    events.map(({ action, record, documents: named }) => [action, record, named?.map((d) => d.entryUUID)]),
  ).toEqual([
    ['queryAcrossPatients', undefined, undefined],
    ['queryAcrossPatients', first, [uuid(1)]],
    ['queryAcrossPatients', second, [uuid(5)]],
    ['queryAcrossPatients', undefined, undefined],
    ['queryAcrossPatients', first, [uuid(1)]],
  ]);
  expect(events.filter(({ record }) => record !== undefined).map((event) => event.query)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
