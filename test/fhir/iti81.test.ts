import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AuditEvent, Bundle, DocumentReference } from 'fhir/r4.js';
import { personOf } from '../../server/sandbox/people.ts';
import { type Door, openDoor } from './door.ts';
import { altered, nextOf, pagesOf } from './paging.ts';

let door: Door;
let first: DocumentReference;
beforeAll(async () => {
  door = await openDoor();
  door.world.clock.now += 3_600_000;
  const query = `DocumentReference?patient.identifier=${door.of('laurent')}&status=current&_count=1`;
  const { json } = await door.get<Bundle<DocumentReference>>('dr-nguyen', query, {
    headers: { 'X-Request-Id': 'search-1' },
  });
  const found = json.entry?.[0]?.resource;
  if (found === undefined) throw new Error('no document was found');
  first = found;
  await door.get('dr-nguyen', `Binary/${first.id}`);
  await door.get('pharm-durand', query);
  await door.get('pharm-durand', query, { mode: 'bris_de_glace', reason: 'patient inconscient' });
});
afterAll(() => door.close());

const since = () => `date=ge${new Date(door.world.clock.now).toISOString()}`;
const history = async (who: string, more = since(), patient = 'laurent') =>
  (await door.get<Bundle<AuditEvent>>(who, `AuditEvent?patient.identifier=${door.of(patient)}&${more}`)).json;
const events = async (who: string, more?: string) =>
  ((await history(who, more)).entry ?? []).map(({ resource }) => resource);
const user = (event: AuditEvent | undefined) => event?.agent.find(({ requestor }) => requestor);
const isOf = (event: AuditEvent | undefined, transaction: string) =>
  event?.subtype?.some(({ code }) => code === transaction) === true;
const requestIdOf = (event: AuditEvent | undefined) =>
  event?.entity?.find(({ type }) => type?.code === 'XrequestId')?.what?.identifier?.value;
const idOf = (slug: string) => {
  const person = personOf(slug);
  return person?.kind === 'professional' ? person.idNat : '';
};

describe('the history of a record', () => {
  test('tells the patient who searched, in the shape of its audit profile', async () => {
    const found = (await events('laurent')).find((e) => isOf(e, 'ITI-67') && e?.outcome === '0');
    expect(found?.meta?.profile).toEqual([
      'https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD.FindDocumentReferences.Audit.Responder',
    ]);
    expect(found).toMatchObject({ action: 'E', type: { code: 'rest' } });
    expect(found?.agent.map(({ type }) => type?.coding?.[0]?.code)).toEqual(['110153', '110152', 'IRCP', 'PROV']);
    expect(found?.agent[1]?.who).toEqual(found?.source.observer);
    const query = found?.entity?.find(({ role }) => role?.code === '24')?.query ?? '';
    expect(Buffer.from(query, 'base64').toString()).toMatch(/^GET \/fhir\/DocumentReference\?patient\.identifier=/);
    expect(found?.entity?.find(({ role }) => role?.code === '1')?.what).toEqual({
      reference: first.subject?.reference,
      identifier: { system: 'urn:oid:1.2.250.1.213.1.4.10', value: door.world.ins('laurent').value },
    });
  });

  test('tells what was asked as it was asked: by POST, and by an operation', async () => {
    const given = `patient.identifier=${door.of('laurent')}&status=current`;
    const headers = { Authorization: `Bearer ${await door.token('dr-martin')}` };
    const form = { ...headers, 'Content-Type': 'application/x-www-form-urlencoded' };
    await door.ask('DocumentReference/_search', { method: 'POST', headers: form, body: given });
    const patient = {
      resourceType: 'Patient',
      identifier: [{ system: 'urn:oid:1.2.250.1.213.1.4.10', value: door.world.ins('laurent').value }],
    };
    const json = { ...headers, 'Content-Type': 'application/fhir+json' };
    await door.ask('Patient/$match', { method: 'POST', headers: json, body: JSON.stringify(patient) });
    await door.ask(`Patient/$ihe-pix?sourceIdentifier=${door.of('laurent')}`, { headers });
    const asked = (await events('laurent')).map((event) => {
      const query = event?.entity?.find(({ role }) => role?.code === '24')?.query ?? '';
      return Buffer.from(query, 'base64').toString();
    });
    expect(asked).toContain(`POST /fhir/DocumentReference/_search\n\n${new URLSearchParams(given).toString()}`);
    expect(asked).toContain(`POST /fhir/Patient/$match\n\n${JSON.stringify(patient)}`);
    expect(asked).toContain(
      `GET /fhir/Patient/$ihe-pix?${new URLSearchParams({ sourceIdentifier: door.of('laurent') }).toString()}`,
    );
  });

  test('carries the request id as an entity', async () => {
    const found = (await events('laurent')).find((e) => requestIdOf(e) === 'search-1');
    expect(found?.outcome).toBe('0');
  });

  test('names the document that was read, the reader, the token and the purpose', async () => {
    const found = (await events('laurent')).find((e) => isOf(e, 'ITI-68'));
    expect(found).toMatchObject({ action: 'R', outcome: '0' });
    expect(user(found)).toMatchObject({
      who: { identifier: { system: 'urn:oid:1.2.250.1.71.4.2.1', value: idOf('dr-nguyen') } },
      role: [{ coding: [{ code: '10' }] }],
      purposeOfUse: [{ coding: [{ code: 'TREAT' }] }],
    });
    expect(user(found)?.policy?.[0]).toMatch(/^urn:ietf:params:oauth:jti:[0-9a-f-]{36}$/);
    expect(found?.entity?.find(({ role }) => role?.code === '3')).toMatchObject({
      what: { reference: `Binary/${first.id}` },
      detail: [{ type: 'uniqueId' }],
    });
  });

  test('tells a refusal: outcome 8, no profile, public words', async () => {
    const found = (await events('laurent')).find((e) => e?.outcome === '8');
    expect(found).not.toHaveProperty('meta');
    expect(user(found)?.who?.identifier?.value).toBe(idOf('pharm-durand'));
    expect(found?.outcomeDesc).toMatch(/access rights of this record/);
  });

  test('tells a broken glass with its reason', async () => {
    const found = (await events('laurent')).find((e) => user(e)?.purposeOfUse?.[0]?.coding?.[0]?.code === 'BTG');
    expect(found?.outcome).toBe('0');
    expect(found?.entity?.[0]?.detail).toContainEqual({
      type: 'Mode_Acces_Raison',
      valueString: 'patient inconscient',
    });
  });

  test('each event can be read by its number', async () => {
    const [event] = await events('laurent');
    const { status, json } = await door.get<AuditEvent>('laurent', `AuditEvent/${event?.id}`);
    expect(status).toBe(200);
    expect(json).toEqual(event);
  });

  test('the treating doctor sees all, another doctor his own alone', async () => {
    const doctor = idOf('dr-nguyen');
    const own = await events('dr-nguyen');
    expect(own.length).toBeGreaterThan(0);
    expect(new Set(own.map((e) => user(e)?.who?.identifier?.value))).toEqual(new Set([doctor]));
    const all = await events('dr-martin');
    expect(new Set(all.map((e) => user(e)?.who?.identifier?.value)).size).toBeGreaterThan(1);
    const others = all.find((e) => user(e)?.who?.identifier?.value !== doctor);
    expect((await door.get('dr-nguyen', `AuditEvent/${others?.id}`)).status).toBe(404);
    expect((await door.get('dr-martin', `AuditEvent/${others?.id}`)).status).toBe(200);
  });

  /** What a search finds, and how many there are. */
  const matching = async (query: string, who = 'laurent') => {
    const found = await history(who, `${since()}&_count=500&_total=accurate&${query}`);
    expect(found.total).toBe(found.entry?.length ?? 0);
    return (found.entry ?? []).flatMap(({ resource }) => resource ?? []);
  };
  const isRead = (event: AuditEvent) => isOf(event, 'ITI-68');
  const nguyen = () => `urn:oid:1.2.250.1.71.4.2.1|${idOf('dr-nguyen')}`;

  test('each parameter finds the reading of a document, or does not', async () => {
    const reading = (await events('laurent')).find((e) => isOf(e, 'ITI-68'));
    const { uniqueId = '' } = { uniqueId: first.masterIdentifier?.value };
    const record = first.subject?.reference ?? '';
    const finding = [
      `_id=${reading?.id}`,
      'action=R',
      'outcome=0',
      'outcome:not=8',
      'type=rest',
      'type=http://terminology.hl7.org/CodeSystem/audit-event-type|rest',
      'subtype=urn:ihe:event-type-code|ITI-68',
      'subtype=read',
      `agent=Practitioner/${idOf('dr-nguyen')}`,
      `agent.identifier=${nguyen()}`,
      `agent:identifier=${idOf('dr-nguyen')}`,
      'agent-name:contains=nguyen',
      'agent-role=10',
      'address=127.0.0.1',
      `policy=${user(reading)?.policy?.[0]}`,
      `entity=Binary/${first.id}`,
      `entity=${record}`,
      `entity:Patient=${record.split('/')[1]}`,
      `entity.identifier=${uniqueId}`,
      `entity:identifier=${door.of('laurent')}`,
      'entity-type=2',
      'entity-role=3',
      `source.identifier=urn:ietf:rfc:3986|${door.base}`,
      `source:identifier=${door.base}`,
      `site=${door.base}`,
      '_lastUpdated=ge2026-07-01',
      `date=ap${new Date(door.world.clock.now).toISOString()}`,
      'subtype:missing=false',
    ];
    for (const query of finding) expect([query, (await matching(query)).some(isRead)]).toEqual([query, true]);
    const not = [
      '_id=1',
      'action=C',
      'outcome=8',
      'outcome:not=0',
      'type=110112',
      'subtype=ITI-67',
      'subtype:not=read',
      'agent=Practitioner/1',
      'agent.identifier=urn:oid:1.2.3|1',
      `agent.identifier=urn:oid:1.2.3|${idOf('dr-nguyen')}`,
      'agent-name=nobody',
      'agent-role=60',
      'address=10.',
      'policy=urn:ietf:params:oauth:jti:1',
      'entity=Binary/1',
      'entity.identifier=1',
      'entity-type=4',
      'entity-role=20',
      'source.identifier=https://example.org/fhir',
      'site=https://example.org/fhir',
      '_lastUpdated=lt2026-07-01',
      `date=ne${new Date(door.world.clock.now).toISOString()}`,
      'subtype:missing=true',
    ];
    for (const query of not) expect([query, (await matching(query)).some(isRead)]).toEqual([query, false]);
  });

  test('a structure is found where it takes part through its professional', async () => {
    const [reading] = await matching('subtype=ITI-68');
    const id = reading?.agent.find(({ type }) => type?.coding?.[0]?.code === 'PROV')?.who?.identifier?.value;
    expect(id).toBe('499970000024001');
    expect((await matching(`agent=Organization/${id}`)).some(isRead)).toBe(true);
    expect((await matching(`agent.identifier=${id}`)).some(isRead)).toBe(true);
  });

  test('it is counted when asked, and alone when nothing else is', async () => {
    const query = 'date=ge2020&date=lt2026-07-01T08:30:00Z';
    expect(await history('laurent', query)).not.toHaveProperty('total');
    const all = await history('laurent', `${query}&_count=500`);
    const total = all.entry?.length;
    expect((await history('laurent', `${query}&_count=2&_total=accurate`)).total).toBe(total);
    for (const alone of ['_count=0', '_summary=count'])
      expect(await history('laurent', `${query}&${alone}`)).toMatchObject({ total });
  });

  test('the oldest come first where that is asked, over pages', async () => {
    const query = 'date=ge2020&date=lt2026-07-01T08:30:00Z&outcome=0';
    const newest = ((await history('laurent', `${query}&_count=500`)).entry ?? []).map(({ resource }) => resource?.id);
    const asked = `AuditEvent?patient.identifier=${door.of('laurent')}&${query}&_sort=date&_count=7&_total=accurate`;
    const pages = await pagesOf(door, 'laurent', asked);
    for (const { total } of pages) expect(total).toBe(newest.length);
    const seen = pages.flatMap(({ entry = [] }) => entry.map(({ resource }) => resource?.id));
    expect(seen).toEqual([...newest].reverse());
    expect(seen.length).toBeGreaterThan(10);
  });

  test('pages of a condition hold what fulfils it alone', async () => {
    const query = 'date=ge2020&outcome=0&entity-role=3';
    const all = ((await history('laurent', `${query}&_count=500`)).entry ?? []).map(({ resource }) => resource?.id);
    const page = await history('laurent', `${query}&_count=1`);
    const next = nextOf(page);
    const { json } = await door.get<Bundle<AuditEvent>>('laurent', next);
    expect([...(page.entry ?? []), ...(json.entry ?? [])].map(({ resource }) => resource?.id)).toEqual(all.slice(0, 2));
  });

  test('a page link that is altered, or of somebody else, is refused', async () => {
    const page = await history('laurent', 'date=ge2020&_count=1');
    const next = nextOf(page);
    for (const [who, url] of [
      ['laurent', altered(next)],
      ['dr-martin', next],
    ] as const) {
      const { status, json } = await door.get(who, url);
      expect([status, json.issue[0]?.details?.text]).toEqual([400, 'pageLinkBroken']);
    }
  });

  test('what is not served is refused in strict handling, and reported otherwise', async () => {
    const path = `AuditEvent?patient.identifier=${door.of('laurent')}&${since()}&altid=1`;
    const strict = await door.get('laurent', path, { headers: { Prefer: 'handling=strict' } });
    expect([strict.status, strict.json.issue[0]?.details?.text]).toEqual([400, 'parameterUnknown']);
    const { json } = await door.get<Bundle>('laurent', path);
    expect(json.entry?.at(-1)).toMatchObject({
      search: { mode: 'outcome' },
      resource: { issue: [{ severity: 'warning', expression: ['http.altid'] }] },
    });
  });

  test('by POST the same is found', async () => {
    const parameters = { 'patient.identifier': door.of('laurent'), date: since().slice(5), subtype: 'ITI-68' };
    const { status, json } = await door.ask<Bundle<AuditEvent>>('AuditEvent/_search', {
      method: 'POST',
      headers: { Authorization: `Bearer ${await door.token('laurent')}` },
      body: new URLSearchParams(parameters),
    });
    expect([status, (json.entry ?? []).length]).toEqual([200, 1]);
  });

  test('agent.identifier narrows, and never widens', async () => {
    const durand = `${since()}&agent.identifier=urn:oid:1.2.250.1.71.4.2.1|${idOf('pharm-durand')}`;
    expect((await events('laurent', durand)).length).toBe(2);
    expect(await events('dr-nguyen', durand)).toEqual([]);
  });

  test('pages without loss while reading adds events', async () => {
    const query = 'date=ge2020';
    const before = ((await history('laurent', `${query}&_count=500`)).entry ?? []).map(({ resource }) => resource?.id);
    const pages = await pagesOf(
      door,
      'laurent',
      `AuditEvent?patient.identifier=${door.of('laurent')}&${query}&_count=7`,
    );
    const [added, ...seen] = pages.flatMap(({ entry = [] }) => entry.map(({ resource }) => resource?.id));
    expect(before).not.toContain(added);
    expect(seen).toEqual(before);
    expect(seen.length).toBeGreaterThan(10);
  });

  test('reading the history is an event itself', async () => {
    await history('laurent');
    const [event] = await events('laurent');
    expect(event?.subtype?.map(({ code }) => code)).toContain('ITI-81');
    expect(user(event)?.purposeOfUse?.[0]?.coding?.[0]?.code).toBe('PATRQT');
  });

  test.each([
    ['', 'parameterMissing', 'http.date'],
    ['date=ne2026', 'parameterMissing', 'http.date'],
    ['date=2026-13', 'parameterMalformed', 'http.date'],
    ['date=ge2026&agent.identifier=|', 'parameterMalformed', 'http.agent.identifier'],
    ['date=ge2026&type:text=rest', 'parameterUnknown', 'http.type:text'],
    ['date=ge2026&_include=AuditEvent:agent', 'parameterMalformed', 'http._include'],
  ])('%s is refused: %s', async (more, name, expression) => {
    const { status, json } = await door.get('laurent', `AuditEvent?patient.identifier=${door.of('laurent')}&${more}`);
    expect(status).toBe(400);
    expect(json.issue[0]).toMatchObject({ details: { text: name }, expression: [expression] });
  });

  test('a hidden document is named in no event that the patient sees', async () => {
    const documents = await door.get<Bundle<DocumentReference>>(
      'dr-martin',
      `DocumentReference?patient.identifier=${door.of('masson')}&_count=100`,
    );
    const seen = await door.get<Bundle<DocumentReference>>(
      'masson',
      `DocumentReference?patient.identifier=${door.of('masson')}&_count=100`,
    );
    const ids = (bundle: Bundle<DocumentReference>) => (bundle.entry ?? []).map(({ resource }) => resource?.id ?? '');
    const [hidden = ''] = ids(documents.json).filter((id) => !ids(seen.json).includes(id));
    await door.get('dr-martin', `Binary/${hidden}`);
    const text = (who: string) => history(who, 'date=ge2020&_count=200', 'masson').then((json) => JSON.stringify(json));
    expect(await text('dr-martin')).toContain(hidden);
    expect(await text('masson')).not.toContain(hidden);
    const about = (who: string) => history(who, `date=ge2020&_total=accurate&entity=Binary/${hidden}`, 'masson');
    expect((await about('dr-martin')).total).toBe(1);
    expect((await about('masson')).total).toBe(0);
  });
});
