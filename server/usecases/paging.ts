import { refuse } from '../domain/error.ts';
import type { Page, PageRequest } from '../store/port.ts';

/** A place in an order, compared part by part. */
export type PageKey = readonly (number | string)[];

/**
 * Where a page begins and how many objects it has at most. `after` is the key of the last object of the page before; `ascending` may say it of
 * each part of the key, and of further parts as of the last one.
 */
export type KeyedPage = {
  readonly after?: PageKey;
  readonly limit: number;
  readonly ascending?: boolean | readonly boolean[];
};

/** `next`: the key of the last item, where more follow. */
export type Keyed<T> = { readonly items: readonly T[]; readonly next?: PageKey };

/** How many objects are looked at together. */
const batch = 200;

/** Every object of a read, newest first and a batch at a time. @param start only what comes after this position */
export async function* batches<T extends { readonly position: number }>(
  read: (page: PageRequest) => Promise<Page<T>>,
  start?: number,
): AsyncGenerator<readonly T[], void, undefined> {
  for (let before = start; ; ) {
    const { items, more } = await read({ limit: batch, ...(before !== undefined && { before }) });
    yield items;
    before = items.at(-1)?.position;
    if (!more || before === undefined) return;
  }
}

/** The page of objects in the order of their keys, the greatest first unless said otherwise. */
export function pageOf<T extends { readonly key: PageKey }>(all: readonly T[], page: KeyedPage): Keyed<T> {
  const { after, limit, ascending = false } = page;
  const directions = (typeof ascending === 'boolean' ? [ascending] : ascending).map((up) => (up ? 1 : -1));
  const rest = all
    .filter(({ key }) => after === undefined || compare(key, after, directions) > 0)
    .sort((a, b) => compare(a.key, b.key, directions));
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  return { items, ...(rest.length > limit && last && { next: last.key }) };
}

function compare(a: PageKey, b: PageKey, directions: readonly number[]): number {
  for (const [index, part] of a.entries()) {
    const other = b[index] ?? '';
    const direction = directions[index] ?? directions.at(-1) ?? 1;
    if (part !== other) return part < other ? -direction : direction;
  }
  return 0;
}

/**
 * All pages of a read.
 * @throws Refused `tooManyResults` beyond the limit, before all is read
 */
export async function everyPage<T extends { readonly position: number }>(
  read: (page: PageRequest) => Promise<Page<T>>,
  limit?: number,
): Promise<T[]> {
  const found: T[] = [];
  for (let before: number | undefined; ; before = found.at(-1)?.position) {
    const { items, more } = await read({ limit: limit ?? pageOfAll, ...(before !== undefined && { before }) });
    found.push(...items);
    if (more && limit !== undefined) tooMany(limit);
    if (!more) return found;
  }
}

/** How many objects are read at once when all are wanted. */
const pageOfAll = 1000;

/** @throws Refused `tooManyResults` */
export function tooMany(limit: number): never {
  refuse('tooManyResults', { detail: String(limit) });
}
