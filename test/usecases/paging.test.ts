import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type KeyedPage, type PageKey, pageOf } from '../../server/usecases/paging.ts';

const object = (...key: PageKey) => ({ key });
const all = [object('b', 1), object('a', 2), object('b', 2), object('a', 1)];
const keysOf = (ascending?: KeyedPage['ascending']) =>
  pageOf(all, { limit: 10, ...(ascending !== undefined && { ascending }) }).items.map(({ key }) => key.join(''));

describe('a page of objects in the order of their keys', () => {
  test.each<[string, KeyedPage['ascending'], string[]]>([
    ['the greatest first', undefined, ['b2', 'b1', 'a2', 'a1']],
    ['the least first', true, ['a1', 'a2', 'b1', 'b2']],
    ['each part in its own direction', [true, false], ['a2', 'a1', 'b2', 'b1']],
    ['and the other way round', [false, true], ['b1', 'b2', 'a1', 'a2']],
    ['further parts as the last one', [true], ['a1', 'a2', 'b1', 'b2']],
  ])('%s', (_, ascending, expected) => {
    expect(keysOf(ascending)).toEqual(expected);
  });

  test('the pages, one after the other, are the whole', () => {
    const keys = fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(9)), { selector: (key) => key.join() });
    const directions = fc.array(fc.boolean(), { minLength: 1, maxLength: 2 });
    fc.assert(
      fc.property(keys, directions, fc.integer({ min: 1, max: 5 }), (some, ascending, limit) => {
        const objects = some.map((key) => object(...key));
        const whole = pageOf(objects, { limit: objects.length, ascending });
        const paged: PageKey[] = [];
        let after: PageKey | undefined;
        do {
          const { items, next } = pageOf(objects, { limit, ascending, ...(after && { after }) });
          paged.push(...items.map(({ key }) => key));
          after = next;
        } while (after !== undefined);
        expect(paged).toEqual(whole.items.map(({ key }) => key));
        expect([paged.length, whole.next]).toEqual([objects.length, undefined]);
      }),
    );
  });
});
