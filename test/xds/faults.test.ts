import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { catalogue } from '../../server/domain/error.ts';
import { chanceOf } from '../fuzz/random.ts';
import { type Limits, openStage, type Stage } from '../fuzz/stage.ts';
import { faultsOf, problemIn, spoilt } from '../support/faults.ts';
import { type SampleText, samplesOf } from './samples.ts';

let stage: Stage;
let samples: Readonly<Record<string, SampleText>>;
beforeAll(async () => {
  stage = await openStage('memory');
  samples = await samplesOf(stage.world);
});

const sampleOf = (name: string, among = samples): SampleText => {
  const found = among[name];
  if (found === undefined) throw new Error(`no message ${name}`);
  return found;
};

async function send(text: string, receiver: SampleText['receiver'], limits?: Limits, on = stage) {
  const [, contentType = '', body = ''] = /^Content-Type: (.*?)\r\n\r\n([\s\S]*)$/.exec(text) ?? [];
  // The message goes in one piece and whole.
  const whole = { ...chanceOf(1), happens: (probability: number) => probability === 0.5 };
  return on.check(receiver, { contentType, body: Buffer.from(body) }, whole, limits);
}

/** `code` is the errorCode, or the subcode or code of a fault. IHE ITI TF-3 table 4.2.4.1-2. */
describe('one thing wrong in a sound message, and its code', () => {
  test.each(faultsOf<{ limits?: Limits }>('xds'))('$message: $fault → $code', async (row) => {
    const { text, receiver } = sampleOf(row.message);
    const answer = await send(spoilt(text, row), receiver, row.limits);
    // Nothing is stored, one event at least is written, and the answer is sound SOAP.
    expect(answer.wrong).toEqual([]);
    const told = Object.groupBy(answer.told, ({ words }) => problemIn(words));
    expect(Object.keys(told).sort()).toEqual([row.problem, ...(row.also ?? [])].sort());
    expect([...new Set(told[row.problem]?.map(({ code }) => code))]).toEqual([row.code]);
  });
});

test('every problem that the face, its use cases and its rules know has such a case', () => {
  const root = new URL('../../server/', import.meta.url);
  const places = ['xds', 'xml', 'domain/rules', 'domain/update', 'usecases'].flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  );
  // What no message alone brings about, and what is asked for by other faces.
  const others = [
    ...['busy', 'outOfResources', 'internal', 'targetOfAnotherPatient', 'parameterMalformed', 'identitiesDiffer'],
    ...[
      'fieldMissing',
      'fieldMalformed',
      'partRepeated',
      'resourceUnknown',
      'multipleMatches',
      'versionDiffers',
      'domainUnknown',
    ],
    ...['searchTooBroad', 'sourceAuthorityUnknown', 'targetSystemUnknown', 'tooMuchStaged', 'attachmentUnresolved'],
    'subscriptionNotHonoured',
    'directoryNotListed',
    // What a setting asks for: test/dsg/lot-signature.test.ts.
    'lotSignatureMissing',
    // What another setting asks for: test/journeys/stated-traits.test.ts.
    'traitsDiffer',
    // What the headers of a request say: test/xds/content-coding.test.ts.
    ...['contentCodingUnsupported', 'contentCodingBroken'],
  ];
  const cases = new Set([...faultsOf('xds').map(({ problem }) => problem), ...others]);
  const known = places
    .filter((name) => name.endsWith('.ts') && !/usecases\/(feed|consent|patient|record|history)/.test(name))
    .flatMap((name) => [
      ...readFileSync(new URL(name, root), 'utf8').matchAll(/(?:problem|refuse|report)\(\s*(?:\w+, )?'(\w+)'/g),
    ])
    .map(([, name = '']) => name)
    .filter((name) => name in catalogue);
  expect(known.length).toBeGreaterThan(100);
  expect([...new Set(known)].filter((name) => !(cases as ReadonlySet<string>).has(name))).toEqual([]);
});

test('the messages that are spoilt are sound', async () => {
  for (const name of Object.keys(samples)) {
    const fresh = await openStage('memory');
    const { text, receiver } = sampleOf(name, await samplesOf(fresh.world));
    const { outcome, told, wrong } = await send(text, receiver, undefined, fresh);
    const done = name === 'ITI-44' ? 'CA' : 'Success';
    expect([name, outcome.split(' ').at(-1), told, wrong]).toEqual([name, done, [], []]);
  }
});
