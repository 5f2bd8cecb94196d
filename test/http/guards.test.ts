import { expect, test } from '@jest/globals';
import { openServer } from '../support/server.ts';

const guards = ['x-content-type-options', 'content-security-policy', 'strict-transport-security'];

/** What answers of every face tell browsers. */
async function told(publicUrl: string) {
  const server = await openServer({ DMP_PUBLIC_URL: publicUrl });
  const of = async (path: string, init: RequestInit = {}) => {
    const { headers } = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
    return guards.map((name) => headers.get(name));
  };
  const post = { method: 'POST', body: 'x' };
  try {
    return {
      api: [
        await of('/health/live'),
        await of('/nothing'),
        await of('/fhir/metadata'),
        await of('/fhir/Patient'),
        await of('/xds/registry', post),
        await of('/auth/token', post),
        await of('/auth/jwks'),
      ],
      page: await of('/auth/authorize'),
    };
  } finally {
    await server.close();
  }
}

const none = "default-src 'none'; frame-ancestors 'none'; sandbox";

test('a browser takes no answer for a page, whatever it holds, and frames none', async () => {
  const { api, page } = await told('http://dmp.example.org');
  for (const one of api) expect(one).toEqual(['nosniff', none, null]);
  expect(page).toEqual(['nosniff', expect.stringContaining("frame-ancestors 'none'"), null]);
  expect(page[1]).toContain('style-src');
});

test('and comes back by TLS alone where the server is reached by TLS', async () => {
  const { api, page } = await told('https://dmp.example.org');
  for (const one of [...api, page]) expect(one[2]).toBe('max-age=31536000');
});
