import { type Problem, problem, Refused } from '../domain/error.ts';
import type { PageKey } from '../usecases/paging.ts';
import { entryOf, pageToken, readPageToken, searchset } from './bundle.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import {
  type Given,
  isOfForm,
  type Paging,
  type Parameter,
  type ParameterTable,
  queryString,
  readSearch,
  type Search as SearchRead,
  usualCount,
} from './search.ts';
import { alternatives, unescaped } from './search-values.ts';
import { type Shown, subsetOf } from './subset.ts';

/** What a search says of its answer. */
export type Results = Paging & {
  /** A name of `sorts`; absent: the usual order. */
  sort?: { readonly by: string; readonly ascending: boolean };
  shown?: Shown;
  includes?: string[];
  revIncludes?: string[];
};

/** How one type is searched: all of it stands in the CapabilityStatement. */
export type SearchOf<Asked extends Results> = {
  readonly type: Exclude<Interaction['resource'], 'system'>;
  readonly parameters: ParameterTable<Asked>;
  /** What `_sort` may name; the first one, descending, is the usual order. */
  readonly sorts: readonly string[];
  /** Whether matches are counted always, or where `_total` asks for it. */
  readonly counted: 'always' | 'whenAsked';
  readonly includes: readonly string[];
  readonly revIncludes: readonly string[];
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
  readonly page: { readonly after?: PageKey; readonly limit: number; readonly ascending: boolean };
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
  { parameters, base, linkKey, request: { caller }, strict }: Exchange,
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
  const { count, total, shown, sort } = asked;
  checkTogether(asked);
  const isCounted = of.counted === 'always' ? total !== 'none' : total === 'accurate' || total === 'estimate';
  return {
    ...search,
    asked,
    count: isCounted || shown === 'count' || count === 0,
    page: {
      limit: shown === 'count' ? 0 : (count ?? usualCount),
      ascending: sort?.ascending ?? false,
      ...(place && { after: place.after }),
    },
    self:
      token === undefined
        ? `${base}/${type}?${queryString(search.used)}`
        : `${base}/${type}?${text}&_page=${token}${form}`,
    first: `${base}/${type}?${text}${form}`,
    next: (after) => `${base}/${type}?_page=${pageToken(linkKey, caller, type, { search: text, after })}${form}`,
    query: `${type}?${text}`,
  };
}

function parametersOf(search: string): Given {
  return [...new URLSearchParams(search)];
}

const none: readonly Problem[] = [];
const wrong = (attribute: string, value: string, detail: string) => [
  problem('parameterMalformed', { attribute, value, detail }),
];

/** FHIR R4 search.html#include: text alone has no references to follow. @throws Refused parameterMalformed */
function checkTogether({ shown, includes = [], revIncludes = [] }: Results): void {
  if (shown === 'text' && includes.length + revIncludes.length > 0)
    throw new Refused(wrong('_summary', 'text', '_summary=text goes without _include and _revinclude'));
}

/** The parameters of the answer. FHIR R4 search.html#return. */
function resultRows({ sorts, includes, revIncludes }: Pick<SearchOf<Results>, 'sorts' | 'includes' | 'revIncludes'>) {
  return {
    _sort: sortRow(sorts),
    _include: includeRow(includes, 'includes'),
    _revinclude: includeRow(revIncludes, 'revIncludes'),
    _summary: {
      type: 'token',
      read(value, asked, name) {
        if (value === 'false') return none;
        if (value !== 'true' && value !== 'text' && value !== 'data' && value !== 'count')
          return wrong(name, value, 'true, text, data, count or false is expected');
        if (asked.shown !== undefined) return wrong(name, value, 'one _summary or _elements is expected');
        asked.shown = value;
        return none;
      },
    },
    _elements: {
      type: 'string',
      read(value, asked, name) {
        const elements = value.split(',').map((element) => element.trim());
        if (!elements.every((element) => /^[A-Za-z]+(\.[A-Za-z]+)*$/.test(element)))
          return wrong(name, value, 'names of elements are expected');
        if (typeof asked.shown === 'string') return wrong(name, value, 'one _summary or _elements is expected');
        asked.shown = [...(asked.shown ?? []), ...elements];
        return none;
      },
    },
    _contained: fixed('false'),
    _containedType: fixed('container'),
  } satisfies ParameterTable<Results>;
}

/** A parameter of which one value is served, which is its default. */
function fixed(only: string): Parameter<Results> {
  return {
    type: 'token',
    read: (value, _asked, name) => (value === only ? none : wrong(name, value, `the only value served is ${only}`)),
  };
}

function sortRow(sorts: readonly string[]): Parameter<Results> {
  return {
    type: 'string',
    read(value, asked, name) {
      const by = value.replace(/^-/, '');
      if (!sorts.includes(by) || asked.sort !== undefined)
        return wrong(name, value, `one of ${sorts.flatMap((sort) => [sort, `-${sort}`]).join(', ')} is expected`);
      asked.sort = { by, ascending: !value.startsWith('-') };
      return none;
    },
  };
}

function includeRow(served: readonly string[], into: 'includes' | 'revIncludes'): Parameter<Results> {
  return {
    type: 'string',
    read(value, asked, name) {
      const all = alternatives(value).map(unescaped);
      // What is included names its target type where it likes.
      const known = all.map((one) => served.find((each) => one === each || one.startsWith(`${each}:`)));
      if (served.length === 0 || known.includes(undefined))
        return wrong(name, value, served.length === 0 ? 'none is served here' : `${served.join(' or ')} is expected`);
      asked[into] = [...(asked[into] ?? []), ...known.flatMap((one) => one ?? [])];
      return none;
    },
  };
}
