import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Visibility } from '../../server/domain/decision.ts';
import { visibilityCodes } from '../../server/domain/document.ts';
import {
  codeToken,
  type DocumentFacts,
  factsOfDocument,
  flagsOf,
  isOwn,
  isVisible,
  ownersText,
  ownFilter,
  tokens,
  visibilityFilter,
} from '../../server/store/visibility.ts';
import { authorOf, confidential, document } from '../support/registry.ts';

const database = new DatabaseSync(':memory:');
database.exec('CREATE TABLE search (owners TEXT, flags INTEGER, type TEXT)');
const insert = database.prepare('INSERT INTO search VALUES (?, ?, ?)');
afterAll(() => database.close());

// Few values, so that they meet; with the characters that the columns use between values.
const id = fc.constantFrom('1', '2', '12', 'H', 'P:1', '1|S:2', '%7C', 'a^b', '_');
const typeCode = fc.constantFrom('T', 'T1', 'T^', '1|T', 'é', "'", '%5ET');
const system = fc.constantFrom('1.2', '1.3', 'T^1.2');
const facts: fc.Arbitrary<DocumentFacts> = fc.record({
  codes: fc.uniqueArray(fc.constantFrom(...visibilityCodes)),
  typeCode,
  owners: fc.record({
    professionals: fc.uniqueArray(id, { maxLength: 3 }),
    structures: fc.uniqueArray(id, { maxLength: 3 }),
    patient: fc.boolean(),
  }),
});
const visibility: fc.Arbitrary<Visibility> = fc.record({
  viewer: fc.record({ professional: id, structure: id, patient: fc.boolean() }, { requiredKeys: [] }),
  hidden: fc.array(fc.record({ code: fc.constantFrom(...visibilityCodes), exceptOwn: fc.boolean() }), { maxLength: 4 }),
  refusedTypes: fc.oneof(fc.constant('all' as const), fc.uniqueArray(typeCode, { maxLength: 3 })),
  only: fc.constantFrom('all', 'ownStructure'),
  content: fc.constantFrom('all', 'own', 'none'),
});

function matches(sql: string, params: readonly (string | number)[], f: DocumentFacts, codeSystem: string): boolean {
  database.exec('DELETE FROM search');
  insert.run(ownersText(f.owners), flagsOf(f.codes), tokens([codeToken({ code: f.typeCode, system: codeSystem })]));
  return database.prepare(`SELECT 1 FROM search s WHERE ${sql}`).get(...params) !== undefined;
}

describe('visibility, as a predicate and as a filter', () => {
  test('both say the same of every document and viewer', () => {
    fc.assert(
      fc.property(facts, visibility, system, (f, v, s) => {
        const filter = visibilityFilter(v);
        expect(matches(filter.sql, filter.params, f, s)).toBe(isVisible(f, v));
        const own = ownFilter(v.viewer);
        expect(matches(own.sql, own.params, f, s)).toBe(isOwn(f.owners, v.viewer));
      }),
      { numRuns: 2000 },
    );
  });

  test('both outcomes occur among what the property draws', () => {
    const drawn = fc.sample(fc.tuple(facts, visibility), 300).map(([f, v]) => isVisible(f, v));
    expect(new Set(drawn)).toEqual(new Set([true, false]));
  });
});

describe('whose a document is', () => {
  const nobody = { professionals: [], structures: [], patient: false };

  test('authors count by identifier, beside the depositor', () => {
    const entry = document(1, { authors: [authorOf('899970000001', '1750000001')] });
    expect(factsOfDocument(entry, { professionals: ['899970000002'], structures: ['S'], patient: true })).toEqual({
      codes: [],
      typeCode: '11488-4',
      owners: { professionals: ['899970000002', '899970000001'], structures: ['S', '1750000001'], patient: true },
    });
  });

  test('an author under another authority, or a name alone, is nobody', () => {
    const author = authorOf('899970000001', '1750000001');
    const authors = [
      { ...author, person: { ...author.person, authority: { oid: '1.2.3' } }, institutions: [{ name: 'S', id: 'S' }] },
      { ...author, person: { family: 'MARTIN' }, institutions: [{ name: 'Cabinet' }] },
    ];
    expect(factsOfDocument(document(1, { authors }), nobody).owners).toEqual(nobody);
  });

  test('the three codes are read under their system alone', () => {
    const entry = document(1, { confidentialityCodes: confidential('MASQUE_PS') });
    expect(factsOfDocument(entry, nobody).codes).toEqual(['MASQUE_PS']);
    const foreign = document(1, { confidentialityCodes: [{ code: 'MASQUE_PS', system: '1.2' }] });
    expect(factsOfDocument(foreign, nobody).codes).toEqual([]);
  });
});
