import { beforeAll, describe, expect, test } from '@jest/globals';
import { NotIdentified } from '../../server/auth/credentials.ts';
import { withoutCredentials } from '../../server/auth/open.ts';
import { anybody } from '../../server/domain/actor.ts';
import { mergeIdentities } from '../../server/usecases/feed.ts';
import type { Request } from '../../server/usecases/perform.ts';
import { writeAssociation, writeDocument, writeSubmissionSet } from '../../server/xds/ebrim/write.ts';
import { iti18 } from '../../server/xds/iti18.ts';
import { iti41 } from '../../server/xds/iti41.ts';
import { iti43 } from '../../server/xds/iti43.ts';
import { iti51 } from '../../server/xds/iti51.ts';
import { multiPatientQuery, statusUrn, storedQuery } from '../../server/xds/vocabulary.ts';
import type { MemoryStore } from '../support/memory-store.ts';
import { association, confidential, document, submissionSet, uuid } from '../support/registry.ts';
import { openWorld, type World } from '../support/world.ts';
import { all, handled, seen } from './handled.ts';

const repository = '1.2.250.1.213.4.1.1.1.2';
const nobody: Request = { caller: anybody, origin: { transaction: 'ITI-18', requestId: 'r', endpoint: 'test' } };

let world: World<MemoryStore>;
beforeAll(async () => {
  world = await openWorld({ domain: 'open' });
});

const cxOf = (slug: string) => ({ id: world.ins(slug).value, authority: { oid: world.ins(slug).oid } });

function deposit(number: number, slug = 'laurent', type?: string, more: Parameters<typeof document>[1] = {}): string {
  const patientId = { ...cxOf(slug), ...(type !== undefined && { type }) };
  const {
    hash: _hash,
    size: _size,
    ...entry
  } = document(number, {
    patientId,
    sourcePatientId: cxOf(slug),
    mimeType: 'application/pdf',
    typeCode: { code: 'TY1', system: '2.999.43', display: 'type' },
    ...more,
  });
  const set = submissionSet(number + 1, { patientId });
  const member = { ...association(number + 2, number + 1, number), submissionSetStatus: 'Original' as const };
  const content = Buffer.from(`document ${number}`).toString('base64');
  return `<xds:ProvideAndRegisterDocumentSetRequest xmlns:xds="urn:ihe:iti:xds-b:2007"><lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"><rim:RegistryObjectList>${writeDocument(entry)}${writeSubmissionSet(set)}${writeAssociation(member)}</rim:RegistryObjectList></lcm:SubmitObjectsRequest><xds:Document id="${uuid(number)}">${content}</xds:Document></xds:ProvideAndRegisterDocumentSetRequest>`;
}
const codes = async (xml: string, transaction = iti41, request = nobody) => {
  const { status, errors } = await seen(await handled(transaction, world, request, xml));
  return [status, ...errors.map(({ code }) => code)];
};
const find = (patient: string) =>
  `<query:AdhocQueryRequest xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"><query:ResponseOption returnType="ObjectRef" returnComposedObjects="true"/><rim:AdhocQuery id="${storedQuery.FindDocuments}"><rim:Slot name="$XDSDocumentEntryPatientId"><rim:ValueList><rim:Value>'${patient}'</rim:Value></rim:ValueList></rim:Slot><rim:Slot name="$XDSDocumentEntryStatus"><rim:ValueList><rim:Value>('${statusUrn.approved}')</rim:Value></rim:ValueList></rim:Slot></rim:AdhocQuery></query:AdhocQueryRequest>`;
const cx = (value: string, oid = '1.2.250.1.213.1.4.10') => `${value}^^^&amp;${oid}&amp;ISO`;
const retrieve = (...uniqueIds: string[]) =>
  `<RetrieveDocumentSetRequest xmlns="urn:ihe:iti:xds-b:2007">${uniqueIds.map((id) => `<DocumentRequest><RepositoryUniqueId>${repository}</RepositoryUniqueId><DocumentUniqueId>${id}</DocumentUniqueId></DocumentRequest>`).join('')}</RetrieveDocumentSetRequest>`;

describe('without a credential', () => {
  test('documents of any code and type are deposited, found and retrieved', async () => {
    expect(await codes(deposit(100))).toEqual(['Success']);
    const { root } = await seen(await handled(iti18, world, nobody, find(cx(world.ins('laurent').value))));
    const ids = all(all(root, 'RegistryObjectList')[0], 'ObjectRef').map((ref) => ref.$?.['id']);
    expect(ids).toContain(uuid(100));
    const answer = await handled(iti43, world, nobody, retrieve('2.999.1.100'));
    expect(Buffer.from(answer.parts?.[0]?.bytes as Uint8Array).toString()).toBe('document 100');
  });

  test('documents of several patients are retrieved together, unknown ones told', async () => {
    await codes(deposit(110));
    await codes(deposit(120, 'blanc'));
    const answer = await handled(iti43, world, nobody, retrieve('2.999.1.120', '2.999.1.110', '2.999.1.199'));
    expect(answer.parts?.length).toBe(2);
    const { status, errors } = await seen(answer);
    expect([status, errors.map(({ code }) => code)]).toEqual(['PartialSuccess', ['XDSDocumentUniqueIdError']]);
    expect(await codes(retrieve('2.999.1.199'), iti43)).toEqual(['Failure', 'XDSDocumentUniqueIdError']);
  });

  test('visibility codes hide nothing', async () => {
    await codes(deposit(130, 'laurent', undefined, { confidentialityCodes: confidential('MASQUE_PS') }));
    const { root } = await seen(await handled(iti18, world, nobody, find(cx(world.ins('laurent').value))));
    expect(JSON.stringify(root)).toContain(uuid(130));
  });

  test.each([
    [
      'the name of other bytes',
      () => deposit(140),
      () => deposit(150, 'laurent', undefined, { uniqueId: '2.999.1.140' }),
      ['Failure', 'XDSNonIdenticalHash'],
    ],
    [
      'a CX with more than id and authority',
      () => deposit(160),
      () => deposit(170, 'laurent', 'NH'),
      ['Failure', 'XDSRepositoryMetadataError', 'XDSRepositoryMetadataError'],
    ],
    [
      'a sourcePatientId with more than id and authority',
      () => deposit(163),
      () => deposit(173, 'laurent', undefined, { sourcePatientId: { ...cxOf('laurent'), type: 'PI' } }),
      ['Failure', 'XDSRepositoryMetadataError'],
    ],
  ])('%s', async (_, first, second, expected) => {
    expect(await codes(first())).toEqual(['Success']);
    expect(await codes(second())).toEqual(expected);
  });

  test('the same bytes again, under the same name', async () => {
    const again = deposit(190, 'laurent', undefined, { uniqueId: '2.999.1.100' });
    const same = again.replace(
      Buffer.from('document 190').toString('base64'),
      Buffer.from('document 100').toString('base64'),
    );
    expect(await codes(same)).toEqual(['Success']);
  });

  test('an unknown patient has no documents, and is given none', async () => {
    expect(await codes(find(cx('P1', '2.999.10')), iti18)).toEqual(['Success']);
    const unknown = deposit(180).replaceAll(world.ins('laurent').value, 'P1');
    expect(await codes(unknown)).toEqual(['Failure', 'XDSUnknownPatientId']);
    const wrong = unknown.replace('<rim:Value>fr-FR<', '<rim:Value>_<');
    expect(await codes(wrong)).toEqual(['Failure', 'XDSUnknownPatientId', 'XDSRepositoryMetadataError']);
  });

  test.each([
    ['a registered set', 'APND', 200, 201, 'the target of APND cannot be such an object'],
    ['a registered association', 'RPLC', 210, 212, 'the target of RPLC cannot be such an object'],
    ['a registered set as a member', 'HasMember', 220, 221, 'has entries, its own folders and associations as members'],
  ] as const)('%s of the same patient is no end of a %s', async (_, type, number, target, words) => {
    expect(await codes(deposit(number))).toEqual(['Success']);
    const source = type === 'HasMember' ? number + 4 : number + 3;
    const wrong = writeAssociation({ ...association(number + 6, source, target), type });
    const list = '</rim:RegistryObjectList>';
    const message = deposit(number + 3).replace(list, `${wrong}${list}`);
    const { errors } = await seen(await handled(iti41, world, nobody, message));
    expect(errors).toEqual([
      { code: 'XDSRepositoryMetadataError', context: expect.stringContaining(words), location: uuid(number + 6) },
    ]);
  });

  test('a query without its patient is told so, with all else that is wrong with it', async () => {
    const bare = find(cx('P1', '2.999.10')).replaceAll(/<rim:Slot .*?<\/rim:Slot>/g, '');
    const { errors } = await seen(await handled(iti18, world, nobody, bare));
    expect(errors.map(({ code, location }) => [code, location])).toEqual([
      ['XDSStoredQueryMissingParam', '$XDSDocumentEntryStatus'],
      ['XDSStoredQueryMissingParam', '$XDSDocumentEntryPatientId'],
    ]);
  });

  test('where credentials are asked for, nothing is done', async () => {
    const dmp = await openWorld();
    const { errors } = await seen(await handled(iti18, dmp, nobody, find(cx(dmp.ins('laurent').value))));
    expect(errors[0]?.context).toContain('DMPAccessDeniedByRightsService');
  });
});

describe('identification of a domain without credentials', () => {
  const failing = (error: Error) =>
    withoutCredentials({ assertion: () => Promise.reject(error), bearer: () => Promise.reject(error) });
  const envelope = {
    source: '',
    root: {
      namespace: '',
      local: '',
      attributes: [],
      children: [],
      text: '',
      start: 0,
      end: 0,
      declares: undefined,
      parent: undefined,
    },
  };

  test('nothing at all is anybody', async () => {
    const identify = failing(new NotIdentified('none', true));
    expect(await identify.bearer(undefined)).toBe(anybody);
    expect(await identify.assertion(envelope)).toBe(anybody);
  });

  test.each([new NotIdentified('forged'), new Error('trust store gone')])('%s stays what it is', async (error) => {
    const identify = failing(error);
    await expect(identify.bearer('Bearer x')).rejects.toBe(error);
    await expect(identify.assertion(envelope)).rejects.toBe(error);
  });
});

test('an identifier that a merge took away names nobody, in a query across patients either', async () => {
  const own = await openWorld({ domain: 'open' });
  const [surviving, subsumed] = [own.ins('henry'), own.ins('blanc')];
  await mergeIdentities(own.tools, nobody, { surviving: [surviving], subsumed: [subsumed] });
  const across = async (...patients: string[]) => {
    const list = patients.map((value) => `'${cx(value)}'`).join(',');
    const xml = find('').replace("'</rim:Value>", `</rim:Value>`).replace("<rim:Value>'", `<rim:Value>(${list})`);
    const asked = xml.replace(storedQuery.FindDocuments, multiPatientQuery.FindDocumentsForMultiplePatients);
    const { root, status } = await seen(await handled(iti51, own, nobody, asked));
    return [status, all(all(root, 'RegistryObjectList')[0], 'ObjectRef').length];
  };
  const [, held] = await across(surviving.value);
  expect(held).toBeGreaterThan(0);
  expect(await across(subsumed.value)).toEqual(['Success', 0]);
  expect(await across(subsumed.value, surviving.value)).toEqual(['Success', held]);
});
