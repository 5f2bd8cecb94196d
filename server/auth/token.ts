import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import type { Caller } from '../domain/actor.ts';
import type { System } from '../domain/system.ts';
import { callerOfClaims } from './claims.ts';
import { confirmationOf } from './confirmation.ts';
import { NotIdentified } from './credentials.ts';
import { fetchIssuer } from './fetch-json.ts';
import { type TokenIssuer, tokenAlgorithms } from './issuer.ts';
import { claimsOfPsc } from './psc.ts';

/** Where an issuer's public keys are: read already, or an address. */
export type IssuerKeys = JSONWebKeySet | URL;

export type TokenRules = {
  readonly skewSeconds: number;
  readonly systems: readonly System[];
};

/**
 * The caller that a token names, and until when (milliseconds since 1970) it may be trusted again without another look.
 * `confirmation`: the certificate that alone may bring it.
 */
export type VerifiedToken = {
  readonly caller: Caller;
  readonly until: number;
  readonly confirmation?: string;
  readonly kind: TokenIssuer['kind'];
  readonly claims: JWTPayload;
};

/** Claims that every token has. IHE ITI-71 3.71.4.2.2.1 (JWT access token). */
const requiredClaims: Readonly<Record<TokenIssuer['kind'], string[]>> = {
  own: ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id', 'scope'],
  psc: ['iss', 'sub', 'exp', 'iat', 'jti'],
};

const types = new Set(['jwt', 'at+jwt', 'iua-jwt']);

export type VerifyToken = (token: string, now: number) => Promise<VerifiedToken>;

type Known = TokenIssuer & { readonly keyFor: JWTVerifyGetKey };

/**
 * Verifies signature, times, audience and issuer of a token and reads its claims. `now` in milliseconds.
 * The function throws NotIdentified.
 */
export function makeTokenVerifier(
  issuers: readonly (TokenIssuer & { readonly keys: IssuerKeys })[],
  rules: TokenRules,
): VerifyToken {
  const known = new Map(issuers.map((issuer) => [issuer.issuer, { ...issuer, keyFor: keyFinder(issuer.keys) }]));
  return (token, now) => verify(token, known, rules, now);
}

async function verify(
  token: string,
  issuers: ReadonlyMap<string, Known>,
  rules: TokenRules,
  now: number,
): Promise<VerifiedToken> {
  try {
    const issuer = issuers.get(decodeJwt(token).iss ?? '');
    if (issuer === undefined) throw new NotIdentified('token of another issuer');
    const { payload, protectedHeader } = await jwtVerify(token, issuer.keyFor, {
      algorithms: [...tokenAlgorithms],
      issuer: issuer.issuer,
      ...(issuer.audience !== undefined && { audience: issuer.audience }),
      requiredClaims: requiredClaims[issuer.kind],
      clockTolerance: rules.skewSeconds,
      currentDate: new Date(now),
    });
    checkClient(issuer, payload);
    if (isIdToken(payload)) throw new NotIdentified('ID token');
    const type = (protectedHeader.typ ?? 'JWT').toLowerCase().replace(/^application\//, '');
    if (!types.has(type)) throw new NotIdentified('token of another type');
    if ((payload.iat ?? 0) > now / 1000 + rules.skewSeconds) throw new NotIdentified('token issued in the future');
    if (protectedHeader.jwk !== undefined) throw new NotIdentified('token brings its own key');
    const confirmation = confirmationOf(payload);
    return {
      caller: callerOfClaims(await claimsOf(issuer, payload, token), rules.systems, issuer.kind === 'own'),
      until: ((payload.exp ?? 0) + rules.skewSeconds) * 1000,
      ...(confirmation !== undefined && { confirmation }),
      kind: issuer.kind,
      claims: payload,
    };
  } catch (error) {
    if (error instanceof errors.JOSEError) throw new NotIdentified(`token refused: ${error.code}`);
    throw error;
  }
}

/**
 * An ID token tells its software who signed in, and is leave to do nothing: OpenID Connect Core §2, §3.1.3.6 (`at_hash`). The `typ` among its claims is
 * what Keycloak, of which Pro Santé Connect is made, tells its kinds of tokens by.
 */
function isIdToken({ typ = 'Bearer', at_hash: ofAccessToken }: JWTPayload): boolean {
  return ofAccessToken !== undefined || typeof typ !== 'string' || typ.toLowerCase() !== 'bearer';
}

/** A token that another software got serves here for nobody: who holds it could be that software. */
function checkClient({ clients }: TokenIssuer, { azp, client_id: id }: JWTPayload): void {
  const named = azp ?? id;
  if (clients !== undefined && !(typeof named === 'string' && clients.includes(named)))
    throw new NotIdentified('token of a software that is not listed');
}

async function claimsOf(issuer: TokenIssuer, payload: JWTPayload, token: string): Promise<unknown> {
  return issuer.kind === 'own' ? payload : claimsOfPsc(payload, issuer, token);
}

/** Keys at an address are kept ten minutes; an unknown `kid` makes one fetch in half a minute at most. */
function keyFinder(keys: IssuerKeys): JWTVerifyGetKey {
  if (!(keys instanceof URL)) return createLocalJWKSet(keys);
  const find = createRemoteJWKSet(keys, {
    cooldownDuration: 30_000,
    cacheMaxAge: 600_000,
    timeoutDuration: 3_000,
    [customFetch]: fetchIssuer,
  });
  return async (header, token) => {
    try {
      return await find(header, token);
    } catch (error) {
      if (error instanceof errors.JOSEError) throw error;
      throw new NotIdentified(`keys of the issuer out of reach: ${Error.isError(error) ? error.name : 'unknown'}`);
    }
  };
}
