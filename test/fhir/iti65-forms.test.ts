import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type {
  Bundle,
  BundleEntry,
  DocumentReference,
  FhirResource,
  List,
  OperationOutcome,
  Reference,
} from 'fhir/r4.js';
import { oidOfUuid } from '../../server/domain/identifier.ts';
import type { FhirLimits } from '../../server/fhir/limits.ts';
import { extensions, mhdListTypes } from '../../server/fhir/vocabulary.ts';
import { patientOf } from '../../server/sandbox/people.ts';
import { bundleOf, type Change, changed, post, resourceIn } from './deposits.ts';
import { type Door, openDoor } from './door.ts';

let door: Door;
let open: Door;
beforeAll(async () => {
  door = await openDoor();
  open = await openDoor({ domain: 'open' });
  const { settings } = open.world.tools;
  const { identity } = door.world.tools.settings.domain;
  Object.assign(settings, { domain: { ...settings.domain, identity } });
});
afterAll(async () => {
  await door.close();
  await open.close();
});

const mhd = 'https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD';
const laurent = patientOf('laurent') ?? { family: '', birthDate: '', gender: '' };
const urn = () => `urn:uuid:${randomUUID()}`;
const provide = <T = Bundle>(change: Change, at = door) => post<T>(at, 'dr-martin', changed(bundleOf(at), change));
const path = (location = '') => location.slice(location.indexOf('/fhir/') + 6).replace(/\/_history\/\d+$/, '');
const locations = ({ entry = [] }: Bundle) => entry.map(({ response }) => path(response?.location));
const issues = ({ issue }: OperationOutcome) =>
  issue.map(({ details, expression }) => `${details?.text} ${expression?.[0] ?? ''}`.trim());
/** What a Bundle was refused for. */
const told = (json: Bundle | OperationOutcome) => (json.resourceType === 'Bundle' ? [] : issues(json));
const read = async <T = DocumentReference>(location = '', at = door) => (await at.get<T>('dr-martin', location)).json;
const count = async () => {
  const query = `DocumentReference?patient.identifier=${door.of('laurent')}&_count=0`;
  return (await door.get<Bundle>('dr-martin', query)).json.total;
};

/** Puts what a resource contains into entries of their own. */
function uncontained(resource: DocumentReference | List, entry: BundleEntry<FhirResource>[], root = ''): void {
  const urls = new Map((resource.contained ?? []).map(({ id }) => [`#${id}`, root === '' ? urn() : '']));
  for (const { resourceType, id } of resource.contained ?? [])
    if (root !== '') urls.set(`#${id}`, `${root}/${resourceType}/${id}`);
  const renamed = JSON.parse(JSON.stringify(resource), (key, value: unknown) =>
    key === 'reference' && typeof value === 'string' ? (urls.get(value) ?? value) : value,
  ) as typeof resource;
  for (const held of renamed.contained ?? [])
    entry.push({
      fullUrl: urls.get(`#${held.id}`) ?? '',
      resource: held as FhirResource,
      request: { method: 'POST', url: held.resourceType },
    });
  delete renamed.contained;
  for (const key of Object.keys(resource)) Reflect.deleteProperty(resource, key);
  Object.assign(resource, renamed);
}

const asUncontained: Change = (bundle, { document, set, entry }) => {
  delete bundle.meta;
  document.meta = { profile: [`${mhd}.UnContained.Comprehensive.DocumentReference`] };
  set.meta = { profile: [`${mhd}.UnContained.Comprehensive.SubmissionSet`] };
  uncontained(document, entry);
  uncontained(set, entry);
};

describe('authors and patients that are not contained', () => {
  test('are entries of the Bundle: the document says the same as one that contains them', async () => {
    const contained = await provide(() => {});
    const { status, json } = await provide(asUncontained);
    expect([status, told(json)]).toEqual([200, []]);
    const [one, other] = [await read(locations(contained.json)[1]), await read(locations(json)[1])];
    expect(other.author).toEqual(one.author);
    expect(other.contained).toEqual(one.contained);
    expect(other.context?.sourcePatientInfo).toEqual(one.context?.sourcePatientInfo);
    const places = locations(json).slice(3);
    expect(places.length).toBeGreaterThan(3);
    for (const place of new Set(places)) expect((await door.get('dr-martin', place)).status).toBe(200);
  });

  test('are named relative to an absolute fullUrl', async () => {
    const { status, json } = await provide((bundle, parts) => {
      asUncontained(bundle, { ...parts, entry: [] });
    });
    expect([status, issues(json as unknown as OperationOutcome)[0]]).toEqual([
      400,
      expect.stringContaining('referenceUnresolved'),
    ]);
    const relative = await provide((bundle, { document, entry }) => {
      delete bundle.meta;
      delete document.meta;
      const [, second] = entry;
      const root = 'https://source.example.org/fhir';
      if (second !== undefined) {
        const old = second.fullUrl ?? '';
        second.fullUrl = `${root}/DocumentReference/d1`;
        const set = resourceIn({ resourceType: 'Bundle', type: 'transaction', entry }, 'List');
        for (const { item } of set.entry ?? []) if (item.reference === old) item.reference = second.fullUrl;
      }
      uncontained(document, entry, root);
      const shorten = (reference?: Reference) => {
        if (reference?.reference !== undefined) reference.reference = reference.reference.replace(`${root}/`, '');
      };
      for (const author of document.author ?? []) shorten(author);
      shorten(document.authenticator);
    });
    expect([relative.status, told(relative.json)]).toEqual([200, []]);
  });

  test('may be named by a condition that is an identifier', async () => {
    const { status, json } = await provide((bundle, { document }) => {
      delete bundle.meta;
      delete document.meta;
      document.authenticator = { reference: 'Practitioner?identifier=urn:oid:1.2.250.1.71.4.2.1|899900000017' };
      Object.assign(document.authenticator, { display: 'DURAND' });
    });
    expect([status, told(json)]).toEqual([200, []]);
    const { contained = [] } = await read(locations(json)[1]);
    const person = contained.find(({ id }) => id === 'authenticator-person');
    expect(person).toMatchObject({ identifier: [{ system: 'urn:oid:1.2.250.1.71.4.2.1', value: '899900000017' }] });
  });

  test('may be named by their address here, relative or absolute', async () => {
    const { status, json } = await provide((bundle, { document }) => {
      delete bundle.meta;
      delete document.meta;
      document.authenticator = { reference: `${door.base}/Practitioner/899900000017` };
      document.author?.push({ reference: 'Organization/1490000019' });
    });
    expect([status, told(json)]).toEqual([200, []]);
    const text = JSON.stringify(await read(locations(json)[1]));
    expect([text.includes('899900000017'), text.includes('1490000019')]).toEqual([true, true]);
  });

  test('that go round in a circle are refused, not followed', async () => {
    const { status, json } = await provide<OperationOutcome>((_, { document }) => {
      const roles: object[] = [
        {
          resourceType: 'PractitionerRole',
          id: 'a',
          practitioner: { reference: '#b' },
          organization: { reference: '#b' },
        },
        { resourceType: 'PractitionerRole', id: 'b', practitioner: { reference: '#a' } },
      ];
      Object.assign(document, { contained: roles, author: [{ reference: '#a' }] });
      delete document.authenticator;
      document.context = { ...document.context, sourcePatientInfo: { identifier: document.subject?.identifier ?? {} } };
    });
    expect(status).toBe(400);
    expect(issues(json)).toContain('attributeMalformed Bundle.entry[1].resource.author[0]');
  });
});

describe('a Patient in the Bundle', () => {
  const patient = (change: object = {}): FhirResource => {
    const [system, value] = door.of('laurent').split('|');
    return {
      resourceType: 'Patient',
      identifier: [
        { system: 'https://hospital.example.org/ipp', value: '42' },
        { system, value },
      ],
      name: [{ use: 'official', family: laurent.family }],
      birthDate: laurent.birthDate,
      gender: laurent.gender,
      ...change,
    } as FhirResource;
  };
  const withPatient =
    (resource: FhirResource | undefined, request: NonNullable<BundleEntry['request']>): Change =>
    (_, { document, set, entry }) => {
      const fullUrl = urn();
      entry.push({ fullUrl, ...(resource && { resource }), request });
      document.subject = { reference: fullUrl };
      set.subject = { reference: fullUrl };
    };
  const recordId = async () =>
    (await door.get<Bundle>('dr-martin', `Patient?identifier=${door.of('laurent')}`)).json.entry?.[0]?.resource?.id;

  test.each(['POST', 'PUT', 'GET'] as const)('by %s is the holder of the record', async (method) => {
    const id = await recordId();
    const url = method === 'POST' ? 'Patient' : `Patient/${id}`;
    const { status, json } = await provide(withPatient(patient(), { method, url }));
    expect([status, json.entry?.at(-1)?.response]).toMatchObject([
      200,
      { status: '200 OK', lastModified: expect.any(String) },
    ]);
    const { location = '', etag } = json.entry?.at(-1)?.response ?? {};
    const found = await door.get('dr-martin', location);
    expect([path(location), found.status, found.headers.get('etag')]).toEqual([`Patient/${id}`, 200, etag]);
  });

  test('by GET needs no resource', async () => {
    const url = `Patient/${await recordId()}`;
    const { status, json } = await provide((bundle, { document, set, entry }) => {
      delete bundle.meta;
      entry.push({ fullUrl: `${door.base}/${url}`, request: { method: 'GET', url } });
      document.subject = { reference: `${door.base}/${url}` };
      set.subject = { reference: url };
    });
    expect([status, told(json)]).toEqual([200, []]);
  });

  test.each<[string, object, string]>([
    ['name', { name: [{ use: 'official', family: 'AUTRE' }] }, 'name'],
    ['date of birth', { birthDate: '1901-01-01' }, 'birthDate'],
    ['gender', { gender: 'female' }, 'gender'],
  ])('of another %s is refused', async (_, change, element) => {
    const { status, json } = await provide<OperationOutcome>(
      withPatient(patient(change), { method: 'POST', url: 'Patient' }),
    );
    expect([status, issues(json)]).toEqual([400, [`attributesContradict Bundle.entry[3].resource.${element}`]]);
  });

  test('whose address is of another record is refused', async () => {
    const other = (await door.get<Bundle>('dr-martin', `Patient?identifier=${door.of('casanova')}`)).json.entry?.[0];
    const url = `Patient/${other?.resource?.id}`;
    const { status, json } = await provide<OperationOutcome>(withPatient(patient(), { method: 'PUT', url }));
    expect([status, issues(json)]).toEqual([400, ['attributesContradict Bundle.entry[3].resource.identifier']]);
  });

  test('of this server is the source patient too, by reference', async () => {
    const reference = `${door.base}/Patient/${await recordId()}`;
    const { status, json } = await provide((bundle, { document, set }) => {
      delete bundle.meta;
      delete document.meta;
      document.subject = { reference };
      set.subject = { reference };
      document.context = { ...document.context, sourcePatientInfo: { reference } };
    });
    expect([status, told(json)]).toEqual([200, []]);
  });

  test('whom the reference and the identifier of a subject name differently is refused', async () => {
    const id = await recordId();
    const [system, value] = door.of('casanova').split('|');
    const { status, json } = await provide<OperationOutcome>((_, { document }) => {
      document.subject = { reference: `Patient/${id}`, identifier: { system: system ?? '', value: value ?? '' } };
    });
    expect(status).toBe(400);
    expect(issues(json)).toContain('attributesContradict Bundle.entry[1].resource.subject');
  });
});

describe('a registered folder', () => {
  const folderOf = (document: DocumentReference, member: string): List => ({
    resourceType: 'List',
    status: 'current',
    mode: 'working',
    title: 'Grossesse',
    code: { coding: [{ system: mhdListTypes, code: 'folder' }] },
    extension: [{ url: extensions.designationType, valueCodeableConcept: document.type ?? {} }],
    identifier: [{ use: 'usual', system: 'urn:ietf:rfc:3986', value: `urn:oid:${oidOfUuid(randomUUID())}` }],
    subject: document.subject ?? {},
    entry: [{ item: { reference: member } }],
  });
  const made = async () => {
    const { json } = await provide((_, { document, set, entry }) => {
      const [, { fullUrl = '' } = {}] = entry;
      const reference = urn();
      set.entry?.push({ item: { reference } });
      entry.push({
        fullUrl: reference,
        resource: folderOf(document, fullUrl),
        request: { method: 'POST', url: 'List' },
      });
    });
    expect(told(json)).toEqual([]);
    const [, document = '', , folder = ''] = locations(json);
    return { document, folder, list: await read<List>(folder) };
  };
  const putting =
    (location: string, change: (list: List) => void, also: string[] = []): Change =>
    (_, { entry }) => {
      const [, { fullUrl = '' } = {}] = entry;
      const list = structuredClone(lists.get(location)) as List;
      list.entry = [...also, fullUrl].map((reference) => ({ item: { reference } }));
      change(list);
      entry.push({ fullUrl: `${door.base}/${location}`, resource: list, request: { method: 'PUT', url: location } });
    };
  const lists = new Map<string, List>();

  test('receives a new document and one that is registered', async () => {
    const { folder, list, document } = await made();
    const { json: more } = await provide(() => {});
    const [, registered = ''] = locations(more);
    lists.set(folder, list);
    const { status, json } = await provide(putting(folder, () => {}, [registered]));
    expect(told(json)).toEqual([]);
    expect([status, json.entry?.at(-1)?.response]).toMatchObject([
      200,
      { status: '200 OK', location: `${door.base}/${folder}` },
    ]);
    const members = (await read<List>(folder)).entry?.map(({ item }) => item.reference);
    expect(members?.sort()).toEqual([document, registered, locations(json)[1] ?? ''].sort());
  });

  test('that is sent with the members that it has holds each of them once', async () => {
    const { folder, list, document } = await made();
    lists.set(folder, list);
    const { status, json } = await provide(putting(folder, () => {}, [document]));
    expect([status, told(json)]).toEqual([200, []]);
    const members = (await read<List>(folder)).entry?.map(({ item }) => item.reference);
    expect(members?.sort()).toEqual([document, locations(json)[1] ?? ''].sort());
  });

  test('may be named by its entryUUID instead of its address', async () => {
    const { folder, list, document } = await made();
    lists.set(folder, list);
    const put = putting(folder, () => {});
    const { status, json } = await provide((bundle, parts) => {
      put(bundle, parts);
      Object.assign(parts.entry.at(-1) ?? {}, { request: { method: 'PUT', url: 'List' } });
    });
    expect([status, told(json)]).toEqual([200, []]);
    const members = (await read<List>(folder)).entry?.map(({ item }) => item.reference);
    expect(members?.sort()).toEqual([document, locations(json)[1] ?? ''].sort());
  });

  test('of which something else is said gets a version that says so and holds what it held, and is traced as changed', async () => {
    const { folder, list, document } = await made();
    lists.set(folder, list);
    const before = door.world.tools.store.events().length;
    const { status, json } = await provide(putting(folder, (one) => Object.assign(one, { title: 'Autre' })));
    expect([status, told(json), json.entry?.at(-1)?.response?.etag]).toEqual([200, [], 'W/"2"']);
    const now = await read<List>(folder);
    expect([now.title, now.meta?.versionId]).toEqual(['Autre', '2']);
    expect(now.entry?.map(({ item }) => item.reference).sort()).toEqual([document, locations(json)[1] ?? ''].sort());
    const set = await read<List>(locations(json)[0]);
    expect(set.entry?.map(({ item }) => item.reference)).toContain(folder);
    expect(
      door.world.tools.store
        .events()
        .slice(before)
        .filter(({ action }) => action !== 'lookUpDocuments')
        .map(({ action, outcome }) => [action, outcome]),
    ).toEqual([
      ['submitDocuments', 'done'],
      ['updateDocument', 'done'],
    ]);
  });

  test('that changes while its document is replaced holds the replacement alone', async () => {
    const { folder, list, document } = await made();
    lists.set(folder, list);
    const put = putting(folder, (one) => {
      Object.assign(one, { title: 'Autre' });
      delete one.entry;
    });
    const { status, json } = await provide((bundle, parts) => {
      put(bundle, parts);
      parts.document.relatesTo = [{ code: 'replaces', target: { reference: document } }];
    });
    expect([status, told(json)]).toEqual([200, []]);
    const members = (await read<List>(folder)).entry?.map(({ item }) => item.reference);
    expect(members).toEqual([locations(json)[1]]);
  });

  test('of another author is filled, and not changed', async () => {
    const { folder, list } = await made();
    lists.set(folder, list);
    const by = async (change: (one: List) => void) =>
      post<OperationOutcome>(door, 'dr-nguyen', changed(bundleOf(door, 'dr-nguyen'), putting(folder, change)));
    const { status, json } = await by((one) => Object.assign(one, { title: 'Autre' }));
    expect([status, issues(json)]).toEqual([403, ['changeNotYours Bundle.entry[3].resource']]);
    expect((await by(() => {})).status).toBe(200);
    expect((await read<List>(folder)).title).toBe('Grossesse');
  });

  test('keeps its uniqueId, and nothing of a refused Bundle is stored', async () => {
    const { folder, list } = await made();
    lists.set(folder, list);
    const before = await count();
    const { status, json } = await provide<OperationOutcome>(
      putting(folder, (one) => {
        for (const identifier of one.identifier ?? [])
          if (identifier.use === 'usual') identifier.value = `urn:oid:${oidOfUuid(randomUUID())}`;
      }),
    );
    expect([status, issues(json)]).toEqual([400, ['attributeUnmodifiable Bundle.entry[3].resource.identifier']]);
    expect(await count()).toBe(before);
  });

  test('that does not exist is refused', async () => {
    const { folder, list } = await made();
    const unknown = `List/${randomUUID()}`;
    lists.set(unknown, { ...list, id: unknown.slice(5) });
    expect(folder).not.toBe(unknown);
    const { status, json } = await provide<OperationOutcome>(putting(unknown, () => {}));
    expect(status).toBe(400);
    expect(issues(json)).toContain('referenceUnresolved Bundle.entry[3].resource');
  });

  test('a registered document is filed by a set without being sent again', async () => {
    const { json: first } = await provide(() => {});
    const [, registered = ''] = locations(first);
    const { status, json } = await provide((_, { set, entry }) => {
      set.entry = [{ item: { reference: registered } }];
      entry.splice(1, 2);
    });
    expect(status).toBe(200);
    expect((await read<List>(locations(json)[0])).entry?.map(({ item }) => item.reference)).toEqual([registered]);
  });
});

describe('relations', () => {
  const replacing =
    (reference: string, ...codes: ('replaces' | 'transforms' | 'signs')[]): Change =>
    (_, { document }) => {
      document.relatesTo = codes.map((code) => ({ code, target: { reference } }));
    };

  test('a version that is no longer current is refused', async () => {
    const { json } = await provide(() => {});
    const [, location = ''] = locations(json);
    const refused = await provide<OperationOutcome>(replacing(`${location}/_history/2`, 'replaces'));
    expect([refused.status, issues(refused.json)]).toEqual([
      400,
      ['versionDiffers Bundle.entry[1].resource.relatesTo[0].target'],
    ]);
    expect((await provide(replacing(`${door.base}/${location}/_history/1`, 'replaces'))).status).toBe(200);
  });

  test('what a document transforms and replaces becomes superseded', async () => {
    const { json } = await provide(() => {});
    const [, location = ''] = locations(json);
    const { status, json: second } = await provide(replacing(location, 'transforms', 'replaces'));
    expect([status, (await read(location)).status]).toEqual([200, 'superseded']);
    const kinds = door.world.tools.store.held().association;
    expect(kinds).toBeGreaterThan(0);
    expect((await read(locations(second)[1])).status).toBe('current');
  });
});

describe('a FHIR document', () => {
  const text = `{"resourceType": "Bundle",
    "identifier": {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"},
    "type": "document", "timestamp": "2026-04-01T09:15:00Z",
    "entry": [{"resource": {"resourceType": "Composition", "status": "final", "type": {"text": "CR"}, "date": "2026-04-01",
      "author": [{"display": "X"}], "title": "é", "extension": [{"url": "http://x.example.org", "valueDecimal": 1.10}]}}]}`;

  /** The Bundle with the document in its own words. */
  const publishing = (document: string, change: (entry: DocumentReference) => void = () => {}) => {
    const fullUrl = urn();
    const bundle = changed(bundleOf(open), (_, { document: entry, set, entry: entries }) => {
      const [system = '', value = ''] = door.of('laurent').split('|');
      entry.subject = { identifier: { system, value } };
      set.subject = { identifier: { system, value } };
      delete entry.meta;
      const { size: _size, hash: _hash, ...attachment } = entry.content[0]?.attachment ?? {};
      entry.content = [
        { ...entry.content[0], attachment: { ...attachment, contentType: 'application/fhir+json', url: fullUrl } },
      ];
      change(entry);
      entries.splice(2, 1, { fullUrl, resource: 'HERE' as never, request: { method: 'POST', url: 'Bundle' } });
    });
    delete bundle.meta;
    return JSON.stringify(bundle).replace('"HERE"', document);
  };

  test('is kept in the very bytes that were sent, decimals and blanks included', async () => {
    const { status, json } = await post<Bundle>(open, 'dr-martin', publishing(text));
    expect([status, told(json)]).toEqual([200, []]);
    const [, location = '', binary = ''] = locations(json);
    const { content } = await read(location, open);
    expect(content[0]?.attachment).toMatchObject({
      contentType: 'application/fhir+json',
      size: Buffer.byteLength(text),
      hash: createHash('sha1').update(text).digest('base64'),
      url: `${open.base}/${binary}`,
    });
    expect((await open.get('dr-martin', binary)).bytes.toString()).toBe(text);
  });

  test.each<[string, string, string]>([
    ['without Composition or entries', text.replace(/"entry": [\s\S]*$/, '"entry": []}'), 'elementMalformed'],
    ['of another type', text.replace('"document"', '"collection"'), 'elementMalformed'],
    ['without identifier', text.replace(/"identifier": [^}]*},/, ''), 'elementMissing'],
  ])('%s is refused', async (_, document, name) => {
    const { status, json } = await post<OperationOutcome>(open, 'dr-martin', publishing(document));
    expect([status, issues(json).some((issue) => issue.startsWith(`${name} Bundle.entry[2].resource`))]).toEqual([
      400,
      true,
    ]);
  });

  test('is XML in no DR: a media type that contradicts the entry is refused', async () => {
    const body = publishing(text, ({ content: [first] }) => {
      if (first !== undefined) first.attachment.contentType = 'application/pdf';
    });
    const { status, json } = await post<OperationOutcome>(open, 'dr-martin', body);
    expect([status, issues(json)]).toEqual([
      400,
      ['attachmentsDiffer Bundle.entry[1].resource.content[0].attachment.contentType'],
    ]);
  });
});

describe('minimal metadata', () => {
  const minimal: Change = (bundle, { document, set }) => {
    const [system = '', value = ''] = door.of('laurent').split('|');
    const subject = { identifier: { system, value } };
    bundle.meta = { profile: [`${mhd}.Minimal.ProvideBundle`] };
    const { masterIdentifier, status, content, resourceType } = document;
    const { contentType = '', url = '' } = content[0]?.attachment ?? {};
    for (const key of Object.keys(document)) Reflect.deleteProperty(document, key);
    Object.assign(document, {
      resourceType,
      masterIdentifier,
      status,
      subject,
      content: [{ attachment: { contentType, url } }],
    });
    const sourceId = set.extension?.filter(({ url: one }) => one === extensions.sourceId);
    for (const key of ['contained', 'identifier', 'source', 'meta', 'title', 'note']) Reflect.deleteProperty(set, key);
    Object.assign(set, { extension: sourceId, subject });
  };

  test('are enough where the domain prescribes no codes: what is not said is unknown in words', async () => {
    const { status, json } = await provide(minimal, open);
    expect([status, told(json)]).toEqual([200, []]);
    const { type, context, content, securityLabel } = await read(locations(json)[1], open);
    const unknown = { system: 'http://terminology.hl7.org/CodeSystem/v3-NullFlavor', code: 'UNK' };
    expect([type?.coding?.[0], context?.facilityType?.coding?.[0], securityLabel?.[0]?.coding?.[0]]).toMatchObject([
      unknown,
      unknown,
      unknown,
    ]);
    expect(content[0]?.attachment).toMatchObject({
      language: 'und',
      hash: expect.any(String),
      size: expect.any(Number),
    });
  });

  test('are refused in the domain of the DMP', async () => {
    const { status, json } = await provide<OperationOutcome>(minimal);
    expect(status).toBe(400);
    expect(issues(json)).toContain('profileNotTaken Bundle.meta.profile');
  });
});

describe('limits', () => {
  test.each<[string, Partial<FhirLimits>, string]>([
    ['entries', { entries: 2 }, 'tooManyEntries'],
    ['bytes besides attachments', { textBytes: 2_000 }, 'messageTooLarge'],
    ['bytes of attachments', { attachmentBytes: 10_000 }, 'messageTooLarge'],
  ])('of %s are settings, and beyond them a Bundle is 413', async (_, limits, name) => {
    const small = await openDoor({ limits });
    try {
      const bundle = bundleOf(small);
      if ('attachmentBytes' in limits) resourceIn(bundle, 'Binary').data = Buffer.alloc(40_000, 7).toString('base64');
      const { status, json } = await post<OperationOutcome>(small, 'dr-martin', bundle);
      expect([status, json.issue[0]?.details?.text]).toEqual([413, name]);
    } finally {
      await small.close();
    }
  });
});

describe('is refused whole', () => {
  const request =
    (index: number, more: object): Change =>
    (_, { entry }) =>
      Object.assign(entry[index]?.request ?? {}, more);
  test.each<[string, Change, string]>([
    [
      'ifNoneExist',
      request(1, { ifNoneExist: 'identifier=x' }),
      'conditionNotTaken Bundle.entry[1].request.ifNoneExist',
    ],
    ['ifMatch', request(0, { ifMatch: 'W/"1"' }), 'conditionNotTaken Bundle.entry[0].request.ifMatch'],
    [
      'PUT of a document',
      request(1, { method: 'PUT', url: `DocumentReference/${randomUUID()}` }),
      'bundleEntryForeign Bundle.entry[1]',
    ],
    [
      'two entryUUIDs',
      (_, { document }) =>
        void document.identifier?.push({ use: 'official', system: 'urn:ietf:rfc:3986', value: urn() }),
      'attributesContradict Bundle.entry[1].resource.identifier',
    ],
    [
      'a uniqueId that contradicts the masterIdentifier',
      (_, { document }) =>
        void document.identifier?.push({ use: 'usual', system: 'urn:ietf:rfc:3986', value: 'urn:oid:1.2.3.4' }),
      'attributesContradict Bundle.entry[1].resource.identifier',
    ],
    [
      'a Binary of another media type',
      (bundle) => Object.assign(resourceIn(bundle, 'Binary'), { contentType: 'application/pdf' }),
      'attachmentsDiffer Bundle.entry[1].resource.content[0].attachment.contentType',
    ],
  ])('for %s', async (_, change, expected) => {
    const before = await count();
    const { status, json } = await provide<OperationOutcome>(change);
    expect(status).toBe(400);
    expect(issues(json)).toContain(expected);
    expect(await count()).toBe(before);
  });

  test('a transaction that deposits nothing', async () => {
    const bundle = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [{ request: { method: 'GET', url: 'Patient/1' } }],
    };
    const { status, json } = await post<OperationOutcome>(door, 'dr-martin', bundle);
    expect([status, issues(json)]).toEqual([400, ['transactionNotServed Bundle.entry']]);
  });
});

describe('whom one only knows how to reach (IHE ITI TF-3 4.2.3.1.4.1, 4.2.3.3.7; examples of MHD 4.2.3)', () => {
  const reached = (id: string, value: string) => ({
    resourceType: 'Practitioner' as const,
    id,
    telecom: [{ system: 'email' as const, value }],
  });
  const mail = (resource: DocumentReference | List) =>
    [...JSON.stringify(resource.contained).matchAll(/"value":"(\w+@example.org)"/g)].map(([, value]) => value);

  test('is author and recipient, and is read as such', async () => {
    const { status, json } = await provide((_, { set, document }) => {
      set.contained = [...(set.contained ?? []), reached('desk', 'desk@example.org')];
      set.extension = [
        ...(set.extension ?? []),
        { url: extensions.intendedRecipient, valueReference: { reference: '#desk' } },
      ];
      document.contained = [...(document.contained ?? []), reached('ward', 'ward@example.org')];
      document.author = [...(document.author ?? []), { reference: '#ward' }];
    });
    expect([status, told(json)]).toEqual([200, []]);
    const [set, document] = locations(json);
    expect(mail(await read<List>(set))).toContain('desk@example.org');
    expect(mail(await read(document))).toContain('ward@example.org');
  });

  test('signs nothing', async () => {
    const { json } = await provide((_, { document }) => {
      document.contained = [...(document.contained ?? []), reached('ward', 'ward@example.org')];
      document.authenticator = { reference: '#ward' };
    });
    expect(told(json)).toEqual(['attributeMalformed Bundle.entry[1].resource.authenticator']);
  });

  test('a practitioner keeps how he is reached', async () => {
    const { json } = await provide((_, { document }) => {
      const named = { ...reached('him', 'him@example.org'), name: [{ family: 'Him' }] };
      document.contained = [...(document.contained ?? []), named];
      document.author = [{ reference: '#him' }];
    });
    expect(mail(await read(locations(json)[1]))).toEqual(['him@example.org']);
  });
});
