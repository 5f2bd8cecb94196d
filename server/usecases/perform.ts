import type { Blobs } from '../blobs/port.ts';
import type { Keyring } from '../crypto/keyring.ts';
import type { Action } from '../domain/action.ts';
import type { Caller } from '../domain/actor.ts';
import type { AffinityDomain } from '../domain/affinity-domain.ts';
import { decide, type Permit, type RecordFacts, type Refusal, type Surroundings } from '../domain/decision.ts';
import { type Problem, problem, Refused } from '../domain/error.ts';
import type { EventDraft, Origin } from '../domain/event.ts';
import type { Identifier } from '../domain/identifier.ts';
import type { RecordId } from '../domain/record.ts';
import type { Regime } from '../domain/regime.ts';
import type { OnDemandSources } from '../sources/port.ts';
import type { Expectation, Row, Spend, Store } from '../store/port.ts';

/** What the use cases work with: adapters, settings, time and names, all handed in. */
export type Tools = {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly keyring: Keyring;
  readonly sources: OnDemandSources;
  readonly settings: Settings;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A new UUID, version 7, lower case, without prefix. */
  readonly newId: () => string;
};

/** The settings that rules see. Sizes in bytes. */
export type Settings = Omit<Surroundings, 'now'> & {
  readonly regime: Regime;
  readonly domain: AffinityDomain;
  /** INS OIDs that this environment accepts, and the one that it writes first. */
  readonly insOids: readonly string[];
  readonly repositoryUniqueId: string;
  readonly limits: { readonly results: number; readonly entriesPerSubmission: number };
};

/** A request as a face hands it in, after identification. */
export type Request = {
  readonly caller: Caller;
  readonly origin: Origin;
  /** An earlier act of the same request, on another record, spent its credential. */
  readonly spent?: true;
};

/** How the request names the record it is about. */
export type Subject =
  | { readonly identifier: Identifier }
  | { readonly document: string }
  | { readonly event: number }
  /** The id of a form, or of a consent that stands alone. */
  | { readonly consent: string }
  | { readonly record: string }
  | 'none';

/** What an action found or wants to change, besides its answer. */
export type Plan<T> = {
  readonly answer: T;
  /** What can be done with the answer while the event is being written. It leaves after that alone, or never. */
  readonly meanwhile?: () => void;
  readonly expect?: readonly Expectation[];
  readonly put?: readonly Row[];
  /** The answer where it names events of the plan, by their numbers in its order. */
  readonly numbered?: (sequences: readonly number[]) => T;
  /** Facts for the event: documents touched, submission set, another resource, query; of what a partner tells, when it was and of which record. */
  readonly trace?: Pick<
    EventDraft,
    'documents' | 'submissionSet' | 'query' | 'touched' | 'told' | 'record' | 'patient'
  > &
    Partial<Pick<EventDraft, 'at'>>;
  /** Other records that were read, or, where there is a `put`, reached: each has an event of its own. */
  readonly also?: readonly {
    readonly permit: Permit;
    readonly put?: readonly Row[];
    readonly trace?: Plan<T>['trace'];
  }[];
};

/** What several actions of one request change together: `done` has an event for each, and the commit is made with the first one's permit. */
export type JointPlan<T> = Omit<Plan<T>, 'trace'> & {
  readonly done: readonly { readonly permit: Permit; readonly trace?: Plan<T>['trace'] }[];
};

/**
 * Judges one action of the request on the facts as they were read.
 * @throws what ends the request as a refusal of that action, or of `tracedAs`
 */
export type Judge = (action: Action, tracedAs?: Action) => Permit;

/**
 * The one way to do anything: load the facts, `decide()`, run the body with the permit, write its event with its change in one commit,
 * and only then answer. A refusal by the decision or by the body is traced too. Where the facts changed in between, all of it is done again.
 * @throws Refused with public problems; StoreBusy, StoreFull and StoreStopped pass through.
 */
export async function perform<T>(
  tools: Tools,
  request: Request,
  action: Action,
  subject: Subject,
  body: (permit: Permit, facts: RecordFacts | undefined) => Promise<Plan<T>>,
): Promise<T> {
  return performJointly(tools, request, action, subject, async (judge, facts) => {
    const permit = judge(action);
    const { trace, ...plan } = await body(permit, facts);
    return { ...plan, done: [{ permit, ...(trace && { trace }) }] };
  });
}

/**
 * The same for a request whose actions show only when it is compared with what is registered: the body judges each before it plans, and all
 * of them are done in one commit, or none. A request that fails before its actions are known is traced as `action`.
 * @throws as `perform`
 */
export async function performJointly<T>(
  tools: Tools,
  request: Request,
  action: Action,
  subject: Subject,
  body: (judge: Judge, facts: RecordFacts | undefined) => Promise<JointPlan<T>>,
): Promise<T> {
  const spend = spendOf(request);
  const named = typeof subject === 'object' && 'identifier' in subject ? subject.identifier : undefined;
  for (let attempt = 1; ; attempt++) {
    const now = tools.now();
    const facts = await factsOf(tools.store, subject);
    const base = (of: Action) => eventOf(request, of, now, facts, named);
    const judge: Judge = (of, tracedAs = of) => {
      const question = { caller: request.caller, action: of, ...(named && { patient: named }) };
      const decision = decide(question, facts, { ...tools.settings, now });
      if ('refused' in decision) throw new ActionRefused(tracedAs, decision.refused);
      return decision.permit;
    };
    let plan: JointPlan<T>;
    try {
      plan = await body(judge, facts);
    } catch (error) {
      if (error instanceof ActionRefused) {
        const { reason, problem: name } = error.refusal;
        const event = base(error.action);
        await notice(
          tools,
          { ...(reason === 'otherPatient' ? unattributed(event) : event), outcome: 'refused', ground: reason },
          spend,
        );
        throw asTraced(new Refused([problem(name, named === undefined ? {} : { value: shown(named) }, reason)]));
      }
      if (!(error instanceof Refused)) throw error;
      await notice(tools, { ...base(action), ...endOf(error) }, spend);
      throw asTraced(error);
    }
    const [first] = plan.done;
    if (first === undefined) throw new TypeError('A plan of no action changes nothing');
    const { permit } = first;
    const record = permit.record ?? newRecord(plan.put);
    const obligations = new Set(plan.done.flatMap((done) => done.permit.obligations));
    const elsewhere = (plan.also ?? []).flatMap(({ permit: of, put }) =>
      put === undefined ? [] : [{ permit: of, put }],
    );
    const committing = tools.store.write.commit(permit, {
      expect: [
        ...(permit.record === undefined || permit.recordVersion === undefined
          ? []
          : [{ recordAt: { record: permit.record, version: permit.recordVersion } }]),
        ...elsewhere.flatMap(({ permit: of }) =>
          of.record === undefined || of.recordVersion === undefined
            ? []
            : [{ recordAt: { record: of.record, version: of.recordVersion } }],
        ),
        ...(plan.expect ?? []),
      ],
      put: plan.put ?? [],
      ...(elsewhere.length > 0 && { elsewhere }),
      events: [
        ...plan.done.map((done) => ({ ...done, record })),
        ...(plan.also ?? []).map((also) => ({ ...also, record: also.permit.record })),
      ].map(({ permit: { action: done, ground }, trace, record: of }) => ({
        ...base(done),
        ...(of !== undefined && { record: of }),
        outcome: 'done',
        ground,
        ...trace,
      })),
      jobs: [
        ...(record === undefined ? [] : [...obligations].map((kind) => ({ kind, record }))),
        ...(plan.also ?? []).flatMap(({ permit: { obligations: owed, record: of } }) =>
          of === undefined ? [] : owed.map((kind) => ({ kind, record: of })),
        ),
      ],
      ...(spend && { spend }),
    });
    const outcome = plan.meanwhile === undefined ? await committing : await beside(committing, plan.meanwhile);
    if (outcome.done) return plan.numbered?.(outcome.sequences) ?? plan.answer;
    if (outcome.spent) await replayed(tools, base(permit.action));
    if (attempt >= 5) throw new Refused([problem('busy')]);
  }
}

/** What a trace keeps of a question. */
export function shortened(query: string): string {
  return query.length > 4000 ? `${query.slice(0, 4000)}…` : query;
}

/** Does the work once what was begun before is on its way, and waits for both. */
async function beside<T>(begun: Promise<T>, work: () => void): Promise<T> {
  const onItsWay = new Promise<void>((resolve) => setImmediate(resolve));
  const [result] = await Promise.all([begun, onItsWay.then(work)]);
  return result;
}

/** How a refusal by the body is traced: one of access, which only the body could find, as the decision's own are. */
function endOf({ problems: [first] }: Refused): Pick<EventDraft, 'outcome' | 'ground'> {
  return first?.name === 'accessDenied'
    ? { outcome: 'refused', ground: first.private ?? first.name }
    : { outcome: 'failed', ground: first?.name ?? 'refused' };
}

/** How a body ends that asked for an action which the decision refuses. */
class ActionRefused extends Error {
  readonly action: Action;
  readonly refusal: Refusal;
  constructor(action: Action, refusal: Refusal) {
    super(`${action}: ${refusal.reason}`);
    this.action = action;
    this.refusal = refusal;
  }
}

/**
 * The permit that the same caller would get for the same action on another record: for what concerns several patients. What is read
 * with it and answered needs an event of its own.
 */
export async function permitElsewhere(
  tools: Tools,
  request: Request,
  action: Action,
  record: RecordId,
): Promise<Permit | undefined> {
  return (await judgeElsewhere(tools, request, action, record))?.permit;
}

/** The same with the facts that were judged. */
export async function judgeElsewhere(
  tools: Tools,
  { caller }: Request,
  action: Action,
  record: RecordId,
): Promise<{ readonly permit: Permit; readonly facts: RecordFacts } | undefined> {
  const facts = await tools.store.facts.recordById(record);
  const decision = decide({ caller, action }, facts, { ...tools.settings, now: tools.now() });
  return facts !== undefined && 'permit' in decision ? { permit: decision.permit, facts } : undefined;
}

/** Whether a refusal has its event already: every refusal has exactly one, written by `perform` or by the face that could not call it. */
export function isTraced(error: Refused): boolean {
  return traced.has(error);
}

/** The same refusal, its event written once, told with other problems of its request. */
export function toldWith(error: Refused, others: readonly Problem[]): Refused {
  const whole = new Refused([...error.problems, ...others]);
  return isTraced(error) ? asTraced(whole) : whole;
}

const traced = new WeakSet<Refused>();

function asTraced(error: Refused): Refused {
  traced.add(error);
  return error;
}

/**
 * Traces a request that failed before it could be judged: the caller is known, the message is not sound. The credential counts as used. The
 * patient whom the credential names finds it in the history, unless the message is in doubt about its patient.
 * @throws Refused `notIdentified` when the credential had been spent.
 */
export async function traceFailure(
  tools: Tools,
  request: Request,
  action: Action,
  problems: readonly Problem[],
): Promise<void> {
  const { patient } = request.caller;
  const inDoubt = problems.some(
    ({ name, about }) => name === 'patientIdsDiffer' || /patient/i.test(about.attribute ?? ''),
  );
  const facts = patient === undefined || inDoubt ? undefined : await factsOf(tools.store, { identifier: patient });
  const base = eventOf(request, action, tools.now(), facts, undefined);
  const event = inDoubt ? unattributed(base) : base;
  await notice(tools, { ...event, outcome: 'failed', ground: problems[0]?.name ?? 'internal' }, spendOf(request));
}

/** Longest reason of a failed identification that is kept, in characters: whoever is not known writes little into the trail. */
const longestReason = 200;

/** Traces an identification that failed: security audit only, no actor and no patient, since nothing that was said is proven. */
export async function traceUnidentified(tools: Tools, origin: Origin, why: string): Promise<void> {
  const ground = why.slice(0, longestReason);
  await tools.store.write.note([{ at: tools.now(), action: 'identify', origin, outcome: 'refused', ground }]);
}

/**
 * Traces that somebody was identified and given a credential of ours, and spends what it was given for.
 * @throws Refused `notIdentified` when that had been spent
 */
export async function traceIdentified(tools: Tools, request: Request, ground: string, spend?: Spend): Promise<void> {
  const event = eventOf(request, 'identify', tools.now(), undefined, undefined);
  await notice(tools, { ...event, outcome: 'done', ground }, spend);
}

async function notice(tools: Tools, event: EventDraft, spend: Spend | undefined): Promise<void> {
  const outcome = await tools.store.write.note([event], spend);
  if (!outcome.done) await replayed(tools, event);
}

async function replayed(tools: Tools, event: Omit<EventDraft, 'outcome'>): Promise<never> {
  await traceUnidentified(tools, event.origin, 'replayed');
  throw asTraced(new Refused([problem('notIdentified', {}, 'replayed')]));
}

async function factsOf(store: Store, subject: Subject): Promise<RecordFacts | undefined> {
  if (subject === 'none') return undefined;
  if ('identifier' in subject) return store.facts.recordByIdentifier(subject.identifier);
  if ('document' in subject) return store.facts.recordOfDocument(subject.document);
  if ('consent' in subject) return store.facts.recordOfConsent(subject.consent);
  if ('event' in subject) return store.facts.recordOfEvent(subject.event);
  return store.facts.recordById(subject.record);
}

function eventOf(
  { caller, origin }: Request,
  action: Action,
  at: number,
  facts: RecordFacts | undefined,
  patient: Identifier | undefined,
): Omit<EventDraft, 'outcome'> {
  const named = patient ?? caller.patient;
  return {
    at,
    action,
    origin,
    actor: caller.actor,
    mode: caller.mode,
    credential: caller.credential.id,
    ...(caller.reason !== undefined && { statedReason: caller.reason }),
    ...(caller.software && { software: [caller.software.name, caller.software.version].filter(Boolean).join(' ') }),
    ...(facts && { record: facts.record.id }),
    ...(named && { patient: named }),
  };
}

/** A message that names two patients is shown in the history of neither. */
function unattributed(event: Omit<EventDraft, 'outcome'>): Omit<EventDraft, 'outcome'> {
  const { record: _record, patient: _patient, ...rest } = event;
  return rest;
}

function newRecord(put: readonly Row[] | undefined): string | undefined {
  for (const row of put ?? []) if (row.kind === 'record') return row.record.id;
  return undefined;
}

function spendOf({ caller: { credential }, spent }: Request): Spend | undefined {
  return credential.kind === 'assertion' && spent !== true
    ? { key: credential.spendKey, until: credential.until }
    : undefined;
}

function shown(patient: Identifier): string {
  return `${patient.value}^^^&${patient.oid}&ISO`;
}
