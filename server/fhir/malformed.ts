import { type Problem, problem } from '../domain/error.ts';

/** What a reader of a parameter answers that could read its value. */
export const none: readonly Problem[] = [];

/** What it answers to a value that it cannot read; `expected` says what can be. */
export function malformed(attribute: string, value: string, expected: string): readonly Problem[] {
  return [problem('parameterMalformed', { attribute, value, detail: expected })];
}
