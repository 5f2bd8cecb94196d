import { createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeJwt, SignJWT } from 'jose';
import { cxOf, tokenOf } from '../support/clients.ts';
import { assertionOf, clientAssertion, type Door, issuer, openDoor } from './door.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(() => door.close());

const software = 'opendmp-software:opendmp-software-secret';
const labo = 'labo-centre:labo-centre-secret';
const clientAssertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const asItself = { grant_type: 'client_credentials' };

describe('a machine by itself', () => {
  test('a structure proves itself by a secret and acts as itself', async () => {
    const { json } = await door.token({ ...asItself, scope: 'system/DocumentReference.rs ITI-105 openid' }, labo);
    expect(json.scope).toBe('system/DocumentReference.rs ITI-105');
    expect(decodeJwt(json.access_token ?? '')).toMatchObject({
      sub: '1990000028',
      client_id: 'labo-centre',
      extensions: { opendmp: { kind: 'structure' } },
    });
    const { status } = await door.fhir(json.access_token, `DocumentReference?identifier=urn:oid:1.2.3`);
    expect(status).toBe(200);
  });

  test('a system proves itself by the key of its certificate and has the rights listed', async () => {
    const made = await clientAssertion(door.server.folder, 'regie');
    const form = { ...asItself, client_assertion_type: clientAssertionType, client_assertion: made };
    const { json } = await door.token(form);
    expect(json.error).toBeUndefined();
    const caller = await door.server.context.identify.bearer(`Bearer ${json.access_token}`);
    expect(caller.actor).toMatchObject({ kind: 'system', id: '1.2.250.1.999.1.1' });
    const again = await door.token(form);
    expect([again.status, again.json.error]).toEqual([401, 'invalid_client']);
  });

  const wrong: readonly [
    string,
    () => Promise<Record<string, string>> | Record<string, string>,
    string | undefined,
    string,
  ][] = [
    ['a wrong secret', () => ({}), 'labo-centre:secret', 'invalid_client'],
    ['the secret of another client', () => ({}), 'labo-centre:radio-ouest-secret', 'invalid_client'],
    ['an unknown client', () => ({}), 'nobody:nobody-secret', 'invalid_client'],
    ['no proof', () => ({ client_id: 'labo-centre' }), undefined, 'invalid_client'],
    ['no client', () => ({}), undefined, 'invalid_request'],
    [
      'its secret in the form',
      () => ({ client_id: 'labo-centre', client_secret: 'labo-centre-secret' }),
      undefined,
      'invalid_client',
    ],
    ['two clients', () => ({ client_id: 'radio-ouest' }), labo, 'invalid_request'],
    ['scopes of persons', () => ({ scope: 'patient/DocumentReference.rs' }), labo, 'invalid_scope'],
    ['another resource', () => ({ resource: 'https://other.example.org/fhir' }), labo, 'invalid_target'],
    ['an unknown purpose', () => ({ purpose_of_use: 'x' }), labo, 'invalid_request'],
    ['another grant', () => ({ grant_type: 'authorization_code', code: 'x' }), labo, 'unauthorized_client'],
    ['a grant that is not served', () => ({ grant_type: 'password' }), labo, 'unsupported_grant_type'],
    ['no grant', () => ({ grant_type: '' }), labo, 'invalid_request'],
  ];
  test.each(wrong)('is refused with %s', async (_, form, basic, error) => {
    const { status, json, headers } = await door.token({ ...asItself, ...(await form()) }, basic);
    expect(json).toEqual({ error, error_description: expect.stringMatching(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/) });
    expect(status).toBe(error === 'invalid_client' ? 401 : 400);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('www-authenticate')).toBe(status === 401 ? 'Basic realm="OpenDMP", charset="UTF-8"' : null);
  });

  const key = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const assertions: readonly [string, () => Promise<string> | string][] = [
    ['for another audience', () => clientAssertion(door.server.folder, 'regie', { aud: 'https://other.example.org' })],
    ['of another subject', () => clientAssertion(door.server.folder, 'regie', { sub: 'labo-centre' })],
    ['over', () => clientAssertion(door.server.folder, 'regie', { exp: Math.floor(Date.now() / 1000) - 60 })],
    ['for a day', () => clientAssertion(door.server.folder, 'regie', { exp: Math.floor(Date.now() / 1000) + 86_400 })],
    ['without jti', () => clientAssertion(door.server.folder, 'regie', { jti: undefined })],
    [
      'signed by another client',
      () => clientAssertion(door.server.folder, 'labo-centre', { iss: 'regie', sub: 'regie' }),
    ],
    [
      'signed by a key of nobody',
      async () =>
        new SignJWT({ iss: 'regie', sub: 'regie', aud: issuer, exp: Date.now() / 1000 + 60, jti: randomUUID() })
          .setProtectedHeader({ alg: 'RS256' })
          .sign(key.privateKey),
    ],
    [
      'that is signed by nobody',
      () => {
        const parts = [{ alg: 'none' }, { iss: 'regie', sub: 'regie', aud: issuer, exp: 1e11, jti: 'x' }];
        return `${parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;
      },
    ],
    ['that is none', () => 'abc'],
  ];
  test.each(assertions)('is refused with an assertion %s', async (_, made) => {
    const form = { ...asItself, client_assertion_type: clientAssertionType, client_assertion: await made() };
    const { status, json } = await door.token(form);
    expect([status, json.error]).toEqual([401, 'invalid_client']);
  });
});

describe('a card speaks for its professional', () => {
  const bearer = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer' };

  test.each([
    ['499970000073001', '499970000073001'],
    ['1990000069', '1990000069'],
    ['1990000010', undefined],
  ])('a structure is said that is proven: pharm-durand in %s', async (structure, expected) => {
    const assertion = await assertionOf(folder(), 'pharm-durand', { vihf: { Identifiant_Structure: structure } });
    const { json } = await door.token({ ...bearer, assertion }, software);
    const claims = decodeJwt<{ extensions: { ihe_iua: Record<string, unknown> } }>(json.access_token ?? '');
    expect(claims.extensions.ihe_iua['subject_organization_id']).toBe(expected);
  });

  const folder = () => door.server.folder;

  test('by an assertion that node-jose signed, once', async () => {
    const vihf = { 'urn:oasis:names:tc:xacml:2.0:resource:resource-id': cxOf('laurent') };
    const assertion = await assertionOf(folder(), 'dr-nguyen', { vihf });
    const form = { ...bearer, assertion, scope: 'user/DocumentReference.rs' };
    const { json } = await door.token(form, software);
    expect(decodeJwt(json.access_token ?? '')).toMatchObject({
      sub: '899970000024',
      SubjectNameID: '899970000024',
      client_id: 'opendmp-software',
      extensions: {
        ihe_iua: { person_id: cxOf('laurent'), subject_organization_id: '499970000024001' },
        opendmp: { software: { name: 'Logiciel d’essai' } },
      },
    });
    const found = await door.fhir(json.access_token, `DocumentReference?patient.identifier=${tokenOf('laurent')}`);
    expect(found.status).toBe(200);
    const again = await door.token(form, software);
    expect([again.status, again.json.error]).toEqual([400, 'invalid_grant']);
  });

  test('an organisation’s certificate for the organisation', async () => {
    const { json } = await door.token({ ...bearer, assertion: await assertionOf(folder(), 'hopital-nord') }, software);
    expect(json.error).toBeUndefined();
    expect((await door.server.context.identify.bearer(`Bearer ${json.access_token}`)).actor).toMatchObject({
      kind: 'structure',
      structure: { id: '1990000010' },
      employee: { name: 'Marc FONTAINE' },
    });
  });

  test('and what it says in secret stays secret', async () => {
    const vihf = {
      'urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code':
        'INVISIBLE_REPRESENTANTS_LEGAUX^1.2.250.1.213.1.1.4.13',
    };
    const { json } = await door.token(
      { ...bearer, assertion: await assertionOf(folder(), 'dr-martin', { vihf }) },
      software,
    );
    expect((await door.server.context.identify.bearer(`Bearer ${json.access_token}`)).secret).toBe(true);
  });

  const now = () => Math.floor(Date.now() / 1000);
  const role = (code: string) => ({
    'urn:oasis:names:tc:xacml:2.0:subject:role': { code, codeSystem: '1.2.250.1.71.1.2.7' },
  });
  const wrong: readonly [string, () => Promise<string> | string][] = [
    ['signed by another card', () => assertionOf(folder(), 'dr-nguyen', { by: 'dr-martin' })],
    ['with another subject', () => assertionOf(folder(), 'dr-nguyen', { claims: { sub: '899970000016' } })],
    ['with another profession than the card’s', () => assertionOf(folder(), 'inf-petit', { vihf: role('50') })],
    ['for another server', () => assertionOf(folder(), 'dr-nguyen', { claims: { aud: 'https://other.example.org' } })],
    ['that is over', () => assertionOf(folder(), 'dr-nguyen', { claims: { exp: now() - 10 } })],
    ['for an hour', () => assertionOf(folder(), 'dr-nguyen', { claims: { exp: now() + 3600 } })],
    ['of the future', () => assertionOf(folder(), 'dr-nguyen', { claims: { iat: now() + 60, exp: now() + 300 } })],
    ['without jti', () => assertionOf(folder(), 'dr-nguyen', { claims: { jti: undefined } })],
    ['with a number for its issuer', () => assertionOf(folder(), 'dr-nguyen', { claims: { iss: 5 } })],
    ['with an object for its jti', () => assertionOf(folder(), 'dr-nguyen', { claims: { jti: {} } })],
    [
      'whose header names an algorithm of another kind of key',
      async () => {
        const [header = '', ...rest] = (await assertionOf(folder(), 'dr-nguyen')).split('.');
        const named = { ...(JSON.parse(Buffer.from(header, 'base64url').toString()) as object), alg: 'ES256' };
        return [Buffer.from(JSON.stringify(named)).toString('base64url'), ...rest].join('.');
      },
    ],
    ['without VIHF', () => assertionOf(folder(), 'dr-nguyen', { claims: { vihf: undefined } })],
    ['without its version', () => assertionOf(folder(), 'dr-nguyen', { vihf: { VIHF_Version: '' } })],
    ['without certificate', () => assertionOf(folder(), 'dr-nguyen', { header: { x5c: undefined } })],
    [
      'with a certificate that is none',
      () => assertionOf(folder(), 'dr-nguyen', { header: { x5c: ['A'.repeat(200)] } }),
    ],
    ['of a system', () => assertionOf(folder(), 'regie')],
    [
      'signed with the certificate as a shared secret',
      async () => {
        const [head = '', body = ''] = (await assertionOf(folder(), 'dr-nguyen')).split('.');
        const { x5c } = JSON.parse(Buffer.from(head, 'base64url').toString()) as { x5c: string[] };
        const forged = Buffer.from(JSON.stringify({ alg: 'HS256', x5c })).toString('base64url');
        const signature = createHmac('sha256', Buffer.from(x5c[0] ?? '', 'base64')).update(`${forged}.${body}`);
        return `${forged}.${body}.${signature.digest('base64url')}`;
      },
    ],
    ['that is none', () => 'a.b.c'],
    ['that is too long', () => 'a'.repeat(20_000)],
  ];
  test.each(wrong)('not by one %s', async (_, made) => {
    const { status, json } = await door.token({ ...bearer, assertion: await made() }, software);
    expect([status, json.error]).toEqual([400, 'invalid_grant']);
  });

  test('nor without one', async () => {
    expect((await door.token(bearer, software)).json.error).toBe('invalid_request');
  });
});

describe('a token of Pro Santé Connect', () => {
  const accessToken = 'urn:ietf:params:oauth:token-type:access_token';
  const exchange = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: accessToken,
    scope: 'user/DocumentReference.rs',
  };
  const exchanged = async (token: string, more: Record<string, string> = {}) =>
    door.token({ ...exchange, subject_token: token, ...more }, software);

  test('is exchanged for one of ours: the person is proven, the access is stated', async () => {
    const { json } = await exchanged(await door.provider.token(), {
      purpose_of_use: 'bris_de_glace',
      reason: 'inconscient',
      person_id: cxOf('laurent'),
    });
    expect(json).toMatchObject({ issued_token_type: accessToken, token_type: 'Bearer', scope: exchange.scope });
    const caller = await door.server.context.identify.bearer(`Bearer ${json.access_token}`);
    expect(caller).toMatchObject({
      actor: {
        kind: 'professional',
        id: '899970000024',
        name: 'Minh NGUYEN',
        card: 'CPS',
        profession: '10',
        specialty: 'SM04',
        structure: { id: '499970000024001', name: 'Cabinet du Parc' },
      },
      mode: 'breakGlass',
      reason: 'inconscient',
      patient: { value: '161053523812385', oid: '1.2.250.1.213.1.4.10' },
    });
  });

  test('serves on the FHIR face as it is, in normal mode; userinfo is asked once', async () => {
    const token = await door.provider.token();
    const before = door.provider.asked.userinfo;
    const path = `DocumentReference?patient.identifier=${tokenOf('laurent')}`;
    expect((await door.fhir(token, path)).status).toBe(200);
    expect((await door.fhir(token, path)).status).toBe(200);
    expect(door.provider.asked.userinfo - before).toBe(1);
  });

  test('of another subject than userinfo is refused', async () => {
    const { status, json } = await exchanged(await door.provider.token({ sub: 'f:0000:899700000002' }));
    expect([status, json.error]).toEqual([400, 'invalid_request']);
  });

  test('acts for no structure when several are practised in', async () => {
    const activities = [
      { ancienIdentifiantDeLaStructure: '499970000024001' },
      { numeroFinessSite: '990000010', raisonSocialeSite: 'Hôpital Nord' },
    ];
    door.provider.say({
      SubjectRefPro: { exercices: [{ codeProfession: '10', codeSavoirFaire: 'SM04', activities }] },
    });
    try {
      const caller = await door.server.context.identify.bearer(`Bearer ${await door.provider.token()}`);
      expect(caller.actor).not.toHaveProperty('structure');
      door.provider.say({ SubjectOrganizationID: '1990000010', SubjectOrganization: 'Hôpital Nord' });
      const named = await door.server.context.identify.bearer(`Bearer ${await door.provider.token()}`);
      expect(named.actor).toMatchObject({ structure: { id: '1990000010', name: 'Hôpital Nord' } });
    } finally {
      door.provider.say({});
    }
  });

  test('speaks for no patient, system or mode that it claims', async () => {
    const extensions = { opendmp: { kind: 'patient', ins: cxOf('laurent') }, ihe_iua: { person_id: cxOf('laurent') } };
    door.provider.say({ extensions });
    try {
      const caller = await door.server.context.identify.bearer(`Bearer ${await door.provider.token({ extensions })}`);
      expect(caller).toMatchObject({ actor: { kind: 'professional' }, mode: 'normal' });
      expect(caller).not.toHaveProperty('patient');
    } finally {
      door.provider.say({});
    }
  });

  const wrong: readonly [string, () => Promise<string>, Record<string, string>, string][] = [
    ['one that is over', () => door.provider.token({ exp: Math.floor(Date.now() / 1000) - 60 }), {}, 'invalid_request'],
    ['one of ours', () => door.server.credentials.token('dr-nguyen'), {}, 'invalid_request'],
    ['one bound to a certificate', () => door.provider.token({ cnf: { 'x5t#S256': 'x' } }), {}, 'invalid_request'],
    [
      'an ID token',
      async () => door.provider.token(),
      { subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' },
      'invalid_request',
    ],
    ['an actor besides', async () => door.provider.token(), { actor_token: 'x' }, 'invalid_request'],
    ['no scope', async () => door.provider.token(), { scope: '' }, 'invalid_request'],
    [
      'a SAML token in return',
      async () => door.provider.token(),
      { requested_token_type: 'urn:ietf:params:oauth:token-type:saml2' },
      'invalid_request',
    ],
    [
      'another audience',
      async () => door.provider.token(),
      { audience: 'https://other.example.org' },
      'invalid_target',
    ],
  ];
  test.each(wrong)('%s is not exchanged', async (_, token, more, error) => {
    const { status, json } = await exchanged(await token(), more);
    expect([status, json.error]).toEqual([400, error]);
  });
});

describe('forms', () => {
  test('of another media type are refused', async () => {
    const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' };
    expect(await door.ask('/auth/token', init)).toMatchObject({ status: 415, json: { error: 'invalid_request' } });
  });

  test('that announce more than 64 KiB are refused before they come', async () => {
    const socket = connect(door.server.port, '127.0.0.1');
    socket.write(
      `POST /auth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 4294967296\r\n\r\na=`,
    );
    const [first] = (await once(socket, 'data')) as [Buffer];
    expect(first.toString()).toMatch(/^HTTP\/1.1 413 /);
    socket.destroy();
  });

  test('beyond 64 KiB are not read on', async () => {
    const { status, json } = await door.token({ ...asItself, more: 'x'.repeat(70_000) }, labo);
    expect([status, json.error]).toEqual([413, 'invalid_request']);
  });

  test('that say something twice are refused', async () => {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const body = 'grant_type=client_credentials&grant_type=client_credentials&client_id=opendmp-app';
    const { status, json } = await door.ask('/auth/token', { method: 'POST', headers, body });
    expect([status, json.error]).toEqual([400, 'invalid_request']);
  });

  test('that are not UTF-8 are refused', async () => {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const body = Buffer.from('grant_type=\xff', 'latin1');
    expect((await door.ask('/auth/token', { method: 'POST', headers, body })).json.error).toBe('invalid_request');
  });

  test('that break off leave the server as it was', async () => {
    await new Promise<void>((resolve) => {
      const socket = connect(door.server.port, '127.0.0.1', () => {
        socket.write('POST /auth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n');
        socket.write('Content-Length: 100\r\n\r\ngrant_type=', () => socket.destroy());
      });
      socket.on('close', () => resolve());
    });
    expect((await door.token(asItself, labo)).status).toBe(200);
  });
});

test('whatever a form says, the answer is a token or an error of RFC 6749', async () => {
  const name = fc.constantFrom(
    'grant_type',
    'client_id',
    'code',
    'assertion',
    'subject_token',
    'scope',
    'resource',
    'client_assertion',
    'code_verifier',
    'redirect_uri',
    'token',
  );
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      ...Object.values(asItself),
      'opendmp-app',
      'authorization_code',
      'a.b.c',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
      'e30.e30.e30',
    ),
  );
  const form = fc.dictionary(name, value);
  const basic = fc.option(fc.oneof(fc.constantFrom(labo, software), fc.string({ unit: 'binary' })), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('token', 'introspect'), form, basic, async (endpoint, fields, proof) => {
      const { status, json } = await door.post(`/auth/${endpoint}`, fields, proof);
      expect([200, 400, 401]).toContain(status);
      expect(status === 200).toBe(json.error === undefined);
    }),
    { numRuns: 300 },
  );
});

describe('the security audit', () => {
  test('tells who was given a token, and how', async () => {
    const { events } = await door.server.ledger.traced(() => door.token(asItself, labo));
    expect(events).toEqual([
      expect.objectContaining({
        action: 'identify',
        outcome: 'done',
        ground: 'token: client_credentials',
        actor: expect.objectContaining({ kind: 'structure' }),
        origin: expect.objectContaining({ transaction: 'ITI-71', endpoint: issuer }),
      }),
    ]);
  });

  test('keeps nothing of what whoever is not known sends, be it the name of a parameter', async () => {
    const name = 'x'.repeat(30_000);
    const { answer, events } = await door.server.ledger.traced(() =>
      door.ask('/auth/token', { method: 'POST', body: new URLSearchParams(`${name}=1&${name}=2`) }),
    );
    expect([answer.status, answer.json.error]).toEqual([400, 'invalid_request']);
    expect(events.map(({ ground }) => ground)).toEqual(['invalid_request: a parameter comes more than once']);
    expect(JSON.stringify(events)).not.toContain('xxx');
  });

  test('tells of each refusal without what was sent', async () => {
    const { events, unchanged } = await door.server.ledger.traced(() => door.token(asItself, 'labo-centre:hunter2'));
    expect(unchanged).toBe(true);
    expect(events).toEqual([
      expect.objectContaining({ action: 'identify', outcome: 'refused', ground: 'invalid_client: wrong secret' }),
    ]);
    expect(events[0]).not.toHaveProperty('actor');
    expect(JSON.stringify(events)).not.toContain('hunter2');
  });
});
