import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Caller } from '../domain/actor.ts';
import type { System } from '../domain/system.ts';
import { checkConfirmation } from './confirmation.ts';
import { type Identify, NotIdentified } from './credentials.ts';
import type { TokenIssuer } from './issuer.ts';
import type { IssuerKeys, VerifiedToken, VerifyToken } from './token.ts';

export type TokenSettings = {
  readonly issuers: readonly TokenIssuer[];
  readonly skewSeconds: number;
  /** The partners' systems: no other subject is one, whatever a token claims. */
  readonly systems: readonly System[];
};

/** How many tokens are remembered. */
const remembered = 10_000;

/**
 * Verifies tokens of the issuers given. What verifies is loaded with the first token: at rest a server does without it.
 * @throws with words for the operator when a file of keys cannot be read
 */
export function openTokenVerifier({ issuers, ...rules }: TokenSettings): VerifyToken {
  const withKeys = issuers.map((issuer) => ({ ...issuer, keys: keysOf(issuer.jwks) }));
  let verify: Promise<VerifyToken> | undefined;
  return async (token, now) => {
    verify ??= import('./token.ts').then(({ makeTokenVerifier }) => makeTokenVerifier(withKeys, rules));
    return (await verify)(token, now);
  };
}

type Remembered = Pick<VerifiedToken, 'caller' | 'until' | 'confirmation'>;

/**
 * Identifies the caller by a JWT access token. RFC 6750 §2.1, RFC 7519 §7.2, RFC 8725. `now` answers milliseconds.
 * A token that was verified once is recognised by its SHA-256 until it expires. One that is bound to a certificate identifies nobody without it.
 */
export function makeBearerIdentifier(verify: VerifyToken, now: () => number): Identify['bearer'] {
  const verified = new Map<string, Remembered>();
  return async (authorization, certificate) => {
    const token = tokenOf(authorization);
    const fingerprint = hash('sha256', token, 'base64');
    const at = now();
    const known = verified.get(fingerprint);
    if (known !== undefined) {
      if (at < known.until) return confirmed(known, certificate);
      verified.delete(fingerprint);
      throw new NotIdentified('token expired');
    }
    const { caller, until, confirmation } = await verify(token, at);
    const found: Remembered = { caller, until, ...(confirmation !== undefined && { confirmation }) };
    if (verified.size >= remembered) verified.delete(verified.keys().next().value ?? '');
    verified.set(fingerprint, found);
    return confirmed(found, certificate);
  };
}

function confirmed({ caller, confirmation }: Remembered, certificate: Uint8Array | undefined): Caller {
  if (confirmation !== undefined) checkConfirmation(confirmation, certificate);
  return caller;
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
