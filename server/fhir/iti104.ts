import type { Patient } from 'fhir/r4.js';
import { refuse } from '../domain/error.ts';
import type { Identifier } from '../domain/identifier.ts';
import type { PatientRecord } from '../domain/record.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { type FeedOrder, obeyFeed } from './identity-feed.ts';
import type { Given } from './search.ts';
import { alternatives, readIdentifier } from './search-values.ts';
import { versionExpected } from './state.ts';
import { valid } from './validate.ts';

const type = 'Patient';

/** The headers that tell the state of a record. FHIR R4 http.html#versioning. */
export function patientHeaders({ version, changedAt }: PatientRecord) {
  return {
    ETag: `W/"${version}"`,
    ...(changedAt !== undefined && { 'Last-Modified': new Date(changedAt).toUTCString() }),
  };
}

async function create(exchange: Exchange): Promise<Answer> {
  const header = exchange.header('If-None-Exist');
  const condition = header === '' ? undefined : conditionIn([...new URLSearchParams(header)], 'If-None-Exist');
  const patient = await patientIn(exchange);
  return obey(exchange, { method: 'POST', patient, ...(condition && { ifNoneExist: condition }) });
}

async function update(exchange: Exchange): Promise<Answer> {
  const { id } = exchange;
  const meant = id === '' ? conditionIn(exchange.parameters, 'identifier') : { record: id };
  const version = versionExpected(exchange.header('If-Match'));
  const patient = await patientIn(exchange);
  if (id !== '' && patient.id !== id)
    refuse('elementMalformed', {
      expression: 'Patient.id',
      value: patient.id ?? '',
      detail: 'it is that of the address',
    });
  return obey(exchange, { method: 'PUT', patient, meant, ...(version !== undefined && { version }) });
}

async function remove(exchange: Exchange): Promise<Answer> {
  const { id } = exchange;
  return obey(exchange, {
    method: 'DELETE',
    meant: id === '' ? conditionIn(exchange.parameters, 'identifier') : { record: id },
  });
}

async function obey(exchange: Exchange, order: FeedOrder): Promise<Answer> {
  const { status, patient, record } = await obeyFeed(exchange.tools, exchange.request, order);
  if (patient === undefined || record === undefined) return { status, body: '' };
  const location = `${exchange.base}/${type}/${record.id}`;
  return {
    status,
    body: JSON.stringify(patient),
    headers: {
      ...patientHeaders(record),
      ...(status === 201 && { Location: `${location}/_history/${record.version}` }),
    },
  };
}

/** The one identifier of a condition. FHIR R4 http.html#cond-update. @throws Refused parameterMissing, parameterMalformed */
function conditionIn(given: Given, attribute: string): Identifier {
  const asked = given.filter(([name]) => name !== '_format' && name !== '_pretty');
  const [first, ...more] = asked;
  if (first === undefined)
    refuse('parameterMissing', {
      attribute: 'identifier',
      detail: 'a patient is fed by identifier=urn:oid:<OID>|<value>',
    });
  const [name, value] = first;
  const identifier = alternatives(value).length === 1 ? readIdentifier(value) : undefined;
  if (name !== 'identifier' || identifier === undefined || more.length > 0)
    refuse('parameterMalformed', {
      attribute,
      value: asked.map((one) => one.join('=')).join('&'),
      detail: 'one identifier=urn:oid:<OID>|<value> is expected',
    });
  return identifier;
}

/** @throws Refused for a body that is no Patient, with everything that is wrong about it */
async function patientIn(exchange: Exchange): Promise<Patient> {
  return valid(await exchange.json(type), type);
}

const common = { resource: type, transaction: 'ITI-104', action: 'feedIdentities' } as const;
const changing = { ...common, method: 'PUT', interaction: 'update', handle: update } as const;
const removing = { ...common, method: 'DELETE', interaction: 'delete', handle: remove } as const;

/** Patient Identity Feed FHIR. IHE PIXm, ITI-104. */
export const feedInteractions: readonly Interaction[] = [
  {
    ...common,
    method: 'POST',
    path: `/${type}`,
    interaction: 'create',
    what: 'Tell of a patient who is new; with If-None-Exist, or else nobody has the identifiers',
    handle: create,
  },
  {
    ...changing,
    path: `/${type}`,
    what: 'Tell of the patient who has an identifier; merge him into another by a link replaced-by',
  },
  { ...changing, path: `/${type}/:id`, what: 'The same of the patient of this id' },
  { ...removing, path: `/${type}`, what: 'Remove the patient who has an identifier, of whom nothing else is here' },
  { ...removing, path: `/${type}/:id`, what: 'The same of the patient of this id' },
];
