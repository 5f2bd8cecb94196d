import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DocumentReference, OperationOutcome, Parameters } from 'fhir/r4.js';
import { bundleOf, post, resourceIn } from './deposits.ts';
import { type Door, openDoor } from './door.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(() => door.close());

/** A CDA with all that the header can say. */
function cda(change: (xml: string) => string = (xml) => xml): Buffer {
  const xml = Buffer.from(resourceIn(bundleOf(door), 'Binary').data ?? '', 'base64').toString();
  const whole = xml
    .replace(
      '<documentationOf><serviceEvent>',
      '<documentationOf><serviceEvent><code code="DEQP003" codeSystem="1.2.250.1.213.2.5" displayName="ECG"/>',
    )
    .replace(/(<id root="1\.2\.250\.1\.213\.1\.4\.10"[^>]*\/>)/, '$1<id root="1.2.250.1.999.7.1" extension="IPP-42"/>');
  return Buffer.from(change(whole));
}
const parameters = (bytes: Uint8Array, contentType = 'text/xml') => ({
  resourceType: 'Parameters',
  parameter: [
    {
      name: 'document',
      resource: { resourceType: 'Binary', contentType, data: Buffer.from(bytes).toString('base64') },
    },
  ],
});
const beside = (members: object) => ({
  resourceType: 'Parameters',
  parameter: [{ ...parameters(Buffer.from('%PDF-1.7'), 'application/pdf').parameter[0], ...members }],
});
const generate = <T>(body: unknown, who = 'dr-martin') =>
  post<T>(door, who, body, 'DocumentReference/$generate-metadata');
const issues = ({ issue }: OperationOutcome) =>
  issue.map(({ details, expression }) => `${details?.text} ${expression?.[0] ?? ''}`.trim());

describe('Generate Metadata (ITI-106)', () => {
  test('a CDA is stored with what its header says', async () => {
    const bytes = cda();
    const { status, headers, json } = await generate<Parameters>(parameters(bytes));
    expect([status, json]).toMatchObject([200, { resourceType: 'Parameters' }]);
    const [{ name, valueReference } = { name: '' }] = json.parameter ?? [];
    expect([name, headers.get('location')]).toEqual(['DocumentReference', `${door.base}/${valueReference?.reference}`]);
    const read = await door.get<DocumentReference>('dr-martin', valueReference?.reference ?? '');
    const { content, context, ...document } = read.json;
    const [system, value] = door.of('laurent').split('|');
    const said = Object.fromEntries(
      ['root', 'extension'].map((part) => [
        part,
        new RegExp(`<id ${part === 'root' ? 'root' : 'x'}="([^"]+)"`).exec(bytes.toString())?.[1],
      ]),
    );
    expect(document).toMatchObject({
      status: 'current',
      masterIdentifier: { value: `urn:oid:${said['root']}` },
      subject: { identifier: { system, value } },
      type: { coding: [{ code: '11488-4', system: 'http://loinc.org' }] },
      category: [{ coding: [{ code: '10' }] }],
      securityLabel: [{ coding: [{ code: 'N' }] }],
      author: [{ reference: expect.any(String) }],
      authenticator: { reference: expect.any(String) },
    });
    expect(content[0]).toMatchObject({
      attachment: {
        contentType: 'text/xml',
        language: 'fr-FR',
        title: 'Compte rendu de consultation',
        size: bytes.length,
        hash: createHash('sha1').update(bytes).digest('base64'),
        creation: new Date(door.world.tools.now()).toISOString().replace('.000Z', 'Z'),
      },
      format: { code: 'urn:ihe:iti:xds-sd:text:2008' },
    });
    expect(context).toMatchObject({
      period: { start: expect.any(String) },
      event: [{ coding: [{ code: 'DEQP003' }] }],
      facilityType: { coding: [{ code: expect.any(String) }] },
      practiceSetting: { coding: [{ code: expect.any(String) }] },
    });
    const patient = document.contained?.find(({ resourceType }) => resourceType === 'Patient');
    expect(patient).toMatchObject({
      identifier: [{ system: 'urn:oid:1.2.250.1.999.7.1', value: 'IPP-42' }],
      name: [{ family: 'LAURENT' }],
      gender: 'male',
      birthDate: '1961-05-14',
    });
    const raw = await door.get('dr-martin', content[0]?.attachment.url ?? '');
    expect(raw.bytes.equals(bytes)).toBe(true);
  });

  test('a CDA that brings its style sheet keeps its media type', async () => {
    const { json } = await generate<Parameters>(parameters(cda(), 'application/xslt+xml'));
    const reference = json.parameter?.[0]?.valueReference?.reference ?? '';
    const { content } = (await door.get<DocumentReference>('dr-martin', reference)).json;
    expect(content[0]?.attachment.contentType).toBe('application/xslt+xml');
  });

  test('what the header leaves out is named, all of it', async () => {
    const bytes = cda((xml) =>
      xml.replace(/<healthCareFacility>.*?<\/healthCareFacility>/, '').replace(/<effectiveTime value="[^"]*"\/>/, ''),
    );
    const { status, json } = await generate<OperationOutcome>(parameters(bytes));
    expect([status, issues(json)]).toEqual([
      422,
      [
        'attributeMissing DocumentReference.content[0].attachment.creation',
        'attributeMissing DocumentReference.context.facilityType',
      ],
    ]);
  });

  test.each<[string, object]>([
    ['a PDF', parameters(Buffer.from('%PDF-1.7'), 'application/pdf')],
    [
      'a FHIR document',
      {
        resourceType: 'Parameters',
        parameter: [{ name: 'document', resource: { resourceType: 'Bundle', type: 'document' } }],
      },
    ],
  ])('%s says nothing: everything that has to be given is told', async (_, body) => {
    const { status, json } = await generate<OperationOutcome>(body);
    expect([status, issues(json)[0]]).toEqual([422, 'metadataNotDerivable']);
    expect(json.issue[0]?.diagnostics).toContain('classCode');
    expect(issues(json)).toEqual(
      expect.arrayContaining([
        'attributeMissing DocumentReference.masterIdentifier',
        'attributeMissing DocumentReference.subject',
        'attributeMissing DocumentReference.type',
        'attributeMissing DocumentReference.category',
        'attributeMissing DocumentReference.securityLabel',
        'attributeMissing DocumentReference.content[0].format',
      ]),
    );
  });

  test.each<[string, unknown, string]>([
    ['another resource', { resourceType: 'Binary', contentType: 'text/xml' }, 'elementMalformed Parameters'],
    ['no parameter', { resourceType: 'Parameters' }, 'elementMalformed Parameters.parameter'],
    [
      'a parameter of another name',
      { resourceType: 'Parameters', parameter: [{ name: 'x', resource: { resourceType: 'Binary' } }] },
      'elementMalformed Parameters.parameter',
    ],
    [
      'a Binary without media type',
      {
        resourceType: 'Parameters',
        parameter: [{ name: 'document', resource: { resourceType: 'Binary', data: 'AAAA' } }],
      },
      'elementMissing Parameters.parameter[0].resource.contentType',
    ],
    [
      'another kind of document',
      { resourceType: 'Parameters', parameter: [{ name: 'document', resource: { resourceType: 'Patient' } }] },
      'elementMalformed Parameters.parameter[0].resource.resourceType',
    ],
    ['a member that FHIR does not have', beside({ resourse: 'x' }), 'elementUnknown Parameters.parameter[0].resourse'],
    [
      'a modifier extension',
      beside({ modifierExtension: [{ url: 'urn:a', valueBoolean: true }] }),
      'elementUnknown Parameters.parameter[0].modifierExtension',
    ],
    ['a value besides', beside({ valueString: 'x' }), 'elementMalformed Parameters.parameter[0].valueString'],
    ['parts besides', beside({ part: [{ name: 'x' }] }), 'elementMalformed Parameters.parameter[0].part'],
  ])('is refused for %s', async (_, body, expected) => {
    const { status, json } = await generate<OperationOutcome>(body);
    expect([status, issues(json)]).toEqual([400, [expected]]);
  });

  test('leaves one event, that of a deposit', async () => {
    const before = door.world.tools.store.events().length;
    await generate(parameters(cda()));
    const events = door.world.tools.store.events().slice(before);
    expect(events).toMatchObject([{ action: 'submitDocuments', outcome: 'done', origin: { transaction: 'ITI-106' } }]);
  });

  test('is no way around the right to deposit', async () => {
    const before = door.world.tools.store.held().document;
    expect((await generate(parameters(cda()), 'regie')).status).toBe(403);
    expect(door.world.tools.store.held().document).toBe(before);
  });
});
