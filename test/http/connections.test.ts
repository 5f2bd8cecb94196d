import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
});
afterAll(() => server.close());

/** What comes back on one connection: `ahead` is written at once, `body` when the server says to go on. */
async function exchange(ahead: string, body = ''): Promise<{ text: string; toldToGoOn: boolean }> {
  return new Promise((resolve) => {
    const socket = connect(server.port, '127.0.0.1');
    let text = '';
    let toldToGoOn = false;
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
      const goOn = 'HTTP/1.1 100 Continue\r\n\r\n';
      if (text.startsWith(goOn)) {
        text = text.slice(goOn.length);
        toldToGoOn = true;
        socket.write(body);
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve({ text, toldToGoOn }));
    socket.write(ahead);
  });
}
const head = (first: string, fields: Readonly<Record<string, string>>) =>
  [first, ...Object.entries({ Host: 'x', ...fields }).map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n');
const statusOf = (text: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);

const envelope =
  '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header>' +
  '<a:Action>urn:ihe:iti:2007:RegistryStoredQuery</a:Action></s:Header><s:Body><x/></s:Body></s:Envelope>';
const soap = 'application/soap+xml; charset=UTF-8';

describe('a request that waits to be told to go on', () => {
  test.each([
    ['of another media type', 'POST /xds/registry HTTP/1.1', { 'Content-Type': 'text/plain' }, 415],
    ['too large', 'POST /xds/registry HTTP/1.1', { 'Content-Type': soap, 'Content-Length': '99999999999' }, 400],
    ['at an address that is none', 'POST /xds/nowhere HTTP/1.1', { 'Content-Type': soap }, 404],
    [
      'without the token that it needs',
      'POST /fhir/DocumentReference/_search HTTP/1.1',
      { 'Content-Type': 'application/x-www-form-urlencoded' },
      401,
    ],
  ])('%s is refused before its body is sent', async (_what, first, fields, status) => {
    const answer = await exchange(head(first, { 'Content-Length': '5000', Expect: '100-continue', ...fields }));
    expect(answer.toldToGoOn).toBe(false);
    expect(statusOf(answer.text)).toBe(status);
    expect(answer.text).toMatch(/\r\nConnection: close\r\n/i);
  });

  test('and may be good is told to go on, and answered', async () => {
    const fields = { 'Content-Type': soap, 'Content-Length': String(envelope.length), Expect: '100-continue' };
    const last = { ...fields, Connection: 'close' };
    const answer = await exchange(head('POST /xds/registry HTTP/1.1', last), envelope);
    expect(answer.toldToGoOn).toBe(true);
    expect(answer.text).toContain('wsse:SecurityTokenUnavailable');
  });
});

describe('bytes that are no HTTP', () => {
  test('behind a whole request do not spoil its answer, and end the connection', async () => {
    const fields = { 'Content-Type': soap, 'Content-Length': String(envelope.length) };
    const { text } = await exchange(
      `${head('POST /xds/registry HTTP/1.1', fields)}${envelope}\u0000\u0001 more\r\n\r\n`,
    );
    expect(statusOf(text)).toBe(401);
    expect(text).toMatch(/<\/env:Envelope>$/);
  });

  test.each([
    ['instead of a request', 'hello\r\n\r\n', 400],
    [
      'in a chunked body',
      `${head('POST /xds/registry HTTP/1.1', { 'Content-Type': soap, 'Transfer-Encoding': 'chunked' })}zz\r\n`,
      400,
    ],
    ['as headers without end', head('GET /health/live HTTP/1.1', { 'X-Long': 'x'.repeat(20_000) }), 431],
  ])('%s get a status', async (_what, bytes, status) => {
    const { text } = await exchange(bytes);
    expect(statusOf(text)).toBe(status);
    expect(text.split('HTTP/1.1')).toHaveLength(2);
    expect(text).toMatch(/\r\nX-Request-Id: \S+\r\n/);
  });
});

test.each([
  ['a page', ''],
  ['a body that waits', 'Expect: 100-continue\r\nContent-Length: 5\r\n'],
])('a request that names two hosts is refused, %s', async (_what, more) => {
  const { text, toldToGoOn } = await exchange(
    `GET /health/live HTTP/1.1\r\nHost: dmp.example.org\r\nhost: other.example.org\r\n${more}\r\n`,
  );
  expect([statusOf(text), toldToGoOn]).toEqual([400, false]);
  expect(text).toMatch(/\r\nX-Request-Id: .+\r\n/i);
  expect(text).toMatch(/\r\nConnection: close\r\n/i);
  expect(text).not.toContain('alive');
});
