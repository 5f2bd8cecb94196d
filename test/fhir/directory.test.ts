import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type {
  Bundle,
  CapabilityStatement,
  Device,
  FhirResource,
  Organization,
  Practitioner,
  PractitionerRole,
} from 'fhir/r4.js';
import { readXml } from '../../server/fhir/xml/read.ts';
import { personOf } from '../../server/sandbox/people.ts';
import { feedIdentity } from '../../server/usecases/feed.ts';
import { documentRow, put } from '../contract/store.ts';
import { permitFor, recordOf } from '../support/permits.ts';
import { authorOf, document } from '../support/registry.ts';
import { bundleOf, changed, post, resourceIn } from './deposits.ts';
import { type Door, type HttpAnswer, openDoor } from './door.ts';
import { localOid } from './identity-door.ts';
import { nextOf } from './paging.ts';

const ps = 'urn:oid:1.2.250.1.71.4.2.1';
const structures = 'urn:oid:1.2.250.1.71.4.2.2';
const rpps = 'https://rpps.esante.gouv.fr';
const martin = '899970000016';
const cabinet = '499970000016001';
const functions = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationFunction';
const scannerOid = '1.2.250.1.999.7';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
  const sent = bundleOf(door);
  const reference = resourceIn(sent, 'DocumentReference');
  const institution = [{ url: institutionUrl, valueReference: { reference: '#place' } }];
  const more = [
    { ...device('scanner', 'Scanner 3', { system: `urn:oid:${scannerOid}`, value: 'CT-3' }), extension: institution },
    ...roleOf('old', 'MARTIN-LEGRAND', { system: ps, value: martin }),
    ...roleOf('employee', 'MOREAU', { system: ps, value: '699970000016/0101' }),
    ...roleOf('local', 'LOCAL', { system: 'urn:oid:1.2.3', value: '77' }),
    place,
  ];
  reference.contained = [...(reference.contained ?? []), ...more];
  for (const id of ['old-role', 'employee-role', 'local-role', 'scanner'])
    reference.author?.push({ reference: `#${id}` });
  const answer = await post<Bundle>(door, 'dr-martin', sent);
  expect(answer.status).toBe(200);
});
afterAll(async () => {
  expect(door.faults).toEqual([]);
  await door.close();
});

const institutionUrl = 'https://opendmp.example/fhir/StructureDefinition/author-institution';
type Named = { system: string; value: string };
const place: Organization = {
  resourceType: 'Organization',
  id: 'place',
  name: 'Imagerie',
  identifier: [{ system: structures, value: '1990000099' }],
};
function roleOf(id: string, family: string, identifier: Named): [Practitioner, PractitionerRole] {
  const organization = { type: 'Organization', identifier: { system: structures, value: cabinet }, display: 'Cabinet' };
  return [
    { resourceType: 'Practitioner', id, identifier: [identifier], name: [{ family }] },
    {
      resourceType: 'PractitionerRole',
      id: `${id}-role`,
      practitioner: { reference: `#${id}` },
      organization,
      code: [{ coding: [{ system: functions, code: 'PCP', display: 'Médecin traitant' }] }],
    },
  ];
}
function device(id: string, name: string, identifier: Named): Device {
  return { resourceType: 'Device', id, identifier: [identifier], deviceName: [{ name, type: 'user-friendly-name' }] };
}

async function find<T extends FhirResource>(asked: string, who = 'dr-nguyen') {
  const answer = await door.get<Bundle<T>>(who, asked);
  expect([answer.status, asked]).toEqual([200, asked]);
  const entries = answer.json.entry ?? [];
  return {
    total: answer.json.total,
    matches: entries.flatMap(({ resource, search }) => (resource && search?.mode === 'match' ? [resource] : [])),
    included: entries.flatMap(({ resource, search }) => (resource && search?.mode === 'include' ? [resource] : [])),
    entries,
  };
}
const problemsOf = ({ json }: HttpAnswer) => json.issue.map(({ code, details }) => `${details?.text} ${code}`);
const names = (one: Practitioner | undefined) => one?.name?.map(({ family }) => family);

describe('a professional', () => {
  test.each([
    ['PS_IdNat', `${ps}|${martin}`],
    ['the bare OID', `1.2.250.1.71.4.2.1|${martin}`],
    ['RPPS', `${rpps}|${martin.slice(1)}`],
  ])('is found by %s, with every name that documents give, the newest first', async (_, identifier) => {
    const { total, matches, entries } = await find<Practitioner>(`Practitioner?identifier=${identifier}`);
    expect([total, matches.length]).toEqual([1, 1]);
    expect(matches[0]).toEqual({
      resourceType: 'Practitioner',
      id: martin,
      identifier: [
        { type: { coding: [expect.objectContaining({ code: 'IDNPS' })] }, system: ps, value: martin },
        { type: { coding: [expect.objectContaining({ code: 'RPPS' })] }, system: rpps, value: martin.slice(1) },
      ],
      name: [{ family: 'MARTIN-LEGRAND' }, { family: 'MARTIN', given: ['Hélène'] }],
    });
    expect(entries[0]?.fullUrl).toBe(`${door.base}/Practitioner/${martin}`);
  });

  test('is read by the id that author searches use', async () => {
    const read = await door.get<Practitioner>('dr-nguyen', `Practitioner/${martin}`);
    expect([read.status, names(read.json)]).toEqual([200, ['MARTIN-LEGRAND', 'MARTIN']]);
    const authored = `patient.identifier=${door.of('laurent')}&author=Practitioner/${martin}`;
    expect((await find(`DocumentReference?${authored}`, 'dr-martin')).matches.length).toBeGreaterThan(0);
  });

  test('is found in XML and from a form too', async () => {
    const headers = { Authorization: `Bearer ${await door.token('dr-nguyen')}`, Accept: 'application/fhir+xml' };
    const type = 'application/x-www-form-urlencoded';
    const answer = await door.ask('Practitioner/_search', {
      method: 'POST',
      headers: { ...headers, 'Content-Type': type },
      body: new URLSearchParams({ identifier: `${ps}|${martin}` }).toString(),
    });
    expect(answer.headers.get('content-type')).toBe('application/fhir+xml; charset=utf-8');
    const bundle = (await readXml(answer.bytes)) as unknown as Bundle<Practitioner>;
    expect(names(bundle.entry?.[0]?.resource)).toEqual(['MARTIN-LEGRAND', 'MARTIN']);
    const read = await door.ask(`Practitioner/${martin}`, { headers });
    expect((await readXml(read.bytes)) as unknown).toEqual(bundle.entry?.[0]?.resource);
  });

  test.each([
    ['nobody', `${ps}|899970009999`],
    ['an employee, who stands in no public register', `${ps}|699970000016/0101`],
    ['somebody of another authority', 'urn:oid:1.2.3|77'],
    ['a structure', `${structures}|${cabinet}`],
  ])('is not %s', async (_, identifier) => {
    expect(await find(`Practitioner?identifier=${identifier}`)).toMatchObject({ total: 0, matches: [] });
  });

  test('who is unknown is read by nobody', async () => {
    const answer = await door.get('dr-nguyen', 'Practitioner/899970009999');
    expect([answer.status, problemsOf(answer)]).toEqual([404, ['resourceUnknown not-found']]);
  });

  test('several are found at once, in pages, in the order of their ids', async () => {
    const asked = `Practitioner?identifier=${ps}|${martin},${ps}|899970000024,${ps}|899970009999`;
    const all = await find<Practitioner>(`${asked}&_sort=_id`);
    expect(all.matches.map(({ id }) => id)).toEqual([martin, '899970000024']);
    const first = await door.get<Bundle>('dr-nguyen', `${asked}&_count=1`);
    expect(first.json).toMatchObject({ total: 2, entry: [{ resource: { id: '899970000024' } }] });
    const next = nextOf(first.json);
    const second = await door.get<Bundle>('dr-nguyen', next);
    expect(second.json).toMatchObject({ total: 2, entry: [{ resource: { id: martin } }] });
    expect(second.json.link?.some(({ relation }) => relation === 'next')).toBe(false);
  });

  test('parameters narrow each other', async () => {
    const asked = `Practitioner?identifier=${ps}|${martin}`;
    expect(await find(`${asked}&_id=899970000024`)).toMatchObject({ total: 0 });
    expect(await find(`${asked}&_id=899970000024,${martin}`)).toMatchObject({ total: 1 });
  });
});

describe('patients and relatives', () => {
  test.each(['laurent', 'sophie-morel'])('%s is nowhere, as whoever documents name', async (slug) => {
    const person = personOf(slug);
    if (person?.kind !== 'patient' && person?.kind !== 'representative') throw new Error(slug);
    const oids = [`urn:oid:${person.insOid}`, ps, structures];
    for (const type of ['Practitioner', 'Organization', 'Device'])
      for (const oid of oids)
        expect(await find(`${type}?identifier=${oid}|${person.ins}`)).toMatchObject({ total: 0, entries: [] });
    for (const type of ['Practitioner', 'Organization', 'Device', 'PractitionerRole'])
      expect((await door.get('dr-nguyen', `${type}/${person.ins}`)).status).toBe(404);
  });

  test('who is taken for a system is nobody once its authority names a patient here', async () => {
    const open = await openDoor({ domain: 'open', seeded: false });
    const { tools, as } = open.world;
    const person = { id: 'IPP-1', family: 'DOE', authority: { oid: localOid }, nameType: 'U', idType: 'RI' };
    const authors = [{ ...authorOf('1', '1990000099'), person }];
    const permit = permitFor(undefined, 'stranger', { action: 'createRecord' });
    const record = recordOf('0192aaaa-0000-7000-8000-000000000001');
    await tools.store.write.commit(permit, put({ kind: 'record', record }, documentRow(document(1, { authors }))));
    const asked = `Device?identifier=urn:oid:${localOid}|IPP-1`;
    const before = await open.get<Bundle<Device>>('regie', asked);
    expect(before.json.entry?.map(({ resource }) => resource?.deviceName?.[0]?.name)).toEqual(['DOE']);

    const identifiers = [{ oid: localOid, value: 'IPP-2' }];
    await feedIdentity(tools, as('regie'), { identifiers, traits: { family: 'DOE' } }, { message: 'add' });
    expect((await open.get<Bundle>('regie', asked)).json).toMatchObject({ total: 0 });
    expect((await open.get('regie', `Device/${before.json.entry?.[0]?.resource?.id}`)).status).toBe(404);
    await open.close();
  });
});

describe('a structure', () => {
  test('is found by identifier and read by Struct_IdNat', async () => {
    const { matches } = await find<Organization>(`Organization?identifier=${structures}|1990000099`);
    expect(matches).toEqual([
      {
        resourceType: 'Organization',
        id: '1990000099',
        identifier: [expect.objectContaining({ system: structures, value: '1990000099' })],
        name: 'Imagerie',
      },
    ]);
    expect((await door.get<Organization>('dr-nguyen', 'Organization/1990000099')).json).toEqual(matches[0]);
  });

  test('has the newest name, and the others as aliases', async () => {
    const { json } = await door.get<Organization>('dr-nguyen', `Organization/${cabinet}`);
    expect(json).toMatchObject({ name: 'Cabinet', alias: ['Cabinet médical des Tilleuls'] });
  });

  test('that is unknown is not found', async () => {
    expect(await find(`Organization?identifier=${structures}|1990000098`)).toMatchObject({ total: 0 });
    expect((await door.get('dr-nguyen', 'Organization/1990000098')).status).toBe(404);
  });
});

test('a system is found by identifier, and read by an id that follows from it', async () => {
  const { matches } = await find<Device>(`Device?identifier=urn:oid:${scannerOid}|CT-3`);
  expect(matches).toEqual([
    {
      resourceType: 'Device',
      id: expect.stringMatching(/^[0-9a-f]{64}$/),
      identifier: [{ system: `urn:oid:${scannerOid}`, value: 'CT-3' }],
      deviceName: [{ name: 'Scanner 3', type: 'user-friendly-name' }],
    },
  ]);
  const read = await door.get<Device>('dr-nguyen', `Device/${matches[0]?.id}`);
  expect([read.status, read.json]).toEqual([200, matches[0]]);
  expect(await find(`Device?identifier=urn:oid:${scannerOid}|CT-4`)).toMatchObject({ total: 0 });
});

describe('a professional at a structure', () => {
  const role = `${martin}-${cabinet}`;
  const ofMartin = `practitioner.identifier=${ps}|${martin}`;
  const specialty = 'G15_10/SM26';

  test.each([
    [ofMartin],
    [`practitioner=Practitioner/${martin}`],
    [`practitioner:Practitioner=${martin}`],
    [`practitioner:identifier=${rpps}|${martin.slice(1)}`],
    [`${ofMartin}&organization.identifier=${structures}|${cabinet}`],
    [`${ofMartin}&organization=Organization/${cabinet}`],
    [`_id=${role}`],
    [`${ofMartin}&specialty=${specialty}`],
    [`${ofMartin}&specialty:not=X`],
    [`${ofMartin}&specialty:missing=false`],
  ])('is found by %s', async (asked) => {
    const { matches } = await find<PractitionerRole>(`PractitionerRole?${asked}`);
    expect(matches.map(({ id }) => id)).toContain(role);
  });

  test.each([
    [`${ofMartin}&organization.identifier=${structures}|1990000010`],
    [`${ofMartin}&specialty=SM04`],
    [`_id=${role}&practitioner=899970000024`],
    [`practitioner.identifier=${ps}|899970009999`],
  ])('is not found by %s', async (asked) => {
    const { matches } = await find<PractitionerRole>(`PractitionerRole?${asked}`);
    expect(matches.map(({ id }) => id)).not.toContain(role);
  });

  test('tells the specialty, and not what the professional was to a patient', async () => {
    const read = await door.get<PractitionerRole>('dr-nguyen', `PractitionerRole/${role}`);
    expect(read.json).toMatchObject({
      practitioner: { reference: `Practitioner/${martin}` },
      organization: { reference: `Organization/${cabinet}` },
    });
    expect(read.bytes.toString()).not.toContain('PCP');
    expect(JSON.stringify(read.json.specialty)).toContain(specialty);
  });

  test('comes with both ends where they are asked for', async () => {
    const includes = '_include=PractitionerRole:practitioner&_include=PractitionerRole:organization';
    const { included } = await find(`PractitionerRole?_id=${role}&${includes}`);
    expect(included.map(({ resourceType, id }) => `${resourceType}/${id}`)).toEqual([
      `Practitioner/${martin}`,
      `Organization/${cabinet}`,
    ]);
    expect((await find(`PractitionerRole?_id=${role}`)).included).toEqual([]);
  });
});

describe('a list of all', () => {
  const lists = [
    'Practitioner',
    'Practitioner?_count=5',
    'PractitionerRole',
    `PractitionerRole?organization.identifier=${structures}|${cabinet}`,
    'PractitionerRole?specialty=SM26',
    'Organization',
    'Device',
  ];
  test.each(lists.flatMap((asked) => ['dr-nguyen', 'hopital-nord', 'sec-moreau'].map((who) => [asked, who])))(
    '%s is refused to %s',
    async (asked, who) => {
      const answer = await door.get(who, asked);
      expect([answer.status, problemsOf(answer)]).toEqual([400, ['directoryNotListed too-costly']]);
    },
  );

  test.each([
    ['Practitioner?name=MARTIN', 'handling=strict', 'parameterUnknown not-supported'],
    [`Practitioner?identifier=${martin}`, '', 'parameterMalformed value'],
    [`Practitioner?identifier=${ps}|`, '', 'parameterMalformed value'],
    [`Practitioner?_id=${Array(21).fill('x').join(',')}`, '', 'parameterMalformed value'],
    ['PractitionerRole?practitioner=Patient/1', '', 'parameterMalformed value'],
    [`PractitionerRole?practitioner.name=MARTIN`, '', 'parameterUnknown not-supported'],
  ])('%s is refused', async (asked, prefer, name) => {
    const answer = await door.get('dr-nguyen', asked, { headers: { Prefer: prefer } });
    expect([answer.status, problemsOf(answer)]).toEqual([400, [name]]);
  });
});

describe('who may ask', () => {
  const asked = `Practitioner?identifier=${ps}|${martin}`;
  test.each(['dr-roux', 'inf-petit', 'sec-moreau', 'hopital-nord', 'regie'])('%s', async (who) => {
    expect(await find(asked, who)).toMatchObject({ total: 1 });
    expect((await door.get(who, `Practitioner/${martin}`)).status).toBe(200);
  });

  test.each(['laurent', 'sophie-morel'])('not %s, to whom documents name their authors', async (who) => {
    for (const path of [asked, `Practitioner/${martin}`, 'Practitioner/899970009999']) {
      const answer = await door.get(who, path);
      expect([answer.status, problemsOf(answer)]).toEqual([403, ['accessDenied forbidden']]);
    }
  });

  test('each look-up leaves one event, of no patient', async () => {
    const before = door.world.tools.store.events().length;
    await find(asked);
    await door.get('dr-nguyen', `Practitioner/${martin}`);
    await door.get('dr-nguyen', 'Practitioner/899970009999');
    await door.get('dr-nguyen', 'Practitioner');
    await door.get('laurent', asked);
    const events = door.world.tools.store.events().slice(before);
    expect(events.map(({ action, outcome, origin, ground }) => [action, outcome, origin.transaction, ground])).toEqual([
      ['readDirectory', 'done', 'search', 'identified'],
      ['readDirectory', 'done', 'read', 'identified'],
      ['readDirectory', 'failed', 'read', 'resourceUnknown'],
      ['readDirectory', 'failed', 'search', 'directoryNotListed'],
      ['readDirectory', 'refused', 'search', 'matrix'],
    ]);
    expect(events.map(({ record }) => record)).toEqual(Array(5).fill(undefined));
    expect(events[0]?.query).toBe(`GET /fhir/Practitioner?identifier=${encodeURIComponent(`${ps}|${martin}`)}`);
  });
});

test('what of a document is hidden tells neither that it is there nor whose it is', async () => {
  const sent = changed(bundleOf(door), (_, { document: hidden }) => {
    hidden.securityLabel = [
      ...(hidden.securityLabel ?? []),
      { coding: [{ system: maskSystem, code: 'INVISIBLE_PATIENT' }] },
    ];
  });
  const before = await door.get('dr-nguyen', `Practitioner/${martin}`);
  expect((await post(door, 'dr-martin', sent)).status).toBe(200);
  const after = await door.get('dr-nguyen', `Practitioner/${martin}`);
  expect(after.bytes.equals(before.bytes)).toBe(true);
  expect(after.bytes.toString()).not.toMatch(/Patient|DocumentReference|LAURENT/);
});
const maskSystem =
  'https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument';

test('the CapabilityStatement says what is served of each', async () => {
  const { json } = await door.ask<CapabilityStatement>('metadata');
  const served = (type: string) => {
    const found = json.rest?.[0]?.resource?.find((one) => one.type === type);
    return [found?.interaction?.map(({ code }) => code), found?.searchParam?.map(({ name }) => name)];
  };
  const codes = ['search-type', 'read'];
  for (const type of ['Practitioner', 'Organization', 'Device'])
    expect(served(type)).toEqual([codes, ['_id', 'identifier']]);
  const ofRole = ['practitioner', 'practitioner.identifier', 'organization', 'organization.identifier'];
  expect(served('PractitionerRole')).toEqual([codes, ['_id', ...ofRole, 'specialty']]);
});
