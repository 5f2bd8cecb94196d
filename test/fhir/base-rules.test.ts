import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { indexStructureDefinitionBundle, OperationOutcomeError, validateResource } from '@medplum/core';
import type { Resource } from '@medplum/fhirtypes';
import { invariantProblems } from '../../server/fhir/base/invariants.ts';
import { invariants } from '../../server/fhir/base/rules.ts';
import type { JsonObject } from '../../server/fhir/json.ts';

type Definitions = {
  readonly entry: readonly {
    readonly resource: {
      readonly snapshot: {
        readonly element: readonly {
          readonly path: string;
          readonly constraint?: readonly { readonly key: string }[];
        }[];
      };
    };
  }[];
};
const file = new URL('../../profiles/fhir/structures.json', import.meta.url);
const definitions = JSON.parse(readFileSync(file, 'utf8')) as Definitions;
beforeAll(() => indexStructureDefinitionBundle(definitions as never));

const keysOf = (resource: object) =>
  invariantProblems(resource as JsonObject).map(({ about }) => about.rule?.split(': ')[1] ?? '');

/** What @medplum/core finds wrong, by key of the rule. */
function medplumKeysOf(resource: object): string[] {
  try {
    validateResource(resource as Resource);
    return [];
  } catch (error) {
    if (!(error instanceof OperationOutcomeError)) throw error;
    return error.outcome.issue.map(
      ({ details }) => /^Constraint (\S+) not met/.exec(details?.text ?? '')?.[1] ?? details?.text ?? '',
    );
  }
}

/** Types of elements that stand in nothing which is taken or sent here. */
const elsewhere = /^(DataRequirement|TriggerDefinition|Expression|Timing)\b/;
/** Rules of statements of capability about messages and other kinds than ours. */
const notOurs = ['cpb-3', 'cpb-7', 'cpb-15', 'cpb-16'];

test('every rule that the definitions of FHIR R4 have of our types is in the table', () => {
  const defined = definitions.entry.flatMap(({ resource }) =>
    resource.snapshot.element.flatMap(({ path, constraint = [] }) =>
      elsewhere.test(path) ? [] : constraint.map(({ key }) => key),
    ),
  );
  const known = new Set(Object.values(invariants).flatMap((rules) => rules.map(({ key }) => key)));
  expect([...new Set(defined)].filter((key) => !known.has(key) && !notOurs.includes(key))).toEqual([]);
});

const patient = (more: object) => ({ resourceType: 'Patient', ...more });
const named = { managingOrganization: { reference: '#o' } };
const bundle = (type: string, more: object) => ({ resourceType: 'Bundle', type, ...more });
const list = (mode: string, more: object) => ({ resourceType: 'List', status: 'current', mode, ...more });
const item = { item: { display: 'x' } };
const extension = (more: object) => patient({ extension: [{ url: 'https://example.org/x', ...more }] });
const group = (actual: boolean) => ({
  resourceType: 'Group',
  type: 'person',
  actual,
  member: [{ entity: { display: 'x' } }],
});
const consent = (more: object) => ({
  resourceType: 'Consent',
  status: 'active',
  scope: { text: 'x' },
  category: [{ text: 'x' }],
  ...more,
});
const organisation = (more: object) => ({ resourceType: 'Organization', ...more });
const statement = (more: object) => ({
  resourceType: 'CapabilityStatement',
  status: 'active',
  date: '2026-07-01',
  kind: 'instance',
  fhirVersion: '4.0.1',
  format: ['json'],
  implementation: { description: 'x' },
  rest: [{ mode: 'server' }],
  ...more,
});
const event = (entity: object) => ({
  resourceType: 'AuditEvent',
  type: { code: 'rest' },
  recorded: '2026-07-01T08:00:00Z',
  agent: [{ requestor: true }],
  source: { observer: { display: 'x' } },
  entity: [entity],
});
const parameters = (parameter: object) => ({ resourceType: 'Parameters', parameter: [parameter] });
const composition = (section: object) => ({
  resourceType: 'Composition',
  status: 'final',
  type: { text: 'x' },
  date: '2026',
  author: [{ display: 'x' }],
  title: 'x',
  section: [section],
});
const inside = { resourceType: 'Organization', id: 'o', name: 'x' };
const narrative = { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' };
const quantity = (type: string, value: object) => extension({ [`value${type}`]: value });
const ucum = 'http://unitsofmeasure.org';
const document = (more: object) =>
  bundle('document', {
    identifier: { system: 'urn:ietf:rfc:3986', value: 'urn:uuid:0' },
    timestamp: '2026-07-01T08:00:00Z',
    entry: [{ resource: composition({ text: narrative }) }],
    ...more,
  });
const header = {
  resourceType: 'MessageHeader',
  eventUri: 'urn:x',
  source: { endpoint: 'urn:x' },
};

type Pair = readonly [key: string, right: object, wrong: object];
/** Each rule with what keeps it and what breaks it. */
const cases: readonly Pair[] = [
  [
    'dom-2',
    patient({ ...named, contained: [inside] }),
    patient({ ...named, contained: [{ ...inside, contained: [inside] }] }),
  ],
  ['dom-3', patient({ ...named, contained: [inside] }), patient({ contained: [inside] })],
  [
    'dom-3',
    patient({ contained: [{ ...inside, partOf: { reference: '#' } }] }),
    patient({ ...named, contained: [inside, { ...inside, id: 'p' }] }),
  ],
  [
    'dom-4',
    patient({ ...named, contained: [inside] }),
    patient({ ...named, contained: [{ ...inside, meta: { versionId: '1' } }] }),
  ],
  [
    'dom-5',
    patient({ ...named, contained: [inside] }),
    patient({ ...named, contained: [{ ...inside, meta: { security: [{ code: 'N' }] } }] }),
  ],
  ['bdl-1', bundle('searchset', { total: 0 }), bundle('collection', { total: 0 })],
  [
    'bdl-2',
    bundle('searchset', { entry: [{ resource: patient({}), search: { mode: 'match' } }] }),
    bundle('collection', { entry: [{ resource: patient({}), search: { mode: 'match' } }] }),
  ],
  [
    'bdl-3',
    bundle('batch', { entry: [{ resource: patient({}), request: { method: 'POST', url: 'Patient' } }] }),
    bundle('batch', { entry: [{ resource: patient({}) }] }),
  ],
  [
    'bdl-4',
    bundle('batch-response', { entry: [{ resource: patient({}), response: { status: '200' } }] }),
    bundle('collection', { entry: [{ resource: patient({}), response: { status: '200' } }] }),
  ],
  [
    'bdl-5',
    bundle('collection', { entry: [{ resource: patient({}) }] }),
    bundle('collection', { entry: [{ fullUrl: 'urn:x' }] }),
  ],
  [
    'bdl-7',
    bundle('collection', {
      entry: ['a', 'b'].map((x) => ({ fullUrl: `urn:${x}`, resource: patient({}) })),
    }),
    bundle('collection', {
      entry: ['a', 'a'].map((x) => ({ fullUrl: `urn:${x}`, resource: patient({}) })),
    }),
  ],
  [
    'bdl-8',
    bundle('collection', { entry: [{ fullUrl: 'https://a/Patient/1', resource: patient({}) }] }),
    bundle('collection', { entry: [{ fullUrl: 'https://a/Patient/1/_history/2', resource: patient({}) }] }),
  ],
  ['bdl-9', document({}), document({ identifier: { value: 'x' } })],
  ['bdl-10', document({}), JSON.parse(JSON.stringify(document({ timestamp: undefined }))) as object],
  ['bdl-11', document({}), document({ entry: [{ resource: patient({}) }] })],
  [
    'bdl-12',
    bundle('message', { entry: [{ resource: header }] }),
    bundle('message', { entry: [{ resource: patient({}) }] }),
  ],
  ['lst-1', list('working', { entry: [item] }), list('working', { entry: [item], emptyReason: { text: 'x' } })],
  [
    'lst-2',
    list('changes', { entry: [{ ...item, deleted: true }] }),
    list('working', { entry: [{ ...item, deleted: true }] }),
  ],
  [
    'lst-3',
    list('working', { entry: [{ ...item, date: '2026' }] }),
    list('snapshot', { entry: [{ ...item, date: '2026' }] }),
  ],
  ['ppc-1', consent({ policyRule: { text: 'x' } }), consent({})],
  ['grp-1', group(true), group(false)],
  ['org-1', organisation({ name: 'x' }), organisation({ active: true })],
  [
    'org-2',
    organisation({ name: 'x', address: [{ use: 'work', text: 'x' }] }),
    organisation({ name: 'x', address: [{ use: 'home', text: 'x' }] }),
  ],
  [
    'org-3',
    organisation({ name: 'x', telecom: [{ use: 'work', system: 'phone', value: '1' }] }),
    organisation({ name: 'x', telecom: [{ use: 'home', system: 'phone', value: '1' }] }),
  ],
  ['pat-1', patient({ contact: [{ name: { text: 'x' } }] }), patient({ contact: [{ gender: 'male' }] })],
  [
    'inv-1',
    parameters({ name: 'x', valueString: 'x' }),
    parameters({ name: 'x', valueString: 'x', resource: patient({}) }),
  ],
  ['sev-1', event({ name: 'x' }), event({ name: 'x', query: 'AAAA' })],
  ['cpb-1', statement({}), JSON.parse(JSON.stringify(statement({ rest: undefined }))) as object],
  [
    'cpb-2',
    statement({}),
    JSON.parse(JSON.stringify(statement({ kind: 'requirements', implementation: undefined }))) as object,
  ],
  [
    'cpb-14',
    statement({}),
    JSON.parse(JSON.stringify(statement({ implementation: undefined, description: 'x' }))) as object,
  ],
  [
    'cpb-9',
    statement({ rest: [{ mode: 'server', resource: [{ type: 'Patient' }, { type: 'List' }] }] }),
    statement({ rest: [{ mode: 'server', resource: [{ type: 'Patient' }, { type: 'Patient' }] }] }),
  ],
  [
    'cpb-12',
    statement({
      rest: [{ mode: 'server', resource: [{ type: 'Patient', searchParam: [{ name: '_id', type: 'token' }] }] }],
    }),
    statement({
      rest: [
        {
          mode: 'server',
          resource: [{ type: 'Patient', searchParam: ['_id', '_id'].map((name) => ({ name, type: 'token' })) }],
        },
      ],
    }),
  ],
  ['cmp-1', composition({ text: narrative }), composition({ title: 'x' })],
  [
    'cmp-2',
    composition({ entry: [{ display: 'x' }] }),
    composition({ entry: [{ display: 'x' }], emptyReason: { text: 'x' } }),
  ],
  ['att-1', patient({ photo: [{ contentType: 'image/png', data: 'AAAA' }] }), patient({ photo: [{ data: 'AAAA' }] })],
  ['cpt-2', patient({ telecom: [{ system: 'phone', value: '1' }] }), patient({ telecom: [{ value: '1' }] })],
  ['ext-1', extension({ valueBoolean: true }), extension({})],
  [
    'per-1',
    patient({ identifier: [{ period: { start: '2026-07', end: '2026-07-01T08:00:00Z' } }] }),
    patient({ identifier: [{ period: { start: '2026-07-02', end: '2026-07-01' } }] }),
  ],
  ['qty-3', quantity('Quantity', { code: 'a', system: ucum }), quantity('Quantity', { code: 'a' })],
  [
    'age-1',
    quantity('Age', { value: 3, code: 'a', system: ucum }),
    quantity('Age', { value: -3, code: 'a', system: ucum }),
  ],
  ['dis-1', quantity('Distance', { value: 3, code: 'm', system: ucum }), quantity('Distance', { value: 3 })],
  [
    'drt-1',
    quantity('Duration', { value: 3, code: 's', system: ucum }),
    quantity('Duration', { code: 's', system: ucum }),
  ],
  [
    'cnt-3',
    quantity('Count', { value: 3, code: '1', system: ucum }),
    quantity('Count', { value: 3.5, code: '1', system: ucum }),
  ],
  [
    'rng-2',
    quantity('Range', { low: { value: 1 }, high: { value: 2 } }),
    quantity('Range', { low: { value: 2 }, high: { value: 1 } }),
  ],
  [
    'rat-1',
    quantity('Ratio', { numerator: { value: 1 }, denominator: { value: 2 } }),
    quantity('Ratio', { numerator: { value: 1 } }),
  ],
  [
    'ref-1',
    patient({ contained: [inside], managingOrganization: { reference: '#o' } }),
    patient({ contained: [inside], managingOrganization: { reference: '#p' } }),
  ],
];

describe('a rule of FHIR', () => {
  test.each(cases)('%s has something that keeps it and something that breaks it', (key, right, wrong) => {
    expect(keysOf(right)).toEqual([]);
    expect(keysOf(wrong)).toContain(key);
  });

  test('has a case', () => {
    const all = new Set(Object.values(invariants).flatMap((rules) => rules.map((rule) => rule.key)));
    expect(new Set(cases.map(([key]) => key))).toEqual(all);
  });

  test('holds inside entries, parameters and contained resources, each with its own', () => {
    const within = patient({ contained: [inside], managingOrganization: { reference: '#o' } });
    expect(keysOf(bundle('collection', { entry: [{ resource: within }] }))).toEqual([]);
    const outside = { ...within, contained: [{ ...inside, partOf: { reference: '#o' } }] };
    expect(keysOf(bundle('collection', { contained: [], entry: [{ resource: outside }] }))).toEqual([]);
    const lost = patient({ managingOrganization: { reference: '#o' } });
    const found = invariantProblems(bundle('collection', { entry: [{ resource: within }, { resource: lost }] }));
    expect(found.map(({ about }) => about.expression)).toEqual(['Bundle.entry[1].resource.managingOrganization']);
  });

  test('is told with its place, clause and remedy', () => {
    const [found] = invariantProblems(patient({ telecom: [{ value: '1' }] }));
    expect(found).toMatchObject({
      name: 'invariantBroken',
      about: { expression: 'Patient.telecom[0]', rule: 'FHIR R4, ContactPoint: cpt-2' },
    });
  });
});

describe('@medplum/core, which looks at resources and not into data types,', () => {
  test.each(cases)('finds nothing that we do not: %s', (_, right, wrong) => {
    expect(medplumKeysOf(right)).toEqual([]);
    expect(medplumKeysOf(wrong).filter((key) => !keysOf(wrong).includes(key))).toEqual([]);
  });
});
