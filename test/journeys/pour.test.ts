import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, test } from '@jest/globals';
import Koa from 'koa';
import { dispose, markDisposable } from '../../server/blobs/pieces.ts';
import { pour } from '../../server/pour.ts';

let server: Server | undefined;
afterEach(() => {
  server?.close();
});

/** A server that pours this body as its answer. */
async function pouring(source: AsyncIterable<Uint8Array>): Promise<URL> {
  const app = new Koa({ proxy: false });
  app.on('error', () => undefined);
  app.use(async (ctx, next) => {
    await next();
    await pour(ctx);
  });
  app.use((ctx) => {
    ctx.body = Readable.from(source);
  });
  const answer = app.callback();
  server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

const block = (value: number) => Buffer.alloc(70_000, value);

describe('an answer that comes piece by piece', () => {
  test('arrives whole; what is marked is given back once it was sent, what is not stays', async () => {
    const marked = block(1);
    const kept = block(2);
    markDisposable(marked);
    const url = await pouring(Readable.from([marked, kept]));
    const got = Buffer.from(await (await fetch(url)).arrayBuffer());
    expect(got.equals(Buffer.concat([block(1), block(2)]))).toBe(true);
    expect([marked.buffer.byteLength, kept.buffer.byteLength]).toEqual([0, 70_000]);
  });

  test('is cut off with its source, so that nobody takes it for whole', async () => {
    async function* breaks() {
      yield block(1);
      throw new Error('damaged');
    }
    const answer = await fetch(await pouring(breaks()));
    await expect(answer.arrayBuffer()).rejects.toThrow();
  });

  test('is no longer read when the receiver is gone, and its source is closed', async () => {
    let closed: () => void;
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    async function* endless() {
      try {
        for (;;) yield block(1);
      } finally {
        closed();
      }
    }
    const url = await pouring(endless());
    const socket = connect(Number(url.port), url.hostname);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'data');
    socket.destroy();
    await isClosed;
  });
});

test('a piece that shares its array with others is left alone', () => {
  const whole = new Uint8Array(100);
  const part = whole.subarray(0, 50);
  markDisposable(part);
  dispose(part);
  expect(whole.buffer.byteLength).toBe(100);
});
