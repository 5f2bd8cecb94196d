import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { catalogue, type ProblemName } from '../../server/domain/error.ts';
import { chanceOf } from '../fuzz/random.ts';
import { type Limits, openStage, type Stage } from '../fuzz/stage.ts';
import { type SampleText, samplesOf } from './samples.ts';

/** A sound message, one thing that is changed in it, and what the answer must say. `code` is the errorCode, or the (sub)code of a fault. */
type Fault = {
  readonly message: string;
  readonly fault: string;
  readonly right: string | readonly string[];
  readonly wrong: string | readonly string[];
  readonly problem: ProblemName;
  readonly code: string;
  /** Problems that come with it. */
  readonly also?: readonly ProblemName[];
  readonly limits?: Limits;
};
const faults = JSON.parse(readFileSync(new URL('../cases/faults.json', import.meta.url), 'utf8')) as readonly Fault[];

let stage: Stage;
let samples: Readonly<Record<string, SampleText>>;
beforeAll(async () => {
  stage = await openStage('memory');
  samples = await samplesOf(stage.world);
});

const sampleOf = (name: string): SampleText => {
  const found = samples[name];
  if (found === undefined) throw new Error(`no message ${name}`);
  return found;
};
/** `[70*<b>]` stands for seventy of them. */
const written = (text: string) =>
  text.replaceAll(/\[(\d+)\*([^\]]+)\]/g, (_, times: string, what: string) => what.repeat(Number(times)));

/** The problem that an answer tells, by its rule and remedy. */
function problemIn(words: string): string {
  const found = Object.entries(catalogue).find(([, { rule, remedy }]) => words.endsWith(`. Rule: ${rule}. ${remedy}`));
  return found?.[0] ?? words;
}

function spoilt(text: string, right: readonly string[], wrong: readonly string[]): string {
  return right.reduce((before, part, index) => {
    expect(before).toContain(part);
    return before.replaceAll(part, () => written(wrong[index] ?? ''));
  }, text);
}

async function send(text: string, receiver: SampleText['receiver'], limits?: Limits, on = stage) {
  const [, contentType = '', body = ''] = /^Content-Type: (.*?)\r\n\r\n([\s\S]*)$/.exec(text) ?? [];
  // A chance that always answers with nothing: the message goes in one piece and whole.
  const whole = { ...chanceOf(1), happens: (probability: number) => probability === 0.5 };
  return on.check(receiver, { contentType, body: Buffer.from(body) }, whole, limits);
}

describe('one thing wrong in a sound message, and its code', () => {
  test.each(faults)('$message: $fault → $code', async ({ message, right, wrong, problem, code, also = [], limits }) => {
    const { text, receiver } = sampleOf(message);
    const answer = await send(spoilt(text, [right].flat(), [wrong].flat()), receiver, limits);
    expect(answer.wrong).toEqual([]);
    const told = Object.groupBy(answer.told, ({ words }) => problemIn(words));
    expect(Object.keys(told).sort()).toEqual([problem, ...also].sort());
    expect([...new Set(told[problem]?.map((one) => one.code))]).toEqual([code]);
  });
});

test('the messages that are spoilt are sound', async () => {
  for (const name of Object.keys(samples)) {
    const fresh = await openStage('memory');
    const found = (await samplesOf(fresh.world))[name];
    if (found === undefined) throw new Error(name);
    const { outcome, told, wrong } = await send(found.text, found.receiver, undefined, fresh);
    expect([name, outcome.split(' ').at(-1), told, wrong]).toEqual([
      name,
      name === 'ITI-44' ? 'CA' : 'Success',
      [],
      [],
    ]);
  }
});
