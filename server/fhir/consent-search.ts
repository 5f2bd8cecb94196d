import { refuse } from '../domain/error.ts';
import { professionalAuthority, structureAuthority } from '../domain/people.ts';
import type { StoredConsents } from '../store/port.ts';
import type { Condition, ConsentFilter } from '../usecases/read-consents.ts';
import type { Exchange } from './exchange.ts';
import { malformed } from './malformed.ts';
import { searchOf } from './paged-search.ts';
import type { Results } from './result-parameters.ts';
import {
  dateParameter,
  type Given,
  isOfForm,
  type OfPatient,
  type ParameterTable,
  patientParameters,
  queryString,
  readSearch,
} from './search.ts';
import { type Conditions, dateRows, missing } from './search-conditions.ts';
import { alternatives, readToken, type Span, tokensUnder } from './search-values.ts';
import { fixedSystems } from './vocabulary.ts';

export type ConsentQuestion = Results &
  OfPatient &
  Conditions<StoredConsents> & { filter: { -readonly [K in keyof ConsentFilter]: ConsentFilter[K] }; span?: Span };

/** Only active and inactive ones are here. FHIR R4 valueset-consent-state-codes. */
const states: readonly string[] = ['active', 'inactive', 'draft', 'proposed', 'rejected', 'entered-in-error'];

const authorities: readonly (string | undefined)[] = [undefined, professionalAuthority, structureAuthority];

const actorIdentifier: ParameterTable<ConsentQuestion>[string] = {
  type: 'token',
  documentation: 'Who is named: PS_IdNat or Struct_IdNat as urn:oid:<OID>|<value>',
  read(value, { filter }, attribute) {
    const tokens = alternatives(value).map(readToken);
    const known = tokens.every(
      ({ system, code }) =>
        code !== '' && authorities.includes(system?.startsWith('urn:oid:') === true ? system.slice(8) : system),
    );
    if (!known || filter.actors !== undefined)
      return malformed(attribute, value, 'identifiers of professionals or structures are expected, once');
    filter.actors = tokens.map(({ code }) => code);
    return [];
  },
};

const lastUpdated = dateRows<StoredConsents>('_lastUpdated', '', ({ at }) => ({ from: at, to: at + 1 }));

const kept = ['active', 'inactive'] as const;

function status(isWanted: boolean): ParameterTable<ConsentQuestion>[string] {
  return {
    type: 'token',
    read(value, { filter }, attribute) {
      const codes = tokensUnder(fixedSystems.consentStatus, value).map(({ code }) => code);
      if (!codes.every((code) => states.includes(code)) || filter.statuses !== undefined)
        return malformed(attribute, value, `one of ${states.join(', ')} is expected, once`);
      filter.statuses = kept.filter((one) => codes.includes(one) === isWanted);
      return [];
    },
  };
}

/** Search parameters of Consent. IHE PCF 1.1, ITI-108. */
const consentParameters: ParameterTable<ConsentQuestion> = {
  ...patientParameters,
  status: { ...status(true), documentation: 'active or inactive' },
  'status:not': status(false),
  'status:missing': missing('token', () => true),
  actor: {
    type: 'reference',
    documentation: 'Who is named: Practitioner/<PS_IdNat> or Organization/<Struct_IdNat>',
    read(value, { filter }, attribute) {
      const ids = alternatives(value).map(
        (one) => /^(?:(?:Practitioner|Organization)\/)?([A-Za-z0-9.-]{1,64})$/.exec(one)?.[1],
      );
      const known = ids.filter((id) => id !== undefined);
      if (known.length < ids.length || filter.actors !== undefined)
        return malformed(attribute, value, 'Practitioner/<id> or Organization/<id> is expected, once');
      filter.actors = known;
      return [];
    },
  },
  'actor:missing': missing('reference', ({ consents }) => consents.some(({ statement }) => 'actor' in statement)),
  'actor.identifier': actorIdentifier,
  'actor:identifier': { type: 'token', read: actorIdentifier.read },
  _id: {
    type: 'token',
    documentation: 'Ids of Consents',
    read(value, { filter }, attribute) {
      if (filter.ids !== undefined) return malformed(attribute, value, 'it is expected once');
      filter.ids = alternatives(value).map((text) => readToken(text).code);
      return [];
    },
  },
  ...lastUpdated,
  _lastUpdated: dateParameter<ConsentQuestion>(
    'When it was stated or changed last',
    ({ span }) => span,
    (asked, span) => {
      asked.span = span;
    },
    lastUpdated['_lastUpdated']?.read,
  ),
};

export const consentSearch = searchOf<ConsentQuestion>({
  type: 'Consent',
  parameters: consentParameters,
  sorts: ['_lastUpdated'],
  counted: 'always',
  includes: [],
  revIncludes: [],
});

/** What a search for Consents asks before any parameter of it is read: every one. */
export function noQuestion({ base, tools }: Pick<Exchange, 'base' | 'tools'>): ConsentQuestion {
  return { base, now: tools.now(), tests: [], filter: {} };
}

/**
 * What a conditional interaction asks for; what is not served is refused. FHIR R4 http.html#ccreate, http.html#cond-update.
 * @param attribute where the condition stands, for a refusal
 * @throws Refused parameterMissing, parameterMalformed, parameterUnknown
 */
export function consentCondition(given: Given, exchange: Exchange, attribute: string): Condition {
  const asked = noQuestion(exchange);
  const conditions = given.filter(([name]) => !isOfForm(name));
  if (conditions.length === 0) refuse('parameterMissing', { attribute, detail: 'a condition names what it looks for' });
  const { used } = readSearch(conditions, consentParameters, asked, true);
  const { patient, filter, span, tests } = asked;
  return {
    ...(patient && { patient }),
    filter: { ...filter, ...span },
    tests,
    query: `Consent?${queryString(used)}`,
  };
}
