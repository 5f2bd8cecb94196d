import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { stepsOf } from '../../server/fhir/profile/path.ts';
import { cardinality, profileTable } from '../../server/fhir/profile/table.ts';

const folder = new URL('../../profiles/fhir/constraints/', import.meta.url);
const keys = new Set([
  ...['path', 'card', 'codes', 'system', 'display', 'value', 'starts', 'targets', 'contained'],
  ...['rule', 'says', 'severity', 'xds'],
]);

describe('the table of profiles', () => {
  test('has every file of the folder', () => {
    const guides = readdirSync(folder).map(
      (name) => (JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as { guide: string }).guide,
    );
    expect(new Set(profileTable.map(({ guide }) => guide))).toEqual(new Set(guides));
  });

  test('has each profile once, and each parent and profile of entries', () => {
    const urls = profileTable.map(({ url }) => url);
    expect(new Set(urls).size).toBe(urls.length);
    const named = profileTable.flatMap(({ parent, entries }) => [parent, ...entries.map(({ profile }) => profile)]);
    expect(named.filter((url) => url !== undefined && !urls.includes(url))).toEqual([]);
  });

  test.each(profileTable.flatMap((profile) => profile.constraints.map((row) => [profile, row] as const)))(
    'every row can be read (%#)',
    ({ extensions }, row) => {
      expect(stepsOf(row.path, extensions).map(({ name }) => name)).not.toContain('');
      expect(Object.keys(row).filter((key) => !keys.has(key))).toEqual([]);
      expect(Object.keys(row).length).toBeGreaterThan(1);
      if (row.card !== undefined) expect(row.card).toMatch(/^\d+\.\.(\d+|\*)$/);
      if (row.card !== undefined) expect(cardinality(row.card).min).toBeLessThanOrEqual(cardinality(row.card).max);
      expect(row.rule === undefined).toBe(row.says === undefined);
    },
  );
});
