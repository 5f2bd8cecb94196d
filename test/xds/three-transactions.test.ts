import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import Koa from 'koa';
import { type Identify, NotIdentified } from '../../server/auth/credentials.ts';
import type { XdsTransaction } from '../../server/xds/exchange.ts';
import { iti18 } from '../../server/xds/iti18.ts';
import { iti41 } from '../../server/xds/iti41.ts';
import { iti43 } from '../../server/xds/iti43.ts';
import { xdsRouter } from '../../server/xds/routes.ts';
import { namespace } from '../../server/xds/vocabulary.ts';
import { child } from '../../server/xml/element.ts';
import { usualLimits } from '../support/limits.ts';
import type { MemoryStore } from '../support/memory-store.ts';
import { at, envelopeOf, mtom, packaged, partsOf, plain, post, textAt, xopType } from '../support/wire.ts';
import { openWorld, type World } from '../support/world.ts';

const read = (file: string) => readFileSync(new URL(file, import.meta.url), 'utf8');

let world: World<MemoryStore>;
let server: Server;
let port = 0;

/** wsse:Security names somebody of the sandbox, who speaks of laurent. */
const identify: Identify = {
  assertion: ({ root }) => {
    const slug = child(child(root, namespace.soap12, 'Header'), namespace.wsse, 'Security')?.text;
    if (slug === undefined) throw new NotIdentified('nothing in wsse:Security', true);
    return Promise.resolve(world.as(slug, { patient: world.ins('laurent') }).caller);
  },
  bearer: () => Promise.reject(new NotIdentified('not here')),
};

beforeAll(async () => {
  world = await openWorld();
  const options = {
    log: { info: () => {}, error: () => {} },
    publicUrl: 'http://dmp.example.org',
    limits: usualLimits,
  };
  const app = new Koa();
  app.use(xdsRouter(world.tools, identify, [iti18, iti41, iti43], options).routes());
  const answer = app.callback();
  server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const envelope = ({ requestAction }: XdsTransaction, slug: string, body: string) =>
  `<s:Envelope xmlns:s="${namespace.soap12}" xmlns:a="${namespace.wsa}"><s:Header>` +
  `<a:Action s:mustUnderstand="1">${requestAction}</a:Action><a:MessageID>urn:uuid:5b7b3a5e-0a1d-4c43-9a0c-0d3c3a6f9d11</a:MessageID>` +
  `<w:Security xmlns:w="${namespace.wsse}">${slug}</w:Security></s:Header><s:Body>${body}</s:Body></s:Envelope>`;

async function ask(transaction: XdsTransaction, slug: string, body: string) {
  const answer = await post(port, `/xds/${transaction.receiver}`, plain, [envelope(transaction, slug, body)]);
  const told = await envelopeOf(answer);
  expect(textAt(told, 'Header', 'Action')).toBe(transaction.responseAction);
  return { content: at(told, 'Body'), parts: partsOf(answer.bytes, String(answer.headers['content-type'])) };
}

test('a document goes in by ITI-41 as a package, is found by ITI-18 and comes out by ITI-43 byte for byte', async () => {
  const bytes = Buffer.from('Bonjour');
  const href = '<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:doc1@example.org"/>';
  const message = envelope(iti41, 'dr-martin', read('iti41/submission.xml').replace('Qm9uam91cg==', href));
  const sent = packaged([
    { id: 'root@example.org', type: xopType, body: message },
    { id: 'doc1@example.org', type: 'text/xml', body: bytes },
  ]);
  const deposited = await post(port, '/xds/repository', mtom(), [sent]);
  expect(at(await envelopeOf(deposited), 'Body', 'RegistryResponse', '$', 'status')).toMatch(/:Success$/);

  const found = await ask(iti18, 'dr-nguyen', read('iti18/find-documents.xml'));
  const newest = at(found.content, 'AdhocQueryResponse', 'RegistryObjectList', 'ExtrinsicObject', '0');
  expect(at(newest, 'Name', 'LocalizedString', '$', 'value')).toBe("Note d'essai");

  const one = read('iti43/retrieve.xml')
    .replace('1.2.250.1.999.1.3.103', '1.2.250.1.213.99.50.1')
    .replace('1.2.250.1.999.1.3.101', '1.2.250.1.213.99.50.1');
  const { content, parts } = await ask(iti43, 'dr-nguyen', one);
  const response = at(content, 'RetrieveDocumentSetResponse', 'DocumentResponse');
  expect(response).toMatchObject({ DocumentUniqueId: '1.2.250.1.213.99.50.1', mimeType: 'text/xml' });
  expect(parts).toHaveLength(2);
  const cid = String(textAt(response, 'Document', 'Include', '$', 'href')).slice('cid:'.length);
  expect(parts[1]?.head).toContain(`Content-ID: <${cid}>`);
  expect(parts[1]?.body).toEqual(bytes);
});

test('a refusal is a response of its transaction', async () => {
  const { content } = await ask(iti18, 'pharm-durand', read('iti18/find-documents.xml'));
  const response = at(content, 'AdhocQueryResponse');
  expect(at(response, '$', 'status')).toMatch(/:Failure$/);
  expect(at(response, 'RegistryErrorList', 'RegistryError', '$', 'codeContext')).toMatch(
    /^DMPAccessDeniedByRightsService/,
  );
});
