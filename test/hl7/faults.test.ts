import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { faultsOf, problemIn, spoilt } from '../support/faults.ts';
import type { Line } from '../support/mllp.ts';
import { type Door, message, openDoor } from './door.ts';

let door: Door;
let line: Line;
beforeAll(async () => {
  door = await openDoor();
  line = await door.dial();
});
afterAll(() => door.close());

const send = (text: string) => line.ask(Buffer.from(text.trimEnd().replaceAll('\n', '\r'), 'latin1'));

test('the message that is spoilt below is a sound one', async () => {
  expect((await send(message('adt-a08-revise.hl7'))).code).toBe('AA');
});

/** What HL7 v2 escapes. HL7 v2.5 chapter 2.7. */
const unescaped = (text: string) =>
  text.replaceAll(
    /\\([FSTRE])\\/g,
    (_, mark: 'F' | 'S' | 'T' | 'R' | 'E') => ({ F: '|', S: '^', T: '&', R: '~', E: '\\' })[mark],
  );

/** `code` is ERR-3 of HL7 table 0357. */
test.each(faultsOf('hl7'))('$fault → $code', async (row) => {
  const { errors } = await send(spoilt(message('adt-a08-revise.hl7'), row));
  expect(errors.map(({ words, condition }) => [problemIn(unescaped(words)), condition])).toEqual([
    [row.problem, row.code],
  ]);
});
