import { smartOf } from '../auth/scope.ts';
import { problem, Refused } from '../domain/error.ts';
import type { Interaction } from './exchange.ts';

type Asked = Pick<Interaction, 'transaction' | 'resource' | 'interaction' | 'operation' | 'path'>;

/**
 * Permissions of SMART App Launch 2.2 by interaction, of which one is enough: create, read (with versions and history), update, delete, search.
 * Operations read.
 */
const letters: Readonly<Record<string, string>> = {
  read: 'r',
  vread: 'r',
  'history-instance': 'r',
  'search-type': 's',
  create: 'c',
  update: 'u',
  patch: 'u',
  delete: 'd',
  transaction: 'c',
  operation: 'sr',
};

/** Who may deposit documents may send their bytes ahead. */
const deposits: ReadonlySet<string> = new Set(['ITI-65', 'ITI-105']);

const contexts = ['patient', 'user', 'system'] as const;

/**
 * What an interaction asks for: a type and permissions; nothing for what concerns no type, nor for looking at what the caller brings. A Bundle
 * is a deposit of documents, a message tells of patients.
 */
function permissionOf({
  resource,
  interaction,
  transaction,
  operation,
  path,
}: Asked): { readonly type: string; readonly any: string } | undefined {
  if (operation?.name === 'validate' && !path.includes(':id')) return undefined;
  const any = letters[interaction];
  if (transaction === 'ITI-93') return { type: 'Patient', any: 'u' };
  if (resource === 'system') return interaction === 'transaction' ? { type: 'DocumentReference', any: 'c' } : undefined;
  return any === undefined ? undefined : { type: resource, any };
}

/**
 * Whether the scopes of a token cover an interaction: by the name of its IHE transaction (IHE ITI IUA, `ITI-67`), or by type and permission
 * (SMART App Launch 2.2, `user/DocumentReference.rs`). Whose data it reaches is the decision's, whatever the context of the scope says.
 */
export function covers(scopes: readonly string[], asked: Asked): boolean {
  const permission = permissionOf(asked);
  if (permission === undefined) return true;
  return scopes.some((scope) => {
    if (scope === asked.transaction && scope.startsWith('ITI-')) return true;
    if (asked.transaction === 'create' && asked.resource === 'Binary' && deposits.has(scope)) return true;
    const open = smartOf(scope);
    const isOfType = open?.type === '*' || open?.type === permission.type;
    return isOfType && [...permission.any].some((letter) => open.can.includes(letter));
  });
}

/** What a search may bring besides its matches, by the end of the name of the reference that is followed. */
const targets: Readonly<Record<string, Interaction['resource']>> = {
  subject: 'Patient',
  patient: 'Patient',
  relatesto: 'DocumentReference',
  item: 'DocumentReference',
  practitioner: 'Practitioner',
  organization: 'Organization',
};

/** The transactions by which these types are searched. */
const finding: { readonly [T in Interaction['resource']]?: Asked['transaction'] } = {
  Patient: 'ITI-78',
  DocumentReference: 'ITI-67',
  List: 'ITI-66',
};

/**
 * The scopes of which one is needed for what a search brings besides its matches, by `_include` (`List:item`) or `_revinclude`; undefined where these
 * scopes cover it: nobody is brought what he could not have asked for himself. SMART App Launch 2.2, scopes for requesting clinical data.
 */
export function scopeMissing(
  scopes: readonly string[] | undefined,
  followed: string,
  direction: 'include' | 'revinclude',
): string | undefined {
  const [source = '', reference = ''] = followed.split(':');
  const resource = direction === 'revinclude' ? (source === 'List' ? source : undefined) : targets[reference];
  if (scopes === undefined || resource === undefined) return undefined;
  const asked = { transaction: finding[resource] ?? 'read', resource, path: `/${resource}` } as const;
  const isOpen = (['read', 'search-type'] as const).some((interaction) => covers(scopes, { ...asked, interaction }));
  return isOpen ? undefined : neededFor({ ...asked, interaction: 'read' });
}

/**
 * The same interaction for those alone whose token covers it.
 * Its handling throws Refused `insufficientScope` for the others. RFC 6750 §3.1
 */
export function withinScope(interaction: Interaction): Interaction {
  // The scopes of a token are the same list as long as its caller is remembered.
  const judged = new WeakMap<readonly string[], boolean>();
  const isOpen = (scopes: readonly string[]): boolean => {
    const known = judged.get(scopes) ?? covers(scopes, interaction);
    judged.set(scopes, known);
    return known;
  };
  return {
    ...interaction,
    handle: async (exchange) => {
      const { scopes } = exchange.request.caller;
      if (scopes !== undefined && !isOpen(scopes))
        throw new Refused([problem('insufficientScope', { detail: neededFor(interaction) })]);
      return interaction.handle(exchange);
    },
  };
}

/** The scopes of which one is needed. */
function neededFor(asked: Asked): string {
  const permission = permissionOf(asked);
  const named = permission === undefined ? [] : [`user/${permission.type}.${permission.any.charAt(0)}`];
  return [...(asked.transaction.startsWith('ITI-') ? [asked.transaction] : []), ...named].join(' ');
}

/** Every scope that opens something: names of transactions, for each type what is served of it, and all of that together. */
export function scopesOf(interactions: readonly Asked[]): string[] {
  const transactions = interactions.map(({ transaction }) => transaction).filter((name) => name.startsWith('ITI-'));
  const served = new Map<string, Set<string>>();
  for (const { type, any } of interactions.flatMap((one) => permissionOf(one) ?? []))
    served.set(type, (served.get(type) ?? new Set()).add(any.charAt(0)));
  const can = [...served].map(
    ([type, found]) => [type, [...'cruds'].filter((one) => found.has(one)).join('')] as const,
  );
  return [
    ...new Set(transactions),
    ...contexts.flatMap((context) => [
      ...can.map(([type, permissions]) => `${context}/${type}.${permissions}`),
      `${context}/*.cruds`,
    ]),
  ];
}
