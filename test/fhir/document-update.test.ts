import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import type {
  AuditEvent,
  Bundle,
  CapabilityStatement,
  DocumentReference,
  OperationOutcome,
  Parameters,
} from 'fhir/r4.js';
import { extensions } from '../../server/fhir/vocabulary.ts';
import { type Door, openDoor } from './door.ts';

let door: Door | undefined;
beforeEach(async () => {
  await door?.close();
  door = await openDoor();
});
afterAll(() => door?.close());

const opened = () => {
  if (door === undefined) throw new Error('no door is open');
  return door;
};
type Answered = Omit<DocumentReference, 'resourceType'> &
  Omit<OperationOutcome, 'resourceType'> & { resourceType: string };
type Documents = Bundle<DocumentReference>;
const jsonPatch = 'application/json-patch+json';
const a07 = 'https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument';
const label = (code: string, system = a07) => ({ coding: [{ system, code }] });
const basic = label('N', 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality');

async function send(
  who: string,
  method: string,
  path: string,
  { body, headers = {}, patient }: { body?: unknown; headers?: Record<string, string>; patient?: string } = {},
) {
  const token = await opened().token(who, patient === undefined ? {} : { patient });
  return opened().ask<Answered>(path, {
    method,
    headers: { Authorization: `Bearer ${token}`, ...(body !== undefined && { 'Content-Type': jsonPatch }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}
const patch = (who: string, id: string, body: unknown, headers: Record<string, string> = {}) =>
  send(who, 'PATCH', `DocumentReference/${id}`, { body, headers });
const read = (who: string, path: string) => opened().get<Answered>(who, path);
const problemOf = ({ json }: { json: Answered }) => json.issue[0]?.details?.text;
const labels = ({ securityLabel = [] }: Pick<DocumentReference, 'securityLabel'>) =>
  securityLabel.map(({ coding }) => coding?.[0]?.code);
const archived = ({ extension = [] }: Pick<DocumentReference, 'extension'>) =>
  extension.find(({ url }) => url === extensions.isArchived)?.valueBoolean === true;

async function idOf(title: string, who = 'dr-martin', of = 'laurent'): Promise<string> {
  const query = `DocumentReference?patient.identifier=${opened().of(of)}&status=current&_count=100`;
  const { json } = await opened().get<Documents>(who, query);
  const found = json.entry?.find(({ resource }) => resource?.content[0]?.attachment.title === title);
  if (found?.resource?.id === undefined) throw new Error(`no document is called ${title}`);
  return found.resource.id;
}
/** A document of dr-nguyen's own. */
const own = () => idOf('Consultation de cardiologie');

describe('a visibility code adds to the basic level', () => {
  test.each([
    ['put in its place', [{ op: 'replace', path: '/securityLabel/0', value: label('MASQUE_PS') }]],
    ['added', [{ op: 'add', path: '/securityLabel/-', value: label('MASQUE_PS') }]],
    ['among all', [{ op: 'replace', path: '/securityLabel', value: [basic, label('MASQUE_PS')] }]],
    [
      'tested before',
      [
        { op: 'test', path: '/status', value: 'current' },
        { op: 'add', path: '/securityLabel/1', value: label('MASQUE_PS') },
      ],
    ],
  ])('%s', async (_form, operations) => {
    const id = await own();
    const { status, headers, json } = await patch('dr-nguyen', id, operations);
    expect(status).toBe(200);
    expect(json).toMatchObject({ resourceType: 'DocumentReference', id, meta: { versionId: '2' } });
    expect(labels(json)).toEqual(['N', 'MASQUE_PS']);
    expect(headers.get('etag')).toBe('W/"2"');
    expect((await read('dr-nguyen', `DocumentReference/${id}`)).json).toEqual(json);
    expect((await read('inf-petit', `DocumentReference/${id}`)).status).toBe(404);
  });

  test.each([
    ['the basic level in its own place', [{ op: 'replace', path: '/securityLabel/0', value: basic }]],
    ['removed', [{ op: 'remove', path: '/securityLabel/1' }]],
    ['the basic level alone', [{ op: 'replace', path: '/securityLabel', value: [basic] }]],
  ])('and goes again: %s', async (_form, operations) => {
    const id = await own();
    await patch('dr-nguyen', id, [{ op: 'add', path: '/securityLabel/-', value: label('MASQUE_PS') }]);
    const { status, json } = await patch('dr-nguyen', id, operations);
    expect([status, labels(json), json.meta?.versionId]).toEqual([200, ['N'], '3']);
    expect((await read('inf-petit', `DocumentReference/${id}`)).status).toBe(200);
  });

  test('an announcement shows the document to the patient, who may not see it before', async () => {
    const { json } = await opened().get<Documents>(
      'dr-martin',
      `DocumentReference?patient.identifier=${opened().of('masson')}&security-label=INVISIBLE_PATIENT`,
    );
    const id = json.entry?.[0]?.resource?.id ?? '';
    expect((await read('masson', `DocumentReference/${id}`)).status).toBe(404);
    const done = await patch('dr-martin', id, [{ op: 'replace', path: '/securityLabel', value: [basic] }]);
    expect([done.status, labels(done.json)]).toEqual([200, ['N']]);
    expect((await read('masson', `DocumentReference/${id}`)).status).toBe(200);
  });

  test('nobody hides from the patient what he may see', async () => {
    const { status, json } = await patch('dr-nguyen', await own(), [
      { op: 'add', path: '/securityLabel/-', value: label('INVISIBLE_PATIENT') },
    ]);
    expect([status, json.issue[0]?.details?.text]).toEqual([422, 'visibilityNotAllowed']);
  });

  test('the basic level is no other', async () => {
    const refused = await patch('dr-nguyen', await own(), [
      { op: 'replace', path: '/securityLabel/0', value: label('R', basic.coding[0]?.system) },
    ]);
    expect([refused.status, problemOf(refused)]).toEqual([422, 'codeNotAllowed']);
  });
});

describe('isArchived', () => {
  const url = extensions.isArchived;
  test.each([
    ['with its URL as index', [{ op: 'replace', path: `/extension[url:'${url}']/valueBoolean`, value: true }]],
    ['with a number', [{ op: 'replace', path: '/extension/0/valueBoolean', value: true }]],
    ['added', [{ op: 'add', path: '/extension/-', value: { url, valueBoolean: true } }]],
  ])('archives: %s', async (_form, operations) => {
    const id = await own();
    const { status, json } = await patch('dr-nguyen', id, operations);
    expect([status, json.status, archived(json), json.meta?.versionId]).toEqual([200, 'current', true, '2']);
    const back = await patch('dr-nguyen', id, [{ op: 'replace', path: '/extension/0/valueBoolean', value: false }]);
    expect([back.status, back.json.status, archived(back.json), back.json.meta?.versionId]).toEqual([
      200,
      'current',
      false,
      '3',
    ]);
    expect((await read('dr-nguyen', `DocumentReference/${id}`)).json).toEqual(back.json);
  });

  test('another extension is not touched', async () => {
    const refused = await patch('dr-nguyen', await own(), [{ op: 'remove', path: '/extension/0' }]);
    expect([refused.status, problemOf(refused)]).toEqual([405, 'patchForbidden']);
  });
});

describe('FHIRPath Patch', () => {
  const operation = (...part: NonNullable<Parameters['parameter']>): Parameters => ({
    resourceType: 'Parameters',
    parameter: [{ name: 'operation', part }],
  });
  const mask = operation(
    { name: 'type', valueCode: 'add' },
    { name: 'path', valueString: 'DocumentReference' },
    { name: 'name', valueString: 'securityLabel' },
    { name: 'value', valueCodeableConcept: label('MASQUE_PS') },
  );
  const archive = operation(
    { name: 'type', valueCode: 'add' },
    { name: 'path', valueString: 'DocumentReference' },
    { name: 'name', valueString: 'extension' },
    {
      name: 'value',
      part: [
        { name: 'url', valueUri: extensions.isArchived },
        { name: 'value', valueBoolean: true },
      ],
    },
  );
  const unmask = operation(
    { name: 'type', valueCode: 'delete' },
    { name: 'path', valueString: "DocumentReference.securityLabel.where(coding.code = 'MASQUE_PS')" },
  );
  const type = { 'Content-Type': 'application/fhir+json' };

  test('masks, unmasks and archives', async () => {
    const id = await own();
    expect(labels((await patch('dr-nguyen', id, mask, type)).json)).toEqual(['N', 'MASQUE_PS']);
    expect(labels((await patch('dr-nguyen', id, unmask, type)).json)).toEqual(['N']);
    expect(archived((await patch('dr-nguyen', id, archive, type)).json)).toBe(true);
  });

  test('touches nothing else', async () => {
    const title = operation(
      { name: 'type', valueCode: 'replace' },
      { name: 'path', valueString: 'DocumentReference.description' },
      { name: 'value', valueString: 'another' },
    );
    const refused = await patch('dr-nguyen', await own(), title, type);
    expect([refused.status, problemOf(refused)]).toEqual([405, 'patchForbidden']);
  });
});

describe('a patch is refused', () => {
  test.each([
    ['of any other element', [{ op: 'replace', path: '/description', value: 'x' }], 405, 'patchForbidden'],
    ['that moves one', [{ op: 'move', from: '/type', path: '/securityLabel/-' }], 405, 'patchForbidden'],
    ['whose test fails', [{ op: 'test', path: '/status', value: 'superseded' }], 422, 'patchFailed'],
    ['of what is not there', [{ op: 'remove', path: '/securityLabel/7' }], 422, 'patchFailed'],
    ['of a prototype', [{ op: 'add', path: '/securityLabel/__proto__', value: 1 }], 422, 'patchFailed'],
    ['with an unknown status', [{ op: 'replace', path: '/status', value: 'final' }], 400, 'elementMalformed'],
    ['that is no list', { op: 'replace' }, 400, 'elementMalformed'],
    ['that is no JSON', '[{', 400, 'notJson'],
  ])('%s', async (_case, body, status, name) => {
    const id = await own();
    const refused = await patch('dr-nguyen', id, body);
    expect([refused.status, problemOf(refused)]).toEqual([status, name]);
    expect(refused.headers.get('allow')).toBe(status === 405 ? 'GET, HEAD, PATCH, DELETE' : null);
    expect((await read('dr-nguyen', `DocumentReference/${id}`)).headers.get('etag')).toBe('W/"1"');
  });

  test('of another media type', async () => {
    const refused = await patch('dr-nguyen', await own(), '{}', { 'Content-Type': 'application/merge-patch+json' });
    expect([refused.status, problemOf(refused)]).toEqual([415, 'mediaTypeUnsupported']);
  });

  test('for another state than the latest', async () => {
    const id = await own();
    const operations = [{ op: 'add', path: '/securityLabel/-', value: label('MASQUE_PS') }];
    const refused = await patch('dr-nguyen', id, operations, { 'If-Match': 'W/"7"' });
    expect([refused.status, problemOf(refused)]).toEqual([412, 'versionDiffers']);
    expect((await patch('dr-nguyen', id, operations, { 'If-Match': 'W/"1"' })).status).toBe(200);
  });

  test('by whom the document is not: it is not his to delete, and unknown without a right', async () => {
    const id = await own();
    const del = [{ op: 'replace', path: '/status', value: 'entered-in-error' }];
    const refused = await patch('inf-petit', id, del);
    expect([refused.status, problemOf(refused)]).toEqual([403, 'changeNotYours']);
    expect((await patch('pharm-durand', id, del)).status).toBe(404);
    const nothing = await patch('dr-nguyen', '00000000-0000-4000-8000-000000000000', del);
    expect(nothing.status).toBe(404);
  });
});

test('each patch leaves one event, of the action that it was', async () => {
  const id = await own();
  const before = opened().world.tools.store.events().length;
  await patch('dr-nguyen', id, [{ op: 'add', path: '/securityLabel/-', value: label('MASQUE_PS') }]);
  await patch('inf-petit', id, [{ op: 'replace', path: '/status', value: 'entered-in-error' }]);
  const events = opened().world.tools.store.events().slice(before);
  expect(events.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual(['mask done', 'updateDocument failed']);
});

test('what is wanted already changes nothing', async () => {
  const { status, json } = await patch('dr-nguyen', await own(), [
    { op: 'replace', path: '/status', value: 'current' },
  ]);
  expect([status, json.meta?.versionId]).toEqual([200, '1']);
});

test.each([
  ['minimal', ''],
  ['OperationOutcome', 'OperationOutcome'],
  ['representation', 'DocumentReference'],
])('Prefer return=%s is honoured', async (preferred, type) => {
  const operations = [{ op: 'add', path: '/securityLabel/-', value: label('MASQUE_PS') }];
  const { status, bytes, json } = await patch('dr-nguyen', await own(), operations, { Prefer: `return=${preferred}` });
  expect(status).toBe(200);
  if (type === '') expect(bytes.length).toBe(0);
  else expect(json.resourceType).toBe(type);
});

describe('a conditional patch', () => {
  const operations = [{ op: 'add', path: '/securityLabel/-', value: label('MASQUE_PS') }];
  const conditional = (who: string, query: string) =>
    send(who, 'PATCH', `DocumentReference?${query}`, { body: operations });
  const uniqueIdOf = async (id: string) => {
    const { masterIdentifier } = (await read('dr-nguyen', `DocumentReference/${id}`)).json;
    return `${masterIdentifier?.system}|${masterIdentifier?.value}`;
  };

  test('changes the one that matches', async () => {
    const id = await own();
    const { status, json } = await conditional(
      'dr-nguyen',
      `identifier=${await uniqueIdOf(id)}&patient.identifier=${opened().of('laurent')}`,
    );
    expect([status, json.id, labels(json)]).toEqual([200, id, ['N', 'MASQUE_PS']]);
  });

  test('of none is 404, of two 412, without identifier 400', async () => {
    const two = `${await uniqueIdOf(await own())},${await uniqueIdOf(await idOf('Ordonnance'))}`;
    const answers = await Promise.all([
      conditional('dr-nguyen', 'identifier=urn:ietf:rfc:3986|urn:oid:2.999.404'),
      conditional('dr-nguyen', `identifier=${two}`),
      conditional('dr-nguyen', `patient.identifier=${opened().of('laurent')}`),
      conditional('dr-nguyen', `identifier=${two}&type=11488-4`),
    ]);
    expect(answers.map((answer) => [answer.status, problemOf(answer)])).toEqual([
      [404, 'resourceUnknown'],
      [412, 'multipleMatches'],
      [400, 'parameterMissing'],
      [400, 'parameterMalformed'],
    ]);
  });
});

describe('a conditional DELETE', () => {
  const conditional = (who: string, query: string, headers: Record<string, string> = {}) =>
    send(who, 'DELETE', `DocumentReference?${query}`, { headers });
  const nameOf = async (id: string) => {
    const { masterIdentifier } = (await read('dr-nguyen', `DocumentReference/${id}`)).json;
    return `identifier=${masterIdentifier?.system}|${masterIdentifier?.value}`;
  };

  test('deletes the one that matches, logically', async () => {
    const id = await own();
    const stale = await conditional('dr-nguyen', await nameOf(id), { 'If-Match': 'W/"7"' });
    expect([stale.status, (await read('dr-nguyen', `DocumentReference/${id}`)).status]).toEqual([412, 200]);
    const name = await nameOf(id);
    expect((await conditional('dr-nguyen', name, { 'If-Match': 'W/"1"' })).status).toBe(204);
    expect((await read('dr-nguyen', `DocumentReference/${id}`)).status).toBe(410);
    expect((await conditional('dr-nguyen', name)).status).toBe(404);
  });

  test('of none, of two, of what is not served, or by who may not, deletes nothing', async () => {
    const [one, other] = [await own(), await idOf('Ordonnance')];
    const name = await nameOf(one);
    const two = `${name},${(await nameOf(other)).slice('identifier='.length)}`;
    const answers = [
      await conditional('dr-nguyen', 'identifier=urn:ietf:rfc:3986|urn:oid:2.999.404'),
      await conditional('dr-nguyen', two),
      await conditional('dr-nguyen', ''),
      await conditional('dr-nguyen', `${name}&colour=red`),
      await conditional('dr-nguyen', `${name}&type=11488-4`),
      await conditional('inf-petit', name),
    ];
    expect(answers.map((answer) => [answer.status, problemOf(answer)])).toEqual([
      [404, 'resourceUnknown'],
      [412, 'multipleMatches'],
      [400, 'parameterMissing'],
      [400, 'parameterUnknown'],
      [400, 'parameterMalformed'],
      [403, 'changeNotYours'],
    ]);
    const left = await Promise.all([one, other].map((id) => read('dr-nguyen', `DocumentReference/${id}`)));
    expect(left.map(({ status }) => status)).toEqual([200, 200]);
  });

  test('is announced', async () => {
    const { json } = await opened().ask<CapabilityStatement>('metadata');
    const told = json.rest?.[0]?.resource?.find(({ type }) => type === 'DocumentReference');
    expect([told?.conditionalDelete, told?.interaction?.map(({ code }) => code)]).toEqual([
      'single',
      expect.arrayContaining(['delete', 'patch']),
    ]);
  });
});

describe('a logical deletion', () => {
  test.each([
    ['by DELETE', (id: string) => send('dr-nguyen', 'DELETE', `DocumentReference/${id}`), 204],
    [
      'by status',
      (id: string) => patch('dr-nguyen', id, [{ op: 'replace', path: '/status', value: 'entered-in-error' }]),
      200,
    ],
  ])('%s: found only by asking for that status', async (_way, remove, done) => {
    const id = await own();
    expect((await remove(id)).status).toBe(done);
    expect([await read('dr-nguyen', `DocumentReference/${id}`)].map((a) => [a.status, problemOf(a)])).toEqual([
      [410, 'resourceDeleted'],
    ]);
    const found = async (query: string) =>
      (
        await opened().get<Documents>(
          'dr-nguyen',
          `DocumentReference?patient.identifier=${opened().of('laurent')}&${query}`,
        )
      ).json;
    expect((await found(`_id=${id}`)).total).toBe(0);
    expect((await found(`_id=${id}&status=entered-in-error`)).entry?.[0]?.resource).toMatchObject({
      status: 'entered-in-error',
      meta: { versionId: '2' },
    });
    expect([(await read('inf-petit', `Binary/${id}`)).status]).toEqual([200]);
    expect((await send('dr-nguyen', 'DELETE', `DocumentReference/${id}`)).status).toBe(204);
    const late = await patch('dr-nguyen', id, [{ op: 'replace', path: '/status', value: 'current' }]);
    expect([late.status, problemOf(late)]).toEqual([410, 'resourceDeleted']);
  });

  test('is not for who did not write it', async () => {
    const refused = await send('inf-petit', 'DELETE', `DocumentReference/${await own()}`);
    expect([refused.status, problemOf(refused)]).toEqual([403, 'changeNotYours']);
  });
});

describe('history', () => {
  test('has every state, and vread each of them', async () => {
    const id = await own();
    const first = (await read('dr-nguyen', `DocumentReference/${id}`)).json;
    opened().world.clock.now += 1000;
    await patch('dr-nguyen', id, [
      { op: 'add', path: '/extension/-', value: { url: extensions.isArchived, valueBoolean: true } },
    ]);
    opened().world.clock.now += 1000;
    const third = (await patch('dr-nguyen', id, [{ op: 'add', path: '/securityLabel/-', value: label('MASQUE_PS') }]))
      .json;
    await send('dr-nguyen', 'DELETE', `DocumentReference/${id}`);
    const { json } = await opened().get<Documents>('dr-nguyen', `DocumentReference/${id}/_history`);
    expect(json).toMatchObject({ type: 'history', total: 4 });
    expect(json.entry?.map(({ request, response }) => [request?.method, response?.etag])).toEqual([
      ['DELETE', 'W/"4"'],
      ['PUT', 'W/"3"'],
      ['PUT', 'W/"2"'],
      ['POST', 'W/"1"'],
    ]);
    expect(json.entry?.[0]).not.toHaveProperty('resource');
    expect(json.entry?.[1]?.resource).toEqual(third);
    expect(json.entry?.[3]?.resource).toEqual(first);
    const version = async (n: number) => read('dr-nguyen', `DocumentReference/${id}/_history/${n}`);
    expect((await version(1)).json).toEqual(first);
    expect(archived((await version(2)).json)).toBe(true);
    expect([(await version(4)).status, (await version(5)).status]).toEqual([410, 404]);
    const since = encodeURIComponent(third.meta?.lastUpdated ?? '');
    expect(
      (await opened().get<Documents>('dr-nguyen', `DocumentReference/${id}/_history?_since=${since}`)).json.total,
    ).toBe(2);
  });

  test('of a hidden document is nowhere', async () => {
    const id = await own();
    await patch('dr-nguyen', id, [{ op: 'add', path: '/securityLabel/-', value: label('MASQUE_PS') }]);
    for (const path of ['', '/_history', '/_history/1', '/_history/2'])
      expect((await read('inf-petit', `DocumentReference/${id}${path}`)).status).toBe(404);
  });

  test('the bytes keep their address', async () => {
    const id = await own();
    const before = await opened().get('dr-nguyen', `Binary/${id}`);
    await patch('dr-nguyen', id, [{ op: 'add', path: '/securityLabel/-', value: label('MASQUE_PS') }]);
    const after = await opened().get('dr-nguyen', `Binary/${id}`);
    expect([after.status, after.bytes.equals(before.bytes)]).toEqual([200, true]);
    expect((await opened().get('inf-petit', `Binary/${id}`)).status).toBe(404);
  });
});

test('the history of the patient names the document by the id that it keeps', async () => {
  const id = await own();
  await patch('dr-nguyen', id, [{ op: 'add', path: '/securityLabel/-', value: label('MASQUE_PS') }]);
  await read('dr-nguyen', `DocumentReference/${id}`);
  const { json } = await opened().get<Bundle<AuditEvent>>('laurent', 'AuditEvent?date=ge2026-01-01&_count=2');
  const named = json.entry?.map(({ resource }) => resource?.entity?.flatMap(({ what }) => what?.reference ?? []));
  expect(named).toEqual([
    expect.arrayContaining([`DocumentReference/${id}`]),
    expect.arrayContaining([`DocumentReference/${id}`]),
  ]);
});

test('the CapabilityStatement tells it', async () => {
  const { json } = await opened().ask<CapabilityStatement>('metadata');
  expect(json.patchFormat).toEqual([
    jsonPatch,
    'application/xml-patch+xml',
    'application/fhir+json',
    'application/fhir+xml',
  ]);
  const told = json.rest?.[0]?.resource?.find(({ type }) => type === 'DocumentReference');
  expect(told).toMatchObject({ versioning: 'versioned', readHistory: true, conditionalRead: 'full-support' });
  expect(told?.interaction?.map(({ code }) => code)).toEqual(
    expect.arrayContaining(['read', 'vread', 'patch', 'delete', 'history-instance', 'search-type']),
  );
});

test('the entryUUID of an earlier version finds the document as it is now', async () => {
  const id = await own();
  const { json } = await patch('dr-nguyen', id, [{ op: 'add', path: '/securityLabel/-', value: label('MASQUE_PS') }]);
  const latest = json.identifier?.find(({ use }) => use === 'official')?.value;
  expect(latest).not.toBe(`urn:uuid:${id}`);
  for (const name of [`urn:uuid:${id}`, latest]) {
    const found = await opened().get<Documents>('dr-nguyen', `DocumentReference?identifier=${name}`);
    expect(found.json.entry?.map(({ resource }) => resource)).toEqual([json]);
  }
});

test('If-None-Match spares the same state', async () => {
  const id = await own();
  const again = (tag: string) =>
    opened().get('dr-nguyen', `DocumentReference/${id}`, { headers: { 'If-None-Match': tag } });
  expect([(await again('W/"1"')).status, (await again('W/"2"')).status]).toEqual([304, 200]);
});

test('_lastUpdated finds what changed since, whatever changed', async () => {
  const id = await own();
  opened().world.clock.now += 60_000;
  const { json } = await patch('dr-nguyen', id, [
    { op: 'add', path: '/extension/-', value: { url: extensions.isArchived, valueBoolean: true } },
  ]);
  const query = `patient.identifier=${opened().of('laurent')}&_lastUpdated=ge${json.meta?.lastUpdated}`;
  const found = await opened().get<Documents>('dr-nguyen', `DocumentReference?${query}`);
  expect(found.json.entry?.map(({ resource }) => resource?.id)).toEqual([id]);
});
