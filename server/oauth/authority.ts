import type { KeyObject } from 'node:crypto';
import type { OAuthClient } from '../auth/client.ts';
import type { JwtAssertions } from '../auth/jwt-assertion.ts';
import type { VerifyToken } from '../auth/token.ts';
import type { Actor } from '../domain/actor.ts';
import type { Tools } from '../usecases/perform.ts';
import type { Log } from '../watch/log.ts';

/** Somebody for whom tokens are made; `actor` is who acts. */
export type Account = {
  readonly name: string;
  /** How the sign-in page shows him. */
  readonly display: string;
  readonly actor: Actor;
  /** The `sub` of its tokens, where it is another than the actor's id. */
  readonly sub?: string;
};

/** What an authorisation server is made of. */
export type Authority = {
  /** `iss` of its tokens, without trailing slash; its endpoints lie below. */
  readonly issuer: string;
  /** The address of the FHIR server, for which alone it makes tokens. */
  readonly audience: string;
  /** The key set of `jwks_uri`. */
  readonly jwks: { readonly keys: readonly object[] };
  /** Signs the claims of a token. */
  readonly sign: (claims: Readonly<Record<string, unknown>>) => Promise<string>;
  readonly accounts: readonly Account[];
  readonly clients: readonly OAuthClient[];
  /** Seals codes and open sign-ins: the same in every web thread. */
  readonly sealKey: KeyObject;
  readonly proofs: { readonly jwtAssertion: JwtAssertions; readonly token: VerifyToken };
  /** Every scope that opens something. */
  readonly scopes: readonly string[];
};

/** An authorisation server at work. */
export type Office = Authority & { readonly tools: Tools; readonly log: Log };

/** Lifetimes, in seconds. */
export const lifetimes = { token: 3600, code: 60, signIn: 600 } as const;

/** Endpoints below the issuer. */
export const endpoints = {
  authorize: '/authorize',
  signIn: '/sign-in',
  token: '/token',
  introspect: '/introspect',
  jwks: '/jwks',
} as const;
