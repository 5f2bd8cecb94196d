import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Bundle, Consent, OperationOutcome } from 'fhir/r4.js';
import { type ConsentDoor, openConsentDoor } from './consent-door.ts';
import { altered, nextOf, pagesOf } from './paging.ts';

/** Consents are searched on the road that all paged searches take. */
let door: ConsentDoor;
beforeAll(async () => {
  door = await openConsentDoor();
});
afterAll(() => door.close());

const found = (more: string) => door.find('casanova', more);
const ids = async (more: string) => ((await found(more)).entry ?? []).map(({ resource }) => resource?.id);

test('the last changed comes first, or last where that is asked, over pages', async () => {
  const all = await ids('&_count=500');
  expect(all.length).toBeGreaterThan(2);
  expect(await ids('&_count=500&_sort=-_lastUpdated')).toEqual(all);
  const pages = await pagesOf(door, 'casanova', door.search('&_count=2&_sort=_lastUpdated'));
  for (const { total } of pages) expect(total).toBe(all.length);
  const seen = pages.flatMap(({ entry = [] }) => entry.map(({ resource }) => resource?.id));
  expect(seen).toEqual([...all].reverse());
});

test('it is counted, summed up and cut to elements as asked', async () => {
  const all = await found('&_count=500');
  expect(await found('&_summary=count')).toMatchObject({ total: all.total });
  expect((await found('&_count=0')).entry).toBeUndefined();
  expect(await found('&_total=none')).not.toHaveProperty('total');
  const [whole] = all.entry ?? [];
  const [cut] = (await found('&_count=1&_elements=dateTime')).entry ?? [];
  expect(cut?.resource).toMatchObject({ id: whole?.resource?.id, status: whole?.resource?.status });
  expect(cut?.resource).not.toHaveProperty('provision');
  expect(cut?.resource?.meta?.tag?.[0]?.code).toBe('SUBSETTED');
});

test.each([
  ['_lastUpdated=ne2020', true],
  ['_lastUpdated=ne2026', false],
  ['_lastUpdated=ap2026-07-01', true],
  ['_lastUpdated=ap2020', false],
  ['_lastUpdated=2020,2026', true],
])('%s finds: %s', async (query, expected) => {
  expect((await found(`&${query}`)).total).toBe(expected ? (await found('')).total : 0);
});

test.each(['_sort=status', '_include=Consent:actor', '_revinclude=List:item', '_summary=most'])(
  '%s is refused by name',
  async (query) => {
    const path = `Consent?patient.identifier=${door.of('casanova')}&${query}`;
    const { status, json } = await door.get<OperationOutcome>('casanova', path);
    expect([status, json.issue[0]?.expression]).toEqual([400, [`http.${query.split('=')[0]}`]]);
  },
);

test('an altered page link is refused', async () => {
  const page = await found('&_count=1');
  const next = nextOf(page);
  const { status, json } = await door.get<OperationOutcome>('casanova', altered(next));
  expect([status, json.issue[0]?.details?.text]).toEqual([400, 'pageLinkBroken']);
});

test('a history is cut by _since and _count', async () => {
  const [id] = await ids('&_count=1');
  const path = `Consent/${id}/_history`;
  const history = async (more: string) => (await door.get<Bundle<Consent>>('casanova', `${path}?${more}`)).json;
  const whole = await history('');
  expect(whole).toMatchObject({ type: 'history', total: whole.entry?.length });
  expect((await history('_count=0')).entry).toBeUndefined();
  expect(await history('_since=2030-01-01')).toMatchObject({ total: 0 });
  const refused = await door.get<OperationOutcome>('casanova', `${path}?_since=soon`);
  expect([refused.status, refused.json.issue[0]?.details?.text]).toEqual([400, 'parameterMalformed']);
});
