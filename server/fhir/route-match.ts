import { type Problem, problem } from '../domain/error.ts';
import type { Interaction } from './exchange.ts';
import type { Given } from './search.ts';

export type Match = {
  readonly interaction: Interaction;
  readonly ids: { readonly id: string; readonly version: string };
  readonly parameters: Given;
};

/** The interaction at an address below the base, relative or absolute; undefined where nothing of that method is served. */
export function matchOf(
  interactions: readonly Interaction[],
  method: string,
  url: string,
  base: string,
): Match | undefined {
  const relative = url.startsWith(`${base}/`) ? url.slice(base.length + 1) : url;
  const [path = '', query = '', ...more] = relative.split('?');
  const parts = path.split('/').map(decoded);
  if (
    more.length > 0 ||
    relative.includes('#') ||
    parts.some((part) => part === undefined || part === '' || part === '..')
  )
    return undefined;
  const found = interactions
    .map((interaction) => ({ interaction, pattern: interaction.path.split('/').slice(1) }))
    .filter(({ interaction, pattern }) => interaction.method === method && matches(pattern, parts))
    .sort((a, b) => namesIn(a.pattern) - namesIn(b.pattern))[0];
  if (found === undefined) return undefined;
  const { interaction, pattern } = found;
  const named = (name: string) => parts[pattern.indexOf(`:${name}`)] ?? '';
  return {
    interaction,
    ids: { id: named('id'), version: named('version') },
    parameters: [...new URLSearchParams(query)],
  };
}

function namesIn(pattern: readonly string[]): number {
  return pattern.filter((part) => part.startsWith(':')).length;
}

/** What is told of an address without interaction: its type is not served, or what was asked of that type is not. FHIR R4 http.html#Status-Codes. */
export function notServed(interactions: readonly Interaction[], method: string, path: string, type: string): Problem {
  const isServed = interactions.some(({ resource }) => resource === type) || type === 'metadata' || type === '';
  return isServed
    ? problem('interactionUnsupported', { value: `${method} ${path}` })
    : problem('resourceTypeUnknown', { value: type });
}

/** Whether an address, part by part, is one of the pattern. */
export function matches(pattern: readonly string[], parts: readonly (string | undefined)[]): boolean {
  return pattern.length === parts.length && pattern.every((part, i) => part.startsWith(':') || part === parts[i]);
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
