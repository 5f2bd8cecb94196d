import { messageProblems } from '../domain/rules.ts';
import { type Deposit, messageFacts } from '../usecases/deposit.ts';
import type { Request, Tools } from '../usecases/perform.ts';

/** What the affinity domain has against a deposit of the sandbox's own, by names; it is not traced, since nothing is asked for. */
export function unfitFor(tools: Tools, request: Request, deposit: Deposit): readonly string[] {
  const problems = messageProblems(
    request.origin.transaction,
    deposit.submission,
    messageFacts(tools, request, deposit),
  );
  return [...new Set(problems.map(({ name, about }) => [name, about.attribute ?? []].flat().join(' ')))];
}
