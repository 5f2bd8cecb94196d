import { type Problem, type ProblemName, problem } from '../domain/error.ts';
import type { Exchange } from './exchange.ts';

const ofTheRecord: ReadonlySet<ProblemName> = new Set(['recordClosed', 'accessDenied']);
const always: ReadonlySet<ProblemName> = new Set(['documentUnknown', 'unknownPatient', 'patientDiffersFromCredential']);

/**
 * What a read by id may say: without a right on the record, and where the credential names no patient, the resource is unknown, in the words
 * that one which does not exist gets; a resource of another record than the credential's patient always is. Access policy, what the outside may learn.
 */
export function unknownUnlessNamed(
  resource: string,
): (problems: readonly Problem[], exchange: Exchange) => readonly Problem[] {
  return (problems, { request, id }) => {
    const concealed = ({ name }: Problem) =>
      always.has(name) || (ofTheRecord.has(name) && request.caller.patient === undefined);
    return problems.some(concealed) ? [problem('resourceUnknown', { value: `${resource}/${id}` })] : problems;
  };
}
