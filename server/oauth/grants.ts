import { hash } from 'node:crypto';
import type { GrantType, OAuthClient } from '../auth/client.ts';
import { NotIdentified } from '../auth/credentials.ts';
import type { Said } from '../auth/write-claims.ts';
import type { Spend } from '../store/port.ts';
import { actingOf, saidBy } from './acting.ts';
import { endpoints, type Office } from './authority.ts';
import { readCode } from './codes.ts';
import { OAuthError } from './error.ts';
import type { Parameters } from './parameters.ts';

/** For whom a token is made. `spend`: what it is made for serves once. */
export type Granted = {
  readonly said: Said;
  readonly scope: string | undefined;
  /** The `sub` of the token, where it is not that of the actor. */
  readonly sub?: string;
  readonly spend?: Spend;
  readonly issuedTokenType?: string;
};

type Grant = (office: Office, client: OAuthClient, parameters: Parameters) => Promise<Granted>;

/** Proofs that are refused are told apart in the log alone. */
const grant = (description: string, why: string) => new OAuthError('invalid_grant', description, { why });

/** RFC 6749 §4.1.3, RFC 7636 §4.6. */
const authorizationCode: Grant = async (office, client, parameters) => {
  const text = parameters.required('code', 'send the code of the authorisation response.');
  const redirectUri = parameters.required('redirect_uri', 'send the one of the authorisation request.');
  const verifier = parameters.required('code_verifier', 'send the one that code_challenge was made of (PKCE).');
  const over = 'The code is not valid for this request: it serves one minute and once.';
  const code = readCode(office, text);
  if (code === undefined) throw grant(over, 'code not known or over');
  if (code.client !== client.id) throw grant(over, 'code of another client');
  if (code.redirectUri !== redirectUri)
    throw grant('redirect_uri is not that of the authorisation request.', 'another redirect_uri');
  if (!/^[A-Za-z0-9\-._~]{43,128}$/.test(verifier) || hash('sha256', verifier, 'base64url') !== code.challenge)
    throw grant('code_verifier does not fit code_challenge: that is BASE64URL(SHA256(code_verifier)).', 'verifier');
  const account = office.accounts.find(({ name }) => name === code.account);
  if (account === undefined) throw grant(over, 'account not known');
  const { mode, reason, patient } = code.acting;
  const acting = { mode, ...(reason !== undefined && { reason }), ...(patient && { patient }) };
  return {
    said: { ...saidBy(account, acting), software: { name: client.name } },
    scope: code.scope,
    spend: { key: `oauth code\n${code.id}`, until: code.until },
  };
};

/** RFC 6749 §4.4. */
const clientCredentials: Grant = async (office, client, parameters) => {
  const account = office.accounts.find(({ name }) => name === client.account);
  if (account === undefined)
    throw new OAuthError('unauthorized_client', 'No account stands behind this client.', { why: 'no account' });
  return {
    said: { ...saidBy(account, actingOf(parameters)), software: { name: client.name } },
    scope: parameters.one('scope'),
    ...(account.sub !== undefined && { sub: account.sub }),
  };
};

/** RFC 7523 §2.1. */
const jwtBearer: Grant = async (office, _, parameters) => {
  const assertion = parameters.required('assertion', 'send a JWT signed by the card, with its certificate in x5c.');
  const { issuer, tools, proofs } = office;
  const audiences = [issuer, `${issuer}${endpoints.token}`];
  try {
    const { credential, ...said } = await proofs.jwtAssertion(assertion, audiences, tools.now());
    if (credential.kind !== 'assertion') throw new NotIdentified('not an assertion');
    if (said.actor.kind === 'system')
      throw new OAuthError('invalid_grant', 'A system gets its tokens by client_credentials.');
    return {
      said,
      scope: parameters.one('scope'),
      spend: { key: credential.spendKey, until: credential.until },
    };
  } catch (error) {
    if (error instanceof NotIdentified)
      throw grant('The assertion could not be verified: see docs/oauth.md for what it holds.', error.why);
    throw error;
  }
};

const tokenTypes = {
  accessToken: 'urn:ietf:params:oauth:token-type:access_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
} as const;

/**
 * A token of Pro Santé Connect for one of ours. RFC 8693 §2; CI-SIS, API Pro Santé Connectée. The professional is whom Pro Santé Connect proves;
 * the access is what the software states.
 */
const tokenExchange: Grant = async (office, client, parameters) => {
  const token = parameters.required('subject_token', 'send the access token of Pro Santé Connect.');
  const type = parameters.required('subject_token_type', `send ${tokenTypes.accessToken}.`);
  if (type !== tokenTypes.accessToken && type !== tokenTypes.jwt)
    throw new OAuthError('invalid_request', `subject_token_type is ${tokenTypes.accessToken} or ${tokenTypes.jwt}.`);
  const wanted = parameters.one('requested_token_type') ?? tokenTypes.accessToken;
  if (wanted !== tokenTypes.accessToken && wanted !== tokenTypes.jwt)
    throw new OAuthError('invalid_request', `requested_token_type is ${tokenTypes.accessToken} or ${tokenTypes.jwt}.`);
  if (parameters.one('actor_token') !== undefined)
    throw new OAuthError('invalid_request', 'actor_token is not taken here: leave it out.');
  const scope = parameters.required('scope', 'name the scopes that the token is for.');
  try {
    const { caller, kind, confirmation } = await office.proofs.token(token, office.tools.now());
    if (kind !== 'psc') throw new NotIdentified('token of no issuer that is exchanged');
    if (confirmation !== undefined) throw new NotIdentified('token bound to a certificate');
    const { mode, reason, patient } = actingOf(parameters);
    return {
      said: {
        actor: caller.actor,
        mode,
        secret: false,
        software: { name: client.name },
        ...(reason !== undefined && { reason }),
        ...(patient && { patient }),
      },
      scope,
      issuedTokenType: wanted,
    };
  } catch (error) {
    if (error instanceof NotIdentified)
      throw new OAuthError('invalid_request', 'The subject_token could not be verified.', { why: error.why });
    throw error;
  }
};

/** The ways to a token. */
export const grants: Readonly<Record<GrantType, Grant>> = {
  authorization_code: authorizationCode,
  client_credentials: clientCredentials,
  'urn:ietf:params:oauth:grant-type:jwt-bearer': jwtBearer,
  'urn:ietf:params:oauth:grant-type:token-exchange': tokenExchange,
};
