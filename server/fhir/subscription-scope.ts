import { refuse } from '../domain/error.ts';
import type { StoredSubscription } from '../store/port.ts';
import type { Exchange } from './exchange.ts';
import { covers } from './scope.ts';

/** Whoever is told of a type could search it with the same token. @throws Refused insufficientScope */
export function checkScope(
  { request }: Exchange,
  { interest: { object } }: Pick<StoredSubscription, 'interest'>,
): void {
  const { scopes } = request.caller;
  const search =
    object === 'document'
      ? ({ transaction: 'ITI-67', resource: 'DocumentReference' } as const)
      : ({ transaction: 'ITI-66', resource: 'List' } as const);
  if (scopes !== undefined && !covers(scopes, { ...search, interaction: 'search-type', path: `/${search.resource}` }))
    refuse('insufficientScope', { detail: `${search.transaction} user/${search.resource}.s` });
}
