import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Refused } from '../../server/domain/error.ts';
import { documentReferenceOf } from '../../server/fhir/map/document-reference.ts';
import { wishOf } from '../../server/fhir/patch.ts';
import { readPatch } from '../../server/fhir/patch-body.ts';
import { extensions } from '../../server/fhir/vocabulary.ts';
import { document } from '../support/registry.ts';

const stored = {
  record: 'r1',
  position: 1,
  registeredAt: 0,
  sealedFor: 'r1',
  own: true,
  latest: true,
  revision: 1,
  changedAt: 0,
};
const before = documentReferenceOf({ entry: document(1), ...stored }, 'https://dmp.example.org/fhir');

/** Either what the patch wants, or a refusal; nothing else ever. */
async function read(type: string, body: unknown): Promise<unknown> {
  try {
    return wishOf(await readPatch(type, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))), before);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return error.problems[0]?.name;
  }
}

const token = fc.constantFrom(
  'status',
  'securityLabel',
  'extension',
  'type',
  '0',
  '1',
  '-',
  'valueBoolean',
  'coding',
  '__proto__',
  '~1',
  '',
);
const operation = fc.record({
  op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'else'),
  path: fc.array(token, { maxLength: 4 }).map((tokens) => `/${tokens.join('/')}`),
  from: fc.array(token, { maxLength: 3 }).map((tokens) => `/${tokens.join('/')}`),
  value: fc.jsonValue({ maxDepth: 3 }),
});

test('whatever operations come, the rest of the resource is left alone', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 4 }), async (operations) => {
      const copy = JSON.stringify(before);
      await read('application/json-patch+json', operations);
      expect(JSON.stringify(before)).toBe(copy);
    }),
    { numRuns: 500 },
  );
});

const refusals = ['patchForbidden', 'patchFailed', 'codeNotAllowed', 'elementMalformed', 'notJson'];

test('whatever JSON comes, it is refused, or asks for nothing', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.jsonValue(),
      fc.constantFrom('application/json-patch+json', 'application/fhir+json'),
      async (body, type) => {
        const said = await read(type, JSON.stringify(body));
        if (typeof said === 'string') expect(refusals).toContain(said);
        else expect(said).toEqual(wishOf([], before));
      },
    ),
    { numRuns: 300 },
  );
});

const part = (name: string, value: object) => ({ name, ...value });
test.each([
  ["DocumentReference.extension('https://other.example.org').value", 'patchForbidden'],
  ['Patient.name', 'patchForbidden'],
  ['DocumentReference.securityLabel[9]', 'patchFailed'],
  ["DocumentReference.securityLabel.where(coding.code='MASQUE_PS')", 'patchFailed'],
])('FHIRPath %s is refused', async (path, name) => {
  const parts = [part('type', { valueCode: 'delete' }), part('path', { valueString: path })];
  const body = { resourceType: 'Parameters', parameter: [{ name: 'operation', part: parts }] };
  expect(await read('application/fhir+json', body)).toBe(name);
});

test.each(['application/json-patch+json', 'application/xml-patch+xml'])(
  'a patch in UTF-16 is none: %s',
  async (type) => {
    await expect(readPatch(type, Buffer.from([0xff, 0xfe, 0x5b, 0x00]))).rejects.toThrow(Refused);
  },
);

const diff = (operations: string) =>
  `<diff xmlns="http://hl7.org/fhir" xmlns:f="http://hl7.org/fhir">${operations}</diff>`;
const system = 'https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument';
const label = `<securityLabel><coding><system value="${system}"/><code value="MASQUE_PS"/></coding></securityLabel>`;
const archived = (value: boolean) =>
  `<f:extension url="${extensions.isArchived}"><f:valueBoolean value="${value}"/></f:extension>`;
const label1 = 'f:DocumentReference/f:securityLabel[1]';

test.each([
  [
    'the value of status',
    '<replace sel="/f:DocumentReference/f:status/@value">entered-in-error</replace>',
    { status: 'deleted' },
  ],
  [
    'status',
    '<replace sel="DocumentReference/status"><status value="superseded"/></replace>',
    { status: 'deprecated' },
  ],
  ['a label behind the others', `<add sel="f:DocumentReference">${label}</add>`, { hide: ['MASQUE_PS'] }],
  ['a label behind one', `<add sel="${label1}" pos="after">${label}</add>`, { hide: ['MASQUE_PS'] }],
  [
    'a label in place of one',
    `<replace sel="f:DocumentReference/f:securityLabel">${label}</replace>`,
    { hide: ['MASQUE_PS'] },
  ],
  [
    'a code within a label',
    `<replace sel="${label1}/f:coding/f:code/@value">INVISIBLE_PATIENT</replace>`,
    { hide: ['INVISIBLE_PATIENT'] },
  ],
  ['isArchived', `<add sel="f:DocumentReference">${archived(true)}</add>`, { status: 'archived' }],
  [
    'isArchived and what it says',
    `<add sel="f:DocumentReference">${archived(false)}</add><replace sel="f:DocumentReference/f:extension[@url='${extensions.isArchived}']/f:valueBoolean/@value">true</replace>`,
    { status: 'archived' },
  ],
  [
    'what was added, by its code',
    `<add sel="f:DocumentReference">${label}</add><remove sel="f:DocumentReference/f:securityLabel[f:coding/f:code/@value='MASQUE_PS']"/>`,
    { hide: [], show: [] },
  ],
])('XML Patch: %s', async (_, operations, wish) => {
  expect(await read('application/xml-patch+xml', diff(operations))).toMatchObject(wish);
});

test.each([
  ['another element', '<replace sel="f:DocumentReference/f:description/@value">x</replace>', 'patchForbidden'],
  [
    'another extension',
    `<remove sel="f:DocumentReference/f:extension[@url='https://other.example.org']"/>`,
    'patchForbidden',
  ],
  ['an element that is none', '<remove sel="f:DocumentReference/f:colour"/>', 'patchForbidden'],
  ['an element to add that is none', '<add sel="f:DocumentReference"><colour value="red"/></add>', 'elementUnknown'],
  ['the resource', '<remove sel="f:DocumentReference"/>', 'patchForbidden'],
  ['another resource', '<remove sel="f:Patient/f:name"/>', 'elementMalformed'],
  ['a prefix that stands for nothing', '<remove sel="g:DocumentReference/g:status"/>', 'elementMalformed'],
  ['what is not there', '<remove sel="f:DocumentReference/f:securityLabel[9]"/>', 'patchFailed'],
  [
    'one of several',
    `<add sel="f:DocumentReference">${label}</add><remove sel="f:DocumentReference/f:securityLabel"/>`,
    'patchFailed',
  ],
  ['a function', `<remove sel="f:DocumentReference/f:securityLabel[last()]"/>`, 'elementMalformed'],
  ['a search', '<remove sel="//f:securityLabel"/>', 'elementMalformed'],
  ['an unknown operation', '<move sel="f:DocumentReference/f:status"/>', 'elementMalformed'],
  ['no operation', '', 'elementMalformed'],
  ['no selector', '<remove/>', 'elementMalformed'],
])('XML Patch of %s is refused', async (_, operations, name) => {
  expect(await read('application/xml-patch+xml', diff(operations))).toBe(name);
});

test('FHIRPath Patch in XML', async () => {
  const text = (name: string, value: string) => `<part><name value="${name}"/>${value}</part>`;
  const parts = [
    text('type', '<valueCode value="replace"/>'),
    text('path', '<valueString value="DocumentReference.status"/>'),
    text('value', '<valueCode value="superseded"/>'),
  ].join('');
  const body = `<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/>${parts}</parameter></Parameters>`;
  expect(await read('application/fhir+xml', body)).toMatchObject({ status: 'deprecated' });
});
