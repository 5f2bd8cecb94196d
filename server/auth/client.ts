/** How a client may come to a token. RFC 6749 §4, RFC 7523 §2.1, RFC 8693 §2.1. */
export const grantTypes = [
  'authorization_code',
  'client_credentials',
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
  'urn:ietf:params:oauth:grant-type:token-exchange',
] as const;
export type GrantType = (typeof grantTypes)[number];

/** A public key of a client, as a JWK. */
export type ClientKey = { readonly kty: 'RSA' | 'EC'; readonly [member: string]: unknown };

/** A registered client of an authorisation server. One without secret and keys is public: nothing but its redirect addresses proves it. */
export type OAuthClient = {
  readonly id: string;
  readonly name: string;
  readonly grants: readonly GrantType[];
  /** What it may ask for. */
  readonly scopes: readonly string[];
  /** Compared character by character. RFC 9700 §2.1. */
  readonly redirectUris: readonly string[];
  /** SHA-256 of the secret's UTF-8, hexadecimal: secrets are long and random. */
  readonly secretSha256?: string;
  readonly keys?: readonly ClientKey[];
  /** The name of the account that it acts as by itself. */
  readonly account?: string;
  /** Whether it may look into tokens of other clients, as a resource server does. */
  readonly introspects: boolean;
};
