import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AuditEvent, Bundle, Device, DocumentReference, OperationOutcome } from 'fhir/r4.js';
import { personOf } from '../../server/sandbox/people.ts';
import { chainHash } from '../../server/store/trail.ts';
import { post } from './deposits.ts';
import { type Door, openDoor } from './door.ts';
import { pagesOf } from './paging.ts';

const balp = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.';
const hl7 = 'http://terminology.hl7.org/CodeSystem';
const unclaimed = { tag: [{ system: 'urn:x', code: 'x' }] };
const dcm = 'http://dicom.nema.org/resources/ontology/DCM';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
  door.world.clock.now += 3_600_000;
});
afterAll(() => door.close());

const idOf = (slug: string) => {
  const person = personOf(slug);
  return person?.kind === 'professional' ? person.idNat : '';
};
const system = () => {
  const person = personOf('regie');
  return person?.kind === 'system' ? person : { id: '', display: '' };
};
const at = (seconds: number) => new Date(door.world.clock.now + seconds * 1000).toISOString();

/** A document that a hospital's own system showed to a doctor, as that system recorded it. */
function telling(changes: Partial<AuditEvent> = {}, patient = 'laurent'): AuditEvent {
  const { oid, value } = door.world.ins(patient);
  const end = (code: string, address: string) => ({
    type: { coding: [{ system: dcm, code }] },
    who: { display: address },
    requestor: false,
    network: { address, type: '2' as const },
  });
  return {
    resourceType: 'AuditEvent',
    meta: { profile: [`${balp}PatientRead`] },
    type: { system: `${hl7}/audit-event-type`, code: 'rest' },
    subtype: [{ system: 'http://hl7.org/fhir/restful-interaction', code: 'read' }],
    action: 'R',
    recorded: at(-600),
    outcome: '0',
    agent: [
      end('110152', '192.0.2.7'),
      end('110153', '192.0.2.8'),
      {
        type: { coding: [{ system: `${hl7}/v3-ParticipationType`, code: 'IRCP' }] },
        who: { identifier: { system: 'urn:oid:1.2.250.1.71.4.2.1', value: idOf('dr-nguyen') } },
        name: 'NGUYEN',
        requestor: true,
      },
    ],
    source: { site: 'dpi.hopital.example', observer: { identifier: { value: 'dpi-1' } } },
    entity: [
      {
        what: { reference: 'Patient/42', identifier: { system: `urn:oid:${oid}`, value } },
        type: { system: `${hl7}/audit-entity-type`, code: '1' },
        role: { system: `${hl7}/object-role`, code: '1' },
      },
      {
        what: { reference: 'DocumentReference/local-9' },
        type: { system: `${hl7}/audit-entity-type`, code: '2' },
        role: { system: `${hl7}/object-role`, code: '3' },
      },
    ],
    ...changes,
  };
}

const tell = <T = AuditEvent>(event: unknown, who = 'regie') => post<T>(door, who, event, 'AuditEvent');
const search = async (who: string, more = '', patient = 'laurent', since = -3600) => {
  const path = `AuditEvent?patient.identifier=${door.of(patient)}&date=ge${at(since)}&_count=500${more}`;
  const { json } = await door.get<Bundle<AuditEvent>>(who, path);
  return (json.entry ?? []).flatMap(({ resource }) => resource ?? []);
};
const idsOf = async (who: string, more = '', patient = 'laurent') =>
  (await search(who, more, patient)).map(({ id }) => id);
const numberOf = (location: string | null) => Number(location?.split('/').at(-1));

describe('Record Audit Event', () => {
  test('what a partner tells comes back as it was sent, under our number, marked as his', async () => {
    const sent = telling({
      id: 'theirs',
      meta: {
        profile: [`${balp}PatientRead`],
        tag: [
          { system: 'urn:x', code: 'kept' },
          { system: 'https://opendmp.example/fhir/CodeSystem/told-by', code: 'somebody-else' },
        ],
      },
    });
    const { status, headers, json } = await tell(sent);
    expect(status).toBe(201);
    const number = numberOf(headers.get('location'));
    expect(headers.get('location')).toBe(`${door.base}/AuditEvent/${number}`);
    const expected = {
      ...sent,
      id: String(number),
      meta: {
        profile: sent.meta?.profile,
        lastUpdated: at(0),
        tag: [
          { system: 'urn:x', code: 'kept' },
          {
            system: 'https://opendmp.example/fhir/CodeSystem/told-by',
            code: system().id,
            display: system().display,
          },
        ],
      },
    };
    expect(json).toEqual(expected);
    expect((await search('laurent')).find(({ id }) => id === String(number))).toEqual(expected);
    expect((await door.get('laurent', `AuditEvent/${number}`)).json).toEqual(expected);
  });

  test('what is sent again is kept once and answered as before, also where nobody is known by that name', async () => {
    const unknown = telling({ outcomeDesc: 'again' });
    const [who] = unknown.entity ?? [];
    const entity = [{ ...who, what: { identifier: { system: 'urn:oid:1.2.250.1.213.1.4.10', value: '1' } } }];
    for (const sent of [telling({ outcomeDesc: 'again' }), { ...unknown, meta: unclaimed, entity }]) {
      const first = await tell(sent);
      door.world.clock.now += 1000;
      const [second, third] = await Promise.all([tell(sent), tell(sent)]);
      for (const again of [second, third])
        expect([again.status, again.headers.get('location'), again.json]).toEqual([
          201,
          first.headers.get('location'),
          first.json,
        ]);
      expect((await search('laurent')).filter((event) => event.outcomeDesc === 'again')).toHaveLength(1);
      const other = await tell({ ...sent, outcomeDesc: 'once more' });
      expect(other.headers.get('location')).not.toBe(first.headers.get('location'));
    }
  });

  test('a leap second is the second that follows', async () => {
    const { status, json } = await tell(telling({ recorded: '2016-12-31T23:59:60Z' }));
    expect(status).toBe(201);
    const day = await door.get<Bundle<AuditEvent>>('laurent', 'AuditEvent?date=2017-01-01');
    expect(day.json.entry?.map(({ resource }) => resource?.id)).toContain(json.id);
  });

  test('the patient is known by any entity that names him', async () => {
    const [patient, object] = telling().entity ?? [];
    const made = { ...object, what: { reference: 'Patient/42' } };
    const { status, json } = await tell(telling({ meta: unclaimed, entity: [made, ...(patient ? [patient] : [])] }));
    expect(status).toBe(201);
    expect(await idsOf('laurent')).toContain(json.id);
  });

  test('it is numbered and chained like our own, in the name of the system that told it', async () => {
    const { headers } = await tell(telling());
    const events = door.world.tools.store.events();
    const found = events.find(({ sequence }) => sequence === numberOf(headers.get('location')));
    expect(found).toMatchObject({
      action: 'feedAudit',
      outcome: 'done',
      ground: 'systemRight',
      actor: { kind: 'system', id: system().id },
      at: door.world.clock.now - 600_000,
      told: { receivedAt: door.world.clock.now },
    });
    const { sequence: _, previous = '', hash, ...draft } = found ?? {};
    expect(chainHash(previous, JSON.stringify(draft))).toBe(hash);
  });

  test('it is found by what it says: agent, source, entity, type, time', async () => {
    const { headers } = await tell(telling({ source: { observer: { identifier: { value: 'dpi-found' } } } }));
    const id = String(numberOf(headers.get('location')));
    for (const query of [
      `&agent=Practitioner/${idOf('dr-nguyen')}`,
      `&agent.identifier=urn:oid:1.2.250.1.71.4.2.1|${idOf('dr-nguyen')}`,
      '&source.identifier=dpi-found',
      `&entity.identifier=${door.of('laurent')}`,
      '&subtype=read&action=R&outcome=0',
      `&date=lt${at(-500)}`,
    ])
      expect([query, (await idsOf('laurent', query)).includes(id)]).toEqual([query, true]);
    for (const query of [
      `&agent.identifier=urn:oid:1.2.250.1.71.4.2.1|${idOf('dr-martin')}`,
      `&source.identifier=${door.base}`,
      `&date=ge${at(-500)}`,
    ])
      expect([query, (await idsOf('laurent', query)).includes(id)]).toEqual([query, false]);
  });

  test('it stands among the others at the time that it says, over pages and either way', async () => {
    const told = async (seconds: number) =>
      String(numberOf((await tell(telling({ recorded: at(seconds) }))).headers.get('location')));
    const [middle, late, early] = [await told(-7000), await told(-6000), await told(-8000)];
    const ordered = async (sort: string) => {
      const bounds = `date=ge${at(-8500)}&date=lt${at(-5500)}`;
      const asked = `AuditEvent?patient.identifier=${door.of('laurent')}&${bounds}&_sort=${sort}&_count=1`;
      const pages = await pagesOf(door, 'laurent', asked);
      return pages.flatMap(({ entry = [] }) => entry.map(({ resource }) => resource?.id));
    };
    expect(await ordered('-date')).toEqual([late, middle, early]);
    expect(await ordered('date')).toEqual([early, middle, late]);
  });

  test('patient and treating doctor see it, and of the others whoever took part', async () => {
    const { headers } = await tell(telling());
    const id = String(numberOf(headers.get('location')));
    expect(await idsOf('laurent')).toContain(id);
    expect(await idsOf('dr-martin')).toContain(id);
    expect(await idsOf('dr-nguyen')).toContain(id);
    expect((await door.get('dr-nguyen', `AuditEvent/${id}`)).status).toBe(200);
    const other = telling();
    const { headers: of } = await tell({ ...other, agent: other.agent.slice(0, 2) });
    expect(await idsOf('dr-martin')).toContain(String(numberOf(of.get('location'))));
    expect(await idsOf('dr-nguyen')).not.toContain(String(numberOf(of.get('location'))));
    expect((await door.get('dr-nguyen', `AuditEvent/${numberOf(of.get('location'))}`)).status).toBe(404);
  });

  test('of somebody unknown it is kept all the same, in no history', async () => {
    const sent = telling();
    const [patient, ...more] = sent.entity ?? [];
    const unknown = { system: 'urn:oid:1.2.250.1.213.1.4.10', value: '100000000000000' };
    const { status, headers } = await tell({
      ...sent,
      entity: [{ ...patient, what: { identifier: unknown } }, ...more],
    });
    expect(status).toBe(201);
    const found = door.world.tools.store.events().find((e) => e.sequence === numberOf(headers.get('location')));
    expect(found).toMatchObject({ outcome: 'done', told: { resource: expect.stringContaining(unknown.value) } });
    expect(found).not.toHaveProperty('record');
    expect(await idsOf('laurent')).not.toContain(String(numberOf(headers.get('location'))));
  });

  test('a relative reference is the partner’s own, an address of ours is our patient', async () => {
    const [, data] = telling().entity ?? [];
    const record = (await door.world.tools.store.facts.recordByIdentifier(door.world.ins('laurent')))?.record.id;
    const about = (reference: string) => ({
      what: { reference },
      type: { system: `${hl7}/audit-entity-type`, code: '1' },
      role: { system: `${hl7}/object-role`, code: '1' },
    });
    const recordOf = async (reference: string) => {
      const { headers } = await tell(telling({ entity: [about(reference), ...(data ? [data] : [])] }));
      return door.world.tools.store.events().find((e) => e.sequence === numberOf(headers.get('location')))?.record;
    };
    expect(await recordOf(`${door.base}/Patient/${record}`)).toBe(record);
    expect(await recordOf(`Patient/${record}`)).toBeUndefined();
    expect(await recordOf(`https://elsewhere.example/fhir/Patient/${record}`)).toBeUndefined();
  });

  test('who may not know a document sees no event that names it, however it does', async () => {
    const list = (who: string) =>
      door.get<Bundle<DocumentReference>>(who, `DocumentReference?patient.identifier=${door.of('masson')}&_count=100`);
    const documents = async (who: string) => ((await list(who)).json.entry ?? []).flatMap((e) => e.resource ?? []);
    const seen = await documents('masson');
    const hidden = (await documents('dr-martin')).find(({ id }) => seen.every((one) => one.id !== id));
    const uniqueId = hidden?.masterIdentifier?.value?.replace('urn:oid:', '') ?? '';
    const entry = hidden?.identifier?.[0]?.value ?? '';
    const [patient] = telling({}, 'masson').entity ?? [];
    const system = { system: `${hl7}/audit-entity-type`, code: '2' };
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const naming = {
      reference: { what: { reference: `DocumentReference/${hidden?.id}` } },
      identifier: { what: { identifier: { system: 'urn:ietf:rfc:3986', value: `urn:oid:${uniqueId}` } } },
      detail: { type: system, detail: [{ type: 'uniqueId', valueString: uniqueId }] },
      bytes: { type: system, detail: [{ type: 'uniqueId', valueBase64Binary: base64(`it is ${uniqueId}.`) }] },
      query: { type: system, query: base64(`GET identifier=urn%3Aoid%3A${uniqueId.replaceAll('.', '%2E')}`) },
      words: { type: system, description: `entry ${entry.toUpperCase()} was read` },
    };
    for (const [how, entity] of Object.entries(naming)) {
      const { status, headers } = await tell(
        telling({ meta: unclaimed, entity: [...(patient ? [patient] : []), entity] }),
      );
      expect([how, status]).toEqual([how, 201]);
      const id = String(numberOf(headers.get('location')));
      expect([how, (await idsOf('dr-martin', '', 'masson')).includes(id)]).toEqual([how, true]);
      expect([how, (await idsOf('masson', '', 'masson')).includes(id)]).toEqual([how, false]);
      expect((await door.get('masson', `AuditEvent/${id}`)).status).toBe(404);
    }
    const { headers } = await tell(telling({}, 'masson'));
    expect(await idsOf('masson', '', 'masson')).toContain(String(numberOf(headers.get('location'))));
  });

  test('several come in a batch, each by itself', async () => {
    const entry = (resource: unknown) => ({ resource, request: { method: 'POST', url: 'AuditEvent' } });
    const { recorded: _, ...broken } = telling();
    const bundle = { resourceType: 'Bundle', type: 'batch', entry: [telling(), broken, telling()].map(entry) };
    const { status, json } = await post<Bundle>(door, 'regie', bundle, '');
    expect(status).toBe(200);
    expect(json.entry?.map(({ response }) => response?.status)).toEqual([
      '201 Created',
      '400 Bad Request',
      '201 Created',
    ]);
    const ids = await idsOf('laurent');
    for (const at of [0, 2]) expect(ids).toContain(String(numberOf(json.entry?.[at]?.response?.location ?? null)));
  });

  test('it is taken in XML too, and answered so', async () => {
    const body = `<AuditEvent xmlns="http://hl7.org/fhir">
      <type><system value="${dcm}"/><code value="110112"/></type>
      <recorded value="${at(-60)}"/>
      <agent><who><display value="DPI"/></who><requestor value="true"/></agent>
      <source><observer><display value="DPI"/></observer></source>
      <entity><what><identifier><system value="urn:oid:${door.world.ins('laurent').oid}"/><value value="${door.world.ins('laurent').value}"/></identifier></what>
        <role><system value="${hl7}/object-role"/><code value="1"/></role></entity>
    </AuditEvent>`;
    const headers = {
      Authorization: `Bearer ${await door.token('regie')}`,
      'Content-Type': 'application/fhir+xml',
      Accept: 'application/fhir+xml',
    };
    const answer = await door.ask('AuditEvent', { method: 'POST', headers, body });
    expect(answer.status).toBe(201);
    expect(answer.bytes.toString()).toContain('<AuditEvent xmlns="http://hl7.org/fhir">');
    expect(await idsOf('laurent')).toContain(String(numberOf(answer.headers.get('location'))));
  });

  test('nothing is answered where that is preferred', async () => {
    const headers = {
      Authorization: `Bearer ${await door.token('regie')}`,
      'Content-Type': 'application/fhir+json',
      Prefer: 'return=minimal',
    };
    const answer = await door.ask('AuditEvent', { method: 'POST', headers, body: JSON.stringify(telling()) });
    expect([answer.status, answer.bytes.length]).toEqual([201, 0]);
  });
});

describe('Record Audit Event refuses', () => {
  const told = () => door.world.tools.store.events().filter((event) => event.told !== undefined).length;

  test.each(['laurent', 'dr-martin', 'labo-centre'])('%s, who has no right to feed', async (who) => {
    const count = told();
    const { status, json } = await tell<{ issue: { details: { text: string } }[] }>(telling(), who);
    expect([status, json.issue[0]?.details.text]).toEqual([403, 'accessDenied']);
    expect(told()).toBe(count);
    const event = door.world.tools.store.events().at(-1);
    expect([event?.origin.transaction, event?.outcome, event?.ground]).toEqual(['ITI-20', 'refused', 'matrix']);
  });

  const cases: readonly (readonly [
    what: string,
    event: () => unknown,
    status: number,
    name: string,
    expression: string,
  ])[] = [
    [
      'an event of its own making in our name',
      () => telling({ source: { observer: { identifier: { value: door.base } } } }),
      422,
      'auditEventNotTaken',
      'AuditEvent.source',
    ],
    [
      'our site',
      () => telling({ source: { site: `${door.base.toUpperCase()}/`, observer: { display: 'me' } } }),
      422,
      'auditEventNotTaken',
      'AuditEvent.source',
    ],
    ...['%', '%/fhir', '//%/x', 'https://%', 'HTTP://u:p@%/'].map(
      (site): [string, () => object, number, string, string] => [
        `our host as ${site}`,
        () => telling({ source: { site: site.replace('%', new URL(door.base).host), observer: { display: 'me' } } }),
        422,
        'auditEventNotTaken',
        'AuditEvent.source',
      ],
    ),
    [
      'our repository',
      () => telling({ source: { observer: { identifier: { value: 'urn:oid:1.2.250.1.213.4.1.1.1.2' } } } }),
      422,
      'auditEventNotTaken',
      'AuditEvent.source',
    ],
    [
      'a device that is this server',
      () =>
        telling({
          contained: [{ resourceType: 'Device', id: 'd', url: `${door.base}/Device/1` } as Device],
          source: { observer: { reference: '#d' } },
        }),
      422,
      'auditEventNotTaken',
      'AuditEvent.source',
    ],
    [
      'a second patient whose part is not said',
      () =>
        telling({
          meta: unclaimed,
          entity: [...(telling().entity ?? []), { what: telling({}, 'masson').entity?.[0]?.what }],
        }),
      422,
      'auditEventNotTaken',
      'AuditEvent.entity',
    ],
    ['an event of tomorrow', () => telling({ recorded: at(86_400) }), 422, 'auditEventNotTaken', 'AuditEvent.recorded'],
    [
      'an event of two patients',
      () =>
        telling({ meta: unclaimed, entity: [...(telling().entity ?? []), ...(telling({}, 'masson').entity ?? [])] }),
      422,
      'auditEventNotTaken',
      'AuditEvent.entity',
    ],
    [
      'an event that names too much',
      () =>
        telling({
          meta: unclaimed,
          outcomeDesc: Array.from({ length: 1001 }, (_, i) => `1.2.3.4.${i}`).join(' '),
        }),
      422,
      'auditEventNotTaken',
      'AuditEvent',
    ],
    ['a claim that is not kept', () => telling({ action: 'C' }), 422, 'profileRuleBroken', 'AuditEvent.action'],
    [
      'an event without source',
      () => {
        const { source: _, ...event } = telling();
        return event;
      },
      400,
      'elementMissing',
      'AuditEvent.source',
    ],
    ['another resource', () => ({ resourceType: 'Patient' }), 400, 'elementMalformed', 'AuditEvent.resourceType'],
  ];
  test.each(cases)('%s', async (_, event, status, name, expression) => {
    const count = told();
    const answer = await tell<{ issue: { details: { text: string }; expression: string[] }[] }>(event());
    expect(answer.status).toBe(status);
    expect(answer.json.issue.map(({ details, expression: at }) => [details.text, at[0]])).toContainEqual([
      name,
      expression,
    ]);
    expect(told()).toBe(count);
  });

  test('and $validate says so before', async () => {
    const ours = telling({ source: { observer: { identifier: { value: door.base } } } });
    for (const [event, names] of [
      [ours, ['auditEventNotTaken']],
      [telling(), ['valid']],
    ] as const) {
      const { status, json } = await post<OperationOutcome>(door, 'regie', event, 'AuditEvent/$validate');
      expect([status, json.issue.map(({ details }) => details?.text)]).toEqual([200, names]);
    }
  });

  test('more than 256 KiB in one event', async () => {
    const { status } = await tell(telling({ outcomeDesc: 'é'.repeat(130 * 1024) }));
    expect(status).toBe(413);
  });

  test('a condition, since a feeder finds nothing', async () => {
    const headers = {
      Authorization: `Bearer ${await door.token('regie')}`,
      'Content-Type': 'application/fhir+json',
      'If-None-Exist': 'entity=1',
    };
    const answer = await door.ask('AuditEvent', { method: 'POST', headers, body: JSON.stringify(telling()) });
    expect(answer.status).toBe(400);
    expect(answer.json.issue[0]).toMatchObject({ details: { text: 'parameterUnknown' } });
  });

  test('to change or delete one', async () => {
    for (const method of ['PUT', 'DELETE'])
      expect([
        method,
        (await door.ask('AuditEvent/1', { method, headers: { Authorization: `Bearer ${await door.token('regie')}` } }))
          .status,
      ]).toEqual([method, 405]);
  });
});
