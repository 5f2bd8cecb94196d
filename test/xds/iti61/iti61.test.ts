import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import Koa from 'koa';
import { readCda } from '../../../server/cda/header.ts';
import { anybody } from '../../../server/domain/actor.ts';
import type { DocumentEntry } from '../../../server/domain/document.ts';
import { onDemandRouter } from '../../../server/sandbox/on-demand.ts';
import { httpSources } from '../../../server/sources/http.ts';
import type { Order } from '../../../server/sources/port.ts';
import type { Request } from '../../../server/usecases/perform.ts';
import { findDocuments, getDocuments } from '../../../server/usecases/query.ts';
import { getAssociations } from '../../../server/usecases/query-get.ts';
import { writeAssociation, writeDocument, writeSubmissionSet } from '../../../server/xds/ebrim/write.ts';
import { iti43 } from '../../../server/xds/iti43.ts';
import { iti57 } from '../../../server/xds/iti57.ts';
import { iti61 } from '../../../server/xds/iti61.ts';
import type { MemoryStore } from '../../support/memory-store.ts';
import { association, document, submissionSet, uuid } from '../../support/registry.ts';
import { openWorld, type World } from '../../support/world.ts';
import { all, handled, seen, textOf } from '../handled.ts';
import { nextVersion, setOf, submitting } from '../registry-messages.ts';

const source = '2.999.8';
const own = '1.2.250.1.213.4.1.1.1.2';

let server: Server;
let address: string;
let world: World<MemoryStore>;
/** What the next call of the source does instead of its work. */
let instead: ((order: Order) => { status: number; body?: string; type?: string }) | undefined;
let calls: Order[] = [];

beforeAll(async () => {
  const app = new Koa();
  app.use(async (ctx, next) => {
    if (instead === undefined) return (await next()) as unknown;
    const { status, body = '', type } = instead({} as Order);
    ctx.status = status;
    ctx.body = Buffer.from(body);
    if (type === undefined) ctx.remove('Content-Type');
    else ctx.set('Content-Type', type);
    if (status === 302) ctx.set('Location', `${address}/elsewhere`);
    return undefined;
  });
  app.use(onDemandRouter(() => world.clock.now).routes());
  const answer = app.callback();
  server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sandbox/on-demand`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

beforeEach(() => openedIn('dmp'));

async function openedIn(domain: 'dmp' | 'open'): Promise<void> {
  instead = undefined;
  calls = [];
  const called = httpSources([{ repository: source, address }], { timeout: 1000 });
  world = await openWorld({
    domain,
    sources: {
      repositories: called.repositories,
      assemble: (repository, order) => {
        calls.push(order);
        return called.assemble(repository, order);
      },
    },
  });
}

const laurent = () => {
  const { value, oid } = world.ins('laurent');
  return { id: value, authority: { oid } };
};
const { creationTime: _time, hash: _hash, size: _size, ...without } = document(900);
const onDemand = (changes: Partial<DocumentEntry> = {}): DocumentEntry => ({
  ...without,
  objectType: 'onDemand',
  uniqueId: '2.999.1.900',
  patientId: laurent(),
  repositoryUniqueId: source,
  classCode: { code: '11', system: '1.2.250.1.213.1.1.4.1', display: 'Synthèse' },
  typeCode: { code: '60591-5', system: '2.16.840.1.113883.6.1', display: 'Synthèse médicale' },
  practiceSettingCode: { code: 'AMBULATOIRE', system: '1.2.250.1.213.1.1.4.9', display: 'Ambulatoire' },
  healthcareFacilityTypeCode: { code: 'SA43', system: '1.2.250.1.71.4.2.4', display: 'x' },
  confidentialityCodes: [{ code: 'N', system: '2.16.840.1.113883.5.25', display: 'Normal' }],
  title: { value: 'Synthèse du dossier' },
  ...changes,
});
const registering = (changes: Partial<DocumentEntry> = {}, number = 900) => {
  const entry = onDemand({ entryUUID: uuid(number), logicalID: uuid(number), ...changes });
  const set = submissionSet(number + 1, {
    patientId: laurent(),
    contentTypeCode: { code: '07', system: '1.2.250.1.213.2.2', display: 'Consultations' },
  });
  const member = { ...association(number + 2, number + 1, number), submissionSetStatus: 'Original' as const };
  return `<lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"><rim:RegistryObjectList>${writeDocument(entry)}${writeSubmissionSet(set)}${writeAssociation(member)}</rim:RegistryObjectList></lcm:SubmitObjectsRequest>`;
};
const register = async (changes: Partial<DocumentEntry> = {}, who = 'regie', number = 900) =>
  seen(await handled(iti61, world, world.as(who), registering(changes, number)));
const as = (slug: string): Request => world.as(slug, { patient: world.ins('laurent') });

async function retrieve(slug = 'dr-martin', uniqueId = '2.999.1.900', repository = source) {
  const xml = `<RetrieveDocumentSetRequest xmlns="urn:ihe:iti:xds-b:2007"><DocumentRequest><RepositoryUniqueId>${repository}</RepositoryUniqueId><DocumentUniqueId>${uniqueId}</DocumentUniqueId></DocumentRequest></RetrieveDocumentSetRequest>`;
  const answer = await handled(iti43, world, as(slug), xml);
  const { status, errors, root } = await seen(answer);
  const [response] = all(root, 'DocumentResponse');
  const bytes = answer.parts?.[0]?.bytes;
  return {
    status,
    codes: errors.map(({ code }) => code),
    order: Object.keys(response ?? {}).filter((name) => name !== '$'),
    repository: textOf(response, 'NewRepositoryUniqueId'),
    uniqueId: textOf(response, 'NewDocumentUniqueId'),
    text: bytes instanceof Uint8Array ? Buffer.from(bytes).toString() : '',
  };
}

const find = async (slug: string, objectTypes: ('stable' | 'onDemand')[] = ['stable']) =>
  (
    await findDocuments(world.tools, as(slug), {
      filter: { objectTypes, statuses: ['approved'] },
      query: 'test',
    })
  ).map(({ entry }) => entry);

describe('registering', () => {
  test('an entry that has no bytes yet, found only by who asks for its kind', async () => {
    expect(await register()).toMatchObject({ status: 'Success', errors: [] });
    const [entry] = await find('dr-martin', ['onDemand']);
    expect(entry).toMatchObject({
      uniqueId: '2.999.1.900',
      repositoryUniqueId: source,
      version: 1,
      status: 'approved',
    });
    expect([entry?.hash, entry?.size, entry?.creationTime]).toEqual([undefined, undefined, undefined]);
    expect((await find('dr-martin')).map(({ uniqueId }) => uniqueId)).not.toContain('2.999.1.900');
  });

  test.each([
    ['a stable entry', { objectType: 'stable' }, 'XDSRegistryMetadataError'],
    ['a creation time', { creationTime: '20260101' }, 'XDSRegistryMetadataError'],
    ['a hash', { hash: 'f30ecbf5b1cb85c631fdec0b39678550973cfcbc' }, 'XDSRegistryMetadataError'],
    ['a size', { size: 7 }, 'XDSRegistryMetadataError'],
    ['a source that nobody configured', { repositoryUniqueId: '2.999.9' }, 'XDSRegistryMetadataError'],
    ['the name of a stable document', { uniqueId: '1.2.250.1.999.1.3.101' }, 'XDSDuplicateUniqueIdInRegistry'],
  ] as const)('%s is refused', async (_, changes, code) => {
    const { status, errors } = await register(changes);
    expect([status, [...new Set(errors.map((e) => e.code))]]).toEqual(['Failure', [code]]);
    expect(await find('dr-martin', ['onDemand'])).toEqual([]);
  });

  test.each([
    ['a creation time', { creationTime: '20260101' }],
    ['a hash', { hash: 'f30ecbf5b1cb85c631fdec0b39678550973cfcbc' }],
    ['a size', { size: 7 }],
  ])('no new version of it has %s', async (_, changes) => {
    await register();
    const [entry] = await find('dr-martin', ['onDemand']);
    if (entry === undefined) throw new Error('not registered');
    const update = async (more: Partial<DocumentEntry>) =>
      seen(await handled(iti57, world, world.as('regie'), submitting(setOf(world, 'regie'), nextVersion(entry, more))));
    const { status, errors } = await update(changes);
    expect([status, errors.map(({ code }) => code)]).toEqual(['Failure', ['XDSRegistryMetadataError']]);
    expect(errors[0]?.context).toContain('an on-demand document has none');
    expect(await update({ title: { value: 'Another title' } })).toMatchObject({ status: 'Success' });
  });

  test('another entry of the same name is one more', async () => {
    await register();
    expect(await register({}, 'regie', 910)).toMatchObject({ status: 'Success' });
    expect((await find('dr-martin', ['onDemand'])).length).toBe(2);
  });

  test.each(['dr-martin', 'hopital-nord'])('%s may not', async (who) => {
    expect((await register({}, who)).errors[0]?.context).toContain('DMPAccessDeniedByRightsService');
  });
});

describe('retrieving', () => {
  test('the document is assembled, kept, and told under its new name', async () => {
    await register();
    const retrieved = await retrieve();
    expect(retrieved).toMatchObject({ status: 'Success', codes: [], repository: own });
    expect(retrieved.order).toEqual([
      'RepositoryUniqueId',
      'DocumentUniqueId',
      'NewRepositoryUniqueId',
      'NewDocumentUniqueId',
      'mimeType',
      'Document',
    ]);
    expect(readCda(Buffer.from(retrieved.text))).toMatchObject({
      uniqueId: retrieved.uniqueId,
      title: 'Synthèse du dossier',
    });
    const [snapshot] = await getDocuments(world.tools, as('dr-martin'), {
      by: 'uniqueId',
      values: [retrieved.uniqueId ?? ''],
    });
    expect(snapshot?.entry).toMatchObject({
      objectType: 'stable',
      status: 'approved',
      size: Buffer.byteLength(retrieved.text),
      repositoryUniqueId: own,
    });
    const { associations } = await getAssociations(world.tools, as('dr-martin'), {
      entryUUIDs: [snapshot?.entry.entryUUID ?? ''],
      associations: { statuses: ['approved'] },
      query: 'test',
    });
    expect(associations.map(({ type }) => type).sort()).toEqual(['HasMember', 'IsSnapshotOf']);
    expect((await retrieve('dr-martin', retrieved.uniqueId, own)).text).toBe(retrieved.text);
  });

  test('it speaks of what its reader sees, in sections', async () => {
    await register();
    const { text } = await retrieve('dr-nguyen');
    const titles = (await find('dr-nguyen'))
      .filter((entry) => entry.classCode.code === '10')
      .map((e) => e.title?.value ?? '');
    expect(titles.length).toBeGreaterThan(0);
    expect(text).toContain('<title>Comptes rendus</title>');
    for (const title of titles) expect(text.replaceAll('&apos;', "'")).toContain(title);
    expect(new Set(calls[0]?.documents.map(({ objectType }) => objectType))).toEqual(new Set(['stable']));
    expect(calls[0]?.patient).toMatchObject({ value: world.ins('laurent').value, family: 'LAURENT' });
  });

  test('unchanged, the snapshot serves again; changed, a new one replaces the reader’s former one', async () => {
    await register();
    const first = await retrieve();
    expect((await retrieve()).uniqueId).toBe(first.uniqueId);
    expect(calls.map(({ former }) => former)).toEqual([undefined, first.uniqueId]);
    await register({ objectType: 'onDemand' }, 'regie', 910);
    const { tools } = world;
    const victim = (await find('dr-martin')).find(({ uniqueId }) => uniqueId.startsWith('1.2.250.1.999.1.3.'));
    await removeOne(victim?.entryUUID ?? '');
    const second = await retrieve();
    expect(second.uniqueId).not.toBe(first.uniqueId);
    const [former] = await getDocuments(tools, as('dr-martin'), { by: 'uniqueId', values: [first.uniqueId ?? ''] });
    expect(former?.entry.status).toBe('deprecated');
  });

  test('what its source takes from elsewhere may change too: other bytes are another snapshot, the same bytes the same', async () => {
    await register();
    const answering = (body: string) => () => ({ status: 200, body });
    const ids: (string | undefined)[] = [];
    for (const body of ['<a/>', '<a/>', '<b/>', '<b/>']) {
      instead = answering(body);
      const { uniqueId, text } = await retrieve();
      expect(text).toBe(body);
      ids.push(uniqueId);
    }
    expect([ids[0] === ids[1], ids[1] === ids[2], ids[2] === ids[3]]).toEqual([true, false, true]);
    const statuses = await Promise.all(
      ids.map(async (id) => getDocuments(world.tools, as('dr-martin'), { by: 'uniqueId', values: [id ?? ''] })),
    );
    expect(statuses.map(([found]) => found?.entry.status)).toEqual([
      'deprecated',
      'deprecated',
      'approved',
      'approved',
    ]);
  });

  test('a source that says unchanged of nothing, or fails, makes nothing out of date', async () => {
    await register();
    instead = () => ({ status: 304 });
    expect(await retrieve()).toMatchObject({ status: 'Failure', codes: ['XDSRepositoryError'] });
    instead = undefined;
    const { uniqueId } = await retrieve();
    instead = () => ({ status: 500 });
    expect(await retrieve()).toMatchObject({ status: 'Failure', codes: ['XDSRepositoryError'] });
    instead = () => ({ status: 304 });
    expect((await retrieve()).uniqueId).toBe(uniqueId);
  });

  test('a source that cannot be reached is asked once in a request, one that refuses a document for the others too', async () => {
    await register();
    await register({ uniqueId: '2.999.1.910' }, 'regie', 910);
    const both = async () => {
      calls = [];
      const asked = ['2.999.1.900', '2.999.1.910'].map(
        (id) =>
          `<DocumentRequest><RepositoryUniqueId>${source}</RepositoryUniqueId><DocumentUniqueId>${id}</DocumentUniqueId></DocumentRequest>`,
      );
      const xml = `<RetrieveDocumentSetRequest xmlns="urn:ihe:iti:xds-b:2007">${asked.join('')}</RetrieveDocumentSetRequest>`;
      const { errors } = await seen(await handled(iti43, world, as('dr-martin'), xml));
      return [calls.length, ...errors.map(({ code }) => code)];
    };
    instead = () => ({ status: 302 });
    expect(await both()).toEqual([1, 'XDSRepositoryError', 'XDSRepositoryError']);
    instead = () => ({ status: 404 });
    expect(await both()).toEqual([2, 'XDSRepositoryError', 'XDSRepositoryError']);
  });

  test.each([
    ['nothing', { status: 200, body: '' }],
    ['a page instead of a document', { status: 200, body: '<html/>', type: 'text/html' }],
  ])('a source that answers %s makes no document', async (_, answer) => {
    await register();
    const before = await find('dr-martin');
    instead = () => answer;
    expect(await retrieve()).toMatchObject({ status: 'Failure', codes: ['XDSRepositoryError'] });
    expect(await find('dr-martin')).toEqual(before);
  });

  test.each(['application/xml', 'text/xml; charset=UTF-8', 'application/octet-stream', undefined])(
    'a document that comes as %s is one of text/xml',
    async (type) => {
      await register({ mimeType: 'text/xml' });
      instead = () => ({ status: 200, body: '<a/>', ...(type !== undefined && { type }) });
      expect(await retrieve()).toMatchObject({ status: 'Success', text: '<a/>' });
    },
  );

  test('what is hidden from others hides the snapshot from them', async () => {
    await register();
    const before = await find('dr-martin');
    const seenByNguyen = (await find('dr-nguyen')).length;
    const { uniqueId } = await retrieve('laurent');
    const masked = calls[0]?.documents.some((entry) => entry.confidentialityCodes.some((c) => c.code === 'MASQUE_PS'));
    expect(before.length).toBeGreaterThanOrEqual(seenByNguyen);
    const visible = (await find('dr-nguyen')).some((entry) => entry.uniqueId === uniqueId);
    expect(visible).toBe(masked !== true);
  });

  test.each([
    ['fails', () => ({ status: 500 })],
    ['knows nothing', () => ({ status: 404 })],
    ['sends elsewhere', () => ({ status: 302 })],
    ['answers nothing', () => ({ status: 204 })],
  ])('a source that %s leaves nothing behind', async (_, answer) => {
    await register();
    const before = (await find('dr-martin')).length;
    instead = answer;
    expect(await retrieve()).toMatchObject({ status: 'Failure', codes: ['XDSRepositoryError'] });
    expect((await find('dr-martin')).length).toBe(before);
    instead = undefined;
    expect(await retrieve()).toMatchObject({ status: 'Success' });
  });

  test('at another repository it is unknown, and comes from its own in the same answer', async () => {
    await register();
    expect((await retrieve('dr-martin', '2.999.1.900', own)).codes).toEqual(['XDSDocumentUniqueIdError']);
    for (const repositories of [
      [own, source],
      [source, own],
    ]) {
      const asked = repositories.map(
        (repository) =>
          `<DocumentRequest><RepositoryUniqueId>${repository}</RepositoryUniqueId><DocumentUniqueId>2.999.1.900</DocumentUniqueId></DocumentRequest>`,
      );
      const message = `<RetrieveDocumentSetRequest xmlns="urn:ihe:iti:xds-b:2007">${asked.join('')}</RetrieveDocumentSetRequest>`;
      const answer = await handled(iti43, world, as('dr-martin'), message);
      const { status, errors, root } = await seen(answer);
      expect([status, errors.map(({ code }) => code)]).toEqual(['PartialSuccess', ['XDSDocumentUniqueIdError']]);
      expect([all(root, 'DocumentResponse').length, answer.parts?.length]).toEqual([1, 1]);
    }
  });

  test('who may not read assembles nothing', async () => {
    await register();
    for (const slug of ['sec-moreau', 'dr-bernard', 'dr-roux']) expect((await retrieve(slug)).status).toBe('Failure');
    expect(calls).toEqual([]);
  });
});

describe('without credentials all readers are one', () => {
  test('a new snapshot replaces the former one', async () => {
    await openedIn('open');
    const anyone = { ...world.as('dr-martin'), caller: anybody };
    const message = registering({ sourcePatientId: laurent() });
    expect(await seen(await handled(iti61, world, anyone, message))).toMatchObject({ status: 'Success' });
    const ids: string[] = [];
    for (const body of ['<a/>', '<b/>']) {
      instead = () => ({ status: 200, body });
      const xml = `<RetrieveDocumentSetRequest xmlns="urn:ihe:iti:xds-b:2007"><DocumentRequest><RepositoryUniqueId>${source}</RepositoryUniqueId><DocumentUniqueId>2.999.1.900</DocumentUniqueId></DocumentRequest></RetrieveDocumentSetRequest>`;
      const { root } = await seen(await handled(iti43, world, anyone, xml));
      ids.push(textOf(all(root, 'DocumentResponse')[0], 'NewDocumentUniqueId') ?? '');
    }
    const found = await getDocuments(world.tools, anyone, { by: 'uniqueId', values: ids });
    expect(ids.map((id) => found.find(({ entry }) => entry.uniqueId === id)?.entry.status)).toEqual([
      'deprecated',
      'approved',
    ]);
  });
});

/** A document goes, so that the summary is about something else. */
async function removeOne(entryUUID: string): Promise<void> {
  const { removeMetadata } = await import('../../../server/usecases/remove-metadata.ts');
  const { associations } = await getAssociations(world.tools, as('laurent'), {
    entryUUIDs: [entryUUID],
    associations: { statuses: ['approved'] },
    query: 'test',
  });
  await removeMetadata(world.tools, world.as('regie'), [
    entryUUID,
    ...associations.flatMap((a) => [a.entryUUID, a.source]),
  ]);
}
