import type { Action } from '../domain/action.ts';
import { type Consent, type ConsentStatement, concernsTheSame, groupOf, sameStatement } from '../domain/consent.ts';
import type { Permit, RecordFacts } from '../domain/decision.ts';
import { problem, Refused, refuse } from '../domain/error.ts';
import type { Row, StoredConsents } from '../store/port.ts';
import { declares, isOwnAuthorisation, outlastsDeclaration } from './consent.ts';
import { performJointly, type Request, type Subject, type Tools } from './perform.ts';
import type { PatientRef } from './query.ts';
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

/**
 * States what a form says: each statement is a consent of its own, of one group. What it contradicts or repeats elsewhere ends where it begins.
 * A professional may state his own authorisation, which ends after the time that the regime gives at the latest.
 * @throws Refused consentRuleBroken, and what the decision refuses
 */
export async function stateForm(tools: Tools, request: Request, form: Form): Promise<StoredConsents> {
  const { patient, terms } = form;
  const own = isOwn(request, terms, declares);
  const action: Action = own ? 'declareAuthorisation' : 'changeConsent';
  const subject: Subject = 'record' in patient ? patient : { identifier: patient };
  return changing(tools, request, action, subject, async (judge, facts) => {
    const permit = judge(action);
    if (facts === undefined) refuse('unknownPatient');
    const group = tools.newId();
    const [first, ...others] = statedBy(tools, request, facts, form, group, own);
    if (first === undefined)
      refuse('consentRuleBroken', { expression: 'Consent.provision', detail: 'nothing is stated' });
    const now = tools.now();
    const put = [first, ...others, ...cut(facts, [first, ...others], group, own, now)];
    return { permit, id: group, version: 1, put: rows(put, first, form.text) };
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
): Promise<StoredConsents> {
  const { patient } = request.caller;
  const subject: Subject = patient === undefined ? { consent: id } : { identifier: patient };
  return changing(tools, request, 'changeConsent', subject, async (judge, facts) => {
    const members = facts?.consents.filter((consent) => groupOf(consent) === id) ?? [];
    const may = form.status === 'active' ? declares : isOwnAuthorisation;
    const own = isOwn(request, members, isOwnAuthorisation) && isOwn(request, form.terms, may);
    const permit = judge(
      own ? (form.status === 'active' ? 'declareAuthorisation' : 'withdrawAuthorisation') : 'changeConsent',
    );
    const [latest] = facts === undefined ? [] : await tools.store.read.consentVersions(permit, id);
    if (facts === undefined || latest === undefined) refuse('resourceUnknown', { value: `Consent/${id}` });
    if (expected !== undefined && expected !== latest.version)
      refuse('versionDiffers', {
        object: `Consent/${id}`,
        value: String(expected),
        detail: `it is at ${latest.version}`,
      });
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
    return { permit, id, version: latest.version + 1, put: rows(all, bearer, form.text) };
  });
}

type Change = { readonly permit: Permit; readonly id: string; readonly version: number; readonly put: readonly Row[] };

/** Makes the change and answers the version that it made, as it was stored. */
async function changing(
  tools: Tools,
  request: Request,
  action: Action,
  subject: Subject,
  plan: (judge: (action: Action) => Permit, facts: RecordFacts | undefined) => Promise<Change>,
): Promise<StoredConsents> {
  const { permit, id, version } = await performJointly(tools, request, action, subject, async (judge, facts) => {
    const answer = await plan(judge, facts);
    return { answer, put: answer.put, done: [{ permit: answer.permit }] };
  });
  const versions = await tools.store.read.consentVersions(permit, id);
  return versions.find((stored) => stored.version === version) ?? refuse('resourceUnknown', { value: `Consent/${id}` });
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
  const isTheirs =
    'record' in patient
      ? patient.record === record.id
      : record.identifiers.some(({ value, oid }) => value === patient.value && oid === patient.oid);
  const opened = members.some((member) => member.statement.kind === 'opening' && member.status === 'active');
  const stays = status === 'active' && terms.some(({ statement }) => statement.kind === 'opening');
  const problems = [
    ...(isTheirs
      ? []
      : [problem('consentRuleBroken', { expression: 'Consent.patient', detail: 'a consent stays with its patient' })]),
    ...(opened && !stays ? [problem('openingNotEnded', { expression: 'Consent.provision' })] : []),
  ];
  if (problems.length > 0) throw new Refused(problems);
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
