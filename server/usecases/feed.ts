import type { RecordFacts } from '../domain/decision.ts';
import { problem, Refused, refuse } from '../domain/error.ts';
import { type FedIdentity, same, sortIdentifiers, updatedRecord, wholeTraits } from '../domain/fed-identity.ts';
import { writeCx } from '../domain/hl7v2.ts';
import type { Cx, Identifier } from '../domain/identifier.ts';
import {
  inheritedConsents,
  judgeMerge,
  type MergeIgnored,
  renamedRecord,
  subsumedRecord,
  survivingRecord,
} from '../domain/merge.ts';
import { isSubsumed, type PatientRecord } from '../domain/record.ts';
import type { Row } from '../store/port.ts';
import { type Plan, perform, type Request, type Subject, type Tools } from './perform.ts';

/**
 * What became of an identity: `opened` a record (in a domain where a feed makes patients known), `updated` or left `unchanged` one, or counted
 * for nothing: there is `noRecord` of the person, or no identifier was given by an authority of the domain.
 */
export type Fed = 'opened' | 'updated' | 'unchanged' | 'noRecord' | 'authorityUnknown';

export type Merged = { readonly merged: true } | { readonly ignored: MergeIgnored };

/** The message as its trace shows it: `add`, `revise` or `merge` and the identifiers. */
type Told = { readonly message: 'add' | 'revise' };

/**
 * Takes in what a feed tells of one person: new identifiers and traits of a record that is there. Where a feed makes patients known, a record
 * is opened for a new one; elsewhere opening a record stays an act of its own. IHE ITI TF-2 3.8.4.1, 3.44.4.1.
 * @throws Refused insMalformed, identitiesDiffer, and what the decision refuses
 */
export async function feedIdentity(tools: Tools, request: Request, fed: FedIdentity, { message }: Told): Promise<Fed> {
  const { ours } = sortIdentifiers(fed.identifiers, tools.settings);
  const found = await recordsOf(tools, ours);
  return perform(tools, request, 'feedIdentities', subjectOf(found[0], ours), async (permit, facts) => {
    const trace = { query: `${message} ${fed.identifiers.map(shown).join(' ')}`.slice(0, 4000) };
    const sorted = sortIdentifiers(fed.identifiers, tools.settings);
    if (sorted.problems.length > 0) throw new Refused(sorted.problems);
    if (ours.length === 0) return { answer: 'authorityUnknown', trace };
    if (permit.record !== undefined && facts !== undefined) {
      await refuseOthers(tools, ours, facts.record);
      const aliases = await freeAliases(tools, sorted.calculated);
      const record = updatedRecord(facts.record, fed.traits, ours, aliases);
      if (record === undefined) return { answer: 'unchanged', trace };
      return { answer: 'updated', put: [{ kind: 'record', record }], trace };
    }
    if (found.length > 0 || tools.settings.domain.identity.kind === 'ins') return { answer: 'noRecord', trace };
    return { ...opening(tools, fed, ours), trace };
  });
}

/**
 * Merges the subsumed identifier into the surviving one: everything of its record becomes the survivor's and shows the surviving patientId. It
 * cannot be undone. Both records must be open. IHE ITI TF-2 3.8.4.2, 3.44.4.2.
 * @throws Refused insMalformed, recordClosed, and what the decision refuses
 */
export async function mergeIdentities(
  tools: Tools,
  request: Request,
  message: { readonly surviving: readonly Identifier[]; readonly subsumed: readonly Identifier[] },
): Promise<Merged> {
  const sides = [message.surviving, message.subsumed].map((ids) => sortIdentifiers(ids, tools.settings));
  const [surviving, subsumed] = await Promise.all(sides.map(({ ours }) => chosen(tools, ours)));
  const look = async () => {
    const [survivor, loser] = await Promise.all([surviving, subsumed].map((id) => recordOf(tools, id)));
    return { survivor, loser, verdict: judgeMerge(surviving, subsumed, survivor, loser) };
  };
  const first = (await look()).verdict;
  const named = 'join' in first ? surviving : 'rename' in first ? subsumed : undefined;
  return perform(tools, request, 'feedIdentities', named === undefined ? 'none' : { identifier: named }, async () => {
    const query = `merge ${message.subsumed.map(shown).join(' ')} into ${message.surviving.map(shown).join(' ')}`;
    const trace = { query: query.slice(0, 4000) };
    const problems = sides.flatMap((side) => side.problems);
    if (problems.length > 0) throw new Refused(problems);
    const { verdict } = await look();
    if ('ignored' in verdict) return { answer: { ignored: verdict.ignored }, trace };
    // The verdict implies both; the permit names the record that is left.
    if (surviving === undefined || subsumed === undefined || named === undefined) throw new Refused([problem('busy')]);
    if ('join' in verdict !== 'join' in first) throw new Refused([problem('busy')]);
    if ('rename' in verdict) return { ...renaming(tools, verdict.rename, surviving, subsumed), trace };
    return { ...joining(tools, verdict.into, verdict.join, surviving), trace };
  });
}

function opening(tools: Tools, { traits }: FedIdentity, ours: readonly Identifier[]): Plan<Fed> {
  const id = tools.newId();
  const record: PatientRecord = {
    id,
    version: 1,
    state: 'open',
    identifiers: ours.map((own, index) => ({ ...own, use: index === 0 ? 'official' : 'secondary' })),
    traits: wholeTraits(traits),
    attached: false,
    createdAt: tools.now(),
    representatives: [],
  };
  return {
    answer: 'opened',
    expect: [{ insFree: ours }],
    put: [
      { kind: 'record', record },
      { kind: 'key', record: id, wrapped: tools.keyring.newKey(id) },
    ],
  };
}

function renaming(tools: Tools, { record }: RecordFacts, surviving: Identifier, subsumed: Identifier): Plan<Merged> {
  return {
    answer: { merged: true },
    put: [
      { kind: 'record', record: renamedRecord(record, surviving, subsumed) },
      { kind: 'patientId', of: [subsumed], patientId: patientIdOf(tools, surviving) },
    ],
  };
}

function joining(tools: Tools, into: RecordFacts, loser: RecordFacts, surviving: Identifier): Plan<Merged> {
  if (loser.record.state !== 'open') refuse('recordClosed', {}, 'the subsumed record is closed');
  const consents = inheritedConsents(loser.consents, into.record.id, tools.now(), tools.newId);
  const rows: Row[] = [
    { kind: 'merge', subsumed: subsumedRecord(loser.record, into.record.id), patientId: patientIdOf(tools, surviving) },
    { kind: 'record', record: survivingRecord(into.record, loser.record) },
    ...consents.map((consent) => ({ kind: 'consent' as const, consent })),
  ];
  const expect = [{ recordAt: { record: loser.record.id, version: loser.record.version } }];
  return { answer: { merged: true }, expect, put: rows };
}

/** The record whose decision is asked: none for one that was destroyed, which is as unknown as one that never was. */
function subjectOf(found: RecordFacts | undefined, ours: readonly Identifier[]): Subject {
  if (found === undefined || found.record.state === 'destroyed') return 'none';
  const held = ours.filter((id) => found.record.identifiers.some((known) => same(known, id)));
  const named = held.find((id) => !isSubsumed(found.record, id)) ?? held[0];
  return named === undefined ? 'none' : { identifier: named };
}

/** Each record that one of the identifiers finds, once. */
async function recordsOf({ store }: Tools, identifiers: readonly Identifier[]): Promise<RecordFacts[]> {
  const found = await Promise.all(identifiers.map((id) => store.facts.recordByIdentifier(id)));
  return [...new Map(found.flatMap((facts) => (facts === undefined ? [] : [[facts.record.id, facts]]))).values()];
}

async function recordOf({ store }: Tools, identifier: Identifier | undefined): Promise<RecordFacts | undefined> {
  return identifier && store.facts.recordByIdentifier(identifier);
}

/** Of several identifiers of one person, the one that is known here. */
async function chosen(tools: Tools, ours: readonly Identifier[]): Promise<Identifier | undefined> {
  const found = await Promise.all(ours.map((id) => recordOf(tools, id)));
  return ours[
    Math.max(
      0,
      found.findIndex((facts) => facts !== undefined),
    )
  ];
}

/** A feed does not join two records; a merge does. */
async function refuseOthers(tools: Tools, ours: readonly Identifier[], record: PatientRecord): Promise<void> {
  const found = await recordsOf(tools, ours);
  if (found.some((facts) => facts.record.id !== record.id))
    refuse('identitiesDiffer', { value: ours.map(shown).join(' and ') });
}

/** A calculated INS may belong to two persons: one that names somebody else is no alias here. */
async function freeAliases(tools: Tools, aliases: readonly Identifier[]): Promise<Identifier[]> {
  const found = await Promise.all(aliases.map((id) => recordOf(tools, id)));
  return aliases.filter((_, index) => found[index] === undefined);
}

/** The identifier as metadata show it; the DMP's carry their type. */
function patientIdOf({ settings }: Tools, identifier: Identifier): Cx {
  return { ...cxOf(identifier), ...(settings.domain.identity.kind === 'ins' && { type: 'NH' }) };
}

function cxOf({ value, oid }: Identifier): Cx {
  return { id: value, authority: { oid } };
}

function shown(identifier: Identifier): string {
  return writeCx(cxOf(identifier));
}
