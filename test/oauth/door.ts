import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import nodeJose from 'node-jose';
import { loadCard } from '../../server/sandbox/cards.ts';
import { rolesOf } from '../../server/sandbox/roles.ts';
import { publicUrl } from '../support/clients.ts';
import { makeEmptyFolder, openServer } from '../support/server.ts';

export const issuer = `${publicUrl}/auth`;
export const audience = `${publicUrl}/fhir`;
export const callback = 'http://127.0.0.1:3000/callback';

/** What an endpoint answers: an error, a token, or what is known of one. */
export type Told = Readonly<Record<string, unknown>> & {
  readonly error?: string;
  readonly error_description?: string;
  readonly access_token?: string;
  readonly scope?: string;
};

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Told;
  /** The parameters of the address that the browser is sent to. */
  readonly back: URLSearchParams;
};

/** A server of the sandbox with a second, confidential app, and the provider of professionals' tokens that it exchanges. */
export async function openDoor() {
  const provider = await openProvider();
  const folder = await makeEmptyFolder();
  const clients = join(folder, 'clients.json');
  const other = {
    id: 'other-app',
    name: 'Autre <application>',
    grants: ['authorization_code'],
    scopes: ['ITI-67', 'user/DocumentReference.rs', 'patient/DocumentReference.rs'],
    redirectUris: [callback, 'fr.example.app:/back'],
    secretSha256: createHash('sha256').update('other-secret').digest('hex'),
  };
  writeFileSync(clients, JSON.stringify([other]));
  const issuers = join(folder, 'issuers.json');
  const { address: at } = provider;
  const psc = { kind: 'psc', issuer: at, jwks: `${at}/certs`, userinfo: `${at}/userinfo`, clients: ['lps'] };
  writeFileSync(issuers, JSON.stringify([psc]));
  const server = await openServer({ DMP_OAUTH_CLIENTS: clients, DMP_TOKEN_ISSUERS: issuers });
  const root = `http://127.0.0.1:${server.port}`;

  const ask = async (path: string, init: RequestInit = {}): Promise<Answer> => {
    const response = await fetch(`${root}${path}`, { redirect: 'manual', ...init });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    const location = response.headers.get('location');
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: isJson ? (JSON.parse(text) as Told) : {},
      back: location === null ? new URLSearchParams() : new URL(location).searchParams,
    };
  };
  /** Posts a form; `basic` is `id:secret`. */
  const post = (path: string, form: Readonly<Record<string, string>>, basic?: string, headers = {}) =>
    ask(path, {
      method: 'POST',
      headers: {
        ...headers,
        ...(basic !== undefined && { Authorization: `Basic ${Buffer.from(basic).toString('base64')}` }),
      },
      body: new URLSearchParams(form),
    });

  const verifier = randomBytes(32).toString('base64url');
  const request = {
    client_id: 'opendmp-app',
    redirect_uri: callback,
    response_type: 'code',
    state: 'état 1',
    scope: 'user/DocumentReference.rs ITI-68',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    aud: audience,
  };
  const authorize = (changes: Readonly<Record<string, string | undefined>> = {}) => {
    const all: Readonly<Record<string, string | undefined>> = { ...request, ...changes };
    const given = Object.entries(all).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as [string, string]],
    );
    return ask(`/auth/authorize?${new URLSearchParams(given).toString()}`);
  };
  /** Chooses somebody on the page, in the browser that was shown it, unless another cookie is given. */
  const choose = (page: Answer, form: Readonly<Record<string, string>>, cookie = cookieOf(page)) =>
    post('/auth/sign-in', { ticket: ticketOf(page), answer: 'yes', ...form }, undefined, { Cookie: cookie });
  const codeFor = async (account: string, changes: Readonly<Record<string, string | undefined>> = {}) => {
    const answer = await choose(await authorize(changes), { account });
    return answer.back.get('code') ?? '';
  };
  const token = (form: Readonly<Record<string, string>>, basic?: string) => post('/auth/token', form, basic);
  return {
    server,
    provider,
    ask,
    post,
    authorize,
    choose,
    codeFor,
    token,
    verifier,
    /** Gets the token of a code. */
    redeem: (code: string, changes: Readonly<Record<string, string>> = {}, basic?: string) =>
      token(
        {
          grant_type: 'authorization_code',
          code,
          redirect_uri: callback,
          code_verifier: verifier,
          ...(basic === undefined && { client_id: 'opendmp-app' }),
          ...changes,
        },
        basic,
      ),
    /** The answer of the FHIR face to a token. */
    fhir: (access: string | undefined, path: string) => server.fhir.get(access, path),
    close: async () => {
      await server.close();
      await provider.close();
    },
  };
}
export type Door = Awaited<ReturnType<typeof openDoor>>;

export function ticketOf({ text }: Answer): string {
  return /name="ticket" value="([^"]+)"/.exec(text)?.[1] ?? '';
}

export function cookieOf({ headers }: Answer): string {
  return headers.get('set-cookie')?.split(';')[0] ?? '';
}

/** A VIHF as a JWT, signed by somebody's card with another library than the server's. */
export async function assertionOf(
  folder: string,
  slug: string,
  changes: { readonly claims?: object; readonly vihf?: object; readonly header?: object; readonly by?: string } = {},
): Promise<string> {
  const card = loadCard(folder, slug);
  const signer = loadCard(folder, changes.by ?? slug);
  if (card === undefined || signer === undefined) throw new Error(`${slug} has no card`);
  const { holder } = card;
  const person = holder.kind === 'structure' ? holder.employee : holder;
  const nameId =
    holder.kind === 'professional' ? holder.idNat : `${holder.structIdNat}/${'id' in person ? person.id : ''}`;
  const now = Math.floor(Date.now() / 1000);
  const coded = holder.kind === 'system' ? [] : rolesOf(holder.kind === 'structure' ? holder.employee : holder);
  const roles = coded.map(({ code, system }) => ({ code, codeSystem: system }));
  const claims = {
    iss: card.subject,
    sub: nameId,
    aud: `${issuer}/token`,
    iat: now,
    exp: now + 300,
    jti: randomUUID(),
    vihf: {
      VIHF_Version: '3.0',
      Authentification_mode: holder.kind === 'professional' ? 'DIRECTE' : 'INDIRECTE',
      Identifiant_Structure: holder.structIdNat,
      'urn:oasis:names:tc:xspa:1.0:subject:subject-id': 'given' in person ? `${person.given} ${person.family}` : '',
      'urn:oasis:names:tc:xacml:2.0:subject:role': roles,
      'urn:oasis:names:tc:xspa:1.0:subject:purposeofuse': { code: 'normal', codeSystem: '1.2.250.1.213.1.1.4.248' },
      LPS_Nom: 'Logiciel d’essai',
      ...changes.vihf,
    },
    ...changes.claims,
  };
  const x5c = [Buffer.from(signer.certificate).toString('base64')];
  return sign(signer.key.export({ format: 'pem', type: 'pkcs8' }).toString(), claims, { x5c, ...changes.header });
}

/** A client's proof of itself. RFC 7523 §2.2. */
export async function clientAssertion(folder: string, slug: string, changes: object = {}): Promise<string> {
  const card = loadCard(folder, slug);
  if (card === undefined) throw new Error(`${slug} has no card`);
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: slug, sub: slug, aud: issuer, iat: now, exp: now + 60, jti: randomUUID(), ...changes };
  return sign(card.key.export({ format: 'pem', type: 'pkcs8' }).toString(), claims, {});
}

async function sign(pem: string, claims: object, header: object): Promise<string> {
  const key = await nodeJose.JWK.asKey(pem, 'pem');
  const { alg = 'RS256', ...fields } = header as { readonly alg?: string };
  const made = await nodeJose.JWS.createSign(
    { format: 'compact', alg, fields: { typ: 'JWT', ...fields } },
    // A key without its name in the header, which the types do not know.
    { key, reference: false } as unknown as typeof key,
  )
    .update(JSON.stringify(claims), 'utf8')
    .final();
  // In compact form it is a string, whatever its types say.
  return made as unknown as string;
}

/** What a provider such as Pro Santé Connect knows of one professional. */
const userinfo = {
  sub: 'f:0000:899700000001',
  SubjectNameID: '899970000024',
  family_name: 'NGUYEN',
  given_name: 'Minh',
  SubjectRole: ['10^1.2.250.1.213.1.1.5.5'],
  SubjectOrganization: '',
  SubjectOrganizationID: '',
  Mode_Acces_Raison: '',
  SubjectRefPro: {
    codeCivilite: 'M',
    exercices: [
      {
        codeProfession: '10',
        codeSavoirFaire: 'SM04',
        activities: [{ ancienIdentifiantDeLaStructure: '499970000024001', raisonSocialeSite: 'Cabinet du Parc' }],
      },
    ],
  },
};

/** A provider of professionals' tokens on this machine, as Pro Santé Connect is one. */
async function openProvider() {
  const store = nodeJose.JWK.createKeyStore();
  const keys = [await store.generate('RSA', 2048, { alg: 'RS256', use: 'sig' })];
  const asked = { certs: 0, userinfo: 0 };
  let said: object = userinfo;
  const server = createServer((incoming, answer) => {
    const { url } = incoming;
    if (url === '/certs') asked.certs++;
    if (url === '/userinfo') asked.userinfo++;
    answer.setHeader('content-type', 'application/json');
    if (url === '/certs') answer.end(JSON.stringify({ keys: store.toJSON()['keys' as never] }));
    else if (url === '/userinfo' && /^Bearer ./.test(incoming.headers.authorization ?? ''))
      answer.end(JSON.stringify(said));
    else answer.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const address = `http://127.0.0.1:${port}`;
  return {
    address,
    asked,
    userinfo,
    /** Says something else of the professional from now on. */
    say: (changes: object) => {
      said = { ...userinfo, ...changes };
    },
    token: async (changes: object = {}) => {
      const now = Math.floor(Date.now() / 1000);
      const key = keys[0];
      if (key === undefined) throw new Error('no key');
      const claims = {
        iss: address,
        sub: userinfo.sub,
        azp: 'lps',
        typ: 'Bearer',
        scope: 'openid scope_all',
        iat: now,
        exp: now + 120,
        jti: randomUUID(),
        ...changes,
      };
      const made = await nodeJose.JWS.createSign({ format: 'compact', fields: { typ: 'JWT' } }, key)
        .update(JSON.stringify(claims), 'utf8')
        .final();
      return made as unknown as string;
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
