import { hash } from 'node:crypto';
import type { OAuthClient } from '../auth/client.ts';
import { actingOf, saidBy } from './acting.ts';
import type { Account, Office } from './authority.ts';
import { readTicket, type SignInRequest, writeCode, writeTicket } from './codes.ts';
import { described, NoWayBack, OAuthError } from './error.ts';
import { isPerson, signInPage } from './page.ts';
import type { Parameters } from './parameters.ts';
import { checkScopes, grantedScopes } from './scope.ts';
import { checkTarget } from './token.ts';

/** What comes of an authorisation request: a page, or a way back to the app. */
export type Turn =
  | { readonly page: string; readonly redirectUri: string; readonly status?: number }
  | { readonly redirect: string };

/**
 * Answers an authorisation request with the sign-in page, or sends a wrong one back to the app. RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 9207.
 * @param browser what the cookie of the browser holds
 * @throws NoWayBack
 */
export function authorize(office: Office, parameters: Parameters, browser: string): Turn {
  const { client, redirectUri } = wayBack(office, parameters);
  const state = parameters.one('state');
  try {
    const request = requestOf(office, client, redirectUri, parameters);
    return { page: pageOf(office, client, request, browser), redirectUri };
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    return { redirect: refusal(office, { redirectUri, state }, error) };
  }
}

/**
 * Answers the form of the sign-in page: a code for the app, or its refusal.
 * @throws NoWayBack when the form is not that of this browser, or is too old
 */
export function signIn(office: Office, parameters: Parameters, browser: string): Turn {
  const ticket = parameters.one('ticket') ?? '';
  const request = readTicket(office, ticket, hashOf(browser));
  const client = office.clients.find(({ id }) => id === request?.client);
  if (request === undefined || client === undefined)
    throw new NoWayBack(
      'Cette page de connexion a expiré ou vient d’un autre navigateur.',
      'Revenez à l’application et recommencez la connexion.',
    );
  if (parameters.one('answer') !== 'yes')
    return {
      redirect: refusal(office, request, new OAuthError('access_denied', 'The person refused to sign in.')),
    };
  const account = people(office).find(({ name }) => name === parameters.one('account'));
  if (account === undefined)
    return {
      page: pageOf(office, client, request, browser, 'Choisissez une personne.'),
      redirectUri: request.redirectUri,
      status: 400,
    };
  try {
    const { acting } = request;
    const { mode, reason, patient } = acting;
    const plain = { mode, ...(reason !== undefined && { reason }), ...(patient && { patient }) };
    grantedScopes(request.scope, client, office.scopes, saidBy(account, plain));
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    return { redirect: refusal(office, request, error) };
  }
  const { state, ...rest } = request;
  const code = writeCode(office, { ...rest, account: account.name });
  return { redirect: back(office, { redirectUri: request.redirectUri, state }, { code }) };
}

/** @throws NoWayBack: nothing is sent to an address that is not the client's */
function wayBack(
  { clients }: Office,
  { one }: Parameters,
): { readonly client: OAuthClient; readonly redirectUri: string } {
  const client = clients.find(({ id, grants }) => id === one('client_id') && grants.includes('authorization_code'));
  if (client === undefined)
    throw new NoWayBack(
      'L’application n’est pas connue ici, ou n’a pas droit à la connexion (client_id).',
      'Inscrivez-la dans DMP_OAUTH_CLIENTS avec le mode authorization_code (docs/oauth.md).',
    );
  const redirectUri = one('redirect_uri');
  if (redirectUri === undefined || !client.redirectUris.includes(redirectUri))
    throw new NoWayBack(
      'L’adresse de retour (redirect_uri) n’est pas une de celles de l’application.',
      'Elle est comparée caractère par caractère à celles de son inscription.',
    );
  return { client, redirectUri };
}

function requestOf(office: Office, client: OAuthClient, redirectUri: string, parameters: Parameters): SignInRequest {
  const { one, all, required } = parameters;
  if (one('request') !== undefined)
    throw new OAuthError('request_not_supported', 'Send the parameters plainly, not in a request object.');
  if (one('request_uri') !== undefined)
    throw new OAuthError('request_uri_not_supported', 'Send the parameters plainly, not by request_uri.');
  if (required('response_type', 'send code.') !== 'code')
    throw new OAuthError('unsupported_response_type', 'response_type is code.');
  if ((one('response_mode') ?? 'query') !== 'query') throw new OAuthError('invalid_request', 'response_mode is query.');
  const challenge = required('code_challenge', 'PKCE is required, with code_challenge_method S256.');
  if (one('code_challenge_method') !== 'S256')
    throw new OAuthError('invalid_request', 'code_challenge_method is S256: plain challenges are not taken.');
  if (!/^[A-Za-z0-9_-]{43}$/.test(challenge))
    throw new OAuthError('invalid_request', 'code_challenge is BASE64URL(SHA256(code_verifier)), 43 characters.');
  if (all('aud').length + all('resource').length === 0)
    throw new OAuthError('invalid_request', `aud (or resource) is missing: send ${office.audience}.`);
  checkTarget(office, parameters, ['aud', 'resource']);
  const scope = one('scope');
  checkScopes(scope, client, office.scopes);
  const state = one('state');
  return {
    client: client.id,
    redirectUri,
    challenge,
    ...(state !== undefined && { state }),
    ...(scope !== undefined && { scope }),
    acting: actingOf(parameters),
  };
}

function people({ accounts }: Office): readonly Account[] {
  return accounts.filter(isPerson);
}

function pageOf(office: Office, client: OAuthClient, request: SignInRequest, browser: string, error?: string): string {
  const scopes = (request.scope ?? client.scopes.join(' ')).split(' ').filter((one) => one !== '');
  const asked = { client: client.name, scopes, acting: request.acting };
  return signInPage(asked, people(office), writeTicket(office, request, hashOf(browser)), error);
}

function hashOf(browser: string): string {
  return hash('sha256', browser, 'base64url');
}

type Back = { readonly redirectUri: string; readonly state?: string | undefined };

function refusal(office: Office, request: Back, error: OAuthError): string {
  return back(office, request, { error: error.code, error_description: described(error.message) });
}

/** Every way back names who sent it. RFC 9207 §2. */
function back({ issuer }: Office, { redirectUri, state }: Back, more: Readonly<Record<string, string>>): string {
  const address = new URL(redirectUri);
  for (const [name, value] of Object.entries(more)) address.searchParams.set(name, value);
  if (state !== undefined) address.searchParams.set('state', state);
  address.searchParams.set('iss', issuer);
  return address.href;
}
