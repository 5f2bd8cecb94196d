import { type Problem, type ProblemName, wordsOf } from '../domain/error.ts';
import { subsumedId } from '../usecases/feed.ts';

/** How a problem is acknowledged: AR when the message was not judged, AE when its content is at fault. HL7 v2.5 chapter 2.9.2, table 0008. */
export type AckCode = 'AE' | 'AR';

/** Message error conditions. HL7 v2.5 table 0357. */
const conditions = {
  100: 'Segment sequence error',
  101: 'Required field missing',
  102: 'Data type error',
  103: 'Table value not found',
  200: 'Unsupported message type',
  201: 'Unsupported event code',
  202: 'Unsupported processing id',
  203: 'Unsupported version id',
  204: 'Unknown key identifier',
  205: 'Duplicate key identifier',
  207: 'Application internal error',
} as const;
type Condition = keyof typeof conditions;

/** Problems whose condition is not the general one of content (207). */
const known: { readonly [N in ProblemName]?: readonly [Condition, AckCode] } = {
  hl7Malformed: [100, 'AR'],
  hl7CharsetUnsupported: [102, 'AR'],
  hl7TypeUnsupported: [200, 'AR'],
  hl7EventUnsupported: [201, 'AR'],
  hl7ProcessingUnsupported: [202, 'AR'],
  hl7VersionUnsupported: [203, 'AR'],
  senderUnknown: [207, 'AR'],
  messageTooLarge: [207, 'AR'],
  busy: [207, 'AR'],
  outOfResources: [207, 'AR'],
  internal: [207, 'AR'],
  segmentMissing: [100, 'AE'],
  partRepeated: [102, 'AE'],
  fieldMissing: [101, 'AE'],
  attributeMissing: [101, 'AE'],
  fieldMalformed: [102, 'AE'],
  attributeMalformed: [102, 'AE'],
  insMalformed: [102, 'AE'],
  tableValueUnknown: [103, 'AE'],
  codeNotAllowed: [103, 'AE'],
  unknownPatient: [204, 'AE'],
  documentUnknown: [204, 'AE'],
  referenceUnresolved: [204, 'AE'],
  identitiesDiffer: [205, 'AE'],
  uniqueIdInUse: [205, 'AE'],
  nonIdenticalHash: [205, 'AE'],
  nonIdenticalSize: [205, 'AE'],
};

/** The condition of a problem with its text. */
export function conditionOf(name: ProblemName): { readonly code: string; readonly text: string } {
  const code = known[name]?.[0] ?? 207;
  return { code: String(code), text: conditions[code] };
}

/** The acknowledgement code of an answer with these problems: one that kept the message from being judged decides. */
export function ackCodeOf(problems: readonly Problem[]): AckCode {
  return problems.some(({ name }) => known[name]?.[1] === 'AR') ? 'AR' : 'AE';
}

/** Where a problem is in the message. */
export type Location = {
  readonly segment: string;
  readonly occurrence: number;
  readonly field?: number;
  readonly component?: number;
};

/** Metadata that come from the patient's segment. */
const ofPatient: Readonly<Record<string, Location>> = {
  patientId: { segment: 'PID', occurrence: 1, field: 3 },
  sourcePatientId: { segment: 'PID', occurrence: 1, field: 3 },
  sourcePatientInfo: { segment: 'PID', occurrence: 1, field: 5 },
  [subsumedId]: { segment: 'MRG', occurrence: 1, field: 1 },
};

/** Problems that are about the patient, whatever they name. */
const aboutPatient: ReadonlySet<ProblemName> = new Set(['unknownPatient', 'recordClosed']);

/**
 * The place that a problem is about: a field by its name (`PID-3`, `OBX-5.4`), of the segment that its object names (`OBX[2]`); metadata of a
 * document lie in the OBX that brought it.
 */
export function locationOf({ name, about: { attribute = '', object = '' } }: Problem): Location | undefined {
  const [, owner, number] = /^([A-Z][A-Z0-9]{2})\[(\d+)\]$/.exec(object) ?? [];
  const occurrence = Number(number ?? 1);
  const [, segment, field, component] = /^([A-Z][A-Z0-9]{2})(?:-(\d+)(?:\.(\d+))?)?$/.exec(attribute) ?? [];
  if (segment !== undefined)
    return {
      segment,
      occurrence: segment === owner ? occurrence : 1,
      ...(field !== undefined && { field: Number(field) }),
      ...(component !== undefined && { component: Number(component) }),
    };
  if (Object.hasOwn(ofPatient, attribute)) return ofPatient[attribute];
  if (aboutPatient.has(name)) return ofPatient['patientId'];
  return owner === undefined ? undefined : { segment: owner, occurrence, ...(owner === 'OBX' && { field: 5 }) };
}

/** The public words of a problem. */
export function textOf(problem: Problem): string {
  return wordsOf(problem);
}
