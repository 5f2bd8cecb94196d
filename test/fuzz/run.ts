import { corpusOf, type Sample, wordsIn } from './corpus.ts';
import { mutated } from './mutate.ts';
import { chanceOf } from './random.ts';
import { openStage } from './stage.ts';

/** A message after which something was wrong. */
export type Finding = {
  readonly seed: number;
  readonly block: number;
  readonly number: number;
  readonly name: string;
  readonly done: readonly string[];
  readonly wrong: readonly string[];
  readonly sample: Sample;
};

export type Run = {
  readonly cases: number;
  readonly findings: readonly Finding[];
  /** How often each kind of message had each outcome. */
  readonly outcomes: ReadonlyMap<string, number>;
};

/** Cases of one block, which has a world of its own: what is wrong in one block is wrong again when that block is run again. */
const perBlock = 250;

export type Choice = {
  readonly seed: number;
  readonly block?: number;
  readonly store: 'memory' | 'embedded';
  /** Whether to go on; asked before each case. */
  readonly goOn: () => boolean;
  /** Told of each case before it is sent. */
  readonly begin?: (block: number, number: number) => void;
};

/** Sends spoilt messages, block after block, until told to stop; a block that is named is run alone. */
export async function fuzz({ seed, block: only, store, goOn, begin = () => {} }: Choice): Promise<Run> {
  const findings: Finding[] = [];
  const outcomes = new Map<string, number>();
  let cases = 0;
  for (let block = only ?? 0; goOn() && (only === undefined || block === only); block++) {
    const stage = await openStage(store);
    try {
      const next = await corpusOf(stage.world);
      const words = new Set<string>();
      for (let number = 0; number < perBlock && goOn(); number++) {
        // Each case has a chance of its own: it does not depend on what others took.
        const chance = chanceOf(seed * 1_000_003 + block * 1009 + number);
        const sample = next(chance);
        for (const word of wordsIn(sample)) words.add(word);
        const { wire, done } = mutated(sample.wire, chance, [...words]);
        begin(block, number);
        const { outcome, wrong } = await stage.check(sample.receiver, wire, chance);
        cases++;
        const kind = `${sample.name}${done.length === 0 ? ' as it is' : ''}: ${outcome}`;
        outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
        if (wrong.length > 0)
          findings.push({ seed, block, number, name: sample.name, done, wrong, sample: { ...sample, wire } });
      }
    } finally {
      await stage.close();
    }
  }
  return { cases, findings, outcomes };
}
