import { Refused } from '../domain/error.ts';
import { malformed, none } from './malformed.ts';
import type { Paging, Parameter, ParameterTable } from './search.ts';
import { alternatives, unescaped } from './search-values.ts';
import type { Shown } from './subset.ts';

/** What a search says of its answer. */
export type Results = Paging & {
  /** Names of `sorts`, the first one first; absent: the usual order. */
  sort?: readonly { readonly by: string; readonly ascending: boolean }[];
  shown?: Shown;
  includes?: string[];
  revIncludes?: string[];
};

/** FHIR R4 search.html#include: text alone has no references to follow. @throws Refused parameterMalformed */
export function checkTogether({ shown, includes = [], revIncludes = [] }: Results): void {
  if (shown === 'text' && includes.length + revIncludes.length > 0)
    throw new Refused(malformed('_summary', 'text', '_summary=text goes without _include and _revinclude'));
}

/** What may be asked of the answer. */
export type Served = {
  /** What `_sort` may name; the first one, descending, is the usual order. */
  readonly sorts: readonly string[];
  /** Whether it may name several of them, each within the one before. */
  readonly sortsWithin?: true;
  readonly includes: readonly string[];
  readonly revIncludes: readonly string[];
};

/** How much is shown of each resource. FHIR R4 search.html#summary, #elements. */
export const shownRows = {
  _summary: {
    type: 'token',
    read(value, asked, name) {
      if (value === 'false') return none;
      if (value !== 'true' && value !== 'text' && value !== 'data' && value !== 'count')
        return malformed(name, value, 'true, text, data, count or false is expected');
      if (asked.shown !== undefined) return malformed(name, value, 'one _summary or _elements is expected');
      asked.shown = value;
      return none;
    },
  },
  _elements: {
    type: 'string',
    read(value, asked, name) {
      const elements = value.split(',').map((element) => element.trim());
      if (!elements.every((element) => /^[A-Za-z]+(\.[A-Za-z]+)*$/.test(element)))
        return malformed(name, value, 'names of elements are expected');
      if (typeof asked.shown === 'string') return malformed(name, value, 'one _summary or _elements is expected');
      asked.shown = [...(asked.shown ?? []), ...elements];
      return none;
    },
  },
} satisfies ParameterTable<Results>;

/** The parameters of the answer. FHIR R4 search.html#return. */
export function resultRows({ sorts, sortsWithin, includes, revIncludes }: Served) {
  return {
    _sort: sortRow(sorts, sortsWithin === true ? sorts.length : 1),
    _include: includeRow(includes, 'includes'),
    _revinclude: includeRow(revIncludes, 'revIncludes'),
    ...shownRows,
    _contained: fixed('false'),
    _containedType: fixed('container'),
  } satisfies ParameterTable<Results>;
}

/** A parameter of which one value is served, which is its default. */
function fixed(only: string): Parameter<Results> {
  return {
    type: 'token',
    read: (value, _asked, name) => (value === only ? none : malformed(name, value, `the only value served is ${only}`)),
  };
}

function sortRow(sorts: readonly string[], most: number): Parameter<Results> {
  const expected = `${most > 1 ? 'some' : 'one'} of ${sorts.flatMap((sort) => [sort, `-${sort}`]).join(', ')} is expected, once each`;
  return {
    type: 'string',
    read(value, asked, name) {
      const orders = value.split(',').map((one) => ({ by: one.replace(/^-/, ''), ascending: !one.startsWith('-') }));
      const names = new Set(orders.map(({ by }) => by));
      const isKnown = orders.every(({ by }) => sorts.includes(by)) && names.size === orders.length;
      if (!isKnown || orders.length > most || asked.sort !== undefined) return malformed(name, value, expected);
      asked.sort = orders;
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
      const known = all.flatMap((one): readonly (string | undefined)[] =>
        one === '*' ? served : [served.find((each) => one === each || one.startsWith(`${each}:`))],
      );
      if (served.length === 0 || known.includes(undefined))
        return malformed(
          name,
          value,
          served.length === 0 ? 'none is served here' : `${served.join(' or ')} is expected`,
        );
      asked[into] = [...(asked[into] ?? []), ...known.flatMap((one) => one ?? [])];
      return none;
    },
  };
}
