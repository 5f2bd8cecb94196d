import { type Problem, problem } from '../domain/error.ts';
import { type Message, type Segment, valueAt } from './message.ts';

/** What MSH says. Names of application and facility are all their components, of which one is enough to be known by. HL7 v2.5 chapter 2.15.9. */
export type Header = {
  readonly application: readonly string[];
  readonly facility: readonly string[];
  readonly receivingApplication: string;
  readonly receivingFacility: string;
  readonly type: string;
  readonly event: string;
  readonly controlId: string;
  readonly processing: string;
  readonly version: string;
  readonly charset: string;
};

/** Reads the header of a message, sound or not. */
export function readHeader(message: Message): Header {
  const msh = message.segments[0];
  const at = (field: number, component = 1) => valueAt(message, msh, { field, component });
  return {
    application: namesAt(message, msh, 3),
    facility: namesAt(message, msh, 4),
    receivingApplication: at(5),
    receivingFacility: at(6),
    type: at(9),
    event: at(9, 2),
    controlId: at(10),
    processing: at(11),
    version: at(12),
    charset: at(18),
  };
}

/** What is wrong with a header itself. `processing`: what MSH-11 may be. */
export function headerProblems(
  { type, controlId, processing, version }: Header,
  accepted: { readonly processing: readonly string[] },
): Problem[] {
  const problems: Problem[] = [];
  const missing = (attribute: string) => problems.push(problem('fieldMissing', { attribute }));
  if (type === '') missing('MSH-9');
  if (controlId === '') missing('MSH-10');
  if (processing === '') missing('MSH-11');
  else if (!accepted.processing.includes(processing))
    problems.push(problem('hl7ProcessingUnsupported', { attribute: 'MSH-11', value: processing }));
  if (version === '') missing('MSH-12');
  else if (!/^2\.[1-9](\.\d)*$/.test(version))
    problems.push(problem('hl7VersionUnsupported', { attribute: 'MSH-12', value: version }));
  return problems;
}

function namesAt(message: Message, msh: Segment | undefined, field: number): string[] {
  return [1, 2].map((component) => valueAt(message, msh, { field, component })).filter((name) => name !== '');
}
