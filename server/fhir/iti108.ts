import type { Reference } from 'fhir/r4.js';
import { type Problem, problem, Refused, refuse } from '../domain/error.ts';
import type { StoredConsents } from '../store/port.ts';
import { changeForm, type Form, putForm, type Stated, stateForm, withdrawForm } from '../usecases/consent-form.ts';
import type { PatientRef } from '../usecases/query.ts';
import { consentHistory, findConsents, isWithdrawn } from '../usecases/read-consents.ts';
import { unknownUnlessNamed } from './concealment.ts';
import { consentCondition, consentSearch, noQuestion } from './consent-search.ts';
import { type Answer, type Exchange, type Interaction, searchesOf } from './exchange.ts';
import { historyOf } from './history.ts';
import { consentResource } from './map/consent.ts';
import { answerSearch } from './paged-search.ts';
import { termsIn } from './read/consent.ts';
import { versionExpected } from './state.ts';
import { validate, withoutRepeats } from './validate.ts';
import { ownConsent } from './vocabulary.ts';

const type = 'Consent';

/** What is stated in a record, the last change first. */
async function search(exchange: Exchange): Promise<Answer> {
  const { tools, request, base } = exchange;
  return answerSearch(
    exchange,
    consentSearch,
    () => noQuestion(exchange),
    async ({ asked, page, query }) => {
      const { patient, filter, span, tests } = asked;
      const question = { ...(patient && { patient }), filter: { ...filter, ...span }, tests, page, query };
      const { items, ...found } = await findConsents(tools, request, question);
      const matches = items.map((stored) => ({
        fullUrl: `${base}/${type}/${stored.id}`,
        resource: textOf(exchange, stored),
      }));
      return { matches, ...found };
    },
  );
}

async function read(exchange: Exchange): Promise<Answer> {
  const [latest] = await consentHistory(exchange.tools, exchange.request, exchange.id);
  if (latest === undefined) refuse('resourceUnknown', { value: nameOf(exchange) });
  if (isWithdrawn(latest)) return gone(nameOf(exchange), latest);
  return answer(exchange, latest);
}

async function vread(exchange: Exchange): Promise<Answer> {
  const versions = await consentHistory(exchange.tools, exchange.request, exchange.id);
  const found = versions.find(({ version }) => String(version) === exchange.version);
  const name = `${nameOf(exchange)}/_history/${exchange.version}`;
  if (found === undefined) refuse('resourceUnknown', { value: name });
  return isWithdrawn(found) ? gone(name, found) : answer(exchange, found);
}

/** FHIR R4 http.html#read: 410. */
function gone(value: string, withdrawn: StoredConsents): Answer {
  return { refused: [problem('resourceDeleted', { value })], headers: stateOf(withdrawn) };
}

async function history(exchange: Exchange): Promise<Answer> {
  const versions = await consentHistory(exchange.tools, exchange.request, exchange.id);
  return historyOf(
    exchange,
    type,
    versions.map((stored) => ({
      ...(!isWithdrawn(stored) && { resource: textOf(exchange, stored) }),
      version: stored.version,
      at: stored.at,
    })),
  );
}

async function create(exchange: Exchange): Promise<Answer> {
  const { tools, request } = exchange;
  const header = exchange.header('If-None-Exist');
  const query = header.slice(header.indexOf('?') + 1);
  const unless =
    header === '' ? undefined : consentCondition([...new URLSearchParams(query)], exchange, 'If-None-Exist');
  const form = await formIn(exchange);
  if (form.status === 'inactive')
    refuse('consentNotEnforceable', {
      expression: 'Consent.status',
      value: form.status,
      detail: 'nothing would be stated',
    });
  return answered(exchange, await stateForm(tools, request, form, unless));
}

async function update(exchange: Exchange): Promise<Answer> {
  const { tools, request, id, parameters } = exchange;
  const expected = versionExpected(exchange.header('If-Match'));
  if (id === '') {
    const where = consentCondition(parameters, exchange, 'query');
    const sent = await formIn(exchange);
    return answered(exchange, await putForm(tools, request, sent, where, { id: sent.id, expected }));
  }
  const form = await formIn(exchange);
  if (form.id !== id)
    refuse('elementMalformed', {
      expression: 'Consent.id',
      value: form.id ?? '',
      detail: 'it is that of the address',
    });
  return answered(exchange, await changeForm(tools, request, id, form, expected));
}

async function remove({ tools, request, id, header }: Exchange): Promise<Answer> {
  const { stored } = await withdrawForm(tools, request, id, versionExpected(header('If-Match')));
  return { body: '', status: 204, headers: stateOf(stored) };
}

/** What a change made, or found made. */
function answered(exchange: Exchange, { stored, outcome }: Stated): Answer {
  const { body, headers } = answer(exchange, stored);
  if (outcome === 'changed') return { body, headers };
  const location = `${exchange.base}/${type}/${stored.id}/_history/${stored.version}`;
  return { status: outcome === 'created' ? 201 : 200, body, headers: { ...headers, Location: location } };
}

/** @throws Refused for a body that is no Consent, with everything that is wrong about it */
async function formIn(exchange: Exchange): Promise<Form & { readonly id: string | undefined }> {
  const sent = await exchange.json(type);
  const text = JSON.stringify(sent);
  const { resource, problems: broken } = validate(sent, type, [ownConsent]);
  if (resource === undefined) throw new Refused(broken);
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
  return { id: resource.id, patient, status, terms, text };
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
  return { body: textOf(exchange, stored), headers: stateOf(stored) };
}

function stateOf({ version, at }: StoredConsents): Shown['headers'] {
  return { ETag: `W/"${version}"`, 'Last-Modified': new Date(at).toUTCString() };
}

function textOf({ tools }: Exchange, stored: StoredConsents): string {
  return JSON.stringify(consentResource(stored, tools.settings.repositoryUniqueId));
}

function nameOf({ id }: Exchange): string {
  return `${type}/${id}`;
}

const common = { resource: type, transaction: 'ITI-108' } as const;
const reading = { ...common, action: 'readConsents', told: unknownUnlessNamed(type) } as const;
const changing = { ...common, action: 'changeConsent' } as const;
const updating = { ...changing, method: 'PUT', interaction: 'update', handle: update } as const;
const finding = { ...common, action: 'readConsents', handle: search } as const;

/** Access Consent. IHE PCF 1.1, ITI-108. */
export const consentInteractions: readonly Interaction[] = [
  ...searchesOf({ ...finding, what: 'What the patient states about who reads' }),
  {
    ...changing,
    method: 'POST',
    path: `/${type}`,
    interaction: 'create',
    what: 'State an authorisation, a block, an opposition',
    handle: create,
  },
  { ...reading, method: 'GET', path: `/${type}/:id`, interaction: 'read', what: 'Read one Consent', handle: read },
  { ...updating, path: `/${type}/:id`, what: 'Change or withdraw what was stated', told: unknownUnlessNamed(type) },
  { ...updating, path: `/${type}`, what: 'The same of the one that a search finds; where none is found, state it' },
  {
    ...changing,
    method: 'DELETE',
    path: `/${type}/:id`,
    interaction: 'delete',
    what: 'End all that was stated; the history stays',
    handle: remove,
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
