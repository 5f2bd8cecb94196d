import type { Consent, ConsentProvision, FhirResource } from 'fhir/r4.js';
import type { Problem } from '../../domain/error.ts';
import { consent } from '../vocabulary.ts';
import { type Place, report } from './consent-place.ts';
import { type StatedTerm, statementsOf } from './consent-provision.ts';

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
function checkAround({ policyRule }: Consent, place: Place): void {
  if (policyRule !== undefined) report(place, 'consentNotEnforceable', 'policyRule', 'no coded rule is kept here');
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
