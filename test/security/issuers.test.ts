import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SignJWT } from 'jose';
import { makeBearerIdentifier, openTokenVerifier } from '../../server/auth/bearer.ts';
import { callerOfClaims } from '../../server/auth/claims.ts';
import type { TokenIssuer } from '../../server/auth/issuer.ts';
import { claimsOfCaller } from '../../server/auth/write-claims.ts';
import { modes } from '../../server/domain/actor.ts';
import { actorOf } from '../../server/sandbox/caller.ts';
import { people } from '../../server/sandbox/people.ts';
import { sandboxSystems } from '../../server/sandbox/systems.ts';

const audience = 'https://dmp.example.org/fhir';
const now = Date.parse('2026-07-01T08:00:00Z');
const seconds = now / 1000;
const keyOf = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
const [first, second] = [keyOf(), keyOf()];
const publicOf = ({ publicKey }: typeof first, kid: string) => ({
  ...publicKey.export({ format: 'jwk' }),
  kid,
  use: 'sig',
});

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'opendmp-issuers-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const open: Server[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
const serve = async (answer: RequestListener): Promise<string> => {
  const server = createServer(answer);
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const inFile = (...keys: object[]) => {
  const file = join(folder, `${randomUUID()}.json`);
  writeFileSync(file, JSON.stringify({ keys }));
  return file;
};
const own = (issuer: string, jwks: string): TokenIssuer => ({ kind: 'own', issuer, audience, jwks });
const identifierOf = (...issuers: TokenIssuer[]) =>
  makeBearerIdentifier(openTokenVerifier({ issuers, skewSeconds: 5, systems: sandboxSystems() }), () => now);

const doctor = {
  ...claimsOfCaller({ actor: actorOf(people[1] as (typeof people)[0]), mode: 'normal', secret: false }),
};
const sign = (claims: object, { key = first, kid = 'k1', alg = 'RS256' } = {}) =>
  new SignJWT({
    ...doctor,
    ...{ aud: audience, iat: seconds, exp: seconds + 300, jti: randomUUID(), client_id: 'app', scope: 'ITI-67' },
    ...claims,
  })
    .setProtectedHeader({ alg, typ: 'JWT', kid })
    .sign(key.privateKey);

describe('several issuers', () => {
  test('each signs for itself alone', async () => {
    const [a, b] = ['https://a.example.org', 'https://b.example.org'];
    const identify = identifierOf(own(a, inFile(publicOf(first, 'k1'))), own(b, inFile(publicOf(second, 'k1'))));
    const as = async (iss: string, key: typeof first) => identify(`Bearer ${await sign({ iss }, { key })}`);
    expect((await as(a, first)).credential).toMatchObject({ issuer: a });
    expect((await as(b, second)).credential).toMatchObject({ issuer: b });
    await expect(as(a, second)).rejects.toMatchObject({ why: 'token refused: ERR_JWS_SIGNATURE_VERIFICATION_FAILED' });
    await expect(as('https://c.example.org', first)).rejects.toMatchObject({ why: 'token of another issuer' });
  });

  test('sign with RS256, PS256 or ES256 and nothing else', async () => {
    const identify = identifierOf(own('https://a.example.org', inFile(publicOf(first, 'k1'))));
    const made = (alg: string) => sign({ iss: 'https://a.example.org' }, { alg });
    await expect(identify(`Bearer ${await made('PS256')}`)).resolves.toMatchObject({ mode: 'normal' });
    await expect(identify(`Bearer ${await made('RS512')}`)).rejects.toMatchObject({
      why: 'token refused: ERR_JOSE_ALG_NOT_ALLOWED',
    });
  });
});

describe('keys at an address', () => {
  test('are fetched again for a key that is not known, once in half a minute', async () => {
    let fetched = 0;
    const keys = [publicOf(first, 'k1')];
    const at = await serve((_, answer) => {
      fetched++;
      answer.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }));
    });
    const identify = identifierOf(own(at, `${at}/jwks`));
    await identify(`Bearer ${await sign({ iss: at })}`);
    expect(fetched).toBe(1);
    keys.push(publicOf(second, 'k2'));
    for (let n = 0; n < 5; n++)
      await expect(identify(`Bearer ${await sign({ iss: at }, { key: second, kid: 'k2' })}`)).rejects.toMatchObject({
        why: 'token refused: ERR_JWKS_NO_MATCHING_KEY',
      });
    expect(fetched).toBe(1);
  });

  test.each<[string, RequestListener]>([
    ['that lead elsewhere', (_, answer) => answer.writeHead(302, { location: 'http://127.0.0.1:9/jwks' }).end()],
    ['that fail', (_, answer) => answer.writeHead(500).end()],
    ['that never end', (_, answer) => endless(answer)],
  ])('%s identify nobody', async (_, listener) => {
    const at = await serve(listener);
    const identify = identifierOf(own(at, `${at}/jwks`));
    await expect(identify(`Bearer ${await sign({ iss: at })}`)).rejects.toMatchObject({ name: 'NotIdentified' });
  });
});

/** More than any key set is long. */
function endless(answer: Parameters<RequestListener>[1]): void {
  answer.setHeader('content-type', 'application/json');
  const more = () => {
    while (answer.write('"'.padEnd(65_536, 'x')));
  };
  answer.on('drain', more);
  more();
}

describe('a token bound to a certificate', () => {
  const certificate = Buffer.from('the DER of a certificate');
  const digest = createHash('sha256').update(certificate).digest();
  const hexadecimal = digest.toString('hex');
  const issuer = 'https://a.example.org';
  const identify = () => identifierOf(own(issuer, inFile(publicOf(first, 'k1'))));
  const bound = async (cnf: unknown) => `Bearer ${await sign({ iss: issuer, cnf })}`;

  test.each([
    ['as RFC 8705 writes it', digest.toString('base64url')],
    ['as the transport guide writes it', Buffer.from(hexadecimal).toString('base64')],
    ['the same in capitals', Buffer.from(hexadecimal.toUpperCase()).toString('base64')],
  ])('identifies whoever proved it, %s', async (_, thumbprint) => {
    const who = identify();
    const token = await bound({ 'x5t#S256': thumbprint });
    await expect(who(token, certificate)).resolves.toMatchObject({ mode: 'normal' });
    await expect(who(token, Buffer.from('another'))).rejects.toMatchObject({
      why: 'token bound to another certificate',
    });
    await expect(who(token)).rejects.toMatchObject({ why: 'token bound to a certificate, and none is known' });
  });

  test.each([[{ jkt: 'x' }], [{ 'x5t#S256': 1 }], ['x'], [{ 'x5t#S256': 'x', jkt: 'y' }]])(
    'is refused when bound by %j',
    async (cnf) => {
      await expect(identify()(await bound(cnf), certificate)).rejects.toMatchObject({
        why: 'token bound to something that is not known here',
      });
    },
  );
});

describe('a token of Pro Santé Connect', () => {
  const said = { SubjectNameID: '899970000024', SubjectRole: ['10^1.2.250.1.213.1.1.5.5'], family_name: 'NGUYEN' };
  const token = (iss: string, more: object = {}) =>
    sign({
      iss,
      sub: 'f:0:1',
      aud: undefined,
      client_id: undefined,
      azp: 'lps',
      SubjectNameID: undefined,
      extensions: undefined,
      ...more,
    });
  const provider = (userinfo: (answer: Parameters<RequestListener>[1]) => void) =>
    serve((incoming, answer) => {
      answer.setHeader('content-type', 'application/json');
      if (incoming.url === '/userinfo') userinfo(answer);
      else answer.end(JSON.stringify({ keys: [publicOf(first, 'k1')] }));
    });
  const psc = (at: string, more: Partial<TokenIssuer> = {}): TokenIssuer => ({
    kind: 'psc',
    issuer: at,
    jwks: `${at}/jwks`,
    ...more,
  });

  test('that says enough needs no userinfo, and names its software', async () => {
    const at = await provider((answer) => answer.writeHead(500).end());
    const caller = await identifierOf(psc(at))(`Bearer ${await token(at, said)}`);
    expect(caller).toMatchObject({
      actor: { kind: 'professional', id: '899970000024', name: 'NGUYEN', profession: '10' },
      software: { name: 'lps' },
      credential: { issuer: at },
    });
    expect(caller).not.toHaveProperty('scopes');
  });

  test('that says not enough identifies nobody', async () => {
    const at = await provider((answer) => answer.writeHead(500).end());
    await expect(identifierOf(psc(at))(`Bearer ${await token(at)}`)).rejects.toMatchObject({
      why: 'professional without SubjectNameID',
    });
  });

  test('is for the audience that is asked for', async () => {
    const at = await provider((answer) => answer.writeHead(500).end());
    const identify = identifierOf(psc(at, { audience: 'lps-dmp' }));
    await expect(identify(`Bearer ${await token(at, { ...said, aud: 'lps-dmp' })}`)).resolves.toMatchObject({});
    await expect(identify(`Bearer ${await token(at, { ...said, aud: 'another' })}`)).rejects.toMatchObject({
      why: 'token refused: ERR_JWT_CLAIM_VALIDATION_FAILED',
    });
  });

  test.each([
    { typ: 'ID' },
    { typ: 'Refresh' },
    { typ: ['Bearer'] },
    { typ: 'Bearer', at_hash: 'x' },
    { at_hash: 'x' },
  ])('is an access token: one with %j is not', async (claims) => {
    const at = await provider((answer) => answer.writeHead(500).end());
    const identify = identifierOf(psc(at));
    await expect(identify(`Bearer ${await token(at, { ...said, typ: 'Bearer' })}`)).resolves.toMatchObject({});
    await expect(identify(`Bearer ${await token(at, { ...said, ...claims })}`)).rejects.toMatchObject({
      why: 'ID token',
    });
  });

  test('is of a software that is listed', async () => {
    const at = await provider((answer) => answer.writeHead(500).end());
    const identify = identifierOf(psc(at, { clients: ['lps', 'lgc'] }));
    await expect(identify(`Bearer ${await token(at, said)}`)).resolves.toMatchObject({ software: { name: 'lps' } });
    for (const azp of ['another', undefined, ['lps']])
      await expect(identify(`Bearer ${await token(at, { ...said, azp })}`)).rejects.toMatchObject({
        why: 'token of a software that is not listed',
      });
  });

  test('is what userinfo says, not what the token claims besides', async () => {
    const at = await provider((answer) => answer.end(JSON.stringify({ ...said, sub: 'f:0:1' })));
    const identify = identifierOf(psc(at, { userinfo: `${at}/userinfo` }));
    const caller = await identify(`Bearer ${await token(at, { SubjectNameID: '899970000016' })}`);
    expect(caller.actor).toMatchObject({ id: '899970000024' });
  });

  test.each<[string, (answer: Parameters<RequestListener>[1]) => void]>([
    ['refuses', (answer) => answer.writeHead(401).end()],
    ['answers for another', (answer) => answer.end(JSON.stringify({ ...said, sub: 'f:0:2' }))],
    ['answers no JSON', (answer) => answer.end('<html>')],
    ['leads elsewhere', (answer) => answer.writeHead(307, { location: '/other' }).end()],
    ['never ends', endless],
  ])('identifies nobody when userinfo %s', async (_, userinfo) => {
    const at = await provider(userinfo);
    const identify = identifierOf(psc(at, { userinfo: `${at}/userinfo` }));
    await expect(identify(`Bearer ${await token(at)}`)).rejects.toMatchObject({ name: 'NotIdentified' });
  });
});

test('claims that are written are read as the same caller', () => {
  const patient = fc.constantFrom(undefined, { value: '161053523812385', oid: '1.2.250.1.213.1.4.10' });
  const caller = fc.record({
    person: fc.constantFrom(...people),
    mode: fc.constantFrom(...modes),
    reason: fc.option(fc.stringMatching(/^[a-zé]{1,30}$/), { nil: undefined }),
    secret: fc.boolean(),
    air: fc.boolean(),
    patient,
  });
  fc.assert(
    fc.property(caller, ({ person, mode, reason, secret, air, patient: named }) => {
      const plain = actorOf(person);
      const actor =
        air && plain.kind === 'professional' && plain.card === 'CPS' ? { ...plain, kind: 'air' as const } : plain;
      const said = { actor, mode, secret, ...(reason !== undefined && { reason }), ...(named && { patient: named }) };
      const claims = { ...claimsOfCaller(said), iss: 'i', jti: 'j', client_id: 'app', scope: 'ITI-67' };
      const { credential: _, scopes, software, ...read } = callerOfClaims(claims, sandboxSystems(), true);
      const own = plain.kind === 'patient' ? plain.ins : plain.kind === 'representative' ? plain.of : undefined;
      const of = named ?? own;
      expect(read).toEqual({ ...said, ...(of && { patient: of }) });
      expect([scopes, software]).toEqual([['ITI-67'], { name: 'app' }]);
    }),
  );
});
