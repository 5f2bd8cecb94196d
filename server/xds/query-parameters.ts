import { type Problem, type ProblemName, problem } from '../domain/error.ts';
import { readCx } from '../domain/hl7v2.ts';
import type { Identifier } from '../domain/identifier.ts';
import { earliest, isDtm } from '../domain/time.ts';
import type { CodeMatch, TimeRange } from '../store/port.ts';
import { attributeOf, childrenOf, type XmlElement } from '../xml/element.ts';
import { keyOf } from './ebrim/registry-object.ts';
import { slotValues } from './only-child.ts';
import { type Literal, readCodeMatch, readLiterals } from './query-values.ts';
import { namespace } from './vocabulary.ts';

const { rim } = namespace;

/**
 * How a parameter is coded and how often it may come: one value; `many` values in one slot (OR); `and`: several slots, each an OR.
 * IHE ITI TF-2 3.18.4.1.2.3.
 */
export type Parameter = {
  readonly type: 'text' | 'code' | 'dtm' | 'level' | 'patient';
  readonly many?: true;
  readonly and?: true;
  readonly required?: true;
};
export type Parameters = Readonly<Record<string, Parameter>>;

/**
 * How many values one parameter may have in all its slots: each is compared with every object of a record. Names of objects are looked up, as many
 * as a message holds.
 */
const mostValues = 500;
/** How long one value may be: four times what any attribute can be. ebRIM 3.0 (LongName). */
const longestValue = 1024;
const namesObjects = /(?:uuid|UniqueId|LogicalID)$/i;

/** The parameters of one query as they were sent, checked against what the query allows. */
export class GivenParameters {
  readonly problems: Problem[] = [];
  /** One list of values for each slot; malformed ones are left out. */
  readonly #given = new Map<string, string[][]>();

  /** Parameters that are not allowed for are left out. */
  constructor(allowed: Parameters, query: XmlElement) {
    for (const slot of childrenOf(query, rim, 'Slot')) {
      const name = attributeOf(slot, 'name')?.trim() ?? '';
      const parameter = Object.hasOwn(allowed, name) ? allowed[name] : undefined;
      if (parameter !== undefined) this.#take(name, parameter, slot);
    }
    for (const [name, { required }] of Object.entries(allowed))
      if (required === true && !this.has(name)) this.report('queryParameterMissing', name);
  }

  report(name: ProblemName, attribute: string, value?: string, detail?: string): void {
    this.problems.push(
      problem(name, { attribute, ...(value !== undefined && { value }), ...(detail !== undefined && { detail }) }),
    );
  }

  has(name: string): boolean {
    return this.#given.has(name);
  }

  /** All values of a parameter that comes in one slot. */
  texts(name: string): readonly string[] {
    return this.#given.get(name)?.flat() ?? [];
  }

  /** The field `patient` for the parameter; nothing when it is not given. */
  patient(name: string): { readonly patient?: Identifier } {
    const [text] = this.texts(name);
    return this.#field('patient', text === undefined ? undefined : identifierOf(text));
  }

  /** The identities that a parameter of several names. */
  patients(name: string): readonly Identifier[] {
    return this.texts(name).flatMap((text) => identifierOf(text) ?? []);
  }

  /**
   * The names that a table gives to the URNs of a parameter; unknown URNs are ignored, and a parameter of which none is left counts as
   * missing. undefined when it is not given.
   */
  known<K extends string>(name: string, table: Readonly<Record<K, string>>): readonly K[] | undefined {
    if (!this.has(name)) return undefined;
    const urns = this.texts(name);
    const found = urns.flatMap((urn) => keyOf(table, urn) ?? []);
    if (found.length === 0 && urns.length > 0)
      this.report('queryParameterMissing', name, undefined, 'no value in it is known');
    return found;
  }

  /** $MetadataLevel; 1 where it is not given. IHE Metadata Update. */
  level(): 1 | 2 {
    return this.texts('$MetadataLevel').includes('2') ? 2 : 1;
  }

  /** A filter's field for a parameter of texts. */
  list<K extends string>(field: K, name: string): { readonly [key in K]?: readonly string[] } {
    return this.#field(field, this.has(name) ? this.texts(name) : undefined);
  }

  /** The same for one that is a conjunction of slots. */
  groups<K extends string>(field: K, name: string): { readonly [key in K]?: readonly (readonly string[])[] } {
    return this.#field(field, this.#given.get(name));
  }

  /** A filter's field for a coded parameter; nothing when it is not given. */
  codes<K extends string>(field: K, name: string): { readonly [key in K]?: readonly CodeMatch[] } {
    return this.#field(field, this.has(name) ? codeMatches(this.texts(name)) : undefined);
  }

  /** The same for one that is a conjunction of slots. */
  codeGroups<K extends string>(field: K, name: string): { readonly [key in K]?: readonly (readonly CodeMatch[])[] } {
    return this.#field(field, this.#given.get(name)?.map(codeMatches));
  }

  /** A filter's field for the parameters `…From` and `…To`: from ≤ value < to, both filled up to 14 digits with the lowest value. */
  range<K extends string>(field: K, name: string): { readonly [key in K]?: TimeRange } {
    const [from] = this.texts(`${name}From`);
    const [to] = this.texts(`${name}To`);
    if (from === undefined && to === undefined) return this.#field<K, TimeRange>(field, undefined);
    return this.#field(field, {
      ...(from !== undefined && { from: earliest(from) }),
      ...(to !== undefined && { to: earliest(to) }),
    });
  }

  #field<K extends string, V>(field: K, value: V | undefined): { readonly [key in K]?: V } {
    // A computed key loses its name in the type.
    return (value === undefined ? {} : { [field]: value }) as { readonly [key in K]?: V };
  }

  #take(name: string, parameter: Parameter, slot: XmlElement): void {
    const sent = slotValues(slot);
    if (sent.length === 0) return;
    const before = this.#given.get(name);
    const values = sent.flatMap((value) => this.#read(name, parameter, value));
    if (before !== undefined && parameter.and !== true)
      this.report('queryParameterRepeated', name, undefined, 'several slots');
    if (values.length > 1 && parameter.many !== true)
      this.report('queryParameterRepeated', name, undefined, 'several values');
    const all = [...(before ?? []), values];
    const isMany = all.reduce((count, { length }) => count + length, 0) > mostValues && !namesObjects.test(name);
    if (isMany) this.report('queryParameterRepeated', name, undefined, `${mostValues} are the most`);
    this.#given.set(name, isMany ? [] : all);
  }

  #read(name: string, { type }: Parameter, value: string): string[] {
    const literals = readLiterals(value);
    const isRead = literals?.every((l) => isOfType[type](l)) === true;
    if (isRead && literals.every(({ text }) => text.length <= longestValue)) return literals.map(({ text }) => text);
    const detail = isRead ? `one value has more than ${longestValue} characters` : `it has to be ${forms[type]}`;
    this.report('queryParameterMalformed', name, value.trim(), detail);
    return [];
  }
}

/** The query in one line, for the trace. */
export function queryText(name: string, element: XmlElement): string {
  const slots = childrenOf(element, rim, 'Slot').map((slot) => {
    return `${attributeOf(slot, 'name')?.trim() ?? ''}=${slotValues(slot)
      .map((value) => value.trim())
      .join(',')}`;
  });
  return [name, ...slots].join(' ');
}

const isOfType: Readonly<Record<Parameter['type'], (literal: Literal) => boolean>> = {
  text: ({ quoted }) => quoted,
  code: ({ text, quoted }) => quoted && readCodeMatch(text) !== undefined,
  dtm: ({ text }) => isDtm(text),
  level: ({ text }) => text === '1' || text === '2',
  patient: ({ text, quoted }) => quoted && identifierOf(text) !== undefined,
};

const forms: Readonly<Record<Parameter['type'], string>> = {
  text: "'text', or a list of them in parentheses",
  code: "('code^^scheme')",
  dtm: 'a real date and time YYYY[MM[DD[hh[mm[ss]]]]]',
  level: '1 or 2',
  patient: "'id^^^&OID&ISO'",
};

function codeMatches(texts: readonly string[]): CodeMatch[] {
  return texts.flatMap((text) => readCodeMatch(text) ?? []);
}

/** The identity in a CX; its type and the date of component 7 are none. */
function identifierOf(text: string): Identifier | undefined {
  const cx = readCx(text);
  return cx?.authority.oid === undefined ? undefined : { value: cx.id, oid: cx.authority.oid };
}
