import { hash, timingSafeEqual } from 'node:crypto';
import type { OAuthClient } from '../auth/client.ts';
import { tokenAlgorithms } from '../auth/issuer.ts';
import { endpoints, type Office } from './authority.ts';
import { OAuthError } from './error.ts';
import type { Parameters } from './parameters.ts';

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** How clients prove themselves here. RFC 6749 §2.3.1; OpenID Connect Core §9 (private_key_jwt). */
export const clientAuthentication = ['client_secret_basic', 'private_key_jwt'] as const;

/** The longest life of a client's assertion, in seconds. */
const longestLife = 600;
const skewSeconds = 5;

/**
 * The client of a request: proven by HTTP Basic or by a signed assertion (RFC 7523 §2.2), or named by client_id when it is a public one.
 * An assertion serves once.
 * @throws OAuthError invalid_client (401), invalid_request when it proves itself in two ways
 */
export async function clientOf(
  office: Office,
  authorization: string | undefined,
  parameters: Parameters,
): Promise<OAuthClient> {
  const assertion = parameters.one('client_assertion');
  if (authorization !== undefined && assertion !== undefined)
    throw new OAuthError('invalid_request', 'The client authenticates in two ways: use one of them.');
  if (parameters.one('client_secret') !== undefined)
    throw refused('Send the secret by HTTP Basic, not in the form.', 'secret in the form');
  if (authorization !== undefined) return bySecret(office, authorization, parameters.one('client_id'));
  if (assertion !== undefined) return byAssertion(office, assertion, parameters);
  const id = parameters.required('client_id', 'name the client, or authenticate it.');
  const client = find(office, id);
  if (client.secretSha256 !== undefined || client.keys !== undefined)
    throw refused('This client has to authenticate: by HTTP Basic or by client_assertion.', 'client not proven');
  return client;
}

function bySecret(office: Office, authorization: string, named: string | undefined): OAuthClient {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1];
  if (encoded === undefined || encoded.length > 8192) throw refused(proof, 'authorization of another scheme');
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  const [id, secret] = [decoded(text.slice(0, colon)), decoded(text.slice(colon + 1))];
  if (colon < 1 || id === undefined || secret === undefined) throw refused(proof, 'malformed basic authorization');
  if (named !== undefined && named !== id)
    throw new OAuthError('invalid_request', 'client_id is not the client that authenticates.');
  const client = find(office, id);
  const expected = Buffer.from(client.secretSha256 ?? '', 'hex');
  const given = hash('sha256', secret, 'buffer');
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) throw refused(proof, 'wrong secret');
  return client;
}

/** Id and secret are form-encoded inside Basic. RFC 6749 §2.3.1. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

async function byAssertion(office: Office, assertion: string, parameters: Parameters): Promise<OAuthClient> {
  if (parameters.one('client_assertion_type') !== assertionType)
    throw new OAuthError('invalid_request', `client_assertion_type is ${assertionType}.`);
  const { createLocalJWKSet, decodeJwt, errors, jwtVerify } = await import('jose');
  const { issuer, tools } = office;
  try {
    if (assertion.length > 16_384) throw refused(proof, 'assertion too long');
    const id = decodeJwt(assertion).iss ?? '';
    if ((parameters.one('client_id') ?? id) !== id)
      throw new OAuthError('invalid_request', 'client_id is not the client that authenticates.');
    const client = find(office, id);
    if (client.keys === undefined) throw refused(proof, 'client without keys');
    const { payload } = await jwtVerify(
      assertion,
      createLocalJWKSet({ keys: client.keys.map((key) => ({ ...key })) }),
      {
        algorithms: [...tokenAlgorithms],
        issuer: id,
        subject: id,
        audience: [issuer, `${issuer}${endpoints.token}`, `${issuer}${endpoints.introspect}`],
        requiredClaims: ['exp', 'jti'],
        clockTolerance: skewSeconds,
        currentDate: new Date(tools.now()),
      },
    );
    const { exp = 0, jti = '' } = payload;
    if (exp - tools.now() / 1000 > longestLife) throw refused(proof, 'assertion for too long');
    const spend = { key: `oauth client\n${id}\n${jti}`, until: (exp + skewSeconds) * 1000 };
    const outcome = await tools.store.write.note([], spend);
    if (!outcome.done) throw refused(proof, 'assertion replayed');
    return client;
  } catch (error) {
    if (error instanceof errors.JOSEError) throw refused(proof, `assertion refused: ${error.code}`);
    throw error;
  }
}

const proof = 'The client could not be authenticated.';

function refused(description: string, why: string): OAuthError {
  return new OAuthError('invalid_client', description, { status: 401, why });
}

function find({ clients }: Office, id: string): OAuthClient {
  const client = clients.find((one) => one.id === id);
  if (client === undefined) throw refused(proof, 'client not registered');
  return client;
}
