import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createLocalJWKSet, createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { z } from 'zod';
import type { Caller } from '../domain/actor.ts';
import { callerOfClaims } from './claims.ts';
import { type Identify, NotIdentified } from './credentials.ts';

export type TokenSettings = {
  readonly issuer: string;
  readonly audience: string;
  /** A file holding the issuer's public keys (JWKS), or its https address (http on this machine). */
  readonly jwks: string;
  readonly skewSeconds: number;
};

type Cached = { readonly caller: Caller; readonly until: number };

/** How many tokens are remembered. */
const remembered = 10_000;

/** Claims that every token has. IHE ITI-71 3.71.4.2.2.1 (JWT access token). */
const requiredClaims = ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id', 'scope'];

const types = new Set(['jwt', 'at+jwt', 'iua-jwt']);

/**
 * Identifies the caller by a JWT access token, RS256 or ES256. RFC 6750 §2.1, RFC 7519 §7.2, RFC 8725. `now` answers milliseconds.
 * A token that was verified once is recognised by its SHA-256 until it expires.
 * @throws with words for the operator when the file of keys cannot be read
 */
export function makeBearerIdentifier(settings: TokenSettings, now: () => number): Identify['bearer'] {
  const keys = keysOf(settings.jwks);
  const verified = new Map<string, Cached>();
  return async (authorization) => {
    const token = tokenOf(authorization);
    const fingerprint = hash('sha256', token, 'base64');
    const at = now();
    const known = verified.get(fingerprint);
    if (known !== undefined) {
      if (at < known.until) return known.caller;
      verified.delete(fingerprint);
      throw new NotIdentified('token expired');
    }
    const found = await verify(token, keys, settings, at);
    if (verified.size >= remembered) verified.delete(verified.keys().next().value ?? '');
    verified.set(fingerprint, found);
    return found.caller;
  };
}

async function verify(token: string, keys: JWTVerifyGetKey, settings: TokenSettings, now: number): Promise<Cached> {
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
    if (protectedHeader.jwk !== undefined) throw new NotIdentified('token brings its own key');
    return { caller: callerOfClaims(payload), until: ((payload.exp ?? 0) + settings.skewSeconds) * 1000 };
  } catch (error) {
    if (error instanceof errors.JOSEError) throw new NotIdentified(`token refused: ${error.code}`);
    throw error;
  }
}

/** The token of `Bearer <token>`. RFC 6750 §2.1. */
function tokenOf(authorization: string | undefined): string {
  const token = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(authorization ?? '')?.[1];
  if (token !== undefined && token.length <= 16_384) return token;
  const tried = /^bearer(\s|$)/i.test(authorization ?? '');
  throw new NotIdentified(tried ? 'token malformed' : 'no token', !tried);
}

const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.enum(['RSA', 'EC']) })).min(1) });

function keysOf(jwks: string): JWTVerifyGetKey {
  if (/^(https:\/\/|http:\/\/(localhost|127\.0\.0\.1)[:/])/.test(jwks))
    return createRemoteJWKSet(new URL(jwks), {
      cooldownDuration: 30_000,
      cacheMaxAge: 600_000,
      timeoutDuration: 3_000,
    });
  return createLocalJWKSet(keySet.parse(JSON.parse(readFileSync(jwks, 'utf8'))));
}
