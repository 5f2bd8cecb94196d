import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm, stat } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  makeEmptyFolder,
  makeFolder,
  openServer,
  type ServerProcess,
  startProcess,
  type TestServer,
} from '../support/server.ts';
import { raw } from '../support/wire.ts';

describe('every answer names its request', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await openServer();
  });
  afterAll(() => server.close());

  const ask = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${server.port}${path}`, init);

  test.each([
    ['GET', '/health/live', 200],
    ['HEAD', '/health/ready', 200],
    ['GET', '/metrics', 200],
    ['GET', '/nowhere', 404],
    ['POST', '/health/live', 405],
    ['DELETE', '/xds/registry', 405],
    ['PUT', '/si-dmp-server/v2/services/repository', 405],
    ['OPTIONS', '/xds/repository', 200],
    ['POST', '/xds/repository', 415],
    ['GET', '/fhir/metadata', 200],
    ['GET', '/fhir/Nothing', 401],
    ['DELETE', '/fhir/Patient/1', 401],
  ])('%s %s: %i', async (method, path, status) => {
    const made = await ask(path, { method });
    expect(made.status).toBe(status);
    expect(made.headers.get('X-Request-Id')).toMatch(/^[0-9a-f-]{36}$/);
    const given = await ask(path, { method, headers: { 'X-Request-Id': 'mine-1.2' } });
    expect(given.headers.get('X-Request-Id')).toBe('mine-1.2');
  });

  test.each(['a b', 'a_b', 'a:b', 'x'.repeat(65), 'é'])('%j cannot be an id in FHIR: a new one is made', async (id) => {
    const answer = await ask('/fhir/Nothing', { headers: { 'X-Request-Id': id } });
    const made = answer.headers.get('X-Request-Id');
    expect(made).toMatch(/^[0-9a-f-]{36}$/);
    expect(await answer.json()).toMatchObject({ resourceType: 'OperationOutcome', id: made });
  });

  test.each([
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['headers beyond 16 kB', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`, 431],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
  ])('also what is no request: %s', async (_, bytes, status) => {
    expect(await raw(server.port, bytes)).toMatch(
      new RegExp(`^HTTP/1.1 ${status} [^]*X-Request-Id: [0-9a-f-]{36}\r\n`),
    );
  });

  test('an address that takes another method says which', async () => {
    expect((await ask('/xds/registry', { method: 'PUT' })).headers.get('Allow')).toContain('POST');
  });

  test('and a server whose store has stopped is not ready', async () => {
    expect((await ask('/health/ready')).status).toBe(200);
    await server.context.tools.store.close();
    expect((await ask('/health/ready')).status).toBe(503);
  });
});

describe('a process', () => {
  let folder: string;
  let server: ServerProcess;
  beforeAll(async () => {
    folder = await makeFolder();
    server = await startProcess(folder, { DMP_WEB_THREADS: '2' });
  });
  afterAll(async () => {
    await server.end('SIGKILL');
    await rm(folder, { recursive: true });
  });

  test('keeps its files to its owner', async () => {
    const names = await readdir(folder, { recursive: true });
    expect(names).toEqual(expect.arrayContaining(['store.sqlite', 'keys.sqlite', 'documents', 'sandbox/cards.json']));
    const open = await Promise.all(
      names.map(async (name) => ((await stat(join(folder, name))).mode & 0o077) === 0 || name),
    );
    expect(open.filter((one) => one !== true)).toEqual([]);
  });

  test('shares its port with no other server', async () => {
    const other = await makeFolder();
    const { code, output } = await run({ DMP_DATA: other, DMP_PORT: String(server.port), DMP_WEB_THREADS: '2' });
    expect(code).toBe(1);
    expect(output).toMatch(/could not start: .*address already in use/);
    await rm(other, { recursive: true });
  });

  test('told to stop under load, it finishes what runs and exits with 0', async () => {
    const agent = new Agent({ keepAlive: true });
    let answered = 0;
    let broken = 0;
    let refused = 0;
    const ask = () =>
      new Promise<boolean>((resolve) => {
        const request = get({ agent, port: server.port, path: '/fhir/metadata' }, (response) => {
          response.resume();
          response.on('close', () => {
            if (response.complete) answered++;
            else broken++;
            resolve(true);
          });
        });
        request.on('error', () => {
          refused++;
          resolve(false);
        });
      });
    const client = async () => {
      while (await ask());
    };
    const clients = Array.from({ length: 8 }, client);
    while (answered < 200) await new Promise((resolve) => setImmediate(resolve));
    const begun = performance.now();
    expect(await server.end('SIGTERM')).toBe(0);
    expect(performance.now() - begun).toBeLessThan(5000);
    await Promise.all(clients);
    expect({ broken, refused }).toEqual({ broken: 0, refused: 8 });
    agent.destroy();
  });
});

test('told to stop while it fills its sandbox, it exits with 0 and goes on at the next start', async () => {
  const folder = await makeEmptyFolder();
  const environment = { DMP_DATA: folder, DMP_PORT: '0', DMP_WEB_THREADS: '1' };
  const { code, output } = await run(environment, /record 1\/8/);
  expect(code).toBe(0);
  expect(output).not.toMatch(/record 8\/8/);
  const server = await startProcess(folder);
  expect(server.output()).toMatch(/record 8\/8/);
  expect(await server.end('SIGTERM')).toBe(0);
  await rm(folder, { recursive: true });
});

test('it starts where node watches its files, of which every thread tells', async () => {
  const folder = await makeFolder();
  const server = await startProcess(folder, { WATCH_REPORT_DEPENDENCIES: '1' });
  expect(await server.end('SIGTERM')).toBe(0);
  await rm(folder, { recursive: true });
});

test('wrong settings are told all at once, with exit code 78', async () => {
  const { code, output } = await run({ DMP_PORT: '99999', DMP_REGIME: '1999', DMP_NOTHING: '1' });
  expect(code).toBe(78);
  for (const name of ['DMP_PORT', 'DMP_REGIME', 'DMP_NOTHING']) expect(output).toContain(name);
});

/** Runs the server to its end; it is told to stop once it has printed `until`. */
async function run(environment: Readonly<Record<string, string>>, until?: RegExp) {
  const child = spawn(process.execPath, ['server/start.mjs'], {
    cwd: join(import.meta.dirname, '../..'),
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (until?.test(output) === true) child.kill('SIGTERM');
    });
  await once(child, 'close');
  return { code: child.exitCode, output };
}
