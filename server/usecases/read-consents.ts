import { type ConsentActor, isNamed, namedBy } from '../domain/consent.ts';
import type { Permit } from '../domain/decision.ts';
import { refuse } from '../domain/error.ts';
import type { StoredConsents } from '../store/port.ts';
import { type Keyed, type KeyedPage, pageOf } from './paging.ts';
import { perform, type Request, type Subject, type Tools } from './perform.ts';
import { type PatientRef, recordAsked } from './query.ts';

/** AND of all fields that are given; a list is an OR. `from` ≤ last change < `to`, in milliseconds. */
export type ConsentFilter = {
  readonly ids?: readonly string[];
  readonly statuses?: readonly ('active' | 'inactive')[];
  /** National ids of professionals or structures that are named. */
  readonly actors?: readonly string[];
  readonly from?: number;
  readonly to?: number;
};

/** Which forms are meant. */
export type Condition = {
  /** Absent: the patient of the credential, or of the form that is brought. */
  readonly patient?: PatientRef;
  readonly filter: ConsentFilter;
  /** What is asked of each besides. */
  readonly tests: readonly ((stored: StoredConsents) => boolean)[];
  /** The question as it was asked, for the trace. */
  readonly query: string;
};

export type ConsentQuestion = Condition & { readonly page: KeyedPage };

/**
 * What is stated in a record, in the order of the last change, and how much that is in all. The holder, the representatives and the treating doctor see
 * all; another professional what names nobody else than himself or his structure.
 * @throws Refused `patientNotNamed` when nobody names a patient, and what the decision refuses
 */
export async function findConsents(
  tools: Tools,
  request: Request,
  question: ConsentQuestion,
): Promise<Keyed<StoredConsents> & { readonly total: number }> {
  const { patient, page, query } = question;
  return perform(tools, request, 'readConsents', recordAsked(request, patient), async (permit) => {
    const found = formsMeant(permit, request, await tools.store.read.consents(permit), question);
    const keyed = found.map((stored) => ({ ...stored, key: [stored.position] }));
    return { answer: { ...pageOf(keyed, page), total: found.length }, trace: { query } };
  });
}

/**
 * The versions of what is stated under one id, newest first; never none.
 * @throws Refused `resourceUnknown` when it is of another record or not for the caller, and what the decision refuses
 */
export async function consentHistory(tools: Tools, request: Request, id: string): Promise<readonly StoredConsents[]> {
  const { patient } = request.caller;
  const subject: Subject = patient === undefined ? { consent: id } : { identifier: patient };
  return perform(tools, request, 'readConsents', subject, async (permit) => {
    const versions = await tools.store.read.consentVersions(permit, id);
    const [latest] = versions;
    if (latest === undefined || !isFor(permit, request, latest)) refuse('resourceUnknown', { value: `Consent/${id}` });
    const trace = { touched: { resource: `Consent/${id}`, how: 'read' } } as const;
    return { answer: versions.filter((stored) => isFor(permit, request, stored)), trace };
  });
}

/** Those of some forms of a record that a condition means, of what the caller may see and nobody withdrew. */
export function formsMeant(
  permit: Permit,
  request: Request,
  all: readonly StoredConsents[],
  { filter, tests }: Condition,
): readonly StoredConsents[] {
  return all.filter(
    (stored) =>
      !isWithdrawn(stored) &&
      isFor(permit, request, stored) &&
      matches(stored, filter) &&
      tests.every((test) => test(stored)),
  );
}

/** Whether the form itself was withdrawn: its last version is empty. */
export function isWithdrawn({ form }: StoredConsents): boolean {
  return form === '';
}

/** Whether anything of it is still stated. */
export function statusOf({ consents }: StoredConsents): 'active' | 'inactive' {
  return consents.some(({ status }) => status === 'active') ? 'active' : 'inactive';
}

function isFor({ ground }: Permit, { caller: { actor } }: Request, stored: StoredConsents): boolean {
  if (ground === 'holder' || ground === 'representative' || ground === 'treatingDoctor') return true;
  return actorsOf(stored).every((named) => isNamed(named, namedBy(actor)));
}

function actorsOf({ consents }: StoredConsents): ConsentActor[] {
  return consents.flatMap(({ statement }) => ('actor' in statement ? [statement.actor] : []));
}

function matches(stored: StoredConsents, { ids, statuses, actors, from, to }: ConsentFilter): boolean {
  const named = () =>
    actorsOf(stored).flatMap((actor) => (actor.kind === 'careTeam' ? actor.members.map(({ id }) => id) : [actor.id]));
  return (
    (ids === undefined || ids.includes(stored.id)) &&
    (statuses === undefined || statuses.includes(statusOf(stored))) &&
    (actors === undefined || named().some((id) => actors.includes(id))) &&
    (from === undefined || stored.at >= from) &&
    (to === undefined || stored.at < to)
  );
}
