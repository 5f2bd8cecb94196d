import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { faultsOf, problemIn } from '../support/faults.ts';
import { type Door, openDoor } from './door.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(() => door.close());

/** Sends a request as it is written: its first line, then headers. */
async function send(written: string | readonly string[]) {
  const [line = '', ...headers] = [written].flat().join('\n').split('\n');
  const [method = '', path = ''] = line.split(' ');
  const token = await door.token('dr-martin');
  const given = Object.fromEntries(headers.map((header) => header.split(': ') as [string, string]));
  return door.ask(path.replace('/fhir/', ''), { method, headers: { ...given, Authorization: `Bearer ${token}` } });
}

test.each(faultsOf('fhir'))('$fault → $code', async ({ right, wrong, problem, code }) => {
  expect((await send(right)).status).toBe(200);
  const { status, json } = await send(wrong);
  expect([String(status), json.issue.map(({ diagnostics = '' }) => problemIn(diagnostics))]).toEqual([code, [problem]]);
});
