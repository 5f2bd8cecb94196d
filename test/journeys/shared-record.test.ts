import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AuditEvent, Bundle, DocumentReference, Patient } from 'fhir/r4.js';
import { Client } from 'fhir-kit-client';
import { documentType } from '../../server/cda/document-types.ts';
import { writeCda } from '../../server/sandbox/cda.ts';
import { writePdf } from '../../server/sandbox/pdf.ts';
import { patientOf, personOf } from '../../server/sandbox/people.ts';
import { stateConsent } from '../../server/usecases/consent.ts';
import { type Acting, cxOf, tokenOf } from '../support/clients.ts';
import { type Filer, findDocuments, getDocuments, retrieveDocuments } from '../support/messages.ts';
import { openServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
});
afterAll(() => server.close());

const professional = (slug: string) => {
  const person = personOf(slug);
  if (person?.kind !== 'professional') throw new Error(`${slug} is no professional`);
  return person;
};
const martin: Filer = professional('dr-martin');
const sandboxId = (number: number) => `1.2.250.1.999.1.3.${number}`;

/** As one of the sandbox's people, by an assertion or a token that names the patient. */
const find = (slug: string, patient: string, acting: Acting = {}) =>
  server.xds.ask('find', server.credentials.vihf(slug, { patient, ...acting }), findDocuments(cxOf(patient)));
const lookUp = (slug: string, patient: string, ...names: string[]) =>
  server.xds.ask('find', server.credentials.vihf(slug, { patient }), getDocuments(names));
const retrieve = (slug: string, patient: string, uniqueId: string, acting: Acting = {}) =>
  server.xds.ask('retrieve', server.credentials.vihf(slug, { patient, ...acting }), retrieveDocuments([uniqueId]));
const get = async <T>(slug: string, path: string, acting: Acting = {}) =>
  server.fhir.get<T>(await server.credentials.token(slug, acting), path);
const search = (slug: string, patient: string, acting: Acting = {}) =>
  get<Bundle<DocumentReference>>(
    slug,
    `DocumentReference?patient.identifier=${tokenOf(patient)}&status=current&_count=100`,
    acting,
  );
const uniqueIdsOf = ({ entry = [] }: Bundle<DocumentReference>) =>
  entry.map(({ resource }) => resource?.masterIdentifier?.value?.replace('urn:oid:', ''));
const outcomeOf = ({ json }: { json: unknown }) =>
  (json as { issue?: { code: string; diagnostics?: string }[] }).issue?.[0];
const history = (slug: string, patient: string) =>
  get<Bundle<AuditEvent>>(slug, `AuditEvent?patient.identifier=${tokenOf(patient)}&date=ge2026-01-01&_count=500`);

const userOf = (event: AuditEvent) => event.agent.find(({ requestor }) => requestor)?.who?.identifier?.value;

/** An event as text, its query decoded. */
const withQueries = (event: AuditEvent) =>
  [event, ...(event.entity ?? []).map(({ query = '' }) => Buffer.from(query, 'base64').toString())]
    .map((part) => JSON.stringify(part))
    .join('\n');

/** Under what number somebody is an agent of events. */
function personId(slug: string): string {
  const person = personOf(slug);
  if (person?.kind === 'professional') return person.idNat;
  return person?.kind === 'patient' || person?.kind === 'representative' ? person.ins : '';
}

/** The uuid of the sandbox's document of that number, as the treating doctor sees it. */
async function uuidOf(patient: string, number: number): Promise<string> {
  const reader = patient === 'girard' ? 'dr-leroy' : 'dr-martin';
  const [found = ''] = (await lookUp(reader, patient, sandboxId(number))).objects;
  expect(found).toMatch(/^urn:uuid:/);
  return found.slice('urn:uuid:'.length);
}

function cdaOf(
  id: string,
  type: string,
  title: string,
  content: Parameters<typeof writeCda>[0]['content'],
): Uint8Array {
  const { typeCode } = documentType(type) ?? {};
  const patient = patientOf('laurent');
  if (typeCode === undefined || patient === undefined) throw new Error('unknown');
  const at = Date.parse('2026-06-15T08:00:00Z');
  const author = professional('dr-martin');
  return writeCda({ id, typeCode, title, writtenAt: at, serviceAt: at, patient, author, content });
}

describe('a document goes in by XDS and comes out by XDS and by FHIR', () => {
  const laboratory = {
    uniqueId: '2.999.1.1',
    title: 'Bilan lipidique',
    type: '11502-2',
    format: 'urn:ihe:lab:xd-lab:2008',
    bytes: cdaOf('2.999.1.1', '11502-2', 'Bilan lipidique', {
      kind: 'laboratory',
      chapters: [
        {
          code: '18719-5',
          title: 'Biochimie',
          results: [{ code: '2093-3', name: 'Cholestérol', value: 2.1, unit: 'g/L', range: [1.5, 2] }],
        },
      ],
    }),
  };
  const letter = {
    uniqueId: '2.999.1.2',
    title: 'Compte rendu',
    format: 'urn:ihe:iti:xds-sd:pdf:2008',
    bytes: cdaOf('2.999.1.2', '11488-4', 'Compte rendu', {
      kind: 'nonXml',
      mediaType: 'application/pdf',
      bytes: writePdf('Compte rendu', ['Rien à signaler.']),
    }),
  };

  test.each([
    ['a laboratory report with a structured body', laboratory],
    ['a CDA with a PDF inside', letter],
  ])('the doctor deposits %s', async (_, filed) => {
    const { answer, events } = await server.ledger.traced(() =>
      server.xds.deposit(server.credentials.vihf('dr-martin', { patient: 'laurent' }), {
        cx: cxOf('laurent'),
        filer: martin,
        ...filed,
      }),
    );
    expect(answer).toMatchObject({ http: 200, status: 'Success', errors: [] });
    expect(events).toMatchObject([{ action: 'submitDocuments', outcome: 'done', ground: 'treatingDoctor' }]);
  });

  test('a colleague finds both, as entries and as references, and gets them by name', async () => {
    const found = await find('dr-nguyen', 'laurent');
    expect(found).toMatchObject({ status: 'Success', errors: [] });
    expect(found.uniqueIds.slice(0, 2)).toEqual([letter.uniqueId, laboratory.uniqueId]);
    const references = await server.xds.ask(
      'find',
      server.credentials.vihf('dr-nguyen', { patient: 'laurent' }),
      findDocuments(cxOf('laurent'), 'ObjectRef'),
    );
    expect(references.objects).toEqual(found.objects);
    expect(references.text).not.toContain('ExtrinsicObject');
    const byUuid = await lookUp('dr-nguyen', 'laurent', ...found.objects.slice(0, 2));
    expect(byUuid.uniqueIds.toSorted()).toEqual([laboratory.uniqueId, letter.uniqueId]);
    const byUniqueId = await server.xds.ask(
      'find',
      server.credentials.vihf('dr-nguyen', { patient: 'laurent' }),
      getDocuments([laboratory.uniqueId], 'ObjectRef'),
    );
    expect(byUniqueId.objects).toEqual(found.objects.slice(1, 2));
  });

  test.each([
    ['the laboratory report', laboratory],
    ['the letter', letter],
  ])('and retrieves %s byte for byte', async (_, { uniqueId, bytes }) => {
    const answer = await retrieve('dr-nguyen', 'laurent', uniqueId);
    expect(answer.status).toBe('Success');
    expect(answer.documents).toEqual([{ uniqueId, bytes: Buffer.from(bytes) }]);
  });

  test('an app finds the patient, finds them, reads one and its bytes, with the same hash', async () => {
    const client = new Client({
      baseUrl: server.fhir.base,
      bearerToken: await server.credentials.token('dr-nguyen', { patient: 'laurent' }),
    });
    const patients = (await client.search({
      resourceType: 'Patient',
      searchParams: { identifier: tokenOf('laurent') },
    })) as unknown as Bundle<Patient>;
    expect(patients).toMatchObject({ total: 1, entry: [{ resource: { active: true } }] });
    const found = (await client.search({
      resourceType: 'DocumentReference',
      searchParams: { 'patient.identifier': tokenOf('laurent'), status: 'current' },
    })) as unknown as Bundle<DocumentReference>;
    expect(uniqueIdsOf(found).slice(0, 2)).toEqual([letter.uniqueId, laboratory.uniqueId]);

    const listed = found.entry?.[1]?.resource;
    const read = (await client.read({
      resourceType: 'DocumentReference',
      id: listed?.id ?? '',
    })) as unknown as DocumentReference;
    expect(read).toEqual(listed);
    expect(read.subject?.reference).toBe(`Patient/${patients.entry?.[0]?.resource?.id}`);
    const { url = '', hash, size } = read.content[0]?.attachment ?? {};
    const token = await server.credentials.token('dr-nguyen', { patient: 'laurent' });
    const { status, bytes, headers } = await server.fhir.get(token, url, { Accept: '*/*' });
    expect([status, headers.get('content-type')]).toEqual([200, 'text/xml']);
    expect(bytes).toEqual(Buffer.from(laboratory.bytes));
    expect(createHash('sha1').update(bytes).digest('base64')).toBe(hash);
    expect(bytes.length).toBe(size);
  });
});

describe('a patient blocks a professional', () => {
  test('who gets nothing by XDS and is told no more than that his rights do not reach', async () => {
    const blocked = [
      await find('dr-nguyen', 'blanc'),
      await lookUp('dr-nguyen', 'blanc', sandboxId(301)),
      await lookUp('dr-nguyen', 'blanc', '2.999.404'),
      await retrieve('dr-nguyen', 'blanc', sandboxId(301)),
    ];
    for (const answer of blocked) {
      expect(answer).toMatchObject({ http: 200, status: 'Failure', objects: [], documents: [] });
      expect(answer.errors).toHaveLength(1);
      expect(answer.errors[0]?.context).toMatch(/^DMPAccessDeniedByRightsService/);
    }
    expect(blocked.map(({ errors }) => errors[0]?.code)).toEqual([
      'XDSRegistryError',
      'XDSRegistryError',
      'XDSRegistryError',
      'XDSRepositoryError',
    ]);
    const stranger = await find('pharm-durand', 'blanc');
    expect(stranger.errors).toEqual(blocked[0]?.errors);
  });

  test('nor by FHIR: refused where he names her, unknown where he names nobody', async () => {
    const id = await uuidOf('blanc', 301);
    const searched = await search('dr-nguyen', 'blanc');
    expect([searched.status, outcomeOf(searched)?.code]).toEqual([403, 'forbidden']);
    const named = await get('dr-nguyen', `DocumentReference/${id}`, { patient: 'blanc' });
    expect([named.status, outcomeOf(named)?.code]).toEqual([403, 'forbidden']);
    const unknown = '01990000-0000-7000-8000-000000000000';
    for (const type of ['DocumentReference', 'Binary']) {
      const hers = await get('dr-nguyen', `${type}/${id}`);
      const nobodys = await get('dr-nguyen', `${type}/${unknown}`);
      expect([hers.status, outcomeOf(hers)?.code]).toEqual([404, 'not-found']);
      expect(outcomeOf(hers)?.diagnostics?.replace(id, '')).toBe(outcomeOf(nobodys)?.diagnostics?.replace(unknown, ''));
    }
  });

  test('a refusal has its reason in the audit and nowhere else', async () => {
    const { answer, events } = await server.ledger.traced(() => find('dr-nguyen', 'blanc'));
    expect(events).toMatchObject([{ outcome: 'refused', ground: 'blocked', action: 'searchDocuments' }]);
    expect(answer.text).not.toMatch(/block|bloqu/i);
  });
});

describe('break-glass', () => {
  const urgent: Acting = { mode: 'bris_de_glace', reason: 'patient inconscient' };

  test('without it, a doctor who is not authorised reads nothing', async () => {
    expect((await find('dr-bernard', 'laurent')).errors[0]?.context).toMatch(/^DMPAccessDeniedByRightsService/);
    expect((await search('dr-bernard', 'laurent')).status).toBe(403);
  });

  test('with a reason he reads the record, list and bytes, on both faces', async () => {
    const { answer, events } = await server.ledger.traced(() => find('dr-bernard', 'laurent', urgent));
    expect(answer.status).toBe('Success');
    expect(answer.uniqueIds).toContain(sandboxId(101));
    expect(events).toMatchObject([{ ground: 'breakGlass', mode: 'breakGlass', statedReason: 'patient inconscient' }]);
    expect((await retrieve('dr-bernard', 'laurent', sandboxId(101), urgent)).documents).toHaveLength(1);
    const found = await search('dr-bernard', 'laurent', urgent);
    expect(uniqueIdsOf(found.json)).toEqual(answer.uniqueIds);
    const bytes = await get('dr-bernard', `Binary/${await uuidOf('laurent', 101)}`, { patient: 'laurent', ...urgent });
    expect(bytes.status).toBe(200);
  });

  test('without a reason, or with a blank one, it opens nothing', async () => {
    for (const reason of [undefined, '   ']) {
      const acting: Acting = { mode: 'bris_de_glace', ...(reason !== undefined && { reason }) };
      expect((await find('dr-bernard', 'laurent', acting)).status).toBe('Failure');
      expect((await search('dr-bernard', 'laurent', acting)).status).toBe(403);
    }
  });

  test.each(['dr-bernard', 'dr-martin', 'dr-leroy'])(
    'it does not open the record of a patient who opposed it, to %s',
    async (slug) => {
      expect((await find(slug, 'girard', urgent)).errors).toMatchObject([
        { code: 'XDSRegistryError', context: expect.stringMatching(/^DMPAccessDeniedByRightsService/) },
      ]);
      expect((await retrieve(slug, 'girard', sandboxId(401), urgent)).status).toBe('Failure');
      expect((await search(slug, 'girard', urgent)).status).toBe(403);
    },
  );

  test('the centre 15 opens without authorisation, unless the patient opposed', async () => {
    const call: Acting = { mode: 'centre_15' };
    expect((await find('dr-bernard', 'laurent', call)).status).toBe('Success');
    expect((await search('dr-bernard', 'laurent', call)).status).toBe(200);
    expect((await find('dr-bernard', 'girard', call)).status).toBe('Failure');
    expect((await search('dr-bernard', 'girard', call)).status).toBe(403);
  });
});

describe('the patient reads who did what', () => {
  test('deposits, searches, readings, a broken glass with its reason, and refusals of known actors', async () => {
    await find('pharm-durand', 'laurent');
    const { status, json } = await history('laurent', 'laurent');
    expect(status).toBe(200);
    const told = (json.entry ?? []).map(({ resource }) => ({
      what: resource?.subtype?.at(-1)?.code,
      who: resource?.agent.find(({ requestor }) => requestor)?.who?.identifier?.value,
      purpose: resource?.agent.find(({ requestor }) => requestor)?.purposeOfUse?.[0]?.coding?.[0]?.code,
      outcome: resource?.outcome,
    }));
    const [doctor, colleague, regulator, pharmacist] = ['dr-martin', 'dr-nguyen', 'dr-bernard', 'pharm-durand'].map(
      (slug) => professional(slug).idNat,
    );
    for (const [what, who, purpose, outcome] of [
      ['ITI-41', doctor, 'TREAT', '0'],
      ['ITI-18', colleague, 'TREAT', '0'],
      ['ITI-43', colleague, 'TREAT', '0'],
      ['ITI-78', colleague, 'TREAT', '0'],
      ['ITI-67', colleague, 'TREAT', '0'],
      ['ITI-68', colleague, 'TREAT', '0'],
      ['ITI-18', regulator, 'BTG', '0'],
      ['ITI-43', regulator, 'BTG', '0'],
      ['ITI-68', regulator, 'BTG', '0'],
      ['ITI-18', regulator, 'BTG', '8'],
      ['ITI-18', regulator, 'TREAT', '8'],
      ['ITI-67', regulator, 'TREAT', '8'],
      ['ITI-18', pharmacist, 'TREAT', '8'],
    ])
      expect(told).toContainEqual({ what, who, purpose, outcome });
    expect(JSON.stringify(json)).toContain('patient inconscient');
    expect(JSON.stringify(json)).not.toContain('notAuthorised');
  });

  test('what nobody proved is not shown there', async () => {
    const before = (await history('laurent', 'laurent')).json.entry?.length ?? 0;
    const forged = server.credentials.vihf('dr-nguyen', { patient: 'laurent' }).replace('DIRECTE', 'DIRECTA');
    const { answer, events } = await server.ledger.traced(() =>
      server.xds.ask('find', forged, findDocuments(cxOf('laurent'))),
    );
    expect(answer.fault?.subcode).toBe('wsse:FailedAuthentication');
    expect(events).toMatchObject([{ action: 'identify', outcome: 'refused' }]);
    // One more, which is the reading of before.
    expect((await history('laurent', 'laurent')).json.entry).toHaveLength(before + 1);
  });

  test('another patient reads nothing of it', async () => {
    const { status, json } = await history('blanc', 'laurent');
    expect(status).toBe(403);
    expect(json.entry).toBeUndefined();
  });
});

describe('a hidden document leaves no trace for whom it is hidden from', () => {
  /** Checks every way to it on both faces; `slug` has no card where it has only a token. */
  async function isAbsent(slug: string, patient: string, number: number, card: boolean): Promise<void> {
    const id = await uuidOf(patient, number);
    const hidden = sandboxId(number);
    if (card) {
      const found = await find(slug, patient);
      expect(found.status).toBe('Success');
      expect(found.text).not.toContain(hidden);
      expect(await lookUp(slug, patient, hidden)).toMatchObject({ status: 'Success', objects: [] });
      expect(await lookUp(slug, patient, `urn:uuid:${id}`)).toMatchObject({ status: 'Success', objects: [] });
      const [bytes, unknown] = [await retrieve(slug, patient, hidden), await retrieve(slug, patient, '2.999.404')];
      expect(bytes).toMatchObject({ status: 'Failure', documents: [], errors: [{ code: 'XDSDocumentUniqueIdError' }] });
      expect(bytes.errors[0]?.context.replace(hidden, '')).toBe(unknown.errors[0]?.context.replace('2.999.404', ''));
    }
    const searched = await search(slug, patient);
    expect(searched.status).toBe(200);
    expect(searched.json.total).toBe(searched.json.entry?.length ?? 0);
    for (const query of [
      `identifier=urn:oid:${hidden}`,
      `identifier=urn:uuid:${id}`,
      `_id=${id}`,
      'status=current&_count=0',
    ]) {
      const { status, json, bytes } = await get<Bundle>(
        slug,
        `DocumentReference?patient.identifier=${tokenOf(patient)}&${query}`,
      );
      expect(status).toBe(200);
      expect(json.total).toBe(query.includes('_count=0') ? searched.json.total : 0);
      expect(bytes.toString().replace(/"url":"[^"]*"/g, '')).not.toContain(hidden);
    }
    expect(JSON.stringify(searched.json)).not.toMatch(new RegExp(`${hidden}|${id}`));
    for (const path of [`DocumentReference/${id}`, `Binary/${id}`])
      for (const acting of [{}, { patient }]) {
        const answer = await get(slug, path, acting);
        expect([answer.status, outcomeOf(answer)?.code]).toEqual([404, 'not-found']);
      }
    const traces = await history(slug, patient);
    expect(traces.status).toBe(200);
    // What he asked himself is his own: only what others did may tell him of it.
    const viewer = personId(slug);
    const others = (traces.json.entry ?? []).flatMap(({ resource }) =>
      resource !== undefined && userOf(resource) !== viewer ? [withQueries(resource)] : [],
    );
    expect(others.length > 0).toBe(!card);
    expect(others.filter((text) => text.includes(hidden) || text.includes(id))).toEqual([]);
  }

  test('masked to professionals: absent for the authorised one', async () => {
    await isAbsent('dr-nguyen', 'henry', 501, true);
    await isAbsent('dr-nguyen', 'henry', 502, true);
  });
  test('masked to professionals: there for the patient, the treating doctor, and its author', async () => {
    const both = [sandboxId(502), sandboxId(501)];
    expect(uniqueIdsOf((await search('henry', 'henry')).json)).toEqual(both);
    expect((await find('dr-martin', 'henry')).uniqueIds).toEqual(both);
    expect((await find('dr-leroy', 'henry')).uniqueIds).toEqual([sandboxId(502)]);
  });
  test('masked to professionals: absent in break-glass, since the patient did not accept it', async () => {
    const urgent: Acting = { mode: 'bris_de_glace', reason: 'patient inconscient' };
    expect(await find('dr-bernard', 'henry', urgent)).toMatchObject({ status: 'Success', objects: [] });
    expect((await search('dr-bernard', 'henry', urgent)).json.total).toBe(0);
  });
  test('hidden until the announcement: absent for the patient, there for the doctor', async () => {
    const [seen, hidden] = [sandboxId(601), sandboxId(602)];
    await lookUp('dr-martin', 'masson', seen, hidden);
    await lookUp('labo-centre', 'masson', hidden);
    await lookUp('sec-moreau', 'masson', hidden);
    await get('dr-martin', `DocumentReference?patient.identifier=${tokenOf('masson')}&identifier=urn:oid:${hidden}`);
    await isAbsent('masson', 'masson', 602, false);
    expect((await find('dr-martin', 'masson')).uniqueIds).toEqual([sandboxId(602), sandboxId(601)]);
  });
  test('hidden from legal representatives: absent for the mother, there for the minor and her doctor', async () => {
    await isAbsent('sophie-morel', 'lea-morel', 703, false);
    const all = [sandboxId(703), sandboxId(702), sandboxId(701)];
    expect(uniqueIdsOf((await search('lea-morel', 'lea-morel')).json)).toEqual(all);
    expect((await find('dr-martin', 'lea-morel')).uniqueIds).toEqual(all);
  });
});

describe('who sees entries and no bytes, or only what is his own', () => {
  test('the occupational doctor, authorised, finds entries and reads no byte', async () => {
    const { tools } = server.context;
    const laurent = patientOf('laurent');
    if (laurent === undefined) throw new Error('laurent');
    const ins = { value: laurent.ins, oid: laurent.insOid };
    await stateConsent(
      tools,
      {
        caller: {
          actor: { kind: 'patient', ins, name: 'laurent' },
          mode: 'normal',
          secret: false,
          credential: { kind: 'internal', id: 'test' },
        },
        origin: { transaction: 'internal', requestId: 'test', endpoint: 'test' },
      },
      ins,
      {
        kind: 'authorisation',
        actor: { kind: 'professional', id: professional('dr-roux').idNat },
        treatingDoctor: false,
      },
    );
    expect((await find('dr-roux', 'laurent')).uniqueIds).toContain(sandboxId(101));
    expect((await search('dr-roux', 'laurent')).status).toBe(200);
    expect(await retrieve('dr-roux', 'laurent', sandboxId(101))).toMatchObject({
      status: 'Failure',
      documents: [],
      errors: [{ code: 'XDSDocumentUniqueIdError' }],
    });
    const id = await uuidOf('laurent', 101);
    expect((await get('dr-roux', `DocumentReference/${id}`)).status).toBe(200);
    expect((await get('dr-roux', `Binary/${id}`)).status).toBe(404);
    expect((await get('dr-roux', `Binary/${id}`, { patient: 'laurent' })).status).toBe(404);
  });

  test.each([
    ['a structure', 'labo-centre', 110, 101],
    ['a secretary', 'sec-moreau', 101, 110],
  ])('%s finds by name what is its own, nothing else, no list and no bytes', async (_, slug, own, other) => {
    expect((await find(slug, 'laurent')).errors[0]?.context).toMatch(/^DMPAccessDeniedByRightsService/);
    expect((await search(slug, 'laurent')).status).toBe(403);
    expect((await lookUp(slug, 'laurent', sandboxId(own))).uniqueIds).toEqual([sandboxId(own)]);
    expect(await lookUp(slug, 'laurent', sandboxId(other))).toMatchObject({ status: 'Success', objects: [] });
    expect((await retrieve(slug, 'laurent', sandboxId(own))).errors).toMatchObject([
      { code: 'XDSRepositoryError', context: expect.stringMatching(/^DMPAccessDeniedByRightsService/) },
    ]);
    const [mine, another] = [await uuidOf('laurent', own), await uuidOf('laurent', other)];
    expect((await get(slug, `DocumentReference/${mine}`)).status).toBe(200);
    expect((await get(slug, `DocumentReference/${another}`)).status).toBe(404);
    expect((await get(slug, `Binary/${mine}`)).status).toBe(404);
    expect((await get(slug, `Binary/${mine}`, { patient: 'laurent' })).status).toBe(403);
  });
});

describe('records that are closed or that do not exist', () => {
  test('closed: XDS says so, FHIR shows an inactive patient and refuses the documents', async () => {
    const denied = { code: 'XDSUnknownPatientId', context: expect.stringMatching(/closed/) };
    expect(await find('dr-martin', 'faure')).toMatchObject({ status: 'Failure', objects: [], errors: [denied] });
    expect(await retrieve('dr-martin', 'faure', sandboxId(201))).toMatchObject({ status: 'Failure', errors: [denied] });
    const patient = await get<Bundle<Patient>>('dr-martin', `Patient?identifier=${tokenOf('faure')}`);
    expect(patient.json).toMatchObject({ total: 1, entry: [{ resource: { active: false } }] });
    expect(JSON.stringify(patient.json)).not.toContain('NICOLE');
    const searched = await search('dr-martin', 'faure');
    expect([searched.status, outcomeOf(searched)?.code]).toEqual([403, 'forbidden']);
    expect(outcomeOf(searched)?.diagnostics).toMatch(/closed/);
  });

  test('none: unknown by XDS, empty by FHIR, in the words that an impossible matricule gets', async () => {
    const nobody = '290015935000101';
    const [garnier, stranger] = [await find('dr-martin', 'garnier'), await find('dr-martin', nobody)];
    expect(garnier).toMatchObject({ status: 'Failure', errors: [{ code: 'XDSUnknownPatientId' }] });
    expect(garnier.errors[0]?.context).not.toMatch(/closed/);
    expect(garnier.errors[0]?.context.replace(cxOf('garnier').split('^')[0] ?? '', '')).toBe(
      stranger.errors[0]?.context.replace(nobody, ''),
    );
    for (const patient of ['garnier', nobody]) {
      expect((await search('dr-martin', patient)).json).toMatchObject({ resourceType: 'Bundle', total: 0 });
      const existence = await get<Bundle>('dr-martin', `Patient?identifier=${tokenOf(patient)}`);
      expect([existence.status, existence.json.total]).toEqual([200, 0]);
    }
  });
});

describe('an assertion serves one request', () => {
  test('the second is refused, whatever it asks, and leaves an event of nobody', async () => {
    const once = server.credentials.vihf('dr-nguyen', { patient: 'laurent' });
    expect((await server.xds.ask('find', once, findDocuments(cxOf('laurent')))).status).toBe('Success');
    const { answer, events, unchanged } = await server.ledger.traced(() =>
      server.xds.ask('retrieve', once, retrieveDocuments([sandboxId(101)])),
    );
    expect(answer).toMatchObject({ http: 400, status: 'Fault', fault: { subcode: 'wsse:FailedAuthentication' } });
    expect(answer.documents).toEqual([]);
    expect(unchanged).toBe(true);
    expect(events).toMatchObject([{ action: 'identify', outcome: 'refused', ground: 'replayed' }]);
    expect(events[0]).not.toHaveProperty('actor');
    expect(events[0]).not.toHaveProperty('patient');
  });

  test('of many at once, one', async () => {
    const once = server.credentials.vihf('dr-nguyen', { patient: 'laurent' });
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => server.xds.ask('find', once, findDocuments(cxOf('laurent')))),
    );
    expect(answers.map(({ status }) => status).filter((status) => status === 'Success')).toHaveLength(1);
  });

  test('used for a deposit, it deposits once', async () => {
    const once = server.credentials.vihf('dr-martin', { patient: 'casanova' });
    const filed = (uniqueId: string) => ({
      cx: cxOf('casanova'),
      filer: martin,
      uniqueId,
      bytes: Buffer.from(uniqueId),
    });
    expect((await server.xds.deposit(once, filed('2.999.7.1'))).status).toBe('Success');
    const { answer, unchanged } = await server.ledger.traced(() => server.xds.deposit(once, filed('2.999.7.2')));
    expect([answer.status, unchanged]).toEqual(['Fault', true]);
    expect((await find('dr-martin', 'casanova')).uniqueIds).toEqual(['2.999.7.1']);
  });
});
