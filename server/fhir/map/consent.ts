import type { Consent, ConsentProvision, FhirResource } from 'fhir/r4.js';
import { type Consent as Stated, sameStatement } from '../../domain/consent.ts';
import { visibilitySystem } from '../../domain/document.ts';
import type { StoredConsents } from '../../store/port.ts';
import { statusOf } from '../../usecases/read-consents.ts';
import { termsIn } from '../read/consent.ts';
import type { StatedTerm } from '../read/consent-provision.ts';
import { profiles, systemUrl, uris, consent as words } from '../vocabulary.ts';
import { actorReference, groupResource } from './consent-actor.ts';

/**
 * What was stated in one go: the form as it was sent, with what has ended since, or a Consent written for a statement that was made without
 * one. IHE PCF 1.1, Consent profiles.
 */
export function consentResource(stored: StoredConsents, repositoryUniqueId: string): Consent {
  const { id, version, at, form } = stored;
  // JSON that was checked when it was taken.
  const base =
    form === undefined ? written(stored, repositoryUniqueId) : asItStands(JSON.parse(form) as Consent, stored);
  const { resourceType, id: _sent, meta, ...rest } = base;
  return {
    resourceType,
    id,
    meta: { ...meta, versionId: String(version), lastUpdated: new Date(at).toISOString() },
    ...rest,
    status: statusOf(stored),
  };
}

/** The form, each of its provisions ended where what it states has. */
function asItStands(form: Consent, { consents }: StoredConsents): Consent {
  const { provision } = form;
  if (provision === undefined) return form;
  const pairs = termsIn(form).terms.flatMap((term) => {
    const stated = consents.find(({ statement }) => sameStatement(statement, term.statement));
    return stated === undefined ? [] : [{ term, stated }];
  });
  const of = (exception: number | undefined) => pairs.filter(({ term }) => term.exception === exception);
  const { provision: exceptions, ...root } = provision;
  return {
    ...form,
    provision: {
      ...ended(root, of(undefined)),
      ...(exceptions && { provision: exceptions.map((exception, i) => ended(exception, of(i))) }),
    },
  };
}

type Pair = { readonly term: StatedTerm; readonly stated: Stated };

function ended(provision: ConsentProvision, pairs: readonly Pair[]): ConsentProvision {
  const changed = pairs.filter(({ term, stated }) => stated.until !== undefined && stated.until !== term.until);
  const [first] = changed;
  if (first === undefined) return provision;
  if (changed.length === pairs.length)
    return { ...provision, period: { ...provision.period, end: endOf(first.stated) } };
  const gone = changed.map(({ stated: { statement } }) =>
    statement.kind === 'opposition' ? purposeOf[statement.to] : '',
  );
  return { ...provision, purpose: (provision.purpose ?? []).filter(({ code = '' }) => !gone.includes(code)) };
}

/** The last millisecond at which it held: the end of a period is in it. */
function endOf({ from, until = from }: Stated): string {
  return new Date(Math.max(until - 1, from)).toISOString();
}

const purposeOf: Readonly<Record<string, string>> = { breakGlass: 'BTG', emergencyCentre: 'ETREAT' };
const purpose = (code: string) => ({ system: words.purposes, code });

function written({ consents: [stated], record }: StoredConsents, repositoryUniqueId: string): Consent {
  if (stated === undefined) throw new TypeError('Nothing was stated');
  const { statement, statedAt, statedBy } = stated;
  const team = 'actor' in statement && statement.actor.kind === 'careTeam' ? groupResource(statement.actor) : undefined;
  const isMt = statement.kind === 'authorisation' && statement.treatingDoctor;
  const profile =
    statement.kind === 'maskedInEmergency'
      ? profiles.consentAdvanced
      : statement.kind === 'opposition'
        ? profiles.consentIntermediate
        : profiles.consentBasic;
  const provision = provisionOf(stated);
  return {
    resourceType: 'Consent',
    meta: { profile: [profile] },
    ...(team && { contained: [team] satisfies FhirResource[] }),
    status: stated.status,
    scope: { coding: [words.scope] },
    category: [{ coding: [words.category] }],
    patient: { reference: `Patient/${record}` },
    dateTime: new Date(statedAt).toISOString(),
    performer: [statedBy.kind === 'patient' ? { reference: `Patient/${record}` } : { display: statedBy.name }],
    organization: [{ identifier: { system: uris, value: `urn:oid:${repositoryUniqueId}` } }],
    sourceAttachment: { title: 'Stated to the shared medical record', creation: new Date(statedAt).toISOString() },
    policy: [{ uri: isMt ? words.treatingDoctorPolicy : words.permitPolicies[0] }],
    provision,
  };
}

function provisionOf(stated: Stated): ConsentProvision {
  const { statement, from, until } = stated;
  const period = { start: new Date(from).toISOString(), ...(until !== undefined && { end: endOf(stated) }) };
  const common = {
    period,
    ...('actor' in statement && {
      actor: [{ role: { coding: [words.role] }, reference: actorReference(statement.actor) }],
    }),
  };
  switch (statement.kind) {
    case 'opening':
    case 'authorisation':
      return { type: 'permit', ...common };
    case 'block':
      return { type: 'deny', ...common };
    case 'opposition':
      return { type: 'deny', ...common, purpose: [purpose(purposeOf[statement.to] ?? '')] };
    case 'maskedInEmergency':
      return {
        type: 'permit',
        ...common,
        securityLabel: [{ system: systemUrl(visibilitySystem), code: 'MASQUE_PS' }],
        purpose: [purpose('BTG'), purpose('ETREAT')],
      };
    default:
      return statement satisfies never;
  }
}
