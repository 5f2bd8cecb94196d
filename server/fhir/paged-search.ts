import { pageToken, readPageToken } from './bundle.ts';
import type { Exchange } from './exchange.ts';
import {
  type Given,
  type Paging,
  type ParameterTable,
  queryString,
  readSearch,
  type Search,
  usualCount,
} from './search.ts';

/** A search with the place of its page. */
export type PagedSearch<Asked> = Search & {
  readonly asked: Asked;
  readonly page: { readonly before?: number; readonly limit: number };
  readonly self: string;
  /** The link to the page after this position. */
  readonly next: (before: number) => string;
  /** The search in text, for the trace. */
  readonly query: string;
};

/**
 * Reads a search, be it asked by parameters or by a page link.
 * @throws Refused parameterMalformed, parameterUnknown, pageLinkBroken
 */
export function readPagedSearch<Asked extends Paging>(
  { parameters, base, linkKey, request: { caller }, strict }: Exchange,
  type: string,
  table: ParameterTable<Asked>,
  empty: () => Asked,
): PagedSearch<Asked> {
  const token = parameters.find(([name]) => name === '_page')?.[1];
  const others = parameters.filter(([name]) => name !== '_page');
  const place = token === undefined ? undefined : readPageToken(linkKey, caller, type, token, others);
  const asked = empty();
  const search = readSearch(place === undefined ? others : parametersOf(place.search), table, asked, strict);
  const text = queryString(search.used.filter(([name]) => name !== '_format'));
  return {
    ...search,
    asked,
    page: { limit: asked.count ?? usualCount, ...(place && { before: place.before }) },
    self:
      token === undefined ? `${base}/${type}?${queryString(search.used)}` : `${base}/${type}?${text}&_page=${token}`,
    next: (before) => `${base}/${type}?_page=${pageToken(linkKey, caller, type, { search: text, before })}`,
    query: `${type}?${text}`,
  };
}

function parametersOf(search: string): Given {
  return [...new URLSearchParams(search)];
}
