import type { Permit } from '../domain/decision.ts';
import { type Criteria, filterOf, type HolderFilter, isNarrow, matchesCriteria } from '../domain/demographics.ts';
import { refuse } from '../domain/error.ts';
import { sortIdentifiers } from '../domain/fed-identity.ts';
import type { Identifier } from '../domain/identifier.ts';
import { insOids } from '../domain/ins.ts';
import { type Candidate, graded, type Match, namesakesOf } from '../domain/match.ts';
import type { PatientRecord, Traits } from '../domain/record.ts';
import type { FoundHolder } from '../store/port.ts';
import { type Keyed, type KeyedPage, type PageKey, pageOf } from './paging.ts';
import { judgeElsewhere, perform, type Request, shortened, type Tools } from './perform.ts';

/** So many holders are looked at: a search that finds more in the index says too little. */
const mostCandidates = 1000;

/** By what patients can be ordered. */
export type PatientOrder = 'changed' | 'family' | 'given' | 'birthDate';

export type PatientQuestion = {
  readonly criteria: Criteria;
  /** The first one first, each within the one before. */
  readonly orders: readonly PatientOrder[];
  readonly page: KeyedPage;
  /** The question as it was asked, for the trace. */
  readonly query: string;
};

/**
 * Patients by their traits, and how many these are in all. Each record is judged on its own: one that the caller may not know of is left out
 * of pages and total. The history of each patient who is shown tells of it. IHE PDQm, ITI-78; DMP TD0.5.
 * @throws Refused `domainUnknown`, `searchTooBroad`, and what the decision refuses
 */
export async function findPatients(
  tools: Tools,
  request: Request,
  { criteria, orders, page, query }: PatientQuestion,
): Promise<Keyed<PatientRecord> & { readonly total: number }> {
  return perform(tools, request, 'searchPatients', 'none', async (permit) => {
    for (const oid of criteria.authorities.flat())
      if (!(await isPatientDomain(tools, oid))) refuse('domainUnknown', { value: `urn:oid:${oid}` });
    const candidates = await candidatesOf(tools, permit, criteria);
    const found = (await judged(tools, request, candidates))
      .filter(({ record }) => matchesCriteria(record, criteria))
      .map((one) => ({ ...one, key: keyOf(one, orders) }));
    const { items, next } = pageOf(found, page);
    return {
      answer: { items: items.map(({ record }) => record), total: found.length, ...(next && { next }) },
      trace: { query: shortened(query) },
      also: items.map(({ permit: own }) => ({ permit: own })),
    };
  });
}

function keyOf({ record, position }: Candidate, orders: readonly PatientOrder[]): PageKey {
  const places = orders.map((order) => (order === 'changed' ? (record.changedAt ?? 0) : record.traits[order]));
  return [...places, position];
}

/**
 * Who a person can be by her traits, the best match first. Each record is judged on its own, as in a search. IHE PDQm, ITI-119.
 * @throws Refused `searchTooBroad`, and what the decision refuses
 */
export async function matchPatients(
  tools: Tools,
  request: Request,
  asked: {
    readonly traits: Partial<Traits>;
    readonly onlyCertain: boolean;
    readonly limit: number;
    readonly query: string;
  },
): Promise<readonly Match[]> {
  return perform(tools, request, 'searchPatients', 'none', async (permit) => {
    const filters = namesakesOf(asked.traits);
    if (filters.length === 0) refuse('searchTooBroad');
    const found = new Map<string, FoundHolder>();
    for (const filter of filters)
      for (const holder of await holdersOf(tools, permit, filter)) found.set(holder.record, holder);
    const candidates = await judged(tools, request, [...found.values()]);
    const matches = graded(asked.traits, candidates)
      .filter(({ grade }) => !asked.onlyCertain || grade === 'certain')
      .slice(0, asked.limit);
    const shown = new Set(matches.map(({ record }) => record.id));
    return {
      answer: matches,
      trace: { query: shortened(asked.query) },
      also: candidates.filter(({ record }) => shown.has(record.id)).map(({ permit: own }) => ({ permit: own })),
    };
  });
}

/** Whether patients here are named by this authority. IHE ITI TF-1, patient identification domain. */
export async function isPatientDomain({ settings, store }: Tools, oid: string): Promise<boolean> {
  const { identity } = settings.domain;
  if (identity.kind === 'ins') return settings.insOids.includes(oid) || oid === insOids.calculated;
  return identity.listed.includes(oid) || (identity.fed && store.facts.isAuthority(oid));
}

/** Those of the identifiers by which records are found here. */
export function findingIdentifiers({ settings }: Tools, identifiers: readonly Identifier[]): readonly Identifier[] {
  const { ours, calculated } = sortIdentifiers(identifiers, settings);
  return [...ours, ...calculated];
}

/** Those named by id or identifier, or those whom the index finds. */
async function candidatesOf(tools: Tools, permit: Permit, criteria: Criteria): Promise<readonly FoundHolder[]> {
  const { facts } = tools.store;
  const [ids] = criteria.ids;
  const [identifiers] = criteria.identifiers;
  if (ids === undefined && identifiers === undefined) {
    if (!isNarrow(criteria)) refuse('searchTooBroad');
    return holdersOf(tools, permit, filterOf(criteria));
  }
  const named =
    ids === undefined
      ? await Promise.all((identifiers ?? []).map(async (id) => (await facts.recordByIdentifier(id))?.record.id))
      : ids;
  const distinct = [...new Set(named.flatMap((id) => id ?? []))];
  return distinct.map((record, index) => ({ record, position: distinct.length - index }));
}

async function holdersOf({ store }: Tools, permit: Permit, filter: HolderFilter): Promise<readonly FoundHolder[]> {
  const found = await store.read.recordsOfHolders(permit, filter, mostCandidates + 1);
  if (found.length > mostCandidates)
    refuse('searchTooBroad', { detail: `it finds more than ${mostCandidates} patients` });
  return found;
}

/** The records that the caller may know of, newest first. */
async function judged(
  tools: Tools,
  request: Request,
  holders: readonly FoundHolder[],
): Promise<readonly (Candidate & { readonly permit: Permit })[]> {
  const all = await Promise.all(
    holders.map(async ({ record, position }) => {
      const here = await judgeElsewhere(tools, request, 'searchPatients', record);
      return here === undefined ? [] : [{ record: here.facts.record, position, permit: here.permit }];
    }),
  );
  return all.flat().sort((a, b) => b.position - a.position);
}
