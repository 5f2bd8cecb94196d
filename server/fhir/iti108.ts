import type { Consent, Reference } from 'fhir/r4.js';
import { type Problem, problem, Refused, refuse } from '../domain/error.ts';
import { professionalAuthority, structureAuthority } from '../domain/people.ts';
import type { StoredConsents } from '../store/port.ts';
import { changeForm, type Form, stateForm } from '../usecases/consent-form.ts';
import type { PatientRef } from '../usecases/query.ts';
import { type ConsentFilter, consentHistory, findConsents } from '../usecases/read-consents.ts';
import { unknownUnlessNamed } from './concealment.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { historyOf } from './history.ts';
import { consentResource } from './map/consent.ts';
import { answerSearch, searchOf } from './paged-search.ts';
import { termsIn } from './read/consent.ts';
import type { Results } from './result-parameters.ts';
import { dateParameter, type OfPatient, type ParameterTable, patientParameters } from './search.ts';
import { type Conditions, dateRows } from './search-conditions.ts';
import { alternatives, readToken, type Span } from './search-values.ts';
import { versionExpected } from './state.ts';
import { validate, withoutRepeats } from './validate.ts';
import { ownConsent } from './vocabulary.ts';

const type = 'Consent';

/** Bytes of one Consent, its source attachment included. */
const longest = 262_144;

type ConsentQuestion = Results &
  OfPatient &
  Conditions<StoredConsents> & { filter: { -readonly [K in keyof ConsentFilter]: ConsentFilter[K] }; span?: Span };

const malformed = (attribute: string, value: string, detail: string) => [
  problem('parameterMalformed', { attribute, value, detail }),
];
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

/** Search parameters of Consent. IHE PCF 1.1, ITI-108. */
const consentParameters: ParameterTable<ConsentQuestion> = {
  ...patientParameters,
  status: {
    type: 'token',
    documentation: 'active or inactive',
    read(value, { filter }, attribute) {
      const codes = alternatives(value).map((text) => readToken(text).code);
      const known = codes.filter((code) => code === 'active' || code === 'inactive');
      if (known.length < codes.length || filter.statuses !== undefined)
        return malformed(attribute, value, 'active or inactive is expected, once');
      filter.statuses = known;
      return [];
    },
  },
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
  type,
  parameters: consentParameters,
  sorts: ['_lastUpdated'],
  counted: 'always',
  includes: [],
  revIncludes: [],
});

/** What is stated in a record, the last change first. */
async function search(exchange: Exchange): Promise<Answer> {
  const { tools, request, base } = exchange;
  const empty = (): ConsentQuestion => ({ base, now: tools.now(), tests: [], filter: {} });
  return answerSearch(exchange, consentSearch, empty, async ({ asked, page, query }) => {
    const { patient, filter, span, tests } = asked;
    const question = { ...(patient && { patient }), filter: { ...filter, ...span }, tests, page, query };
    const { items, ...found } = await findConsents(tools, request, question);
    const matches = items.map((stored) => ({
      fullUrl: `${base}/${type}/${stored.id}`,
      resource: textOf(exchange, stored),
    }));
    return { matches, ...found };
  });
}

async function read(exchange: Exchange): Promise<Answer> {
  const [latest] = await consentHistory(exchange.tools, exchange.request, exchange.id);
  if (latest === undefined) refuse('resourceUnknown', { value: nameOf(exchange) });
  const { body, headers } = answer(exchange, latest);
  return exchange.header('If-None-Match') === headers.ETag ? { body: '', status: 304, headers } : { body, headers };
}

async function vread(exchange: Exchange): Promise<Answer> {
  const versions = await consentHistory(exchange.tools, exchange.request, exchange.id);
  const found = versions.find(({ version }) => String(version) === exchange.version);
  if (found === undefined) refuse('resourceUnknown', { value: `${nameOf(exchange)}/_history/${exchange.version}` });
  return answer(exchange, found);
}

async function history(exchange: Exchange): Promise<Answer> {
  const versions = await consentHistory(exchange.tools, exchange.request, exchange.id);
  return historyOf(
    exchange,
    type,
    versions.map((stored) => ({ resource: textOf(exchange, stored), version: stored.version, at: stored.at })),
  );
}

async function create(exchange: Exchange): Promise<Answer> {
  const { tools, request, base } = exchange;
  const form = await formIn(exchange);
  if (form.status === 'inactive')
    refuse('consentNotEnforceable', {
      expression: 'Consent.status',
      value: form.status,
      detail: 'nothing would be stated',
    });
  const stored = await stateForm(tools, request, form);
  const { body, headers } = changed(exchange, stored);
  return {
    status: 201,
    body,
    headers: { ...headers, Location: `${base}/${type}/${stored.id}/_history/${stored.version}` },
  };
}

async function update(exchange: Exchange): Promise<Answer> {
  const { tools, request, id } = exchange;
  const expected = versionExpected(exchange.header('If-Match'));
  const form = await formIn(exchange, id);
  return changed(exchange, await changeForm(tools, request, id, form, expected));
}

/** FHIR R4 http.html#ops, return preference. */
function changed(exchange: Exchange, stored: StoredConsents): Shown {
  const shown = answer(exchange, stored);
  return /\breturn=minimal\b/.test(exchange.header('Prefer')) ? { ...shown, body: '' } : shown;
}

/** @throws Refused for a body that is no Consent, with everything that is wrong about it */
async function formIn(exchange: Exchange, id?: string): Promise<Form> {
  const sent = await exchange.json();
  const { isSound, problems: broken } = validate(sent, type, [ownConsent]);
  if (!isSound) throw new Refused(broken);
  // The structure was checked.
  const resource = sent as unknown as Consent;
  if (id !== undefined && resource.id !== id)
    refuse('elementMalformed', {
      expression: 'Consent.id',
      value: resource.id ?? '',
      detail: 'it is that of the address',
    });
  const text = JSON.stringify(resource);
  if (Buffer.byteLength(text) > longest) refuse('messageTooLarge', { detail: `a Consent may have ${longest} bytes` });
  const { terms, problems } = termsIn(resource);
  const { status } = resource;
  const patient = resource.patient && patientIn(resource.patient, exchange.base);
  const known = status === 'active' || status === 'inactive';
  const all: Problem[] = [
    ...problems,
    ...(known
      ? []
      : [
          problem('consentNotEnforceable', {
            expression: 'Consent.status',
            value: status,
            detail: 'active or inactive is expected',
          }),
        ]),
    ...(resource.patient === undefined || patient !== undefined
      ? []
      : [
          problem('consentRuleBroken', {
            expression: 'Consent.patient',
            detail: 'Patient/<id>, or an identifier urn:oid:<OID>, is expected',
          }),
        ]),
    ...broken,
  ];
  if (all.length > 0 || !known || patient === undefined) throw new Refused(withoutRepeats(all));
  return { patient, status, terms, text };
}

function patientIn({ reference, identifier }: Reference, base: string): PatientRef | undefined {
  const local = reference?.startsWith(`${base}/`) === true ? reference.slice(base.length + 1) : reference;
  const id = /^Patient\/([A-Za-z0-9.-]{1,64})$/.exec(local ?? '')?.[1];
  if (id !== undefined) return { record: id };
  const { system = '', value } = identifier ?? {};
  return reference === undefined && system.startsWith('urn:oid:') && value !== undefined
    ? { oid: system.slice(8), value }
    : undefined;
}

type Shown = { readonly body: string; readonly headers: { readonly ETag: string; readonly 'Last-Modified': string } };

function answer(exchange: Exchange, stored: StoredConsents): Shown {
  return {
    body: textOf(exchange, stored),
    headers: { ETag: `W/"${stored.version}"`, 'Last-Modified': new Date(stored.at).toUTCString() },
  };
}

function textOf({ tools }: Exchange, stored: StoredConsents): string {
  return JSON.stringify(consentResource(stored, tools.settings.repositoryUniqueId));
}

function nameOf({ id }: Exchange): string {
  return `${type}/${id}`;
}

const common = { resource: type, transaction: 'ITI-108' } as const;
const reading = { ...common, action: 'readConsents', told: unknownUnlessNamed(type) } as const;
const finding = { ...common, interaction: 'search-type', action: 'readConsents', handle: search } as const;

/** Access Consent. IHE PCF 1.1, ITI-108. */
export const consentInteractions: readonly Interaction[] = [
  { ...finding, method: 'GET', path: `/${type}`, what: 'What the patient states about who reads' },
  { ...finding, method: 'POST', path: `/${type}/_search`, what: 'The same, parameters in the body' },
  {
    ...common,
    method: 'POST',
    path: `/${type}`,
    interaction: 'create',
    action: 'changeConsent',
    what: 'State an authorisation, a block, an opposition',
    handle: create,
  },
  { ...reading, method: 'GET', path: `/${type}/:id`, interaction: 'read', what: 'Read one Consent', handle: read },
  {
    ...common,
    method: 'PUT',
    path: `/${type}/:id`,
    interaction: 'update',
    action: 'changeConsent',
    what: 'Change or withdraw what was stated',
    handle: update,
    told: unknownUnlessNamed(type),
  },
  {
    ...reading,
    method: 'GET',
    path: `/${type}/:id/_history/:version`,
    interaction: 'vread',
    what: 'Read one version of a Consent',
    handle: vread,
  },
  {
    ...reading,
    method: 'GET',
    path: `/${type}/:id/_history`,
    interaction: 'history-instance',
    what: 'The versions of a Consent, newest first',
    handle: history,
  },
];
