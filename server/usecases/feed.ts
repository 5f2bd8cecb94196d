import type { RecordFacts } from '../domain/decision.ts';
import { type Problem, problem, Refused, refuse } from '../domain/error.ts';
import {
  type FedIdentity,
  patientIdOf,
  type Sorted,
  sortIdentifiers,
  updatedRecord,
  wholeTraits,
} from '../domain/fed-identity.ts';
import { writeCx } from '../domain/hl7v2.ts';
import { cxOf, type Identifier, sameIdentifier } from '../domain/identifier.ts';
import {
  inheritedConsents,
  judgeMerge,
  type MergeIgnored,
  renamedRecord,
  subsumedRecord,
  survivingRecord,
} from '../domain/merge.ts';
import { currentIdentifiers, isSubsumed, type PatientRecord, type RecordId } from '../domain/record.ts';
import type { Row } from '../store/port.ts';
import { isPatientDomain } from './find-patients.ts';
import { type Plan, perform, type Request, type Subject, shortened, type Tools } from './perform.ts';

/**
 * What became of an identity: `opened` a record (in a domain where a feed makes patients known), `updated` or left `unchanged` one, or counted
 * for nothing: there is `noRecord` of the person, or no identifier was given by an authority of the domain.
 */
export type Fed =
  | { readonly outcome: 'opened' | 'updated' | 'unchanged'; readonly record: PatientRecord }
  | { readonly outcome: 'noRecord' | 'authorityUnknown' };

/** The record that is left, and the other one where two were joined. */
export type Merged =
  | { readonly merged: true; readonly record: PatientRecord; readonly subsumed?: RecordId }
  | { readonly ignored: MergeIgnored };

/** What is said of a person who has a record: its identity is brought up to date, or `kept` as it is, or the message is `refused`. */
export type Told = {
  /** As its trace shows it. */
  readonly message: 'add' | 'revise';
  readonly known?: 'updated' | 'kept' | 'refused';
  /** The record that is meant; it must be the one that the identifiers find, and be at this version. */
  readonly record?: { readonly id: RecordId; readonly version?: number };
};

/** How problems of a merge name the identifier that is to give way, beside the patientId that survives. */
export const subsumedId = 'subsumed patientId';

/** A person by her identifiers, or by the record. */
export type Person = readonly Identifier[] | { readonly record: RecordId };

/**
 * Takes in what a feed tells of one person: new identifiers and traits of a record that is there. Where a feed makes patients known, a record
 * is opened for a new one, and one alone however many feeds tell of him at once; elsewhere opening a record stays an act of its own.
 * IHE ITI TF-2 3.8.4.1, 3.44.4.1; IHE PIXm, ITI-104.
 * @throws Refused insMalformed, identitiesDiffer, identityHeld, resourceUnknown, versionDiffers, and what the decision refuses
 */
export async function feedIdentity(tools: Tools, request: Request, fed: FedIdentity, told: Told): Promise<Fed> {
  for (let attempt = 1; ; attempt++)
    try {
      return await feedOnce(tools, request, fed, told);
    } catch (error) {
      if (!(error instanceof Overtaken) || attempt >= 5) throw error;
    }
}

/** Another feed opened the record of the same person meanwhile. */
class Overtaken extends Error {
  override readonly name = 'Overtaken';
}

async function feedOnce(tools: Tools, request: Request, fed: FedIdentity, told: Told): Promise<Fed> {
  const { ours } = sortIdentifiers(fed.identifiers, tools.settings);
  const found = await recordsOf(tools, ours);
  const gone = found[0] && takenFrom(found[0], ours);
  const subject = gone === undefined ? subjectOf(found[0], ours) : 'none';
  return perform(tools, request, 'feedIdentities', subject, async (permit, facts) => {
    const [patient] = ours;
    const query = shortened(`${told.message} ${fed.identifiers.map(shown).join(' ')}`);
    const trace = { query, ...(patient && { patient: { value: patient.value, oid: patient.oid } }) };
    const sorted = sortIdentifiers(fed.identifiers, tools.settings);
    if (sorted.problems.length > 0) throw new Refused(sorted.problems);
    if (ours.length === 0) return { answer: { outcome: 'authorityUnknown' }, trace };
    if (gone !== undefined)
      refuse('unknownPatient', {
        attribute: 'patientId',
        value: shown(gone),
        detail: 'a merge replaced this identifier; name the one that it was merged into',
      });
    if (permit.record !== undefined && facts !== undefined) {
      await refuseOthers(tools, ours, facts.record);
      checkMeant(told, facts.record);
      if (told.known === 'refused') refuse('identityHeld', { value: ours.map(shown).join(' and ') });
      const aliases = await freeAliases(tools, sorted.calculated);
      const record = told.known === 'kept' ? undefined : updatedRecord(facts.record, fed.traits, ours, aliases);
      if (record === undefined) return { answer: { outcome: 'unchanged', record: facts.record }, trace };
      return { answer: { outcome: 'updated', record }, put: [{ kind: 'record', record }], trace };
    }
    if (told.record !== undefined) refuse('resourceUnknown', { value: `Patient/${told.record.id}` });
    if (found.length > 0 || tools.settings.domain.identity.kind === 'ins')
      return { answer: { outcome: 'noRecord' }, trace };
    if ((await recordsOf(tools, ours)).length > 0) throw new Overtaken();
    return { ...opening(tools, fed, ours), trace };
  });
}

/** The record that the sender means is the one that the identifiers find, in the version that he read. FHIR R4 http.html#concurrency. */
function checkMeant({ record: meant }: Told, { id, version }: PatientRecord): void {
  if (meant === undefined) return;
  if (meant.id !== id)
    refuse('identitiesDiffer', { value: `Patient/${meant.id}`, detail: 'the identifiers are of another' });
  if (meant.version !== undefined && meant.version !== version)
    refuse('versionDiffers', { object: `Patient/${id}`, value: String(meant.version) });
}

/**
 * Merges the subsumed identifier into the surviving one: everything of its record becomes the survivor's and shows the surviving patientId. It
 * cannot be undone. Both records must be open. IHE ITI TF-2 3.8.4.2, 3.44.4.2; IHE PIXm, ITI-104.
 * @throws Refused insMalformed, identitiesDiffer where one side names two persons, recordClosed, and what the decision refuses
 */
export async function mergeIdentities(
  tools: Tools,
  request: Request,
  message: { readonly surviving: Person; readonly subsumed: Person },
): Promise<Merged> {
  const named = await Promise.all([message.surviving, message.subsumed].map((person) => namesOf(tools, person)));
  const sides = named.map((ids) => sortIdentifiers(ids, tools.settings));
  const [surviving, subsumed] = await Promise.all(
    sides.map(async ({ ours }) => chosen(tools, await known(tools, ours))),
  );
  const look = async () => {
    const [survivor, loser] = await Promise.all([surviving, subsumed].map((id) => recordOf(tools, id)));
    return { survivor, loser, verdict: judgeMerge(surviving, subsumed, survivor, loser) };
  };
  const first = (await look()).verdict;
  const left = 'join' in first ? surviving : 'rename' in first ? subsumed : undefined;
  return perform(tools, request, 'feedIdentities', left === undefined ? 'none' : { identifier: left }, async () => {
    const [into = '', from = ''] = named.map((ids) => ids.map(shown).join(' '));
    const trace = { query: shortened(`merge ${from} into ${into}`) };
    const problems = (await Promise.all(sides.map((side) => problemsOf(tools, side)))).flatMap((found, side) =>
      side === 0 ? found : found.map(ofSubsumed),
    );
    if (problems.length > 0) throw new Refused(problems);
    const { verdict } = await look();
    if ('ignored' in verdict) return { answer: { ignored: verdict.ignored }, trace };
    // The verdict implies both; the permit names the record that is left.
    if (surviving === undefined || subsumed === undefined || left === undefined) throw new Refused([problem('busy')]);
    if ('join' in verdict !== 'join' in first) throw new Refused([problem('busy')]);
    if ('rename' in verdict) return { ...renaming(tools, verdict.rename, surviving, subsumed), trace };
    return { ...joining(tools, verdict.into, verdict.join, { surviving, subsumed }), trace };
  });
}

/**
 * Removes the record of a person of whom nothing is here but the identity that a feed told: its identifiers are free again. A record that
 * holds anything is destroyed by its holder alone. IHE PIXm, ITI-104, remove; CSP L.1111-18.
 * @returns the record that was removed; undefined when there is none
 * @throws Refused insMalformed, recordNotEmpty, and what the decision refuses
 */
export async function removeIdentity(tools: Tools, request: Request, person: Person): Promise<RecordId | undefined> {
  const named = await namesOf(tools, person);
  const { ours } = sortIdentifiers(named, tools.settings);
  const subject = subjectOf((await recordsOf(tools, ours))[0], ours);
  return perform(tools, request, 'feedIdentities', subject, async (permit, facts) => {
    const trace = { query: shortened(`remove ${named.map(shown).join(' ')}`) };
    if (permit.record === undefined || facts === undefined) return { answer: undefined, trace };
    const { record } = facts;
    await refuseOthers(tools, ours, record);
    if (!(await tools.store.read.isEmpty(permit))) refuse('recordNotEmpty', { value: `Patient/${record.id}` });
    const { id, createdAt, version } = record;
    const removed: PatientRecord = {
      id,
      version: version + 1,
      state: 'destroyed',
      identifiers: [],
      traits: wholeTraits({}),
      attached: false,
      createdAt,
      representatives: [],
    };
    return {
      answer: id,
      expect: [{ empty: id }],
      put: [
        { kind: 'record', record: removed },
        { kind: 'destroyKey', record: id },
      ],
      trace,
    };
  });
}

/** The identifiers of a person; those of a record that is here. */
async function namesOf({ store }: Tools, person: Person): Promise<readonly Identifier[]> {
  if (!('record' in person)) return person;
  const facts = await store.facts.recordById(person.record);
  return facts === undefined ? [] : currentIdentifiers(facts.record).map(({ value, oid }) => ({ value, oid }));
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
    answer: { outcome: 'opened', record },
    expect: [{ insFree: ours }],
    put: [
      { kind: 'record', record },
      { kind: 'key', record: id, wrapped: tools.keyring.newKey(id) },
    ],
  };
}

function renaming(tools: Tools, facts: RecordFacts, surviving: Identifier, subsumed: Identifier): Plan<Merged> {
  const record = renamedRecord(facts.record, surviving, subsumed);
  return {
    answer: { merged: true, record },
    put: [
      { kind: 'record', record },
      { kind: 'patientId', of: [subsumed], patientId: patientIdOf(tools.settings.domain, surviving) },
    ],
  };
}

function joining(
  tools: Tools,
  into: RecordFacts,
  loser: RecordFacts,
  { surviving, subsumed }: { readonly surviving: Identifier; readonly subsumed: Identifier },
): Plan<Merged> {
  if (loser.record.state !== 'open')
    refuse('recordClosed', { attribute: subsumedId, value: shown(subsumed) }, 'the subsumed record is closed');
  const consents = inheritedConsents(loser.consents, into.record.id, tools.now(), tools.newId);
  const record = survivingRecord(into.record, loser.record);
  const rows: Row[] = [
    {
      kind: 'merge',
      subsumed: subsumedRecord(loser.record, into.record.id),
      patientId: patientIdOf(tools.settings.domain, surviving),
    },
    { kind: 'record', record },
    ...consents.map((consent) => ({ kind: 'consent' as const, consent })),
  ];
  const expect = [{ recordAt: { record: loser.record.id, version: loser.record.version } }];
  return { answer: { merged: true, record, subsumed: loser.record.id }, expect, put: rows };
}

/** The record whose decision is asked: none for one that was destroyed, which is as unknown as one that never was. */
function subjectOf(found: RecordFacts | undefined, ours: readonly Identifier[]): Subject {
  if (found === undefined || found.record.state === 'destroyed') return 'none';
  const held = ours.filter((id) => found.record.identifiers.some((known) => sameIdentifier(known, id)));
  const named = held.find((id) => !isSubsumed(found.record, id)) ?? held[0];
  return named === undefined ? 'none' : { identifier: named };
}

/** The identifier, where those that find the record were all taken from it by a merge. */
function takenFrom({ record }: RecordFacts, ours: readonly Identifier[]): Identifier | undefined {
  const held = ours.filter((id) => record.identifiers.some((known) => sameIdentifier(known, id)));
  return held.every((id) => isSubsumed(record, id)) ? held[0] : undefined;
}

/** Each record that one of the identifiers finds, once. */
async function recordsOf({ store }: Tools, identifiers: readonly Identifier[]): Promise<RecordFacts[]> {
  const found = await Promise.all(identifiers.map((id) => store.facts.recordByIdentifier(id)));
  return [...new Map(found.flatMap((facts) => (facts === undefined ? [] : [[facts.record.id, facts]]))).values()];
}

async function recordOf({ store }: Tools, identifier: Identifier | undefined): Promise<RecordFacts | undefined> {
  return identifier && store.facts.recordByIdentifier(identifier);
}

/** Identifiers of authorities that are known here: an add makes one known, a merge does not. IHE ITI TF-2 3.8.4.2.3, 3.44.4.2.3. */
async function known(tools: Tools, ours: readonly Identifier[]): Promise<Identifier[]> {
  const isKnown = await Promise.all(ours.map(({ oid }) => isPatientDomain(tools, oid)));
  return ours.filter((_, index) => isKnown[index] === true);
}

/** Of several identifiers of one person, the first that names somebody today; else the first that ever did. */
async function chosen(tools: Tools, ours: readonly Identifier[]): Promise<Identifier | undefined> {
  const found = await Promise.all(ours.map(async (id) => ({ id, facts: await recordOf(tools, id) })));
  const one = found.find(({ id, facts }) => facts !== undefined && isNamedBy(facts, id));
  return (one ?? found.find(({ facts }) => facts !== undefined) ?? found[0])?.id;
}

/** Whether the identifier names the holder today. */
function isNamedBy({ record }: RecordFacts, id: Identifier): boolean {
  return record.state !== 'destroyed' && !isSubsumed(record, id);
}

/** Each side of a merge is one person: of two, one would be left out without a word. */
async function problemsOf(tools: Tools, { ours, problems }: Sorted): Promise<readonly Problem[]> {
  const found = await Promise.all(ours.map(async (id) => ({ id, facts: await recordOf(tools, id) })));
  const records = found.flatMap(({ id, facts }) =>
    facts !== undefined && isNamedBy(facts, id) ? [facts.record.id] : [],
  );
  return new Set(records).size < 2 ? problems : [...problems, differing(ours)];
}

/** The same problem, of who is to be subsumed. */
function ofSubsumed(found: Problem): Problem {
  return { ...found, about: { ...found.about, attribute: subsumedId } };
}

function differing(ours: readonly Identifier[]): Problem {
  return problem('identitiesDiffer', { attribute: 'patientId', value: ours.map(shown).join(' and ') });
}

/** A feed does not join two records; a merge does. */
async function refuseOthers(tools: Tools, ours: readonly Identifier[], record: PatientRecord): Promise<void> {
  const found = await recordsOf(tools, ours);
  if (found.some((facts) => facts.record.id !== record.id)) throw new Refused([differing(ours)]);
}

/** A calculated INS may belong to two persons: one that names somebody else is no alias here. */
async function freeAliases(tools: Tools, aliases: readonly Identifier[]): Promise<Identifier[]> {
  const found = await Promise.all(aliases.map((id) => recordOf(tools, id)));
  return aliases.filter((_, index) => found[index] === undefined);
}

function shown(identifier: Identifier): string {
  return writeCx(cxOf(identifier));
}
