import { describe, expect, test } from '@jest/globals';
import { isLoad } from '../../server/threads.ts';

describe('a further web thread starts', () => {
  test.each([
    ['for many requests that keep the thread busy', { busy: 0.8, begun: 100, late: 2 }, true],
    ['for a few that make others wait', { busy: 0.9, begun: 1, late: 120 }, true],
    ['not while large documents pass piece by piece', { busy: 1, begun: 4, late: 3 }, false],
    ['not for many requests that take no time', { busy: 0.4, begun: 400, late: 2 }, false],
    ['not for a pause that the machine made', { busy: 0.1, begun: 0, late: 500 }, false],
  ])('%s', (_, look, expected) => {
    expect(isLoad(look)).toBe(expected);
  });
});
