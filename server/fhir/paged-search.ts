import type { Caller } from '../domain/actor.ts';
import { type Problem, problem, Refused } from '../domain/error.ts';
import type { KeyedPage, PageKey } from '../usecases/paging.ts';
import { askedText } from './asked-text.ts';
import { entryOf, pageToken, readPageToken, searchset } from './bundle.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { checkTogether, type Results, resultRows, type Served } from './result-parameters.ts';
import { scopeMissing } from './scope.ts';
import {
  type Given,
  isOfForm,
  type ParameterTable,
  queryString,
  readSearch,
  type Search as SearchRead,
  usualCount,
} from './search.ts';
import { type Shown, subsetOf } from './subset.ts';

/** How one type is searched: all of it stands in the CapabilityStatement. */
export type SearchOf<Asked extends Results> = Served & {
  readonly type: Exclude<Interaction['resource'], 'system'>;
  readonly parameters: ParameterTable<Asked>;
  /** Whether matches are counted always, or where `_total` asks for it. */
  readonly counted: 'always' | 'whenAsked';
};

/** A search with all its parameters in one table. */
export type Search<Asked extends Results> = SearchOf<Asked> & { readonly table: ParameterTable<Asked> };

/** Joins the parameters of the answer to those of the type, once. */
export function searchOf<Asked extends Results>(of: SearchOf<Asked>): Search<Asked> {
  return { ...of, table: { ...of.parameters, ...resultRows(of) } };
}

/** A search with the place of its page. */
export type PagedSearch<Asked> = SearchRead & {
  readonly asked: Asked;
  /** Whether to count all that match. */
  readonly count: boolean;
  readonly page: KeyedPage;
  readonly self: string;
  readonly first: string;
  /** The link to the page after this key. */
  readonly next: (after: PageKey) => string;
  /** The search in text, for the trace. */
  readonly query: string;
};

/** A resource as it is found: in JSON, and as entry of a searchset where it is written already. */
export type Hit = { readonly fullUrl: string; readonly resource: Uint8Array | string; readonly entry?: Uint8Array };

export type FoundHits = {
  readonly matches: readonly Hit[];
  /** Each once, and none of the matches. */
  readonly included?: readonly Hit[];
  readonly total?: number;
  /** The key of the last match, where more follow. */
  readonly next?: PageKey;
};

/**
 * Answers a search, be it asked by parameters or by a page link. A search of a patient who is unknown finds nothing.
 * @throws Refused parameterMalformed, parameterUnknown, pageLinkBroken, and what `find` throws
 */
export async function answerSearch<Asked extends Results>(
  exchange: Exchange,
  of: Search<Asked>,
  empty: () => Asked,
  find: (search: PagedSearch<Asked>) => Promise<FoundHits>,
): Promise<Answer> {
  const search = readPagedSearch(exchange, of, empty);
  const { total, next, ...found } = await orNothing(find(search), search.count);
  const { shown, count } = search.asked;
  const onlyTotal = shown === 'count' || count === 0;
  const matches = onlyTotal ? [] : found.matches;
  const included = onlyTotal ? [] : (found.included ?? []);
  return {
    body: searchset(
      {
        ...(search.count && total !== undefined && { total }),
        self: search.self,
        ...(search.page.after && { first: search.first }),
        ...(next && !onlyTotal && { next: search.next(next) }),
        entries: [
          ...matches.map((hit) => matchOf(hit, of.type, shown)),
          ...included.map(({ fullUrl, resource }) => entryOf(fullUrl, textOf(resource), 'include').bytes),
        ],
        warnings: search.warnings,
      },
      exchange.request.origin.requestId,
    ),
  };
}

function matchOf({ fullUrl, resource, entry }: Hit, type: string, shown: Shown | undefined): Uint8Array {
  if (shown === undefined) return entry ?? entryOf(fullUrl, textOf(resource)).bytes;
  return entryOf(fullUrl, subsetOf(type, textOf(resource), shown)).bytes;
}

function textOf(resource: Hit['resource']): string {
  return typeof resource === 'string' ? resource : Buffer.from(resource).toString();
}

async function orNothing(found: Promise<FoundHits>, count: boolean): Promise<FoundHits> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof Refused && error.problems[0]?.name === 'unknownPatient')
      return { matches: [], ...(count && { total: 0 }) };
    throw error;
  }
}

/** @throws Refused parameterMalformed, parameterUnknown, pageLinkBroken */
function readPagedSearch<Asked extends Results>(
  { method, parameters, base, linkKey, request: { caller }, strict }: Exchange,
  of: Search<Asked>,
  empty: () => Asked,
): PagedSearch<Asked> {
  const { type } = of;
  const token = parameters.find(([name]) => name === '_page')?.[1];
  const others = parameters.filter(([name]) => name !== '_page');
  const place = token === undefined ? undefined : readPageToken(linkKey, caller, type, token, others);
  const asked = empty();
  const given = place === undefined ? others : parametersOf(place.search);
  const search = readSearch(given, of.table, asked, strict);
  const text = queryString(search.used.filter(([name]) => !isOfForm(name)));
  const inForm = others.filter(([name]) => isOfForm(name));
  const form = inForm.length === 0 ? '' : `&${queryString(inForm)}`;
  const { count, total, shown, sort = [] } = asked;
  checkTogether(asked);
  const beyond = withoutScope(asked, caller);
  const isCounted = of.counted === 'always' ? total !== 'none' : total === 'accurate' || total === 'estimate';
  return {
    ...search,
    warnings: [...search.warnings, ...beyond],
    asked,
    count: isCounted || shown === 'count' || count === 0,
    page: {
      limit: shown === 'count' ? 0 : (count ?? usualCount),
      ascending: sort.length > 1 ? sort.map(({ ascending }) => ascending) : (sort[0]?.ascending ?? false),
      ...(place && { after: place.after }),
    },
    self:
      token === undefined
        ? `${base}/${type}?${queryString(search.used)}`
        : `${base}/${type}?${text}&_page=${token}${form}`,
    first: `${base}/${type}?${text}${form}`,
    next: (after) => `${base}/${type}?_page=${pageToken(linkKey, caller, type, { search: text, after })}${form}`,
    query: askedText(method, method === 'POST' ? `${type}/_search` : type, text),
  };
}

/** Leaves out what the token of the caller does not reach, and says so. */
function withoutScope(asked: Results, { scopes }: Caller): readonly Problem[] {
  const beyond = new Set<string>();
  const within = (direction: 'include' | 'revinclude') => (followed: string) => {
    const missing = scopeMissing(scopes, followed, direction);
    if (missing !== undefined) beyond.add(missing);
    return missing === undefined;
  };
  if (asked.includes !== undefined) asked.includes = asked.includes.filter(within('include'));
  if (asked.revIncludes !== undefined) asked.revIncludes = asked.revIncludes.filter(within('revinclude'));
  return [...beyond].map((detail) => problem('insufficientScope', { detail }));
}

function parametersOf(search: string): Given {
  return [...new URLSearchParams(search)];
}
