import { NotIdentified } from '../auth/credentials.ts';
import type { Office } from './authority.ts';
import { clientOf } from './client.ts';
import { OAuthError } from './error.ts';
import type { Parameters } from './parameters.ts';

const inactive = { active: false };

/**
 * What a token of this server says, to a client that proves itself and to which it was issued or that looks into all of them. Of anything
 * else nothing is said but that it is not active. RFC 7662 §2, IHE ITI-102.
 * @throws OAuthError invalid_client, invalid_request
 */
export async function introspect(
  office: Office,
  authorization: string | undefined,
  parameters: Parameters,
): Promise<Readonly<Record<string, unknown>>> {
  const client = await clientOf(office, authorization, parameters);
  if (client.secretSha256 === undefined && client.keys === undefined)
    throw new OAuthError('invalid_client', 'A public client cannot introspect.', { status: 401 });
  const token = parameters.required('token', 'send the token to look into.');
  try {
    const { claims } = await office.proofs.token(token, office.tools.now());
    const isShown = claims.iss === office.issuer && (client.introspects || claims['client_id'] === client.id);
    return isShown ? { active: true, token_type: 'Bearer', ...claims } : inactive;
  } catch (error) {
    if (error instanceof NotIdentified) return inactive;
    throw error;
  }
}
