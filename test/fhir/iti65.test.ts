import { hash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type {
  Bundle,
  BundleEntry,
  DocumentReference,
  List,
  OperationOutcome,
  Organization,
  Parameters,
} from 'fhir/r4.js';
import { oidOfUuid } from '../../server/domain/identifier.ts';
import { extensions, mhdIdentifierType, mhdListTypes, profiles } from '../../server/fhir/vocabulary.ts';
import { bundleOf, type Change, changed, post, resourceIn } from './deposits.ts';
import { type Door, openDoor } from './door.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(() => door.close());

const path = (location = '') => location.slice(door.base.length + 1);
/** Where the entries are found, whatever their version. */
const locations = ({ entry = [] }: Bundle) =>
  entry.map(({ response }) => path(response?.location).replace(/\/_history\/\d+$/, ''));
const provide = <T = Bundle>(change: Change = () => {}) => post<T>(door, 'dr-martin', changed(bundleOf(door), change));
const issues = ({ issue }: OperationOutcome) =>
  issue.map(({ details, expression }) => `${details?.text} ${expression?.[0] ?? ''}`.trim());
const read = async (location = '') => (await door.get<DocumentReference>('dr-martin', location)).json;

/** What is stored: how many documents the depositor finds. */
async function counted(): Promise<number | undefined> {
  const query = `DocumentReference?patient.identifier=${door.of('laurent')}&_count=0`;
  return (await door.get<Bundle>('dr-martin', query)).json.total;
}

/** Deposits one document and tells where it is. */
async function deposited(): Promise<{ location: string; reference: DocumentReference }> {
  const { json } = await provide();
  const [, location = ''] = locations(json);
  return { location, reference: await read(location) };
}

describe('Provide Document Bundle (ITI-65)', () => {
  test('a document is stored and found at every location that the answer names', async () => {
    const bundle = bundleOf(door);
    const { status, json } = await post<Bundle>(door, 'dr-martin', bundle);
    expect([status, json]).toMatchObject([200, { type: 'transaction-response' }]);
    expect(json.entry?.map(({ response }) => [response?.status, response?.etag])).toEqual([
      ['201 Created', 'W/"1"'],
      ['201 Created', 'W/"1"'],
      ['201 Created', 'W/"1"'],
    ]);
    const [list = '', document = '', binary = ''] = locations(json);
    const set = await door.get<List>('dr-martin', list);
    expect([set.status, set.json.entry?.[0]?.item.reference]).toEqual([200, document]);
    const { masterIdentifier, content } = await read(document);
    expect(masterIdentifier).toEqual(resourceIn(bundle, 'DocumentReference').masterIdentifier);
    expect(content[0]?.attachment.url).toBe(`${door.base}/${binary}`);
    const { bytes } = await door.get('dr-martin', binary);
    expect(bytes.toString('base64')).toBe(resourceIn(bundle, 'Binary').data);
  });

  test('the answers stand in the order of the entries', async () => {
    const { json } = await provide(({ entry = [] }) => void entry.reverse());
    expect(locations(json).map((location) => location.split('/')[0])).toEqual(['Binary', 'DocumentReference', 'List']);
  });

  test.each([
    ['bytes', (sha1: string) => Buffer.from(sha1, 'hex').toString('base64')],
    ['digits in base64', (sha1: string) => Buffer.from(sha1).toString('base64')],
  ])('the hash may be that of the %s', async (_, spelt) => {
    const { status } = await provide((bundle, { document }) => {
      const sha1 = hash('sha1', Buffer.from(resourceIn(bundle, 'Binary').data ?? '', 'base64'), 'hex');
      const { attachment } = document.content[0] ?? {};
      if (attachment !== undefined) attachment.hash = spelt(sha1);
    });
    expect(status).toBe(200);
  });

  test('entryUUID and uniqueId may be told apart by type, as in MHD 4.2.4', async () => {
    const typed = (code: string) => ({ coding: [{ system: mhdIdentifierType, code }] });
    const entryUUID = `urn:uuid:${randomUUID()}`;
    const uniqueId = oidOfUuid(randomUUID());
    const { status, json } = await provide((_, { document, set }) => {
      document.identifier = [{ type: typed('entryUUID'), system: 'urn:ietf:rfc:3986', value: entryUUID }];
      set.identifier = [{ type: typed('uniqueId'), system: 'urn:ietf:rfc:3986', value: `urn:oid:${uniqueId}` }];
    });
    expect(status).toBe(200);
    expect(locations(json)[1]).toBe(`DocumentReference/${entryUUID.slice(9)}`);
    const { identifier } = (await door.get<List>('dr-martin', locations(json)[0] ?? '')).json;
    expect(identifier?.[0]?.value).toBe(`urn:oid:${uniqueId}`);
  });

  test('objects without entryUUID get one', async () => {
    const { json } = await provide((_, { document, set }) => {
      delete document.identifier;
      set.identifier = set.identifier?.filter(({ use }) => use === 'usual') ?? [];
    });
    expect(locations(json)[1]).toMatch(/^DocumentReference\/[0-9a-f-]{36}$/);
  });

  test.each<[string, () => Promise<Change>]>([
    [
      'a literal reference to Patient',
      async () => {
        const { json } = await door.get<Bundle>('dr-martin', `Patient?identifier=${door.of('laurent')}`);
        const reference = `Patient/${json.entry?.[0]?.resource?.id}`;
        return (_, { document, set }) => {
          document.subject = { reference };
          set.subject = { reference: `${door.base}/${reference}` };
        };
      },
    ],
    [
      'a conditional reference',
      async () => (_, parts) => {
        const reference = `Patient?identifier=${door.of('laurent')}`;
        parts.document.subject = { reference };
        parts.set.subject = { reference };
      },
    ],
    [
      'a Patient in the Bundle',
      async () => (_, parts) => {
        const fullUrl = `urn:uuid:${randomUUID()}`;
        const identifier = parts.document.subject?.identifier;
        parts.entry.push({
          fullUrl,
          resource: { resourceType: 'Patient', identifier: identifier === undefined ? [] : [identifier] },
          request: { method: 'POST', url: 'Patient' },
        });
        parts.document.subject = { reference: fullUrl };
        parts.set.subject = { reference: fullUrl };
      },
    ],
  ])('the patient may be named by %s', async (_, prepare) => {
    const { status, json } = await provide(await prepare());
    expect([status, json]).toMatchObject([200, {}]);
    const { subject } = await read(locations(json)[1]);
    expect(`${subject?.identifier?.system}|${subject?.identifier?.value}`).toBe(door.of('laurent'));
  });

  test('a folder is created with its member', async () => {
    const fullUrl = `urn:uuid:${randomUUID()}`;
    const { status, json } = await provide((bundle, { document, set, entry }) => {
      const [, { fullUrl: member = '' } = {}] = entry;
      entry.push({
        fullUrl,
        resource: {
          resourceType: 'List',
          status: 'current',
          mode: 'working',
          title: 'Grossesse',
          code: { coding: [{ system: mhdListTypes, code: 'folder' }] },
          extension: [{ url: extensions.designationType, valueCodeableConcept: document.type ?? {} }],
          identifier: [{ use: 'usual', system: 'urn:ietf:rfc:3986', value: `urn:oid:${oidOfUuid(randomUUID())}` }],
          subject: document.subject ?? {},
          entry: [{ item: { reference: member } }],
        },
        request: { method: 'POST', url: 'List' },
      });
      set.entry?.push({ item: { reference: fullUrl } });
      return bundle;
    });
    expect([status, json]).toMatchObject([200, {}]);
    const [list = '', document = '', , folder = ''] = locations(json);
    const members = async (location: string) =>
      (await door.get<List>('dr-martin', location)).json.entry?.map(({ item }) => item.reference);
    expect(await members(folder)).toEqual([document]);
    expect((await members(list))?.sort()).toEqual([document, folder].sort());
  });
});

describe('Relations', () => {
  test.each<[string, (old: { location: string; reference: DocumentReference }) => object]>([
    ['relative reference', ({ location }) => ({ reference: location })],
    ['absolute reference', ({ location }) => ({ reference: `${door.base}/${location}` })],
    ['version-specific reference', ({ location }) => ({ reference: `${location}/_history/1` })],
    ['uniqueId', ({ reference }) => ({ identifier: reference.masterIdentifier })],
    ['entryUUID', ({ reference }) => ({ identifier: reference.identifier?.[0] })],
  ])('a document replaces another named by %s', async (_, target) => {
    const old = await deposited();
    const { status, json } = await provide((__, { document }) => {
      document.relatesTo = [{ code: 'replaces', target: target(old) }];
    });
    expect([status, json]).toMatchObject([200, {}]);
    expect((await read(old.location)).status).toBe('superseded');
    expect((await read(locations(json)[1])).status).toBe('current');
  });

  test.each([['appends'], ['transforms']] as const)('a document %s another, which stays current', async (code) => {
    const { location } = await deposited();
    const { status } = await provide((_, { document }) => {
      document.relatesTo = [{ code, target: { reference: location } }];
    });
    expect([status, (await read(location)).status]).toEqual([200, 'current']);
  });

  const patch = (location: string, value = 'superseded'): BundleEntry<Parameters> => ({
    resource: {
      resourceType: 'Parameters',
      parameter: [
        {
          name: 'operation',
          part: [
            { name: 'type', valueCode: 'replace' },
            { name: 'path', valueString: 'DocumentReference.status' },
            { name: 'value', valueCode: value },
          ],
        },
      ],
    },
    request: { method: 'PATCH', url: location },
  });

  test('the PATCH entry of a replacement is answered with its location', async () => {
    const { location } = await deposited();
    const { status, json } = await provide((_, { document, entry }) => {
      document.relatesTo = [{ code: 'replaces', target: { reference: location } }];
      entry.push(patch(location));
    });
    expect([status, json.entry?.at(-1)?.response]).toMatchObject([
      200,
      { status: '200 OK', location: `${door.base}/${location}/_history/2`, etag: 'W/"2"' },
    ]);
  });

  test('a PATCH entry that replaces nothing is refused', async () => {
    const { location } = await deposited();
    const { status, json } = await provide<OperationOutcome>((_, { entry }) => void entry.push(patch(location)));
    expect([status, issues(json)]).toEqual([400, ['bundleEntryForeign Bundle.entry[3].resource']]);
  });
});

describe('A Bundle is refused whole', () => {
  const at = 'Bundle.entry[1].resource';
  const attachment = `${at}.content[0].attachment`;

  test.each<[string, Change, string[]]>([
    ['no typeCode', (_, { document }) => delete document.type, [`attributeMissing ${at}.type`]],
    [
      'a code of no value set',
      (_, { document }) => {
        document.category = [{ coding: [{ system: 'urn:oid:1.2.3', code: 'X' }] }];
      },
      [`codeNotAllowed ${at}.category`, `attributesContradict ${at}.category`],
    ],
    [
      'another hash',
      (_, { document }) =>
        Object.assign(document.content[0]?.attachment ?? {}, { hash: '2jmj7l5rSw0yVb/vlWAYkK/YBwk=' }),
      [`hashDiffers ${attachment}.hash`],
    ],
    [
      'a hash that is none',
      (_, { document }) => Object.assign(document.content[0]?.attachment ?? {}, { hash: 'AAAA' }),
      [`attributeMalformed ${attachment}.hash`],
    ],
    [
      'another size',
      (_, { document }) => Object.assign(document.content[0]?.attachment ?? {}, { size: 1 }),
      [`sizeDiffers ${attachment}.size`],
    ],
    [
      'bytes elsewhere',
      (_, { document, entry }) => {
        Object.assign(document.content[0]?.attachment ?? {}, { url: 'http://169.254.169.254/latest' });
        entry.pop();
      },
      [`attachmentUnresolved ${attachment}.url`],
    ],
    [
      'an author elsewhere',
      (_, { document }) => {
        document.author = [{ reference: 'https://elsewhere.example.org/Practitioner/1' }];
      },
      [`referenceUnresolved ${at}.author[0]`],
    ],
    [
      'a relation to nothing',
      (_, { document }) => {
        document.relatesTo = [{ code: 'replaces', target: { reference: `DocumentReference/${randomUUID()}` } }];
      },
      [`referenceUnresolved ${at}.relatesTo[0]`],
    ],
    [
      'two of one fullUrl',
      (_, { entry }) => Object.assign(entry[0] ?? {}, { fullUrl: entry[2]?.fullUrl }),
      ['duplicateId Bundle.entry[2].fullUrl'],
    ],
    [
      'a foreign entry',
      (_, { entry }) =>
        entry.push({ resource: { resourceType: 'Patient' }, request: { method: 'DELETE', url: 'Patient/1' } }),
      ['bundleEntryForeign Bundle.entry[3]'],
    ],
    [
      'a List of no kind',
      (_, { set }) => {
        set.code = { text: 'a list' };
      },
      [
        'bundleEntryForeign Bundle.entry[0]',
        'profileCodeNotAllowed Bundle.entry[0].resource.code',
        'submissionSetCount Bundle.entry',
        `entryNotInSet ${at}`,
      ],
    ],
    [
      'minimal metadata',
      (bundle) => {
        bundle.meta = { profile: [`${profiles.mhdMinimalBundle}|4.2.3`] };
      },
      ['profileNotTaken Bundle.meta.profile'],
    ],
    [
      'text and elements that contradict each other',
      (_, { document }) => {
        const other: Organization = {
          resourceType: 'Organization',
          id: 'other',
          name: 'Hôpital Nord',
          extension: [{ url: extensions.hl7v2, valueString: 'Hôpital Sud' }],
        };
        document.contained?.push(other);
        document.author?.push({ reference: '#other' });
      },
      [`attributesContradict ${at}.author[1]`],
    ],
  ])('for %s', async (_, change, expected) => {
    const before = await counted();
    const { status, json } = await provide<OperationOutcome>(change);
    expect(issues(json)).toEqual(expected);
    expect([status, await counted()]).toEqual([400, before]);
  });

  test('all that is wrong is told at once', async () => {
    const { json } = await provide<OperationOutcome>((_, { document, set }) => {
      delete document.type;
      Object.assign(document.content[0]?.attachment ?? {}, { size: 1 });
      delete set.date;
    });
    expect(issues(json)).toEqual([
      'attributeMissing Bundle.entry[0].resource.date',
      `attributeMissing ${at}.type`,
      `sizeDiffers ${attachment}.size`,
    ]);
  });

  test('with 403 for somebody who has no right to deposit', async () => {
    const { status, json } = await post<OperationOutcome>(door, 'pharm-durand', bundleOf(door, 'dr-roux'));
    expect([status, json.issue[0]?.code]).toEqual([403, 'forbidden']);
  });
});
