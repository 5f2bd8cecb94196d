import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import type { Caller } from '../domain/actor.ts';
import type { System } from '../domain/system.ts';
import { callerOfClaims } from './claims.ts';
import { NotIdentified } from './credentials.ts';

/** Where the issuer's public keys are: read already, or an address. */
export type IssuerKeys = JSONWebKeySet | URL;

export type TokenRules = {
  readonly issuer: string;
  readonly audience: string;
  readonly skewSeconds: number;
  readonly systems: readonly System[];
};

/** The caller that a token names, and until when (milliseconds since 1970) it may be trusted again without another look. */
export type VerifiedToken = { readonly caller: Caller; readonly until: number };

/** Claims that every token has. IHE ITI-71 3.71.4.2.2.1 (JWT access token). */
const requiredClaims = ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id', 'scope'];

const types = new Set(['jwt', 'at+jwt', 'iua-jwt']);

export type VerifyToken = (token: string, now: number) => Promise<VerifiedToken>;

/**
 * Verifies signature, times, audience and issuer of a token and reads its claims. `now` in milliseconds.
 * The function throws NotIdentified.
 */
export function makeTokenVerifier(keys: IssuerKeys, rules: TokenRules): VerifyToken {
  const keyFor = keyFinder(keys);
  return (token, now) => verify(token, keyFor, rules, now);
}

async function verify(token: string, keys: JWTVerifyGetKey, settings: TokenRules, now: number): Promise<VerifiedToken> {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      algorithms: ['RS256', 'ES256'],
      issuer: settings.issuer,
      audience: settings.audience,
      requiredClaims,
      clockTolerance: settings.skewSeconds,
      currentDate: new Date(now),
    });
    const type = (protectedHeader.typ ?? 'JWT').toLowerCase().replace(/^application\//, '');
    if (!types.has(type)) throw new NotIdentified('token of another type');
    if ((payload.iat ?? 0) > now / 1000 + settings.skewSeconds) throw new NotIdentified('token issued in the future');
    if (protectedHeader.jwk !== undefined) throw new NotIdentified('token brings its own key');
    return {
      caller: callerOfClaims(payload, settings.systems),
      until: ((payload.exp ?? 0) + settings.skewSeconds) * 1000,
    };
  } catch (error) {
    if (error instanceof errors.JOSEError) throw new NotIdentified(`token refused: ${error.code}`);
    throw error;
  }
}

function keyFinder(keys: IssuerKeys): JWTVerifyGetKey {
  return keys instanceof URL
    ? createRemoteJWKSet(keys, { cooldownDuration: 30_000, cacheMaxAge: 600_000, timeoutDuration: 3_000 })
    : createLocalJWKSet(keys);
}
