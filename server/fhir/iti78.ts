import type { Patient } from 'fhir/r4.js';
import type { Criteria } from '../domain/demographics.ts';
import type { ProblemName } from '../domain/error.ts';
import { Refused } from '../domain/error.ts';
import type { Identifier } from '../domain/identifier.ts';
import type { PatientRecord } from '../domain/record.ts';
import { findPatients, type PatientOrder } from '../usecases/find-patients.ts';
import { pageOf } from '../usecases/paging.ts';
import { readPatient, testExistence } from '../usecases/patient.ts';
import { type Answer, type Exchange, type Interaction, searchesOf } from './exchange.ts';
import { existenceOf, patientOf } from './map/patient.ts';
import { answerSearch, type FoundHits, type Hit, type PagedSearch } from './paged-search.ts';
import { emptyQuestion, type PatientQuestion, patientSearch } from './patient-search.ts';

const type = 'Patient';

/**
 * Patients by identifier alone are the existence test, by id alone reads; anything else is a search by traits. IHE PDQm, ITI-78; DMP TD0.2.
 */
async function search(exchange: Exchange): Promise<Answer> {
  return answerSearch(exchange, patientSearch, emptyQuestion, async (asked) => {
    const { criteria } = asked.asked;
    const [named] = criteria.identifiers;
    if (named !== undefined && isAlone(criteria, 'identifiers')) return existing(exchange, asked, named);
    const [ids] = criteria.ids;
    if (ids !== undefined && isAlone(criteria, 'ids')) return readAll(exchange, asked, ids);
    return byTraits(exchange, asked);
  });
}

/** Whether one list of these is all that is asked, besides whether the record is open. */
function isAlone({ active: _active, changed, ...lists }: Criteria, only: 'identifiers' | 'ids'): boolean {
  const isOpen = changed.from === undefined && changed.to === undefined;
  const counts = Object.entries(lists).map(([name, list]) => (name === only ? list.length === 1 : list.length === 0));
  return isOpen && counts.every(Boolean);
}

type Asked = PagedSearch<PatientQuestion>;

/** What a search leaves out: who is unknown to the caller. */
const leftOut: ReadonlySet<ProblemName> = new Set([
  'unknownPatient',
  'accessDenied',
  'recordClosed',
  'patientDiffersFromCredential',
]);

async function existing(exchange: Exchange, asked: Asked, named: readonly Identifier[]): Promise<FoundHits> {
  const found = new Map<string, PatientHit>();
  for (const identifier of named) {
    const test = testExistence(exchange.tools, exchange.request, identifier, asked.query);
    const existence = await orAbsent(test, ['unknownPatient']);
    if (existence !== undefined && !found.has(existence.record.id))
      found.set(existence.record.id, { record: existence.record, ...hitOf(exchange, existenceOf(existence)) });
  }
  return pageOfHits([...found.values()], asked);
}

async function readAll(exchange: Exchange, asked: Asked, ids: readonly string[]): Promise<FoundHits> {
  const found: PatientHit[] = [];
  for (const id of new Set(ids)) {
    const holder = await orAbsent(readPatient(exchange.tools, exchange.request, id), leftOut);
    if (holder === undefined) continue;
    found.push({ record: holder.record, ...hitOf(exchange, patientOf(holder.record, holder.treatingDoctors)) });
  }
  return pageOfHits(found, asked);
}

async function byTraits(exchange: Exchange, { asked, page, query }: Asked): Promise<FoundHits> {
  const { criteria, sort = [{ by: '' }] } = asked;
  const question = { criteria, orders: sort.map(({ by }) => orders.get(by) ?? 'changed'), page, query };
  const { items, total, next } = await findPatients(exchange.tools, exchange.request, question);
  return { matches: items.map((record) => hitOf(exchange, patientOf(record))), total, ...(next && { next }) };
}

const orders: ReadonlyMap<string, PatientOrder> = new Map([
  ['family', 'family'],
  ['given', 'given'],
  ['birthdate', 'birthDate'],
]);

async function orAbsent<T>(found: Promise<T>, absent: Iterable<ProblemName>): Promise<T | undefined> {
  const names = new Set(absent);
  try {
    return await found;
  } catch (error) {
    const [first] = error instanceof Refused ? error.problems : [];
    if (first !== undefined && names.has(first.name)) return undefined;
    throw error;
  }
}

type PatientHit = Hit & { readonly record: PatientRecord };

/** Those of the state that is asked for, in the order in which they were named. */
function pageOfHits(found: readonly PatientHit[], { asked, page }: Asked): FoundHits {
  const { active } = asked.criteria;
  const all = found
    .filter(({ record }) => active.every((any) => any.includes(record.state === 'open')))
    .map((hit, index) => ({ ...hit, key: [index] }));
  const { items, next } = pageOf(all, { ...page, ascending: true });
  return { matches: items, total: all.length, ...(next && { next }) };
}

function hitOf({ base }: Exchange, patient: Patient): Hit {
  return { fullUrl: `${base}/${type}/${patient.id ?? ''}`, resource: JSON.stringify(patient) };
}

/** Patient Demographics Query for Mobile. IHE PDQm, ITI-78. */
export const demographicsInteractions: readonly Interaction[] = searchesOf({
  resource: type,
  transaction: 'ITI-78',
  action: 'testExistence',
  what: 'Existence test of a record by identifier; patients by traits for who may search by them',
  handle: search,
});
