import { expect, test } from '@jest/globals';
import { mutated } from './mutate.ts';
import { chanceOf } from './random.ts';
import { fuzz } from './run.ts';

test('spoilt messages are answered by sound SOAP, and nothing is stored that is not acknowledged', async () => {
  let left = 300;
  const { cases, findings, outcomes } = await fuzz({ seed: 1, store: 'memory', goOn: () => left-- > 0 });
  expect(findings.map(({ name, done, wrong }) => ({ name, done, wrong }))).toEqual([]);
  expect(cases).toBeGreaterThan(250);
  const ends = [...outcomes.keys()].map((outcome) => outcome.split(' ').at(-1));
  expect(ends).toEqual(expect.arrayContaining(['Fault', 'Failure', 'Success']));
});

test('the same seed spoils a message in the same way', () => {
  const body = Buffer.from('<a b="c"><d>e</d></a>'.repeat(20));
  const spoilt = () => mutated({ contentType: 'text/xml', body }, chanceOf(7), ['x']);
  expect(spoilt()).toEqual(spoilt());
});
