import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readSubmission } from '../../../server/xds/ebrim/read.ts';
import type { XmlElement } from '../../../server/xml/element.ts';
import { defaultXmlLimits, parseXml, XmlRejected } from '../../../server/xml/read.ts';

const message = (file: string) => readFileSync(new URL(`../iti41/${file}`, import.meta.url), 'utf8');
const submission = message('submission.xml');

function listOf(source: string): XmlElement {
  const find = (element: XmlElement): XmlElement | undefined =>
    element.local === 'RegistryObjectList' ? element : element.children.map(find).find((found) => found !== undefined);
  const list = find(parseXml(source, defaultXmlLimits));
  if (list === undefined) throw new Error('no list in the message');
  return list;
}

const read = (source: string) => readSubmission(listOf(source));

/** The sample with one place changed. */
function changed(from: string | RegExp, to: string): string {
  const after = submission.replace(from, to);
  expect(after).not.toBe(submission);
  return after;
}

/** Problems in short: name, attribute, object. */
function problemsOf(source: string): string[] {
  return read(source).problems.map(({ name, about }) =>
    [name, about.attribute, about.object].filter((part) => part !== undefined).join(' '),
  );
}

describe('a whole submission', () => {
  const { submission: read1, problems } = read(submission);
  const martin = {
    id: '899970000016',
    family: 'MARTIN',
    given: 'Hélène',
    authority: { oid: '1.2.250.1.71.4.2.1' },
    nameType: 'D',
    idType: 'IDNPS',
  };

  test('has no problems', () => {
    expect(problems).toEqual([]);
  });

  test('gives the entry, values trimmed, unknown slots byte for byte, languages kept', () => {
    expect(read1.entries).toHaveLength(1);
    expect(read1.entries[0]).toMatchObject({
      id: 'doc1',
      objectType: 'stable',
      mimeType: 'text/xml',
      title: { value: "Note d'essai", language: 'fr-FR' },
      comments: { value: 'Pour essai', language: 'fr' },
      creationTime: '20250301101500',
      hash: 'f30ecbf5b1cb85c631fdec0b39678550973cfcbc',
      size: 7,
      repositoryUniqueId: '1.2.250.1.213.4.1.1.1.2',
      uniqueId: '1.2.250.1.213.99.50.1',
      patientId: { id: '161053523812385', authority: { oid: '1.2.250.1.213.1.4.10' }, type: 'NH' },
      sourcePatientInfo: [
        { field: 5, value: 'LAURENT^Marc^^^^^L' },
        { field: 7, value: '19610512' },
        { field: 8, value: 'M' },
      ],
      typeCode: {
        code: '11488-4',
        system: '2.16.840.1.113883.6.1',
        display: 'CR ou fiche de consultation ou de visite',
      },
      legalAuthenticator: martin,
      authors: [
        {
          person: martin,
          institutions: [
            {
              name: 'Cabinet Martin',
              authority: { oid: '1.2.250.1.71.4.2.2' },
              idType: 'IDNST',
              id: '499970000016001',
            },
          ],
          roles: [],
          specialties: ['G15_10/SM26^Médecin - Qualifié en Médecine Générale (SM)^1.2.250.1.213.1.1.4.5'],
        },
      ],
      extra: [{ name: 'urn:example:memo', type: 'urn:example:text', values: ['  two  blanks\nand a line '] }],
    });
  });

  test('gives the set and its association', () => {
    expect(read1.sets).toMatchObject([
      {
        id: 'ss1',
        sourceId: '1.2.250.1.213.99.60',
        uniqueId: '1.2.250.1.213.99.51.1',
        submissionTime: '20250301101600',
        contentTypeCode: { code: '07', system: '1.2.250.1.213.2.2' },
      },
    ]);
    expect(read1.associations).toMatchObject([
      { id: 'a1', type: 'HasMember', source: 'ss1', target: 'doc1', submissionSetStatus: 'Original' },
    ]);
  });
});

describe('variants that are legal', () => {
  const { submission: other, problems } = read(message('folder-and-replacement.xml'));

  test('default namespace, classifications beside their package, xsi:type, empty home, ObjectRef', () => {
    expect(problems).toEqual([]);
    expect(other.sets.map((set) => set.id)).toEqual(['ss1']);
    expect(other.folders).toMatchObject([
      { id: 'f1', status: 'approved', title: { value: 'Episode 1' }, codes: [{ code: 'EPI' }] },
    ]);
    expect(other.folders[0]).not.toHaveProperty('homeCommunityId');
  });

  test('UUIDs are compared in lower case, association documentation is kept', () => {
    expect(other.associations[2]).toMatchObject({
      type: 'RPLC',
      source: 'doc1',
      target: 'urn:uuid:0c1c6c4e-2d15-4b6e-8e46-6a1b2f8f1a01',
      documentation: { code: 'CORR', system: '1.2.250.1.213.99.9', display: 'Correction' },
    });
  });
});

describe('what is wrong is named', () => {
  const patientId = 'value="161053523812385^^^&amp;1.2.250.1.213.1.4.10&amp;ISO^NH"';
  const slot = (name: string, value: string) =>
    `<rim:Slot name="${name}"><rim:ValueList><rim:Value>${value}</rim:Value></rim:ValueList></rim:Slot>`;
  const cases: readonly (readonly [what: string, from: string | RegExp, to: string, expected: readonly string[]])[] = [
    ['a patientId that is no CX', patientId, 'value="161053523812385"', ['attributeMalformed patientId doc1']],
    ['a sourcePatientId that is no CX', 'IPP42^^^&amp;', 'IPP42&amp;', ['attributeMalformed sourcePatientId doc1']],
    ['a size with a sign', '<rim:Value>7</rim:Value>', '<rim:Value>-7</rim:Value>', ['attributeMalformed size doc1']],
    ['a PID line that is none', 'PID-8|M', 'PID8 F', ['attributeMalformed sourcePatientInfo doc1']],
    [
      'a slot twice',
      '<rim:Slot name="hash">',
      `${slot('hash', 'x')}<rim:Slot name="hash">`,
      ['attributeRepeated hash doc1'],
    ],
    [
      'two values where one is allowed',
      '<rim:Value>fr-FR</rim:Value>',
      '<rim:Value>fr-FR</rim:Value><rim:Value>fr</rim:Value>',
      ['attributeRepeated languageCode doc1'],
    ],
    ['a slot without name', '<rim:Slot name="hash">', '<rim:Slot>', ['attributeMissing name of a Slot doc1']],
    [
      'a value beyond 256 characters',
      '<rim:Value>fr-FR</rim:Value>',
      `<rim:Value>${'f'.repeat(257)}</rim:Value>`,
      ['attributeMalformed languageCode doc1'],
    ],
    [
      'a code without codingScheme',
      slot('codingScheme', '1.2.250.1.213.1.1.4.1'),
      '',
      ['attributeMalformed classCode doc1'],
    ],
    [
      'a code without display name',
      '<rim:Name><rim:LocalizedString value="Compte rendu"/></rim:Name>',
      '',
      ['attributeMalformed classCode doc1'],
    ],
    ['an empty code', 'nodeRepresentation="10"', 'nodeRepresentation=""', ['attributeMalformed classCode doc1']],
    [
      'a second code where one is allowed',
      'classificationScheme="urn:uuid:f0306f51-975f-434e-a61c-c59651d33983"',
      'classificationScheme="urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a"',
      ['attributeRepeated classCode doc1'],
    ],
    [
      'a scheme of another kind of object',
      'classificationScheme="urn:uuid:f0306f51-975f-434e-a61c-c59651d33983"',
      'classificationScheme="urn:uuid:aa543740-bdda-424e-8c96-df4873be8500"',
      ['attributeMalformed classificationScheme doc1'],
    ],
    [
      'a classification without scheme',
      'classificationScheme="urn:uuid:f0306f51-975f-434e-a61c-c59651d33983"',
      '',
      ['attributeMissing classificationScheme of a Classification doc1'],
    ],
    [
      'an author of the set that points to the entry',
      'classificationScheme="urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d" classifiedObject="ss1"',
      'classificationScheme="urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d" classifiedObject="doc1"',
      ['attributesContradict classifiedObject ss1'],
    ],
    [
      'an identifier that points to another object',
      'id="e2" registryObject="doc1"',
      'id="e2" registryObject="ss1"',
      ['attributesContradict registryObject doc1'],
    ],
    [
      'an identifier under a wrong Name',
      'value="XDSDocumentEntry.uniqueId"',
      'value="XDSDocumentEntry.uniqueID"',
      ['attributeMalformed Name of the identifier XDSDocumentEntry.uniqueId doc1'],
    ],
    [
      'an identifier without Name',
      '<rim:Name><rim:LocalizedString value="XDSDocumentEntry.uniqueId"/></rim:Name>',
      '',
      ['attributeMissing Name of the identifier XDSDocumentEntry.uniqueId doc1'],
    ],
    [
      'an identifier of an unknown scheme',
      'identificationScheme="urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832"',
      'identificationScheme="urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147833"',
      ['attributeMalformed identificationScheme ss1'],
    ],
    [
      'an authorPerson that is no XCN',
      /(<rim:Classification id="c1".*\n.*<rim:Value>)[^<]*/,
      '$1^^Hélène',
      ['attributeMalformed authorPerson doc1'],
    ],
    [
      'two persons in one author',
      /(<rim:Classification id="c1".*\n.*<rim:Value>[^<]*<\/rim:Value>)/,
      '$1<rim:Value>^PETIT</rim:Value>',
      ['attributeRepeated authorPerson doc1'],
    ],
    [
      'an objectType that is none',
      'objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"',
      'objectType="DocumentEntry"',
      ['objectUnclassified objectType doc1'],
    ],
    [
      'a package of no kind',
      '<rim:Classification id="c9" classifiedObject="ss1" classificationNode="urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"/>',
      '',
      ['objectUnclassified ss1'],
    ],
    [
      'a package of both kinds',
      '</rim:RegistryObjectList>',
      '<rim:Classification id="c99" classifiedObject="ss1" classificationNode="urn:uuid:d9d542f3-6cc4-48b6-8870-ea235fbc94c2"/></rim:RegistryObjectList>',
      ['objectUnclassified ss1'],
    ],
    [
      'a classification beside no package',
      '</rim:RegistryObjectList>',
      '<rim:Classification id="c99" classifiedObject="f9" classificationNode="urn:uuid:d9d542f3-6cc4-48b6-8870-ea235fbc94c2"/></rim:RegistryObjectList>',
      ['referenceUnresolved classifiedObject'],
    ],
    [
      'limited metadata',
      '<rim:ExternalIdentifier id="e1"',
      '<rim:Classification id="c99" classifiedObject="doc1" classificationNode="urn:uuid:ab9b591b-83ab-4d03-8f5d-f93b1fb92e85"/><rim:ExternalIdentifier id="e1"',
      ['attributeForbidden limitedMetadata doc1'],
    ],
    [
      'the short name of an association type',
      'urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember',
      'HasMember',
      ['attributeMalformed associationType a1'],
    ],
    [
      'a SubmissionSetStatus that is none',
      '<rim:Value>Original</rim:Value>',
      '<rim:Value>Copy</rim:Value>',
      ['attributeMalformed SubmissionSetStatus a1'],
    ],
    [
      'two titles',
      '<rim:LocalizedString xml:lang="fr-FR" charset="UTF-8" value="Note d\'essai"/>',
      '<rim:LocalizedString value="a"/><rim:LocalizedString value="b"/>',
      ['attributeRepeated title doc1'],
    ],
    [
      'an object of another kind',
      '</rim:RegistryObjectList>',
      '<rim:Service id="s1"/></rim:RegistryObjectList>',
      ['objectUnclassified s1'],
    ],
    ['an object without id', '<rim:Association id="a1"', '<rim:Association', ['attributeMissing id Association']],
  ];
  test.each(cases)('%s', (_what, from, to, expected) => {
    expect(problemsOf(changed(from, to))).toEqual(expected);
  });

  test('all problems of a message come together', () => {
    const source = changed(patientId, 'value="x"')
      .replace('<rim:Value>7</rim:Value>', '<rim:Value>seven</rim:Value>')
      .replace('>Original<', '>Copy<');
    expect(problemsOf(source)).toEqual([
      'attributeMalformed patientId doc1',
      'attributeMalformed size doc1',
      'attributeMalformed SubmissionSetStatus a1',
    ]);
  });
});

test('a message with pieces cut out or swapped is read or rejected, and never crashes', () => {
  const place = fc.nat(submission.length);
  fc.assert(
    fc.property(place, fc.nat(80), place, (from, length, to) => {
      const piece = submission.slice(from, from + length);
      const without = submission.slice(0, from) + submission.slice(from + length);
      for (const source of [without, without.slice(0, to) + piece + without.slice(to)]) {
        try {
          const list = parseXml(source, defaultXmlLimits).children[0]?.children[0];
          if (list !== undefined) readSubmission(list);
        } catch (error) {
          if (!(error instanceof XmlRejected)) throw error;
        }
      }
    }),
    { numRuns: 500 },
  );
});
