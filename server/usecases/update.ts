import { type Permit, reachesOwnOnly } from '../domain/decision.ts';
import type { DocumentEntry, EntryUuid, Submission } from '../domain/document.ts';
import { type Problem, Refused, refuse } from '../domain/error.ts';
import { type Transaction, traced } from '../domain/event.ts';
import { growsInSight } from '../domain/folder-time.ts';
import { messageProblems, registryProblems, valueProblems } from '../domain/rules.ts';
import { dtmOf } from '../domain/time.ts';
import { maskedWith } from '../domain/update/chain.ts';
import { type Changes, changesOf, type Version } from '../domain/update/changes.ts';
import { decodeUpdate } from '../domain/update/decode.ts';
import { differenceOf } from '../domain/update/difference.ts';
import type { Operation, OperationOf, UpdateFacts } from '../domain/update/operation.ts';
import { decodeRestricted } from '../domain/update/restricted.ts';
import { type Deed, deedsOf, rightProblems } from '../domain/update/rights.ts';
import type { Expectation, ObjectKind, Row, SealedContent } from '../store/port.ts';
import { type Arrivals, arrivalsOf, sealedHere } from './arrivals.ts';
import { messageFacts, patientOf, together } from './deposit.ts';
import { ownersOf } from './owners.ts';
import { type JointPlan, type Judge, performJointly, type Request, type Subject, type Tools } from './perform.ts';
import { nothingElseNames, uuids } from './surrounding.ts';
import { updateFacts } from './update-facts.ts';

/** An update as a source hands it over, and what reading it already found wrong. */
export type Update = { readonly submission: Submission; readonly problems?: readonly Problem[] };

export type Updated = Pick<Changes, 'set'>;

/**
 * Changes metadata and statuses: all that the message asks for, or nothing. Each change is judged and traced as the action that it is; masking
 * and unmasking take the whole replacement chain along. IHE Metadata Update 3.57; DMP TD3.3a to d.
 * @throws Refused with all problems of message and registry, `changeNotYours` where an object is another's to change, and what the decision
 *   refuses
 */
export async function update(tools: Tools, request: Request, sent: Update): Promise<Updated> {
  return change(tools, request, sent, 'updateDocument', decodeUpdate);
}

/**
 * Corrects metadata of entries by a system that has the right to. IHE Restricted Metadata Update 3.92.
 * @throws Refused as `update`
 */
export async function updateRestricted(tools: Tools, request: Request, sent: Update): Promise<Updated> {
  return change(tools, request, sent, 'restrictedUpdate', decodeRestricted);
}

type Decode = (
  submission: Submission,
  facts: UpdateFacts,
) => { readonly operations: readonly Operation[]; readonly problems: readonly Problem[] };

async function change(
  tools: Tools,
  request: Request,
  sent: Update,
  action: 'updateDocument' | 'restrictedUpdate',
  decode: Decode,
): Promise<Updated> {
  const { submission } = sent;
  // An object of another patient than the set's is told by the rules of updates.
  const patient = patientOf({ ...submission, entries: [], folders: [] }, request);
  if (patient === undefined) throw new Refused(unjudged(tools, request, sent));
  const made: Made<Updated> = { ...sent, answer: ({ set }) => ({ set }) };
  const { transaction } = request.origin;
  const kind: Kind = { action, decode, transaction };
  return changing(tools, request, { identifier: patient }, kind, () => Promise.resolve(made));
}

/** An update with what is answered once it is done; or the answer alone, where nothing needs to change. */
export type Made<T> =
  | (Update & { readonly answer: (changes: Changes) => T })
  | { readonly unchanged: T; readonly documents: readonly DocumentEntry[] };

/**
 * Carries out an update that the service itself makes of what a caller wants, once it has read what is registered. It is judged, checked and
 * traced as if the caller had sent it.
 * @throws Refused as `update`
 */
export async function updateAs<T>(
  tools: Tools,
  request: Request,
  subject: Subject,
  make: (permit: Permit) => Promise<Made<T>>,
): Promise<T> {
  const kind: Kind = { action: 'updateDocument', decode: decodeUpdate, transaction: 'ITI-57' };
  return changing(tools, request, subject, kind, make);
}

type Kind = {
  readonly action: 'updateDocument' | 'restrictedUpdate';
  readonly decode: Decode;
  /** By whose rules it is checked. */
  readonly transaction: Transaction;
};

async function changing<T>(
  tools: Tools,
  request: Request,
  subject: Subject,
  { action, decode, transaction }: Kind,
  make: (permit: Permit) => Promise<Made<T>>,
): Promise<T> {
  return performJointly(tools, request, action, subject, async (judge, facts) => {
    const reading = readingPermit(judge, request, action);
    const made = await make(reading);
    if ('unchanged' in made)
      return {
        answer: made.unchanged,
        done: [{ permit: reading, trace: { documents: made.documents.map((entry) => traced(entry)) } }],
      };
    const { submission, problems: sent, answer } = made;
    const arrivals = await arrivalsOf(tools, request, reading, submission);
    const known = await updateFacts(tools, request, submission, reading, facts, arrivals.arriving);
    const { operations, problems } = decode(submission, known);
    const found = [...formalProblems(tools, transaction, submission, known, operations), ...problems];
    if (reachesOwnOnly(reading) && found.some(({ name }) => name === 'referenceUnresolved'))
      refuse('accessDenied', {}, 'notAuthorised');
    const all = together(sent, found);
    if (all.length > 0) throw new Refused(all);
    const codesCount = tools.settings.domain.credentials === 'required';
    const judged = judgeDeeds(judge, request, action, { operations, codesCount, known });
    return planOf(tools, request, submission, { known, arrivals }, { operations, codesCount, judged, answer });
  });
}

function unjudged(tools: Tools, request: Request, { submission, problems }: Update): Problem[] {
  const { transaction } = request.origin;
  return together(problems, messageProblems(transaction, submission, messageFacts(tools, request, { documents: [] })));
}

/** What may be changed is looked up as whoever asks may look up documents; a system sees what it may put in order, our own jobs what they announce. */
function readingPermit(judge: Judge, { caller }: Request, action: 'updateDocument' | 'restrictedUpdate'): Permit {
  const { actor, credential } = caller;
  if (action === 'restrictedUpdate') return judge(action);
  if (actor.kind !== 'system') return judge('lookUpDocuments', action);
  const isJob = credential.kind === 'internal' && !actor.rights.includes('restrictedUpdate');
  return judge(isJob ? 'announce' : action, action);
}

/** The checks of every submission, as far as an update is one: names that stay are no new names. */
function formalProblems(
  { settings }: Tools,
  transaction: Transaction,
  submission: Submission,
  known: UpdateFacts,
  operations: readonly Operation[],
): Problem[] {
  const facts = { ...known, targets: new Map(), folders: new Map(), others: new Map(), associations: [] };
  const named = {
    ...submission,
    entries: submission.entries.map(({ id }) => ({ id })),
    folders: submission.folders.map(({ id }) => ({ id })),
  };
  const changed = operations
    .filter((o) => o.kind === 'entry')
    .filter(({ before, draft }) => differenceOf(before.entry, draft).other);
  const values = { ...submission, entries: changed.map(({ draft }) => draft) };
  return [
    ...messageProblems(transaction, submission, known),
    ...valueProblems(values, { ...known, domain: settings.domain }),
    ...registryProblems(transaction, named, facts),
  ];
}

type JudgedDeeds = readonly { readonly permit: Permit; readonly deeds: readonly Deed[] }[];

/** Every action of the message is judged once, then on each of its objects. */
function judgeDeeds(
  judge: Judge,
  { caller }: Request,
  action: 'updateDocument' | 'restrictedUpdate',
  { operations, codesCount, known }: { operations: readonly Operation[]; codesCount: boolean; known: UpdateFacts },
): JudgedDeeds {
  if (action === 'restrictedUpdate')
    return [{ permit: judge(action), deeds: operations.map((operation) => ({ action, operation })) }];
  const { deeds, problems } = deedsOf(operations, codesCount);
  if (problems.length > 0) throw new Refused(problems);
  const byAction = [...Map.groupBy(deeds, (deed) => deed.action)];
  const judged = byAction.map(([of, all]) => ({ permit: judge(of), deeds: all }));
  const refused = judged.flatMap(({ permit, deeds: all }) =>
    all.flatMap((deed) => rightProblems(deed, { caller, permit, holder: known.holder })),
  );
  if (refused.length > 0) throw new Refused(refused);
  // A message that changes nothing files its set all the same.
  return judged.length > 0 ? judged : [{ permit: judge(action), deeds: [] }];
}

async function planOf<T>(
  tools: Tools,
  request: Request,
  submission: Submission,
  facts: { readonly known: UpdateFacts; readonly arrivals: Arrivals },
  {
    operations,
    codesCount,
    judged,
    answer,
  }: {
    operations: readonly Operation[];
    codesCount: boolean;
    judged: JudgedDeeds;
    answer: (changes: Changes) => T;
  },
): Promise<JointPlan<T>> {
  const { newId } = tools;
  const now = tools.now();
  const { around, arriving, entries: known } = facts.known;
  const entries = operations.filter((o) => o.kind === 'entry');
  const chain = codesCount ? maskedWith(entries, submission.sets[0]?.id ?? '', around, newId) : [];
  const changes = changesOf(submission, [...operations, ...chain], { around, arriving, now, newId, codesCount });
  const { set } = changes;
  const associations = [...around.associations, ...arriving.around.associations];
  const joined = documentsJoined(operations).filter((name) => known.has(name));
  return {
    answer: answer(changes),
    expect: [
      ...expectations(submission, changes),
      ...joined.flatMap((document): Expectation[] => [
        { statusIs: { document, status: 'approved' } },
        { latest: { kind: 'document', entryUUID: document } },
      ]),
      ...nothingElseNames(
        [
          ...[...changes.entries, ...changes.folders].map(({ before: { entryUUID } }) => entryUUID),
          ...joined,
          ...rejoined(operations),
        ],
        { ...around, associations },
      ),
    ],
    put: rows(
      request,
      changes,
      [...known.values()].map(({ entry }) => entry),
      now,
      await bytesOf(tools, judged[0]?.permit, changes, facts.arrivals),
    ),
    also: leftBehind(changes, facts.arrivals, now),
    done: judged.map(({ permit, deeds }) => ({
      permit,
      trace: {
        documents: documentsOf(permit, deeds, chain, changes),
        submissionSet: { entryUUID: set.entryUUID, uniqueId: set.uniqueId },
      },
    })),
  };
}

/** The bytes of documents that come from other records, sealed for this one, by the name of the version before. */
async function bytesOf(
  tools: Tools,
  permit: Permit | undefined,
  { entries }: Changes,
  arrivals: Arrivals,
): Promise<ReadonlyMap<EntryUuid, SealedContent>> {
  const sealed = new Map<EntryUuid, SealedContent>();
  for (const { before } of entries) {
    const document = arrivals.documents.get(before.entryUUID);
    const content =
      document === undefined || permit === undefined ? undefined : await sealedHere(tools, permit, arrivals, document);
    if (content !== undefined) sealed.set(before.entryUUID, content);
  }
  return sealed;
}

/** What happens in the records that something leaves: its versions there are out of date. */
function leftBehind({ entries, folders, ...changes }: Changes, { permits }: Arrivals, now: number) {
  return [...permits].map(([record, permit]) => {
    const gone = entries.filter(({ from }) => from === record).map(({ before }) => before);
    const names = new Set(
      [...gone, ...folders.filter(({ from }) => from === record).map(({ before }) => before)].map(
        ({ entryUUID }) => entryUUID,
      ),
    );
    const put: Row[] = [
      ...changes.statuses.filter(({ entryUUID }) => names.has(entryUUID)).map((change) => statusRow(change, now)),
      ...changes.folderStatuses.filter(({ entryUUID }) => names.has(entryUUID)).map(folderRow),
    ];
    return { permit, put, trace: { documents: gone.map((entry) => traced(entry)) } };
  });
}

function statusRow({ entryUUID, to }: Changes['statuses'][number], now: number): Row {
  return { kind: 'status', document: entryUUID, status: to, at: now };
}

function folderRow({ entryUUID, to }: Changes['folderStatuses'][number]): Row {
  return { kind: 'folderState', folder: entryUUID, status: to };
}

/** The ends of submitted associations: they are still current, and nobody else joins them at the same time. */
function documentsJoined(operations: readonly Operation[]): string[] {
  const joining = operations.filter((o) => o.kind === 'association');
  return uuids(joining.flatMap(({ draft }) => [draft.source, draft.target]));
}

/** What associations point to that become current again. */
function rejoined(operations: readonly Operation[]): string[] {
  return operations.flatMap((o) => (o.kind === 'associationStatus' && o.to === 'approved' ? [o.of.target] : []));
}

/** The documents that an action touched, by the names that they have now. */
function documentsOf(
  { action }: Permit,
  deeds: readonly Deed[],
  chain: readonly OperationOf<'entry'>[],
  { entries }: Changes,
) {
  const inChain = action === 'mask' || action === 'unmask' ? chain.map(({ before }) => before.entry) : [];
  const touched = deeds.flatMap(({ operation }) => {
    if (operation.kind === 'entry') return [operation.before.entry];
    return operation.kind === 'entryStatus' ? [operation.of.entry] : [];
  });
  return [...touched, ...inChain].map((entry) =>
    traced(entries.find(({ before }) => before.entryUUID === entry.entryUUID)?.next ?? entry),
  );
}

function expectations(submission: Submission, changes: Changes): Expectation[] {
  const absent = (kind: ObjectKind, drafts: readonly { id: string }[]) =>
    uuids(drafts.map(({ id }) => id)).map((entryUUID) => ({ absent: { kind, entryUUID } }));
  const unchanged = (kind: 'document' | 'folder', versions: readonly Version<{ readonly entryUUID: string }>[]) =>
    versions.map(({ before: { entryUUID } }) => ({ latest: { kind, entryUUID } }));
  return [
    { uniqueIdFree: changes.set.uniqueId },
    ...absent('submissionSet', submission.sets),
    ...absent('document', submission.entries),
    ...absent('folder', submission.folders),
    ...absent('association', submission.associations),
    ...unchanged('document', changes.entries),
    ...unchanged('folder', changes.folders),
    ...changes.statuses.map(({ entryUUID: document, from: status }) => ({ statusIs: { document, status } })),
    ...changes.folderStatuses.map(({ entryUUID, from: status }) => ({
      stateIs: { kind: 'folder' as const, entryUUID, status },
    })),
    ...changes.associationStatuses.map(({ entryUUID, from: status }) => ({
      stateIs: { kind: 'association' as const, entryUUID, status },
    })),
    ...changes.touched.map((entryUUID) => ({
      stateIs: { kind: 'folder' as const, entryUUID, status: 'approved' as const },
    })),
  ];
}

function rows(
  request: Request,
  changes: Changes,
  registered: readonly DocumentEntry[],
  now: number,
  bytes: ReadonlyMap<EntryUuid, SealedContent>,
): Row[] {
  const { set } = changes;
  const left = new Set(
    [...changes.entries, ...changes.folders].flatMap(({ before, from }) =>
      from === undefined ? [] : [before.entryUUID],
    ),
  );
  const isHere = ({ entryUUID }: { readonly entryUUID: EntryUuid }) => !left.has(entryUUID);
  return [
    ...changes.entries.map(({ next, before, from }): Row => {
      const content = bytes.get(before.entryUUID);
      const version = { kind: 'version' as const, entry: next, of: before.entryUUID, registeredAt: now };
      return { ...version, ...(from !== undefined && { from }), ...(content && { content }) };
    }),
    { kind: 'submissionSet', set, owners: ownersOf(request, set.authors) },
    ...changes.folders.map(
      ({ next, from }): Row => ({ kind: 'folder', folder: next, ...(from !== undefined && { from }) }),
    ),
    ...changes.associations.map((association): Row => ({ kind: 'association', association })),
    ...changes.statuses.filter(isHere).map((change) => statusRow(change, now)),
    ...changes.folderStatuses.filter(isHere).map(folderRow),
    ...changes.associationStatuses.map(
      ({ entryUUID, to }): Row => ({ kind: 'associationState', association: entryUUID, status: to }),
    ),
    ...changes.touched.map(
      (folder): Row => ({
        kind: 'folderState',
        folder,
        ...(growsInSight(folder, changes.associations, [...registered, ...changes.entries.map(({ next }) => next)]) && {
          lastUpdateTime: dtmOf(now),
        }),
      }),
    ),
  ];
}
