import { z } from 'zod';
import { grantTypes, type OAuthClient } from '../auth/client.ts';
import { type Listed, listedTwice, readListed } from './listed-file.ts';

const redirect = z.string().refine(
  (text) => {
    if (!URL.canParse(text)) return false;
    const { protocol, hash, hostname } = new URL(text);
    if (hash !== '' || text.includes('#')) return false;
    if (protocol === 'https:') return true;
    if (protocol === 'http:') return ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
    return /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/.test(protocol);
  },
  { error: 'no https address, http address of this machine or private-use scheme with a dot, without fragment' },
);

const key = z.looseObject({ kty: z.enum(['RSA', 'EC']), d: z.never({ error: 'a private key' }).optional() });

/** One client of the file of DMP_OAUTH_CLIENTS; docs/oauth.md explains each key. */
const clientFile = z.array(
  z
    .strictObject({
      id: z.string().regex(/^[\x21-\x7e]{1,200}$/, { error: 'no visible ASCII' }),
      name: z.string().min(1),
      grants: z.array(z.enum(grantTypes)).min(1),
      scopes: z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/)).min(1),
      redirectUris: z.array(redirect).optional(),
      secretSha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/, { error: 'no SHA-256 in hexadecimal' })
        .optional(),
      jwks: z.strictObject({ keys: z.array(key).min(1) }).optional(),
      account: z.string().min(1).optional(),
      introspects: z.boolean().optional(),
    })
    .superRefine(({ grants, redirectUris, secretSha256, jwks, account, introspects }, context) => {
      const must = (isSo: boolean, message: string) => isSo || context.addIssue({ code: 'custom', message });
      const isConfidential = secretSha256 !== undefined || jwks !== undefined;
      must(!grants.includes('authorization_code') || redirectUris !== undefined, 'redirectUris are missing');
      must(!grants.includes('client_credentials') || isConfidential, 'client_credentials need secretSha256 or jwks');
      must(!grants.includes('client_credentials') || account !== undefined, 'client_credentials need an account');
      must(introspects !== true || isConfidential, 'who introspects needs secretSha256 or jwks');
    }),
);

/** Reads the clients of the sandbox's authorisation server. */
export function readClients(file: string): Listed<OAuthClient> {
  const { listed, mistakes } = readListed('DMP_OAUTH_CLIENTS', file, clientFile, (all) =>
    listedTwice(all.map(({ id }) => id)),
  );
  return {
    listed: listed.map(({ redirectUris, secretSha256, jwks, account, introspects, ...rest }) => ({
      ...rest,
      redirectUris: redirectUris ?? [],
      ...(secretSha256 !== undefined && { secretSha256 }),
      ...(jwks !== undefined && { keys: jwks.keys }),
      ...(account !== undefined && { account }),
      introspects: introspects === true,
    })),
    mistakes,
  };
}
