import { createHmac, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt, importJWK, SignJWT } from 'jose';
import { loadTokenKey } from '../../server/sandbox/cards.ts';
import { publicUrl, tokenOf } from '../support/clients.ts';
import { openServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
});
afterAll(() => server.close());

const search = () => `DocumentReference?patient.identifier=${tokenOf('laurent')}`;
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const good = () => server.credentials.token('dr-nguyen');
const claimsOf = (token: string) => token.split('.')[1] ?? '';

/** The sandbox's public key, as everybody can read it. */
const publicKey = () => readFileSync(join(server.folder, 'sandbox', 'jwks.json'), 'utf8');

test('the token that is spoilt below is a good one', async () => {
  expect((await server.fhir.get(await good(), search())).status).toBe(200);
});

describe('a token', () => {
  const cases: Readonly<Record<string, () => Promise<string> | string>> = {
    expired: () => server.credentials.token('dr-nguyen', {}, { lifetime: -600 }),
    'not yet valid': async () => {
      const claims = decodeJwt(await good());
      return server.credentials.tokenWith({ ...claims, nbf: Math.floor(Date.now() / 1000) + 3600 });
    },
    'of another audience': () =>
      server.credentials.token('dr-nguyen', {}, { audience: 'https://other.example.org/fhir' }),
    'of the issuer’s own address as audience': () => server.credentials.token('dr-nguyen', {}, { audience: publicUrl }),
    'of another issuer': () => server.credentials.token('dr-nguyen', {}, { issuer: 'https://other.example.org/auth' }),
    'with alg none': async () => `${part({ alg: 'none', typ: 'JWT' })}.${claimsOf(await good())}.`,
    'with alg none, its signature kept': async () => {
      const [, claims, signature] = (await good()).split('.');
      return `${part({ alg: 'none', typ: 'JWT' })}.${claims}.${signature}`;
    },
    'with the public key as the secret of an HMAC': async () => {
      const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${claimsOf(await good())}`;
      return `${text}.${createHmac('sha256', publicKey()).update(text).digest('base64url')}`;
    },
    'signed by a stranger under the issuer’s key id': async () => {
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const { kid } = loadTokenKey(server.folder);
      return new SignJWT(decodeJwt(await good()))
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid })
        .sign(privateKey);
    },
    'that brings its own key': async () => {
      const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const jwk = pair.publicKey.export({ format: 'jwk' });
      return new SignJWT(decodeJwt(await good()))
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', jwk })
        .sign(pair.privateKey);
    },
    'of another type': async () => {
      const key = loadTokenKey(server.folder);
      return new SignJWT(decodeJwt(await good()))
        .setProtectedHeader({ alg: 'RS256', typ: 'logout+jwt', kid: key.kid })
        .sign(await importJWK({ ...key }, 'RS256'));
    },
    'with other claims under the same signature': async () => {
      const [head, claims = '', signature] = (await good()).split('.');
      const changed = Buffer.from(claims, 'base64url').toString().replaceAll('899970000024', '899970000016');
      return `${head}.${Buffer.from(changed).toString('base64url')}.${signature}`;
    },
    'that names no actor': () => server.credentials.tokenWith({ sub: 'x' }),
    'that is an assertion of the other face': () =>
      Buffer.from(server.credentials.vihf('dr-nguyen', { patient: 'laurent' }))
        .toString('base64url')
        .slice(0, 8000),
  };

  test.each(Object.keys(cases))('%s: 401 alike, one event of nobody, nothing else', async (name) => {
    const token = await cases[name]?.();
    const { answer, events, unchanged } = await server.ledger.traced(() => server.fhir.get(token, search()));
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
    expect(answer.json).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'login' }] });
    expect(answer.json.issue).toEqual((await server.fhir.get('x', search())).json.issue);
    expect(unchanged).toBe(true);
    expect(events).toMatchObject([{ action: 'identify', outcome: 'refused' }]);
    for (const key of ['actor', 'patient', 'record', 'credential']) expect(events[0]).not.toHaveProperty(key);
  });

  test('is taken in the Authorization header alone', async () => {
    const token = await good();
    expect((await server.fhir.get(undefined, `${search()}&access_token=${token}`)).status).toBe(401);
  });
});

describe('a patient', () => {
  test.each([
    ['other than that of the token', 'blanc', 'laurent', 403, 'otherPatient'],
    ['whose record is closed', undefined, 'faure', 403, 'recordClosed'],
    ['without a record', undefined, 'garnier', 200, 'unknownRecord'],
  ])('%s', async (_, named, asked, status, ground) => {
    const token = await server.credentials.token('dr-martin', named === undefined ? {} : { patient: named });
    const { answer, events, unchanged } = await server.ledger.traced(() =>
      server.fhir.get(token, `DocumentReference?patient.identifier=${tokenOf(asked)}`),
    );
    expect(answer.status).toBe(status);
    expect(unchanged).toBe(true);
    expect(events).toMatchObject([{ action: 'searchDocuments', outcome: 'refused', ground }]);
  });
});
