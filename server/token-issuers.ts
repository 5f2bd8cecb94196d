import { codeKeyOf } from './config/keys.ts';
import type { Context } from './context.ts';
import { clientOf, systemActor } from './domain/system.ts';
import type { OAuthAddresses } from './fhir/capability.ts';
import { scopes } from './fhir/routes.ts';
import type { Authority } from './oauth/authority.ts';
import { issuerOfApps, type OAuthSettings } from './oauth/routes.ts';
import { sandboxAuthority } from './sandbox/authority.ts';

/** Who issues tokens: the issuers configured and, in the sandbox, an authorisation server of its own. */
export function oauthSettingsOf(context: Context): OAuthSettings {
  const { config, log } = context;
  const { own, issuers } = config.tokens;
  return {
    log,
    publicUrl: config.env.DMP_PUBLIC_URL,
    scopes,
    issuers: issuers.filter(({ issuer }) => issuer !== own).map(({ issuer, metadata }) => ({ issuer, ...metadata })),
    ...(own !== undefined && { own: authorityOf(context, own) }),
  };
}

/** The people and clients of the sandbox, with the systems and clients that the operator listed. */
function authorityOf({ config, proofs }: Context, issuer: string): Authority {
  const { accounts, clients, ...sandbox } = sandboxAuthority(config.data, scopes);
  const systems = config.systems.map((system) => ({
    name: system.id,
    display: system.name,
    actor: systemActor(system),
    sub: clientOf(system),
  }));
  const listed = new Set(config.clients.map(({ id }) => id));
  return {
    ...sandbox,
    issuer,
    audience: config.tokens.audience,
    accounts: [...accounts, ...systems],
    clients: [...config.clients, ...clients.filter(({ id }) => !listed.has(id))],
    sealKey: codeKeyOf(config),
    proofs,
    scopes,
  };
}

/** Endpoints of the issuer that apps are sent to, as the CapabilityStatement names them. */
export function fhirAddressesOf(settings: OAuthSettings): OAuthAddresses | undefined {
  const issuer = issuerOfApps(settings);
  const of = (name: string) => {
    const address = issuer?.[`${name}_endpoint`];
    return typeof address === 'string' ? address : undefined;
  };
  const [authorize, token, introspect, revoke] = ['authorization', 'token', 'introspection', 'revocation'].map(of);
  if (token === undefined) return undefined;
  return {
    ...(authorize !== undefined && { authorize }),
    token,
    ...(introspect !== undefined && { introspect }),
    ...(revoke !== undefined && { revoke }),
  };
}
