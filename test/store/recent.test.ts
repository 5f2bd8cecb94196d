import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { makeRecent } from '../../server/store/embedded/recent.ts';

/** The same by a list, the oldest first. */
function listed(most: number) {
  let all: (readonly [key: number, weight: number])[] = [];
  return {
    get(key: number): number | undefined {
      const found = all.find(([name]) => name === key);
      if (found !== undefined) all = [...all.filter((one) => one !== found), found];
      return found?.[1];
    },
    put(key: number, weight: number): void {
      all = [...all.filter(([name]) => name !== key), [key, weight] as const];
      while (all.reduce((sum, [, one]) => sum + one, 0) > most) all = all.slice(1);
    },
  };
}

test('what was used last is kept, up to its weight', () => {
  const step = fc.record({ key: fc.nat(7), weight: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }) });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 12 }), fc.array(step, { maxLength: 60 }), (most, steps) => {
      const recent = makeRecent<number, number>(most, (weight) => weight);
      const model = listed(most);
      for (const { key, weight } of steps) {
        if (weight === undefined) expect(recent.get(key)).toBe(model.get(key));
        else {
          recent.put(key, weight);
          model.put(key, weight);
        }
      }
      for (let key = 0; key < 8; key++) expect(recent.get(key)).toBe(model.get(key));
    }),
  );
});
