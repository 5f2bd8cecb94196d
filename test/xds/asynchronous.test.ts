import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { personOf } from '../../server/sandbox/people.ts';
import { cxOf, readAnswer } from '../support/clients.ts';
import {
  envelope,
  type Filer,
  findDocuments,
  retrieveDocuments,
  submission,
  transactions,
  type XdsVerb,
} from '../support/messages.ts';
import { makeFolder, openServer, startProcess, type TestServer } from '../support/server.ts';
import { type HttpAnswer, plain, post } from '../support/wire.ts';

type Delivered = { readonly path: string; readonly answer: HttpAnswer };

/** Somebody who takes answers; `status` is what he says to each. */
async function openReceiver(port = 0, status: (number: number) => number = () => 202) {
  const got: Delivered[] = [];
  let connections = 0;
  const server: Server = createServer((request, response) => void take(request, response));
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers: IncomingHttpHeaders = request.headers;
    got.push({ path: request.url ?? '', answer: { status: 200, headers, bytes: Buffer.concat(chunks) } });
    response.writeHead(status(got.length)).end();
    server.emit('delivered');
  };
  server.on('connection', () => connections++);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    got,
    connections: () => connections,
    /** The n-th delivery, waited for. */
    async delivery(number: number): Promise<Delivered> {
      while (got.length < number) await once(server, 'delivered');
      return got[number - 1] as Delivered;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
type Receiver = Awaited<ReturnType<typeof openReceiver>>;

const messageId = () => `urn:uuid:${randomUUID()}`;
type Addressed = {
  readonly replyTo: string;
  readonly faultTo?: string;
  readonly id?: string;
  readonly parameters?: string;
};

/** A message whose answer goes elsewhere. */
function addressed(message: string, { replyTo, faultTo, id = messageId(), parameters = '' }: Addressed): string {
  const endpoint = (name: string, address: string) =>
    `<a:${name}><a:Address>${address}</a:Address>${parameters}</a:${name}>`;
  return message
    .replace(/<a:MessageID>.*?<\/a:MessageID>/, id === '' ? '' : `<a:MessageID>${id}</a:MessageID>`)
    .replace(
      /<a:ReplyTo>.*?<\/a:ReplyTo>/,
      `${endpoint('ReplyTo', replyTo)}${faultTo === undefined ? '' : endpoint('FaultTo', faultTo)}`,
    );
}

const headerOf = ({ answer }: Delivered, name: string) =>
  new RegExp(`<wsa:${name}[^>]*>([^<]*)</wsa:${name}>`).exec(answer.bytes.toString('latin1'))?.[1];
const martin = personOf('dr-martin') as Filer;

let receiver: Receiver;
/** Refuses what comes first. */
let moody: Receiver;
let server: TestServer;
let replies: string;
beforeAll(async () => {
  receiver = await openReceiver();
  moody = await openReceiver(0, (number) => (number === 1 ? 503 : 200));
  replies = `http://127.0.0.1:${receiver.port}/replies`;
  server = await openServer({ DMP_REPLY_TO: `${replies}, http://127.0.0.1:${moody.port}` });
});
afterAll(async () => {
  await server.close();
  await Promise.all([receiver.close(), moody.close()]);
});

const vihf = () => server.credentials.vihf('dr-martin', { patient: 'laurent' });
const send = (verb: XdsVerb, message: string) => post(server.port, transactions[verb].path, plain, [message]);
const uniqueId = '1.2.250.1.213.99.80.1';
const filed = { cx: cxOf('laurent'), filer: martin, uniqueId, bytes: Buffer.from('<a>déposé</a>') };

/** Sends a message and answers what came to the address that it names. */
async function ask(verb: XdsVerb, body: string, more: Partial<Addressed> = {}, security: string | undefined = vihf()) {
  const before = receiver.got.length;
  const id = messageId();
  const message = addressed(envelope(verb, security, body), { replyTo: replies, id, ...more });
  const accepted = await send(verb, message);
  expect([accepted.status, accepted.bytes.length, accepted.headers['content-type']]).toEqual([202, 0, undefined]);
  const delivered = await receiver.delivery(before + 1);
  expect(headerOf(delivered, 'RelatesTo')).toBe(id);
  return { delivered, answer: await readAnswer(delivered.answer) };
}

describe('an answer to another address than the connection', () => {
  test('of a deposit, a query and a retrieval comes as it would have come at once', async () => {
    const deposit = await ask('deposit', submission(filed));
    expect(deposit.answer.status).toBe('Success');
    expect(headerOf(deposit.delivered, 'Action')).toBe('urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-bResponse');
    expect(headerOf(deposit.delivered, 'To')).toBe(replies);
    expect(headerOf(deposit.delivered, 'MessageID')).toMatch(/^urn:uuid:/);
    expect(deposit.delivered.answer.headers['content-type']).toMatch(/^multipart\/related/);

    const found = await ask('find', findDocuments(cxOf('laurent')));
    expect(found.answer.uniqueIds).toContain(uniqueId);
    expect(found.delivered.answer.headers['content-type']).toMatch(/^application\/soap\+xml/);

    const retrieved = await ask('retrieve', retrieveDocuments([uniqueId]), { replyTo: `${replies}/mine?box=7` });
    expect(retrieved.delivered.path).toBe('/replies/mine?box=7');
    expect(retrieved.answer.documents).toEqual([{ uniqueId, bytes: filed.bytes }]);
  });

  test('brings back the reference parameters of the address', async () => {
    const parameters =
      '<a:ReferenceParameters xmlns:b="urn:example:box"><b:Box b:kind="new">7<c xmlns="urn:example:inner"/></b:Box></a:ReferenceParameters>';
    const { delivered } = await ask('find', findDocuments(cxOf('laurent')), { parameters });
    const [block] = /<b:Box.*<\/b:Box>/s.exec(delivered.answer.bytes.toString()) ?? [];
    expect(block).toContain('xmlns:b="urn:example:box"');
    expect(block).toContain('given:IsReferenceParameter="true"');
    expect(block).toContain('7<c xmlns="urn:example:inner"/>');
  });

  test('tells a refusal to ReplyTo, and a fault to FaultTo', async () => {
    const faultTo = `${replies}/faults`;
    const refused = await ask('deposit', submission({ ...filed, cx: cxOf('garnier') }), { faultTo });
    expect([refused.delivered.path, refused.answer.status]).toEqual(['/replies', 'Failure']);
    const fault = await ask('find', retrieveDocuments([uniqueId]), { faultTo });
    expect([fault.delivered.path, fault.answer.status]).toEqual(['/replies/faults', 'Fault']);
    expect(headerOf(fault.delivered, 'To')).toBe(faultTo);
    const same = await ask('find', retrieveDocuments([uniqueId]));
    expect([same.delivered.path, same.answer.status]).toEqual(['/replies', 'Fault']);
  });

  test('is tried again when the receiver refuses it, with the same bytes', async () => {
    const replyTo = `http://127.0.0.1:${moody.port}/`;
    await send('find', addressed(envelope('find', vihf(), findDocuments(cxOf('laurent'))), { replyTo }));
    const [first, second] = [await moody.delivery(1), await moody.delivery(2)];
    expect(second.answer.bytes).toEqual(first.answer.bytes);
  });
});

describe('an address that is not allowed', () => {
  test.each([
    ['another host', () => 'http://127.0.0.2:9/replies'],
    ['another port', () => `http://127.0.0.1:${receiver.port === 9 ? 10 : 9}/replies`],
    ['another path', () => `http://127.0.0.1:${receiver.port}/repliesandmore`],
    ['the address in a user name', () => `http://127.0.0.1:${receiver.port}@127.0.0.2/replies`],
    ['none', () => 'http://www.w3.org/2005/08/addressing/none'],
    ['nothing', () => ''],
  ])('is refused on the connection, and nobody is called: %s', async (_what, replyTo) => {
    const before = receiver.connections();
    const message = addressed(envelope('find', vihf(), findDocuments(cxOf('laurent'))), { replyTo: replyTo() });
    const { http, fault } = await readAnswer(await send('find', message));
    expect([http, fault?.subcode, fault?.relatesTo]).toEqual([
      400,
      expect.stringMatching(/:InvalidAddressingHeader$/),
      expect.stringMatching(/^urn:uuid:/),
    ]);
    expect(receiver.connections()).toBe(before);
  });

  test.each([
    ['FaultTo of another host', { faultTo: 'http://127.0.0.2/' }],
    ['FaultTo anonymous', { faultTo: 'http://www.w3.org/2005/08/addressing/anonymous' }],
    ['without MessageID', { id: '' }],
  ])('%s is refused too', async (_what, more) => {
    const message = envelope('find', vihf(), findDocuments(cxOf('laurent')));
    const answer = await readAnswer(await send('find', addressed(message, { replyTo: replies, ...more })));
    expect(answer.fault?.subcode).toMatch(/:InvalidAddressingHeader$/);
  });

  test('a message of nobody is answered on its connection', async () => {
    const before = receiver.connections();
    const message = addressed(envelope('find', undefined, findDocuments(cxOf('laurent'))), { replyTo: replies });
    const answer = await readAnswer(await send('find', message));
    expect([answer.http, answer.status]).toEqual([401, 'Fault']);
    expect(receiver.connections()).toBe(before);
  });
});

describe('a transaction that is synchronous alone', () => {
  const empty =
    '<lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"><rim:RegistryObjectList/></lcm:SubmitObjectsRequest>';

  test('refuses another address than the connection, its credential not used', async () => {
    const [before, security] = [receiver.connections(), vihf()];
    const message = addressed(envelope('update', security, empty), { replyTo: replies });
    const { http, fault } = await readAnswer(await send('update', message));
    expect([http, fault?.subcode, fault?.reason]).toEqual([
      400,
      expect.stringMatching(/:InvalidAddressingHeader$/),
      expect.stringContaining('ITI-57 is answered on its own connection alone'),
    ]);
    expect(receiver.connections()).toBe(before);
    const anonymous = await readAnswer(await send('update', envelope('update', security, empty)));
    expect([anonymous.http, anonymous.errors[0]?.code]).toEqual([200, 'XDSRegistryMetadataError']);
  });
});

describe('while the receiver is down', () => {
  test('answers wait sealed, no more than the setting says, survive the end of the server and come when it is up', async () => {
    const down = await openReceiver();
    const { port } = down;
    await down.close();
    const target = `http://127.0.0.1:${port}/`;
    const folder = await makeFolder();
    const environment = { DMP_REPLY_TO: target, DMP_MAX_REPLIES: '1', DMP_WEB_THREADS: '1' };
    const first = await startProcess(folder, environment);
    const asked = () =>
      addressed(
        envelope('find', first.credentials.vihf('dr-martin', { patient: 'laurent' }), findDocuments(cxOf('laurent'))),
        { replyTo: target },
      );
    expect((await post(first.port, transactions.find.path, plain, [asked()])).status).toBe(202);
    const second = await readAnswer(await post(first.port, transactions.find.path, plain, [asked()]));
    expect([second.http, second.errors[0]?.code]).toEqual([200, 'XDSRegistryBusy']);
    await first.printed(/a job failed and is tried again/);
    await first.end('SIGKILL');

    const home = join(folder, 'answers', 'large');
    const [file = ''] = readdirSync(home);
    expect(readFileSync(join(home, file)).includes('AdhocQueryResponse')).toBe(false);

    const back = await openReceiver(port);
    const again = await startProcess(folder, environment);
    const delivered = await back.delivery(1);
    expect((await readAnswer(delivered.answer)).uniqueIds.length).toBeGreaterThan(5);
    await again.printed(/an answer was delivered/);
    expect(await again.end('SIGTERM')).toBe(0);
    await back.close();
    await rm(folder, { recursive: true });
  }, 60_000);
});
