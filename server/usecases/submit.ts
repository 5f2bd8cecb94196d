import type { Received } from '../blobs/port.ts';
import type { RecordKey } from '../crypto/keyring.ts';
import { type Acceptance, accept } from '../domain/accept.ts';
import type { Action } from '../domain/action.ts';
import type { Permit, RecordFacts } from '../domain/decision.ts';
import type { Association, DocumentEntry, Folder, FolderDraft, Submission, SubmissionSet } from '../domain/document.ts';
import { type Problem, problem, Refused, refuse } from '../domain/error.ts';
import { traced } from '../domain/event.ts';
import { growsInSight } from '../domain/folder-time.ts';
import type { Identifier } from '../domain/identifier.ts';
import { currentIdentifiers, type RecordId } from '../domain/record.ts';
import { type Manifest, type MessageFacts, nameOf, type RegistryFacts } from '../domain/rules/facts.ts';
import { messageProblems, submissionProblems } from '../domain/rules.ts';
import { dtmOf } from '../domain/time.ts';
import type { Expectation, Holder, ObjectKind, Row, SealedContent, StoredDocument } from '../store/port.ts';
import {
  changedFolders,
  type OtherNames,
  type PatientSaid,
  patientProblems,
  type RegisteredNames,
  registeredNames,
  shownProblems,
  versionProblems,
} from './deposit-names.ts';
import { folderProblems, folderVersions } from './folder-version.ts';
import { ownersOf } from './owners.ts';
import {
  type JointPlan,
  type Judge,
  type Plan,
  performJointly,
  type Request,
  type Settings,
  type Tools,
  toldWith,
} from './perform.ts';
import { everyPage } from './query.ts';
import { recordKey } from './record-key.ts';
import { nothingElseNames, surroundingOf, uuids } from './surrounding.ts';

/** The bytes of a document by the id that the message gives its entry; `staged`: under which id they waited. */
export type DepositedBytes = { readonly id: string; readonly received: Received; readonly staged?: string };

/** What a source hands over: metadata as read, and the documents by the id that the message gives their entries. */
export type Deposit = {
  readonly submission: Submission;
  readonly documents: readonly DepositedBytes[];
  /** What the signature documents of the lot say. */
  readonly manifests?: readonly Manifest[];
  /** What reading the message already found wrong; thrown together with what the rules find. */
  readonly problems?: readonly Problem[];
  /** Names by which associations name what is registered, instead of the entryUUID. */
  readonly named?: OtherNames;
  /** What the message says of the patient besides his identifiers. */
  readonly patients?: readonly PatientSaid[];
  /** Registered folders as the message shows them, their id the logicalID. */
  readonly shownFolders?: readonly FolderDraft[];
};

export type Deposited = {
  readonly set: SubmissionSet;
  /** In the order in which they were sent, as the folders. */
  readonly entries: readonly DocumentEntry[];
  readonly folders: readonly Folder[];
  /** Registered folders that the message named by their logicalID. */
  readonly namedFolders: readonly Folder[];
  /** The revisions that replaced documents are at now, by their logicalID. */
  readonly superseded: ReadonlyMap<string, number>;
  /** That of the patient, and its version. */
  readonly record: RecordId | undefined;
  readonly recordVersion: number | undefined;
};

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

/** The one patient whom the message names, or the credential where the message names none; undefined when there are two or nobody. */
export function patientOf({ sets, entries, folders }: Submission, { caller }: Request): Identifier | undefined {
  const named = new Map<string, Identifier>();
  for (const { patientId } of [...sets, ...entries, ...folders]) {
    const oid = patientId?.authority.oid;
    if (patientId !== undefined && oid !== undefined) named.set(`${patientId.id}^${oid}`, { value: patientId.id, oid });
  }
  const [first] = named.values();
  return named.size > 1 ? undefined : (first ?? caller.patient);
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
  const whole = namedByUuid(sent, others);
  const known = await registryFacts(tools, request, whole, permit, facts);
  const deposit = withoutHeldMembers(whole, known.associations);
  const { submission } = deposit;
  const used = deposit.documents.flatMap(({ staged }) => staged ?? []);
  const changed = changedFolders(deposit.shownFolders, others);
  const changing = changed.length === 0 ? undefined : judge('updateDocument');
  const problems = [
    ...together(deposit.problems, submissionProblems(request.origin.transaction, submission, known)),
    ...versionProblems(sent.named, others),
    ...patientProblems(deposit.patients, facts),
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

/** Registered documents that registered folders receive: nobody else puts them there at the same time. */
function putIntoFolders({ associations }: Acceptance, { folders, targets }: RegistryFacts): string[] {
  return associations
    .filter(({ type, source, target }) => type === 'HasMember' && folders.has(source) && targets.has(target))
    .map(({ target }) => target);
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

/** The same with the entryUUIDs of what associations name otherwise, as far as it exists for the caller. */
function namedByUuid(deposit: Deposit, { uuidOf }: RegisteredNames): Deposit {
  const { submission } = deposit;
  if (uuidOf.size === 0) return deposit;
  const renamed = (name: string | undefined) => (name === undefined ? undefined : (uuidOf.get(nameOf(name)) ?? name));
  const associations = submission.associations.map((association) => {
    const [source, target] = [renamed(association.source), renamed(association.target)];
    return { ...association, ...(source !== undefined && { source }), ...(target !== undefined && { target }) };
  });
  return { ...deposit, submission: { ...submission, associations } };
}

/** A folder that is shown with its members is shown with those that it holds already: they are not put into it again. */
function withoutHeldMembers(deposit: Deposit, registered: readonly Association[]): Deposit {
  const { submission, shownFolders = [] } = deposit;
  if (shownFolders.length === 0) return deposit;
  const held = new Set(
    registered
      .filter(({ type, status }) => type === 'HasMember' && status === 'approved')
      .map(({ source, target }) => `${source} ${target}`),
  );
  const again = new Set(
    submission.associations
      .filter(
        ({ type, source = '', target = '' }) => type === 'HasMember' && held.has(`${nameOf(source)} ${nameOf(target)}`),
      )
      .map(({ id }) => id),
  );
  const associations = submission.associations.filter(({ id, target = '' }) => !again.has(id) && !again.has(target));
  return { ...deposit, submission: { ...submission, associations } };
}

/** What the rules see of a message besides itself. */
export function messageFacts(
  { settings, sources }: Tools,
  { caller }: Request,
  { documents, manifests = [] }: Pick<Deposit, 'documents' | 'manifests'>,
): MessageFacts {
  return {
    caller,
    documents: documents.map(({ id, received: { sha1, size } }) => ({ id, sha1, size })),
    manifests,
    domain: settings.domain,
    insOids: settings.insOids,
    sources: sources.repositories,
    repositoryUniqueId: settings.repositoryUniqueId,
    regime: settings.regime,
    entriesPerSubmission: settings.limits.entriesPerSubmission,
  };
}

async function registryFacts(
  tools: Tools,
  request: Request,
  deposit: Deposit,
  permit: Permit,
  facts: RecordFacts | undefined,
): Promise<RegistryFacts & Pick<Deposited, 'superseded'>> {
  const { read } = tools.store;
  const { sets, entries, folders, associations } = deposit.submission;
  const own = [...sets, ...entries, ...folders, ...associations].map(({ id }) => nameOf(id));
  const logical = [...entries, ...folders].flatMap(({ logicalID }) =>
    logicalID === undefined ? [] : [nameOf(logicalID)],
  );
  const named = uuids(
    associations.flatMap(({ source, target }) => [source, target]),
    own,
  );
  const uniqueIds = [...sets, ...entries, ...folders].flatMap(({ uniqueId }) => uniqueId ?? []);
  const [held, taken, targets, namedFolders, touching] = await Promise.all([
    read.holders(permit, uniqueIds),
    uuids([...own, ...logical]).length === 0 ? new Set<string>() : read.taken(permit, uuids([...own, ...logical])),
    named.length === 0 ? [] : read.documentsByUuid(permit, named),
    named.length === 0 ? [] : read.folders(permit, named),
    named.length === 0 ? [] : read.associationsOf(permit, named),
  ]);
  const unknown = uuids(named, [
    ...targets.map(({ entry }) => entry.entryUUID),
    ...namedFolders.map(({ entryUUID }) => entryUUID),
  ]);
  const others = await othersNamed(tools, permit, unknown);
  return {
    ...messageFacts(tools, request, deposit),
    holder: facts === undefined ? [] : currentIdentifiers(facts.record),
    held: await comparable(tools, permit, held),
    taken,
    targets: new Map(targets.map(({ entry, own: isOwn }) => [entry.entryUUID, { entry, own: isOwn }])),
    superseded: new Map(
      targets.map(({ entry, revision, latest }) => [entry.logicalID, latest ? revision + 1 : revision]),
    ),
    folders: new Map(namedFolders.map((folder) => [folder.entryUUID, folder])),
    others,
    elsewhere: await elsewhere(tools, permit, uuids(unknown, [...others.keys()])),
    associations: touching,
  };
}

/**
 * Whoever holds a uniqueId is told to everyone who uses it again; whether the bytes are the same, only to who sees the document, so that
 * nobody learns by guessing what another record or a hidden document holds. Where the domain takes the same bytes again they have to be compared.
 */
async function comparable(
  { store: { read }, settings: { domain } }: Tools,
  permit: Permit,
  held: ReadonlyMap<string, readonly Holder[]>,
): Promise<RegistryFacts['held']> {
  if (held.size === 0 || domain.sameBytesAgain === 'accepted') return held;
  const seen = await read.documentsByUniqueId(permit, [...held.keys()]);
  const isSeen = ({ entryUUID }: Holder) => seen.some(({ entry }) => entry.entryUUID === entryUUID);
  return new Map(
    [...held].map(([uniqueId, holders]) => [
      uniqueId,
      holders.map((holder) => (isSeen(holder) ? holder : { kind: holder.kind })),
    ]),
  );
}

/** Which of these names are submission sets and associations of this record. */
async function othersNamed(
  { store: { read } }: Tools,
  permit: Permit,
  entryUUIDs: readonly string[],
): Promise<RegistryFacts['others']> {
  if (entryUUIDs.length === 0) return new Map();
  const [sets, associations] = await Promise.all([
    everyPage((page) => read.submissionSets(permit, { entryUUIDs }, page)),
    read.associations(permit, entryUUIDs),
  ]);
  return new Map([
    ...sets.map(({ set }) => [set.entryUUID, 'registeredSet'] as const),
    ...associations.map(({ entryUUID }) => [entryUUID, 'registeredAssociation'] as const),
  ]);
}

/** Which of the names that were not found in this record are taken: told where nothing is hidden from anybody. */
export async function elsewhere(
  { store, settings }: Tools,
  permit: Permit,
  unknown: readonly string[],
): Promise<ReadonlySet<string>> {
  const isTold = settings.domain.credentials === 'none' && unknown.length > 0;
  return isTold ? store.read.taken(permit, unknown) : new Set();
}

/**
 * What must be true when it is written; ids that we made ourselves are new by construction. A document may have a name that others have
 * with the same bytes, where the domain takes those again.
 */
function expectations(
  submission: Submission,
  { set, entries, folders, approved, touched }: Acceptance,
  { domain }: Settings,
): Expectation[] {
  const absent = (kind: ObjectKind, drafts: readonly { id: string }[]) =>
    uuids(drafts.map(({ id }) => id)).map((entryUUID) => ({ absent: { kind, entryUUID } }));
  const nameOfBytes = ({ uniqueId, hash, size, objectType }: DocumentEntry): Expectation =>
    objectType === 'onDemand'
      ? { uniqueIdFree: uniqueId, unless: {} }
      : domain.sameBytesAgain === 'accepted' && hash !== undefined && size !== undefined
        ? { uniqueIdFree: uniqueId, unless: { hash, size } }
        : { uniqueIdFree: uniqueId };
  return [
    ...[set, ...folders].map(({ uniqueId }) => ({ uniqueIdFree: uniqueId })),
    ...entries.map(nameOfBytes),
    ...absent('submissionSet', submission.sets),
    ...absent('document', submission.entries),
    ...absent('folder', submission.folders),
    ...absent('association', submission.associations),
    ...approved.map((document) => ({ statusIs: { document, status: 'approved' as const } })),
    ...touched.map((entryUUID) => ({ stateIs: { kind: 'folder' as const, entryUUID, status: 'approved' as const } })),
  ];
}

function rows(
  request: Request,
  { submission, documents }: Deposit,
  { set, entries, folders, associations, deprecated, touched }: Acceptance,
  kept: ReadonlyMap<Received, SealedContent>,
  registered: readonly DocumentEntry[],
  registeredAt: number,
): Row[] {
  const received = new Map(documents.map((document) => [nameOf(document.id), document.received]));
  return [
    ...entries.map((entry, index): Row => {
      const bytes = received.get(nameOf(submission.entries[index]?.id ?? ''));
      const content = bytes && kept.get(bytes);
      const owners = ownersOf(request, [...set.authors, ...entry.authors]);
      return {
        kind: 'document',
        entry,
        registeredAt,
        ...(bytes && { sha256: bytes.sha256 }),
        ...(content && { content }),
        owners,
      };
    }),
    { kind: 'submissionSet', set, owners: ownersOf(request, set.authors) },
    ...folders.map((folder): Row => ({ kind: 'folder', folder })),
    ...associations.map((association): Row => ({ kind: 'association', association })),
    ...deprecated.map((document): Row => ({ kind: 'status', document, status: 'deprecated' })),
    ...touched.map(
      (folder): Row => ({
        kind: 'folderState',
        folder,
        ...(growsInSight(folder, associations, [...entries, ...registered]) && { lastUpdateTime: dtmOf(registeredAt) }),
      }),
    ),
  ];
}

/** Problems of reading first; what the rules miss because reading left it out, an attribute or an object, is not told twice. */
export function together(read: readonly Problem[] = [], found: readonly Problem[]): Problem[] {
  const told = read.map(({ about }) => about);
  const isTold = ({ name, about: { attribute = '', object } }: Problem) =>
    name === 'attributeMissing' &&
    told.some(
      (a) => a.object === object && (a.attribute === attribute || a.attribute?.endsWith(` of ${attribute}`) === true),
    );
  const unread = new Set(
    read.flatMap(({ name, about: { object = '' } }) => (name === 'objectUnclassified' ? [nameOf(object.trim())] : [])),
  );
  const isUnread = ({ name, about: { value = '' } }: Problem) =>
    name === 'referenceUnresolved' && unread.has(nameOf(value));
  return [...read, ...found.filter((problem) => !isTold(problem) && !isUnread(problem))];
}

type Keeping = {
  /** Binds every document to the record; a second call, after a conflict, answers the same. */
  readonly keep: (key: RecordKey) => Promise<ReadonlyMap<Received, SealedContent>>;
  /** Forgets the bytes of documents that were not kept. What was kept and never committed is swept by its store. */
  readonly discardRest: () => Promise<void>;
};

function keeping({ documents }: Deposit): Keeping {
  const kept = new Map<Received, Promise<SealedContent>>();
  const discarded = new Set<Received>();
  return {
    async keep(key) {
      const sealed = documents.map(async ({ received }) => {
        const content = kept.get(received) ?? received.keep(key);
        kept.set(received, content);
        return [received, await content] as const;
      });
      return new Map(await Promise.all(sealed));
    },
    async discardRest() {
      const rest = documents.filter(({ received }) => !kept.has(received) && !discarded.has(received));
      for (const { received } of rest) discarded.add(received);
      await Promise.allSettled(rest.map(({ received }) => received.discard()));
    },
  };
}
