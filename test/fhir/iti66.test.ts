import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, CapabilityStatement, FhirResource, List, OperationOutcome } from 'fhir/r4.js';
import { oidOfUuid } from '../../server/domain/identifier.ts';
import { listParameters } from '../../server/fhir/list-search.ts';
import { extensions, mhdListTypes } from '../../server/fhir/vocabulary.ts';
import { bundleOf, changed, post } from './deposits.ts';
import { type Door, openDoor } from './door.ts';
import { altered, nextOf, pagesOf } from './paging.ts';

type Found = Bundle<FhirResource>;

let door: Door;
/** A submission set with a folder in it, and the document that both hold. */
let set: List;
let folder: List;
let document: string;
const sourceId = '1.2.250.1.999.66';

const locations = ({ entry = [] }: Bundle) =>
  entry.map(({ response }) => (response?.location ?? '').slice(door.base.length + 1).replace(/\/_history.*$/, ''));

beforeAll(async () => {
  door = await openDoor();
  door.world.clock.now += 86_400_000;
  const bundle = changed(bundleOf(door), (_, { set: list, entry }) => {
    list.title = 'Réunion de concertation';
    list.note = [{ text: 'Dossier complété' }];
    const source = list.extension?.find(({ url }) => url === extensions.sourceId)?.valueIdentifier;
    if (source !== undefined) source.value = `urn:oid:${sourceId}`;
    const fullUrl = `urn:uuid:${randomUUID()}`;
    const given = entry.find(({ resource }) => resource?.resourceType === 'DocumentReference')?.fullUrl ?? '';
    const inside: List = {
      resourceType: 'List',
      extension: [
        {
          url: extensions.designationType,
          valueCodeableConcept: { coding: [{ system: 'urn:oid:1.2.250.1.999.5', code: 'ONCO', display: 'Cancer' }] },
        },
      ],
      identifier: [
        { use: 'official', system: 'urn:ietf:rfc:3986', value: fullUrl },
        { use: 'usual', system: 'urn:ietf:rfc:3986', value: `urn:oid:${oidOfUuid(randomUUID())}` },
      ],
      status: 'current',
      mode: 'working',
      title: 'Cancérologie',
      code: { coding: [{ system: mhdListTypes, code: 'folder' }] },
      date: list.date ?? '',
      ...(list.subject && { subject: list.subject }),
      entry: [{ item: { reference: given } }],
    };
    list.entry = [...(list.entry ?? []), { item: { reference: fullUrl } }];
    entry.push({ fullUrl, resource: inside, request: { method: 'POST', url: 'List' } });
  });
  const { status, json } = await post<Bundle>(door, 'dr-martin', bundle);
  if (status !== 200) throw new Error(JSON.stringify(json));
  const places = locations(json);
  const lists = await Promise.all(
    places.filter((place) => place.startsWith('List/')).map((place) => door.get<List>('dr-martin', place)),
  );
  const ofKind = (kind: string) => lists.find(({ json: list }) => list.code?.coding?.[0]?.code === kind)?.json;
  const [submitted, held] = [ofKind('submissionset'), ofKind('folder')];
  if (submitted === undefined || held === undefined) throw new Error('the lists are not found');
  [set, folder] = [submitted, held];
  document = places.find((place) => place.startsWith('DocumentReference/')) ?? '';
  door.world.clock.now += 3_600_000;
});
afterAll(() => door.close());

const path = (query: string, of = 'laurent') => `List?patient.identifier=${door.of(of)}&${query}`;
const search = async (query: string, who = 'dr-martin', of = 'laurent') =>
  (await door.get<Found>(who, path(query, of))).json;
const lists = ({ entry = [] }: Found) =>
  entry.flatMap(({ resource, search: how }) =>
    resource?.resourceType === 'List' && how?.mode === 'match' ? [resource] : [],
  );
const ids = (found: Found) => lists(found).map(({ id }) => id);
const included = ({ entry = [] }: Found) =>
  entry.flatMap(({ resource, search: how }) => (how?.mode === 'include' ? [resource] : []));
const kinds = (found: Found) => [...new Set(lists(found).map(({ code }) => code?.coding?.[0]?.code))].sort();

/** Whether it finds the submission set and the folder. */
async function finds(query: string): Promise<[boolean, boolean]> {
  const found = await search(`_count=500&${query}`);
  expect(found.resourceType).toBe('Bundle');
  expect(found.total).toBe(lists(found).length);
  return [ids(found).includes(set.id), ids(found).includes(folder.id)];
}
const only = { set: [true, false], folder: [false, true], both: [true, true], none: [false, false] } as const;

describe('Find Document Lists (ITI-66)', () => {
  test('finds the submission sets and folders of a patient, each as a read gives it', async () => {
    const found = await search('code=submissionset&status=current&_count=500');
    expect(kinds(found)).toEqual(['submissionset']);
    expect(found.total).toBeGreaterThan(5);
    expect(found.total).toBe(lists(found).length);
    for (const { fullUrl, resource } of found.entry ?? []) expect(fullUrl).toBe(`${door.base}/List/${resource?.id}`);
    const [first] = lists(found);
    expect((await door.get('dr-martin', `List/${first?.id}`)).json).toEqual(first);
    expect(kinds(await search('code=folder'))).toEqual(['folder']);
    expect(kinds(await search('_count=500'))).toEqual(['folder', 'submissionset']);
  });

  test('by POST the same is found', async () => {
    const { status, json } = await door.ask<Found>('List/_search', {
      method: 'POST',
      headers: { Authorization: `Bearer ${await door.token('dr-martin')}` },
      body: new URLSearchParams({ 'patient.identifier': door.of('laurent'), code: 'folder' }),
    });
    expect([status, ids(json)]).toEqual([200, [folder.id]]);
  });

  test.each([
    ['code=submissionset', 'set'],
    [`code=${mhdListTypes}|folder`, 'folder'],
    ['code:not=folder', 'set'],
    ['code=submissionset,folder', 'both'],
    ['code=submissionset&code=folder', 'none'],
    ['status=current', 'both'],
    ['status=retired', 'none'],
    ['status:not=retired', 'both'],
    ['status=entered-in-error', 'none'],
    ['status=entered-in-error,current', 'both'],
    ['date=2026-07-02', 'both'],
    ['date=lt2026-07-02', 'none'],
    ['date=ne2026-07-02', 'none'],
    ['date=ap2026-07-02', 'both'],
    ['_lastUpdated=ge2026-07-02', 'both'],
    ['_lastUpdated=lt2026-07-01', 'none'],
    ['designationType=urn:oid:1.2.250.1.999.5|ONCO', 'folder'],
    ['designationType=ONCO', 'folder'],
    ['designationType:not=ONCO', 'set'],
    ['designationType=1', 'none'],
    [`sourceId=urn:oid:${sourceId}`, 'set'],
    [`sourceId=urn:ietf:rfc:3986|urn:oid:${sourceId}`, 'set'],
    [`sourceId=${sourceId}`, 'set'],
    ['sourceId=1.2.3', 'none'],
    ['sourceId:missing=true', 'folder'],
    ['title=reunion', 'set'],
    ['title=concertation', 'none'],
    ['title:contains=CONCERTATION', 'set'],
    ['title:exact=Cancérologie', 'folder'],
    ['title:exact=cancerologie', 'none'],
    ['title:missing=true', 'none'],
    ['notes=dossier', 'set'],
    ['notes:missing=true', 'folder'],
    ['source.family=martin', 'set'],
    ['source.family=durand', 'none'],
    ['source.given:missing=false', 'set'],
    ['source:Practitioner.family=martin', 'set'],
    ['source:Patient.family=martin', 'none'],
    ['source:Practitioner.family=martin', 'set'],
    ['source:Patient.given=nobody', 'none'],
    ['source:PractitionerRole.name=martin', 'set'],
    ['source:PractitionerRole.name=nobody', 'none'],
    ['source:missing=true', 'folder'],
    ['authorOrg:missing=false', 'set'],
    ['authorOrg=Organization/1', 'none'],
    ['authorOrg.name:contains=a', 'set'],
    ['item=DocumentReference/00000000-0000-4000-8000-000000000000', 'none'],
  ] as const)('%s: %s', async (query, expected) => {
    expect(await finds(query)).toEqual(only[expected]);
  });

  test('names, items and authors find what they name', async () => {
    const identifier = (list: List, use: string) => list.identifier?.find((one) => one.use === use)?.value;
    const practitioner = set.contained?.find(({ resourceType }) => resourceType === 'Practitioner') as
      | { identifier?: { value?: string }[] }
      | undefined;
    const martin = practitioner?.identifier?.[0]?.value;
    for (const [query, expected] of [
      [`_id=${set.id}`, 'set'],
      [`_id=${folder.id},${set.id}`, 'both'],
      [`_id=${folder.id}&code=submissionset`, 'none'],
      [`identifier=${identifier(set, 'official')}`, 'set'],
      [`identifier=urn:ietf:rfc:3986|${identifier(folder, 'usual')}`, 'folder'],
      [`identifier=${identifier(folder, 'usual')}&_id=${set.id}`, 'none'],
      [`item=${document}`, 'both'],
      [`item:DocumentReference=${document.split('/')[1]}&code=folder`, 'folder'],
      [`source=Practitioner/${martin}`, 'set'],
      [`source:identifier=${martin}`, 'set'],
      [`source.identifier=urn:oid:1.2.250.1.71.4.2.1|${martin}`, 'set'],
      ['source.identifier=1', 'none'],
    ] as const)
      expect([query, await finds(query)]).toEqual([query, only[expected]]);
  });

  test('a list is found by name where no patient is named', async () => {
    const { json } = await door.get<Found>('dr-martin', `List?_id=${set.id},${folder.id}`);
    expect([json.total, ids(json).sort()]).toEqual([2, [set.id, folder.id].sort()]);
    const nobody = await door.get<OperationOutcome>('dr-martin', 'List?code=folder');
    expect([nobody.status, nobody.json.issue[0]?.details?.text]).toEqual([400, 'patientNotNamed']);
  });

  test.each([
    ['code=working', 'http.code'],
    ['status=superseded', 'http.status'],
    ['date=soon', 'http.date'],
    ['_sort=title', 'http._sort'],
    ['item=Patient/1', 'http.item'],
    ['identifier=', 'http.identifier'],
    ['_include=List:source', 'http._include'],
    ['_revinclude=List:item', 'http._revinclude'],
  ])('%s is refused by name', async (query, expression) => {
    const { status, json } = await door.get<OperationOutcome>('dr-martin', path(query));
    expect(status).toBe(400);
    expect(json.issue[0]).toMatchObject({ code: 'value', expression: [expression] });
  });

  test('what is not served is refused in strict handling, and reported otherwise', async () => {
    const strict = await door.get('dr-martin', path('encounter=1'), { headers: { Prefer: 'handling=strict' } });
    expect([strict.status, strict.json.issue[0]?.details?.text]).toEqual([400, 'parameterUnknown']);
    const lenient = await search('encounter=1&code=folder');
    expect(lenient.total).toBe(1);
    expect(lenient.entry?.find(({ search: how }) => how?.mode === 'outcome')?.resource).toMatchObject({
      issue: [{ severity: 'warning', expression: ['http.encounter'] }],
    });
    const modified = await door.get('dr-martin', path('code:text=folder'));
    expect([modified.status, modified.json.issue[0]?.details?.text]).toEqual([400, 'parameterUnknown']);
  });
});

describe('the answer', () => {
  test.each(['', '-date', 'date', '_lastUpdated', '-_lastUpdated'])(
    'pages without loss in the order %s',
    async (sort) => {
      const sorted = sort === '' ? '' : `&_sort=${sort}`;
      const all = lists(await search(`_count=500${sorted}`));
      const dates = all.map(({ date }) => Date.parse(date ?? ''));
      const direction = sort === 'date' || sort === '_lastUpdated' ? 1 : -1;
      expect(dates).toEqual([...dates].sort((a, b) => direction * (a - b)));
      const pages = await pagesOf(door, 'dr-martin', path(`_count=3${sorted}`));
      for (const { total } of pages) expect(total).toBe(all.length);
      expect(pages.flatMap(ids)).toEqual(all.map(({ id }) => id));
    },
  );

  test.each([
    ['altered', altered, 'dr-martin'],
    ['of somebody else', (url: string) => url, 'dr-nguyen'],
    ['joined with another search', (url: string) => `${url}&code=folder`, 'dr-martin'],
    ['of another type', (url: string) => url.replace('/List', '/DocumentReference'), 'dr-martin'],
  ])('a page link that is %s is refused', async (_, change, who) => {
    const found = await search('_count=2');
    const next = nextOf(found);
    const refused = await door.get(who, change(next));
    expect([refused.status, refused.json.issue[0]?.details?.text]).toEqual([400, 'pageLinkBroken']);
  });

  test('counts, sums up and leaves out as asked', async () => {
    const { total } = await search('_count=1');
    expect(await search('_summary=count')).toMatchObject({ total });
    expect((await search('_count=0')).entry).toBeUndefined();
    expect(await search('_count=1&_total=none')).not.toHaveProperty('total');
    const [summary] = lists(await search(`_id=${set.id}&_summary=true`));
    expect(Object.keys(summary ?? {}).sort()).toEqual(
      [
        'code',
        'contained',
        'date',
        'id',
        'meta',
        'mode',
        'resourceType',
        'source',
        'status',
        'subject',
        'title',
      ].sort(),
    );
    expect(summary?.meta?.tag?.[0]?.code).toBe('SUBSETTED');
    const [elements] = lists(await search(`_id=${set.id}&_elements=entry`));
    expect(elements?.entry).toEqual(set.entry);
    expect(elements).not.toHaveProperty('title');
  });

  test('_include=List:item brings the members, List:subject the holder', async () => {
    const found = await search(`_id=${set.id}&_include=List:item&_include=List:subject`);
    expect(ids(found)).toEqual([set.id]);
    expect(
      included(found)
        .map((one) => `${one?.resourceType}/${one?.id}`)
        .sort(),
    ).toEqual([set.subject?.reference, document, `List/${folder.id}`].sort());
    expect(included(found)).toContainEqual(folder);
    expect(included(found)).toContainEqual((await door.get('dr-martin', document)).json);
    const both = await search(`_id=${set.id},${folder.id}&_include=List:item`);
    expect(included(both).map((one) => one?.resourceType)).toEqual(['DocumentReference']);
  });

  test('is traced as ITI-66', async () => {
    await search('code=folder');
    const event = door.world.tools.store.events().at(-1);
    expect(event).toMatchObject({ action: 'searchDocuments', outcome: 'done', origin: { transaction: 'ITI-66' } });
    expect(event?.query).toContain('List?patient.identifier=');
  });

  test('every parameter is in the CapabilityStatement', async () => {
    const { json } = await door.ask<CapabilityStatement>('metadata');
    const told = json.rest?.[0]?.resource?.find(({ type }) => type === 'List');
    const served = Object.entries(listParameters).flatMap(([name, { documentation }]) =>
      documentation === undefined ? [] : [name],
    );
    expect(told?.searchParam?.map(({ name }) => name)).toEqual(served);
    expect(told?.interaction?.map(({ code }) => code)).toEqual(['search-type', 'read']);
    expect(told?.searchInclude).toEqual(['List:subject', 'List:patient', 'List:item']);
  });
});

describe('hidden documents leave no trace', () => {
  test('a submission set of a hidden document alone is not found, nor counted', async () => {
    const doctor = await search('_count=500&code=submissionset', 'dr-martin', 'masson');
    const patient = await search('_count=500&code=submissionset', 'masson', 'masson');
    expect(patient.total).toBe((doctor.total ?? 0) - 1);
    const hidden = lists(doctor).filter(({ id }) => !ids(patient).includes(id));
    expect(hidden).toHaveLength(1);
    const member = hidden[0]?.entry?.[0]?.item.reference ?? '';
    for (const query of [`_id=${hidden[0]?.id}`, `item=${member}`, `identifier=${hidden[0]?.identifier?.[0]?.value}`]) {
      expect((await search(query, 'dr-martin', 'masson')).total).toBe(1);
      expect((await search(query, 'masson', 'masson')).total).toBe(0);
    }
    expect((await door.get('masson', `List/${hidden[0]?.id}`)).status).toBe(404);
    const all = await search('_count=500&_include=List:item', 'masson', 'masson');
    expect(JSON.stringify(all)).not.toContain(member.split('/')[1]);
  });

  test('who is blocked is refused, a patient without a record is as unknown', async () => {
    expect((await door.get('pharm-durand', path('code=folder'))).status).toBe(403);
    const { json } = await door.get<Found>('dr-martin', 'List?patient.identifier=urn:oid:1.2.250.1.213.1.4.10|1');
    expect([json.total, json.entry]).toEqual([0, undefined]);
  });
});
