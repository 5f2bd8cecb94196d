import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, BundleEntry, CapabilityStatement, DocumentReference, OperationOutcome } from 'fhir/r4.js';
import { bundleOf, post, resourceIn } from './deposits.ts';
import { type Door, openDoor } from './door.ts';

let door: Door;
let location: string;
let reference: DocumentReference;
beforeAll(async () => {
  door = await openDoor({ limits: { entries: 20 } });
  const { json } = await post<Bundle>(door, 'dr-martin', bundleOf(door));
  location = (json.entry?.[1]?.response?.location ?? '').slice(door.base.length + 1).replace(/\/_history\/1$/, '');
  reference = (await door.get<DocumentReference>('dr-martin', location)).json;
});
afterAll(() => door.close());

type Asked = Omit<BundleEntry, 'request'> & {
  request: Partial<NonNullable<BundleEntry['request']>> & { method?: string };
};
const get = (url: string, more: object = {}): Asked => ({ request: { method: 'GET', url, ...more } });
const batch = async (...entry: readonly unknown[]) =>
  post<Bundle>(door, 'dr-martin', { resourceType: 'Bundle', type: 'batch', entry });
const statuses = ({ entry = [] }: Bundle) => entry.map(({ response }) => response?.status);
const names = (entry: BundleEntry | undefined) =>
  (entry?.response?.outcome as OperationOutcome | undefined)?.issue.map(({ details }) => details?.text);

describe('a batch', () => {
  test('answers each entry in its order with what the request alone answers', async () => {
    const query = `DocumentReference?patient.identifier=${door.of('laurent')}&_count=2`;
    const { status, json } = await batch(get(location), get(query), get(`${door.base}/${location}`), get('metadata'));
    expect([status, json.type, statuses(json)]).toEqual([
      200,
      'batch-response',
      ['200 OK', '200 OK', '200 OK', '405 Method Not Allowed'],
    ]);
    expect(json.entry?.[0]?.resource).toEqual(reference);
    expect(json.entry?.[0]?.response?.etag).toBe('W/"1"');
    const alone = (await door.get<Bundle>('dr-martin', query)).json;
    const within = json.entry?.[1]?.resource as Bundle;
    expect([within.total, within.entry]).toEqual([alone.total, alone.entry]);
    expect(json.entry?.[2]?.resource).toEqual(reference);
  });

  test('has a decision, an event and a result for each entry, whatever becomes of the others', async () => {
    const before = door.world.tools.store.events().length;
    const sent = bundleOf(door);
    const { json } = await batch(
      get('DocumentReference/00000000-0000-4000-8000-000000000000'),
      get('Patient?family=LAURENT&birthdate=1961-05-14'),
      get(location),
      { request: { method: 'PUT', url: 'Practitioner/1' }, resource: { resourceType: 'Practitioner' } },
      { resource: resourceIn(sent, 'Binary'), request: { method: 'POST', url: 'Binary' } },
    );
    expect(statuses(json)).toEqual([
      '404 Not Found',
      '403 Forbidden',
      '200 OK',
      '405 Method Not Allowed',
      '201 Created',
    ]);
    expect(names(json.entry?.[0])).toEqual(['resourceUnknown']);
    expect(json.entry?.[4]?.response?.location).toMatch(/\/Binary\/[0-9a-f-]{36}$/);
    const events = door.world.tools.store.events().slice(before);
    expect(events.map(({ outcome, action }) => [outcome, action])).toEqual([
      ['refused', 'lookUpDocuments'],
      ['refused', 'searchPatients'],
      ['done', 'lookUpDocuments'],
      ['failed', 'identify'],
      ['done', 'stageContent'],
    ]);
  });

  test('sees what its earlier entries changed', async () => {
    const patch = [{ op: 'replace', path: '/status', value: 'superseded' }];
    const resource = {
      resourceType: 'Binary',
      contentType: 'application/json-patch+json',
      data: Buffer.from(JSON.stringify(patch)).toString('base64'),
    };
    const { json: made } = await post<Bundle>(door, 'dr-martin', bundleOf(door));
    const url = (made.entry?.[1]?.response?.location ?? '').slice(door.base.length + 1).replace(/\/_history\/1$/, '');
    const { json } = await batch(
      { resource, request: { method: 'PATCH', url, ifMatch: 'W/"9"' } },
      { resource, request: { method: 'PATCH', url, ifMatch: 'W/"1"' } },
      get(url),
      get(url, { ifNoneMatch: 'W/"2"' }),
    );
    expect(statuses(json)).toEqual(['412 Precondition Failed', '200 OK', '200 OK', '304 Not Modified']);
    expect(json.entry?.[2]?.resource).toMatchObject({ status: 'superseded' });
  });

  test('gives bytes as a Binary resource', async () => {
    const url = (reference.content[0]?.attachment.url ?? '').slice(door.base.length + 1);
    const raw = await door.get('dr-martin', url);
    const { json } = await batch(get(url));
    expect(json.entry?.[0]?.resource).toMatchObject({ data: raw.bytes.toString('base64') });
  });

  test.each<[string, unknown, string]>([
    [
      'a transaction',
      { resource: { resourceType: 'Bundle', type: 'transaction' }, request: { method: 'POST', url: '/' } },
      'interactionUnsupported',
    ],
    [
      'a batch',
      { resource: { resourceType: 'Bundle', type: 'batch' }, request: { method: 'POST', url: '' } },
      'elementMalformed',
    ],
    ['another server', get('http://169.254.169.254/latest/meta-data'), 'interactionUnsupported'],
    ['a way out of the base', get('../health/live'), 'interactionUnsupported'],
    [
      'a method of no interaction',
      { request: { method: 'TRACE', url: 'DocumentReference/x' } },
      'interactionUnsupported',
    ],
    ['no request', { resource: { resourceType: 'Patient' } }, 'elementMissing'],
    ['no entry at all', 3, 'elementMissing'],
    ['a resource that is none', { request: { method: 'POST', url: 'Consent' }, resource: [] }, 'elementMalformed'],
    ['no resource where one is needed', { request: { method: 'POST', url: 'Consent' } }, 'elementMissing'],
    ['a type that is not served', get('Observation?code=x'), 'resourceTypeUnknown'],
    ['a broken escape', get('DocumentReference/%E0%A4%A'), 'interactionUnsupported'],
  ])('of an entry that asks for %s refuses that one', async (_, entry, name) => {
    const { status, json } = await batch(entry, get(location));
    expect([status, names(json.entry?.[0])?.[0], statuses(json)[1]]).toEqual([200, name, '200 OK']);
  });

  test.each<[string, readonly unknown[], number, string]>([
    ['no entries', [], 400, 'elementMissing'],
    ['too many entries', Array.from({ length: 21 }, () => get('Patient/1')), 413, 'tooManyEntries'],
  ])('is refused for %s', async (_, entry, status, name) => {
    const answer = await post<OperationOutcome>(door, 'dr-martin', { resourceType: 'Bundle', type: 'batch', entry });
    expect([answer.status, answer.json.issue[0]?.details?.text]).toEqual([status, name]);
  });

  test('is announced', async () => {
    const { json } = await door.ask<CapabilityStatement>('metadata');
    expect(json.rest?.[0]?.interaction?.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['batch', 'transaction']),
    );
  });
});

describe('the answer of a batch has an end', () => {
  let narrow: Door;
  let url: string;
  beforeAll(async () => {
    narrow = await openDoor({ limits: { batchBytes: 12_000 } });
    const { json } = await post<Bundle>(narrow, 'dr-martin', bundleOf(narrow));
    url = (json.entry?.[1]?.response?.location ?? '').slice(narrow.base.length + 1).replace(/\/_history\/1$/, '');
  });
  afterAll(() => narrow.close());
  const within = async (...entry: readonly unknown[]) =>
    post<Bundle>(narrow, 'dr-martin', { resourceType: 'Bundle', type: 'batch', entry });

  test('beyond which reads are told so, entry by entry, and smaller ones are still answered', async () => {
    const { status, json } = await within(...Array.from({ length: 8 }, () => get(url)), {
      request: { method: 'HEAD', url },
    });
    const all = statuses(json);
    const fits = all.indexOf('413 Payload Too Large');
    expect(status).toBe(200);
    expect([fits > 1, all.slice(fits, 8).every((one) => one === '413 Payload Too Large')]).toEqual([true, true]);
    expect(names(json.entry?.[fits])).toEqual(['batchAnswerFull']);
  });

  test('beyond which nothing is done', async () => {
    const before = narrow.world.tools.store.events().length;
    const long = `DocumentReference/x/${'a'.repeat(6000)}`;
    const entry = [get(long), get(long), get(long), get(url), get(url)];
    const { json } = await within(...entry);
    const done = narrow.world.tools.store.events().slice(before);
    expect(done).toHaveLength(entry.length);
    expect(done.at(-1)).toMatchObject({ outcome: 'failed', action: 'identify' });
    expect(names(json.entry?.at(-1))).toEqual(['batchAnswerFull']);
  });

  test('but what was changed is told without its resource', async () => {
    const bundle = bundleOf(narrow);
    const alone = resourceIn(bundle, 'DocumentReference');
    const data = resourceIn(bundle, 'Binary').data ?? '';
    const { meta: _meta, ...document } = alone;
    const attachment = { ...alone.content[0]?.attachment, data };
    delete attachment.url;
    const resource = { ...document, content: [{ ...alone.content[0], attachment }] };
    const { json } = await within(get(url), get(url), {
      resource,
      request: { method: 'POST', url: 'DocumentReference' },
    });
    expect([statuses(json)[2], json.entry?.[2]?.resource]).toEqual(['201 Created', undefined]);
  });
});

test('HEAD within a batch answers as GET without the resource (FHIR R4 http.html#head)', async () => {
  const { json } = await batch({ request: { method: 'HEAD', url: location } }, get(location));
  const [head, whole] = json.entry ?? [];
  expect([head?.response, head?.resource]).toEqual([whole?.response, undefined]);
});
