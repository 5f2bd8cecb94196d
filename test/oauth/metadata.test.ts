import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CapabilityStatement } from 'fhir/r4.js';
import { decodeJwt } from 'jose';
import { publicUrl, tokenOf } from '../support/clients.ts';
import { makeEmptyFolder, openServer } from '../support/server.ts';
import { audience, type Door, issuer, openDoor } from './door.ts';

/** What is used of fhirclient, whose own types bring those of a browser with them. */
type Smart = {
  readonly fetchWellKnownJson: (base: string) => Promise<object>;
  readonly getSecurityExtensions: (adapter: object, base: string) => Promise<object>;
};
const smart = createRequire(import.meta.url)('fhirclient/lib/smart.js') as Smart;

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(() => door.close());

const read = async (path: string) => {
  const { status, json, headers } = await door.ask(path);
  expect([path, status, headers.get('content-type')]).toEqual([path, 200, 'application/json; charset=utf-8']);
  return json;
};

describe('metadata, without a token', () => {
  test('of the authorisation server stand where RFC 8414 and its clients look', async () => {
    const name = '.well-known/oauth-authorization-server';
    const first = await read(`/${name}/auth`);
    for (const path of [`/${name}`, `/${name}/fhir`, `/auth/${name}`, `/fhir/${name}`])
      expect(await read(path)).toEqual(first);
    expect(first).toMatchObject({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      introspection_endpoint: `${issuer}/introspect`,
      jwks_uri: `${issuer}/jwks`,
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
    });
    expect(first).not.toHaveProperty('revocation_endpoint');
  });

  test('every grant and every way to prove a client that they name is served', async () => {
    const { grant_types_supported: grants, token_endpoint_auth_methods_supported: methods } = await read(
      '/.well-known/oauth-authorization-server',
    );
    for (const grant of grants as string[]) {
      const { json } = await door.token({ grant_type: grant, client_id: 'opendmp-app' });
      expect([grant, json.error]).not.toEqual([grant, 'unsupported_grant_type']);
    }
    expect(methods).toEqual(['client_secret_basic', 'private_key_jwt', 'none']);
  });

  test('every scope that they name opens something, alone', async () => {
    const { scopes_supported: scopes } = await read('/.well-known/oauth-authorization-server');
    expect(scopes).toEqual(
      expect.arrayContaining(['ITI-67', 'ITI-68', 'user/DocumentReference.cruds', 'patient/*.cruds']),
    );
    for (const scope of (scopes as string[]).filter((one) => !one.startsWith('system/'))) {
      const { json } = await door.redeem(await door.codeFor('laurent', { scope }));
      expect([scope, json.scope]).toEqual([scope, scope]);
    }
  });

  test('of SMART App Launch stand below the FHIR base, as fhirclient reads them', async () => {
    // The one part of an adapter that is asked for.
    const adapter = { getAbortController: () => AbortController };
    const found = await smart.fetchWellKnownJson(door.server.fhir.base);
    expect(found).toMatchObject({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      code_challenge_methods_supported: ['S256'],
      capabilities: expect.arrayContaining(['launch-standalone', 'client-public', 'permission-v2']),
    });
    expect(await smart.getSecurityExtensions(adapter, door.server.fhir.base)).toMatchObject({
      authorizeUri: `${issuer}/authorize`,
      tokenUri: `${issuer}/token`,
    });
  });

  test('of the resource name its authorisation servers', async () => {
    const found = await read('/.well-known/oauth-protected-resource/fhir');
    expect(found).toMatchObject({ resource: audience, authorization_servers: [issuer, door.provider.address] });
    expect(await read('/.well-known/oauth-protected-resource')).toEqual(found);
  });

  test('of the CapabilityStatement are the same', async () => {
    const { json } = await door.server.fhir.get<CapabilityStatement>(undefined, 'metadata');
    expect(json.rest?.[0]?.security?.extension).toEqual([
      {
        url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
        extension: [
          { url: 'authorize', valueUri: `${publicUrl}/auth/authorize` },
          { url: 'token', valueUri: `${publicUrl}/auth/token` },
          { url: 'introspect', valueUri: `${publicUrl}/auth/introspect` },
        ],
      },
    ]);
  });

  test('jwks_uri holds public keys alone', async () => {
    const { keys } = await read('/auth/jwks');
    for (const key of keys as object[]) expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
  });
});

describe('where others make the tokens', () => {
  test('metadata name them, and no token is made here', async () => {
    const folder = await makeEmptyFolder();
    const keys = join(folder, 'jwks.json');
    const issuers = join(folder, 'issuers.json');
    const metadata = {
      token_endpoint: 'https://tokens.example.org/token',
      grant_types_supported: ['authorization_code'],
    };
    writeFileSync(keys, JSON.stringify({ keys: [{ kty: 'EC' }] }));
    writeFileSync(
      issuers,
      JSON.stringify([{ kind: 'own', issuer: 'https://tokens.example.org', jwks: keys, metadata }]),
    );
    const server = await openServer({
      DMP_TOKEN_ISSUER: 'https://first.example.org',
      DMP_TOKEN_JWKS: keys,
      DMP_TOKEN_ISSUERS: issuers,
    });
    try {
      const ask = (path: string, init = {}) => fetch(`http://127.0.0.1:${server.port}${path}`, init);
      const stated = { issuer: 'https://tokens.example.org', ...metadata };
      expect(await (await ask('/.well-known/oauth-authorization-server')).json()).toEqual(stated);
      expect(await (await ask('/fhir/.well-known/smart-configuration')).json()).toEqual({
        ...stated,
        code_challenge_methods_supported: [],
        capabilities: [],
      });
      expect(await (await ask('/.well-known/oauth-protected-resource')).json()).toMatchObject({
        authorization_servers: ['https://first.example.org', 'https://tokens.example.org'],
      });
      const capability = (await (await ask('/fhir/metadata')).json()) as CapabilityStatement;
      expect(capability.rest?.[0]?.security?.extension?.[0]?.extension).toEqual([
        { url: 'token', valueUri: 'https://tokens.example.org/token' },
      ]);
      for (const path of ['/auth/token', '/auth/sign-in', '/auth/introspect'])
        expect((await ask(path, { method: 'POST' })).status).toBe(404);
      for (const path of ['/auth/authorize', '/auth/jwks']) expect((await ask(path)).status).toBe(404);
    } finally {
      await server.close();
      await rm(folder, { recursive: true });
    }
  });
});

describe('scopes', () => {
  const tokenFor = async (scope: string) =>
    (await door.redeem(await door.codeFor('laurent', { scope }))).json.access_token;
  const search = `DocumentReference?patient.identifier=${tokenOf('laurent')}`;

  test.each([
    ['ITI-67', search],
    ['user/DocumentReference.s', search],
    ['user/DocumentReference.read', search],
    ['user/*.rs', search],
    ['patient/*.*', search],
    ['ITI-78', `Patient?identifier=${tokenOf('laurent')}`],
  ])('%s opens %s', async (scope, path) => {
    expect((await door.fhir(await tokenFor(scope), path)).status).toBe(200);
  });

  test.each([
    ['ITI-68', search, 'ITI-67 user/DocumentReference.s'],
    ['user/DocumentReference.r', search, 'ITI-67 user/DocumentReference.s'],
    ['user/DocumentReference.write', search, 'ITI-67 user/DocumentReference.s'],
    ['user/Patient.rs', search, 'ITI-67 user/DocumentReference.s'],
    ['ITI-67', `Patient?identifier=${tokenOf('laurent')}`, 'ITI-78 user/Patient.s'],
  ])('%s does not open %s, and the challenge names what would', async (scope, path, needed) => {
    const token = await tokenFor(scope);
    const { answer, events } = await door.server.ledger.traced(() => door.fhir(token, path));
    expect(answer.status).toBe(403);
    expect(answer.headers.get('www-authenticate')).toBe(`Bearer error="insufficient_scope", scope="${needed}"`);
    expect(answer.json.issue[0]).toMatchObject({ code: 'forbidden' });
    expect(events).toEqual([expect.objectContaining({ outcome: 'failed', ground: 'insufficientScope' })]);
  });
});

describe('introspection', () => {
  const software = 'opendmp-software:opendmp-software-secret';
  const labo = 'labo-centre:labo-centre-secret';
  const look = (token: string, basic: string) => door.post('/auth/introspect', { token }, basic);
  const tokenOfLabo = async () =>
    (await door.token({ grant_type: 'client_credentials' }, labo)).json.access_token ?? '';

  test('tells a resource server, and the client of the token, what it says', async () => {
    const token = await tokenOfLabo();
    for (const basic of [software, labo]) {
      const { status, json, headers } = await look(token, basic);
      expect(status).toBe(200);
      expect(json).toEqual({ active: true, token_type: 'Bearer', ...decodeJwt(token) });
      expect(headers.get('cache-control')).toBe('no-store');
    }
  });

  test('tells nothing of others’ tokens, of altered and of expired ones', async () => {
    const token = await tokenOfLabo();
    const { credentials } = door.server;
    const over = await credentials.token('dr-martin', {}, { issuedAt: Date.now() - 600_000 });
    const elsewhere = await credentials.token('dr-martin', {}, { audience: 'https://other.example.org' });
    const asked: readonly (readonly [string, string])[] = [
      [token, 'radio-ouest:radio-ouest-secret'],
      [`${token.slice(0, -8)}AAAAAAAA`, software],
      [over, software],
      [elsewhere, software],
      [await door.provider.token(), software],
      ['x', software],
    ];
    for (const [one, basic] of asked) expect((await look(one, basic)).json).toEqual({ active: false });
  });

  test('tells nothing to who proves nothing', async () => {
    const token = await tokenOfLabo();
    const wrong = await look(token, 'opendmp-software:x');
    expect([wrong.status, wrong.json.error]).toEqual([401, 'invalid_client']);
    const open = await door.post('/auth/introspect', { token, client_id: 'opendmp-app' });
    expect([open.status, open.json.error]).toEqual([401, 'invalid_client']);
    expect((await door.post('/auth/introspect', {}, software)).json.error).toBe('invalid_request');
  });
});
