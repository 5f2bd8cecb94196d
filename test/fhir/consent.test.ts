import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AuditEvent, Bundle, CapabilityStatement, Consent, ConsentProvision, Patient } from 'fhir/r4.js';
import { type ConsentDoor, openConsentDoor } from './consent-door.ts';
import { actorOf, deny, masked, permit, policies, purpose } from './consent-samples.ts';
import { pagesOf } from './paging.ts';

let door: ConsentDoor;
beforeAll(async () => {
  door = await openConsentDoor();
});
afterAll(async () => {
  expect(door.faults).toEqual([]);
  await door.close();
});

const breakGlass = { mode: 'bris_de_glace', reason: 'patient inconscient' } as const;

describe('a Consent takes effect on the next request', () => {
  test('an authorisation, read back as it was sent; inactive, it authorises nobody any more', async () => {
    expect(await door.searches('dr-nguyen')).toBe(403);
    const { status, json, headers } = await door.state('casanova', permit('dr-nguyen'));
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`${door.base}/Consent/${json.id}/_history/1`);
    expect(headers.get('etag')).toBe('W/"1"');
    const { id, meta, ...rest } = json;
    const sent = door.consent(permit('dr-nguyen'));
    expect(rest).toEqual({ ...sent, meta: undefined });
    expect(meta).toMatchObject({ versionId: '1', profile: sent.meta?.profile });
    expect((await door.get<Consent>('casanova', `Consent/${id}`)).json).toEqual(json);
    expect(await door.searches('dr-nguyen')).toBe(200);

    const ended = await door.change('casanova', { ...json, status: 'inactive' }, { 'If-Match': 'W/"1"' });
    expect(ended.status).toBe(200);
    expect(ended.json).toMatchObject({
      status: 'inactive',
      meta: { versionId: '2' },
      provision: { period: { end: expect.any(String) } },
    });
    expect(await door.searches('dr-nguyen')).toBe(403);
  });

  test('a block by an exception below the opening, lifted by a PUT without it', async () => {
    await door.state('casanova', permit('dr-nguyen'));
    const provision = { type: 'permit' as const, period: { start: '2026-03-01' }, provision: [deny('dr-nguyen')] };
    const { status, json } = await door.state('casanova', provision);
    expect([status, json.provision]).toEqual([201, provision]);
    expect(await door.searches('dr-nguyen')).toBe(403);
    expect(await door.searches('dr-nguyen', breakGlass)).toBe(403);
    const lifted = await door.change('casanova', {
      ...json,
      provision: { type: 'permit', period: { start: '2026-03-01' } },
    });
    expect([lifted.status, lifted.json.meta?.versionId]).toEqual([200, '2']);
    expect(await door.searches('dr-nguyen', breakGlass)).toBe(200);
  });

  test('an opposition to break-glass', async () => {
    expect(await door.searches('dr-leroy', breakGlass)).toBe(200);
    const { json } = await door.state('casanova', { type: 'deny', purpose: purpose('BTG') });
    expect(await door.searches('dr-leroy', breakGlass)).toBe(403);
    await door.change('casanova', { ...json, status: 'inactive' });
    expect(await door.searches('dr-leroy', breakGlass)).toBe(200);
  });

  test('of two purposes opposed in one Consent, the one stated again elsewhere leaves it', async () => {
    const { json } = await door.state('casanova', { type: 'deny', purpose: purpose('BTG', 'ETREAT') });
    const again = await door.state('casanova', { type: 'deny', purpose: purpose('BTG') });
    const first = await door.get<Consent>('casanova', `Consent/${json.id}`);
    expect(first.json.provision?.purpose).toEqual(purpose('ETREAT'));
    for (const { id } of [json, again.json]) {
      const { json: now } = await door.get<Consent>('casanova', `Consent/${id}`);
      await door.change('casanova', { ...now, status: 'inactive' });
    }
  });

  test.each([
    ['below the opening', 'permit', 'consentIntermediate'],
    ['at the root, Advanced', undefined, 'consentAdvanced'],
  ] as const)('masked documents in emergency, %s', async (_, root, profile) => {
    const exception: ConsentProvision = { type: 'permit', purpose: purpose('BTG', 'ETREAT'), securityLabel: masked };
    const meta = { profile: [`https://profiles.ihe.net/ITI/PCF/StructureDefinition/IHE.PCF.${profile}`] };
    const { status } = await door.state(
      'casanova',
      root === undefined ? exception : { type: root, provision: [exception] },
      { meta },
    );
    expect(status).toBe(201);
    const facts = await door.world.tools.store.facts.recordByIdentifier(door.world.ins('casanova'));
    expect(
      facts?.consents.filter(({ statement, status: s }) => statement.kind === 'maskedInEmergency' && s === 'active'),
    ).toHaveLength(1);
  });

  test('a team, by a contained Group', async () => {
    const team = {
      resourceType: 'Group' as const,
      id: 'team',
      type: 'practitioner' as const,
      actual: true,
      member: [{ entity: actorOf('inf-petit').reference }],
    };
    const actor = [{ ...actorOf('inf-petit'), reference: { reference: '#team' } }];
    const { status, json } = await door.state('casanova', { type: 'permit', actor }, { contained: [team] });
    expect([status, json.contained]).toEqual([201, [team]]);
    const facts = await door.world.tools.store.facts.recordByIdentifier(door.world.ins('casanova'));
    expect(facts?.consents.at(-1)?.statement).toMatchObject({
      actor: { kind: 'careTeam', members: [{ kind: 'professional' }] },
    });
  });

  test('the treating doctor is shown as general practitioner', async () => {
    const { status } = await door.state('casanova', permit('dr-bernard'), {
      policy: [{ uri: policies.treatingDoctor }],
    });
    expect(status).toBe(201);
    const record = (await door.world.tools.store.facts.recordByIdentifier(door.world.ins('casanova')))?.record.id ?? '';
    const { json } = await door.get<Patient>('casanova', `Patient/${record}`);
    expect(json.generalPractitioner).toEqual([
      expect.objectContaining({
        type: 'Practitioner',
        identifier: expect.objectContaining({ value: actorOf('dr-bernard').reference.identifier?.value }),
      }),
    ]);
  });

  test('an authorisation that is limited ends by itself', async () => {
    const end = new Date(door.world.clock.now + 60_000).toISOString();
    await door.state('casanova', permit('pharm-durand', { period: { end } }));
    expect(await door.searches('pharm-durand')).toBe(200);
    door.world.clock.now += 61_000;
    expect(await door.searches('pharm-durand')).toBe(403);
  });

  test('one that begins later ends what it replaces only then', async () => {
    await door.state('casanova', permit('inf-petit'));
    const start = new Date(door.world.clock.now + 60_000).toISOString();
    await door.state('casanova', { type: 'deny', actor: [actorOf('inf-petit')], period: { start } });
    expect(await door.searches('inf-petit')).toBe(200);
    door.world.clock.now += 61_000;
    expect(await door.searches('inf-petit')).toBe(403);
  });
});

describe('who may', () => {
  test('a professional states his own authorisation, for twelve months at most, and withdraws it', async () => {
    const { status, json } = await door.state('dr-leroy', permit('dr-leroy'));
    expect(status).toBe(201);
    expect(json.provision?.period?.end).toMatch(/^2027-0[67]/);
    expect(await door.searches('dr-leroy')).toBe(200);
    const { json: ended, status: done } = await door.change('dr-leroy', { ...json, status: 'inactive' });
    expect([done, ended.status]).toEqual([200, 'inactive']);
    expect(await door.searches('dr-leroy')).toBe(403);
    const actions = door.world.tools.store.events().map(({ action, origin }) => [action, origin.transaction]);
    expect(actions).toContainEqual(['declareAuthorisation', 'ITI-108']);
    expect(actions).toContainEqual(['withdrawAuthorisation', 'ITI-108']);
  });

  test('no professional states it for another, or more than his own', async () => {
    expect((await door.state('dr-leroy', permit('dr-bernard'))).status).toBe(403);
    const both = { type: 'permit' as const, actor: [actorOf('dr-leroy')], provision: [deny('dr-bernard')] };
    expect((await door.state('dr-leroy', both)).status).toBe(403);
  });

  test('nobody makes himself treating doctor; who is one stays it, and may cease to be it', async () => {
    const treating = { policy: [{ uri: policies.treatingDoctor }] };
    expect((await door.state('dr-martin', permit('dr-martin'), treating)).status).toBe(403);
    const { json } = await door.state('casanova', permit('dr-martin'), treating);
    await door.state('dr-martin', permit('dr-martin'));
    const read = async () => (await door.get<Consent>('dr-martin', `Consent/${json.id}`)).json.status;
    expect(await read()).toBe('active');
    expect((await door.change('dr-martin', { ...json, status: 'inactive' })).status).toBe(200);
    expect(await read()).toBe('inactive');
  });

  test('who is blocked cannot authorise himself, nor lift the block', async () => {
    const { json } = await door.state('casanova', deny('dr-leroy'));
    expect((await door.state('dr-leroy', permit('dr-leroy'))).status).toBe(403);
    expect((await door.change('dr-leroy', { ...json, status: 'inactive' })).status).toBe(404);
    expect((await door.get('dr-leroy', `Consent/${json.id}`)).status).toBe(404);
    await door.change('casanova', { ...json, status: 'inactive' });
  });

  test('another patient reads and changes nothing', async () => {
    const { json } = await door.state('casanova', permit('dr-nguyen'));
    expect((await door.get('laurent', `Consent/${json.id}`)).status).toBe(404);
    expect((await door.change('laurent', { ...json, status: 'inactive' })).status).toBe(404);
    expect((await door.state('laurent', permit('dr-leroy'))).status).toBe(403);
    expect(await door.searches('dr-nguyen')).toBe(200);
  });

  test('a professional reads what names nobody else; the patient reads all', async () => {
    await door.state('casanova', permit('dr-nguyen'));
    const own = await door.find('dr-nguyen');
    const all = await door.find('casanova', '&_count=100');
    expect(own.total).toBeLessThan(all.total ?? 0);
    expect(JSON.stringify(own)).toContain(actorOf('dr-nguyen').reference.identifier?.value);
    expect(JSON.stringify(own)).not.toContain(actorOf('dr-bernard').reference.identifier?.value);
  });
});

describe('versions', () => {
  test('If-Match keeps changes from being lost', async () => {
    const { json } = await door.state('casanova', permit('dr-nguyen'));
    await door.change('casanova', json, { 'If-Match': 'W/"1"' });
    const late = await door.change('casanova', { ...json, status: 'inactive' }, { 'If-Match': 'W/"1"' });
    expect([late.status, door.problemsOf(late)[0]?.[0]]).toEqual([412, 'versionDiffers']);
    expect((await door.change('casanova', json, { 'If-Match': 'nonsense' })).status).toBe(412);
    expect(await door.searches('dr-nguyen')).toBe(200);
  });

  test('vread and history tell every version', async () => {
    const { json } = await door.state('casanova', permit('dr-nguyen'));
    await door.change('casanova', { ...json, status: 'inactive' });
    const { json: bundle } = await door.get<Bundle<Consent>>('casanova', `Consent/${json.id}/_history`);
    expect([bundle.type, bundle.total]).toEqual(['history', 2]);
    expect(bundle.entry?.map(({ resource }) => [resource?.meta?.versionId, resource?.status])).toEqual([
      ['2', 'inactive'],
      ['1', 'active'],
    ]);
    expect(bundle.entry?.map(({ request, response }) => [request?.method, response?.status])).toEqual([
      ['PUT', '200'],
      ['POST', '201'],
    ]);
    expect((await door.get<Consent>('casanova', `Consent/${json.id}/_history/1`)).json).toEqual(json);
    expect((await door.get('casanova', `Consent/${json.id}/_history/3`)).status).toBe(404);
    const later = new Date(door.world.clock.now + 1000).toISOString();
    expect((await door.get<Bundle>('casanova', `Consent/${json.id}/_history?_since=${later}`)).json.total).toBe(0);
    expect((await door.get('casanova', `Consent/${json.id}/_history?_since=soon`)).status).toBe(400);
  });

  test('what is known already is not sent again, nor what is not asked for', async () => {
    const { json } = await door.state('casanova', permit('dr-nguyen'));
    const read = (tag: string) => door.get('casanova', `Consent/${json.id}`, { headers: { 'If-None-Match': tag } });
    expect((await read('W/"1"')).status).toBe(304);
    expect((await read('W/"2"')).status).toBe(200);
    const { status, bytes, headers } = await door.change('casanova', json, { Prefer: 'return=minimal' });
    expect([status, bytes.length, headers.get('etag')]).toEqual([200, 0, 'W/"2"']);
  });

  test('a statement ended by another face shows it in the Consent that made it', async () => {
    const { json } = await door.state('casanova', {
      type: 'permit',
      provision: [permit('dr-nguyen'), deny('dr-bernard')],
    });
    await door.state('casanova', deny('dr-nguyen'));
    const { json: now } = await door.get<Consent>('casanova', `Consent/${json.id}`);
    expect(now.meta?.versionId).toBe('2');
    expect(now.status).toBe('active');
    expect(now.provision?.provision?.[0]?.period?.end).toBe(now.meta?.lastUpdated);
    expect(now.provision?.provision?.[1]).toEqual(deny('dr-bernard'));
  });

  test('of two changes of one version, one is made', async () => {
    const { json } = await door.state('casanova', permit('dr-nguyen'));
    const answers = await Promise.all(
      [json, { ...json, status: 'inactive' as const }].map((to) =>
        door.change('casanova', to, { 'If-Match': 'W/"1"' }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
  });

  test('the history of accesses tells who searched, read and changed', async () => {
    const since = `date=ge${new Date(door.world.clock.now).toISOString()}`;
    const { json } = await door.state('casanova', permit('dr-nguyen'));
    await door.get('casanova', `Consent/${json.id}`);
    await door.find('casanova');
    const trail = await door.get<Bundle<AuditEvent>>(
      'casanova',
      `AuditEvent?patient.identifier=${door.of('casanova')}&${since}`,
    );
    const told = trail.json.entry?.flatMap(({ resource }) =>
      resource?.subtype?.some(({ code }) => code === 'ITI-108') === true
        ? [[resource.action, resource.meta?.profile?.[0]?.split('.').at(-1)]]
        : [],
    );
    expect(told?.slice(0, 3)).toEqual([
      ['E', 'PatientQuery'],
      ['R', 'PatientRead'],
      ['C', 'PatientCreate'],
    ]);
  });

  test('a Consent nobody knows is neither read nor updated', async () => {
    const id = '01980000-0000-7000-8000-00000000dead';
    expect((await door.get('casanova', `Consent/${id}`)).status).toBe(404);
    const consent = { ...door.consent(permit('dr-nguyen')), id };
    expect((await door.change('casanova', consent)).status).toBe(404);
    expect((await door.send('casanova', 'PUT', 'Consent/other', consent)).status).toBe(400);
  });
});

describe('search', () => {
  test('by status, actor, id and time, and counted', async () => {
    const { json } = await door.state('casanova', permit('hopital-nord'));
    const structure = actorOf('hopital-nord').reference.identifier?.value ?? '';
    const ids = async (more: string) => (await door.find('casanova', more)).entry?.map(({ resource }) => resource?.id);
    expect(await ids(`&actor=Organization/${structure}`)).toEqual([json.id]);
    expect(await ids(`&actor.identifier=urn:oid:1.2.250.1.71.4.2.2|${structure}&status=active`)).toEqual([json.id]);
    expect(
      (await door.find('casanova', `&actor:identifier=urn:oid:1.2.250.1.71.4.2.2|${structure}&status=inactive`)).total,
    ).toBe(0);
    expect(await ids(`&_id=${json.id}`)).toEqual([json.id]);
    expect(await ids(`&_id=${json.id}&_lastUpdated=lt${json.meta?.lastUpdated}`)).toBeUndefined();
    const all = await door.find('casanova', '&_count=500');
    expect(all.entry).toHaveLength(all.total ?? -1);
  });

  test('by what does not hold, and by what is left out', async () => {
    const total = async (more: string) => (await door.find('casanova', `${more}&_count=0`)).total ?? -1;
    const all = await total('');
    const of = { active: await total('&status=active'), inactive: await total('&status=inactive') };
    expect(of.active).toBeGreaterThan(0);
    expect([await total('&status:not=inactive'), await total('&status:not=active')]).toEqual([of.active, of.inactive]);
    expect([await total('&status:missing=true'), await total('&status:missing=false')]).toEqual([0, all]);
    // The opening of the record names nobody.
    const openings = await total('&actor:missing=true');
    expect(openings).toBeGreaterThan(0);
    expect(await total('&actor:missing=false')).toBe(all - openings);
  });

  test('pages without loss', async () => {
    const all = (await door.find('casanova', '&_count=500')).entry?.map(({ resource }) => resource?.id);
    const pages = await pagesOf(door, 'casanova', door.search('&_count=3'));
    expect(pages.flatMap(({ entry = [] }) => entry.map(({ resource }) => resource?.id))).toEqual(all);
  });

  test.each([
    'status=current',
    'actor=Patient/1',
    'actor.identifier=urn:oid:1.2.3|x',
    '_lastUpdated=2026-13',
    'actor:missing=x',
    'status:not=current',
  ])('%s is refused', async (query) => {
    const { status, json } = await door.get('casanova', `Consent?patient.identifier=${door.of('casanova')}&${query}`);
    expect([status, json.issue[0]?.details?.text]).toEqual([400, 'parameterMalformed']);
  });

  test('of a patient nobody knows is empty', async () => {
    const { status, json } = await door.get<Bundle>(
      'dr-martin',
      'Consent?patient.identifier=urn:oid:1.2.250.1.213.1.4.10|279035121518900',
    );
    expect([status, json.total]).toEqual([200, 0]);
  });
});

test('the CapabilityStatement tells it', async () => {
  const { json } = await door.ask<CapabilityStatement>('metadata');
  const consent = json.rest?.[0]?.resource?.find(({ type }) => type === 'Consent');
  expect(consent?.interaction?.map(({ code }) => code).sort()).toEqual([
    'create',
    'delete',
    'history-instance',
    'read',
    'search-type',
    'update',
    'vread',
  ]);
  expect(consent).toMatchObject({ versioning: 'versioned', conditionalCreate: true, conditionalUpdate: true });
  expect(consent?.searchParam?.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['patient', 'patient.identifier', 'status', 'actor', '_id', '_lastUpdated']),
  );
});
