import type {
  Consent,
  ConsentProvision,
  ConsentProvisionActor,
  Identifier as FhirIdentifier,
  FhirResource,
  Period,
  Reference,
} from 'fhir/r4.js';
import type { ConsentActor, ConsentStatement } from '../../domain/consent.ts';
import { visibilitySystem } from '../../domain/document.ts';
import { type Problem, type ProblemName, problem } from '../../domain/error.ts';
import { professionalAuthority, structureAuthority } from '../../domain/people.ts';
import type { Term } from '../../usecases/consent-form.ts';
import { readDate } from '../search-values.ts';
import { consent, systemOf } from '../vocabulary.ts';

/** What a provision states, and which one it is: the root, or an exception below it by its index. */
export type StatedTerm = Term & { readonly exception: number | undefined };

/** Where something stands in the Consent, and what is found wrong. */
type Place = { readonly at: string; readonly problems: Problem[] };

function report(
  { at, problems }: Place,
  name: ProblemName,
  element: string,
  detail: string,
  value?: string,
): undefined {
  const expression = element === '' ? at : `${at}.${element}`;
  problems.push(problem(name, { expression, detail, ...(value !== undefined && { value }) }));
}

/**
 * What a Consent states, with everything in it that this server would not keep, as `consentNotEnforceable`, and what no table of a profile can
 * say, as `consentRuleBroken`. Its structure and profiles are checked before. IHE PCF 1.1, Consent profiles.
 */
export function termsIn(resource: Consent): {
  readonly terms: readonly StatedTerm[];
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const place: Place = { at: 'Consent', problems };
  checkAround(resource, place);
  const { provision } = resource;
  if (provision === undefined) return { terms: [], problems };
  const policy = resource.policy?.[0]?.uri;
  const treatingDoctor = policy === consent.treatingDoctorPolicy;
  // Its structure was checked: these are resources of R4.
  const contained = (resource.contained ?? []) as FhirResource[];
  const root = statementsOf(provision, { at: 'Consent.provision', problems }, contained, undefined, treatingDoctor);
  checkPolicy(policy, provision, root, place);
  const [first] = root;
  const below = (provision.provision ?? []).flatMap((exception, i) => {
    const at: Place = { at: `Consent.provision.provision[${i}]`, problems };
    const stated = statementsOf(exception, at, contained, i, false);
    checkException(first, stated, at, treatingDoctor);
    return stated.map((term) => within(term, root[0]));
  });
  return { terms: [...root, ...below], problems };
}

/** What stands around the provision. */
function checkAround({ policyRule, implicitRules }: Consent, place: Place): void {
  if (policyRule !== undefined) report(place, 'consentNotEnforceable', 'policyRule', 'no coded rule is kept here');
  if (implicitRules !== undefined)
    report(place, 'consentNotEnforceable', 'implicitRules', 'no such rules are known here');
}

function checkPolicy(
  uri: string | undefined,
  { type }: ConsentProvision,
  root: readonly StatedTerm[],
  place: Place,
): void {
  const known: readonly string[] = [...consent.permitPolicies, consent.denyPolicy, consent.treatingDoctorPolicy];
  if (uri === undefined) return;
  if (!known.includes(uri))
    report(place, 'consentNotEnforceable', 'policy[0].uri', `known are ${known.join(', ')}`, uri);
  if (uri === consent.denyPolicy && type !== 'deny')
    report(place, 'consentNotEnforceable', 'policy[0].uri', 'the provision permits what the policy denies', uri);
  const named = root.some(({ statement: s }) => s.kind === 'authorisation' && s.actor.kind === 'professional');
  if (uri === consent.treatingDoctorPolicy && root.length > 0 && !named)
    report(
      place,
      'consentNotEnforceable',
      'policy[0].uri',
      'a treating doctor is one professional, permitted at the root',
      uri,
    );
}

/** Below the opening of the record everything may stand; below an authorisation whom it leaves out. FHIR R4 Consent.provision.provision. */
function checkException(
  root: StatedTerm | undefined,
  stated: readonly StatedTerm[],
  place: Place,
  treating: boolean,
): void {
  if (root === undefined || stated.length === 0 || root.statement.kind === 'opening') return;
  const leavesOut =
    root.statement.kind === 'authorisation' && !treating && stated.every(({ statement }) => statement.kind === 'block');
  if (!leavesOut) report(place, 'consentNotEnforceable', '', 'state it in a Consent of its own');
}

/** What one provision states: nothing when something is wrong with it, two when it opposes two purposes. */
function statementsOf(
  provision: ConsentProvision,
  place: Place,
  contained: readonly FhirResource[],
  exception: number | undefined,
  treatingDoctor: boolean,
): StatedTerm[] {
  const before = place.problems.length;
  checkUnkept(provision, place);
  const actor = actorIn(provision.actor, contained, place);
  const period = periodIn(provision.period, place);
  const purposes = purposesIn(provision, place);
  if (place.problems.length > before || provision.type === undefined) return [];
  const stated = decided(provision, actor, purposes, exception !== undefined, treatingDoctor);
  if (typeof stated === 'string') report(place, 'consentNotEnforceable', '', stated);
  else if (stated.some(({ kind }) => kind === 'opening') && period.until !== undefined)
    report(place, 'openingNotEnded', 'period.end', '');
  else return stated.map((statement) => ({ statement, exception, ...period }));
  return [];
}

function checkUnkept(provision: ConsentProvision, place: Place): void {
  for (const element of ['class', 'code', 'data', 'dataPeriod'] as const)
    if (provision[element] !== undefined)
      report(place, 'consentNotEnforceable', element, 'documents are masked one by one, by their securityLabel');
  for (const [i, { system, code }] of (provision.securityLabel ?? []).entries())
    if (systemOf(system ?? '') !== visibilitySystem || code !== 'MASQUE_PS')
      report(place, 'consentNotEnforceable', `securityLabel[${i}]`, 'MASQUE_PS alone is kept', code);
}

type Purpose = 'TREAT' | 'BTG' | 'ETREAT';

function purposesIn({ purpose = [] }: ConsentProvision, place: Place): ReadonlySet<Purpose> {
  const read = new Set<Purpose>();
  for (const [i, { system, code }] of purpose.entries())
    if (system === consent.purposes && (code === 'TREAT' || code === 'BTG' || code === 'ETREAT')) read.add(code);
    else report(place, 'consentNotEnforceable', `purpose[${i}]`, 'TREAT, BTG and ETREAT are told apart', code);
  return read;
}

const opposable = { BTG: 'breakGlass', ETREAT: 'emergencyCentre' } as const;

/** What the provision means here, or why it means nothing. Access policy, FHIR shapes of consents. */
function decided(
  { type, securityLabel }: ConsentProvision,
  actor: ConsentActor | undefined,
  purposes: ReadonlySet<Purpose>,
  isException: boolean,
  treatingDoctor: boolean,
): readonly ConsentStatement[] | string {
  const isUsual = [...purposes].every((purpose) => purpose === 'TREAT');
  if (type === 'deny') {
    if (securityLabel !== undefined) return 'a denial of labelled documents: they are masked one by one';
    if (actor !== undefined)
      return purposes.size === 0 ? [{ kind: 'block', actor }] : 'a block holds for every purpose';
    if (purposes.size === 0 || purposes.has('TREAT')) return 'a denial names an actor, or the purposes BTG or ETREAT';
    return (['BTG', 'ETREAT'] as const)
      .filter((p) => purposes.has(p))
      .map((p) => ({ kind: 'opposition', to: opposable[p] }));
  }
  if (securityLabel !== undefined) {
    const inEmergency = purposes.size === 2 && !purposes.has('TREAT') && actor === undefined;
    return inEmergency
      ? [{ kind: 'maskedInEmergency' }]
      : 'masked documents are opened to nobody but by BTG and ETREAT together';
  }
  if (!isUsual) return 'emergency access is open unless it is denied';
  if (actor !== undefined) return [{ kind: 'authorisation', actor, treatingDoctor }];
  return isException ? 'an exception names an actor or a purpose' : [{ kind: 'opening' }];
}

/** An exception holds no longer than what it is an exception to. */
function within(term: StatedTerm, root: StatedTerm | undefined): StatedTerm {
  const from = Math.max(term.from ?? Number.NEGATIVE_INFINITY, root?.from ?? Number.NEGATIVE_INFINITY);
  const until = Math.min(term.until ?? Number.POSITIVE_INFINITY, root?.until ?? Number.POSITIVE_INFINITY);
  const { statement, exception } = term;
  return {
    statement,
    exception,
    ...(Number.isFinite(from) && { from }),
    ...(Number.isFinite(until) && { until }),
  };
}

/** The end of a period is in it: the first instant after. FHIR R4 datatypes.html#Period. */
function periodIn(period: Period | undefined, place: Place): Pick<Term, 'from' | 'until'> {
  const instant = (name: 'start' | 'end') => {
    const text = period?.[name];
    const date = text === undefined ? undefined : readDate(text);
    if (text !== undefined && date === undefined)
      report(place, 'elementMalformed', `period.${name}`, 'no such date', text);
    return date;
  };
  const from = instant('start')?.from;
  const until = instant('end')?.to;
  if (from !== undefined && until !== undefined && until <= from)
    report(place, 'consentRuleBroken', 'period', 'it ends before it begins');
  return { ...(from !== undefined && { from }), ...(until !== undefined && { until }) };
}

function actorIn(
  actors: readonly ConsentProvisionActor[] | undefined,
  contained: readonly FhirResource[],
  place: Place,
): ConsentActor | undefined {
  const [actor, ...more] = actors ?? [];
  if (actor === undefined) return undefined;
  if (more.length > 0)
    return report(
      place,
      'consentNotEnforceable',
      'actor[1]',
      'a provision names one actor: state the others in provisions of their own',
    );
  const isRecipient = actor.role.coding?.some(
    ({ system, code }) => system === consent.role.system && code === consent.role.code,
  );
  if (isRecipient !== true) report(place, 'consentRuleBroken', 'actor[0].role', 'IRCP is asked for');
  const named = namedBy(actor.reference, contained);
  return (
    named ??
    report(
      place,
      'consentNotEnforceable',
      'actor[0].reference',
      'a professional or structure is named by identifier (PS_IdNat, Struct_IdNat), a team by a contained CareTeam or Group of such',
      actor.reference.reference,
    )
  );
}

function namedBy(reference: Reference, contained: readonly FhirResource[]): ConsentActor | undefined {
  const inside = reference.reference?.startsWith('#') === true ? reference.reference.slice(1) : undefined;
  const resource = contained.find(({ id }) => id !== undefined && id === inside);
  const name = reference.display;
  if (resource?.resourceType === 'Group' || resource?.resourceType === 'CareTeam') {
    const entities =
      resource.resourceType === 'Group'
        ? (resource.member ?? []).map(({ entity }) => entity)
        : (resource.participant ?? []).map(({ member }) => member);
    const members = entities.map((entity) => nationalId(entity?.identifier));
    const known = members.filter((member) => member !== undefined);
    return known.length > 0 && known.length === members.length ? { kind: 'careTeam', members: known } : undefined;
  }
  const identifiers =
    resource?.resourceType === 'Practitioner' || resource?.resourceType === 'Organization'
      ? (resource.identifier ?? [])
      : [reference.identifier];
  const ids = identifiers.flatMap((identifier) => nationalId(identifier) ?? []);
  const [id] = ids;
  return id === undefined ? undefined : { ...id, ...(name !== undefined && { name }) };
}

function nationalId(
  identifier: FhirIdentifier | undefined,
): { kind: 'professional' | 'structure'; id: string } | undefined {
  const { system, value } = identifier ?? {};
  if (value === undefined) return undefined;
  if (system === `urn:oid:${professionalAuthority}`) return { kind: 'professional', id: value };
  return system === `urn:oid:${structureAuthority}` ? { kind: 'structure', id: value } : undefined;
}
