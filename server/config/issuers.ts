import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { TokenIssuer } from '../auth/issuer.ts';
import { type Listed, listedTwice, readListed } from './listed-file.ts';

/** An issuer with what it publishes of itself, as its metadata name it. RFC 8414 §2. */
export type StatedIssuer = TokenIssuer & { readonly metadata?: Readonly<Record<string, string | readonly string[]>> };

const isLocal = (address: string) => /^http:\/\/(localhost|127\.0\.0\.1)[:/]/.test(address);
const address = z.string().refine((text) => URL.canParse(text) && (text.startsWith('https://') || isLocal(text)), {
  error: 'no https address (http on this machine)',
});
const names = z.array(z.string().min(1)).min(1);

/** What of an issuer's metadata is passed on to clients. */
const metadata = z.strictObject({
  authorization_endpoint: address.optional(),
  token_endpoint: address,
  introspection_endpoint: address.optional(),
  revocation_endpoint: address.optional(),
  userinfo_endpoint: address.optional(),
  jwks_uri: address.optional(),
  scopes_supported: names.optional(),
  response_types_supported: names.optional(),
  grant_types_supported: names.optional(),
  code_challenge_methods_supported: names.optional(),
  token_endpoint_auth_methods_supported: names.optional(),
});

/** One issuer of the file of DMP_TOKEN_ISSUERS; docs/oauth.md explains each key. */
const issuerFile = z
  .array(
    z
      .strictObject({
        kind: z.enum(['own', 'psc']),
        issuer: address,
        audience: z.string().min(1).optional(),
        jwks: z.string().min(1),
        userinfo: address.optional(),
        clients: names.optional(),
        metadata: metadata.optional(),
      })
      .refine(({ kind, userinfo, clients }) => kind === 'psc' || (userinfo === undefined && clients === undefined), {
        error: 'userinfo and clients are for kind psc',
      })
      .refine(({ kind, audience, clients }) => kind === 'own' || audience !== undefined || clients !== undefined, {
        error: 'kind psc needs clients or an audience: any software could bring what another one got',
      }),
  )
  .min(1);

/**
 * Reads the issuers of tokens.
 * @param audience what tokens of our own kind are made for where the file says nothing
 */
export function readIssuers(file: string, audience: string): Listed<StatedIssuer> {
  const { listed, mistakes } = readListed('DMP_TOKEN_ISSUERS', file, issuerFile, (all) => [
    ...listedTwice(all.map(({ issuer }) => issuer)),
    ...all.flatMap(({ jwks }) => keyMistakes(jwks)),
  ]);
  return { listed: listed.map((one) => stated(one, audience)), mistakes };
}

/** Issuers of our own kind make tokens for this server; those of Pro Santé Connect only where the file says for whom. */
function stated(read: z.infer<typeof issuerFile>[number], byDefault: string): StatedIssuer {
  const { kind, issuer, jwks, userinfo, clients, metadata: said } = read;
  const audience = read.audience ?? (kind === 'own' ? byDefault : undefined);
  const published = Object.entries(said ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return {
    kind,
    issuer,
    jwks,
    ...(audience !== undefined && { audience }),
    ...(userinfo !== undefined && { userinfo }),
    ...(clients !== undefined && { clients }),
    ...(published.length > 0 && { metadata: Object.fromEntries<string | readonly string[]>(published) }),
  };
}

function keyMistakes(jwks: string): string[] {
  if (/^https:\/\//.test(jwks) || isLocal(jwks)) return [];
  if (/^[a-z]+:\/\//i.test(jwks)) return [`names keys at an address that is not https: ${jwks}`];
  try {
    return readFileSync(resolve(jwks), 'utf8').includes('"keys"')
      ? []
      : [`names a file that does not hold a key set (JWKS): ${jwks}`];
  } catch {
    return [`names a file that cannot be read: ${jwks}`];
  }
}
