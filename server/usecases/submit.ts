import type { Received } from '../blobs/port.ts';
import { accept } from '../domain/accept.ts';
import type { Action } from '../domain/action.ts';
import type { Permit, RecordFacts } from '../domain/decision.ts';
import type { Folder } from '../domain/document.ts';
import { type Problem, problem, Refused, refuse } from '../domain/error.ts';
import { traced } from '../domain/event.ts';
import { messageProblems, submissionProblems } from '../domain/rules.ts';
import { traitsProblems } from '../domain/stated-traits.ts';
import type { Row, SealedContent, StoredDocument } from '../store/port.ts';
import { type Deposit, type Deposited, messageFacts, patientOf, together } from './deposit.ts';
import { type Keeping, keeping } from './deposit-bytes.ts';
import { expectations, putIntoFolders, rows } from './deposit-changes.ts';
import {
  changedFolders,
  namedByUuid,
  registeredNames,
  shownProblems,
  versionProblems,
  withoutHeldMembers,
} from './deposit-names.ts';
import { folderProblems, folderVersions } from './folder-version.ts';
import { patientProblems } from './patient-said.ts';
import {
  type JointPlan,
  type Judge,
  type Plan,
  performJointly,
  type Request,
  type Tools,
  toldWith,
} from './perform.ts';
import { recordKey } from './record-key.ts';
import { registryFacts } from './registry-facts.ts';
import { nothingElseNames, surroundingOf } from './surrounding.ts';

/**
 * Deposits a submission set: all of it becomes visible, or nothing. Every document that was handed over is kept or discarded.
 * IHE ITI TF-2 3.41, 3.42.
 * @throws Refused with all problems of message, rules and registry; or with what the decision refuses.
 */
export async function submit(tools: Tools, request: Request, deposit: Deposit): Promise<Deposited> {
  return enter(tools, request, 'submitDocuments', deposit);
}

/** The document that a condition of the deposit named. */
export type AlreadyThere = { readonly existing: StoredDocument };

/**
 * The same, unless the caller sees a document of one of these names already; then nothing is stored, and that document is the answer, however
 * sound the deposit is. Of several at the same time one deposits. FHIR R4 http.html#ccreate.
 * @throws as `submit`; Refused `multipleMatches`
 */
export async function submitUnless(
  tools: Tools,
  request: Request,
  deposit: Deposit,
  names: { readonly uniqueIds: readonly string[]; readonly entryUUIDs: readonly string[] },
): Promise<Deposited | AlreadyThere> {
  return entering<Deposited | AlreadyThere>(
    tools,
    request,
    'submitDocuments',
    deposit,
    async (permit, facts, bytes, judge) => {
      const existing = await existingOf(tools, permit, names);
      if (existing === undefined) return plan(tools, request, deposit, bytes, permit, facts, judge);
      await bytes.discardRest();
      return { answer: { existing }, trace: { documents: [traced(existing.entry)] } };
    },
  );
}

async function existingOf(
  { store: { read } }: Tools,
  permit: Permit,
  { uniqueIds, entryUUIDs }: { readonly uniqueIds: readonly string[]; readonly entryUUIDs: readonly string[] },
): Promise<StoredDocument | undefined> {
  const [unique, named] = await Promise.all([
    read.documentsByUniqueId(permit, uniqueIds),
    read.documentsByUuid(permit, entryUUIDs),
  ]);
  const found = new Map([...unique, ...named].filter(({ latest }) => latest).map((one) => [one.entry.entryUUID, one]));
  if (found.size > 1) refuse('multipleMatches', { value: [...uniqueIds, ...entryUUIDs].join() });
  return [...found.values()][0];
}

/**
 * Registers documents of which another repository has the bytes. IHE ITI TF-2 3.42.
 * @throws as `submit`
 */
export async function register(
  tools: Tools,
  request: Request,
  metadata: Omit<Deposit, 'documents'>,
): Promise<Deposited> {
  return enter(tools, request, 'registerDocuments', { ...metadata, documents: [] });
}

/**
 * Registers documents that a source assembles when they are asked for. IHE ITI TF-2 3.61.
 * @throws as `submit`
 */
export async function registerOnDemand(
  tools: Tools,
  request: Request,
  metadata: Omit<Deposit, 'documents'>,
): Promise<Deposited> {
  return enter(tools, request, 'registerOnDemand', { ...metadata, documents: [] });
}

async function enter(tools: Tools, request: Request, action: Action, deposit: Deposit): Promise<Deposited> {
  return entering(tools, request, action, deposit, async (permit, facts, bytes, judge) =>
    plan(tools, request, deposit, bytes, permit, facts, judge),
  );
}

/** The plan of a deposit, with what else it does. */
type DepositPlan<T> = Plan<T> & Partial<Pick<JointPlan<T>, 'done'>>;

async function entering<T>(
  tools: Tools,
  request: Request,
  action: Action,
  deposit: Deposit,
  planned: (permit: Permit, facts: RecordFacts | undefined, bytes: Keeping, judge: Judge) => Promise<DepositPlan<T>>,
): Promise<T> {
  const bytes = keeping(deposit);
  try {
    const patient = patientOf(deposit.submission, request);
    if (patient === undefined) throw new Refused(unjudged(tools, request, deposit));
    return await performJointly(tools, request, action, { identifier: patient }, async (judge, facts) => {
      const permit = judge(action);
      const { trace, ...rest } = await planned(permit, facts, bytes, judge);
      const done = [{ permit, ...(trace && { trace }) }, ...(rest.done ?? [])];
      return { ...rest, done };
    });
  } catch (error) {
    await bytes.discardRest();
    // What is wrong with the message itself is told with it. IHE ITI TF-2 3.42.4.1.3.
    throw isOfUnknownPatient(error) ? toldWith(error, unjudged(tools, request, deposit)) : error;
  }
}

function isOfUnknownPatient(error: unknown): error is Refused {
  return error instanceof Refused && error.problems.every(({ name }) => name === 'unknownPatient');
}

/** What is wrong with a message of no patient or of two: no record can be asked, so none is. */
function unjudged(tools: Tools, request: Request, deposit: Deposit): Problem[] {
  const found = messageProblems(request.origin.transaction, deposit.submission, messageFacts(tools, request, deposit));
  return together(deposit.problems, found);
}

async function plan(
  tools: Tools,
  request: Request,
  sent: Deposit,
  bytes: Keeping,
  permit: Permit,
  facts: RecordFacts | undefined,
  judge: Judge,
): Promise<DepositPlan<Deposited>> {
  const others = await registeredNames(tools, permit, sent.named);
  const named = namedByUuid(sent.submission, others);
  const known = await registryFacts(tools, request, { ...sent, submission: named }, permit, facts);
  const submission = withoutHeldMembers(named, sent.shownFolders, known.associations);
  const deposit = { ...sent, submission };
  const used = deposit.documents.flatMap(({ staged }) => staged ?? []);
  const changed = changedFolders(deposit.shownFolders, others);
  const changing = changed.length === 0 ? undefined : judge('updateDocument');
  const { traitsCompared: compared } = tools.settings.regime;
  const differing = compared === 'off' ? [] : traitsProblems(submission, deposit.stated ?? [], facts?.record.traits);
  const problems = [
    ...together(deposit.problems, submissionProblems(request.origin.transaction, submission, known)),
    ...versionProblems(sent.named, others),
    ...patientProblems(deposit.patients, facts),
    ...(compared === 'refuse' ? differing : []),
    ...shownProblems(deposit.shownFolders, others),
    ...(changing === undefined
      ? []
      : await folderProblems(tools, request, changed, { permit: changing, facts: known })),
    ...(await usedAlready(tools, deposit)),
  ];
  if (problems.length > 0) throw new Refused(problems);
  const now = tools.now();
  const { read } = tools.store;
  const targets = [...known.targets.keys()];
  const around = await surroundingOf(read, permit, targets, ['XFRM', 'APND']);
  const made = accept(submission, {
    ...known,
    around,
    repositoryUniqueId: permit.action === 'submitDocuments' ? tools.settings.repositoryUniqueId : undefined,
    now,
    newId: tools.newId,
  });
  const { accepted, versions, ...further } = await folderVersions(tools, permit, changed, made);
  const kept =
    deposit.documents.length === 0
      ? new Map<Received, SealedContent>()
      : await bytes.keep(await recordKey(tools, permit));
  const { set, entries, folders } = accepted;
  return {
    answer: {
      set,
      entries,
      folders,
      namedFolders: latestOf([...others.folders, ...versions]),
      superseded: known.superseded,
      warnings: differing,
      ...recordOf(permit),
    },
    expect: [
      ...expectations(submission, accepted, tools.settings),
      ...nothingElseNames([...accepted.deprecated, ...putIntoFolders(accepted, known)], around),
      ...used.map((staged) => ({ staged })),
      ...further.expect,
    ],
    put: [
      ...rows(
        request,
        deposit,
        accepted,
        kept,
        [...known.targets.values()].map(({ entry }) => entry),
        now,
      ),
      ...used.map((id): Row => ({ kind: 'unstaged', id })),
      ...further.put,
    ],
    ...(changing && { done: [{ permit: changing }] }),
    trace: {
      documents: entries.map(({ entryUUID, uniqueId }) => ({ entryUUID, uniqueId })),
      submissionSet: { entryUUID: set.entryUUID, uniqueId: set.uniqueId },
    },
  };
}

/** The last one of each folder. */
function latestOf(folders: readonly Folder[]): Folder[] {
  return [...new Map(folders.map((folder) => [folder.logicalID, folder])).values()];
}

function recordOf({ record, recordVersion }: Permit): Pick<Deposited, 'record' | 'recordVersion'> {
  return { record, recordVersion };
}

/** Bytes that waited when the message was read and have become another's document since. */
async function usedAlready({ store }: Tools, { documents }: Deposit): Promise<Problem[]> {
  const found: Problem[] = [];
  for (const { id, staged } of documents)
    if (staged !== undefined && (await store.staging.find(staged)) === undefined)
      found.push(
        problem('attachmentUnresolved', { object: id, value: `Binary/${staged}`, detail: 'nothing waits there' }),
      );
  return found;
}
