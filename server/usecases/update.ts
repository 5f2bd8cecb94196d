import type { Permit } from '../domain/decision.ts';
import type { Submission } from '../domain/document.ts';
import { type Problem, Refused, refuse } from '../domain/error.ts';
import { traced } from '../domain/event.ts';
import { messageProblems, registryProblems, valueProblems } from '../domain/rules.ts';
import { dtmOf } from '../domain/time.ts';
import { maskedWith } from '../domain/update/chain.ts';
import { type Changes, changesOf, type Version } from '../domain/update/changes.ts';
import { decodeUpdate } from '../domain/update/decode.ts';
import { differenceOf } from '../domain/update/difference.ts';
import type { Operation, OperationOf, UpdateFacts } from '../domain/update/operation.ts';
import { decodeRestricted } from '../domain/update/restricted.ts';
import { type Deed, deedsOf, rightProblems } from '../domain/update/rights.ts';
import type { Expectation, ObjectKind, Row } from '../store/port.ts';
import { ownersOf } from './owners.ts';
import { type JointPlan, type Judge, performJointly, type Request, type Tools } from './perform.ts';
import { messageFacts, patientOf, together } from './submit.ts';
import { uuids } from './surrounding.ts';
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
  return performJointly(tools, request, action, { identifier: patient }, async (judge, facts) => {
    const reading = readingPermit(judge, request, action);
    const known = await updateFacts(tools, request, submission, reading, facts);
    const { operations, problems } = decode(submission, known);
    const found = [...formalProblems(tools, request, submission, known, operations), ...problems];
    if (reachesOwnOnly(reading) && found.some(({ name }) => name === 'referenceUnresolved'))
      refuse('accessDenied', {}, 'notAuthorised');
    const all = together(sent.problems, found);
    if (all.length > 0) throw new Refused(all);
    const codesCount = tools.settings.domain.credentials === 'required';
    const judged = judgeDeeds(judge, request, action, { operations, codesCount, known });
    return planOf(tools, request, submission, known, { operations, codesCount, judged });
  });
}

function unjudged(tools: Tools, request: Request, { submission, problems }: Update): Problem[] {
  const { transaction } = request.origin;
  return together(problems, messageProblems(transaction, submission, messageFacts(tools, request, { documents: [] })));
}

/** What may be changed is looked up as whoever asks may look up documents; a system sees what it may put in order. */
function readingPermit(judge: Judge, { caller }: Request, action: 'updateDocument' | 'restrictedUpdate'): Permit {
  const isSystem = caller.actor.kind === 'system' || action === 'restrictedUpdate';
  return isSystem ? judge(action) : judge('lookUpDocuments', action);
}

/** Whoever has no right on the record learns that, whether what he names exists or not. */
function reachesOwnOnly({ ground, visibility }: Permit): boolean {
  return ground === 'ownDocuments' && visibility.only === 'all';
}

/** The checks of every submission, as far as an update is one: names that stay are no new names. */
function formalProblems(
  { settings }: Tools,
  { origin }: Request,
  submission: Submission,
  known: UpdateFacts,
  operations: readonly Operation[],
): Problem[] {
  const { transaction } = origin;
  const facts = { ...known, targets: new Map(), folders: new Map(), associations: [] };
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

function planOf(
  tools: Tools,
  request: Request,
  submission: Submission,
  { around }: UpdateFacts,
  { operations, codesCount, judged }: { operations: readonly Operation[]; codesCount: boolean; judged: JudgedDeeds },
): JointPlan<Updated> {
  const { newId } = tools;
  const now = tools.now();
  const entries = operations.filter((o) => o.kind === 'entry');
  const chain = codesCount ? maskedWith(entries, submission.sets[0]?.id ?? '', around, newId) : [];
  const changes = changesOf(submission, [...operations, ...chain], { around, now, newId, codesCount });
  const { set } = changes;
  return {
    answer: { set },
    expect: expectations(submission, changes),
    put: rows(request, changes, now),
    done: judged.map(({ permit, deeds }) => ({
      permit,
      trace: {
        documents: documentsOf(permit, deeds, chain, changes),
        submissionSet: { entryUUID: set.entryUUID, uniqueId: set.uniqueId },
      },
    })),
  };
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

function rows(request: Request, changes: Changes, now: number): Row[] {
  const { set } = changes;
  return [
    ...changes.entries.map(
      ({ next, before }): Row => ({ kind: 'version', entry: next, of: before.entryUUID, registeredAt: now }),
    ),
    { kind: 'submissionSet', set, owners: ownersOf(request, set.authors) },
    ...changes.folders.map(({ next }): Row => ({ kind: 'folder', folder: next })),
    ...changes.associations.map((association): Row => ({ kind: 'association', association })),
    ...changes.statuses.map(({ entryUUID, to }): Row => ({ kind: 'status', document: entryUUID, status: to })),
    ...changes.folderStatuses.map(({ entryUUID, to }): Row => ({ kind: 'folderState', folder: entryUUID, status: to })),
    ...changes.associationStatuses.map(
      ({ entryUUID, to }): Row => ({ kind: 'associationState', association: entryUUID, status: to }),
    ),
    ...changes.touched.map((folder): Row => ({ kind: 'folderState', folder, lastUpdateTime: dtmOf(now) })),
  ];
}
