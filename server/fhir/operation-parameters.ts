import { type Problem, problem, Refused } from '../domain/error.ts';
import type { Exchange } from './exchange.ts';
import { outcomeOf } from './outcome.ts';
import { type Given, isOfForm } from './search.ts';

/** What an operation is given and does not know, each name once. */
export function unknownIn(given: Given, known: readonly string[]): Problem[] {
  const names = new Set(given.map(([name]) => name).filter((name) => !known.includes(name) && !isOfForm(name)));
  return [...names].map((attribute) => problem('parameterUnknown', { attribute }));
}

/** The same, which is told, or refused in strict handling, as in searches. FHIR R4 search.html#errors. @throws Refused parameterUnknown */
export function ignoredIn(given: Given, known: readonly string[], { strict }: Pick<Exchange, 'strict'>): Problem[] {
  const unknown = unknownIn(given, known);
  if (strict && unknown.length > 0) throw new Refused(unknown);
  return unknown;
}

/** What was ignored, in an answer that is Parameters: one more of them, `outcome`. */
export function toldOf(ignored: readonly Problem[], { request }: Pick<Exchange, 'request'>): object[] {
  if (ignored.length === 0) return [];
  return [{ name: 'outcome', resource: outcomeOf(ignored, request.origin.requestId, 'warning') }];
}
