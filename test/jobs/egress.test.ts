import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isTarget, makeAllowList } from '../../server/jobs/allow-list.ts';
import { post } from '../../server/jobs/egress.ts';

describe('an allow-list', () => {
  const { allowed } = makeAllowList(['https://good.fr/replies', 'http://10.0.0.7:8080/']);

  test.each([
    'https://good.fr/replies',
    'https://good.fr/replies/a?b=c',
    'https://GOOD.fr:443/replies',
    'http://10.0.0.7:8080/anything',
  ])('lets %s through', (address) => {
    expect(allowed(address)?.href).toBe(new URL(address).href);
  });

  test.each([
    ['another scheme', 'http://good.fr/replies'],
    ['another port', 'https://good.fr:8443/replies'],
    ['a host that only begins so', 'https://good.fr.evil/replies'],
    ['the host as a user name', 'https://good.fr@evil/replies'],
    ['a user name', 'https://me@good.fr/replies'],
    ['a path beside it', 'https://good.fr/repliesandmore'],
    ['a path above it', 'https://good.fr/replies/../admin'],
    ['the same in disguise', 'https://good.fr/replies/%2e%2e/admin'],
    ['the same with an encoded slash', 'https://good.fr/replies/..%2f..%2Fadmin'],
    ['the same encoded twice', 'https://good.fr/replies/%252e%252e/admin'],
    ['the same with a character that ends a text', 'https://good.fr/replies/..%00/admin'],
    ['the same with an encoded backslash', 'https://good.fr/replies/..%5Cadmin'],
    ['the same with a parameter', 'https://good.fr/replies/..;/admin'],
    ['the machine’s own data service', 'http://169.254.169.254/latest/meta-data'],
    ['a file', 'file:///etc/passwd'],
    ['a fragment', 'https://good.fr/replies#x'],
    ['nothing', ''],
  ])('stops %s', (_what, address) => {
    expect(allowed(address)).toBeUndefined();
  });

  test('takes web addresses alone', () => {
    expect(['https://a.fr', 'http://a.fr/b'].every(isTarget)).toBe(true);
    expect(['a.fr', 'ftp://a.fr', 'https://u@a.fr', 'https://a.fr?b', 'https://a.fr#b'].some(isTarget)).toBe(false);
  });
});

describe('posting', () => {
  let server: Server;
  let port: number;
  const got: string[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      got.push(`${request.method} ${request.headers.host} ${request.url}`);
      response.writeHead(request.url === '/moved' ? 307 : 204, { Location: '/elsewhere' }).end();
      request.resume();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(() => void server.close());

  const send = (address: string, leadsTo: readonly string[] = []) =>
    post(
      new URL(address),
      { headers: { 'Content-Type': 'text/plain' }, body: Buffer.from('x'), signal: new AbortController().signal },
      (_name, _options, callback) =>
        callback(
          null,
          leadsTo.map((ip) => ({ address: ip, family: ip.includes(':') ? 6 : 4 })),
        ),
    );

  test('follows no redirection', async () => {
    expect(await send(`http://127.0.0.1:${port}/moved`)).toBe(307);
    expect(got).toEqual([`POST 127.0.0.1:${port} /moved`]);
  });

  test.each([
    ...['127.0.0.1', '::1', '::ffff:127.0.0.1', '169.254.169.254', 'fe80::1', 'fec0::1', '0.0.0.0', '224.0.0.1'],
    ...[
      '64:ff9b::a9fe:a9fe',
      '64:ff9b:1::7f00:1',
      '2002:7f00:1::',
      '2001::7f00:1',
      '::127.0.0.1',
      '::ffff:a9fe:a9fe',
      '::ffff:0:7f00:1',
    ],
    ...['100.100.100.200', '192.0.0.192', 'fd00:ec2::254'],
  ])('never connects where a listed name leads to %s', async (ip) => {
    const before = got.length;
    await expect(send(`http://listed.example:${port}/`, [ip])).rejects.toThrow(/forbidden address/);
    expect(got).toHaveLength(before);
  });

  test('connects to the address that was looked at', async () => {
    expect(await send(`http://localhost:${port}/here`, ['127.0.0.1'])).toBe(204);
    expect(got.at(-1)).toBe(`POST localhost:${port} /here`);
  });

  test('says when nobody is there', async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const { port: free } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    await expect(send(`http://127.0.0.1:${free}/`)).rejects.toThrow(/ECONNREFUSED/);
  });
});
