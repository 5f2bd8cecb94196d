import { createHash, randomBytes } from 'node:crypto';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  at,
  envelopeOf,
  faultOf,
  type HttpAnswer,
  mtom,
  packaged,
  plain,
  post,
  raw,
  xopType,
} from '../support/wire.ts';
import { type Door, deposit, include, message, openDoor } from './door.ts';

const MiB = 1024 ** 2;

let door: Door;
beforeAll(async () => {
  door = await openDoor({ messageBytes: 8 * MiB, pause: 500 });
});
afterAll(async () => {
  await door.close();
  expect(door.live()).toBe(0);
  expect(door.logged).toEqual([]);
});

let counter = 0;
const assertion = () => `assertion-z${counter++}`;
const query = (more = '') =>
  message('query').replace('assertion-1', assertion()).replace('</soap12:Envelope>', `${more}</soap12:Envelope>`);
const withDocument = (bytes: Uint8Array) =>
  packaged([
    { id: 'root@example.org', type: xopType, body: deposit(include('d1', 'cid:a'), assertion()) },
    { id: 'a', body: bytes },
  ]);
const ask = async (pieces: readonly Uint8Array[], coding = 'gzip') =>
  post(door.port, '/xds/registry', plain, pieces, { 'Content-Encoding': coding });
const give = async (pieces: readonly Uint8Array[], coding = 'gzip') =>
  post(door.port, '/xds/repository', mtom(), pieces, { 'Content-Encoding': coding });

async function expectTold(answer: HttpAnswer): Promise<unknown> {
  expect(answer.status).toBe(200);
  return at(await envelopeOf(answer), 'Body', 'Told');
}

async function expectRefused(answer: HttpAnswer, status: number, words: string): Promise<void> {
  expect(answer.status).toBe(status);
  const { code, reason } = await faultOf(answer);
  expect([code, reason]).toEqual(['Sender', expect.stringContaining(words)]);
}

describe('a compressed message', () => {
  test.each(['gzip', 'GZIP', 'x-gzip'])('in %s is read like any other', async (coding) => {
    await expectTold(await ask([gzipSync(query())], coding));
  });

  test('that says identity is taken as it is', async () => {
    await expectTold(await ask([Buffer.from(query())], 'identity'));
  });

  test('in pieces of one byte, and in several members', async () => {
    const text = query();
    const members = Buffer.concat([gzipSync(text.slice(0, 300)), gzipSync(text.slice(300))]);
    await expectTold(await ask(Array.from(members, (byte) => Buffer.of(byte))));
  });

  test('with a document larger than every buffer gives its bytes back', async () => {
    const bytes = randomBytes(3 * MiB);
    const told = await expectTold(await give([gzipSync(withDocument(bytes))]));
    expect(at(told, 'Got', '$')).toEqual({
      id: 'd1',
      size: String(bytes.length),
      sha1: createHash('sha1').update(bytes).digest('hex'),
    });
  });

  test('that shrinks well is taken', async () => {
    const bytes = Buffer.alloc(3 * MiB, 'the same line of a report again and again\r\n');
    await expectTold(await give([gzipSync(withDocument(bytes))]));
  });
});

describe('a compressed message is refused', () => {
  test.each([
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['gzip, gzip', (text: Buffer) => gzipSync(gzipSync(text))],
    ['compress', (text: Buffer) => text],
  ])('in %s by name, telling what is taken', async (coding, compress) => {
    const answer = await ask([compress(Buffer.from(query()))], coding);
    await expectRefused(answer, 415, `The Content-Encoding "${coding}" is not accepted`);
    expect(answer.headers['accept-encoding']).toBe('gzip');
  });

  test('when it is not compressed', async () => {
    await expectRefused(await ask([Buffer.from(query())]), 400, 'not compressed as Content-Encoding says');
  });

  test('when a bit of it was turned', async () => {
    const bytes = gzipSync(query());
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 6) ^ 1, bytes.length - 6);
    await expectRefused(await ask([bytes]), 400, 'not compressed as Content-Encoding says');
  });

  test('when its end is missing', async () => {
    await expectRefused(await ask([gzipSync(query()).subarray(0, -20)]), 400, 'ended before it was complete');
  });

  test('when something follows it', async () => {
    await expectRefused(
      await ask([gzipSync(query()), randomBytes(100)]),
      400,
      'not compressed as Content-Encoding says',
    );
  });

  test('when it grows beyond the size of a message', async () => {
    const bytes = gzipSync(
      withDocument(Buffer.concat([randomBytes(2 * MiB), Buffer.alloc(7 * MiB, randomBytes(400))])),
    );
    expect(bytes.length).toBeLessThan(3 * MiB);
    await expectRefused(await give([bytes]), 400, `more than ${8 * MiB} bytes decompressed`);
  });

  test('when it grows as only a bomb does', async () => {
    const bytes = gzipSync(withDocument(Buffer.alloc(7 * MiB)));
    await expectRefused(await give([bytes]), 400, 'more than 250 times smaller');
  });

  test('when it is a bomb in its XML, before the whole of it is decompressed', async () => {
    await expectRefused(await ask([gzipSync(query(' '.repeat(7 * MiB)))]), 400, 'more than 250 times smaller');
  });

  test('when the sender falls silent in the middle of it, and the server serves on', async () => {
    const bytes = gzipSync(query());
    const head = `POST /xds/registry HTTP/1.1\r\nHost: x\r\nContent-Type: ${plain}\r\nContent-Encoding: gzip\r\nContent-Length: ${bytes.length}\r\n\r\n`;
    const got = await raw(door.port, Buffer.concat([Buffer.from(head), bytes.subarray(0, 50)]));
    expect(got).toMatch(/^HTTP\/1\.1 400/);
    expect(got).toContain('ended before it was complete');
    await expectTold(await ask([gzipSync(query())]));
  });
});
