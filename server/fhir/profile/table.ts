import frCore from '../../../profiles/fhir/constraints/fr-core.json' with { type: 'json' };
import balp from '../../../profiles/fhir/constraints/ihe-balp.json' with { type: 'json' };
import mhd from '../../../profiles/fhir/constraints/ihe-mhd.json' with { type: 'json' };
import pcf from '../../../profiles/fhir/constraints/ihe-pcf.json' with { type: 'json' };
import pdqm from '../../../profiles/fhir/constraints/ihe-pdqm.json' with { type: 'json' };
import pixm from '../../../profiles/fhir/constraints/ihe-pixm.json' with { type: 'json' };
import own from '../../../profiles/fhir/constraints/opendmp.json' with { type: 'json' };
import pdsm from '../../../profiles/fhir/constraints/pdsm.json' with { type: 'json' };
import type { RuleName } from './rules.ts';

/** What a profile asks of one element. Everything but the path may be missing; what stands holds of each element that the path finds. */
export type Constraint = {
  /** In the notation of `path.ts`; empty for the resource itself. */
  readonly path: string;
  /** How many there are below each parent: `1..1`, `0..*`. */
  readonly card?: string | undefined;
  /** One of these codes, whatever kind of coded element it is. */
  readonly codes?: readonly string[] | undefined;
  /** Of the code. */
  readonly system?: string | undefined;
  /** Of the code. */
  readonly display?: string | undefined;
  readonly value?: string | boolean | undefined;
  /** How the text begins. */
  readonly starts?: string | undefined;
  /** The reference is to one of these types. */
  readonly targets?: readonly string[] | undefined;
  /** The reference is to a contained resource. */
  readonly contained?: boolean | undefined;
  /** An invariant of `rules.ts`, and what it asks for. */
  readonly rule?: RuleName | undefined;
  readonly says?: string | undefined;
  /** `error` unless said. */
  readonly severity?: 'warning' | undefined;
  /** The attribute of XDS that the element carries, where the path does not say it. */
  readonly xds?: string | undefined;
};

/** A slice of the entries of a Bundle, told apart by type, method and kind of list. */
export type Entries = {
  readonly slice: string;
  readonly resource: string;
  readonly list?: 'submissionset' | 'folder' | undefined;
  readonly methods?: readonly string[] | undefined;
  readonly card: string;
  /** What the resource obeys. */
  readonly profile?: string | undefined;
};

export type Profile = {
  readonly url: string;
  /** The guide and its version. */
  readonly guide: string;
  /** The type that it constrains. */
  readonly type: string;
  /** Whose constraints hold too. */
  readonly parent?: string;
  /** With `closed` no entry is outside of the slices. */
  readonly closed: boolean;
  readonly entries: readonly Entries[];
  readonly constraints: readonly Constraint[];
  /** Addresses of extensions by the names that paths use. */
  readonly extensions: Readonly<Record<string, string>>;
};

type Written = {
  readonly guide: string;
  readonly extensions: Readonly<Record<string, string>>;
  readonly profiles: readonly {
    readonly url: string;
    readonly type: string;
    readonly parent?: string | undefined;
    readonly closed?: boolean | undefined;
    readonly entries?: readonly unknown[] | undefined;
    readonly rules: readonly unknown[];
  }[];
};

/**
 * The constraints of the guides' profiles on what is read and written here: the one table from which the checker and docs/fhir-profiles.md come.
 * Its files are profiles/fhir/constraints/*.json.
 */
export const profileTable: readonly Profile[] = [mhd, pdsm, pcf, pdqm, pixm, frCore, balp, own].flatMap(
  ({ guide, extensions, profiles }: Written) =>
    profiles.map(({ url, type, parent, closed = false, entries = [], rules }) => ({
      url,
      guide,
      type,
      closed,
      // The files are ours; a test reads every row of them.
      entries: entries as readonly Entries[],
      constraints: rules as readonly Constraint[],
      extensions,
      ...(parent !== undefined && { parent }),
    })),
);

/** `1..*` as two numbers. */
export function cardinality(card: string): { readonly min: number; readonly max: number } {
  const [min = '', max = ''] = card.split('..');
  return { min: Number(min), max: max === '*' ? Number.POSITIVE_INFINITY : Number(max) };
}

/** The last part of the address. */
export function nameOf(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}
