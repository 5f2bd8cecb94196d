import type { Permit } from '../domain/decision.ts';
import { type DirectoryEntry, type DirectoryKind, localAuthorityOf, type Said } from '../domain/directory.ts';
import { refuse } from '../domain/error.ts';
import type { DirectoryQuestion } from '../store/port.ts';
import { type Keyed, type KeyedPage, pageOf } from './paging.ts';
import { perform, type Request, type Tools } from './perform.ts';

/** All that is said of one, the newest first: never empty. */
export type Portrait<K extends DirectoryKind> = readonly [Said<K>, ...Said<K>[]];

/** Whom a search asks for, which of them, and who of the ends of roles comes with them. */
export type DirectorySearch<K extends DirectoryKind> = {
  readonly kind: K;
  readonly asked: DirectoryQuestion;
  readonly passes: (portrait: Portrait<K>) => boolean;
  readonly page: KeyedPage;
  readonly ends: readonly ('professional' | 'structure')[];
  /** The search in text, for the trace. */
  readonly query: string;
};

export type DirectoryFound<K extends DirectoryKind> = Keyed<Portrait<K>> & {
  readonly total: number;
  readonly professionals: readonly Portrait<'professional'>[];
  readonly structures: readonly Portrait<'structure'>[];
};

/**
 * Professionals, structures and systems, and professionals at structures, as documents name them, in the order of their ids. Nobody learns
 * of which document, nor of which patient. Access policy, what the outside may learn.
 * @throws Refused `accessDenied`
 */
export async function searchDirectory<K extends DirectoryKind>(
  tools: Tools,
  request: Request,
  { kind, asked, passes, page, ends, query }: DirectorySearch<K>,
): Promise<DirectoryFound<K>> {
  return perform(tools, request, 'readDirectory', 'none', async (permit) => {
    const found = (await portraits(tools, permit, kind, asked)).filter(passes);
    const { items, ...rest } = pageOf(
      found.map((portrait) => ({ portrait, key: [portrait[0].id] })),
      page,
    );
    const shown = items.map(({ portrait }) => portrait);
    const entries: readonly DirectoryEntry[] = shown.map(([latest]) => latest);
    const roles = entries.filter(isOf('role'));
    const endsOf = <E extends 'professional' | 'structure'>(end: E) => {
      const ids = ends.includes(end) ? [...new Set(roles.map((role) => role[end]))] : [];
      return portraits(tools, permit, end, { kind: end, ids });
    };
    const [professionals, structures] = [await endsOf('professional'), await endsOf('structure')];
    return { answer: { items: shown, ...rest, total: found.length, professionals, structures }, trace: { query } };
  });
}

/**
 * The one of this id.
 * @param name of the resource, for who is told that it is unknown
 * @throws Refused `accessDenied`, `resourceUnknown`
 */
export async function readDirectory<K extends DirectoryKind>(
  tools: Tools,
  request: Request,
  { kind, id, name }: { readonly kind: K; readonly id: string; readonly name: string },
): Promise<Portrait<K>> {
  return perform(tools, request, 'readDirectory', 'none', async (permit) => {
    const [portrait] = await portraits(tools, permit, kind, { kind, ids: [id] });
    return { answer: portrait ?? refuse('resourceUnknown', { value: name }) };
  });
}

async function portraits<K extends DirectoryKind>(
  tools: Tools,
  permit: Permit,
  kind: K,
  asked: DirectoryQuestion,
): Promise<readonly Portrait<K>[]> {
  const said = await withoutPatients(tools, await tools.store.read.directory(permit, asked));
  const byId = Map.groupBy(said.filter(isOf(kind)), ({ id }) => id);
  return [...byId.values()].flatMap(([latest, ...others]): Portrait<K>[] =>
    latest === undefined ? [] : [[latest, ...others]],
  );
}

function isOf<K extends DirectoryKind>(kind: K): (entry: DirectoryEntry) => entry is Said<K> {
  return (entry): entry is Said<K> => entry.kind === kind;
}

/** An authority that names patients here may have been written for a patient: whoever it names is nobody. */
async function withoutPatients({ store }: Tools, said: readonly DirectoryEntry[]): Promise<readonly DirectoryEntry[]> {
  const authorities = new Set(said.flatMap((entry) => localAuthorityOf(entry) ?? []));
  const ofPatients = new Set<string>();
  for (const authority of authorities) if (await store.facts.isAuthority(authority)) ofPatients.add(authority);
  return said.filter((entry) => !ofPatients.has(localAuthorityOf(entry) ?? ''));
}
