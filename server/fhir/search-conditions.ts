import { malformed, none } from './malformed.ts';
import type { Parameter, ParameterTable } from './search.ts';
import {
  alternatives,
  folded,
  isToken,
  type Lasting,
  passesDate,
  readDate,
  readToken,
  type Token,
  unescaped,
} from './search-values.ts';

/** What is asked of each object itself; all of it must hold. `now` in milliseconds. */
export type Conditions<Subject> = { readonly now: number; readonly tests: ((subject: Subject) => boolean)[] };

type Value = { readonly system?: string; readonly code: string };
type Table<Subject> = ParameterTable<Conditions<Subject>>;
type Row<Subject> = Parameter<Conditions<Subject>>;

/** Whether the object says anything of it. FHIR R4 search.html#modifiers. */
export function missing<Subject>(type: Row<Subject>['type'], has: (subject: Subject) => boolean): Row<Subject> {
  return {
    type,
    read(value, { tests }, name) {
      if (value !== 'true' && value !== 'false') return malformed(name, value, 'true or false is expected');
      tests.push((subject) => has(subject) !== (value === 'true'));
      return none;
    },
  };
}

/** The alternatives of a token parameter; undefined where one names neither system nor code. */
export function readTokens(value: string): Token[] | undefined {
  const tokens = alternatives(value).map(readToken);
  return tokens.every(({ system = '', code }) => system !== '' || code !== '') ? tokens : undefined;
}

/** A code whose system FHIR fixes, as tokens find it: by the code alone, and under that system. FHIR R4 search.html#token. */
export function fixed(code: string, systems: readonly string[]): readonly Value[] {
  return [{ code }, ...systems.map((system) => ({ system, code }))];
}

/** A token parameter with `:not` and `:missing`. */
export function tokenRows<Subject>(
  name: string,
  documentation: string,
  of: (subject: Subject) => readonly Value[],
): Table<Subject> {
  const row = (wanted: boolean): Row<Subject> => ({
    type: 'token',
    read(value, { tests }, attribute) {
      const tokens = readTokens(value);
      if (tokens === undefined) return malformed(attribute, value, 'code or system|code is expected');
      tests.push((subject) => of(subject).some((one) => tokens.some((token) => isToken(one, token))) === wanted);
      return none;
    },
  });
  return {
    [name]: { ...row(true), documentation },
    [`${name}:not`]: row(false),
    [`${name}:missing`]: missing('token', (subject) => of(subject).length > 0),
  };
}

/** A string parameter with `:exact`, `:contains` and `:missing`; by itself it begins the text, whatever case and accents. */
export function stringRows<Subject>(
  name: string,
  documentation: string,
  of: (subject: Subject) => readonly string[],
): Table<Subject> {
  const row = (passes: (text: string, wanted: string) => boolean): Row<Subject> => ({
    type: 'string',
    read(value, { tests }, attribute) {
      const texts = alternatives(value).map(unescaped);
      if (texts.some((text) => text.trim() === '')) return malformed(attribute, value, 'a text is expected');
      tests.push((subject) => of(subject).some((text) => texts.some((wanted) => passes(text, wanted))));
      return none;
    },
  });
  return {
    [name]: {
      ...row((text, wanted) => folded(text).startsWith(folded(wanted.trim()))),
      documentation,
    },
    [`${name}:exact`]: row((text, wanted) => text === wanted),
    [`${name}:contains`]: row((text, wanted) => folded(text).includes(folded(wanted.trim()))),
    [`${name}:missing`]: missing('string', (subject) => of(subject).length > 0),
  };
}

/** A date parameter with every prefix, alternatives, and `:missing`. */
export function dateRows<Subject>(
  name: string,
  documentation: string,
  of: (subject: Subject) => Lasting | undefined,
): Table<Subject> {
  return {
    [name]: {
      type: 'date',
      documentation,
      read(value, { tests, now }, attribute) {
        const dates = alternatives(value).map(readDate);
        const known = dates.filter((date) => date !== undefined);
        if (known.length < dates.length)
          return malformed(attribute, value, 'dates with eq, ne, ge, gt, le, lt, sa, eb or ap are expected');
        tests.push((subject) => {
          const lasting = of(subject);
          return lasting !== undefined && known.some((date) => passesDate(lasting, date, now));
        });
        return none;
      },
    },
    [`${name}:missing`]: missing('date', (subject) => of(subject) !== undefined),
  };
}

/** What an object refers to: by address below the base, as `Practitioner/1`, and by identifier. */
export type Referred = { readonly references: readonly string[]; readonly identifiers: readonly Value[] };

/** A reference parameter, with `:identifier`, the chain `.identifier`, `:missing`, and `:Type` for the types that are referred to. */
export function referenceRows<Subject>(
  name: string,
  documentation: string,
  of: (subject: Subject) => Referred,
  types: readonly string[],
): ParameterTable<Conditions<Subject> & { readonly base: string }> {
  const byIdentifier: Row<Subject> = {
    type: 'token',
    read(value, { tests }, attribute) {
      const tokens = readTokens(value);
      if (tokens === undefined) return malformed(attribute, value, 'system|value or value is expected');
      tests.push((subject) => of(subject).identifiers.some((one) => tokens.some((token) => isToken(one, token))));
      return none;
    },
  };
  const literal = (allowed: readonly string[]): Parameter<Conditions<Subject> & { readonly base: string }> => ({
    type: 'reference',
    read(value, { tests, base }, attribute) {
      const wanted = alternatives(value).map((text) => placesOf(text, base, allowed));
      if (wanted.some((places) => places === undefined))
        return malformed(attribute, value, '<type>/<id> or <id> is expected');
      const all = new Set(wanted.flatMap((places) => places ?? []));
      tests.push((subject) => of(subject).references.some((reference) => all.has(reference)));
      return none;
    },
  });
  return {
    [name]: { ...literal(types), documentation },
    ...Object.fromEntries(types.map((type) => [`${name}:${type}`, literal([type])])),
    [`${name}:identifier`]: byIdentifier,
    [`${name}.identifier`]: byIdentifier,
    ...Object.fromEntries(types.map((type) => [`${name}:${type}.identifier`, byIdentifier])),
    [`${name}:missing`]: missing('reference', (subject) => {
      const { references, identifiers } = of(subject);
      return references.length + identifiers.length > 0;
    }),
  };
}

/** What a reference may name; undefined for what is none. A version is left aside. FHIR R4 search.html#reference. */
function placesOf(text: string, base: string, types: readonly string[]): string[] | undefined {
  const plain = unescaped(text);
  const local = plain.startsWith(`${base}/`) ? plain.slice(base.length + 1) : plain;
  const [, type, id] =
    /^(?:([A-Z][A-Za-z]+)\/)?([A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/.exec(local) ?? [];
  if (id === undefined) return /^[a-z][a-z0-9+.-]*:/i.test(local) ? [local] : undefined;
  return type === undefined ? types.map((one) => `${one}/${id}`) : [`${type}/${id}`];
}
