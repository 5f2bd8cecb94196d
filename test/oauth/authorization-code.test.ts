import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import nodeJose from 'node-jose';
import { tokenOf } from '../support/clients.ts';
import { audience, callback, cookieOf, type Door, issuer, openDoor, ticketOf } from './door.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(() => door.close());

describe('an app signs somebody in', () => {
  test('and reads in the name of who was chosen', async () => {
    const page = await door.authorize();
    expect(page.status).toBe(200);
    expect(page.text).toContain('Dr Minh NGUYEN, cardiologue');
    const sent = await door.choose(page, { account: 'dr-nguyen' });
    expect(sent.status).toBe(303);
    expect(sent.headers.get('location')?.startsWith(`${callback}?`)).toBe(true);
    expect(Object.fromEntries(sent.back)).toEqual({ code: expect.any(String), state: 'état 1', iss: issuer });
    const { json, headers } = await door.redeem(sent.back.get('code') ?? '');
    expect(json).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'user/DocumentReference.rs ITI-68',
    });
    expect(headers.get('cache-control')).toBe('no-store');
    const { status } = await door.fhir(json.access_token, `DocumentReference?patient.identifier=${tokenOf('laurent')}`);
    expect(status).toBe(200);
  });

  test('and its token is signed by a key of jwks_uri, with the claims of IUA', async () => {
    const { json } = await door.redeem(await door.codeFor('dr-nguyen', { person_id: cx, purpose_of_use: 'normal' }));
    const keys = await nodeJose.JWK.asKeyStore((await door.ask('/auth/jwks')).text);
    const { payload } = await nodeJose.JWS.createVerify(keys).verify(json.access_token ?? '');
    expect(JSON.parse(payload.toString())).toEqual({
      iss: issuer,
      aud: audience,
      sub: '899970000024',
      client_id: 'opendmp-app',
      scope: 'user/DocumentReference.rs ITI-68',
      jti: expect.any(String),
      iat: expect.any(Number),
      exp: expect.any(Number),
      SubjectNameID: '899970000024',
      SubjectRole: ['10^1.2.250.1.213.1.1.5.5'],
      extensions: {
        ihe_iua: {
          subject_name: 'Minh NGUYEN',
          subject_organization: 'Cabinet de cardiologie du Parc',
          subject_organization_id: '499970000024001',
          subject_role: [
            { system: 'urn:oid:1.2.250.1.71.1.2.7', code: '10' },
            { system: 'urn:oid:1.2.250.1.71.4.2.5', code: 'SM04' },
          ],
          purpose_of_use: [{ system: 'urn:oid:1.2.250.1.213.1.1.4.248', code: 'normal' }],
          person_id: cx,
        },
        opendmp: { software: { name: 'Application de démonstration' } },
      },
    });
  });

  test('who may be a holder, whose token names himself', async () => {
    const { json } = await door.redeem(await door.codeFor('laurent', { scope: 'patient/*.rs' }));
    expect(json.scope).toBe('patient/*.rs');
    expect((await door.fhir(json.access_token, 'DocumentReference')).status).toBe(200);
  });

  test('breaking the glass with the reason that the page showed', async () => {
    const page = await door.authorize({ purpose_of_use: 'bris_de_glace', reason: 'patient <inconscient>' });
    expect(page.text).toContain('bris de glace');
    expect(page.text).toContain('Motif&nbsp;: patient &lt;inconscient&gt;');
    const sent = await door.choose(page, { account: 'dr-leroy' });
    const { json } = await door.redeem(sent.back.get('code') ?? '');
    expect(decodeJwt(json.access_token ?? '')).toMatchObject({
      Mode_Acces_Raison: 'patient <inconscient>',
      extensions: { ihe_iua: { purpose_of_use: [{ code: 'bris_de_glace' }] } },
    });
  });

  test('at an address of an app of its own', async () => {
    const changes = { client_id: 'other-app', redirect_uri: 'fr.example.app:/back', scope: 'ITI-67' };
    const page = await door.authorize(changes);
    expect(page.text).toContain('Autre &lt;application&gt;');
    expect(page.headers.get('content-security-policy')).toContain("form-action 'self' fr.example.app:;");
    const sent = await door.choose(page, { account: 'dr-martin' });
    expect(sent.headers.get('location')).toMatch(/^fr\.example\.app:\/back\?code=/);
    const redeemed = await door.redeem(
      sent.back.get('code') ?? '',
      { redirect_uri: 'fr.example.app:/back' },
      'other-app:other-secret',
    );
    expect(redeemed.json.scope).toBe('ITI-67');
  });
});

const cx = '161053523812385^^^&1.2.250.1.213.1.4.10&ISO^NH';

describe('a wrong request goes back to the app', () => {
  const cases: readonly [string, Readonly<Record<string, string | undefined>>, string][] = [
    ['no response_type', { response_type: undefined }, 'invalid_request'],
    ['a response_type that is not served', { response_type: 'token' }, 'unsupported_response_type'],
    ['no PKCE', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['PKCE plain', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['PKCE plain by silence', { code_challenge_method: undefined }, 'invalid_request'],
    ['a challenge that is no SHA-256', { code_challenge: 'abc' }, 'invalid_request'],
    ['no audience', { aud: undefined }, 'invalid_request'],
    ['another audience', { aud: 'https://other.example.org/fhir' }, 'invalid_target'],
    ['another resource', { aud: undefined, resource: 'https://other.example.org/fhir' }, 'invalid_target'],
    ['scopes that are not known', { scope: 'openid user/Observation.rs' }, 'invalid_scope'],
    ['an unknown purpose', { purpose_of_use: 'curiosité' }, 'invalid_request'],
    ['a patient who is none', { person_id: '161053523812385' }, 'invalid_request'],
    ['a request object', { request: 'e30.e30.' }, 'request_not_supported'],
    ['a request address', { request_uri: 'https://app.example.org/r' }, 'request_uri_not_supported'],
    ['another response_mode', { response_mode: 'fragment' }, 'invalid_request'],
  ];
  test.each(cases)('%s', async (_, changes, error) => {
    const { status, back, headers } = await door.authorize(changes);
    expect(status).toBe(303);
    expect(headers.get('location')?.startsWith(`${callback}?`)).toBe(true);
    expect(back.get('error')).toBe(error);
    expect(back.get('error_description')).not.toBe('');
    expect(back.get('state')).toBe('état 1');
    expect(back.get('iss')).toBe(issuer);
  });

  test('a resource named in place of aud is taken', async () => {
    expect((await door.authorize({ aud: undefined, resource: audience })).status).toBe(200);
  });

  test('so does the refusal of the person', async () => {
    const { back, status } = await door.choose(await door.authorize(), { account: 'laurent', answer: 'no' });
    expect([status, back.get('error'), back.get('state')]).toEqual([303, 'access_denied', 'état 1']);
  });

  test('and scopes that are not of the person', async () => {
    const page = await door.authorize({ scope: 'patient/DocumentReference.rs' });
    expect((await door.choose(page, { account: 'dr-martin' })).back.get('error')).toBe('invalid_scope');
    expect((await door.choose(page, { account: 'laurent' })).back.get('error')).toBe(null);
  });
});

describe('nobody is sent to an address that is not the app’s', () => {
  test.each([
    ['another address', { redirect_uri: 'https://evil.example.org/callback' }],
    ['a longer address', { redirect_uri: `${callback}/../evil` }],
    ['the same with a query', { redirect_uri: `${callback}?x=1` }],
    ['another case', { redirect_uri: 'http://127.0.0.1:3000/Callback' }],
    ['no address', { redirect_uri: undefined }],
    ['no app', { client_id: undefined }],
    ['an unknown app', { client_id: 'nobody' }],
    ['a client without sign-in', { client_id: 'labo-centre' }],
  ])('%s', async (_, changes) => {
    const { status, headers, text } = await door.authorize(changes);
    expect(status).toBe(400);
    expect(headers.get('location')).toBeNull();
    expect(text).toContain('Connexion impossible');
    expect(text).not.toContain('evil');
  });

  test('a parameter that comes twice', async () => {
    const twice = `client_id=opendmp-app&client_id=other-app&redirect_uri=${encodeURIComponent(callback)}`;
    const { status, headers } = await door.ask(`/auth/authorize?${twice}`);
    expect([status, headers.get('location')]).toEqual([400, null]);
  });
});

describe('the sign-in page', () => {
  test('runs no script, stands in no frame and is kept by nobody', async () => {
    const { headers, text } = await door.authorize();
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self' http:\/\/127\.0\.0\.1:3000; frame-ancestors 'none'; base-uri 'none'$/,
    );
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('set-cookie')).toMatch(/; Path=\/auth; Max-Age=600; HttpOnly; SameSite=Lax$/);
    expect(text).toContain('<html lang="fr">');
  });

  test('answers to its own browser alone', async () => {
    const [page, other] = [await door.authorize(), await door.authorize()];
    for (const cookie of ['', cookieOf(other), 'opendmp-sign-in=x']) {
      const { status, headers } = await door.choose(page, { account: 'laurent' }, cookie);
      expect([status, headers.get('location')]).toEqual([400, null]);
    }
    const altered = ticketOf(page).replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    expect((await door.choose(page, { account: 'laurent', ticket: altered })).status).toBe(400);
    expect((await door.choose(page, { account: 'laurent' })).status).toBe(303);
  });

  test('asks again when nobody was chosen, or somebody who does not sign in', async () => {
    for (const account of ['', 'hopital-nord', 'nobody']) {
      const { status, text } = await door.choose(await door.authorize(), { account });
      expect(status).toBe(400);
      expect(text).toContain('<p role="alert"><strong>Choisissez une personne.</strong></p>');
    }
  });
});

describe('a code', () => {
  test('serves once', async () => {
    const code = await door.codeFor('laurent');
    const answers = await Promise.all([door.redeem(code), door.redeem(code), door.redeem(code)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400]);
    const refused = answers.find(({ status }) => status === 400);
    expect(refused?.json.error).toBe('invalid_grant');
  });

  test('serves for one minute', async () => {
    const code = await door.codeFor('laurent');
    const real = Date.now;
    const begun = real();
    try {
      Date.now = () => begun + 61_000;
      expect((await door.redeem(code)).json.error).toBe('invalid_grant');
    } finally {
      Date.now = real;
    }
  });

  test.each([
    ['another verifier', { code_verifier: 'a'.repeat(43) }, undefined, 'invalid_grant'],
    [
      'the challenge as verifier',
      { code_verifier: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM' },
      undefined,
      'invalid_grant',
    ],
    ['another redirect_uri', { redirect_uri: 'http://localhost:3000/callback' }, undefined, 'invalid_grant'],
    ['another client', {}, 'other-app:other-secret', 'invalid_grant'],
    ['no verifier', { code_verifier: '' }, undefined, 'invalid_request'],
    ['no redirect_uri', { redirect_uri: '' }, undefined, 'invalid_request'],
    ['another resource', { resource: 'https://other.example.org' }, undefined, 'invalid_target'],
  ])('is refused with %s, and serves still', async (_, changes, basic, error) => {
    const code = await door.codeFor('laurent');
    const { status, json } = await door.redeem(code, changes, basic);
    expect([status, json.error]).toEqual([400, error]);
    expect((await door.redeem(code)).status).toBe(200);
  });

  test('that was made up or altered is none', async () => {
    const code = await door.codeFor('laurent');
    const ticket = ticketOf(await door.authorize());
    for (const wrong of ['x', 'A'.repeat(400), `${code}A`, code.slice(0, -4), ticket])
      expect((await door.redeem(wrong)).json.error).toBe('invalid_grant');
  });
});
