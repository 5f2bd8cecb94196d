import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Refused } from '../../server/domain/error.ts';
import { documentParameters, emptyQuestion, filterOf } from '../../server/fhir/document-search.ts';
import { maximumCount, readSearch } from '../../server/fhir/search.ts';
import {
  alternatives,
  folded,
  instantsOf,
  lastingOf,
  passesDate,
  readDate,
  readIdentifier,
  readToken,
  timeRange,
} from '../../server/fhir/search-values.ts';

test.each([
  ['a,b', ['a', 'b']],
  ['a\\,b,c', ['a\\,b', 'c']],
  ['a\\\\,b', ['a\\\\', 'b']],
  ['', ['']],
])('%j has the alternatives %j', (text, expected) => {
  expect(alternatives(text)).toEqual(expected);
});

test.each([
  ['x', { code: 'x' }],
  ['s|x', { system: 's', code: 'x' }],
  ['|x', { system: '', code: 'x' }],
  ['s|', { system: 's', code: '' }],
  ['a\\|b', { code: 'a|b' }],
  ['s|a\\,b', { system: 's', code: 'a,b' }],
])('%j is the token %j', (text, expected) => {
  expect(readToken(text)).toEqual(expected);
});

test.each([
  ['urn:oid:1.2.3|9', { oid: '1.2.3', value: '9' }],
  ['1.2.3|9', { oid: '1.2.3', value: '9' }],
  ['9', undefined],
  ['urn:oid:1.2.3|', undefined],
  ['http://example.org|9', undefined],
])('%j names the patient %j', (text, expected) => {
  expect(readIdentifier(text)).toEqual(expected);
});

describe('a date', () => {
  test.each([
    ['2026', { from: '20260101000000', to: '20270101000000' }],
    ['2024-02', { from: '20240201000000', to: '20240301000000' }],
    ['ge2026-01-31', { from: '20260131000000' }],
    ['gt2026-01-31', { from: '20260201000000' }],
    ['lt2026-01-31T10:00', { to: '20260131100000' }],
    ['le2026-01-31T10:00', { to: '20260131100100' }],
    ['eb2026-12', { to: '20261201000000' }],
    ['ge2026-01-01T00:30:00+02:00', { from: '20251231223000' }],
    ['ge2026-01-01T00:30:00 02:00', { from: '20251231223000' }],
    ['ge2026-01-01T00:00:00.500Z', { from: '20260101000001' }],
  ])('%s is the range %j', (text, expected) => {
    const date = readDate(text);
    const span = date && instantsOf(date);
    expect(span && timeRange(span)).toEqual(expected);
  });

  test.each(['2026-13', '2026-02-30', '26', 'yesterday', '2026-01-01T25:00', '', 'ge'])('%j is none', (text) => {
    expect(readDate(text)).toBeUndefined();
  });

  test.each(['ne2026', 'ap2026'])('%s asks for what no range can say', (text) => {
    const date = readDate(text);
    expect(date && instantsOf(date)).toBeUndefined();
  });
});

test('whatever is asked, it is read or refused by name', () => {
  const name = fc.oneof(
    fc.constantFrom(
      ...Object.keys(documentParameters),
      '_count',
      '_sort',
      '_total',
      '__proto__',
      'constructor',
      'toString',
    ),
    fc.string(),
  );
  const value = fc.oneof(fc.string(), fc.constantFrom('a|b', '|', ',', '\\', '%00', '-1', '1e9', 'ge2026', '%'));
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 4 }), fc.boolean(), (given, strict) => {
      const question = emptyQuestion('https://dmp.example.org/fhir', Date.parse('2026-07-01'));
      try {
        readSearch(given, documentParameters, question, strict);
        expect(filterOf(question).statuses).toBeDefined();
        expect(question.count ?? 0).toBeLessThanOrEqual(maximumCount);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        expect(error.problems.length).toBeGreaterThan(0);
      }
    }),
    { numRuns: 500 },
  );
});

describe('what a resource says passes a date', () => {
  const now = Date.parse('2026-07-01T00:00:00Z');
  test.each([
    ['20260115', '2026-01-15', true],
    ['20260115', '2026-01', true],
    ['202601', '2026-01-15', false],
    ['20260115', 'ne2026-01', false],
    ['20260115', 'ne2026-02', true],
    ['202601', 'ne2026-01-15', true],
    ['20260115', 'gt2026-01-15', false],
    ['202601', 'gt2026-01-15', true],
    ['20260115', 'ge2026-01-15', true],
    ['20260114', 'ge2026-01-15', false],
    ['202601', 'lt2026-01-15', true],
    ['20260115', 'lt2026-01-15', false],
    ['20260115', 'le2026-01-15', true],
    ['20260116', 'le2026-01-15', false],
    ['20260116', 'sa2026-01-15', true],
    ['202601', 'sa2026-01-15', false],
    ['20260114', 'eb2026-01-15', true],
    ['202601', 'eb2026-01-15', false],
    ['20260110', 'ap2026-01-15', true],
    ['20251101', 'ap2026-01-15', false],
    ['2026011510', '2026-01-15T10:00', false],
    ['202601151000', '2026-01-15T10:00', true],
    ['20260115100030', 'ap2026-01-15T10:00', true],
  ])('%s passes %s: %s', (dtm, text, expected) => {
    const date = readDate(text);
    expect(date && passesDate(lastingOf(dtm), date, now)).toBe(expected);
  });
});

test.each([
  ['Lefèvre', 'lefevre'],
  ['NOËL', 'noel'],
  ['Ångström', 'angstrom'],
])('%s is compared as %s', (text, expected) => {
  expect(folded(text)).toBe(expected);
});
