import { grantTypes } from '../auth/client.ts';
import { tokenAlgorithms } from '../auth/issuer.ts';
import { type Authority, endpoints } from './authority.ts';
import { clientAuthentication } from './client.ts';

/** What is known of an issuer of tokens, by the names of RFC 8414 §2. */
export type IssuerMetadata = Readonly<Record<string, string | boolean | readonly string[]>> & {
  readonly issuer: string;
};

/** The metadata of our own server. RFC 8414 §2, IHE ITI-103. */
export function ownMetadata({ issuer, scopes }: Pick<Authority, 'issuer' | 'scopes'>): IssuerMetadata {
  return {
    issuer,
    authorization_endpoint: `${issuer}${endpoints.authorize}`,
    token_endpoint: `${issuer}${endpoints.token}`,
    jwks_uri: `${issuer}${endpoints.jwks}`,
    introspection_endpoint: `${issuer}${endpoints.introspect}`,
    scopes_supported: scopes,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: grantTypes,
    token_endpoint_auth_methods_supported: [...clientAuthentication, 'none'],
    token_endpoint_auth_signing_alg_values_supported: tokenAlgorithms,
    introspection_endpoint_auth_methods_supported: clientAuthentication,
    introspection_endpoint_auth_signing_alg_values_supported: tokenAlgorithms,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    ui_locales_supported: ['fr'],
  };
}

/** What SMART App Launch asks of our own server besides. SMART App Launch 2.2, "Conformance". */
export const ownCapabilities: readonly string[] = [
  'launch-standalone',
  'client-public',
  'client-confidential-symmetric',
  'client-confidential-asymmetric',
  'permission-patient',
  'permission-user',
  'permission-v1',
  'permission-v2',
];

/**
 * `.well-known/smart-configuration`: the same addresses as the metadata.
 * @param capabilities of SMART; none are known of an issuer that is not ours
 */
export function smartConfiguration(
  issuer: IssuerMetadata,
  capabilities: readonly string[],
): Readonly<Record<string, unknown>> {
  return {
    code_challenge_methods_supported: [],
    grant_types_supported: [],
    ...issuer,
    capabilities,
  };
}

/** What a client of the FHIR server has to know to get a token for it. RFC 9728 §2. */
export function resourceMetadata(
  resource: string,
  issuers: readonly string[],
  scopes: readonly string[],
): Readonly<Record<string, unknown>> {
  return {
    resource,
    authorization_servers: issuers,
    scopes_supported: scopes,
    bearer_methods_supported: ['header'],
    resource_name: 'OpenDMP',
  };
}
