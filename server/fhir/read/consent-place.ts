import { type Problem, type ProblemName, problem } from '../../domain/error.ts';

/** Where something stands in the Consent, and what is found wrong. */
export type Place = { readonly at: string; readonly problems: Problem[] };

/** Adds a problem of an element below that place; '' is the place itself. */
export function report(
  { at, problems }: Place,
  name: ProblemName,
  element: string,
  detail: string,
  value?: string,
): undefined {
  const expression = element === '' ? at : `${at}.${element}`;
  problems.push(problem(name, { expression, detail, ...(value !== undefined && { value }) }));
}
