import type { Action } from '../domain/action.ts';
import { type Consent, type ConsentStatement, concernsTheSame, groupOf, sameStatement } from '../domain/consent.ts';
import type { Permit, RecordFacts } from '../domain/decision.ts';
import { problem, Refused, refuse } from '../domain/error.ts';
import { sameIdentifier } from '../domain/identifier.ts';
import type { PatientRecord } from '../domain/record.ts';
import type { Row, StoredConsents } from '../store/port.ts';
import { declares, isOwnAuthorisation, outlastsDeclaration } from './consent.ts';
import { type Judge, performJointly, type Request, type Subject, type Tools } from './perform.ts';
import type { PatientRef } from './query.ts';
import { type Condition, formsMeant, isWithdrawn } from './read-consents.ts';
import { consentOf, endConsent, monthsAfter } from './record.ts';

/** One statement of a form with its time: `from` is now where it is absent, `until` the first instant at which it no longer holds. */
export type Term = { readonly statement: ConsentStatement; readonly from?: number; readonly until?: number };

/** What is stated in one go. `text` is the form as it was sent, for reading back. */
export type Form = {
  readonly patient: PatientRef;
  readonly status: 'active' | 'inactive';
  readonly terms: readonly Term[];
  readonly text: string;
};

/** What came of a form: the version that it made, or the one that was there already. */
export type Stated = { readonly stored: StoredConsents; readonly outcome: 'created' | 'changed' | 'existing' };

/**
 * States what a form says: each statement is a consent of its own, of one group. What it contradicts or repeats elsewhere ends where it begins.
 * A professional may state his own authorisation, which ends after the time that the regime gives at the latest.
 * @param unless where a form meets it, nothing is stated; of several requests at the same time one states. FHIR R4 http.html#ccreate
 * @throws Refused consentRuleBroken, multipleMatches, and what the decision refuses
 */
export async function stateForm(tools: Tools, request: Request, form: Form, unless?: Condition): Promise<Stated> {
  const action = isOwn(request, form.terms, declares) ? 'declareAuthorisation' : 'changeConsent';
  return changing(tools, request, action, subjectOf(form), async (judge, facts) => {
    const permit = judge(action);
    const existing = unless === undefined ? undefined : await theOneMeant(tools, request, permit, facts, form, unless);
    return existing === undefined
      ? stating(tools, request, form, permit, facts)
      : { permit, id: existing.id, version: existing.version, put: [], outcome: 'existing' };
  });
}

/**
 * Changes what a form says: statements that stay keep their name, those that are no longer in it end, and with status `inactive` all of them.
 * @param expected the version that the caller has read
 * @throws Refused resourceUnknown, versionDiffers, openingNotEnded, consentRuleBroken, and what the decision refuses
 */
export async function changeForm(
  tools: Tools,
  request: Request,
  id: string,
  form: Form,
  expected: number | undefined,
): Promise<Stated> {
  return changing(tools, request, 'changeConsent', subjectOfId(request, id), (judge, facts) =>
    replacing(tools, request, id, form, expected, judge, facts),
  );
}

/**
 * Changes the form that a condition means, or states a new one where none meets it. FHIR R4 http.html#cond-update.
 * @param id the name that the form brings; where it is not that of the one meant, nothing is done
 * @throws Refused as `stateForm` and `changeForm`
 */
export async function putForm(
  tools: Tools,
  request: Request,
  form: Form,
  where: Condition,
  { id, expected }: { readonly id: string | undefined; readonly expected: number | undefined },
): Promise<Stated> {
  const action = isOwn(request, form.terms, declares) ? 'declareAuthorisation' : 'changeConsent';
  return changing(tools, request, 'changeConsent', subjectOf(form), async (judge, facts) => {
    const looking = judge(action);
    const found = await theOneMeant(tools, request, looking, facts, form, where);
    if (id !== undefined && id !== found?.id)
      refuse('elementMalformed', { expression: 'Consent.id', value: id, detail: 'the condition means another' });
    if (found !== undefined) return replacing(tools, request, found.id, form, expected, judge, facts);
    if (form.status === 'inactive')
      refuse('consentNotEnforceable', {
        expression: 'Consent.status',
        value: form.status,
        detail: 'nothing would be stated',
      });
    return stating(tools, request, form, looking, facts);
  });
}

/**
 * Ends all that a form states, and withdraws the form: only its history tells of it afterwards. What was withdrawn before stays as it is.
 * @param expected the version that the caller has read
 * @throws Refused resourceUnknown, versionDiffers, openingNotEnded, and what the decision refuses
 */
export async function withdrawForm(
  tools: Tools,
  request: Request,
  id: string,
  expected: number | undefined,
): Promise<Stated> {
  return changing(tools, request, 'changeConsent', subjectOfId(request, id), async (judge, facts) => {
    const members = membersOf(facts, id);
    const permit = judge(isOwn(request, members, isOwnAuthorisation) ? 'withdrawAuthorisation' : 'changeConsent');
    const latest = await latestOf(tools, permit, facts, id, expected);
    if (isWithdrawn(latest)) return { permit, id, version: latest.version, put: [], outcome: 'existing' };
    if (members.some(isStandingOpening)) refuse('openingNotEnded', { expression: 'Consent.provision' });
    const now = tools.now();
    const ended = members.map((member) =>
      member.status === 'active' ? endConsent(member, now) : { ...member, version: member.version + 1 },
    );
    return { permit, id, version: latest.version + 1, put: rows(ended, ended[0], ''), outcome: 'changed', isEnd: true };
  });
}

function subjectOf({ patient }: Form): Subject {
  return 'record' in patient ? patient : { identifier: patient };
}

function subjectOfId({ caller: { patient } }: Request, id: string): Subject {
  return patient === undefined ? { consent: id } : { identifier: patient };
}

function membersOf(facts: RecordFacts | undefined, id: string): readonly Consent[] {
  return facts?.consents.filter((consent) => groupOf(consent) === id) ?? [];
}

/** @throws Refused resourceUnknown, versionDiffers */
async function latestOf(
  { store }: Tools,
  permit: Permit,
  facts: RecordFacts | undefined,
  id: string,
  expected: number | undefined,
): Promise<StoredConsents> {
  const [latest] = facts === undefined ? [] : await store.read.consentVersions(permit, id);
  if (latest === undefined) refuse('resourceUnknown', { value: `Consent/${id}` });
  if (expected !== undefined && expected !== latest.version)
    refuse('versionDiffers', {
      object: `Consent/${id}`,
      value: String(expected),
      detail: `it is at ${latest.version}`,
    });
  return latest;
}

/** The form of the same patient that a condition means. @throws Refused consentRuleBroken, multipleMatches */
async function theOneMeant(
  { store }: Tools,
  request: Request,
  permit: Permit,
  facts: RecordFacts | undefined,
  { patient }: Form,
  condition: Condition,
): Promise<StoredConsents | undefined> {
  if (facts === undefined) refuse('unknownPatient');
  if (!names(condition.patient ?? patient, facts.record))
    refuse('consentRuleBroken', { expression: 'Consent.patient', detail: 'the condition names another patient' });
  const [meant, ...more] = formsMeant(permit, request, await store.read.consents(permit), condition);
  if (more.length > 0) refuse('multipleMatches', { value: condition.query });
  return meant;
}

function stating(tools: Tools, request: Request, form: Form, permit: Permit, facts: RecordFacts | undefined): Change {
  if (facts === undefined) refuse('unknownPatient');
  const group = tools.newId();
  const own = isOwn(request, form.terms, declares);
  const [first, ...others] = statedBy(tools, request, facts, form, group, own);
  if (first === undefined)
    refuse('consentRuleBroken', { expression: 'Consent.provision', detail: 'nothing is stated' });
  const put = [first, ...others, ...cut(facts, [first, ...others], group, own, tools.now())];
  return { permit, id: group, version: 1, put: rows(put, first, form.text), outcome: 'created' };
}

async function replacing(
  tools: Tools,
  request: Request,
  id: string,
  form: Form,
  expected: number | undefined,
  judge: Judge,
  facts: RecordFacts | undefined,
): Promise<Change> {
  const members = membersOf(facts, id);
  const may = form.status === 'active' ? declares : isOwnAuthorisation;
  const own = isOwn(request, members, isOwnAuthorisation) && isOwn(request, form.terms, may);
  const permit = judge(
    own ? (form.status === 'active' ? 'declareAuthorisation' : 'withdrawAuthorisation') : 'changeConsent',
  );
  const latest = await latestOf(tools, permit, facts, id, expected);
  if (facts === undefined) refuse('resourceUnknown', { value: `Consent/${id}` });
  checkChange(facts, members, form);
  const now = tools.now();
  const stated = statedBy(tools, request, facts, form, id, own);
  const kept = stated.flatMap((next) => {
    const before = members.find((member) => sameStatement(member.statement, next.statement));
    if (before !== undefined) return [succeeding(before, next, form.status, now)];
    return form.status === 'active' ? [next] : [];
  });
  const left = members.filter((member) => !kept.some((next) => next.id === member.id));
  const ended = left.filter(({ status }) => status === 'active').map((consent) => endConsent(consent, now));
  const inForce = kept.filter(({ status }) => status === 'active');
  const all = [...kept, ...ended, ...cut(facts, inForce, id, own, now)];
  const [bearer] = kept.length > 0 ? kept : ended;
  return { permit, id, version: latest.version + 1, put: rows(all, bearer, form.text), outcome: 'changed' };
}

type Change = {
  readonly permit: Permit;
  readonly id: string;
  readonly version: number;
  readonly put: readonly Row[];
  readonly outcome: Stated['outcome'];
  /** The form is withdrawn. */
  readonly isEnd?: true;
};

const ways = { created: 'create', changed: 'update', existing: 'read' } as const;

/** Makes the change and answers the version that it made or found, as it was stored. */
async function changing(
  tools: Tools,
  request: Request,
  action: Action,
  subject: Subject,
  plan: (judge: Judge, facts: RecordFacts | undefined) => Promise<Change>,
): Promise<Stated> {
  const { permit, id, version, outcome } = await performJointly(
    tools,
    request,
    action,
    subject,
    async (judge, facts) => {
      const answer = await plan(judge, facts);
      const how = answer.isEnd === true ? 'delete' : ways[answer.outcome];
      const touched = { resource: `Consent/${answer.id}/_history/${answer.version}`, how } as const;
      return { answer, put: answer.put, done: [{ permit: answer.permit, trace: { touched } }] };
    },
  );
  const versions = await tools.store.read.consentVersions(permit, id);
  const stored = versions.find((one) => one.version === version);
  return stored === undefined ? refuse('resourceUnknown', { value: `Consent/${id}` }) : { stored, outcome };
}

/** Whether all that is stated is the caller's own authorisation, as `may` asks. */
function isOwn({ caller }: Request, terms: readonly Pick<Term, 'statement'>[], may: typeof declares): boolean {
  return terms.length > 0 && terms.every(({ statement }) => may(caller.actor, statement));
}

function statedBy(
  tools: Tools,
  request: Request,
  { record }: RecordFacts,
  { terms }: Form,
  group: string,
  own: boolean,
): Consent[] {
  const contradicted = terms.findIndex((a, i) =>
    terms.some((b, j) => j < i && concernsTheSame(a.statement, b.statement)),
  );
  if (contradicted >= 0)
    refuse('consentRuleBroken', {
      expression: 'Consent.provision',
      detail: 'two provisions say something about one actor, or the same about one purpose',
    });
  const latest = own ? monthsAfter(tools.now(), tools.settings.regime.authorisationMonths) : undefined;
  return terms.map(({ statement, from, until }) => {
    const end = latest === undefined ? until : Math.min(latest, until ?? latest);
    const consent = consentOf(tools, request, record.id, statement, end);
    return { ...consent, group, ...(from !== undefined && { from }) };
  });
}

function checkChange({ record }: RecordFacts, members: readonly Consent[], { patient, status, terms }: Form): void {
  const isTheirs = names(patient, record);
  const opened = members.some(isStandingOpening);
  const stays = status === 'active' && terms.some(({ statement }) => statement.kind === 'opening');
  const problems = [
    ...(isTheirs
      ? []
      : [problem('consentRuleBroken', { expression: 'Consent.patient', detail: 'a consent stays with its patient' })]),
    ...(opened && !stays ? [problem('openingNotEnded', { expression: 'Consent.provision' })] : []),
  ];
  if (problems.length > 0) throw new Refused(problems);
}

function names(patient: PatientRef, record: PatientRecord): boolean {
  return 'record' in patient
    ? patient.record === record.id
    : record.identifiers.some((held) => sameIdentifier(held, patient));
}

function isStandingOpening({ statement, status }: Consent): boolean {
  return statement.kind === 'opening' && status === 'active';
}

/** The same consent in its next version. One that has ended, and is sent with that end, stays as it is. */
function succeeding(before: Consent, next: Consent, status: Form['status'], now: number): Consent {
  const version = before.version + 1;
  const { group: _own, ...alone } = next;
  const held = {
    ...alone,
    id: before.id,
    version,
    from: next.from > before.from && next.from === next.statedAt ? before.from : next.from,
    ...(before.group !== undefined && { group: before.group }),
  };
  if (before.status === 'inactive' && (next.until ?? Number.POSITIVE_INFINITY) <= now) return { ...before, version };
  if (status === 'active') return held;
  return before.status === 'inactive' ? { ...before, version } : { ...endConsent(before, now), version };
}

/** What stands elsewhere and is contradicted or repeated: it ends where the new statement begins. A declaration of one's own ends no block. */
function cut(facts: RecordFacts, stated: readonly Consent[], group: string, own: boolean, now: number): Consent[] {
  return facts.consents
    .filter((c) => groupOf(c) !== group && c.status === 'active' && (c.until ?? Number.POSITIVE_INFINITY) > now)
    .filter(({ statement }) => statement.kind !== 'opening' && !(own && outlastsDeclaration(statement)))
    .flatMap((standing) => {
      const by = stated.filter(
        ({ statement, until }) =>
          (until ?? Number.POSITIVE_INFINITY) > now && concernsTheSame(statement, standing.statement),
      );
      if (by.length === 0) return [];
      const start = Math.min(...by.map(({ from }) => from));
      if (start <= now) return [endConsent(standing, now)];
      const until = Math.min(start, standing.until ?? start);
      return [{ ...standing, version: standing.version + 1, until }];
    });
}

function rows(consents: readonly Consent[], bearer: Consent | undefined, form: string): Row[] {
  return consents.map((consent) => ({ kind: 'consent', consent, ...(consent === bearer && { form }) }));
}
