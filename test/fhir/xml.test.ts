import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { XmlDocument } from 'libxml2-wasm';
import { parseStringPromise } from 'xml2js';
import { Refused } from '../../server/domain/error.ts';
import type { Json } from '../../server/fhir/json.ts';
import { provideBundleOf } from '../../server/fhir/map/provide-bundle.ts';
import { narrativeFault } from '../../server/fhir/xml/narrative.ts';
import { readXml } from '../../server/fhir/xml/read.ts';
import { NoXmlForm, writeXml } from '../../server/fhir/xml/write.ts';
import { anyResource } from '../support/any-resource.ts';
import { submission } from '../support/submissions.ts';

const fhir = 'xmlns="http://hl7.org/fhir"';
const read = (xml: string) => readXml(Buffer.from(xml));
const problemsOf = async (xml: string) => {
  try {
    await read(xml);
  } catch (error) {
    if (error instanceof Refused)
      return error.problems.map(({ name, about }) => `${name} ${about.expression ?? ''}`.trim());
    throw error;
  }
  return [];
};
/** What stands in attributes: everything but the types of resources and narratives. */
function leavesOf(json: Json): string[] {
  if (typeof json !== 'object') return [String(json)];
  return Object.entries(json ?? {}).flatMap(([key, value]) =>
    key === 'resourceType' || key === 'div' ? [] : leavesOf(value),
  );
}
const div = (inside: string) => `<div xmlns="http://www.w3.org/1999/xhtml">${inside}</div>`;

describe('what is written is read back as it was', () => {
  test('any resource that the structures allow, with and without indentation', async () => {
    await fc.assert(
      fc.asyncProperty(fc.gen(), fc.boolean(), async (gen, indent) => {
        const resource = anyResource(gen);
        expect(await read(writeXml(resource, indent))).toEqual(resource);
      }),
      { numRuns: 500, endOnFailure: true },
    );
  });

  test('what the other face’s submissions become', async () => {
    await fc.assert(
      fc.asyncProperty(submission, async ({ entries, ...rest }) => {
        const documents = entries.map((entry, i) => ({
          entry,
          bytes: Buffer.from('x'),
          binary: `urn:uuid:binary-${i}`,
        }));
        const bundle = JSON.parse(JSON.stringify(provideBundleOf({ ...rest, documents }))) as Json;
        expect(await read(writeXml(bundle))).toEqual(bundle);
      }),
      { numRuns: 100 },
    );
  });

  test('two other readers find the same values in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.gen(), async (gen) => {
        const resource = anyResource(gen);
        const xml = writeXml(resource);
        using document = XmlDocument.fromString(xml);
        expect(document.root.namespaceUri).toBe('http://hl7.org/fhir');
        expect(
          document
            .find('//@*')
            .map(({ content }) => content)
            .sort(),
        ).toEqual(leavesOf(resource).sort());
        expect(Object.keys((await parseStringPromise(xml)) as object)).toEqual([document.root.name]);
      }),
      { numRuns: 100 },
    );
  });
});

/** By hand, after xml.html of FHIR R4. */
const samples: readonly (readonly [what: string, xml: string, json: Json])[] = [
  [
    'narrative, contained resource, extension of a primitive, choice',
    `<?xml version="1.0" encoding="UTF-8"?>
     <Patient ${fhir} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://hl7.org/fhir ../fhir.xsd">
       <id value="glossy"/>
       <!-- a comment says nothing -->
       <text><status value="generated"/>${div('<p>Henry <b>Levin</b> the 7<sup>th</sup></p>')}</text>
       <contained><Organization><id value="o1"/><name value="Good Health &amp; Co"/></Organization></contained>
       <active value="true"/>
       <name id="n1"><family value="Levin"/><given value="Henry"/><given><extension url="urn:x:absent"><valueCode value="unknown"/></extension></given></name>
       <gender value="male"/>
       <birthDate value="1932-09-24"><extension url="urn:x:time"><valueDateTime value="1932-09-24T14:35:45-05:00"/></extension></birthDate>
       <deceasedBoolean value="false"/>
       <managingOrganization><reference value="#o1"/></managingOrganization>
     </Patient>`,
    {
      resourceType: 'Patient',
      id: 'glossy',
      text: { status: 'generated', div: div('<p>Henry <b>Levin</b> the 7<sup>th</sup></p>') },
      contained: [{ resourceType: 'Organization', id: 'o1', name: 'Good Health & Co' }],
      active: true,
      name: [
        {
          id: 'n1',
          family: 'Levin',
          given: ['Henry', null],
          _given: [null, { extension: [{ url: 'urn:x:absent', valueCode: 'unknown' }] }],
        },
      ],
      gender: 'male',
      birthDate: '1932-09-24',
      _birthDate: { extension: [{ url: 'urn:x:time', valueDateTime: '1932-09-24T14:35:45-05:00' }] },
      deceasedBoolean: false,
      managingOrganization: { reference: '#o1' },
    },
  ],
  [
    'resources within a Bundle, under a prefix',
    `<f:Bundle xmlns:f="http://hl7.org/fhir"><f:type value="collection"/>
       <f:entry><f:resource><f:Binary><f:contentType value="text/plain"/><f:data value="QQ=="/></f:Binary></f:resource></f:entry>
       <f:entry><f:fullUrl value="urn:uuid:1"/></f:entry></f:Bundle>`,
    {
      resourceType: 'Bundle',
      type: 'collection',
      entry: [
        { resource: { resourceType: 'Binary', contentType: 'text/plain', data: 'QQ==' } },
        { fullUrl: 'urn:uuid:1' },
      ],
    },
  ],
  [
    'parameters in parts, numbers',
    `<Parameters ${fhir}><parameter><name value="a"/><part><name value="b"/><valueDecimal value="-1.25E3"/></part>
       <part><name value="c"/><valueInteger value="0"/></part></parameter></Parameters>`,
    {
      resourceType: 'Parameters',
      parameter: [
        {
          name: 'a',
          part: [
            { name: 'b', valueDecimal: -1250 },
            { name: 'c', valueInteger: 0 },
          ],
        },
      ],
    },
  ],
];

test.each(samples)('%s', async (_, xml, json) => {
  expect(await read(xml)).toEqual(json);
});

test('a megabyte of base64 is one value', async () => {
  const data = 'QUJD'.repeat(300_000);
  expect(await read(`<Binary ${fhir}><contentType value="a/b"/><data value="${data}"/></Binary>`)).toMatchObject({
    data,
  });
});

test('whatever is spoilt in XML, it is refused, or read and written and read again the same', async () => {
  const texts = [...samples.map(([, xml]) => xml), writeXml(JSON.parse(JSON.stringify(samples[0]?.[2])) as Json, true)];
  const pieces = fc.constantFrom(
    '<',
    '>',
    '"',
    "'",
    '&',
    '/',
    ' ',
    '<a/>',
    '&#0;',
    '&lt;',
    ' xmlns="urn:a"',
    '<!--',
    ']]>',
    '\u0000',
    'é',
    '<id value="a"/>',
  );
  const outcomes = { read: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...texts),
      // Now and then nothing is spoilt: chance alone hardly ever leaves a text that can be read.
      fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(12), pieces), { maxLength: 3 }),
      async (text, changes) => {
        const spoilt = changes.reduce((xml, [at, length, piece]) => {
          const from = Math.floor(at * xml.length);
          return xml.slice(0, from) + piece + xml.slice(from + length);
        }, text);
        let resource: Json;
        try {
          resource = await read(spoilt);
        } catch (error) {
          outcomes.refused++;
          expect(error).toBeInstanceOf(Refused);
          return;
        }
        outcomes.read++;
        expect(await read(writeXml(resource))).toEqual(resource);
      },
    ),
    { numRuns: 1000 },
  );
  expect(outcomes.read).toBeGreaterThan(0);
  expect(outcomes.refused).toBeGreaterThan(500);
});

describe('faults of structure, all at once', () => {
  const patient = (inside: string) => `<Patient ${fhir}>${inside}</Patient>`;
  test.each([
    ['no XML', '{"resourceType":"Patient"}', ['notXml']],
    ['XML that does not end', `<Patient ${fhir}>`, ['notXml']],
    ['a DTD', `<!DOCTYPE Patient [<!ENTITY a "b">]>${patient('')}`, ['xmlForbidden']],
    ['an entity', patient('<gender value="&a;"/>'), ['xmlForbidden']],
    ['another namespace', '<Patient xmlns="urn:hl7-org:v3"/>', ['elementMalformed Patient']],
    ['no namespace', '<Patient/>', ['elementMalformed Patient']],
    ['no resource', `<Sickness ${fhir}/>`, ['elementMalformed Sickness']],
    ['an element that it has not', patient('<colour value="red"/>'), ['elementUnknown Patient.colour']],
    [
      'an attribute that it has not',
      patient('<gender value="male" class="x"/>'),
      ['elementUnknown Patient.gender.@class'],
    ],
    [
      'an element of another namespace',
      patient('<gender xmlns="urn:a:b" value="male"/>'),
      ['elementUnknown Patient.gender'],
    ],
    ['the wrong order', patient('<gender value="male"/><active value="true"/>'), ['elementMalformed Patient.active']],
    [
      'a list in two places',
      patient('<name><family value="A"/></name><gender value="male"/><name><family value="B"/></name>'),
      ['elementMalformed Patient.name[1]'],
    ],
    [
      'two where one belongs',
      patient('<gender value="male"/><gender value="male"/>'),
      ['elementMalformed Patient.gender'],
    ],
    [
      'two of a choice',
      patient('<deceasedBoolean value="true"/><deceasedDateTime value="2020"/>'),
      ['elementMalformed Patient.deceasedDateTime'],
    ],
    ['text between elements', patient('Henry'), ['elementMalformed Patient']],
    [
      'text in place of a value',
      patient('<gender>male</gender>'),
      ['elementMalformed Patient.gender', 'elementMalformed Patient.gender'],
    ],
    ['an empty value', patient('<gender value=""/>'), ['elementMalformed Patient.gender']],
    ['an empty element', patient('<name/>'), ['elementMalformed Patient.name[0]']],
    ['a boolean that is none', patient('<active value="yes"/>'), ['elementMalformed Patient.active']],
    [
      'an integer that is none',
      patient('<multipleBirthInteger value="01"/>'),
      ['elementMalformed Patient.multipleBirthInteger'],
    ],
    [
      'two resources in one place',
      patient('<contained><Device/><Device/></contained>'),
      ['elementMalformed Patient.contained[0]'],
    ],
    [
      'a hundred levels',
      patient(`${'<extension url="a">'.repeat(101)}${'</extension>'.repeat(101)}`),
      [expect.stringMatching(/^elementMalformed/)],
    ],
    ['a hundred thousand levels', patient(`${'<extension url="a">'.repeat(100_000)}`), ['xmlTooLarge']],
    [
      'a script',
      patient(`<text><status value="generated"/>${div('<script>1</script>')}</text>`),
      ['elementMalformed Patient.text.div'],
    ],
    [
      'several of them',
      patient('<active value="1"/><colour/><gender value="male"/><name/>'),
      [
        'elementMalformed Patient.active',
        'elementUnknown Patient.colour',
        'elementMalformed Patient.name[0]',
        'elementMalformed Patient.name[0]',
      ],
    ],
  ])('%s', async (_, xml, expected) => {
    expect(await problemsOf(xml)).toEqual(expected);
  });

  test('a hundred are told of many', async () => {
    expect(await problemsOf(patient('<colour/>'.repeat(100_000)))).toHaveLength(100);
  });

  test('bytes of UTF-16', async () => {
    await expect(readXml(Buffer.from(patient(''), 'utf16le'))).rejects.toThrow('notUtf8');
  });
});

test.each([
  ['an element that FHIR has not', { resourceType: 'Patient', colour: 'red' }],
  ['a resource that is not known here', { resourceType: 'Sickness' }],
  ['a narrative that is no XHTML', { resourceType: 'Patient', text: { status: 'generated', div: '<div>' } }],
])('%s is not written', (_, resource) => {
  expect(() => writeXml(resource)).toThrow(NoXmlForm);
});

describe('a narrative', () => {
  test.each([
    'plain',
    '<p style="color: red" class="x">a</p>',
    '<a href="https://example.org">a</a><a name="b">c</a>',
    '<img src="#pic1" alt="x"/>',
    '<table><tbody><tr><td colspan="2">a</td></tr></tbody></table>',
  ])('may be %s', (inside) => {
    expect(narrativeFault(div(inside))).toBeUndefined();
  });

  test.each([
    ['', 'shows something'],
    ['<script>1</script>', 'script'],
    ['<iframe/>', 'iframe'],
    ['<form><input/></form>', 'form'],
    ['<p onclick="x()">a</p>', 'onclick'],
    ['<img src="https://example.org/a.png"/>a', 'image'],
    ['<a href="javascript:x()">a</a>', 'link'],
    ['<a href=" JavaScript:x()">a</a>', 'link'],
    ['<p style="background: url(https://example.org)">a</p>', 'style'],
    ['<svg xmlns="http://www.w3.org/2000/svg"/>a', 'svg'],
    ['<p>a', 'XHTML'],
    ['&nbsp;a', 'XHTML'],
  ])('may not be %s', (inside, word) => {
    expect(narrativeFault(div(inside))).toContain(word);
  });

  test.each([
    ['<div>a</div>', 'namespace'],
    [`${div('a')}${div('b')}`, 'XHTML'],
    ['<p xmlns="http://www.w3.org/1999/xhtml">a</p>', 'div'],
  ])('is no %s', (text, word) => {
    expect(narrativeFault(text)).toContain(word);
  });
});
