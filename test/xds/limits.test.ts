import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openListener } from '../../server/listener.ts';
import { usualLimits } from '../support/limits.ts';
import { at, envelopeOf, faultOf, mtom, packaged, plain, post, raw, xopType } from '../support/wire.ts';
import { type Door, deposit, include, message, openDoor } from './door.ts';

const { messageBytes, parts, partHeaderBytes, xml } = usualLimits;

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(async () => {
  await door.close();
  expect(door.live()).toBe(0);
  expect(door.logged).toEqual([]);
});

let counter = 0;
const assertion = () => `assertion-l${counter++}`;
const query = () => message('query').replace('assertion-1', assertion());
const withDocuments = (ids: readonly string[], headers = '') =>
  packaged([
    {
      id: 'root@example.org',
      type: xopType,
      body: deposit(ids.map((id) => include(id, `cid:${id}`)).join(''), assertion()),
    },
    ...ids.map((id) => ({ id, type: `text/plain${headers}`, body: id })),
  ]);
const give = async (body: Uint8Array) => post(door.port, '/xds/repository', mtom(), [body]);
const numbers = (count: number) => Array.from({ length: count }, (_, n) => `d${n}`);

describe('a message may be as large as the settings say by default', () => {
  const attributesOf = (text: string) => text.replace(/<\?xml.*?\?>/, '').match(/ [\w:]+="/g)?.length ?? 0;
  /** A query with so many attributes in all, ten on an element. */
  const withAttributes = (count: number) => {
    const text = query();
    const more = count - attributesOf(text);
    const ten = (n: number) => Array.from({ length: n }, (_, i) => ` a${i}="1"`).join('');
    const elements = Array.from({ length: Math.ceil(more / 10) }, (_, i) => `<b${ten(Math.min(10, more - i * 10))}/>`);
    return text.replace('</query:AdhocQueryRequest>', `${elements.join('')}</query:AdhocQueryRequest>`);
  };

  test('attributes: 95,000 of them, and not one more', async () => {
    const most = withAttributes(xml.attributes);
    expect(attributesOf(most)).toBe(95_000);
    expect((await post(door.port, '/xds/registry', plain, [most])).status).toBe(200);
    const more = await post(door.port, '/xds/registry', plain, [withAttributes(xml.attributes + 1)]);
    expect(more.status).toBe(400);
    expect((await faultOf(more)).reason).toContain('95000 attributes');
  });

  test('parts: 1,000 of them, and not one more', async () => {
    expect(parts).toBe(1000);
    const answer = await give(withDocuments(numbers(parts - 1)));
    expect(answer.status).toBe(200);
    const got = at(await envelopeOf(answer), 'Body', 'Told', 'Got');
    expect(Array.isArray(got) && got.length).toBe(parts - 1);
    const more = await give(withDocuments(numbers(parts)));
    expect(more.status).toBe(400);
    expect((await faultOf(more)).reason).toContain('more than 1000 parts');
  });

  test('headers of a part: 16 KiB, and no more', async () => {
    expect(partHeaderBytes).toBe(16_384);
    const usual = withDocuments(['d0']).toString('latin1');
    const begin = usual.lastIndexOf('--MIMEB1', usual.length - 20);
    const length = usual.indexOf('\r\n\r\n', begin) - usual.indexOf('\r\n', begin) - 2;
    const padded = (total: number) => withDocuments(['d0'], `; x="${'y'.repeat(total - length - 6)}"`);
    expect((await give(padded(partHeaderBytes))).status).toBe(200);
    const more = await give(padded(partHeaderBytes + 1));
    expect(more.status).toBe(400);
    expect((await faultOf(more)).reason).toContain('more than 16384 bytes of headers in a part');
  });

  const announcing = (length: number, type = plain) =>
    `POST /xds/registry HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`;

  test('a length of 2 GiB may be announced, and not one byte more: that is refused before the body comes', async () => {
    expect(messageBytes).toBe(2 ** 31);
    const got = await raw(door.port, announcing(messageBytes + 1));
    expect(got).toMatch(/^HTTP\/1\.1 400/);
    expect(got).toContain(`more than ${messageBytes} bytes`);
    const allowed = await raw(door.port, `${announcing(messageBytes)}no XML at all, and then the end`, 'end');
    expect(allowed).not.toContain('larger than');
  });
});

describe('a message that is not understood is answered, or its connection closed, in time', () => {
  test('the defaults leave ten seconds at most', () => {
    expect(usualLimits.grace).toBeLessThan(10_000);
    expect(usualLimits.pause).toBeLessThan(10_000);
  });

  /** Writes single bytes for as long as the server lets it, each when the one before was taken by the kernel. */
  async function drip(port: number, head: string): Promise<{ text: string; dripped: number }> {
    return new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      let [text, dripped, closed] = ['', 0, false];
      socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
      socket.on('error', () => {});
      socket.on('close', () => {
        closed = true;
        resolve({ text, dripped });
      });
      const next = () => {
        if (closed || text !== '') return void socket.destroy();
        dripped++;
        socket.write(' ', () => setImmediate(next));
      };
      socket.write(head, next);
    });
  }

  test('a sender who never falls silent and never comes to an end is told so when the time is over', async () => {
    const slow = await openDoor({ grace: 200, slowest: 1e9 });
    const head = `POST /xds/registry HTTP/1.1\r\nHost: x\r\nContent-Type: ${plain}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const begun = performance.now();
    const chunked = `${head}fffffff\r\n<a>`;
    const { text, dripped } = await drip(slow.port, chunked);
    expect(text).toMatch(/^HTTP\/1\.1 400/);
    expect(text).toMatch(/\r\nConnection: close\r\n/i);
    expect(text).toContain('ended before it was complete');
    expect(dripped).toBeGreaterThan(1);
    expect(performance.now() - begun).toBeLessThan(5000);
    await slow.close();
  });

  test('a sender who is fast enough is waited for beyond it', async () => {
    const slow = await openDoor({ grace: 1, slowest: 1, pause: 5000 });
    const text = query();
    const pieces = Array.from({ length: 40 }, (_, n) =>
      text.slice((n * text.length) / 40, ((n + 1) * text.length) / 40),
    );
    expect((await post(slow.port, '/xds/registry', plain, pieces)).status).toBe(200);
    await slow.close();
  });

  test('headers that never end are told so, and the connection is closed', async () => {
    const server = await openListener(() => {}, {
      host: '127.0.0.1',
      port: 0,
      shared: false,
      requestTimeoutSeconds: 10,
      headersTimeout: 40,
      newId: () => 'request-1',
    });
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const got = await raw(port ?? 0, 'POST /xds/registry HTTP/1.1\r\nHost: x\r\n');
    expect(got).toMatch(/^HTTP\/1\.1 408/);
    await new Promise((resolve) => server.close(resolve));
  });
});
