import { type Permit, reachesOwnOnly } from '../domain/decision.ts';
import type { Association } from '../domain/document.ts';
import { Refused, refuse } from '../domain/error.ts';
import { traced } from '../domain/event.ts';
import type { Identifier } from '../domain/identifier.ts';
import type { RecordId } from '../domain/record.ts';
import type { DocumentFilter, StoredDocument, StoredFolder, StoredSet } from '../store/port.ts';
import { everyPage, tooMany } from './paging.ts';
import { type Plan, perform, permitElsewhere, type Request, type Subject, shortened, type Tools } from './perform.ts';

/** The record asked about, by an identifier of its holder or by its own id. */
export type PatientRef = Identifier | { readonly record: string };

/** What every question says. */
export type Question = {
  /** Absent: the patient of the credential. */
  readonly patient?: PatientRef;
  /** How many objects may be found; absent: any number. */
  readonly limit?: number;
  /** The question as it was asked, for the trace. */
  readonly query: string;
  /** What can be done with what a search found while its event is being written. It is answered after that alone, or never. */
  readonly meanwhile?: (found: Found) => void;
};

export type Find = Question & { readonly filter: DocumentFilter };

/** Objects by one kind of their names. */
export type Names = { readonly by: 'entryUUID' | 'uniqueId' | 'logicalID'; readonly values: readonly string[] };

/** What is looked for by its names; of what has versions, in the records that hold the latest alone, or all of them. */
export type Sought = { readonly names: readonly DocumentNames[]; readonly versions: 'latest' | 'all' };

/** Documents by their names; `anyVersion`: by the entryUUID of any of their versions, found as they are now. */
export type DocumentNames = Names | { readonly by: 'anyVersion'; readonly values: readonly string[] };

export type Get = DocumentNames &
  Omit<Question, 'query'> & {
    /** Absent: all versions, in whatever state. */
    readonly filter?: DocumentFilter;
    /** Absent: the names themselves. */
    readonly query?: string;
  };

/** Registered objects, each kind newest first save associations. */
export type Found = {
  readonly documents: readonly StoredDocument[];
  readonly sets: readonly StoredSet[];
  readonly folders: readonly StoredFolder[];
  readonly associations: readonly Association[];
};
export const nothing: Found = { documents: [], sets: [], folders: [], associations: [] };

/**
 * The documents of a record that pass the filter and exist for the caller, newest first.
 * @throws Refused `tooManyResults` beyond the limit, `patientNotNamed` when nobody names a patient, and what the decision refuses
 */
export async function findDocuments(tools: Tools, request: Request, find: Find): Promise<readonly StoredDocument[]> {
  const { filter, limit } = find;
  const read = async (permit: Permit) => everyPage((page) => tools.store.read.documents(permit, filter, page), limit);
  return (await search(tools, request, find, async (permit) => ({ ...nothing, documents: await read(permit) })))
    .documents;
}

/**
 * Documents by their names; those that do not exist for the caller are left out.
 * @throws Refused as `lookUp`
 */
export async function getDocuments(tools: Tools, request: Request, get: Get): Promise<readonly StoredDocument[]> {
  const { by, values, query = `${by}=${values.join(',')}` } = get;
  const versions = versionsOf(get.filter ?? { allVersions: true });
  const found = await lookUp(tools, request, { ...get, query }, { names: [get], versions }, async (permit) => ({
    ...nothing,
    documents: await documentsNamed(tools, permit, get, get.filter),
  }));
  return found.documents;
}

/** Documents by one kind of their names. */
export async function documentsNamed(
  { store: { read } }: Tools,
  permit: Permit,
  { by, values }: DocumentNames,
  filter?: DocumentFilter,
): Promise<readonly StoredDocument[]> {
  if (by === 'anyVersion') {
    const versions = await read.documentsByUuid(permit, values);
    const lines = [...new Set(versions.map(({ entry }) => entry.logicalID))];
    return lines.length === 0 ? [] : read.documentsByLogicalId(permit, lines, filter ?? {});
  }
  if (by === 'entryUUID') return read.documentsByUuid(permit, values, filter);
  if (by === 'uniqueId') return read.documentsByUniqueId(permit, values, filter);
  return read.documentsByLogicalId(permit, values, filter);
}

/**
 * Searches one record as a whole.
 * @throws Refused `tooManyResults` beyond the limit, `patientNotNamed` when nobody names a patient, and what the decision refuses
 */
export async function search(
  tools: Tools,
  request: Request,
  question: Question,
  read: (permit: Permit) => Promise<Found>,
): Promise<Found> {
  const subject = recordAsked(request, question.patient);
  return perform(tools, request, 'searchDocuments', subject, async (permit): Promise<Plan<Found>> => {
    const answer = await read(permit);
    checkAnswer(answer, question.limit);
    const { meanwhile } = question;
    return {
      answer,
      trace: { query: shortened(question.query) },
      ...(meanwhile && { meanwhile: () => meanwhile(answer) }),
    };
  });
}

/**
 * Looks for what has these names, entryUUIDs or uniqueIds. When neither the request nor the credential names a patient, the record is that
 * of the first object named that is registered, or, without a limit, each record of an object named; nothing is found without a right on it.
 * The trace names the documents answered and those that associations answered speak of.
 * @throws Refused `tooManyResults` beyond the limit, `notSinglePatient` when a limit is set and names of several records are given that the
 *   caller may all see, and what the decision refuses where a patient is named
 */
export async function lookUp(
  tools: Tools,
  request: Request,
  question: Question,
  sought: Sought,
  read: (permit: Permit) => Promise<Found>,
  patients: 'one' | 'several' = 'one',
): Promise<Found> {
  const isNamed = (question.patient ?? request.caller.patient) !== undefined;
  const records = isNamed ? [] : await recordsSought(tools, sought);
  if (records.length > 1 && (question.limit === undefined || patients === 'several'))
    return lookUpInEach(tools, request, question, read, records);
  const subject = isNamed ? recordAsked(request, question.patient) : { record: records[0] ?? '' };
  const found = perform(tools, request, 'lookUpDocuments', subject, async (permit): Promise<Plan<Found>> => {
    if (question.limit !== undefined) await checkSinglePatient(tools, request, permit, sought.names, records);
    const answer = await read(permit);
    if (sizeOf(answer) === 0 && reachesOwnOnly(permit)) refuse('accessDenied', {}, 'notAuthorised');
    checkAnswer(answer, question.limit);
    const documents = await documentsOf(tools, permit, answer);
    return { answer, trace: { query: shortened(question.query), documents } };
  });
  return isNamed ? found : orNothing(found);
}

/** Which versions a filter lets pass. */
export function versionsOf({ allVersions }: Pick<DocumentFilter, 'allVersions'>): Sought['versions'] {
  return allVersions === true ? 'all' : 'latest';
}

/** The records that hold what is sought, each once, the one that holds the latest version of the first first. */
async function recordsSought({ store: { facts } }: Tools, { names, versions }: Sought): Promise<readonly RecordId[]> {
  const found = await Promise.all(
    names.flatMap(({ by, values }) => [
      ...(by === 'entryUUID' ? [] : [facts.recordsOfVersions(values, versions)]),
      ...(by === 'entryUUID' || by === 'anyVersion' ? [facts.recordsOfObjects(values)] : []),
    ]),
  );
  return [...new Set(found.flat())];
}

/** Each record is judged on its own and has its own event; the credential serves all of them. IHE ITI TF-2 3.18.4.1.2.3.8 (ObjectRef). */
async function lookUpInEach(
  tools: Tools,
  request: Request,
  question: Question,
  read: (permit: Permit) => Promise<Found>,
  records: readonly RecordId[],
): Promise<Found> {
  const all: Found[] = [];
  for (const [index, record] of records.entries()) {
    const one = index === 0 ? request : { ...request, spent: true as const };
    all.push(await orNothing(lookUp(tools, one, { ...question, patient: { record } }, unsought, read)));
  }
  const found = joined(...all);
  if (question.limit !== undefined && sizeOf(found) > question.limit) tooMany(question.limit);
  return found;
}

/** What is looked for in a record that is known already. */
const unsought: Sought = { names: [], versions: 'all' };

/** Objects of several answers, each once. */
export function joined(...answers: readonly Found[]): Found {
  const once = <T>(objects: readonly T[], name: (object: T) => string) => [
    ...new Map(objects.map((object) => [name(object), object])).values(),
  ];
  return {
    documents: once(
      answers.flatMap(({ documents }) => documents),
      ({ entry }) => entry.entryUUID,
    ),
    sets: once(
      answers.flatMap(({ sets }) => sets),
      ({ set }) => set.entryUUID,
    ),
    folders: once(
      answers.flatMap(({ folders }) => folders),
      ({ folder }) => folder.entryUUID,
    ),
    associations: once(
      answers.flatMap(({ associations }) => associations),
      ({ entryUUID }) => entryUUID,
    ),
  };
}

/**
 * The same question in other records than the permit's, where nobody's objects are hidden from anybody; nothing elsewhere. A set may refer to
 * documents of another patient. Each record has its event. IHE ITI TF-3 4.2.2.1.1; TF-2 3.18.4.1.2.3.7.4.
 */
export async function inOtherRecords(
  tools: Tools,
  request: Request,
  { limit: _, ...question }: Question,
  permit: Permit,
  records: () => Promise<readonly RecordId[]>,
  read: (permit: Permit) => Promise<Found>,
): Promise<Found> {
  if (tools.settings.domain.credentials !== 'none') return nothing;
  const others = (await records()).filter((record) => record !== permit.record);
  return lookUpInEach(tools, { ...request, spent: true }, question, read, others);
}

/** The associations that name one of these objects, those of other patients' sets among them where they are told. */
export async function associationsNaming(
  tools: Tools,
  request: Request,
  question: Question,
  permit: Permit,
  entryUUIDs: readonly string[],
): Promise<readonly Association[]> {
  if (entryUUIDs.length === 0) return [];
  const { read, facts } = tools.store;
  const naming = async (one: Permit) => read.associationsOf(one, entryUUIDs);
  const others = await inOtherRecords(
    tools,
    request,
    question,
    permit,
    async () => facts.recordsReferring(entryUUIDs),
    async (other) => ({ ...nothing, associations: await naming(other) }),
  );
  return [...(await naming(permit)), ...others.associations];
}

/** Where nobody names a patient, what the caller has no right on is as unknown as what does not exist. Its refusal has its event. */
async function orNothing(found: Promise<Found>): Promise<Found> {
  try {
    return await found;
  } catch (error) {
    const name = error instanceof Refused ? error.problems[0]?.name : undefined;
    if (name === 'unknownPatient' || name === 'recordClosed' || name === 'accessDenied') return nothing;
    throw error;
  }
}

/**
 * The record that a request is about: the one it names, else that of the credential's patient.
 * @throws Refused `patientNotNamed`
 */
export function recordAsked({ caller }: Request, patient: PatientRef | undefined, document?: string): Subject {
  const named = patient ?? caller.patient;
  if (named !== undefined) return 'record' in named ? named : { identifier: named };
  if (document !== undefined) return { document };
  return refuse('patientNotNamed');
}

/** The record that a request is about: the one it names, else the credential's, else that of the first object named that is registered. */
export async function recordNamed(
  tools: Tools,
  request: Request,
  patient: PatientRef | undefined,
  names: DocumentNames,
): Promise<Subject> {
  if ((patient ?? request.caller.patient) !== undefined) return recordAsked(request, patient);
  const [record = ''] = await recordsSought(tools, { names: [names], versions: 'latest' });
  return { record };
}

/** Objects of one answer belong to one patient. IHE ITI TF-2 3.18.4.1.2.3.8. */
async function checkSinglePatient(
  tools: Tools,
  request: Request,
  permit: Permit,
  sought: Sought['names'],
  records: readonly RecordId[],
): Promise<void> {
  const names = sought.flatMap(({ values }) => values);
  for (const record of records.filter((one) => one !== permit.record)) {
    const other = await permitElsewhere(tools, request, permit.action, record);
    if (other !== undefined && (await seesAny(tools, other, names))) refuse('notSinglePatient');
  }
}

async function seesAny({ store: { read } }: Tools, permit: Permit, names: readonly string[]): Promise<boolean> {
  const one = { limit: 1 };
  const [documents, sameId, sameLine, ...packages] = await Promise.all([
    read.documentsByUuid(permit, names),
    read.documentsByUniqueId(permit, names),
    read.documentsByLogicalId(permit, names),
    read.submissionSets(permit, { entryUUIDs: names }, one),
    read.submissionSets(permit, { uniqueIds: names }, one),
    read.foldersMatching(permit, { entryUUIDs: names, allVersions: true }, one),
    read.foldersMatching(permit, { uniqueIds: names, allVersions: true }, one),
    read.foldersMatching(permit, { logicalIDs: names, allVersions: true }, one),
  ]);
  const associations = await read.associations(permit, names);
  return [documents, sameId, sameLine, ...packages.map(({ items }) => items), associations].some(
    (found) => found.length > 0,
  );
}

/** What an event names: documents answered, and those at the ends of associations answered. */
async function documentsOf({ store: { read } }: Tools, permit: Permit, { documents, associations }: Found) {
  const named = new Map(documents.map(({ entry }) => [entry.entryUUID, traced(entry)]));
  const ends = associations.flatMap(({ source, target }) => [source, target]).filter((end) => !named.has(end));
  if (ends.length > 0)
    for (const { entry } of await read.documentsByUuid(permit, ends)) named.set(entry.entryUUID, traced(entry));
  return [...named.values()];
}

function sizeOf({ documents, sets, folders, associations }: Found): number {
  return documents.length + sets.length + folders.length + associations.length;
}

/** Whole objects, of which there is a limit, are of one patient. IHE ITI TF-2 3.18.4.1.2.3.8. */
function checkAnswer(found: Found, limit: number | undefined): void {
  if (limit === undefined) return;
  const records = [...found.documents, ...found.sets, ...found.folders].map(({ record }) => record);
  if (records.some((record) => record !== records[0])) refuse('notSinglePatient');
  if (sizeOf(found) > limit) tooMany(limit);
}
