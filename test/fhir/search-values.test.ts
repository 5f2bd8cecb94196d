import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { AuditEvent } from 'fhir/r4.js';
import { Refused } from '../../server/domain/error.ts';
import { emptyQuestion, filterOf } from '../../server/fhir/document-search.ts';
import type { EventQuestion } from '../../server/fhir/event-search.ts';
import { listSearch } from '../../server/fhir/iti66.ts';
import { documentSearch } from '../../server/fhir/iti67.ts';
import { eventSearch } from '../../server/fhir/iti81.ts';
import { emptyListQuestion, packagesAsked } from '../../server/fhir/list-search.ts';
import { type Given, maximumCount, readSearch } from '../../server/fhir/search.ts';
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
import type { StoredDocument } from '../../server/store/port.ts';
import type { Package } from '../../server/usecases/search-packages.ts';
import { document, folder, submissionSet } from '../support/registry.ts';

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
    expect([date?.prefix, date && instantsOf(date)]).toEqual([text.slice(0, 2), undefined]);
  });
});

const base = 'https://dmp.example.org/fhir';
const now = Date.parse('2026-07-01');
const stored: StoredDocument = {
  entry: document(1, { comments: { value: 'État' } }),
  record: '1',
  position: 1,
  registeredAt: now,
  sealedFor: '1',
  own: false,
  relates: false,
  latest: true,
  revision: 1,
  changedAt: now,
};
const place = { record: '1', position: 1 };
const held: readonly Package[] = [
  { kind: 'set', set: submissionSet(2), stored: { set: submissionSet(2), own: true, ...place } },
  { kind: 'folder', folder: folder(3), stored: { folder: folder(3), latest: true, ...place } },
];
const event: AuditEvent = {
  resourceType: 'AuditEvent',
  type: { code: 'rest' },
  recorded: '2026-07-01T00:00:00Z',
  agent: [{ requestor: true, who: { identifier: { value: '1' } } }],
  source: { observer: { display: 'nobody' } },
};

test.each([
  [
    'documents',
    documentSearch.table,
    (given: Given, strict: boolean) => {
      const asked = emptyQuestion(base, now);
      readSearch(given, documentSearch.table, asked, strict);
      expect(filterOf(asked).statuses).toBeDefined();
      return { asked, answers: asked.tests.map((passes) => passes({ document: stored, relations: [] })) };
    },
  ],
  [
    'lists',
    listSearch.table,
    (given: Given, strict: boolean) => {
      const asked = emptyListQuestion(base, now);
      readSearch(given, listSearch.table, asked, strict);
      expect(packagesAsked(asked).tests).toBe(asked.tests);
      return { asked, answers: asked.tests.flatMap((passes) => held.map((one) => passes(one))) };
    },
  ],
  [
    'events',
    eventSearch.table,
    (given: Given, strict: boolean) => {
      const asked: EventQuestion = { base, now, tests: [] };
      readSearch(given, eventSearch.table, asked, strict);
      return { asked, answers: asked.tests.map((passes) => passes(event)) };
    },
  ],
])('whatever is asked of %s, it is read or refused by name, and answered yes or no', (_, table, ask) => {
  const name = fc.oneof(
    fc.constantFrom(...Object.keys(table), '_count', '_total', '__proto__', 'constructor', 'toString'),
    fc.string(),
  );
  const values = ['a|b', '|', ',', '\\', '%00', '-1', '1e9', 'ge2026', 'ap2026-07', 'ne2026', '%', 'true', 'Patient/1'];
  const value = fc.oneof(fc.string(), fc.constantFrom(...values));
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 4 }), fc.boolean(), (given, strict) => {
      try {
        const { asked, answers } = ask(given, strict);
        expect(asked.count ?? 0).toBeLessThanOrEqual(maximumCount);
        for (const answer of answers) expect(typeof answer).toBe('boolean');
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        expect(error.problems.length).toBeGreaterThan(0);
      }
    }),
    { numRuns: 1000 },
  );
});

describe('what a resource says passes a date', () => {
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
