import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import Koa from 'koa';
import { type Identify, NotIdentified } from '../../../server/auth/credentials.ts';
import { iti18 } from '../../../server/xds/iti18.ts';
import { xdsRouter } from '../../../server/xds/routes.ts';
import { namespace } from '../../../server/xds/vocabulary.ts';
import { child } from '../../../server/xml/element.ts';
import { usualLimits } from '../../support/limits.ts';
import type { MemoryStore } from '../../support/memory-store.ts';
import { envelopeOf, plain, post } from '../../support/wire.ts';
import { openWorld, type World } from '../../support/world.ts';
import { type QueryName, queryMessage, quoted, type Slots, status } from './registry.ts';

let world: World<MemoryStore>;
let server: Server;
let port = 0;

/** wsse:Security names somebody of the sandbox and the patient spoken of. */
const identify: Identify = {
  assertion: ({ root }) => {
    const named = child(child(root, namespace.soap12, 'Header'), namespace.wsse, 'Security')?.text.split(' ');
    const [slug, patient] = named ?? [];
    if (slug === undefined || patient === undefined) throw new NotIdentified('nothing in wsse:Security', true);
    return Promise.resolve(world.as(slug, { patient: world.ins(patient) }).caller);
  },
  bearer: () => Promise.reject(new NotIdentified('not here')),
};

beforeAll(async () => {
  world = await openWorld();
  const app = new Koa();
  const options = {
    log: { info: () => {}, error: () => {} },
    publicUrl: 'http://dmp.example.org',
    limits: usualLimits,
  };
  app.use(xdsRouter(world.tools, identify, [iti18], options).routes());
  const answer = app.callback();
  server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** The answer as text, with the ids of the objects by their element. */
async function ask(who: string, patient: string, name: QueryName, slots: Slots, returnType?: 'ObjectRef') {
  const message =
    `<s:Envelope xmlns:s="${namespace.soap12}" xmlns:a="${namespace.wsa}"><s:Header>` +
    `<a:Action s:mustUnderstand="1">${iti18.requestAction}</a:Action><a:MessageID>urn:uuid:5b7b3a5e-0a1d-4c43-9a0c-0d3c3a6f9d11</a:MessageID>` +
    `<w:Security xmlns:w="${namespace.wsse}">${who} ${patient}</w:Security></s:Header>` +
    `<s:Body>${queryMessage(name, slots, returnType)}</s:Body></s:Envelope>`;
  const answer = await post(port, '/xds/registry', plain, [message]);
  await envelopeOf(answer);
  const text = answer.bytes.toString();
  const idsOf = (element: string) =>
    [...text.matchAll(new RegExp(`<rim:${element} id="([^"]*)"`, 'g'))].map((m) => m[1] ?? '');
  return { text, idsOf, code: /errorCode="(\w+)"/.exec(text)?.[1] };
}

const sets: Slots = [['$XDSSubmissionSetStatus', status('approved')]];

test('by submission date: sets, then their associations, then their documents', async () => {
  const found = await ask('dr-nguyen', 'laurent', 'FindSubmissionSets', sets);
  const setIds = found.idsOf('RegistryPackage');
  expect(setIds.length).toBeGreaterThan(1);
  const associations = await ask('dr-nguyen', 'laurent', 'GetAssociations', [['$uuid', quoted(...setIds)]]);
  const targets = [...associations.text.matchAll(/targetObject="([^"]*)"/g)].map((m) => m[1] ?? '');
  const documents = await ask('dr-nguyen', 'laurent', 'GetDocuments', [
    ['$XDSDocumentEntryEntryUUID', quoted(...targets)],
  ]);
  const all = await ask(
    'dr-nguyen',
    'laurent',
    'FindDocuments',
    [['$XDSDocumentEntryStatus', status('approved', 'deprecated')]],
    'ObjectRef',
  );
  expect(documents.idsOf('ExtrinsicObject').toSorted()).toEqual(all.idsOf('ObjectRef').toSorted());
});

test('a masked document leaves no trace but for who may see it', async () => {
  const name: Slots = [['$XDSDocumentEntryUniqueId', quoted('1.2.250.1.999.1.3.502')]];
  const seen = await ask('dr-martin', 'henry', 'GetDocumentsAndAssociations', name);
  const [document = ''] = seen.idsOf('ExtrinsicObject');
  const [association = ''] = seen.idsOf('Association');
  const source = new RegExp(`id="${association}".*?sourceObject="([^"]*)"`).exec(seen.text)?.[1] ?? '';
  expect([document, association, source]).not.toContain('');
  const hidden: readonly (readonly [QueryName, Slots])[] = [
    ['GetDocumentsAndAssociations', name],
    ['GetAssociations', [['$uuid', quoted(document, source)]]],
    ['GetSubmissionSets', [['$uuid', quoted(document)]]],
    ['GetSubmissionSetAndContents', [['$XDSSubmissionSetEntryUUID', quoted(source)]]],
    ['FindSubmissionSets', sets],
  ];
  for (const [query, slots] of hidden) {
    const { text, code } = await ask('dr-nguyen', 'henry', query, slots);
    expect([query, code]).toEqual([query, undefined]);
    for (const id of [document, association, '1.2.250.1.999.1.3.502']) expect(text).not.toContain(id);
  }
});

test('a structure finds by name what it filed, and searches nothing', async () => {
  expect((await ask('labo-centre', 'laurent', 'FindSubmissionSets', sets)).code).toBe('XDSRegistryError');
  const statuses: Slots = [['$XDSDocumentEntryStatus', status('approved')]];
  const all = (await ask('dr-nguyen', 'laurent', 'FindDocuments', statuses, 'ObjectRef')).idsOf('ObjectRef');
  const named: Slots = [['$XDSDocumentEntryEntryUUID', quoted(...all)]];
  const own = await ask('labo-centre', 'laurent', 'GetDocuments', named);
  const found = [...own.text.matchAll(/value="(1\.2\.250\.1\.999\.1\.3\.\d+)"/g)].map((m) => m[1]);
  expect(found).toEqual(['1.2.250.1.999.1.3.110', '1.2.250.1.999.1.3.103']);
});

test('a query that is wrong says all that is wrong', async () => {
  const { text } = await ask('dr-nguyen', 'laurent', 'GetRelatedDocuments', [
    ['$XDSDocumentEntryEntryUUID', quoted('a', 'b')],
    ['$XDSDocumentEntryUniqueId', "'1.2.3'"],
  ]);
  expect([...text.matchAll(/errorCode="(\w+)"/g)].map((m) => m[1])).toEqual([
    'XDSStoredQueryParamNumber',
    'XDSStoredQueryMissingParam',
    'XDSStoredQueryParamNumber',
  ]);
  expect(text).toContain('<rim:RegistryObjectList></rim:RegistryObjectList>');
});
