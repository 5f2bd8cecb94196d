import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { System } from '../domain/system.ts';
import { type Identify, NotIdentified } from './credentials.ts';
import type { IssuerKeys, VerifiedToken, VerifyToken } from './token.ts';

export type TokenSettings = {
  readonly issuer: string;
  readonly audience: string;
  /** A file holding the issuer's public keys (JWKS), or its https address (http on this machine). */
  readonly jwks: string;
  readonly skewSeconds: number;
  /** The partners' systems: no other subject is one, whatever a token claims. */
  readonly systems: readonly System[];
};

/** How many tokens are remembered. */
const remembered = 10_000;

/**
 * Identifies the caller by a JWT access token, RS256 or ES256. RFC 6750 §2.1, RFC 7519 §7.2, RFC 8725. `now` answers milliseconds.
 * A token that was verified once is recognised by its SHA-256 until it expires.
 * @throws with words for the operator when the file of keys cannot be read
 */
export function makeBearerIdentifier(settings: TokenSettings, now: () => number): Identify['bearer'] {
  const keys = keysOf(settings.jwks);
  let verify: Promise<VerifyToken> | undefined;
  const verified = new Map<string, VerifiedToken>();
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
    // What verifies is loaded with the first token: at rest a server does without it.
    verify ??= import('./token.ts').then(({ makeTokenVerifier }) => makeTokenVerifier(keys, settings));
    const found = await (await verify)(token, at);
    if (verified.size >= remembered) verified.delete(verified.keys().next().value ?? '');
    verified.set(fingerprint, found);
    return found.caller;
  };
}

/** The token of `Bearer <token>`. RFC 6750 §2.1. */
function tokenOf(authorization: string | undefined): string {
  const token = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(authorization ?? '')?.[1];
  if (token !== undefined && token.length <= 16_384) return token;
  const tried = /^bearer(\s|$)/i.test(authorization ?? '');
  throw new NotIdentified(tried ? 'token malformed' : 'no token', !tried);
}

/** A local address may do without TLS. */
function keysOf(jwks: string): IssuerKeys {
  if (/^(https:\/\/|http:\/\/(localhost|127\.0\.0\.1)[:/])/.test(jwks)) return new URL(jwks);
  const read: unknown = JSON.parse(readFileSync(jwks, 'utf8'));
  if (!isKeySet(read)) throw new Error(`${jwks} holds no keys (JWKS) of kind RSA or EC`);
  return read;
}

function isKeySet(read: unknown): read is { keys: { kty: string }[] } {
  if (typeof read !== 'object' || read === null || !('keys' in read) || !Array.isArray(read.keys)) return false;
  const keys: readonly unknown[] = read.keys;
  const isKey = (key: unknown) =>
    typeof key === 'object' && key !== null && 'kty' in key && (key.kty === 'RSA' || key.kty === 'EC');
  return keys.length > 0 && keys.every(isKey);
}
