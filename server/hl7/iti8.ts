import { problem, Refused } from '../domain/error.ts';
import { type Fed, feedIdentity, type Merged, mergeIdentities } from '../usecases/feed.ts';
import type { Request, Tools } from '../usecases/perform.ts';
import { type Message, segmentsOf } from './message.ts';
import { hasValue, identifiersAt, patientOf, readPatient } from './patient.ts';

/** What was accepted and did nothing, in words. */
export type Notes = readonly string[];

const silent = {
  noRecord:
    'There is no record of this person: nothing was kept. Opening a record is an act of its own, with the consent of its holder.',
  authorityUnknown: 'No identifier in PID-3 is of an authority of this domain: nothing was kept.',
} as const satisfies { readonly [F in Fed['outcome']]?: string };

const ignored: { readonly [M in Extract<Merged, { ignored: string }>['ignored']]: string } = {
  authorityUnknown: 'PID-3 or MRG-1 names no identifier of an authority of this domain: the merge was ignored.',
  sameIdentifier: 'PID-3 and MRG-1 name the same identifier: the merge was ignored.',
  subsumedUnknown: 'The identifier in MRG-1 is not known: the merge was ignored.',
  alreadySubsumed: 'The identifier in MRG-1 was subsumed before: the merge was ignored.',
  survivingInactive: 'The identifier in PID-3 was itself subsumed: the merge was ignored.',
};

/**
 * Patient Identity Feed, ADT^A01, A04, A05 (add) and A08 (revise). IHE ITI TF-2 3.8.4.1.
 * @throws Refused segmentMissing, fieldMissing, fieldMalformed, and what the feed refuses
 */
export async function feed(tools: Tools, request: Request, message: Message, kind: 'add' | 'revise'): Promise<Notes> {
  const found = patientOf(message);
  if ('problems' in found) throw new Refused(found.problems);
  const { problems, ...identity } = readPatient(message, found.pid);
  if (problems.length > 0) throw new Refused(problems);
  const { outcome } = await feedIdentity(tools, request, identity, { message: kind });
  return outcome === 'noRecord' || outcome === 'authorityUnknown' ? [silent[outcome]] : [];
}

/**
 * Patient Identity Feed, ADT^A40: PID-3 survives, MRG-1 is subsumed. One message merges one pair. IHE ITI TF-2 3.8.4.2.
 * @throws Refused segmentMissing, fieldMissing, fieldMalformed, and what the merge refuses
 */
export async function merge(tools: Tools, request: Request, message: Message): Promise<Notes> {
  const found = patientOf(message);
  if ('problems' in found) throw new Refused(found.problems);
  const [mrg, second] = segmentsOf(message, 'MRG');
  if (mrg === undefined) throw new Refused([problem('segmentMissing', { attribute: 'MRG' })]);
  const fields = [
    [found.pid, 'PID-3', 3],
    [mrg, 'MRG-1', 1],
  ] as const;
  const problems = fields
    .filter(([segment, , field]) => !hasValue(message, segment, field))
    .map(([, attribute]) => problem('fieldMissing', { attribute }));
  if (second !== undefined)
    problems.push(problem('partRepeated', { attribute: 'MRG', detail: 'one message merges one pair' }));
  if (problems.length > 0) throw new Refused(problems);
  const [surviving, subsumed] = [identifiersAt(message, found.pid, 3), identifiersAt(message, mrg, 1)];
  const merged = await mergeIdentities(tools, request, { surviving, subsumed });
  return 'ignored' in merged ? [ignored[merged.ignored]] : [];
}
