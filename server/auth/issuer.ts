/**
 * Who issues access tokens that are taken here. `own`: tokens whose claims say all about their subject, as IHE IUA and our own server write
 * them, limited by their scopes. `psc`: Pro Santé Connect, whose tokens prove a professional and say the rest through userinfo.
 */
export type TokenIssuer = {
  readonly kind: 'own' | 'psc';
  /** `iss`, compared as it is written. */
  readonly issuer: string;
  /** What `aud` has to name. Absent for `psc` alone, whose tokens are made for the software that got them. */
  readonly audience?: string;
  /** `psc`: the software (`azp`) whose tokens are taken; without it, any that the audience lets through. */
  readonly clients?: readonly string[];
  /** A file holding the issuer's public keys (JWKS), or its https address (http on this machine). */
  readonly jwks: string;
  /** `psc`: the https address that tells who the bearer is. OpenID Connect Core §5.3. */
  readonly userinfo?: string;
};

/** Signature algorithms of tokens, keys and assertions: never `none`, never a shared secret. RFC 8725 §3.1. */
export const tokenAlgorithms: readonly string[] = ['RS256', 'PS256', 'ES256'];
