import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readClients } from '../../server/config/clients.ts';
import { configOf } from '../../server/config/config.ts';
import { readEnv } from '../../server/config/env.ts';
import { readIssuers } from '../../server/config/issuers.ts';
import { putCards } from '../support/cards.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'opendmp-issuers-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const file = (content: unknown, name = 'list.json') => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};
const audience = 'https://dmp.example.org/fhir';
const own = { kind: 'own', issuer: 'https://tokens.example.org', jwks: 'https://tokens.example.org/jwks' };
const psc = {
  kind: 'psc',
  issuer: 'https://auth.example.org/realm',
  jwks: 'https://auth.example.org/certs',
  userinfo: 'https://auth.example.org/userinfo',
  clients: ['lps'],
};

describe('issuers of tokens', () => {
  test('of our own kind make tokens for this server, Pro Santé Connect for its software', () => {
    expect(readIssuers(file([own, psc]), audience)).toEqual({ listed: [{ ...own, audience }, psc], mistakes: [] });
  });

  test('come besides the sandbox’s own, which another one replaces', () => {
    const listed = { DMP_TOKEN_ISSUERS: file([psc]) };
    const { tokens } = configOf(readEnv({ ...listed, DMP_DATA: folder }), []);
    expect(tokens.own).toBe('http://127.0.0.1:8080/auth');
    expect(tokens.issuers.map(({ issuer }) => issuer)).toEqual([tokens.own, psc.issuer]);
    const replaced = configOf(readEnv({ ...listed, DMP_TOKEN_ISSUER: own.issuer, DMP_TOKEN_JWKS: own.jwks }), []);
    expect(replaced.tokens).not.toHaveProperty('own');
    expect(replaced.tokens.issuers.map(({ issuer }) => issuer)).toEqual([own.issuer, psc.issuer]);
  });

  test.each([
    ['no JSON', '[', 'cannot be read'],
    ['none', [], '[]'],
    ['an unknown kind', [{ ...own, kind: 'other' }], '[0.kind]'],
    ['an issuer that is no address', [{ ...own, issuer: 'tokens' }], '[0.issuer] no https address'],
    ['plain http', [{ ...psc, userinfo: 'http://auth.example.org/userinfo' }], '[0.userinfo] no https address'],
    ['keys by plain http', [{ ...own, jwks: 'http://tokens.example.org/jwks' }], 'that is not https'],
    ['a file of keys that is not there', [{ ...own, jwks: '/nowhere/jwks.json' }], 'cannot be read: /nowhere'],
    ['userinfo of our own kind', [{ ...own, userinfo: psc.userinfo }], 'userinfo and clients are for kind psc'],
    ['Pro Santé Connect for any software', [{ ...psc, clients: undefined }], 'needs clients or an audience'],
    ['an issuer twice', [own, { ...psc, issuer: own.issuer }], 'twice'],
    ['a key that is not known', [{ ...own, secret: 'x' }], 'Unrecognized key'],
    ['metadata without token_endpoint', [{ ...own, metadata: {} }], '[0.metadata.token_endpoint]'],
  ])('are refused with %s', (_, content, words) => {
    const { listed, mistakes } = readIssuers(file(content), audience);
    expect(listed).toEqual([]);
    expect(mistakes).toContainEqual(expect.stringMatching(/^DMP_TOKEN_ISSUERS /));
    expect(mistakes.join('\n')).toContain(words);
  });

  test('in production are no sandbox’s and speak https', async () => {
    const data = join(folder, 'sandboxed');
    await putCards(data);
    const listed = file([
      { ...own, jwks: join(data, 'sandbox', 'jwks.json') },
      { ...psc, issuer: 'http://localhost:9/realm' },
    ]);
    const start = () => configOf(readEnv({ DMP_MODE: 'production', DMP_TOKEN_ISSUERS: listed }), []);
    expect(start).toThrow('DMP_TOKEN_ISSUERS names a sandbox key');
    expect(start).toThrow('DMP_TOKEN_ISSUERS holds plain http for http://localhost:9/realm');
    expect(start).not.toThrow('DMP_TOKEN_ISSUER is required');
  });
});

describe('clients', () => {
  const app = {
    id: 'app',
    name: 'App',
    grants: ['authorization_code'],
    scopes: ['ITI-67'],
    redirectUris: ['https://app.example.org/back', 'http://127.0.0.1:3000/back', 'fr.example.app:/back'],
  };
  const machine = {
    id: 'machine',
    name: 'Machine',
    grants: ['client_credentials'],
    scopes: ['system/*.rs'],
    jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }] },
    account: 'labo-centre',
  };

  test('are read', () => {
    expect(readClients(file([app, machine]))).toEqual({
      listed: [
        { ...app, introspects: false },
        {
          id: 'machine',
          name: 'Machine',
          grants: machine.grants,
          scopes: machine.scopes,
          redirectUris: [],
          keys: machine.jwks.keys,
          account: 'labo-centre',
          introspects: false,
        },
      ],
      mistakes: [],
    });
  });

  test.each([
    ['no JSON', '{', 'cannot be read'],
    ['no redirect address', [{ ...app, redirectUris: undefined }], 'redirectUris are missing'],
    ['plain http', [{ ...app, redirectUris: ['http://app.example.org/back'] }], 'no https address'],
    ['a fragment', [{ ...app, redirectUris: ['https://app.example.org/back#'] }], 'without fragment'],
    ['a script', [{ ...app, redirectUris: ['javascript:alert(1)'] }], 'no https address'],
    ['a grant that is not served', [{ ...app, grants: ['password'] }], '[0.grants.0]'],
    ['a machine without proof', [{ ...machine, jwks: undefined }], 'need secretSha256 or jwks'],
    ['a machine without account', [{ ...machine, account: undefined }], 'need an account'],
    ['a private key', [{ ...machine, jwks: { keys: [{ kty: 'RSA', d: 'd' }] } }], 'a private key'],
    ['a shared key', [{ ...machine, jwks: { keys: [{ kty: 'oct', k: 'k' }] } }], '[0.jwks.keys.0.kty]'],
    ['a secret in clear', [{ ...machine, secretSha256: 'secret' }], 'no SHA-256 in hexadecimal'],
    ['a public client that introspects', [{ ...app, introspects: true }], 'who introspects needs'],
    ['a client twice', [app, app], 'lists app twice'],
  ])('are refused with %s', (_, content, words) => {
    const { listed, mistakes } = readClients(file(content));
    expect(listed).toEqual([]);
    expect(mistakes.join('\n')).toContain(words);
  });

  test('are for the sandbox alone', () => {
    const start = () => configOf(readEnv({ DMP_MODE: 'production', DMP_OAUTH_CLIENTS: file([app]) }), []);
    expect(start).toThrow('DMP_OAUTH_CLIENTS is for the authorisation server of the sandbox');
  });
});
