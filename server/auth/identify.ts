import { makeBearerIdentifier, type TokenSettings } from './bearer.ts';
import type { Identify } from './credentials.ts';
import { openTrust } from './trust.ts';
import { type AssertionSettings, makeAssertionIdentifier } from './vihf.ts';

/** `authorities` and `crls` are PEM texts of any number of blocks. */
export type IdentifySettings = AssertionSettings & {
  readonly authorities: string;
  readonly crls: string;
  readonly token: Omit<TokenSettings, 'skewSeconds' | 'systems'>;
};

/** Clocks of token issuers are kept by machines alone. */
const tokenSkewSeconds = 5;

/**
 * Everything that turns credentials into callers. `now` answers milliseconds.
 * @throws with words for the operator when trust store, revocation lists or keys cannot be read
 */
export async function makeIdentify(settings: IdentifySettings, now: () => number): Promise<Identify> {
  const trust = await openTrust(settings);
  return {
    assertion: makeAssertionIdentifier(trust, settings, now),
    bearer: makeBearerIdentifier(
      {
        ...settings.token,
        skewSeconds: Math.min(tokenSkewSeconds, settings.skewSeconds),
        systems: settings.systems,
      },
      now,
    ),
  };
}
