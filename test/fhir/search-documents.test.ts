import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, CapabilityStatement, DocumentReference, FhirResource, List, Organization } from 'fhir/r4.js';
import { documentParameters } from '../../server/fhir/document-parameters.ts';
import { extensions } from '../../server/fhir/vocabulary.ts';
import { getAssociations } from '../../server/usecases/query-get.ts';
import { bundleOf, changed, post } from './deposits.ts';
import { type Door, openDoor } from './door.ts';
import { altered, nextOf, pagesOf } from './paging.ts';

type Found = Bundle<FhirResource>;

let door: Door;
/** A document, the one that it replaces, and its submission set, by id. */
let newer: DocumentReference;
let older: DocumentReference;
let set: string;

const uris = 'urn:ietf:rfc:3986';
const accession = { system: 'urn:oid:1.2.250.1.999.7', value: 'ACC_1,2' };
const stay = { system: 'urn:oid:1.2.250.1.999.8', value: 'STAY-9' };
const typed = (code: string) => ({ coding: [{ system: uris, code }] });

const locations = ({ entry = [] }: Bundle) =>
  entry.map(({ response }) => (response?.location ?? '').slice(door.base.length + 1).replace(/\/_history.*$/, ''));

async function deposit(change: Parameters<typeof changed>[1]): Promise<{ document: DocumentReference; list: string }> {
  const { status, json } = await post<Bundle>(door, 'dr-martin', changed(bundleOf(door), change));
  if (status !== 200) throw new Error(JSON.stringify(json));
  const [list = '', document = ''] = locations(json);
  return { document: (await door.get<DocumentReference>('dr-martin', document)).json, list: list.slice(5) };
}

beforeAll(async () => {
  door = await openDoor();
  ({ document: older } = await deposit((_, { document }) => {
    document.description = 'État des lieux, au 1er';
    document.context = {
      ...document.context,
      event: [{ coding: [{ system: 'http://loinc.org', code: '18748-4', display: 'Imagerie' }] }],
      related: [{ identifier: { ...accession, type: typed('urn:ihe:iti:xds:2013:accession') } }],
      encounter: [{ identifier: { ...stay, type: typed('urn:ihe:iti:xds:2015:encounterId') } }],
    };
  }));
  door.world.clock.now += 86_400_000;
  ({ document: newer, list: set } = await deposit((_, { document }) => {
    document.description = 'Compte rendu corrigé';
    document.relatesTo = [{ code: 'replaces', target: { reference: `DocumentReference/${older.id}` } }];
  }));
  door.world.clock.now += 3_600_000;
});
afterAll(() => door.close());

const path = (query: string, of = 'laurent') => `DocumentReference?patient.identifier=${door.of(of)}&${query}`;
const search = async (query: string, who = 'dr-martin') => (await door.get<Found>(who, path(query))).json;
const documents = ({ entry = [] }: Found) =>
  entry.flatMap(({ resource, search: how }) =>
    resource?.resourceType === 'DocumentReference' && how?.mode === 'match' ? [resource] : [],
  );
const ids = (found: Found) => documents(found).map(({ id }) => id);
const included = ({ entry = [] }: Found) =>
  entry.flatMap(({ resource, search: how }) => (how?.mode === 'include' ? [resource] : []));

/** Whether it finds the older and the newer one of the two documents. */
async function finds(query: string): Promise<[boolean, boolean]> {
  const found = await search(`_count=500&${query}`);
  expect(found.resourceType).toBe('Bundle');
  expect(found.total).toBe(documents(found).length);
  return [ids(found).includes(older.id), ids(found).includes(newer.id)];
}

const only = { older: [true, false], newer: [false, true], both: [true, true], none: [false, false] } as const;

describe('each parameter finds what it should and nothing else', () => {
  const contained = (type: string) => {
    const found = older.contained?.find(({ resourceType }) => resourceType === type) as Organization | undefined;
    return found?.identifier?.[0]?.value ?? '';
  };
  const martin = () => contained('Practitioner');
  const structure = () => contained('Organization');

  test.each([
    ['description=etat des', 'older'],
    ['description=ETAT', 'older'],
    ['description=lieux', 'none'],
    ['description:contains=LIEUX', 'older'],
    ['description:exact=État des lieux\\, au 1er', 'older'],
    ['description:exact=état des lieux\\, au 1er', 'none'],
    ['description:missing=false', 'both'],
    ['description:missing=true', 'none'],
    ['description=compte,état', 'both'],
    ['related:identifier=urn:oid:1.2.250.1.999.7|ACC_1\\,2', 'older'],
    ['related.identifier=ACC_1\\,2', 'older'],
    ['related:identifier=urn:oid:1.2.250.1.999.7|ACCX1\\,2', 'none'],
    ['related:identifier=urn:oid:1.2.250.1.999.8|STAY-9', 'none'],
    ['related=DocumentReference/1', 'none'],
    ['related:missing=true', 'newer'],
    ['encounter:identifier=STAY-9', 'older'],
    ['encounter.identifier=urn:oid:1.2.250.1.999.8|STAY-9', 'older'],
    ['encounter:identifier=ACC_1\\,2', 'none'],
    ['status=superseded', 'older'],
    ['status:not=superseded', 'newer'],
    ['status=current,superseded', 'both'],
    ['status=superseded&status=current', 'none'],
    ['contenttype=text/xml', 'both'],
    ['contenttype=application/pdf', 'none'],
    ['contenttype:not=text/xml', 'none'],
    ['language=fr-FR', 'both'],
    ['language=en', 'none'],
    ['type:not=11488-4', 'none'],
    ['type:not=11502-2', 'both'],
    ['type=http://loinc.org|', 'both'],
    ['type=http://snomed.info/sct|', 'none'],
    ['type:missing=true', 'none'],
    ['event:missing=false', 'older'],
    ['event=http://loinc.org|18748-4', 'older'],
    ['event=18748-4', 'older'],
    ['event=urn:oid:1.2.3|18748-4', 'none'],
    ['event:not=18748-4', 'newer'],
    ['security-label:not=N', 'none'],
    ['date=2026-07-01', 'older'],
    ['date=ne2026-07-01', 'newer'],
    ['date=gt2026-07-01', 'newer'],
    ['date=2026-07-01,2026-07-02', 'both'],
    ['date=ap2026-07-01', 'older'],
    ['date=ap2026-06', 'both'],
    ['date=lt2026-01-01', 'none'],
    ['date:missing=true', 'none'],
    ['creation=ne2020-01-01', 'both'],
    ['creation=ap2026-07-01T08:00:00Z', 'older'],
    ['creation:missing=true', 'none'],
    ['period=ne2020', 'both'],
    ['period=ap2026-06', 'both'],
    ['period=ap2026-01', 'none'],
    ['period=2026', 'none'],
    ['period-start=2026', 'both'],
    ['period=lt2020', 'none'],
    ['period-start=ne2026-07-02', 'older'],
    ['period-end=ge2020', 'none'],
    ['period-end:missing=true', 'both'],
    ['period-end:missing=false', 'none'],
    ['_lastUpdated=ge2026-07-02', 'both'],
    ['_lastUpdated=ne2026-07-02', 'none'],
    ['_lastUpdated=lt2026-07-02', 'none'],
    ['author.family=mart', 'both'],
    ['author.family=artin', 'none'],
    ['author.family:contains=artin', 'both'],
    ['author.family:exact=martin', 'none'],
    ['author.given:missing=true', 'none'],
    ['relation=replaces', 'newer'],
    ['relation=appends', 'none'],
    ['relation:not=replaces', 'older'],
    ['relatesto:missing=false', 'newer'],
    ['relatesto:missing=true', 'older'],
  ] as const)('%s: %s', async (query, expected) => {
    expect(await finds(query)).toEqual(only[expected]);
  });

  test('coded attributes are found by their codes, with their system, without and with another', async () => {
    const { context, content, type, category, securityLabel } = older;
    const codings = {
      type: type?.coding?.[0],
      category: category?.[0]?.coding?.[0],
      setting: context?.practiceSetting?.coding?.[0],
      facility: context?.facilityType?.coding?.[0],
      format: content[0]?.format,
      'security-label': securityLabel?.[0]?.coding?.[0],
    };
    for (const [name, { system, code } = {}] of Object.entries(codings)) {
      expect([name, typeof system, typeof code]).toEqual([name, 'string', 'string']);
      for (const query of [`${name}=${code}`, `${name}=${system}|${code}`, `${name}=${system}|`, `${name}=1,${code}`])
        expect([query, await finds(query)]).toEqual([query, only.both]);
      for (const query of [`${name}=1`, `${name}=urn:oid:1.2.3|${code}`, `${name}=|${code}`, `${name}:not=${code}`])
        expect([query, await finds(query)]).toEqual([query, only.none]);
    }
  });

  test('references to authors are by national id, literal or logical', async () => {
    for (const query of [
      `author=Practitioner/${martin()}`,
      `author=${martin()}`,
      `author:Practitioner=${martin()}`,
      `author=Organization/${structure()}`,
      `author.identifier=urn:oid:1.2.250.1.71.4.2.1|${martin()}`,
      `author:identifier=${martin()}`,
      `author:identifier=${structure()}`,
      `author:Organization.identifier=${structure()}`,
      `authenticator=Practitioner/${martin()}`,
      `authenticator:identifier=${martin()}`,
    ])
      expect([query, await finds(query)]).toEqual([query, only.both]);
    for (const query of [
      'author=Practitioner/1',
      `author:Organization=${martin()}`,
      `author.identifier=urn:oid:1.2.3|${martin()}`,
      'authenticator:identifier=1',
      'authenticator:missing=true',
    ])
      expect([query, await finds(query)]).toEqual([query, only.none]);
  });

  test('relations are found by their target', async () => {
    const [first] = older.identifier ?? [];
    for (const query of [
      `relatesto=DocumentReference/${older.id}`,
      `relatesto=${door.base}/DocumentReference/${older.id}`,
      `relatesto=${older.id}`,
      `relatesto:identifier=${older.masterIdentifier?.value}`,
      `relatesto.identifier=${first?.system}|${first?.value}`,
      `relationship=DocumentReference/${older.id}$replaces`,
    ])
      expect([query, await finds(query)]).toEqual([query, only.newer]);
    for (const query of [
      `relatesto=DocumentReference/${newer.id}`,
      `relatesto:identifier=${newer.masterIdentifier?.value}`,
      `relationship=DocumentReference/${older.id}$appends`,
    ])
      expect([query, await finds(query)]).toEqual([query, only.none]);
  });

  test('location finds by the address of the bytes', async () => {
    expect(await finds(`location=${door.base}/Binary/${older.id}`)).toEqual(only.older);
    expect(await finds('location=http://example.org/Binary/1')).toEqual(only.none);
  });

  test('names combine with each other and with anything else', async () => {
    const [entryUUID] = older.identifier ?? [];
    expect(await finds(`_id=${older.id},${newer.id}`)).toEqual(only.both);
    expect(await finds(`_id=${older.id},${newer.id}&status=superseded`)).toEqual(only.older);
    expect(await finds(`_id=${older.id},${newer.id}&description=compte`)).toEqual(only.newer);
    expect(await finds(`_id=${older.id}&identifier=${newer.masterIdentifier?.value}`)).toEqual(only.none);
    expect(await finds(`_id=${older.id}&identifier=${entryUUID?.value}`)).toEqual(only.older);
    expect(await finds(`identifier=${entryUUID?.value},${newer.masterIdentifier?.value}`)).toEqual(only.both);
    expect(await finds(`identifier=${entryUUID?.value}&type=11502-2`)).toEqual(only.none);
  });

  test('subject names the patient as patient does', async () => {
    const { reference = '' } = older.subject ?? {};
    const by = async (query: string) =>
      (await door.get<Found>('dr-martin', `DocumentReference?${query}&_count=0`)).json;
    const { total } = await by(`patient=${reference}`);
    expect(total).toBeGreaterThan(2);
    for (const query of [
      `subject=${reference}`,
      `subject:Patient=${reference}`,
      `patient:Patient=${reference}`,
      `subject.identifier=${door.of('laurent')}`,
      `subject:identifier=${door.of('laurent')}`,
      `patient:identifier=${door.of('laurent')}`,
    ])
      expect([query, (await by(query)).total]).toEqual([query, total]);
  });

  test.each(['%', '_', "' OR 1=1", '.*', '\\', '\\|', '$', '"', '‮', '%00'])(
    'operators of stores and patterns are texts: %j',
    async (text) => {
      const value = encodeURIComponent(text);
      for (const query of [
        `description:contains=${value}`,
        `author.family=${value}`,
        `type=${value}`,
        `related:identifier=${value}`,
      ]) {
        const { status, json } = await door.get<Found>('dr-martin', path(`${query}&_count=500`));
        expect(status).toBe(200);
        expect(json.total).toBe(0);
      }
    },
  );

  test.each([
    ['201 values', `type=${Array.from({ length: 201 }, (_, i) => i).join(',')}`, 'http.type'],
    ['101 parameters', Array.from({ length: 101 }, () => 'language=fr-FR').join('&'), 'http.language'],
  ])('%s are too many', async (_, query, expression) => {
    const { status, json } = await door.get('dr-martin', path(query));
    expect([status, json.issue[0]]).toMatchObject([400, { code: 'value', expression: [expression] }]);
  });

  test('every parameter is in the CapabilityStatement, by its plain name', async () => {
    const { json } = await door.ask<CapabilityStatement>('metadata');
    const told = json.rest?.[0]?.resource?.find(({ type }) => type === 'DocumentReference');
    const names = told?.searchParam?.map(({ name }) => name) ?? [];
    const served = Object.entries(documentParameters).flatMap(([name, { documentation }]) =>
      documentation === undefined ? [] : [name],
    );
    expect(names).toEqual(served);
    expect(names).toEqual(expect.arrayContaining(['patient.identifier', 'author.family', 'relatesto', 'related']));
    expect(told?.searchInclude).toEqual([
      'DocumentReference:subject',
      'DocumentReference:patient',
      'DocumentReference:relatesto',
    ]);
    expect(told?.searchRevInclude).toEqual(['List:item']);
  });
});

describe('the answer of a search', () => {
  test.each([
    ['date', 'registered', (d: DocumentReference) => d.date],
    ['_lastUpdated', 'changed', (d: DocumentReference) => d.meta?.lastUpdated],
    ['creation', 'created', (d: DocumentReference) => d.content[0]?.attachment.creation],
    ['period', 'begun', (d: DocumentReference) => d.context?.period?.start],
  ])('in the order of %s, both ways and over pages, is as it was %s', async (sort, _, said) => {
    for (const [sign, direction] of [
      ['', 1],
      ['-', -1],
    ] as const) {
      const all = documents(await search(`_count=500&_sort=${sign}${sort}`));
      const values = all.map((document) => Date.parse(said(document) ?? ''));
      expect(values).toEqual([...values].sort((a, b) => direction * (a - b)));
      const pages = await pagesOf(door, 'dr-martin', path(`_count=4&_sort=${sign}${sort}`));
      for (const { total } of pages) expect(total).toBe(all.length);
      expect(pages.flatMap(ids)).toEqual(all.map(({ id }) => id));
    }
  });

  test.each([
    ['-creation,period', [-1, 1]],
    ['period,-creation', [1, -1]],
    ['period,creation,-_lastUpdated', [1, 1, -1]],
  ] as const)('in several orders (%s), each within the one before, over pages', async (sort, directions) => {
    const said = {
      creation: (d: DocumentReference) => d.content[0]?.attachment.creation,
      period: (d: DocumentReference) => d.context?.period?.start,
      _lastUpdated: (d: DocumentReference) => d.meta?.lastUpdated,
    };
    const names = sort.split(',').map((name) => name.replace('-', '') as keyof typeof said);
    const all = documents(await search(`_count=500&_sort=${sort}`));
    for (const [i, later] of all.entries()) {
      const before = all[i - 1];
      if (before === undefined) continue;
      const steps = names.map(
        (name, at) =>
          (directions[at] ?? 1) *
          ((Date.parse(said[name](later) ?? '') || 0) - (Date.parse(said[name](before) ?? '') || 0)),
      );
      expect(steps.find((step) => step !== 0) ?? 0).toBeGreaterThanOrEqual(0);
    }
    const pages = await pagesOf(door, 'dr-martin', path(`_count=3&_sort=${sort}`));
    expect([all.length > 3, pages.flatMap(ids)]).toEqual([true, all.map(({ id }) => id)]);
  });

  test('everything that is included is what each inclusion includes (FHIR R4 search.html#include)', async () => {
    const included = async (query: string) =>
      ((await search(`_count=500&${query}`)).entry ?? [])
        .filter((one) => one.search?.mode === 'include')
        .map(({ fullUrl }) => fullUrl)
        .sort();
    const each = 'DocumentReference:subject,DocumentReference:patient,DocumentReference:relatesto';
    expect(await included('_include=*')).toEqual(await included(`_include=${each}`));
    expect((await included('_include=*&_revinclude=*')).length).toBeGreaterThan((await included('_include=*')).length);
  });

  test('a page of conditions begins where the one before ended, and leads back to the first', async () => {
    const all = ids(await search('contenttype=text/xml&_count=500'));
    const first = await search('contenttype=text/xml&_count=3');
    const next = nextOf(first);
    const { json } = await door.get<Found>('dr-martin', next);
    expect([...ids(first), ...ids(json)]).toEqual(all.slice(0, 6));
    const back = json.link?.find(({ relation }) => relation === 'first')?.url ?? '';
    expect(ids((await door.get<Found>('dr-martin', back)).json)).toEqual(ids(first));
    const refused = await door.get('dr-martin', altered(next));
    expect([refused.status, refused.json.issue[0]?.details?.text]).toEqual([400, 'pageLinkBroken']);
  });

  test.each(['', 'contenttype=text/xml&'])('_total is counted unless it is not wanted (%s)', async (query) => {
    const all = ids(await search(`${query}_count=500`)).length;
    for (const how of ['accurate', 'estimate'])
      expect((await search(`${query}_count=2&_total=${how}`)).total).toBe(all);
    const uncounted = await search(`${query}_count=2&_total=none`);
    expect(uncounted).not.toHaveProperty('total');
    expect(ids(uncounted)).toHaveLength(2);
  });

  test.each(['_summary=count', '_count=0', '_count=0&_total=none', 'description=compte&_summary=count'])(
    '%s gives the total alone',
    async (query) => {
      const found = await search(query);
      expect(found.total).toBe(
        ids(await search(`${query.replace(/_(summary|count|total)=\w+/g, '')}&_count=500`)).length,
      );
      expect(found.entry).toBeUndefined();
      expect(found.link?.map(({ relation }) => relation)).toEqual(['self']);
    },
  );

  const subsetted = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }];
  const one = async (more: string) => documents(await search(`_id=${newer.id}&${more}`))[0];

  test('_summary=true has the elements of the summary, marked, and the authors that it refers to', async () => {
    const { contained, context, ...summary } = (await one('_summary=true')) ?? newer;
    expect(summary.meta).toEqual({ ...newer.meta, tag: subsetted });
    const { extension, authenticator, meta, contained: all, context: whole, ...rest } = newer;
    expect({ ...summary, meta }).toEqual({ ...rest, meta });
    expect([extension, authenticator, all, whole].every((part) => part !== undefined)).toBe(true);
    expect(context).toEqual({ period: newer.context?.period });
    expect(contained?.map(({ id }) => id)).toContain('author-1');
    expect(contained?.map(({ id }) => id)).not.toContain('authenticator');
  });

  test('_summary=text and data, and false', async () => {
    expect(Object.keys((await one('_summary=text')) ?? {}).sort()).toEqual([
      'content',
      'id',
      'meta',
      'resourceType',
      'status',
    ]);
    expect(await one('_summary=data')).toEqual({ ...newer, meta: { ...newer.meta, tag: subsetted } });
    expect(await one('_summary=false')).toEqual(newer);
  });

  test('_elements gives those, and what is mandatory', async () => {
    const found = await one('_elements=type,DocumentReference.date');
    expect(Object.keys(found ?? {}).sort()).toEqual([
      'content',
      'date',
      'id',
      'meta',
      'resourceType',
      'status',
      'type',
    ]);
    expect(found?.meta?.tag).toEqual(subsetted);
  });

  test('what a page link asks for stays as it was asked', async () => {
    const first = await search('_count=2&_elements=type&_sort=creation');
    const next = nextOf(first);
    const { json } = await door.get<Found>('dr-martin', next);
    expect(documents(json).map((d) => [d.date, d.meta?.tag])).toEqual(
      documents(json).map(() => [undefined, subsetted]),
    );
  });
});

describe('what is found besides', () => {
  test('_include=DocumentReference:subject brings the holder, once', async () => {
    for (const parameter of ['subject', 'patient', 'subject:Patient']) {
      const found = await search(`_count=3&_include=DocumentReference:${parameter}`);
      expect(included(found).map((r) => `${r?.resourceType}/${r?.id}`)).toEqual([newer.subject?.reference]);
      expect(found.total).toBeGreaterThan(2);
    }
  });

  test('_include=DocumentReference:relatesto brings the target, where it is not found already', async () => {
    const found = await search(`_id=${newer.id}&_include=DocumentReference:relatesto`);
    expect(ids(found)).toEqual([newer.id]);
    expect(included(found)).toEqual([(await door.get('dr-martin', `DocumentReference/${older.id}`)).json]);
    expect(found.total).toBe(1);
    expect(included(await search(`_id=${newer.id},${older.id}&_include=DocumentReference:relatesto`))).toEqual([]);
  });

  test('_revinclude=List:item brings the submission sets', async () => {
    const found = await search(`_id=${newer.id}&_revinclude=List:item`);
    expect(included(found)).toEqual([(await door.get<List>('dr-martin', `List/${set}`)).json]);
  });

  test('nothing hidden comes along', async () => {
    const masson = (query: string, who: string) => door.get<Found>(who, path(query, 'masson'));
    const doctor = (await masson('_count=500&_revinclude=List:item', 'dr-martin')).json;
    const patient = (await masson('_count=500&_revinclude=List:item', 'masson')).json;
    const hidden = ids(doctor).filter((id) => !ids(patient).includes(id));
    expect(hidden).toHaveLength(1);
    expect(JSON.stringify(patient)).not.toContain(hidden[0]);
    expect(included(patient).length).toBe(included(doctor).length - 1);
  });
});

describe('how a document relates to others', () => {
  const relatesTo = () => [
    { code: 'replaces', target: { reference: `DocumentReference/${older.id}` }, extension: expect.any(Array) },
  ];

  test('is told by a read, a search, a version and the history alike', async () => {
    const read = (await door.get<DocumentReference>('dr-martin', `DocumentReference/${newer.id}`)).json;
    expect(read.relatesTo).toEqual(relatesTo());
    expect(documents(await search('status=current&_count=500')).find(({ id }) => id === newer.id)).toEqual(read);
    const version = await door.get<DocumentReference>('dr-martin', `DocumentReference/${newer.id}/_history/1`);
    expect(version.json).toEqual(read);
    const history = await door.get<Bundle<DocumentReference>>('dr-martin', `DocumentReference/${newer.id}/_history`);
    expect(history.json.entry?.map(({ resource }) => resource)).toEqual([read]);
  });

  test('is not told where there is none, nor of the target', async () => {
    expect(older).not.toHaveProperty('relatesTo');
    expect((await door.get<DocumentReference>('dr-martin', `DocumentReference/${older.id}`)).json).not.toHaveProperty(
      'relatesTo',
    );
  });

  test('is seen as soon as it is stated, though the document was written before', async () => {
    const { document } = await deposit(() => {});
    await search('status=current');
    const { document: addendum } = await deposit((_, { document: d }) => {
      d.relatesTo = [{ code: 'appends', target: { reference: `DocumentReference/${document.id}` } }];
    });
    expect(addendum.relatesTo).toMatchObject([{ code: 'appends' }]);
    expect(await finds('relation=appends')).toEqual(only.none);
    expect(ids(await search('relation=appends'))).toEqual([addendum.id]);
  });

  test('a hidden target leaves no trace, whoever looked before', async () => {
    const { document } = await deposit((_, { document: d }) => {
      d.securityLabel = [
        ...(d.securityLabel ?? []),
        {
          coding: [
            {
              system:
                'https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument',
              code: 'INVISIBLE_PATIENT',
              display: 'Non visible par le patient',
            },
          ],
        },
      ];
    });
    const { document: addendum } = await deposit((_, { document: d }) => {
      d.relatesTo = [{ code: 'appends', target: { reference: `DocumentReference/${document.id}` } }];
    });
    const by = async (who: string) => (await door.get<DocumentReference>(who, `DocumentReference/${addendum.id}`)).json;
    expect((await by('dr-martin')).relatesTo).toHaveLength(1);
    expect(await by('laurent')).not.toHaveProperty('relatesTo');
    expect((await by('dr-martin')).relatesTo).toHaveLength(1);
    const found = await search(`_id=${addendum.id}&_include=DocumentReference:relatesto`, 'laurent');
    expect(JSON.stringify(found)).not.toContain(document.id);
    expect((await search(`relatesto=${document.id}`, 'laurent')).total).toBe(0);
    expect((await search(`relatesto=${document.id}`)).total).toBe(1);
  });

  test('each kind of relation goes in and comes out as it is, on both faces', async () => {
    for (const [code, type] of [
      ['appends', 'APND'],
      ['transforms', 'XFRM'],
      ['replaces', 'XFRM_RPLC'],
      ['signs', 'signs'],
    ] as const) {
      const { document: target } = await deposit(() => {});
      const kind = [{ url: extensions.association, extension: [{ url: 'type', valueCode: type }] }];
      const { document } = await deposit((_, { document: d }) => {
        d.relatesTo = [{ extension: kind, code, target: { reference: `DocumentReference/${target.id}` } }];
      });
      expect([type, document.relatesTo]).toMatchObject([
        type,
        [{ code, target: { reference: `DocumentReference/${target.id}` } }],
      ]);
      const found = await getAssociations(door.world.tools, door.world.as('dr-martin'), {
        patient: door.world.ins('laurent'),
        entryUUIDs: [`urn:uuid:${document.id}`],
        associations: { statuses: ['approved'] },
        query: 'associations',
      });
      const [association] = found.associations.filter((one) => one.source === `urn:uuid:${document.id}`);
      expect(association).toMatchObject({ type, target: `urn:uuid:${target.id}` });
      const own = document.relatesTo?.[0]?.extension?.find(({ url }) => url === extensions.association);
      expect(own?.extension).toContainEqual({ url: 'entryUUID', valueUri: association?.entryUUID });
      const said = own?.extension?.find(({ url }) => url === 'type')?.valueCode;
      expect(said).toBe(type === 'XFRM_RPLC' ? type : undefined);
    }
  });

  test('a signature names the submission set that it signs by its identifier', async () => {
    const { document, list } = await deposit((_, { document: d, entry }) => {
      const reference = entry.find(({ resource }) => resource?.resourceType === 'List')?.fullUrl ?? '';
      d.relatesTo = [{ code: 'signs', target: { reference } }];
    });
    const target = { identifier: { use: 'official', system: uris, value: `urn:uuid:${list}` } };
    expect(document.relatesTo).toMatchObject([{ code: 'signs', target }]);
    expect(ids(await search(`relation=signs&relatesto:identifier=${target.identifier.value}`))).toEqual([document.id]);
  });

  test('a patch answers with what the document relates to', async () => {
    const answer = await door.ask<DocumentReference>(`DocumentReference/${newer.id}`, {
      method: 'PATCH',
      headers: {
        Authorization: `Bearer ${await door.token('dr-martin')}`,
        'Content-Type': 'application/json-patch+json',
      },
      body: JSON.stringify([
        { op: 'add', path: '/extension/-', value: { url: extensions.isArchived, valueBoolean: true } },
      ]),
    });
    expect(answer.status).toBe(200);
    expect(answer.json.relatesTo).toEqual(relatesTo());
    expect(await finds('isArchived=true')).toEqual(only.newer);
    expect(await finds('isArchived=false')).toEqual(only.older);
    const read = await door.get<DocumentReference>('dr-martin', `DocumentReference/${newer.id}`);
    expect(read.json).toEqual(answer.json);
  });
});
