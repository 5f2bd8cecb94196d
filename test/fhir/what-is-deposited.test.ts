import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, DocumentReference, FhirResource, List, OperationOutcome } from 'fhir/r4.js';
import { bundleOf, changed, post, resourceIn } from './deposits.ts';
import { type Door, openDoor } from './door.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(() => door.close());

const uris = 'urn:ietf:rfc:3986';
const told = ({ issue = [] }: OperationOutcome) =>
  issue.map(({ details, expression }) => `${details?.text} ${expression?.[0]}`);

/** A document with its bytes inside. */
function alone(status: DocumentReference['status']) {
  const bundle = bundleOf(door);
  const { meta: _, ...document } = resourceIn(bundle, 'DocumentReference');
  const { url: __, ...attachment } = document.content[0]?.attachment ?? {};
  const { data } = resourceIn(bundle, 'Binary');
  return { ...document, status, content: [{ ...document.content[0], attachment: { ...attachment, data } }] };
}

/** In a Bundle, without profiles of its own. */
function within(status: DocumentReference['status']) {
  return changed(bundleOf(door), (_, { document }) => {
    delete document.meta;
    document.status = status;
  });
}

describe('a document is not deposited as one that was an error', () => {
  test.each(['entered-in-error', 'superseded'] as const)('alone: %s', async (status) => {
    const refused = await post<OperationOutcome>(door, 'dr-martin', alone(status), 'DocumentReference');
    expect([refused.status, told(refused.json)]).toEqual([422, ['elementMalformed DocumentReference.status']]);
  });

  test('in a Bundle', async () => {
    const { status, json } = await post<OperationOutcome>(door, 'dr-martin', within('entered-in-error'));
    expect([status, told(json)]).toEqual([400, ['elementMalformed Bundle.entry[1].resource.status']]);
  });

  test('one that stands is taken', async () => {
    expect((await post(door, 'dr-martin', alone('current'), 'DocumentReference')).status).toBe(201);
    expect((await post(door, 'dr-martin', within('current'))).status).toBe(200);
  });
});

describe('a folder that is changed may be named by the submission set, which it is no member of', () => {
  const placeOf = ({ entry = [] }: Bundle, i: number) =>
    (entry[i]?.response?.location ?? '').slice(door.base.length + 1).replace(/\/_history.*$/, '');

  async function folder(): Promise<string> {
    const fullUrl = 'urn:uuid:6d1bd5a6-77d8-4a41-9d52-0d3b4a0f7f01';
    const bundle = changed(bundleOf(door), (_, { set, entry }) => {
      const resource: List = {
        resourceType: 'List',
        extension: (set.extension ?? []).filter(({ url }) => url.endsWith('ihe-designationType')),
        identifier: [{ use: 'usual', system: uris, value: `urn:oid:1.2.250.1.999.4.${door.world.tools.now()}` }],
        status: 'current',
        mode: 'working',
        title: 'Suivi',
        code: {
          coding: [{ system: 'https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes', code: 'folder' }],
        },
        ...(set.subject && { subject: set.subject }),
        ...(set.date !== undefined && { date: set.date }),
      };
      set.entry?.push({ item: { reference: fullUrl } });
      entry.push({ fullUrl, resource, request: { method: 'POST', url: 'List' } });
    });
    const { status, json } = await post<Bundle>(door, 'dr-martin', bundle);
    expect([status, JSON.stringify(json)]).toEqual([200, expect.stringContaining('List/')]);
    door.world.clock.now += 1000;
    return placeOf(json, 3);
  }

  test.each([
    ['by its address here', (place: string) => [`${door.base}/${place}`, place]],
    ['by its whole address', (place: string) => [`${door.base}/${place}`, `${door.base}/${place}`]],
    [
      'by its place in the Bundle',
      () => ['urn:uuid:6d1bd5a6-77d8-4a41-9d52-0d3b4a0f7f02', 'urn:uuid:6d1bd5a6-77d8-4a41-9d52-0d3b4a0f7f02'],
    ],
  ])('%s', async (_, namesOf) => {
    const place = await folder();
    const [fullUrl = '', reference = ''] = namesOf(place);
    const { json: held } = await door.get<List>('dr-martin', place);
    const bundle = changed(bundleOf(door), (_, { set, entry }) => {
      const document = entry.find(({ resource }) => resource?.resourceType === 'DocumentReference')?.fullUrl ?? '';
      set.entry?.push({ item: { reference } });
      const resource: FhirResource = { ...held, entry: [...(held.entry ?? []), { item: { reference: document } }] };
      entry.push({ fullUrl, resource, request: { method: 'PUT', url: place } });
    });
    const { status, json } = await post<Bundle>(door, 'dr-martin', bundle);
    expect([status, json.entry?.[3]?.response?.status]).toEqual([200, '200 OK']);
    const members = (await door.get<List>('dr-martin', place)).json.entry ?? [];
    expect(members.map(({ item }) => item.reference)).toEqual([placeOf(json, 1)]);
  });

  test('one that the Bundle does not change is no member', async () => {
    const place = await folder();
    const bundle = changed(bundleOf(door), (_, { set }) => void set.entry?.push({ item: { reference: place } }));
    const { status, json } = await post<OperationOutcome>(door, 'dr-martin', bundle);
    expect([status, told(json)]).toEqual([400, ['associationInvalid Bundle.entry[0].resource.entry[1]']]);
  });
});

test('a submission set and a folder whose source gives no uniqueId are given one', async () => {
  const bundle = changed(bundleOf(door), (_, { set, entry }) => {
    set.identifier = (set.identifier ?? []).filter(({ use }) => use !== 'usual');
    const { source: _source, identifier: _identifier, entry: _entry, note: _note, ...rest } = set;
    const fullUrl = 'urn:uuid:6d1bd5a6-77d8-4a41-9d52-0d3b4a0f7f03';
    const code = { coding: [{ system: 'https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes', code: 'folder' }] };
    const extension = (set.extension ?? []).filter(({ url }) => url.endsWith('ihe-designationType'));
    delete rest.meta;
    entry.push({
      fullUrl,
      resource: { ...rest, extension, code, title: 'Suivi' },
      request: { method: 'POST', url: 'List' },
    });
    set.entry?.push({ item: { reference: fullUrl } });
  });
  const { status, json } = await post<Bundle>(door, 'dr-martin', bundle);
  expect(status).toBe(200);
  const names = [0, 3].map(async (i) => {
    const { json: list } = await door.ask<List>(json.entry?.[i]?.response?.location ?? '', {
      headers: { Authorization: `Bearer ${await door.token('dr-martin')}` },
    });
    return list.identifier?.find(({ use }) => use === 'usual')?.value ?? '';
  });
  const [ofSet = '', ofFolder = ''] = await Promise.all(names);
  expect(ofSet).toMatch(/^urn:oid:2\.25\.\d+$/);
  expect(ofFolder).toMatch(/^urn:oid:2\.25\.\d+$/);
  expect(ofFolder).not.toBe(ofSet);
});

test('a document without a uniqueId is refused', async () => {
  const bundle = changed(bundleOf(door), (_, { document }) => {
    delete document.masterIdentifier;
  });
  const { status, json } = await post<OperationOutcome>(door, 'dr-martin', bundle);
  expect([status, told(json)]).toEqual([400, [expect.stringContaining('Bundle.entry[1].resource.masterIdentifier')]]);
});
