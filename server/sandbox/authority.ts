import { hash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type ClientKey, grantTypes, type OAuthClient } from '../auth/client.ts';
import { actorOf } from './caller.ts';
import { jwksFile, loadCard, loadTokenKey } from './cards.ts';
import { people } from './people.ts';
import { signClaims } from './token.ts';

/**
 * What the sandbox gives its authorisation server: its people as accounts, its clients, its key. Secrets of the sandbox are no secrets: they
 * open invented records alone.
 * @param scopes what its clients may ask for
 * @throws CardsMissing
 */
export function sandboxAuthority(data: string, scopes: readonly string[]) {
  const key = loadTokenKey(data);
  return {
    // The file is the sandbox's own.
    jwks: JSON.parse(readFileSync(jwksFile(data), 'utf8')) as { readonly keys: readonly object[] },
    sign: (claims: Readonly<Record<string, unknown>>) => signClaims(key, claims),
    accounts: people.map((person) => ({ name: person.slug, display: person.display, actor: actorOf(person) })),
    clients: clientsOf(data, scopes),
  };
}

/** An app, a professional software, and a client for each structure and system. */
function clientsOf(data: string, scopes: readonly string[]): OAuthClient[] {
  const [code, machine, bearer, exchange] = grantTypes;
  const ofPersons = scopes.filter((scope) => !scope.startsWith('system/'));
  return [
    {
      id: 'opendmp-app',
      name: 'Application de démonstration',
      grants: [code],
      scopes: ofPersons,
      redirectUris: ['http://127.0.0.1:3000/callback', 'http://localhost:3000/callback'],
      introspects: false,
    },
    {
      id: 'opendmp-software',
      name: 'Logiciel professionnel de démonstration',
      grants: [bearer, exchange],
      scopes,
      redirectUris: [],
      secretSha256: secretOf('opendmp-software'),
      introspects: true,
    },
    ...people.flatMap(({ kind, slug, display }): OAuthClient[] => {
      const card = kind === 'structure' || kind === 'system' ? loadCard(data, slug) : undefined;
      if (card === undefined) return [];
      return [
        {
          id: slug,
          name: display,
          grants: [machine],
          scopes: scopes.filter((scope) => kind === 'structure' || !scope.startsWith('user/')),
          redirectUris: [],
          secretSha256: secretOf(slug),
          keys: [keyOf(card.certificate)],
          account: slug,
          introspects: false,
        },
      ];
    }),
  ];
}

function secretOf(client: string): string {
  return hash('sha256', `${client}-secret`, 'hex');
}

/** The public key of a card or certificate, as a JWK of kind RSA or EC. */
function keyOf(certificate: Uint8Array): ClientKey {
  return { kty: 'RSA', ...new X509Certificate(certificate).publicKey.export({ format: 'jwk' }) } as ClientKey;
}
