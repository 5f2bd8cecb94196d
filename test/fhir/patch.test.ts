import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Refused } from '../../server/domain/error.ts';
import { documentReferenceOf } from '../../server/fhir/map/document-reference.ts';
import { wishOf } from '../../server/fhir/patch.ts';
import { readPatch } from '../../server/fhir/patch-body.ts';
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
function read(type: string, body: unknown): unknown {
  try {
    return wishOf(readPatch(type, Buffer.from(JSON.stringify(body))), before);
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

test('whatever operations come, the rest of the resource is left alone', () => {
  fc.assert(
    fc.property(fc.array(operation, { minLength: 1, maxLength: 4 }), (operations) => {
      const copy = JSON.stringify(before);
      read('application/json-patch+json', operations);
      expect(JSON.stringify(before)).toBe(copy);
    }),
    { numRuns: 500 },
  );
});

test('whatever JSON comes, it is read or refused', () => {
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.constantFrom('application/json-patch+json', 'application/fhir+json'),
      (body, type) => {
        expect(read(type, body)).toBeDefined();
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
])('FHIRPath %s is refused', (path, name) => {
  const parts = [part('type', { valueCode: 'delete' }), part('path', { valueString: path })];
  const body = { resourceType: 'Parameters', parameter: [{ name: 'operation', part: parts }] };
  expect(read('application/fhir+json', body)).toBe(name);
});

test('a patch in UTF-16 is none', () => {
  expect(() => readPatch('application/json-patch+json', Buffer.from([0xff, 0xfe, 0x5b, 0x00]))).toThrow(Refused);
});
