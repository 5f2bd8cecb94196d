import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readCodeMatch, readLiterals } from '../../../server/xds/query-values.ts';
import { text } from '../../support/arbitraries.ts';

describe('coding of values', () => {
  test.each<[string, readonly string[] | undefined]>([
    ["'text'", ['text']],
    ["'O''Neil'", ["O'Neil"]],
    ["''''", ["'"]],
    ["''", ['']],
    ["('a')", ['a']],
    ["('a','b')", ['a', 'b']],
    ["( 'a' ,\n 'b' )", ['a', 'b']],
    [" 'a' ", ['a']],
    ["('a(b','c,d)')", ['a(b', 'c,d)']],
    ['20250101', ['20250101']],
    ["(1,'2')", ['1', '2']],
    ['text', undefined],
    ["'a", undefined],
    ["a'", undefined],
    ["'a''", undefined],
    ["('a'", undefined],
    ["'a')", undefined],
    ["'a','b'", undefined],
    ["('a' 'b')", undefined],
    ["('a',)", undefined],
    ['()', undefined],
    ['"a"', undefined],
    ['‘a’', undefined],
    ['-1', undefined],
    ['', undefined],
  ])('%s', (value, expected) => {
    expect(readLiterals(value)?.map((literal) => literal.text)).toEqual(expected);
  });

  test('what is quoted is told from what is not', () => {
    expect(readLiterals("('1',2)")).toEqual([
      { text: '1', quoted: true },
      { text: '2', quoted: false },
    ]);
  });

  test('every list of texts reads as it was', () => {
    fc.assert(
      fc.property(fc.array(text(), { minLength: 1 }), (texts) => {
        const coded = `(${texts.map((t) => `'${t.replaceAll("'", "''")}'`).join(',')})`;
        expect(readLiterals(coded)).toEqual(texts.map((t) => ({ text: t, quoted: true })));
      }),
    );
  });

  test('a long value without end is refused at once', () => {
    expect(readLiterals(`('${"''".repeat(500_000)}`)).toBeUndefined();
  });
});

test.each<[string, ReturnType<typeof readCodeMatch>]>([
  ['11488-4^^2.16.840.1.113883.6.1', { code: '11488-4', system: '2.16.840.1.113883.6.1' }],
  ['N^Normal^2.16.840.1.113883.5.25', { code: 'N', system: '2.16.840.1.113883.5.25' }],
  ['a', undefined],
  ['a^^', undefined],
  ['^^1.2', undefined],
  ['a^b', undefined],
  ['a^^1.2^x', undefined],
])('code %s', (value, expected) => {
  expect(readCodeMatch(value)).toEqual(expected);
});
