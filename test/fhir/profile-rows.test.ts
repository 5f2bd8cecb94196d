import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../server/fhir/json.ts';
import { checkProfiles } from '../../server/fhir/profile/check.ts';
import { childrenOf, stepsOf } from '../../server/fhir/profile/path.ts';
import { type Constraint, cardinality, nameOf, type Profile, profileTable } from '../../server/fhir/profile/table.ts';
import { change, type Draft, ensure, keyOf, sampleOf } from '../support/profile-sample.ts';

const cloned = (resource: Draft) => JSON.parse(JSON.stringify(resource)) as Draft;
const clausesOf = (resource: Draft, { url }: Profile) =>
  checkProfiles(resource as Json, [url]).problems.map(({ about }) => about.rule);

/** What breaks a row, one after the other; nothing for invariants, which have tests of their own, and for what the path says already. */
function broken(profile: Profile, row: Constraint): Draft[] {
  const steps = stepsOf(row.path, profile.extensions);
  const last = steps.at(-1);
  if (last === undefined || row.severity === 'warning') return [];
  const each = (spoil: (holder: Draft, type: string) => boolean): Draft[] => {
    const resource = cloned(sampleOf(profile));
    const spoilt = ensure(resource, profile.type, steps.slice(0, -1), last).map(({ holder, type }) =>
      spoil(holder, type),
    );
    return spoilt.includes(true) ? [resource] : [];
  };
  const to = (value: (old: Json) => Draft | string | boolean) =>
    each((holder) => {
      change(holder, last, value);
      return true;
    });
  const { min, max } = cardinality(row.card ?? '0..*');
  const own = last.filters.some(({ keys }) => keys[0] === 'code');
  return [
    ...(min > 0
      ? each((holder) => {
          const gone = new Set(childrenOf({ value: holder, at: '' }, last).map(({ value }) => value));
          for (const [key, value] of Object.entries(holder))
            if (Array.isArray(value)) holder[key] = value.filter((one) => !gone.has(one));
            else if (gone.has(value) && (last.choice ? key.startsWith(last.name) : key === last.name))
              delete holder[key];
          return true;
        })
      : []),
    ...(Number.isFinite(max)
      ? each((holder, type) => {
          const { key, shape } = keyOf(type, last, holder);
          const [one] = childrenOf({ value: holder, at: '' }, last);
          if (max > 0 && !shape.isList) return false;
          const more = Array.from({ length: max + 1 }, () => one?.value ?? { resourceType: 'Patient', url: 'urn:x' });
          holder[key] = shape.isList ? (more as unknown as Draft[]) : (more[0] as unknown as Draft);
          return true;
        })
      : []),
    ...(row.codes !== undefined && (row.system !== undefined || !own)
      ? to((old) => (row.system === undefined ? spoiltCode(old) : spoiltSystem(old)))
      : []),
    ...(row.value === undefined ? [] : to((old) => (typeof old === 'boolean' ? !old : 'nonsense'))),
    ...(row.starts === undefined ? [] : to(() => 'nonsense')),
    ...(row.targets === undefined ? [] : to(() => ({ reference: 'Observation/1' }))),
    ...(row.contained === true ? to(() => ({ reference: `${row.targets?.[0] ?? 'Patient'}/1` })) : []),
  ];
}

function spoiltCode(old: Json): Draft | string {
  if (typeof old === 'string') return 'nonsense';
  return typeof old === 'object' && old !== null && 'coding' in old
    ? { coding: [{ code: 'nonsense' }] }
    : { code: 'nonsense' };
}

function spoiltSystem(old: Json): Draft {
  const spoilt = JSON.parse(JSON.stringify(old).replace(/"system":"[^"]*"/, '"system":"urn:wrong"')) as Draft;
  return spoilt;
}

describe.each(profileTable.map((profile) => [nameOf(profile.url), profile] as const))('%s', (name, profile) => {
  test('has a sample that keeps every row', () => {
    expect(clausesOf(sampleOf(profile), profile)).toEqual([]);
  });

  const rows = profile.constraints.filter((row) => broken(profile, row).length > 0);
  test.each(rows.map((row) => [row.path, row] as const))('%s is missed where it is broken', (path, row) => {
    const clause = `${profile.guide}, ${name}: ${path}`;
    for (const resource of broken(profile, row))
      expect(
        clausesOf(resource, profile).filter((rule) => rule === clause || rule?.startsWith(`${clause} `) === true),
      ).not.toEqual([]);
  });
});

test('every row is tried, save warnings and the rules that are written as code', () => {
  const all = profileTable.flatMap((profile) => profile.constraints.map((row) => ({ profile, row })));
  const untried = all.filter(({ profile, row }) => broken(profile, row).length === 0).map(({ row }) => row);
  expect(new Set(untried.map(({ rule, severity, path }) => rule ?? severity ?? path))).toEqual(
    new Set([...cases.map(([rule]) => rule), 'warning']),
  );
});

const french = 'https://hl7.fr/ig/fhir/core/StructureDefinition';
const insee = (code: string) => ({
  url: 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace',
  valueAddress: { extension: [{ url: `${french}/fr-core-address-insee-code`, valueCoding: { code } }] },
});
const validated = (status: string) => ({
  url: `${french}/fr-core-identity-reliability`,
  extension: [{ url: 'identityStatus', valueCoding: { code: status } }],
});
const ins = (use: string, system = '1.2.250.1.213.1.4.8', type = 'INS-NIR') => ({
  use,
  system: `urn:oid:${system}`,
  type: { coding: [{ code: type }] },
});
const holder = (status: string, identifier: object[], place = '35238') => ({
  resourceType: 'Patient',
  extension: [validated(status), insee(place)],
  identifier,
});
const event = (observer: string) => ({
  resourceType: 'AuditEvent',
  agent: [{ type: { coding: [{ code: '110152' }] }, who: { display: 'x' } }],
  source: { observer: { display: observer } },
});
const document = (more: object, type = 'PractitionerRole') => ({
  resourceType: 'DocumentReference',
  contained: [{ resourceType: type, id: 'a' }],
  author: [{ reference: '#a' }],
  ...more,
});
const person = (name: object, more: object = {}) => ({ resourceType: 'Patient', name: [name], ...more });
const absent = { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason' }] };

/** Each rule that is written as code: its profile, what keeps it, what breaks it. */
const cases: readonly (readonly [rule: string, profile: string, right: readonly object[], wrong: readonly object[]])[] =
  [
    [
      'fr-core-1',
      'fr-core-patient-ins',
      [
        holder('VALI', [ins('official')]),
        holder('VALI', [ins('official', '1.2.250.1.213.1.4.9', 'INS-NIA')]),
        holder('PROV', []),
      ],
      [
        holder('VALI', [ins('old')]),
        holder('VALI', [ins('official', '1.2.250.1.213.1.4.8', 'NH')]),
        holder('VALI', [ins('official', '1.2.250.1.213.1.4.2', 'INS-C')]),
      ],
    ],
    [
      'fr-core-2',
      'fr-core-patient-ins',
      [holder('VALI', [ins('official'), ins('old')])],
      [holder('VALI', [ins('official'), ins('official', '1.2.3', 'PI')])],
    ],
    [
      'fr-core-3',
      'fr-core-patient-ins',
      [holder('VALI', [ins('official')]), holder('PROV', [], '99999')],
      [holder('VALI', [ins('official')], '99999')],
    ],
    [
      'iti-pdqm-linkstatus',
      'IHE.PDQm.Patient',
      [person({ family: 'x' }, { link: [{}], active: false })],
      [person({ family: 'x' }, { link: [{}] })],
    ],
    [
      'iti-pdqm-patname',
      'IHE.PDQm.Patient',
      [person({ given: ['x'] }), person(absent)],
      [person({ use: 'official' }), person({ family: 'x', ...absent })],
    ],
    [
      'pdsm-authenticator',
      'pdsm-comprehensive-document-reference',
      [document({ authenticator: { reference: '#a' } }), document({}, 'Patient')],
      [document({})],
    ],
    ['val-audit-source', 'IHE.MHD.ProvideBundle.Audit.Recipient', [event('x')], [event('y')]],
  ];

test.each(cases)('%s is kept and broken', (rule, profile, right, wrong) => {
  const url = profileTable.find((one) => nameOf(one.url) === profile)?.url ?? '';
  const told = (resource: object) => {
    const { problems, warnings } = checkProfiles(resource as Json, [url]);
    return [...problems, ...warnings].some(({ about }) => about.detail?.startsWith(`${rule}:`) === true);
  };
  expect(right.map(told)).toEqual(right.map(() => false));
  expect(wrong.map(told)).toEqual(wrong.map(() => true));
});
