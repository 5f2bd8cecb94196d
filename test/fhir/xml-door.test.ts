import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, CapabilityStatement, Consent, DocumentReference, OperationOutcome } from 'fhir/r4.js';
import { xmlMeter } from '../../server/fhir/body.ts';
import type { Json } from '../../server/fhir/json.ts';
import { readXml } from '../../server/fhir/xml/read.ts';
import { writeXml } from '../../server/fhir/xml/write.ts';
import { consentFor, permit } from './consent-samples.ts';
import { bundleOf, resourceIn } from './deposits.ts';
import { type Door, openDoor } from './door.ts';
import { nextOf } from './paging.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(async () => {
  expect(door.faults).toEqual([]);
  await door.close();
});

const xmlType = 'application/fhir+xml; charset=utf-8';
const jsonType = 'application/fhir+json; charset=utf-8';
const inXml = { Accept: 'application/fhir+xml' };

type Asked = { method?: string; body?: string; headers?: Record<string, string> };
/** The answer, its body read by the form that it says it has. */
async function ask(who: string, path: string, { headers = {}, ...init }: Asked = {}) {
  const answer = await door.ask(path === '' ? door.base : path, {
    ...init,
    headers: { Authorization: `Bearer ${await door.token(who)}`, ...headers },
  });
  const type = answer.headers.get('content-type');
  const resource: unknown = type === xmlType ? await readXml(answer.bytes) : answer.json;
  return { ...answer, type, resource };
}
const post = (who: string, path: string, body: string, headers: Record<string, string> = {}) =>
  ask(who, path, { method: 'POST', body, headers: { 'Content-Type': 'application/fhir+xml', ...headers } });
const xmlOf = (resource: unknown) => writeXml(JSON.parse(JSON.stringify(resource)) as Json);
const search = () => `DocumentReference?patient.identifier=${door.of('laurent')}&status=current`;
const issues = (resource: unknown) => (resource as OperationOutcome).issue.map(({ details }) => details?.text);

describe('a document', () => {
  test('is deposited in XML, answered in XML, and read in JSON as in XML', async () => {
    const bundle = bundleOf(door);
    const answer = await post('dr-martin', '', xmlOf(bundle), inXml);
    expect([answer.status, answer.type]).toEqual([200, xmlType]);
    const { entry = [] } = answer.resource as Bundle;
    expect(entry.map(({ response }) => response?.status)).toEqual(Array(bundle.entry?.length).fill('201 Created'));
    const path = entry.map(({ response }) => response?.location ?? '').find((at) => at.includes('DocumentReference/'));
    const id = /DocumentReference\/([^/]+)/.exec(path ?? '')?.[1] ?? '';

    const json = await ask('dr-martin', `DocumentReference/${id}`);
    expect(json.type).toBe(jsonType);
    const sent = resourceIn(bundle, 'DocumentReference');
    const read = json.resource as DocumentReference;
    expect(read.masterIdentifier).toEqual(sent.masterIdentifier);
    expect(read.content[0]?.attachment.hash).toBe(sent.content[0]?.attachment.hash);
    const xml = await ask('dr-martin', `DocumentReference/${id}`, { headers: inXml });
    expect([xml.type, xml.resource]).toEqual([xmlType, json.resource]);
    expect(xml.headers.get('etag')).toBe(json.headers.get('etag'));

    const raw = await ask('dr-martin', `Binary/${id}`);
    expect(raw.bytes.toString('base64')).toBe(resourceIn(bundle, 'Binary').data);
    const binary = await ask('dr-martin', `Binary/${id}`, { headers: inXml });
    expect(binary.type).toBe(xmlType);
    expect(binary.resource).toEqual((await ask('dr-martin', `Binary/${id}?_format=json`)).resource);
  });

  test('is deposited in JSON and answered in XML', async () => {
    const answer = await post('dr-martin', '', JSON.stringify(bundleOf(door)), {
      ...inXml,
      'Content-Type': 'application/fhir+json',
    });
    expect([answer.status, answer.type]).toEqual([200, xmlType]);
    expect(answer.resource).toMatchObject({ resourceType: 'Bundle', type: 'transaction-response' });
  });

  test('is masked by an XML Patch', async () => {
    const { json } = await door.get<Bundle<DocumentReference>>('dr-nguyen', `${search()}&_count=100`);
    const own = json.entry?.find(
      ({ resource }) => resource?.content[0]?.attachment.title === 'Consultation de cardiologie',
    );
    const system =
      'https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument';
    const label = `<securityLabel xmlns="http://hl7.org/fhir"><coding><system value="${system}"/><code value="MASQUE_PS"/></coding></securityLabel>`;
    const patch = (operation: string) =>
      ask('dr-nguyen', `DocumentReference/${own?.resource?.id}`, {
        method: 'PATCH',
        body: `<diff xmlns:f="http://hl7.org/fhir">${operation}</diff>`,
        headers: { 'Content-Type': 'application/xml-patch+xml', ...inXml },
      });
    const refused = await patch('<replace sel="f:DocumentReference/f:description/@value">x</replace>');
    expect([refused.status, refused.type, issues(refused.resource)]).toEqual([405, xmlType, ['patchForbidden']]);
    const { status, resource } = await patch(`<add sel="f:DocumentReference">${label}</add>`);
    expect(status).toBe(200);
    const codes = (resource as DocumentReference).securityLabel?.map(({ coding }) => coding?.[0]?.code);
    expect(codes).toEqual(['N', 'MASQUE_PS']);
  });
});

test('a Consent in XML, its narrative and extensions kept, is read in both forms and takes effect', async () => {
  const { oid, value } = door.world.ins('casanova');
  const patient = { identifier: { system: `urn:oid:${oid}`, value } };
  const sent = consentFor(patient, permit('dr-nguyen'), {
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"><p>Accord <b>signé</b></p></div>' },
  });
  const { status, type, resource } = await post('casanova', 'Consent', xmlOf(sent), inXml);
  expect([status, type]).toEqual([201, xmlType]);
  const { id = '', text } = resource as Consent;
  expect(text).toEqual(sent.text);
  expect((await ask('casanova', `Consent/${id}`)).resource).toEqual(resource);
  const found = await ask('dr-nguyen', `DocumentReference?patient.identifier=${door.of('casanova')}&status=current`);
  expect(found.status).toBe(200);
});

const firstId = async (who: string, path: string) =>
  ((await ask(who, path)).resource as Bundle).entry?.[0]?.resource?.id ?? '';
const events = () => `AuditEvent?patient.identifier=${door.of('laurent')}&date=ge2020-01-01&_count=50`;

test.each<[string, () => string | Promise<string>]>([
  ['dr-nguyen', () => `${search()}&_count=3&_include=DocumentReference:patient`],
  ['dr-nguyen', () => `${search()}&_summary=true`],
  ['dr-nguyen', async () => `DocumentReference/${await firstId('dr-nguyen', search())}/_history`],
  ['dr-nguyen', () => `List?patient.identifier=${door.of('laurent')}&code=submissionset&status=current`],
  ['dr-nguyen', () => `Patient?identifier=${door.of('laurent')}`],
  ['laurent', async () => `Patient/${await firstId('laurent', `Patient?identifier=${door.of('laurent')}`)}`],
  ['regie', () => `Patient/$ihe-pix?sourceIdentifier=${door.of('laurent')}`],
  ['laurent', events],
  ['laurent', async () => `AuditEvent/${await firstId('laurent', events())}`],
  ['casanova', () => `Consent?patient.identifier=${door.of('casanova')}`],
  ['dr-nguyen', () => 'Subscription/$status'],
  ['dr-nguyen', () => 'metadata'],
])('what %s is answered says the same in both forms: %#', async (who, path) => {
  const asked = await path();
  const json = await ask(who, asked);
  const xml = await ask(who, asked, { headers: inXml });
  expect([json.status, xml.status, json.type, xml.type]).toEqual([200, 200, jsonType, xmlType]);
  // What the first request left in the audit trail, and the name of the request.
  const same = ({ resource }: typeof json) => {
    const { entry, total: _total, id: _id, ...rest } = resource as Bundle;
    return { ...rest, entry: entry?.filter(({ search: { mode } = {} }) => mode !== 'outcome').slice(-2) };
  };
  expect(same(xml)).toEqual(same(json));
});

test('an operation takes Parameters in XML: the existence test by INS', async () => {
  const [system = '', value = ''] = door.of('laurent').split('|');
  const patient = { resourceType: 'Patient', identifier: [{ system, value }] };
  const parameters = { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: patient }] };
  const { status, type, resource } = await post('dr-nguyen', 'Patient/$match', xmlOf(parameters), inXml);
  expect([status, type]).toEqual([200, xmlType]);
  expect(resource).toMatchObject({ resourceType: 'Bundle', type: 'searchset', total: 1 });
});

describe('$validate', () => {
  const document = () => xmlOf(resourceIn(bundleOf(door), 'DocumentReference'));

  test('finds nothing wrong with what is sound', async () => {
    const { status, type, resource } = await post('dr-martin', 'DocumentReference/$validate', document(), inXml);
    expect([status, type, issues(resource).at(-1)]).toEqual([200, xmlType, 'valid']);
  });

  test.each([
    [
      'what XML alone can have wrong',
      (xml: string) => xml.replace('</DocumentReference>', 'text</DocumentReference>'),
      'elementMalformed',
      '',
    ],
    ['an unknown element', (xml: string) => xml.replace('<status ', '<colour '), 'elementUnknown', '.colour'],
    [
      'a code of another list',
      (xml: string) => xml.replace('<status value="current"', '<status value="final"'),
      'elementMalformed',
      '.status',
    ],
  ])('tells %s', async (_, change, name, place) => {
    const { status, type, resource } = await post(
      'dr-martin',
      'DocumentReference/$validate',
      change(document()),
      inXml,
    );
    expect([status, type]).toEqual([200, xmlType]);
    expect((resource as OperationOutcome).issue[0]).toMatchObject({
      details: { text: name },
      expression: [`DocumentReference${place}`],
    });
  });
});

test('the CapabilityStatement names both forms', async () => {
  const { resource } = await ask('dr-nguyen', 'metadata?_format=xml');
  expect((resource as CapabilityStatement).format).toEqual([
    'application/fhir+json',
    'application/fhir+xml',
    'json',
    'xml',
  ]);
});

describe('how a form is asked for', () => {
  test('_format wins over Accept, in the address and in a form', async () => {
    expect((await ask('dr-nguyen', `${search()}&_format=application/fhir%2Bxml`)).type).toBe(xmlType);
    expect((await ask('dr-nguyen', `${search()}&_format=json`, { headers: inXml })).type).toBe(jsonType);
    const [, query = ''] = search().split('?');
    const form = await ask('dr-nguyen', 'DocumentReference/_search', {
      method: 'POST',
      body: `${query}&_format=xml`,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    });
    expect([form.status, form.type]).toEqual([200, xmlType]);
  });

  test('the pages of a search keep the form, in the first and in those that follow', async () => {
    const first = await ask('dr-nguyen', `${search()}&_count=1&_format=xml&_pretty=true`, {
      headers: { Prefer: 'handling=strict' },
    });
    expect([first.status, first.type]).toEqual([200, xmlType]);
    const next = nextOf(first.resource as Bundle);
    const second = await ask('dr-nguyen', next);
    expect([second.status, second.type]).toEqual([200, xmlType]);
    const plain = await ask('dr-nguyen', next.replace('_format=xml', '_format=json'));
    expect([plain.status, plain.type]).toEqual([200, jsonType]);
    expect((plain.resource as Bundle).entry).toEqual((second.resource as Bundle).entry);
  });

  test.each(['json', 'xml'])('_pretty lays out %s and changes nothing', async (format) => {
    const plain = await ask('dr-nguyen', `metadata?_format=${format}`);
    const pretty = await ask('dr-nguyen', `metadata?_format=${format}&_pretty=true`);
    expect(pretty.bytes.toString().split('\n').length).toBeGreaterThan(100);
    expect(plain.bytes.toString().split('\n')).toHaveLength(1);
    expect(pretty.resource).toEqual(plain.resource);
  });

  test('HEAD tells type and length of the XML', async () => {
    const full = await ask('dr-nguyen', 'metadata', { headers: inXml });
    const { headers, bytes } = await door.ask('metadata?_format=xml', { method: 'HEAD' });
    expect([bytes.length, headers.get('content-type')]).toEqual([0, xmlType]);
    expect(headers.get('content-length')).toBe(String(full.bytes.length));
  });
});

describe('an error has the form that was asked for', () => {
  test('without a token', async () => {
    const { status, headers, bytes } = await door.ask(search(), { headers: inXml });
    expect([status, headers.get('content-type')]).toEqual([401, xmlType]);
    expect(await readXml(bytes)).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'login' }] });
  });

  test.each([
    ['DocumentReference/00000000-0000-4000-8000-000000000000', 404],
    ['Sickness', 404],
    ['Binary/x', 404],
    ['Binary/x?_format=xml', 404],
    [`DocumentReference?patient.identifier=x`, 400],
  ])('%s', async (path, status) => {
    const answer = await ask('dr-nguyen', path, { headers: inXml });
    expect([answer.status, answer.type]).toEqual([status, xmlType]);
    expect(answer.resource).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ severity: 'error' }] });
  });

  test('JSON where no form can be met', async () => {
    const answer = await ask('dr-nguyen', search(), { headers: { Accept: 'text/turtle' } });
    expect([answer.status, answer.type, issues(answer.resource)]).toEqual([406, jsonType, ['notAcceptable']]);
  });
});

describe('XML that is not taken', () => {
  const bomb = `<!DOCTYPE b [<!ENTITY a "xx"><!ENTITY c "&a;&a;&a;">]><Bundle xmlns="http://hl7.org/fhir"><type value="&c;"/></Bundle>`;
  const nested = `<Bundle xmlns="http://hl7.org/fhir">${'<extension url="a">'.repeat(150)}${'</extension>'.repeat(150)}</Bundle>`;
  test.each([
    ['is not well-formed', '<Bundle xmlns="http://hl7.org/fhir">', 400, ['notXml']],
    ['is an entity bomb', bomb, 400, ['xmlForbidden']],
    ['is nested deep', nested, 400, ['elementUnknown']],
    ['is nested deep where it may be', nested.replaceAll('Bundle', 'Patient'), 400, ['elementMalformed']],
    [
      'is of another namespace',
      '<Bundle xmlns="urn:hl7-org:v3"><type value="transaction"/></Bundle>',
      400,
      ['elementMalformed'],
    ],
    ['is JSON', '{"resourceType":"Bundle"}', 400, ['notXml']],
    [
      'is larger than what may come besides attachments',
      `<a>${' '.repeat(8 * 1024 * 1024)}<b/></a>`,
      413,
      ['messageTooLarge'],
    ],
  ])('%s', async (_, body, status, names) => {
    for (const [headers, type] of [
      [inXml, xmlType],
      [{}, jsonType],
    ] as const) {
      const answer = await post('dr-martin', '', body, headers);
      expect([answer.status, answer.type, issues(answer.resource)]).toEqual([status, type, names]);
    }
  });

  test.each(['application/fhir+xml; charset=iso-8859-1', 'application/fhir+xml; fhirVersion=3.0', 'text/html'])(
    'comes as %s',
    async (type) => {
      const answer = await post('dr-martin', '', xmlOf(bundleOf(door)), { 'Content-Type': type, ...inXml });
      expect([answer.status, answer.type, issues(answer.resource)]).toEqual([415, xmlType, ['mediaTypeUnsupported']]);
    },
  );

  test('all faults of structure are told at once, each with its place', async () => {
    const bundle = xmlOf(bundleOf(door)).replace('<status value="current"/>', '<colour value="red"/>');
    const { status, resource } = await post('dr-martin', '', bundle.replace('<size ', '<weight '), inXml);
    expect(status).toBe(400);
    expect((resource as OperationOutcome).issue.map(({ expression }) => expression?.[0])).toEqual([
      'Bundle.entry[0].resource.colour',
      'Bundle.entry[1].resource.content[0].attachment.weight',
    ]);
  });
});

describe('the limits of a body in XML', () => {
  const limits = { attachmentBytes: 30_000, textBytes: 1000 };
  const fits = (...chunks: string[]) => {
    const isWithin = xmlMeter(limits);
    return chunks.every((chunk) => isWithin(Buffer.from(chunk)));
  };
  test.each([
    ['text up to its limit', ['<a/>'.repeat(240)], true],
    ['more text', ['<a/>'.repeat(260)], false],
    ['an attachment up to its limit, in pieces', ['<a value="', 'A'.repeat(20_000), 'A'.repeat(19_900), '"/>'], true],
    ['a larger one', ['<a value="', 'A'.repeat(41_000)], false],
    ['two that are larger together', [`<a value="${'A'.repeat(21_000)}"/><a value='${'A'.repeat(21_000)}'/>`], false],
    ['short values together', [`<a value="${'A'.repeat(600)}"/><a value="${'A'.repeat(600)}"/>`], false],
  ])('%s', (_, chunks, expected) => {
    expect(fits(...chunks)).toBe(expected);
  });
});

describe('a place of a list that holds extensions alone (FHIR R4 json.html#primitive, xml.html)', () => {
  const said =
    '<extension url="http://hl7.org/fhir/StructureDefinition/data-absent-reason"><valueCode value="unknown"/></extension>';
  const extension = [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }];
  const sent = async (given: unknown, beside: unknown) =>
    ask('dr-martin', 'Patient/$validate', {
      method: 'POST',
      headers: { 'Content-Type': 'application/fhir+json' },
      body: JSON.stringify({ resourceType: 'Patient', name: [{ family: 'X', given, _given: beside }] }),
    });

  test.each<[string, unknown, unknown, string]>([
    ['beside a value', ['A', null], [null, { extension }], 'valid'],
    ['alone', [null], [{ extension }], 'valid'],
    ['that is not there', ['A', null], [null, null], 'elementMalformed'],
    ['with nothing beside it', ['A', null], undefined, 'elementMalformed'],
  ])('%s is taken where it says something', async (_, given, beside, found) => {
    expect(issues((await sent(given, beside)).resource)).toEqual([found]);
  });

  test('in XML too', async () => {
    const name = `<name><family value="X"/><given value="A"/><given>${said}</given></name>`;
    const { resource } = await post(
      'dr-martin',
      'Patient/$validate',
      `<Patient xmlns="http://hl7.org/fhir">${name}</Patient>`,
    );
    expect(issues(resource)).toEqual(['valid']);
  });

  test('in what a document says of its author', async () => {
    const beside = JSON.stringify([null, { extension }]);
    const body = JSON.stringify(bundleOf(door)).replaceAll(
      /"given":\["([^"]*)"\]/g,
      `"given":["$1",null],"_given":${beside}`,
    );
    expect(body).toContain('_given');
    const headers = { 'Content-Type': 'application/fhir+json' };
    expect((await ask('dr-martin', '', { method: 'POST', headers, body })).status).toBe(200);
  });
});
