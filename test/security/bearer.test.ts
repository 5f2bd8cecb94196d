import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SignJWT, UnsecuredJWT } from 'jose';
import nodeJose from 'node-jose';
import { makeBearerIdentifier, openTokenVerifier } from '../../server/auth/bearer.ts';
import { type Identify, NotIdentified } from '../../server/auth/credentials.ts';
import type { TokenIssuer } from '../../server/auth/issuer.ts';
import type { System } from '../../server/domain/system.ts';

const now = Date.parse('2026-03-02T10:00:00Z');
const seconds = now / 1000;
const issuer = 'https://op.example';
const audience = 'https://dmp.example/fhir';
const folder = mkdtempSync(join(tmpdir(), 'bearer-'));
const jwks = join(folder, 'jwks.json');

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
const publicKeys = {
  keys: [
    { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'rsa', use: 'sig' },
    { ...ec.publicKey.export({ format: 'jwk' }), kid: 'ec', use: 'sig' },
  ],
};

const identifierOf = (of: Partial<TokenIssuer> & { readonly jwks: string }, clock: () => number) => {
  const issuers = [{ kind: 'own' as const, issuer, audience, ...of }];
  return makeBearerIdentifier(openTokenVerifier({ issuers, skewSeconds: 5, systems }), clock);
};

let identify: (at?: number) => Identify['bearer'];
beforeAll(() => {
  writeFileSync(jwks, JSON.stringify(publicKeys));
  identify = (at = now) => identifierOf({ jwks }, () => at);
});
afterAll(() => rmSync(folder, { recursive: true }));

const doctor = {
  iss: issuer,
  sub: 'f:0000:899970000016',
  aud: audience,
  iat: seconds,
  exp: seconds + 300,
  jti: 'token-1',
  client_id: 'app',
  scope: 'ITI-67',
  SubjectNameID: '899970000016',
  SubjectRole: ['10^1.2.250.1.213.1.1.5.5'],
  SubjectRefPro: {
    exercices: [
      { codeProfession: '60', codeSavoirFaire: 'SI01' },
      { codeProfession: '10', codeSavoirFaire: 'SM26' },
    ],
  },
  extensions: {
    ihe_iua: {
      subject_name: 'Hélène MARTIN',
      subject_organization: 'Cabinet MARTIN',
      subject_organization_id: '499970000016001',
      purpose_of_use: [{ system: 'urn:oid:1.2.250.1.213.1.1.4.248', code: 'normal' }],
      person_id: '277076322082910^^^&1.2.250.1.213.1.4.10&ISO^NH',
    },
  },
};
const systems: readonly System[] = [
  { id: 'regie', name: 'Régie', client: doctor.sub, rights: ['feed', 'remove'] },
  { id: 'registry', name: 'Registry', rights: ['register'] },
];
const patient = { value: '277076322082910', oid: '1.2.250.1.213.1.4.10' };

type Changes = Record<string, unknown>;
type How = { key?: KeyObject | Uint8Array; header?: Record<string, unknown> & { alg?: string } };

async function token(changes: Changes = {}, { key = rsa.privateKey, header = {} }: How = {}): Promise<string> {
  return new SignJWT({ ...doctor, ...changes })
    .setProtectedHeader({ alg: 'RS256', kid: 'rsa', typ: 'JWT', ...header })
    .sign(key);
}
const iua = (changes: Changes) => ({ extensions: { ihe_iua: { ...doctor.extensions.ihe_iua, ...changes } } });
const opendmp = (claims: Changes) => ({ extensions: { ...doctor.extensions, opendmp: claims } });
const callerOf = async (changes: Changes = {}, how: How = {}) => identify()(`Bearer ${await token(changes, how)}`);

async function whyNot(authorization: string | undefined, at = now): Promise<string> {
  try {
    await identify(at)(authorization);
    return 'identified';
  } catch (error) {
    if (error instanceof NotIdentified) return error.why;
    throw error;
  }
}

describe('who the caller is', () => {
  test('a professional as Pro Santé Connect names one', async () => {
    expect(await callerOf()).toEqual({
      actor: {
        kind: 'professional',
        id: '899970000016',
        name: 'Hélène MARTIN',
        card: 'CPS',
        profession: '10',
        specialty: 'SM26',
        structure: { id: '499970000016001', name: 'Cabinet MARTIN' },
      },
      mode: 'normal',
      patient,
      scopes: ['ITI-67'],
      secret: false,
      software: { name: 'app' },
      credential: { kind: 'token', id: 'token-1', issuer },
    });
  });

  test('one whose issuer leaves out or empties what it does not know', async () => {
    const claims = { SubjectRefPro: null, Mode_Acces_Raison: '', extensions: undefined, scope: 'ITI-67' };
    expect(await callerOf(claims)).toMatchObject({
      actor: { kind: 'professional', id: '899970000016', name: '899970000016', profession: '10' },
      mode: 'normal',
    });
  });

  test('a role in IUA codings alone, or a secretary in either form', async () => {
    const coding = (system: string, code: string) => ({ system: `urn:oid:${system}`, code });
    const nurse = { SubjectRole: [], ...iua({ subject_role: [coding('1.2.250.1.71.1.2.7', '60')] }) };
    const secretary = {
      SubjectRole: ['SECRETARIAT_MEDICAL^1.2.250.1.213.1.1.5.5'],
      ...iua({ subject_role: [coding('1.2.250.1.213.1.1.4.6', 'SECRETARIAT_MEDICAL')] }),
    };
    expect((await callerOf(nurse)).actor).toMatchObject({ card: 'CPS', profession: '60', specialty: 'SI01' });
    expect((await callerOf(secretary)).actor).toMatchObject({ card: 'CPE', profession: 'SECRETARIAT_MEDICAL' });
  });

  test.each([
    ['bris_de_glace', 'breakGlass'],
    ['centre_15', 'emergencyCentre'],
  ])('mode %s, with its reason', async (code, mode) => {
    const claims = {
      ...iua({ purpose_of_use: [{ system: 'urn:oid:1.2.250.1.213.1.1.4.248', code }] }),
      Mode_Acces_Raison: ' patient inconscient ',
    };
    expect(await callerOf(claims)).toMatchObject({ mode, reason: 'patient inconscient' });
  });

  test.each([
    [
      { kind: 'patient', ins: '277076322082910^^^&1.2.250.1.213.1.4.10&ISO^NH' },
      { kind: 'patient', ins: patient, name: 'Hélène MARTIN' },
    ],
    [
      { kind: 'representative', of: '277076322082910^^^&1.2.250.1.213.1.4.10&ISO' },
      { kind: 'representative', id: doctor.sub, name: 'Hélène MARTIN', of: patient },
    ],
    [{ kind: 'system' }, { kind: 'system', id: 'regie', name: 'Régie', rights: ['feed', 'remove'] }],
    [
      { kind: 'system', rights: ['multiPatient', 'remove'] },
      { kind: 'system', id: 'regie', name: 'Régie', rights: ['remove'] },
    ],
    [
      { kind: 'structure' },
      {
        kind: 'structure',
        structure: { id: '499970000016001', name: 'Cabinet MARTIN' },
        employee: { id: '899970000016', name: 'Hélène MARTIN' },
      },
    ],
  ])('%j', async (claims, actor) => {
    expect((await callerOf(opendmp(claims))).actor).toEqual(actor);
  });

  test('a client that is its own subject is the system of that name', async () => {
    const itself = { sub: 'registry', client_id: 'registry', SubjectNameID: undefined, SubjectRole: [] };
    expect((await callerOf(itself)).actor).toEqual({
      kind: 'system',
      id: 'registry',
      name: 'Registry',
      rights: ['register'],
    });
    // Software through which a person acts is not the system.
    expect((await callerOf({ client_id: 'registry' })).actor).toMatchObject({ kind: 'professional' });
    expect((await callerOf({ sub: 'registry', client_id: 'registry' })).actor).toMatchObject({ kind: 'professional' });
  });

  test.each(['JWT', 'at+jwt', 'application/at+jwt', 'IUA-JWT', undefined])('typ %s', async (typ) => {
    expect((await callerOf({}, { header: { typ } })).actor).toMatchObject({ id: '899970000016' });
  });

  test('by ES256', async () => {
    expect((await callerOf({}, { key: ec.privateKey, header: { alg: 'ES256', kid: 'ec' } })).actor).toMatchObject({
      id: '899970000016',
    });
  });
});

describe('a token that proves nobody', () => {
  const shared = new TextEncoder().encode(rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString());
  const cases: readonly (readonly [string, string, () => Promise<string>])[] = [
    ['alg none', 'token refused: ERR_JOSE_ALG_NOT_ALLOWED', async () => new UnsecuredJWT(doctor).encode()],
    [
      'HS256 with the public key',
      'token refused: ERR_JOSE_ALG_NOT_ALLOWED',
      async () => token({}, { key: shared, header: { alg: 'HS256' } }),
    ],
    [
      'another algorithm of the same key',
      'token refused: ERR_JOSE_ALG_NOT_ALLOWED',
      async () => token({}, { header: { alg: 'RS512' } }),
    ],
    [
      'a stranger',
      'token refused: ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
      async () => token({}, { key: stranger.privateKey }),
    ],
    [
      'a stranger bringing the key',
      'token refused: ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
      async () =>
        token({}, { key: stranger.privateKey, header: { jwk: stranger.publicKey.export({ format: 'jwk' }) } }),
    ],
    [
      'the issuer, bringing a key',
      'token brings its own key',
      async () => token({}, { header: { jwk: rsa.publicKey.export({ format: 'jwk' }) } }),
    ],
    [
      'a key that is not known',
      'token refused: ERR_JWKS_NO_MATCHING_KEY',
      async () => token({}, { header: { kid: 'other' } }),
    ],
    [
      'altered claims',
      'token refused: ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
      async () => {
        const [header, , signature] = (await token()).split('.');
        const claims = Buffer.from(JSON.stringify({ ...doctor, SubjectNameID: '899970000024' })).toString('base64url');
        return `${header}.${claims}.${signature}`;
      },
    ],
    [
      'another audience',
      'token refused: ERR_JWT_CLAIM_VALIDATION_FAILED',
      async () => token({ aud: 'https://dmp.example' }),
    ],
    ['another issuer', 'token of another issuer', async () => token({ iss: `${issuer}/` })],
    ['its time over', 'token refused: ERR_JWT_EXPIRED', async () => token({ exp: seconds - 6 })],
    ['its time to come', 'token refused: ERR_JWT_CLAIM_VALIDATION_FAILED', async () => token({ nbf: seconds + 60 })],
    ['an issuer ahead of time', 'token issued in the future', async () => token({ iat: seconds + 60 })],
    ['another type', 'token of another type', async () => token({}, { header: { typ: 'dpop+jwt' } })],
    ...(['sub', 'exp', 'iat', 'jti', 'client_id', 'scope', 'aud'] as const).map(
      (claim) =>
        [
          `no ${claim}`,
          'token refused: ERR_JWT_CLAIM_VALIDATION_FAILED',
          async () => token({ [claim]: undefined }),
        ] as const,
    ),
    ['no national id', 'professional without SubjectNameID', async () => token({ SubjectNameID: undefined })],
    ['no role', 'no role, or roles that contradict', async () => token({ SubjectRole: [] })],
    [
      'two professions',
      'SubjectRole with different values',
      async () => token({ SubjectRole: ['10^1.2.250.1.213.1.1.5.5', '60^1.2.250.1.213.1.1.5.5'] }),
    ],
    [
      'a profession and another role',
      'no role, or roles that contradict',
      async () => token({ SubjectRole: ['10^1.2.250.1.213.1.1.5.5', 'AUTOMATE^1.2.250.1.213.1.1.4.6'] }),
    ],
    [
      'an unknown purpose',
      'purpose of use not known',
      async () => token(iua({ purpose_of_use: [{ system: 'urn:oid:1.2.250.1.213.1.1.4.248', code: 'x' }] })),
    ],
    ['a patient who is none', 'person_id malformed', async () => token(iua({ person_id: '277076322082910' }))],
    ['a patient without INS', 'ins malformed', async () => token(opendmp({ kind: 'patient' }))],
    [
      'a right that does not exist',
      'claims malformed: extensions.opendmp.rights.0',
      async () => token(opendmp({ kind: 'system', rights: ['all'] })),
    ],
    [
      'a system that is not listed',
      'system that is not listed',
      async () => token({ sub: 'pirate', ...opendmp({ kind: 'system', id: 'regie', rights: ['remove'] }) }),
    ],
    [
      'a client that is not listed',
      'system that is not listed',
      async () => token({ sub: 'app', SubjectNameID: undefined }),
    ],
    [
      'an actor of unknown kind',
      'claims malformed: extensions.opendmp.kind',
      async () => token(opendmp({ kind: 'administrator' })),
    ],
    [
      'a structure without id',
      'structure without subject_organization_id',
      async () => token({ extensions: { opendmp: { kind: 'structure' } } }),
    ],
  ];
  test.each(cases)('%s: %s', async (_, why, made) => {
    expect(await whyNot(`Bearer ${await made()}`)).toBe(why);
  });

  test.each([
    [undefined, 'no token', true],
    ['Basic dTpw', 'no token', true],
    ['Bearer', 'token malformed', false],
    ['Bearer a b', 'token malformed', false],
    [`Bearer ${'a'.repeat(20_000)}`, 'token malformed', false],
    ['Bearer a.b.c', 'token refused: ERR_JWT_INVALID', false],
  ])('%s', async (authorization, why, absent) => {
    await expect(identify()(authorization)).rejects.toMatchObject({ name: 'NotIdentified', why, absent });
  });
});

describe('a token used again', () => {
  test('gives the same caller until it expires, skew included', async () => {
    let at = now;
    const identifier = identifierOf({ jwks }, () => at);
    const header = `Bearer ${await token()}`;
    const caller = await identifier(header);
    at = now + 304_999;
    expect(await identifier(header)).toBe(caller);
    at = now + 305_000;
    await expect(identifier(header)).rejects.toMatchObject({ why: 'token expired' });
    await expect(identifier(header)).rejects.toMatchObject({ why: 'token refused: ERR_JWT_EXPIRED' });
  });

  test('with one character altered is another token', async () => {
    const identifier = identify();
    const text = await token();
    await identifier(`Bearer ${text}`);
    await expect(identifier(`Bearer ${text.slice(0, -2)}AA`)).rejects.toMatchObject({ name: 'NotIdentified' });
  });
});

describe('counterparts', () => {
  test('node-jose verifies our tokens', async () => {
    const keys = await nodeJose.JWK.asKeyStore(publicKeys);
    const { payload } = await nodeJose.JWS.createVerify(keys).verify(await token());
    expect(JSON.parse(payload.toString())).toMatchObject({ SubjectNameID: '899970000016' });
  });

  test('a token of node-jose identifies its subject', async () => {
    const key = await nodeJose.JWK.asKey({ ...rsa.privateKey.export({ format: 'jwk' }), kid: 'rsa', alg: 'RS256' });
    const made = await nodeJose.JWS.createSign({ format: 'compact', fields: { typ: 'JWT' } }, key)
      .update(JSON.stringify(doctor), 'utf8')
      .final();
    // In compact form it is a string, whatever its types say.
    const text = made as unknown as string;
    expect((await identify()(`Bearer ${text}`)).actor).toMatchObject({ id: '899970000016' });
  });
});

describe('keys of the issuer', () => {
  test('are fetched once from an address', async () => {
    let fetched = 0;
    const server = createServer((_, answer) => {
      fetched++;
      answer.setHeader('content-type', 'application/json').end(JSON.stringify(publicKeys));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    try {
      const address = `http://127.0.0.1:${port}/jwks`;
      const identifier = identifierOf({ jwks: address }, () => now);
      const made = await Promise.all([token({ jti: 'a' }), token({ jti: 'b' })]);
      const callers = await Promise.all(made.map((text) => identifier(`Bearer ${text}`)));
      expect(callers.map(({ credential }) => credential.id)).toEqual(['a', 'b']);
      expect(fetched).toBe(1);
    } finally {
      server.close();
    }
  });

  test('are refused at the start when the file holds none, or a shared secret', () => {
    const opened = (text: string) => {
      const file = join(folder, 'wrong.json');
      writeFileSync(file, text);
      return () => identifierOf({ jwks: file }, () => now);
    };
    expect(opened('{"keys":[]}')).toThrow();
    expect(opened('{"keys":[{"kty":"oct","k":"AAAA"}]}')).toThrow();
  });
});
