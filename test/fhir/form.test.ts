import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readForm } from '../../server/fhir/form.ts';

let server: Server;
let failed: unknown;
beforeAll(async () => {
  server = createServer((request) => {
    readForm(request, 50).catch((error: unknown) => {
      failed = error;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

test('who stops in the middle of a search form loses the connection', async () => {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\na=',
  );
  await new Promise((resolve) => socket.once('close', resolve));
  expect(failed).toMatchObject({ problems: [{ name: 'bodyTruncated' }] });
});
