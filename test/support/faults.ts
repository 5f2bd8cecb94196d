import { readFileSync } from 'node:fs';
import { catalogue, type ProblemName } from '../../server/domain/error.ts';

/**
 * A sound message, one thing that is changed in it, and what the answer must say: the problem, and its code on this face. Texts that are
 * lists are changed one by one; `[70*<b>]` stands for seventy of them.
 */
export type Fault<More = object> = {
  readonly message: string;
  readonly fault: string;
  readonly right: string | readonly string[];
  readonly wrong: string | readonly string[];
  readonly problem: ProblemName;
  readonly code: string;
  /** Problems that come with it. */
  readonly also?: readonly ProblemName[];
} & More;

/** The faults of a face. */
export function faultsOf<More = object>(face: 'xds' | 'fhir' | 'hl7'): readonly Fault<More>[] {
  return JSON.parse(readFileSync(new URL(`../cases/faults/${face}.json`, import.meta.url), 'utf8')) as Fault<More>[];
}

/** The sound text with the fault in it. */
export function spoilt(text: string, { right, wrong }: Pick<Fault, 'right' | 'wrong'>): string {
  const others = [wrong].flat();
  return [right].flat().reduce((before, part, index) => {
    if (!before.includes(part)) throw new Error(`the message has no ${part}`);
    return before.replaceAll(part, () => written(others[index] ?? ''));
  }, text);
}

function written(text: string): string {
  return text.replaceAll(/\[(\d+)\*([^\]]+)\]/g, (_, times: string, what: string) => what.repeat(Number(times)));
}

/** The problem that words tell, by its rule and remedy; by the remedy alone where a problem has many rules. */
export function problemIn(words: string): string {
  const known = Object.entries(catalogue);
  const found = known.find(([, { rule, remedy }]) => words.endsWith(`. Rule: ${rule}. ${remedy}`));
  const alike = known.filter(([, { remedy }]) => words.endsWith(`. ${remedy}`));
  return found?.[0] ?? (alike.length === 1 ? alike[0]?.[0] : undefined) ?? words;
}
