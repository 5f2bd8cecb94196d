import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, Consent, ConsentProvision, OperationOutcome } from 'fhir/r4.js';
import { readXml } from '../../server/fhir/xml/read.ts';
import { writeXml } from '../../server/fhir/xml/write.ts';
import { type ConsentDoor, openConsentDoor } from './consent-door.ts';
import { actorOf, deny, permit, purpose } from './consent-samples.ts';

let door: ConsentDoor;
beforeAll(async () => {
  door = await openConsentDoor();
});
afterAll(async () => {
  expect(door.faults).toEqual([]);
  await door.close();
});

const idOf = (slug: string) => actorOf(slug).reference.identifier?.value ?? '';
const about = (slug: string, more = '') => `actor=${idOf(slug)}&status=active${more}`;
const total = async () => (await door.find('casanova', '&_count=0')).total;
const remove = async (who: string, id = '', headers: Record<string, string> = {}) =>
  door.ask(`Consent/${id}`, {
    method: 'DELETE',
    headers: { ...headers, Authorization: `Bearer ${await door.token(who)}` },
  });

describe('conditional create', () => {
  const create = (slug: string, condition: string) =>
    door.send('casanova', 'POST', 'Consent', door.consent(permit(slug)), { 'If-None-Exist': condition });

  test('states what nobody stated yet, and answers what is there already', async () => {
    const first = await create('dr-nguyen', about('dr-nguyen'));
    expect(first.status).toBe(201);
    const before = await total();
    const again = await create('dr-nguyen', `Consent?${about('dr-nguyen')}`);
    expect([again.status, again.json]).toEqual([200, first.json]);
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    expect(again.headers.get('etag')).toBe('W/"1"');
    expect(await total()).toBe(before);
  });

  test('states once, however many ask at the same time', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => create('inf-petit', about('inf-petit'))));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 201]);
    expect(new Set(answers.map(({ json }) => json.id)).size).toBe(1);
  });

  test.each([
    ['colour=red', 400, 'parameterUnknown'],
    ['status=current', 400, 'parameterMalformed'],
    ['_format=json', 400, 'parameterMissing'],
    ['status=active', 412, 'multipleMatches'],
    ['patient=Patient/other&status=active', 422, 'consentRuleBroken'],
  ])('%s is refused, and nothing is stated', async (condition, status, name) => {
    const before = await total();
    const answer = await create('pharm-durand', condition);
    expect([answer.status, door.problemsOf(answer)[0]?.[0]]).toEqual([status, name]);
    expect(await total()).toBe(before);
  });
});

describe('conditional update', () => {
  const put = (to: Partial<Consent>, condition: string, headers = {}) =>
    door.send('casanova', 'PUT', `Consent?${condition}`, to, headers);

  test('states where nothing is found, changes the one that is', async () => {
    const consent = door.consent(permit('hopital-nord'));
    const first = await put(consent, about('hopital-nord'));
    expect([first.status, first.json.meta?.versionId]).toEqual([201, '1']);
    expect(first.headers.get('location')).toBe(`${door.base}/Consent/${first.json.id}/_history/1`);
    const late = await put({ ...consent, status: 'inactive' }, about('hopital-nord'), { 'If-Match': 'W/"7"' });
    expect([late.status, door.problemsOf(late)[0]?.[0]]).toEqual([412, 'versionDiffers']);
    const second = await put({ ...consent, status: 'inactive' }, about('hopital-nord'));
    expect([second.status, second.json]).toMatchObject([
      200,
      { id: first.json.id, status: 'inactive', meta: { versionId: '2' } },
    ]);
  });

  test.each([
    ['several are found', () => door.consent(permit('radio-ouest')), 'status=active', 412, 'multipleMatches'],
    [
      'another is found than the body names',
      () => ({ ...door.consent(permit('dr-nguyen')), id: 'x' }),
      about('dr-nguyen'),
      400,
      'elementMalformed',
    ],
    [
      'none is found and the body names one',
      () => ({ ...door.consent(permit('radio-ouest')), id: 'x' }),
      about('radio-ouest'),
      400,
      'elementMalformed',
    ],
    [
      'none is found and the body withdraws',
      () => door.consent(permit('radio-ouest'), { status: 'inactive' }),
      about('radio-ouest'),
      422,
      'consentNotEnforceable',
    ],
    ['there is no condition', () => door.consent(permit('radio-ouest')), '', 400, 'parameterMissing'],
  ])('is refused where %s', async (_, body, condition, status, name) => {
    const before = await total();
    const answer = await put(body(), condition);
    expect([answer.status, door.problemsOf(answer)[0]?.[0]]).toEqual([status, name]);
    expect(await total()).toBe(before);
  });

  test('reaches what the caller may see alone: a professional his own authorisation', async () => {
    const own = door.consent(permit('dr-leroy'));
    const { status, json } = await door.send('dr-leroy', 'PUT', `Consent?${about('dr-leroy')}`, own);
    expect(status).toBe(201);
    const ended = await door.send('dr-leroy', 'PUT', `Consent?${about('dr-leroy')}`, { ...own, status: 'inactive' });
    expect([ended.status, ended.json.id, ended.json.status]).toEqual([200, json.id, 'inactive']);
    const other = await door.send('dr-leroy', 'PUT', `Consent?${about('dr-nguyen')}`, door.consent(deny('dr-nguyen')));
    expect(other.status).toBe(403);
  });
});

describe('DELETE', () => {
  test('ends what was stated at once; its history tells of it, a read that it is gone, a search nothing', async () => {
    await door.state('casanova', permit('dr-nguyen'));
    const { json } = await door.state('casanova', deny('dr-nguyen'));
    expect(await door.searches('dr-nguyen')).toBe(403);
    const { status, bytes, headers } = await remove('casanova', json.id);
    expect([status, bytes.length, headers.get('etag')]).toEqual([204, 0, 'W/"2"']);
    expect(await door.searches('dr-nguyen')).toBe(403);
    await door.state('casanova', permit('dr-nguyen'));
    expect(await door.searches('dr-nguyen')).toBe(200);

    const read = await door.get('casanova', `Consent/${json.id}`);
    expect([read.status, read.json.issue[0]?.code, read.headers.get('etag')]).toEqual([410, 'deleted', 'W/"2"']);
    expect((await door.find('casanova', `&_id=${json.id}`)).total).toBe(0);
    const history = await door.get<Bundle<Consent>>('casanova', `Consent/${json.id}/_history`);
    expect(history.json.entry?.map(({ request, resource }) => [request?.method, resource?.meta?.versionId])).toEqual([
      ['DELETE', undefined],
      ['POST', '1'],
    ]);
    expect((await door.get<Consent>('casanova', `Consent/${json.id}/_history/1`)).json).toEqual(json);
    expect((await door.get('casanova', `Consent/${json.id}/_history/2`)).status).toBe(410);
  });

  test('is the same when repeated, and may be taken back by PUT', async () => {
    const { json } = await door.state('casanova', { type: 'deny', purpose: purpose('ETREAT') });
    const id = json.id ?? '';
    expect((await remove('casanova', id)).status).toBe(204);
    expect((await remove('casanova', id)).headers.get('etag')).toBe('W/"2"');
    const back = await door.change('casanova', json);
    expect([back.status, back.json.status, back.json.meta?.versionId]).toEqual([200, 'active', '3']);
    expect((await door.get('casanova', `Consent/${id}`)).status).toBe(200);
    await remove('casanova', id);
  });

  test('keeps If-Match, the opening of the record, and what is not the caller’s', async () => {
    const { json } = await door.state('casanova', permit('dr-nguyen'));
    const late = await remove('casanova', json.id, { 'If-Match': 'W/"9"' });
    expect([late.status, late.json.issue[0]?.details?.text]).toEqual([412, 'versionDiffers']);
    const opening = await door.state('casanova', { type: 'permit', provision: [deny('dr-bernard')] });
    const kept = await remove('casanova', opening.json.id);
    expect([kept.status, kept.json.issue[0]?.details?.text]).toEqual([422, 'openingNotEnded']);
    for (const who of ['laurent', 'dr-bernard', 'regie'])
      expect([who, (await remove(who, json.id)).status]).toEqual([who, 404]);
    expect((await remove('casanova', 'x')).status).toBe(404);
    expect((await door.get('casanova', `Consent/${json.id}`)).status).toBe(200);
  });

  test('a professional withdraws so his own authorisation', async () => {
    const { json } = await door.state('pharm-durand', permit('pharm-durand'));
    expect(await door.searches('pharm-durand')).toBe(200);
    expect((await remove('pharm-durand', json.id)).status).toBe(204);
    expect(await door.searches('pharm-durand')).toBe(403);
    expect(door.world.tools.store.events().at(-2)?.action).toBe('withdrawAuthorisation');
  });

  test('of a Consent that another face stated', async () => {
    const found = await door.find('casanova', `&actor=${idOf('dr-martin')}&status=active`);
    const [seeded] = found.entry ?? [];
    expect((await remove('casanova', seeded?.resource?.id)).status).toBe(204);
    expect(await door.searches('dr-martin')).toBe(403);
  });
});

describe('in XML', () => {
  test('a Consent is stated, read, searched, changed; a refusal is told in it too', async () => {
    const xml = async (method: string, path: string, body?: object) =>
      door.ask(path, {
        method,
        headers: {
          Authorization: `Bearer ${await door.token('casanova')}`,
          'Content-Type': 'application/fhir+xml',
          Accept: 'application/fhir+xml',
        },
        ...(body && { body: writeXml(body as never, false) }),
      });
    const resourceOf = async <T>({ bytes }: { readonly bytes: Buffer }) => (await readXml(bytes)) as unknown as T;
    const provision: ConsentProvision = { type: 'permit', provision: [deny('dr-bernard')] };
    const made = await xml('POST', 'Consent', door.consent(provision));
    expect([made.status, made.headers.get('content-type')]).toEqual([201, expect.stringContaining('fhir+xml')]);
    const consent = await resourceOf<Consent>(made);
    expect(consent).toMatchObject({ resourceType: 'Consent', status: 'active', provision });
    expect((await door.get<Consent>('casanova', `Consent/${consent.id}`)).json).toEqual(consent);
    const page = await xml('GET', `Consent?patient.identifier=${door.of('casanova')}&_id=${consent.id}`);
    const found = await resourceOf<Bundle>(page);
    expect(found.entry?.[0]?.resource).toEqual(consent);
    const lifted = await xml('PUT', `Consent/${consent.id}`, { ...consent, provision: { type: 'permit' } });
    expect([lifted.status, (await resourceOf<Consent>(lifted)).provision]).toEqual([200, { type: 'permit' }]);
    const refused = await xml('POST', 'Consent', door.consent({ type: 'deny' }));
    expect(refused.status).toBe(422);
    expect((await resourceOf<OperationOutcome>(refused)).issue[0]?.details?.text).toBe('consentNotEnforceable');
  });
});
