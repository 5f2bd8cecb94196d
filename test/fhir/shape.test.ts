import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../server/fhir/json.ts';
import { shapeProblems } from '../../server/fhir/read/shape.ts';

const problemsOf = (type: string, members: Record<string, Json>) =>
  shapeProblems({ resourceType: type, ...members }, type).map(({ name, about }) => `${name} ${about.expression}`);
const document = (members: Record<string, Json> = {}): Record<string, Json> => ({
  status: 'current',
  content: [{ attachment: { url: 'urn:uuid:1' } }],
  ...members,
});
const div = '<div xmlns="http://www.w3.org/1999/xhtml">a</div>';

describe('what FHIR R4 allows is taken', () => {
  test.each([
    ['a document with little', 'DocumentReference', document()],
    ['narrative', 'DocumentReference', document({ text: { status: 'generated', div } })],
    [
      'id and extensions of a primitive',
      'DocumentReference',
      document({ _description: { id: 'a' }, description: 'b' }),
    ],
    [
      'any type of an extension',
      'Patient',
      { extension: [{ url: 'urn:a', valueQuantity: { value: 1.5, unit: 'mg' } }] },
    ],
    [
      'parts of parts',
      'Parameters',
      { parameter: [{ name: 'a', part: [{ name: 'b', part: [{ name: 'c', valueOid: 'urn:oid:1.2' }] }] }] },
    ],
    [
      'nested provisions',
      'Consent',
      {
        status: 'active',
        scope: { text: 'a' },
        category: [{ text: 'a' }],
        provision: { provision: [{ provision: [{ type: 'deny' }] }] },
      },
    ],
  ])('%s', (_, type, members) => {
    expect(problemsOf(type, members)).toEqual([]);
  });
});

describe('what it does not is told with its place', () => {
  test.each([
    [
      'an element deep within',
      { author: [{ identifier: { value: 'a', colour: 'b' } }] },
      'elementUnknown',
      'author[0].identifier.colour',
    ],
    [
      'one in an element of a contained resource',
      { contained: [{ resourceType: 'Patient', contact: [{ colour: 'a' }] }] },
      'elementUnknown',
      'contained[0].contact[0].colour',
    ],
    ['a name of Object', { constructor: 'a' }, 'elementUnknown', 'constructor'],
    [
      'a modifier extension',
      { modifierExtension: [{ url: 'urn:a', valueString: 'b' }] },
      'elementUnknown',
      'modifierExtension',
    ],
    [
      'a modifier extension deep within',
      {
        relatesTo: [
          { code: 'appends', target: { reference: 'a' }, modifierExtension: [{ url: 'urn:a', valueString: 'b' }] },
        ],
      },
      'elementUnknown',
      'relatesTo[0].modifierExtension',
    ],
    ['what the record cannot keep', { docStatus: 'final' }, 'elementUnknown', 'docStatus'],
    ['a required element', { relatesTo: [{ code: 'appends' }] }, 'elementMissing', 'relatesTo[0].target'],
    ['a code of a required binding', { status: 'final' }, 'elementMalformed', 'status'],
    [
      'one within a data type',
      { subject: { identifier: { use: 'daily' } } },
      'elementMalformed',
      'subject.identifier.use',
    ],
    [
      'two types of a choice',
      { contained: [{ resourceType: 'Patient', deceasedBoolean: true, deceasedDateTime: '2020' }] },
      'elementMalformed',
      'contained[0].deceasedDateTime',
    ],
    ['a list where one belongs', { description: ['a'] }, 'elementMalformed', 'description'],
    ['one where a list belongs', { author: { display: 'a' } }, 'elementMalformed', 'author'],
    ['an empty list', { author: [] }, 'elementMalformed', 'author'],
    ['an empty element', { context: {} }, 'elementMalformed', 'context'],
    [
      'two contents',
      { content: [{ attachment: { url: 'urn:a' } }, { attachment: { url: 'urn:b' } }] },
      'elementMalformed',
      'content[1]',
    ],
    ['a negative size', { content: [{ attachment: { size: -1 } }] }, 'elementMalformed', 'content[0].attachment.size'],
    [
      'a resource that does not belong',
      { contained: [{ resourceType: 'Consent' }] },
      'elementMalformed',
      'contained[0].resourceType',
    ],
    [
      'a narrative with a script',
      { text: { status: 'generated', div: div.replace('a<', '<script/>a<') } },
      'elementMalformed',
      'text.div',
    ],
  ])('%s', (_, members, name, place) => {
    expect(problemsOf('DocumentReference', document(members))).toEqual([`${name} DocumentReference.${place}`]);
  });

  test.each([
    ['date', '2026-13', 'Patient', 'birthDate'],
    ['code', 'female ', 'Patient', 'gender'],
    ['boolean', 'true', 'Patient', 'active'],
    ['id', 'a b', 'Patient', 'id'],
  ])('a %s that is %j', (_, value, type, element) => {
    expect(problemsOf(type, { [element]: value })).toEqual([`elementMalformed ${type}.${element}`]);
  });

  test.each([
    ['valuePositiveInt', 0],
    ['valueInteger', 1.5],
    ['valueOid', '1.2.3'],
    ['valueUuid', 'urn:uuid:x'],
    ['valueTime', '25:00:00'],
    ['valueInstant', '2026-01-01'],
    ['valueBase64Binary', 'a_b'],
  ])('%s that is %j', (element, value) => {
    expect(problemsOf('Patient', { extension: [{ url: 'urn:a', [element]: value }] })).toEqual([
      `elementMalformed Patient.extension[0].${element}`,
    ]);
  });
});
