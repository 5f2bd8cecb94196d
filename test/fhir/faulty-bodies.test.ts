import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Bringing, bringing } from './bodies.ts';
import { type Door, openDoor } from './door.ts';

/** One thing that is wrong with whatever body is sent, and what is answered; where it is not wrong, or is told by 200, that is said. */
type Row = {
  readonly fault: string;
  readonly whole?: string;
  readonly insert?: string;
  readonly bytes?: string;
  readonly cut?: true;
  readonly mediaType?: string;
  readonly status: number;
  readonly problem: string;
  readonly otherwise?: Readonly<Record<string, number | 'taken'>>;
};
const rows = JSON.parse(
  readFileSync(new URL('../cases/faults/fhir-bodies.json', import.meta.url), 'utf8'),
) as readonly Row[];

const MiB = 2 ** 20;
let door: Door;
let all: readonly Bringing[];
beforeAll(async () => {
  door = await openDoor({ limits: { textBytes: MiB, attachmentBytes: MiB } });
  all = await bringing(door);
});
afterAll(async () => {
  expect(door.faults).toEqual([]);
  await door.close();
});

/** `[70*x]` stands for seventy of them. */
function written(text: string): string {
  return text.replaceAll(/\[(\d+)\*(.*?)\](?=[^\]]|$)/g, (_, times: string, what: string) =>
    what.repeat(Number(times)),
  );
}

function spoilt(text: string, { whole, insert, bytes, cut }: Row): string | Uint8Array<ArrayBuffer> {
  if (bytes !== undefined) return Uint8Array.from(Buffer.from(bytes, 'hex'));
  if (whole !== undefined) return written(whole);
  if (cut === true) return text.slice(0, -1);
  return insert === undefined ? text : text.replace(/^\[?\{/, (start) => start + written(insert));
}

async function send(one: Bringing, body: string | Uint8Array<ArrayBuffer>, mediaType = one.mediaType) {
  const before = door.world.tools.store.events().length;
  const answer = await door.ask(one.path === '' ? door.base : one.path, {
    method: one.method,
    headers: { 'Content-Type': mediaType, Authorization: `Bearer ${await door.token(one.who)}` },
    body,
  });
  return { ...answer, events: door.world.tools.store.events().slice(before) };
}

describe.each(rows)('$fault', (row) => {
  test('is refused by every interaction that takes a body, by name, and leaves one event', async () => {
    for (const one of all) {
      const told = row.otherwise?.[one.name];
      const { status, json, events } = await send(one, spoilt(JSON.stringify(one.body), row), row.mediaType);
      if (told === 'taken') {
        expect([one.name, status]).toEqual([one.name, one.status]);
        continue;
      }
      expect([one.name, status, json.issue[0]?.details?.text]).toEqual([one.name, told ?? row.status, row.problem]);
      expect(events.map(({ outcome }) => outcome)).toEqual([told === 200 ? 'done' : 'failed']);
    }
  });
});

test('the bodies that are spoilt are sound ones', async () => {
  for (const one of all) {
    const { status } = await send(one, JSON.stringify(one.body));
    expect([one.name, status]).toEqual([one.name, one.status]);
  }
});
