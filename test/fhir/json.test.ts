import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { OperationOutcome } from 'fhir/r4.js';
import { meter } from '../../server/fhir/body.ts';
import { JsonRejected, parseJson } from '../../server/fhir/json.ts';
import { bundleOf, changed, post } from './deposits.ts';
import { type Door, openDoor } from './door.ts';

describe('JSON is read strictly', () => {
  test('what JSON.parse reads of any value is read', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        fc.pre(!text.includes('__proto__') && text.isWellFormed() && !/\\ud[89a-f]/i.test(text));
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 300 },
    );
  });

  test('any other text is refused, as JSON.parse does, and nothing else happens', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]":,0123.eE+-\\u tfnalse\t\u0001') }), (text) => {
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        if (!isJson) expect(() => parseJson(text)).toThrow(JsonRejected);
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    ['a key twice', '{"a":1,"a":2}'],
    ['a key twice, once escaped', '{"a":1,"\\u0061":2}'],
    ['__proto__', '{"__proto__":{"x":1}}'],
    ['__proto__ escaped', '{"\\u005f_proto__":{"x":1}}'],
    ['a number out of range', '{"a":1e999}'],
    ['a leading zero', '{"a":01}'],
    ['a lone surrogate', '{"a":"\\ud800"}'],
    ['a line end in a string', '{"a":"\n"}'],
    ['101 levels', `${'['.repeat(101)}${']'.repeat(101)}`],
    ['1001 members', `{${Array.from({ length: 1001 }, (_, i) => `"a${i}":1`).join(',')}}`],
    ['a comma too many', '{"a":1,}'],
    ['two values', '{} {}'],
    ['nothing', ''],
    ['an open string', '{"a":"b\\"'],
  ])('%s is refused', (_, text) => {
    expect(() => parseJson(text)).toThrow(JsonRejected);
  });

  test('100 levels are read', () => {
    expect(parseJson(`${'['.repeat(100)}${']'.repeat(100)}`)).toBeInstanceOf(Array);
  });
});

describe('The limits of a body', () => {
  const limits = { textBytes: 100_000, attachmentBytes: 60_000 };
  const passes = (text: string, size: number) => {
    const isWithin = meter(limits);
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += size) if (!isWithin(bytes.subarray(at, at + size))) return false;
    return true;
  };
  const attachment = (characters: number) => `{"data":"${'A'.repeat(characters)}"}`;

  test.each([1, 7, 4096, 1_000_000])('are told whatever the pieces, here of %d bytes', (size) => {
    expect([
      passes(attachment(80_000), size),
      passes(attachment(80_004), size),
      passes(`[${attachment(40_000)},${attachment(40_000)}]`, size),
      passes(`[${attachment(40_000)},${attachment(40_004)}]`, size),
      passes(`[${'"\\"",'.repeat(10_000)}1]`, size),
      passes(`[${'"\\"",'.repeat(25_000)}1]`, size),
      passes(`[${'"abcdefgh",'.repeat(9_000)}1]`, size),
      passes(`[${'"abcdefgh",'.repeat(10_000)}1]`, size),
    ]).toEqual([true, false, true, false, true, false, true, false]);
  });
});

describe('A body that is no Bundle of ITI-65', () => {
  let door: Door;
  beforeAll(async () => {
    door = await openDoor();
  });
  afterAll(() => door.close());

  const issues = ({ issue }: OperationOutcome) =>
    issue.map(({ details, expression }) => `${details?.text} ${expression?.[0] ?? ''}`.trim());
  const change = (to: (bundle: ReturnType<typeof bundleOf>) => void) => {
    const bundle = bundleOf(door);
    to(bundle);
    return JSON.stringify(bundle);
  };

  test.each<[string, () => string, number, string[]]>([
    ['no JSON', () => '{', 400, ['notJson']],
    ['a key twice', () => '{"resourceType":"Bundle","type":"transaction","type":"batch"}', 400, ['notJson']],
    ['a list', () => '[]', 400, ['elementMalformed Bundle']],
    ['another resource', () => '{"resourceType":"Patient"}', 400, ['elementMalformed Bundle.resourceType']],
    ['no type', () => '{"resourceType":"Bundle"}', 400, ['elementMissing Bundle.type']],
    ['another type', () => '{"resourceType":"Bundle","type":"history"}', 400, ['elementMalformed Bundle.type']],
    ['a batch of nothing', () => '{"resourceType":"Bundle","type":"batch"}', 400, ['elementMissing Bundle.entry']],
    [
      'an unknown element',
      () => change((bundle) => Object.assign(bundle, { entries: [] })),
      400,
      ['elementUnknown Bundle.entries'],
    ],
    [
      'what the profile forbids',
      () =>
        JSON.stringify(changed(bundleOf(door), (_, { document }) => Object.assign(document, { docStatus: 'final' }))),
      400,
      ['elementUnknown Bundle.entry[1].resource.docStatus'],
    ],
    [
      'several faults of structure',
      () =>
        JSON.stringify(
          changed(bundleOf(door), (_, { document, set }) => {
            Object.assign(document, { status: 7, category: [], date: '2026-01-01' });
            Object.assign(set, { mode: undefined });
          }),
        ),
      400,
      [
        'elementMissing Bundle.entry[0].resource.mode',
        'elementMalformed Bundle.entry[1].resource.status',
        'elementMalformed Bundle.entry[1].resource.category',
        'elementMalformed Bundle.entry[1].resource.date',
      ],
    ],
    ['nothing in it', () => '{"resourceType":"Bundle","type":"transaction"}', 400, ['submissionSetCount Bundle.entry']],
    [
      'a thousand and one entries',
      () =>
        JSON.stringify({
          resourceType: 'Bundle',
          type: 'transaction',
          entry: Array(1001).fill({ fullUrl: 'urn:a:b' }),
        }),
      413,
      ['tooManyEntries'],
    ],
    ['more than 8 MiB of JSON', () => `[${' '.repeat(8 * 1024 * 1024)}]`, 413, ['messageTooLarge']],
  ])('is refused for %s', async (_, body, status, expected) => {
    const answer = await post<OperationOutcome>(door, 'dr-martin', body());
    expect([answer.status, issues(answer.json)]).toEqual([status, expected]);
  });

  test('bytes that are no UTF-8 are refused', async () => {
    const { status, json } = await door.ask(door.base, {
      method: 'POST',
      headers: { 'Content-Type': 'application/fhir+json', Authorization: `Bearer ${await door.token('dr-martin')}` },
      body: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]),
    });
    expect([status, issues(json)]).toEqual([400, ['notUtf8']]);
  });

  test('another media type is refused', async () => {
    const { status, json } = await door.ask(door.base, {
      method: 'POST',
      headers: { 'Content-Type': 'text/plain', Authorization: `Bearer ${await door.token('dr-martin')}` },
      body: '{}',
    });
    expect([status, issues(json)]).toEqual([415, ['mediaTypeUnsupported']]);
  });

  test('nobody deposits without a token', async () => {
    const { status } = await door.ask(door.base, {
      method: 'POST',
      headers: { 'Content-Type': 'application/fhir+json' },
      body: '{}',
    });
    expect(status).toBe(401);
  });
});
