import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, DocumentReference, FhirResource } from 'fhir/r4.js';
import { profiles } from '../../server/fhir/vocabulary.ts';
import { bundleOf, post, resourceIn } from './deposits.ts';
import { type Door, openDoor } from './door.ts';
import { nextOf } from './paging.ts';

let door: Door;
let id: string;
beforeAll(async () => {
  door = await openDoor();
  id = (await published()).json.id ?? '';
});
afterAll(() => door.close());

/** A document that comes alone. */
async function published(
  headers: Record<string, string> = {},
  change: (document: DocumentReference) => void = () => {},
) {
  const bundle = bundleOf(door);
  const document = resourceIn(bundle, 'DocumentReference');
  const { data } = resourceIn(bundle, 'Binary');
  const { url: _url, ...attachment } = document.content[0]?.attachment ?? {};
  Object.assign(document.content[0] ?? {}, { attachment: { ...attachment, data } });
  document.meta = { profile: [profiles.mhdSimplifiedDocument] };
  delete document.identifier;
  change(document);
  return door.ask<DocumentReference>('DocumentReference', {
    method: 'POST',
    headers: {
      'Content-Type': 'application/fhir+json',
      Authorization: `Bearer ${await door.token('dr-martin')}`,
      ...headers,
    },
    body: JSON.stringify(document),
  });
}

const patch = async (path: string, headers: Record<string, string> = {}) =>
  door.ask<DocumentReference>(path, {
    method: 'PATCH',
    headers: {
      'Content-Type': 'application/json-patch+json',
      Authorization: `Bearer ${await door.token('dr-martin')}`,
      ...headers,
    },
    body: JSON.stringify([{ op: 'replace', path: '/status', value: 'superseded' }]),
  });

describe('a conditional read (FHIR R4 http.html#cread, RFC 9110 §13)', () => {
  const addresses = { DocumentReference: () => `DocumentReference/${id}`, Binary: () => `Binary/${id}` };

  test.each(Object.keys(addresses) as (keyof typeof addresses)[])(
    'of %s spares what the client holds',
    async (type) => {
      const path = addresses[type]();
      const first = await door.get('dr-martin', path);
      const [tag, modified] = [first.headers.get('etag') ?? '', first.headers.get('last-modified') ?? ''];
      const asked: [Record<string, string>, number][] = [
        [{ 'If-None-Match': tag }, 304],
        [{ 'If-None-Match': `W/"none", ${tag}` }, 304],
        [{ 'If-None-Match': tag.replace('W/', '') }, 304],
        [{ 'If-None-Match': '*' }, 304],
        [{ 'If-None-Match': 'W/"none"' }, 200],
        [{ 'If-Modified-Since': modified }, 304],
        [{ 'If-Modified-Since': 'Mon, 01 Jan 2001 00:00:00 GMT' }, 200],
        [{ 'If-Modified-Since': 'yesterday' }, 200],
        [{ 'If-None-Match': 'W/"none"', 'If-Modified-Since': modified }, 200],
      ];
      for (const [headers, status] of asked) {
        const answer = await door.get('dr-martin', path, { headers });
        expect([headers, answer.status, answer.bytes.length === 0]).toEqual([headers, status, status === 304]);
      }
    },
  );

  test('of a List goes by its tag alone', async () => {
    const { json } = await door.get<Bundle>('dr-martin', `List?patient.identifier=${door.of('laurent')}&_count=1`);
    const path = `List/${json.entry?.[0]?.resource?.id}`;
    const tag = (await door.get('dr-martin', path)).headers.get('etag') ?? '';
    const statuses = [tag, 'W/"none"'].map(
      async (named) => (await door.get('dr-martin', path, { headers: { 'If-None-Match': named } })).status,
    );
    expect(await Promise.all(statuses)).toEqual([304, 200]);
  });

  test('tells nobody what he may not see', async () => {
    expect((await door.get('casanova', `DocumentReference/${id}`, { headers: { 'If-None-Match': '*' } })).status).toBe(
      404,
    );
  });
});

describe('a part of what is read (FHIR R4 http.html#parameters)', () => {
  test('by _elements and _summary, marked as such', async () => {
    const elements = await door.get<DocumentReference>('dr-martin', `DocumentReference/${id}?_elements=type`);
    expect(Object.keys(elements.json)).toEqual(['resourceType', 'id', 'meta', 'status', 'type', 'content']);
    const summary = await door.get<DocumentReference>('dr-martin', `DocumentReference/${id}?_summary=true`);
    expect(summary.json.meta?.tag?.map(({ code }) => code)).toEqual(['SUBSETTED']);
    const whole = await door.get<DocumentReference>('dr-martin', `DocumentReference/${id}?_summary=false`);
    expect(whole.json).toMatchObject({ id, status: 'current', meta: { versionId: '1' } });
    expect(whole.json.meta).not.toHaveProperty('tag');
  });

  test('with what it refers to among what is contained, and what that refers to', async () => {
    const types = async (query: string) => {
      const { json } = await door.get<DocumentReference>('dr-martin', `DocumentReference/${id}${query}`);
      return (json.contained ?? []).map(({ resourceType }) => resourceType).sort();
    };
    expect((await types('')).filter((type) => type.startsWith('Practitioner'))).toHaveLength(4);
    expect(await types('?_elements=author')).toEqual(['Organization', 'Practitioner', 'PractitionerRole']);
    expect(await types('?_elements=type')).toEqual([]);
  });

  test('of a Patient too', async () => {
    const { json } = await door.get<Bundle<FhirResource>>('laurent', `Patient?identifier=${door.of('laurent')}`);
    const path = `Patient/${json.entry?.[0]?.resource?.id}?_summary=true`;
    const { json: part } = await door.get<FhirResource>('laurent', path);
    expect(part).toMatchObject({ resourceType: 'Patient', active: true, birthDate: '1961-05-14' });
    expect(part).not.toHaveProperty('extension');
  });

  test('what is neither is refused', async () => {
    const { status, json } = await door.get('dr-martin', `DocumentReference/${id}?_summary=some`);
    expect([status, json.issue[0]?.details?.text]).toEqual([400, 'parameterMalformed']);
  });
});

describe('what is preferred back of a change (FHIR R4 http.html#ops)', () => {
  test('of a create: nothing, an outcome, or the resource', async () => {
    const minimal = await published({ Prefer: 'return=minimal' });
    expect([minimal.status, minimal.bytes.length]).toEqual([201, 0]);
    expect(minimal.headers.get('location')).toMatch(/\/DocumentReference\/[^/]+\/_history\/1$/);
    const stored = await door.get<DocumentReference>('dr-martin', minimal.headers.get('location') ?? '');
    expect(Date.parse(minimal.headers.get('last-modified') ?? '')).toBe(
      Math.floor(Date.parse(stored.json.meta?.lastUpdated ?? '') / 1000) * 1000,
    );
    const outcome = await published({ Prefer: 'return=OperationOutcome' });
    expect([outcome.status, outcome.json.resourceType]).toEqual([201, 'OperationOutcome']);
    const whole = await published({ Prefer: 'return=representation; handling=lenient' });
    expect([whole.status, whole.json.resourceType]).toEqual([201, 'DocumentReference']);
  });

  test('of a patch likewise', async () => {
    const of = async () => `DocumentReference/${(await published()).json.id}`;
    const minimal = await patch(await of(), { Prefer: 'return=minimal' });
    expect([minimal.status, minimal.bytes.length, minimal.headers.get('etag')]).toEqual([200, 0, 'W/"2"']);
    const outcome = await patch(await of(), { Prefer: 'return=OperationOutcome' });
    expect([outcome.status, outcome.json.resourceType]).toEqual([200, 'OperationOutcome']);
  });

  test('a refusal is told whatever is preferred', async () => {
    const { status, json } = await published({ Prefer: 'return=minimal' }, (document) => delete document.type);
    expect([status, json.resourceType]).toEqual([422, 'OperationOutcome']);
  });
});

test('the answer to a document that replaces another says so, as a read does (IHE MHD 2:3.105)', async () => {
  const first = (await published()).json.id;
  const { status, headers, json } = await published({}, (document) => {
    document.relatesTo = [{ code: 'replaces', target: { reference: `DocumentReference/${first}` } }];
  });
  const target = { reference: `DocumentReference/${first}` };
  expect([status, json.relatesTo]).toMatchObject([201, [{ code: 'replaces', target }]]);
  expect((await door.get('dr-martin', headers.get('location') ?? '')).json).toEqual(json);
});

test('a deleted document is gone, its bytes stay (DMP TD3.3c)', async () => {
  const { json } = await published();
  const { bytes } = await door.get('dr-martin', `Binary/${json.id}`);
  const deleted = await door.ask(`DocumentReference/${json.id}`, {
    method: 'DELETE',
    headers: { Authorization: `Bearer ${await door.token('dr-martin')}` },
  });
  const gone = await door.get('dr-martin', `DocumentReference/${json.id}`);
  expect([deleted.status, gone.status, gone.json.issue[0]?.code]).toEqual([204, 410, 'deleted']);
  const stays = await door.get('dr-martin', `Binary/${json.id}`);
  expect([stays.status, bytes.length > 0, stays.bytes.equals(bytes)]).toEqual([200, true, true]);
});

describe('the history of a document (FHIR R4 http.html#history)', () => {
  let path: string;
  let between: string;
  beforeAll(async () => {
    path = `DocumentReference/${(await published()).json.id}`;
    door.world.clock.now += 60_000;
    between = new Date(door.world.clock.now - 30_000).toISOString();
    await patch(path);
  });
  const versions = (bundle: Bundle) => bundle.entry?.map(({ resource }) => resource?.meta?.versionId);
  const history = (query: string) => door.get<Bundle>('dr-martin', `${path}/_history${query}`);

  test('comes in pages, each version once', async () => {
    const { json } = await history('?_count=1');
    const next = nextOf(json);
    const second = await door.get<Bundle>('dr-martin', next);
    expect([json.total, versions(json), versions(second.json)]).toEqual([2, ['2'], ['1']]);
    expect(second.json.link?.map(({ relation }) => relation)).toEqual(['self']);
    expect((await door.get('dr-martin', `${next}x`)).json.issue[0]?.details?.text).toBe('pageLinkBroken');
    const [, token] = /(\?_page=.*)$/.exec(next) ?? [];
    expect((await door.get('dr-martin', `DocumentReference/${id}/_history${token}`)).status).toBe(400);
  });

  test('tells what was current at a time, and what came since', async () => {
    expect(versions((await history(`?_at=${between}`)).json)).toEqual(['1']);
    expect(versions((await history(`?_since=${between}`)).json)).toEqual(['2']);
    expect(versions((await history('?_at=le2001')).json)).toBeUndefined();
    expect((await history('?_at=ap2026')).status).toBe(400);
  });

  test('knows no other parameters', async () => {
    const strict = { headers: { Prefer: 'handling=strict' } };
    expect((await door.get('dr-martin', `${path}/_history?other=1`, strict)).status).toBe(400);
    expect((await history('?other=1')).status).toBe(200);
  });
});

test('parameters are taken by the names of the guides’ CapabilityStatements too (PDSm 3.1.1, MHD 4.2.3)', async () => {
  await post(door, 'dr-martin', bundleOf(door));
  const strict = { headers: { Prefer: 'handling=strict' } };
  const total = async (query: string) => {
    const found = await door.get<Bundle>('dr-martin', `${query}&patient.identifier=${door.of('laurent')}`, strict);
    return [found.status, found.json.total];
  };
  const same = [
    ['DocumentReference?isArchived=false', 'DocumentReference?PDSm_isArchived=false'],
    ['DocumentReference?period-start=ge2020', 'DocumentReference?PDSm_DocumentReference_period-start=ge2020'],
    ['DocumentReference?period-end=ge2020', 'DocumentReference?PDSm_DocumentReference_period-end=ge2020'],
    ['DocumentReference?_lastUpdated=ge2020', 'DocumentReference?_lastupdated=ge2020'],
    ['DocumentReference?author.family=MARTIN', 'DocumentReference?author:Practitioner.family=MARTIN'],
    ['DocumentReference?author.given:exact=Hélène', 'DocumentReference?author:Practitioner.given:exact=Hélène'],
    ['DocumentReference?author.family=M', 'DocumentReference?author:PractitionerRole.practitioner.family=M'],
    ['DocumentReference?isArchived:missing=false', 'DocumentReference?isArchived=true,false'],
    ['List?designationType=07', 'List?DesignationType=07'],
    ['List?source=Practitioner/899970000016', 'List?PDSm_List_PractitionerRoleAsSource=Practitioner/899970000016'],
    ['List?code=submissionset,folder', 'List?isArchived=false'],
    ['List?authorOrg:missing=false', 'List?PDSm_authorOrg:missing=false'],
  ] as const;
  for (const [usual, other] of same) {
    const found = await total(usual);
    expect([other, await total(other)]).toEqual([other, found]);
    expect(found[0]).toBe(200);
  }
  expect(await total('List?isArchived=true')).toEqual([200, 0]);
  expect(await total('DocumentReference?isArchived=true&isArchived=false')).toEqual([200, 0]);
  expect((await total('DocumentReference?isArchived=perhaps'))[0]).toBe(400);
});
