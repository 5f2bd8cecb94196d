import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, DocumentReference, FhirResource, OperationOutcome } from 'fhir/r4.js';
import { type Door, openDoor } from './door.ts';
import { altered, nextOf, pagesOf } from './paging.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(() => door.close());

type Documents = Bundle<DocumentReference>;
const search = (who: string, query: string, of = 'laurent') =>
  door.get<Documents>(who, `DocumentReference?patient.identifier=${door.of(of)}&${query}`);
const titles = ({ entry = [] }: Documents) => entry.map(({ resource }) => resource?.content[0]?.attachment.title);
const all = async () => (await search('dr-nguyen', 'status=current&_count=100')).json;
const named = async (title: string) => {
  const found = (await all()).entry?.find(({ resource }) => resource?.content[0]?.attachment.title === title);
  if (found?.resource === undefined) throw new Error(`no document is called ${title}`);
  return found.resource;
};

describe('a search of documents', () => {
  test('finds what an authorised doctor may see, each with an address for its bytes', async () => {
    const { status, headers, json } = await search('dr-nguyen', 'status=current&_count=100');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/fhir+json; charset=utf-8');
    expect(json).toMatchObject({ resourceType: 'Bundle', type: 'searchset' });
    expect(json.total).toBe(json.entry?.length);
    expect(json.total).toBeGreaterThanOrEqual(12);
    for (const { fullUrl, resource, search: how } of json.entry ?? []) {
      expect(how?.mode).toBe('match');
      expect(fullUrl).toBe(`${door.base}/DocumentReference/${resource?.id}`);
      expect(resource?.content[0]?.attachment.url).toBe(`${door.base}/Binary/${resource?.id}`);
    }
  });

  test('a holder, and who represents one, need not say whose: the token does', async () => {
    const own = await door.get<Documents>('laurent', 'DocumentReference?status=current&_count=100');
    expect(titles(own.json)).toEqual(titles((await search('laurent', 'status=current&_count=100')).json));
    expect(own.json.total).toBeGreaterThan(0);
    const child = await door.get<Documents>('sophie-morel', 'DocumentReference?status=current');
    expect(titles(child.json)).toEqual(titles((await search('sophie-morel', 'status=current', 'lea-morel')).json));
    expect(child.json.total).toBeGreaterThan(0);
    const professional = await door.get('dr-nguyen', 'DocumentReference?status=current');
    expect(professional.json.issue[0]?.details?.text).toBe('patientNotNamed');
  });

  test('pages by a signed link, the total the same on each page, nothing twice', async () => {
    const { total } = await all();
    const query = `DocumentReference?patient.identifier=${door.of('laurent')}&status=current&_count=5`;
    const pages = await pagesOf(door, 'dr-nguyen', query);
    for (const page of pages) expect(page.total).toBe(total);
    const seen = pages.flatMap(({ entry = [] }) => entry.map(({ fullUrl }) => fullUrl));
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toHaveLength(total ?? -1);
  });

  test.each([
    ['altered', altered, 'dr-nguyen'],
    ['of somebody else', (url: string) => url, 'dr-martin'],
    ['joined with another search', (url: string) => `${url}&status=superseded`, 'dr-nguyen'],
    ['cut', (url: string) => url.slice(0, -4), 'dr-nguyen'],
  ])('a page link that is %s is refused', async (_case, change, who) => {
    const { json } = await search('dr-nguyen', 'status=current&_count=2');
    const next = nextOf(json);
    const refused = await door.get(who, change(next));
    expect(refused.status).toBe(400);
    expect(refused.json.issue[0]).toMatchObject({ code: 'invalid', details: { text: 'pageLinkBroken' } });
  });

  test.each(['final', 'constructor', '__proto__', 'toString'])(
    'a status that is none is refused: %s',
    async (status) => {
      const answer = await door.get(
        'dr-nguyen',
        `DocumentReference?patient.identifier=${door.of('laurent')}&status=${status}`,
      );
      expect(answer.status).toBe(400);
      expect(answer.json.issue[0]).toMatchObject({ code: 'value', details: { text: 'parameterMalformed' } });
    },
  );

  test('_count above the maximum is served at it; zero gives the total alone', async () => {
    expect((await search('dr-nguyen', '_count=100000')).status).toBe(200);
    const { json } = await search('dr-nguyen', 'status=current&_count=0');
    expect(json.entry).toBeUndefined();
    expect(json.total).toBe((await all()).total);
    expect(json.link?.map(({ relation }) => relation)).toEqual(['self']);
  });

  test('the self link says what was used and leaves out what was ignored, which is reported', async () => {
    const { json } = await door.get<Bundle<FhirResource>>(
      'dr-nguyen',
      `DocumentReference?patient.identifier=${door.of('laurent')}&status=current&colour=blue&_count=1`,
    );
    const self = new URL(json.link?.find(({ relation }) => relation === 'self')?.url ?? '');
    expect([...self.searchParams.keys()]).toEqual(['patient.identifier', 'status', '_count']);
    const outcome = json.entry?.find(({ search: how }) => how?.mode === 'outcome')?.resource as OperationOutcome;
    expect(outcome.issue).toMatchObject([
      {
        severity: 'warning',
        code: 'not-supported',
        details: { text: 'parameterUnknown' },
        expression: ['http.colour'],
      },
    ]);
  });

  test('strict handling refuses an unknown parameter', async () => {
    const { status, json } = await door.get(
      'dr-nguyen',
      `DocumentReference?patient.identifier=${door.of('laurent')}&colour=blue`,
      { headers: { Prefer: 'handling=strict' } },
    );
    expect(status).toBe(400);
    expect(json.issue[0]).toMatchObject({ code: 'not-supported', expression: ['http.colour'] });
  });

  test('by POST the same is found', async () => {
    const body = new URLSearchParams({ 'patient.identifier': door.of('laurent'), status: 'current', _count: '100' });
    const { status, json } = await door.ask<Documents>('DocumentReference/_search', {
      method: 'POST',
      headers: { Authorization: `Bearer ${await door.token('dr-nguyen')}` },
      body,
    });
    expect(status).toBe(200);
    expect(titles(json)).toEqual(titles(await all()));
  });

  test.each([
    ['application/json', '{}', 415, 'mediaTypeUnsupported'],
    ['application/x-www-form-urlencoded', `a=${'x'.repeat(20_000)}`, 413, 'messageTooLarge'],
  ])('a posted search of %s is refused when it should be', async (type, body, status, name) => {
    const refused = await door.ask('DocumentReference/_search', {
      method: 'POST',
      headers: { Authorization: `Bearer ${await door.token('dr-nguyen')}`, 'Content-Type': type },
      body,
    });
    expect(refused.status).toBe(status);
    expect(refused.json.issue[0]?.details?.text).toBe(name);
  });
});

describe('the parameters of a search', () => {
  test.each(['type=http://loinc.org|11502-2', 'type=11502-2', 'type=urn:oid:2.16.840.1.113883.6.1|11502-2'])(
    '%s finds the laboratory reports',
    async (query) => {
      const { json } = await search('dr-nguyen', `${query}&_count=100`);
      expect(new Set(titles(json))).toEqual(new Set(['Compte rendu d’examens de biologie médicale']));
    },
  );

  test.each([
    'type=http://snomed.info/sct|11502-2',
    'category=99999',
    'setting=|AMBULATOIRE',
    'status=superseded',
    'isArchived=true',
    'event=urn:oid:1.2.250.1.213.2.5|NOTHING',
    'author.family=Nobody',
    'creation=lt2000-01-01',
    'type=11502-2&type=57833-6',
  ])('%s finds nothing: 200, total 0, no entry', async (query) => {
    const { status, json } = await search('dr-nguyen', query);
    expect(status).toBe(200);
    expect(json.total).toBe(0);
    expect(json.entry).toBeUndefined();
  });

  test('a list of codes is an OR', async () => {
    const { json } = await search('dr-nguyen', 'type=11502-2,57833-6&_count=100');
    expect(titles(json)).toEqual(expect.arrayContaining(['Compte rendu d’examens de biologie médicale', 'Ordonnance']));
  });

  test.each(['http://terminology.hl7.org/CodeSystem/v3-Confidentiality|N', 'N'])(
    'security-label=%s finds the ordinary documents',
    async (label) => {
      const { json } = await search('dr-nguyen', `status=current&security-label=${label}`);
      expect(json.total).toBe((await all()).total);
    },
  );

  test('author.family begins the name, in the usual ways of writing it', async () => {
    const of = async (query: string) => (await search('dr-nguyen', `status=current&_count=100&${query}`)).json.total;
    const nguyen = await of('author.family=NGUYEN');
    expect(nguyen).toBeGreaterThanOrEqual(1);
    expect(await of('author.family=nguy')).toBe(nguyen);
    expect(await of('author.family=NGUYEN&author.given=Minh')).toBe(nguyen);
    expect(await of('author.family=NGUYEN&author.given=Paul')).toBe(0);
  });

  test('dates cut by start of act and by creation, their precision counts', async () => {
    const cardiology = ['Consultation de cardiologie'];
    expect(titles((await search('dr-nguyen', 'period-start=2026-01-28')).json)).toEqual(cardiology);
    expect(titles((await search('dr-nguyen', 'period=sa2026-01-27&period=le2026-01-28')).json)).toEqual(cardiology);
    // Without an end it goes on.
    expect(titles((await search('dr-nguyen', 'period=2026-01-28')).json)).toEqual([]);
    expect(titles((await search('dr-nguyen', 'period-start=ge2026-01-28&period-start=lt2026-01-29')).json)).toEqual(
      cardiology,
    );
    const document = await named('Consultation de cardiologie');
    const creation = document.content[0]?.attachment.creation ?? '';
    expect(titles((await search('dr-nguyen', `creation=${creation.slice(0, 10)}`)).json)).toEqual(cardiology);
    expect((await search('dr-nguyen', `creation=gt${creation.slice(0, 4)}`)).json.total).toBe(0);
  });

  test('identifier finds by entryUUID and by uniqueId, with and without the patient', async () => {
    const document = await named('Ordonnance');
    const found = [
      `identifier=${document.identifier?.[0]?.system}|${document.identifier?.[0]?.value}&status=current`,
      `identifier=${document.identifier?.[0]?.value}`,
      `identifier=${document.masterIdentifier?.system}|${document.masterIdentifier?.value}`,
      `_id=${document.id}`,
    ];
    for (const query of found) expect(titles((await search('dr-nguyen', query)).json)).toEqual(['Ordonnance']);
    expect((await search('dr-nguyen', `_id=${document.id}&status=superseded`)).json.total).toBe(0);
    const alone = await door.get<Documents>('dr-nguyen', `DocumentReference?_id=${document.id}`);
    expect(titles(alone.json)).toEqual(['Ordonnance']);
  });

  test('patient names the record by our id, relative, absolute or bare', async () => {
    const { reference = '' } = (await named('Ordonnance')).subject ?? {};
    for (const patient of [reference, `${door.base}/${reference}`, reference.replace('Patient/', '')]) {
      const { json } = await door.get<Documents>('dr-nguyen', `DocumentReference?patient=${patient}&status=current`);
      expect(json.total).toBe((await all()).total);
    }
  });

  test('the patient of the token is meant when none is named', async () => {
    const { json } = await door.get<Documents>('dr-nguyen', 'DocumentReference?status=current', { patient: 'laurent' });
    expect(json.total).toBe((await all()).total);
  });

  test.each([
    ['status=foo', 'value', 'http.status'],
    ['creation=yesterday', 'value', 'http.creation'],
    ['creation=2026-02-30', 'value', 'http.creation'],
    ['creation=xx2026', 'value', 'http.creation'],
    ['_count=many', 'value', 'http._count'],
    ['_sort=title', 'value', 'http._sort'],
    ['type:below=11502-2', 'not-supported', 'http.type:below'],
    ['author.birthdate=1970', 'not-supported', 'http.author.birthdate'],
    ['_include:iterate=DocumentReference:relatesto', 'not-supported', 'http._include:iterate'],
    ['_include=DocumentReference:authenticator', 'value', 'http._include'],
    ['_revinclude=Provenance:target', 'value', 'http._revinclude'],
    ['_sort=date,-date', 'value', 'http._sort'],
    ['_sort=date,', 'value', 'http._sort'],
    ['_summary=some', 'value', 'http._summary'],
    ['_elements=a[0]', 'value', 'http._elements'],
    ['_summary=text&_include=DocumentReference:subject', 'value', 'http._summary'],
    ['_contained=true', 'value', 'http._contained'],
    ['relationship=DocumentReference/1', 'value', 'http.relationship'],
    ['description:exact=', 'value', 'http.description:exact'],
    ['type:missing=perhaps', 'value', 'http.type:missing'],
    ['author:identifier=|', 'value', 'http.author:identifier'],
    ['patient=Patient/another', 'value', 'http.patient'],
  ])('%s is refused by name', async (query, code, expression) => {
    const { status, json } = await door.get(
      'dr-nguyen',
      `DocumentReference?patient.identifier=${door.of('laurent')}&${query}`,
    );
    expect(status).toBe(400);
    expect(json.issue[0]).toMatchObject({ severity: 'error', code, expression: [expression] });
  });

  test('all that is wrong is said at once', async () => {
    const { json } = await door.get('dr-nguyen', 'DocumentReference?patient.identifier=1&status=foo&creation=x');
    expect(json.issue.map(({ expression }) => expression?.[0])).toEqual([
      'http.patient.identifier',
      'http.status',
      'http.creation',
    ]);
  });

  test('nobody named: the patient is asked for', async () => {
    const { status, json } = await door.get('dr-nguyen', 'DocumentReference?status=current');
    expect(status).toBe(400);
    expect(json.issue[0]?.code).toBe('required');
  });
});

describe('who may search', () => {
  test('a blocked doctor is refused and told no reason', async () => {
    const { status, json } = await door.get('dr-nguyen', `DocumentReference?patient.identifier=${door.of('blanc')}`);
    expect(status).toBe(403);
    expect(json.issue[0]).toMatchObject({ code: 'forbidden', details: { text: 'accessDenied' } });
    expect(JSON.stringify(json)).not.toMatch(/block/i);
  });

  test.each(['garnier'])('a patient without a record is as unknown: 200 and empty', async (patient) => {
    const { status, json } = await search('dr-nguyen', 'status=current', patient);
    expect([status, json.total]).toEqual([200, 0]);
  });

  test('a closed record is refused, and the text says closed', async () => {
    const { status, json } = await door.get('dr-martin', `DocumentReference?patient.identifier=${door.of('faure')}`);
    expect(status).toBe(403);
    expect(json.issue[0]).toMatchObject({ code: 'forbidden', details: { text: 'recordClosed' } });
    expect(json.issue[0]?.diagnostics).toMatch(/closed/);
  });

  test('break-glass with a reason opens, without one it does not; an opposition holds', async () => {
    const query = `DocumentReference?patient.identifier=${door.of('laurent')}&status=current`;
    const durand = (reason?: string) =>
      door.get<Documents>('pharm-durand', query, { mode: 'bris_de_glace', ...(reason !== undefined && { reason }) });
    expect((await durand('patient inconscient')).json.total).toBeGreaterThan(0);
    expect((await durand()).status).toBe(403);
    const girard = `DocumentReference?patient.identifier=${door.of('girard')}`;
    const opposed = await door.get('dr-nguyen', girard, { mode: 'bris_de_glace', reason: 'patient inconscient' });
    expect(opposed.status).toBe(403);
  });

  test('a structure has no list, and finds what is its own by name', async () => {
    expect((await search('labo-centre', 'status=current')).status).toBe(403);
    const own = (await search('dr-nguyen', 'type=11502-2')).json.entry?.[0]?.resource?.id;
    const other = (await named('Ordonnance')).id;
    const found = await search('labo-centre', `_id=${own},${other}`);
    expect(found.json.entry?.map(({ resource }) => resource?.id)).toEqual([own]);
  });

  test('a document hidden from the patient is in his doctor’s list and in no list of his', async () => {
    const doctor = (await search('dr-martin', '_count=100', 'masson')).json;
    const patient = (await search('masson', '_count=100', 'masson')).json;
    expect(patient.total).toBe((doctor.total ?? 0) - 1);
    const hidden = doctor.entry?.find(({ fullUrl }) => patient.entry?.every((e) => e.fullUrl !== fullUrl) === true);
    const path = `DocumentReference/${hidden?.resource?.id}`;
    expect((await door.get('dr-martin', path)).status).toBe(200);
    expect((await door.get('masson', path)).status).toBe(404);
    expect((await door.get('masson', path, { patient: 'masson' })).status).toBe(404);
    expect((await door.get('masson', `Binary/${hidden?.resource?.id}`)).status).toBe(404);
  });
});

describe('the read of one document', () => {
  test('gives what the search gave, with its version', async () => {
    const document = await named('Ordonnance');
    const { status, headers, json } = await door.get<DocumentReference>(
      'dr-nguyen',
      `DocumentReference/${document.id}`,
    );
    expect(status).toBe(200);
    expect(headers.get('etag')).toBe('W/"1"');
    expect(json).toEqual(document);
  });

  test('HEAD answers like GET, without body', async () => {
    const document = await named('Ordonnance');
    const headers = { Authorization: `Bearer ${await door.token('dr-nguyen')}` };
    const {
      status,
      bytes,
      headers: got,
    } = await door.ask(`DocumentReference/${document.id}`, { method: 'HEAD', headers });
    expect([status, bytes.length, got.get('etag')]).toEqual([200, 0, 'W/"1"']);
  });

  test('without a right, and no patient named, it is as unknown as one that does not exist', async () => {
    const document = await named('Ordonnance');
    const refused = await door.get('pharm-durand', `DocumentReference/${document.id}`);
    const nothing = await door.get('pharm-durand', 'DocumentReference/00000000-0000-4000-8000-000000000000');
    const words = ({ json }: typeof refused) => json.issue[0]?.diagnostics?.replace(/[0-9a-f-]{36}/, 'ID');
    expect([refused.status, nothing.status]).toEqual([404, 404]);
    expect(words(refused)).toBe(words(nothing));
  });

  test('a document of another record than the token’s patient is unknown', async () => {
    const document = await named('Ordonnance');
    const { status } = await door.get('dr-martin', `DocumentReference/${document.id}`, { patient: 'casanova' });
    expect(status).toBe(404);
    expect((await door.get('dr-martin', `Binary/${document.id}`, { patient: 'casanova' })).status).toBe(404);
  });
});
