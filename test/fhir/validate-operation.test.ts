import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, CapabilityStatement, DocumentReference, OperationOutcome } from 'fhir/r4.js';
import { profiles } from '../../server/fhir/vocabulary.ts';
import { consentFor } from './consent-samples.ts';
import { bundleOf, post, resourceIn } from './deposits.ts';
import { type Door, openDoor } from './door.ts';
import { pdsmBundleOf } from './pdsm-bundle.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(() => door.close());

const told = ({ issue }: OperationOutcome) =>
  issue.map(({ severity, details, expression }) => `${severity} ${details?.text} ${expression?.[0] ?? ''}`.trim());
const ask = (path: string, body: unknown, who = 'dr-martin') => post<OperationOutcome>(door, who, body, path);
const valid = 'information valid';

const broken = (): DocumentReference => {
  const document = resourceIn(pdsmBundleOf(door), 'DocumentReference');
  delete document.custodian;
  document.context = { ...document.context, period: { end: '2026-07-01' } };
  return document;
};
const missing = 'error profileElementMissing DocumentReference.context.period.start';

/** A document that dr-martin deposited. */
async function deposited(): Promise<string> {
  const { json } = await post<Bundle>(door, 'dr-martin', bundleOf(door));
  return json.entry?.[1]?.response?.location?.split('/')[5] ?? '';
}

describe('$validate of a type', () => {
  test.each<[string, () => object]>([
    ['Bundle', () => pdsmBundleOf(door)],
    ['DocumentReference', () => resourceIn(pdsmBundleOf(door), 'DocumentReference')],
    ['List', () => resourceIn(pdsmBundleOf(door), 'List')],
    ['Binary', () => resourceIn(pdsmBundleOf(door), 'Binary')],
    ['Patient', () => ({ resourceType: 'Patient', identifier: [{ system: 'urn:oid:1.2.3', value: '1' }] })],
    ['Consent', () => consentFor({ reference: 'Patient/1' }, { type: 'permit' })],
  ])('%s says that what is sound is valid', async (type, resource) => {
    const { status, json } = await ask(`${type}/$validate`, resource());
    expect([status, json.resourceType, told(json).filter((one) => !one.startsWith('warning'))]).toEqual([
      200,
      'OperationOutcome',
      [valid],
    ]);
  });

  test('answers 200 with every fault and stores nothing', async () => {
    const { json } = await ask('DocumentReference/$validate', broken());
    expect(told(json).filter((one) => one.startsWith('error'))).toEqual([missing]);
    const query = `DocumentReference?patient.identifier=${door.of('laurent')}&_count=0`;
    const before = (await door.get<Bundle>('dr-martin', query)).json.total;
    await ask('Bundle/$validate', pdsmBundleOf(door));
    expect((await door.get<Bundle>('dr-martin', query)).json.total).toBe(before);
  });

  test('says of a Consent what cannot be enforced', async () => {
    const { json } = await ask('Consent/$validate', consentFor({ reference: 'Patient/1' }, { type: 'deny' }));
    expect(told(json)).toEqual(['error consentNotEnforceable Consent.provision']);
  });

  test('takes Parameters with resource, mode and profile', async () => {
    const { meta: _meta, ...resource } = broken();
    const parameter = [
      { name: 'resource', resource },
      { name: 'mode', valueCode: 'create' },
    ];
    const plain = await ask('DocumentReference/$validate', { resourceType: 'Parameters', parameter });
    expect(told(plain.json)).toEqual([valid]);
    const profile = { name: 'profile', valueUri: profiles.pdsmDocument };
    const asked = await ask('DocumentReference/$validate', {
      resourceType: 'Parameters',
      parameter: [...parameter, profile],
    });
    expect(told(asked.json).filter((one) => one.startsWith('error'))).toEqual([missing]);
  });

  test('tells of a parameter that it does not know, or refuses it in strict handling', async () => {
    const resource = resourceIn(pdsmBundleOf(door), 'Binary');
    const warned = await ask('Binary/$validate?colour=red', resource);
    expect(told(warned.json)).toEqual(['warning parameterUnknown http.colour', valid]);
    const posted = { resourceType: 'Parameters', parameter: [{ name: 'resource', resource }, { name: 'colour' }] };
    expect(told((await ask('Binary/$validate', posted)).json)).toEqual(['warning parameterUnknown http.colour', valid]);
    const strict = await door.ask('Binary/$validate?colour=red', {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${await door.token('dr-martin')}`,
        'Content-Type': 'application/fhir+json',
        Prefer: 'handling=strict',
      },
      body: JSON.stringify(resource),
    });
    expect([strict.status, told(strict.json)]).toEqual([400, ['error parameterUnknown http.colour']]);
  });

  test('takes no more of a type than is taken of it alone, which is announced', async () => {
    const of = (exceptions: number) => {
      const provision = Array.from({ length: exceptions }, () => ({ type: 'deny', class: [{ code: 'a' }] }));
      return consentFor({ reference: 'Patient/1' }, { type: 'permit', provision } as never);
    };
    const { status, json } = await ask('Consent/$validate', of(120_000));
    expect([status, told(json)]).toEqual([413, ['error messageTooLarge']]);
    expect(json.issue[0]?.diagnostics).toContain('Consent alone may have 262144 bytes');
    const asParameters = { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: of(120_000) }] };
    expect((await ask('Consent/$validate', asParameters)).status).toBe(413);
    const metadata = await door.ask<CapabilityStatement>('metadata');
    expect(metadata.json.rest?.[0]?.documentation).toContain('Consent 262144');

    // As many faults as there is room for: a thousand are told, and how many more there are.
    const { json: many } = await ask('Consent/$validate', of(5000));
    expect(many.issue.length).toBeLessThan(1010);
    expect(many.issue.find(({ details }) => details?.text === 'further')?.diagnostics).toMatch(/^\d+ further problems/);
  });

  test('takes the profile from the address', async () => {
    const { meta: _meta, ...resource } = broken();
    const path = `DocumentReference/$validate?profile=${encodeURIComponent(profiles.pdsmDocument)}`;
    const { json } = await ask(path, resource);
    expect(told(json)).toContain(missing);
  });

  test('a profile that is not known here is an error where it is asked for, and a warning where it is claimed', async () => {
    const unknown = 'https://example.org/StructureDefinition/of-our-own';
    const resource = resourceIn(pdsmBundleOf(door), 'DocumentReference');
    const asked = await ask(`DocumentReference/$validate?profile=${unknown}`, resource);
    expect(told(asked.json)).toContain('error profileUnknown profile');
    resource.meta = { profile: [unknown] };
    const { json } = await ask('DocumentReference/$validate', resource);
    expect(told(json)).toEqual(['warning profileUnknown DocumentReference.meta.profile[0]', valid]);
  });

  test.each<[string, object, string]>([
    ['another type', { resourceType: 'List' }, 'error elementMalformed DocumentReference.resourceType'],
    ['no resource', { resourceType: 'Observation' }, 'error elementMalformed DocumentReference.resourceType'],
  ])('%s is a fault', async (_, resource, expected) => {
    const { status, json } = await ask('DocumentReference/$validate', resource);
    expect([status, told(json)]).toEqual([200, [expected]]);
  });

  test.each<[string, string, unknown, number, string]>([
    ['no JSON', 'List/$validate', '{', 400, 'error notJson'],
    ['a mode that is not known', 'List/$validate?mode=merge', {}, 400, 'error parameterMalformed http.mode'],
    ['a delete without id', 'List/$validate?mode=delete', {}, 400, 'error parameterMalformed http.mode'],
    ['Parameters without resource', 'List/$validate', { resourceType: 'Parameters' }, 400, 'error elementMissing List'],
    ['a type that is not taken', 'Observation/$validate', {}, 404, 'error resourceTypeUnknown'],
  ])('%s is refused', async (_, path, body, status, expected) => {
    const answer = await ask(path, body);
    expect([answer.status, told(answer.json)]).toEqual([status, [expected]]);
  });

  test('asks who it is, and leaves one event', async () => {
    const before = door.world.tools.store.events().length;
    const { status } = await door.ask('List/$validate', { method: 'POST', body: '{}' });
    expect(status).toBe(401);
    await ask('List/$validate', resourceIn(pdsmBundleOf(door), 'List'));
    expect(door.world.tools.store.events().slice(before)).toMatchObject([
      { action: 'identify', outcome: 'refused' },
      { action: 'identify', outcome: 'done', ground: 'validate' },
    ]);
  });

  test('stands in the CapabilityStatement', async () => {
    const { json } = await door.ask<CapabilityStatement>('metadata');
    const served = json.rest?.[0]?.resource ?? [];
    const offering = served.filter(({ operation = [] }) => operation.some(({ name }) => name === 'validate'));
    const taken = served.filter(({ interaction = [] }) =>
      interaction.some(({ code }) => code === 'create' || code === 'update'),
    );
    expect(taken.length).toBeGreaterThan(3);
    expect(new Set(offering.map(({ type }) => type))).toEqual(
      new Set(['Bundle', 'List', 'Binary', ...taken.map(({ type }) => type)]),
    );
  });
});

describe('$validate of a resource', () => {
  test('looks at what is stored', async () => {
    const { status, json } = await ask(`DocumentReference/${await deposited()}/$validate`, '');
    expect([status, told(json)]).toEqual([200, [valid]]);
  });

  test('looks at what is to replace it', async () => {
    const id = await deposited();
    const { json } = await ask(`DocumentReference/${id}/$validate`, { ...broken(), id });
    expect(told(json).filter((one) => one.startsWith('error'))).toEqual([missing]);
    const other = await ask(`DocumentReference/${id}/$validate`, { ...broken(), id: 'other' });
    expect(told(other.json)).toContain('error elementMalformed DocumentReference.id');
  });

  test('says whether it can be deleted', async () => {
    const id = await deposited();
    const { json } = await ask(`DocumentReference/${id}/$validate?mode=delete`, '');
    expect(told(json)).toEqual([valid]);
    const { json: answer } = await post<Bundle>(door, 'dr-martin', bundleOf(door));
    const list = answer.entry?.[0]?.response?.location?.split('/')[5] ?? '';
    const set = await ask(`List/${list}/$validate?mode=delete`, '');
    expect(told(set.json)).toEqual(['error interactionUnsupported']);
  });

  test('does not tell of what the caller may not read', async () => {
    const id = await deposited();
    const hidden = await ask(`DocumentReference/${id}/$validate`, '', 'pharm-durand');
    const absent = await ask('DocumentReference/0190a0a0-0000-7000-8000-000000000000/$validate', '', 'pharm-durand');
    expect([hidden.status, told(hidden.json)]).toEqual([404, ['error resourceUnknown']]);
    expect([absent.status, told(absent.json)]).toEqual([404, ['error resourceUnknown']]);
  });
});
