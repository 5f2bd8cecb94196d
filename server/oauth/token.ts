import { grantTypes } from '../auth/client.ts';
import { claimsOfCaller } from '../auth/write-claims.ts';
import type { Caller } from '../domain/actor.ts';
import { Refused } from '../domain/error.ts';
import type { Origin } from '../domain/event.ts';
import { traceIdentified } from '../usecases/perform.ts';
import { lifetimes, type Office } from './authority.ts';
import { clientOf } from './client.ts';
import { OAuthError } from './error.ts';
import { grants } from './grants.ts';
import type { Parameters } from './parameters.ts';
import { grantedScopes } from './scope.ts';

/**
 * Makes an access token. RFC 6749 §5.1, IHE ITI-71. What it is made for is spent together with the event that tells of it.
 * @throws OAuthError
 */
export async function makeToken(
  office: Office,
  origin: Origin,
  authorization: string | undefined,
  parameters: Parameters,
): Promise<Readonly<Record<string, unknown>>> {
  const client = await clientOf(office, authorization, parameters);
  const named = parameters.required('grant_type', `send one of ${grantTypes.join(', ')}.`);
  const type = grantTypes.find((one) => one === named);
  if (type === undefined)
    throw new OAuthError('unsupported_grant_type', `grant_type is one of ${grantTypes.join(', ')}.`);
  if (!client.grants.includes(type))
    throw new OAuthError('unauthorized_client', `This client may use ${client.grants.join(', ')}.`);
  checkTarget(office, parameters, ['resource', 'audience']);
  const { said, scope, sub, spend, issuedTokenType } = await grants[type](office, client, parameters);
  const scopes = grantedScopes(scope, client, office.scopes, said).join(' ');
  const { issuer, audience, tools, sign } = office;
  const at = tools.now();
  const jti = tools.newId();
  const issuedAt = Math.floor(at / 1000);
  const token = await sign({
    ...claimsOfCaller(said),
    ...(sub !== undefined && { sub }),
    iss: issuer,
    aud: audience,
    iat: issuedAt,
    exp: issuedAt + lifetimes.token,
    jti,
    client_id: client.id,
    scope: scopes,
  });
  const caller: Caller = { ...said, credential: { kind: 'token', id: jti, issuer } };
  try {
    await traceIdentified(tools, { caller, origin }, `token: ${type}`, spend);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw new OAuthError('invalid_grant', 'The code or assertion was used before: it serves once.', {
      why: 'replayed',
    });
  }
  return {
    access_token: token,
    token_type: 'Bearer',
    expires_in: lifetimes.token,
    scope: scopes,
    ...(issuedTokenType !== undefined && { issued_token_type: issuedTokenType }),
  };
}

/**
 * Checks that a token is asked for this FHIR server.
 * @throws OAuthError invalid_target. RFC 8707 §2
 */
export function checkTarget({ audience }: Office, parameters: Parameters, names: readonly string[]): void {
  for (const name of names)
    for (const target of parameters.all(name))
      if (target.replace(/\/$/, '') !== audience)
        throw new OAuthError('invalid_target', `${name} is ${audience}: tokens for other servers are not made here.`);
}
