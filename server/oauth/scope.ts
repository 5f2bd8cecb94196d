import type { OAuthClient } from '../auth/client.ts';
import { isWithin, smartOf } from '../auth/scope.ts';
import type { Caller } from '../domain/actor.ts';
import { OAuthError } from './error.ts';

/**
 * The scopes that are granted of those asked for, or of all that the client may have when it asks for none: what is not known, not the
 * client's, or not the caller's is left out. RFC 6749 §3.3.
 * @throws OAuthError invalid_scope when nothing is left
 */
export function grantedScopes(
  asked: string | undefined,
  client: OAuthClient,
  supported: readonly string[],
  caller: Pick<Caller, 'actor' | 'patient'>,
): readonly string[] {
  const wanted = asked === undefined ? client.scopes : asked.split(' ').filter((one) => one !== '');
  const open = contextsOf(caller);
  const granted = [...new Set(wanted)].filter((scope) => {
    const context = smartOf(scope)?.context;
    return (
      isSupported(scope, supported) && isWithin(scope, client.scopes) && (context === undefined || open.has(context))
    );
  });
  if (granted.length === 0) throw noScope(asked, client);
  return granted;
}

/** The same before anybody signed in. @throws OAuthError invalid_scope when nothing can be granted to anybody */
export function checkScopes(asked: string | undefined, client: OAuthClient, supported: readonly string[]): void {
  const wanted = asked === undefined ? client.scopes : asked.split(' ');
  if (!wanted.some((scope) => isSupported(scope, supported) && isWithin(scope, client.scopes)))
    throw noScope(asked, client);
}

/** All types together are asked for by that name; a single type has to be served. */
function isSupported(scope: string, supported: readonly string[]): boolean {
  const isWild = (one: string) => smartOf(one)?.type === '*';
  return isWithin(scope, isWild(scope) ? supported : supported.filter((one) => !isWild(one)));
}

function noScope(asked: string | undefined, client: OAuthClient): OAuthError {
  const named = asked === undefined ? 'no scope' : 'none of these scopes';
  return new OAuthError(
    'invalid_scope',
    `The client can be granted ${named} here. It may have: ${client.scopes.join(' ')}`,
  );
}

/** Whose data a scope may speak of: `patient/` needs a token that names one, `system/` nobody in person. SMART App Launch 2.2. */
function contextsOf({ actor, patient }: Pick<Caller, 'actor' | 'patient'>): ReadonlySet<string> {
  const byMachine = actor.kind === 'system' || actor.kind === 'structure';
  return new Set([
    ...(byMachine ? ['system'] : []),
    ...(actor.kind === 'system' ? [] : ['user']),
    ...(patient === undefined ? [] : ['patient']),
  ]);
}
