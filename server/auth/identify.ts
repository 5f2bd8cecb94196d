import { makeBearerIdentifier, openTokenVerifier } from './bearer.ts';
import type { Identify } from './credentials.ts';
import type { TokenIssuer } from './issuer.ts';
import type { JwtAssertions } from './jwt-assertion.ts';
import type { VerifyToken } from './token.ts';
import { openTrust } from './trust.ts';
import { type AssertionSettings, makeAssertionIdentifier } from './vihf.ts';

/** `authorities` and `crls` are PEM texts of any number of blocks. */
export type IdentifySettings = AssertionSettings & {
  readonly authorities: string;
  readonly crls: string;
  readonly issuers: readonly TokenIssuer[];
};

/** What an authorisation server takes as proof besides: the same trust, the same issuers. */
export type Grants = { readonly jwtAssertion: JwtAssertions; readonly token: VerifyToken };

/** Clocks of token issuers are kept by machines alone. */
const tokenSkewSeconds = 5;

/**
 * Everything that turns credentials into callers. `now` answers milliseconds.
 * @throws with words for the operator when trust store, revocation lists or keys cannot be read
 */
export async function makeIdentify(settings: IdentifySettings, now: () => number): Promise<Identify & Grants> {
  const { issuers, systems, activities } = settings;
  const trust = await openTrust(settings);
  const skewSeconds = Math.min(tokenSkewSeconds, settings.skewSeconds);
  const token = openTokenVerifier({ issuers, skewSeconds, systems });
  let assertions: Promise<JwtAssertions> | undefined;
  return {
    assertion: makeAssertionIdentifier(trust, settings, now),
    bearer: makeBearerIdentifier(token, now),
    token,
    // What verifies is loaded with the first assertion, as for tokens.
    jwtAssertion: async (...given) => {
      assertions ??= import('./jwt-assertion.ts').then(({ makeJwtAssertions }) =>
        makeJwtAssertions(trust, { skewSeconds, systems, ...(activities && { activities }) }),
      );
      return (await assertions)(...given);
    },
  };
}
