import type { Action } from '../domain/action.ts';
import { anybody, type Caller } from '../domain/actor.ts';
import { type Problem, problem, Refused } from '../domain/error.ts';
import type { Origin, Transaction } from '../domain/event.ts';
import { depositorOf, feederOf, type Sender, senderOf } from '../domain/sender.ts';
import { StoreBusy, StoreFull } from '../store/port.ts';
import { isTraced, type Request, type Tools, traceFailure, traceUnidentified } from '../usecases/perform.ts';
import type { Log } from '../watch/log.ts';
import { writeAcknowledgement } from './acknowledgement.ts';
import { type Charset, charsetOf, decoded } from './charset.ts';
import { type Depositor, deposit, structureProblems } from './documents.ts';
import { type Header, headerProblems, readHeader } from './header.ts';
import { feed, merge, type Notes } from './iti8.ts';
import { type Message, readMessage } from './message.ts';

/** What the HL7 version 2 face works with. `processing`: what MSH-11 may be. */
export type Hl7Face = {
  readonly tools: Tools;
  readonly senders: readonly Sender[];
  readonly processing: readonly string[];
  readonly log: Log;
  /** False as long as messages are not judged yet: they are answered AR, to be sent again. */
  readonly isReady: () => boolean;
};

/** Where a message came from: the address of the peer, and ours. */
export type Arrival = { readonly address: string; readonly endpoint: string };

type Work = {
  readonly tools: Tools;
  readonly request: Request;
  readonly message: Message;
  readonly sender: Sender | undefined;
};
type Handling = {
  readonly transaction: Transaction;
  readonly action: Action;
  readonly handle: (work: Work) => Promise<Notes>;
};

const identity = (kind: 'add' | 'revise'): Handling => ({
  transaction: 'ITI-8',
  action: 'feedIdentities',
  handle: ({ tools, request, message }) => feed(tools, request, message, kind),
});
const documents = (transaction: 'ORU' | 'MDM'): Handling => ({
  transaction,
  action: 'submitDocuments',
  handle: async ({ tools, request, message, sender }) => {
    const problems = structureProblems(message, transaction);
    if (problems.length > 0) throw new Refused(problems);
    if (sender === undefined || !isDepositor(sender)) throw new Refused([problem('accessDenied', {}, 'rightMissing')]);
    return deposit(tools, request, message, sender);
  },
});

/** Messages that are taken, by type and event. IHE ITI TF-2 3.8; volet Transmission de documents CDA-R2 en HL7 v2. */
export const messages: Readonly<Record<string, Readonly<Record<string, Handling>>>> = {
  ADT: {
    A01: identity('add'),
    A04: identity('add'),
    A05: identity('add'),
    A08: identity('revise'),
    A40: {
      transaction: 'ITI-8',
      action: 'feedIdentities',
      handle: ({ tools, request, message }) => merge(tools, request, message),
    },
  },
  ORU: { R01: documents('ORU') },
  MDM: { T02: documents('MDM'), T04: documents('MDM'), T10: documents('MDM') },
};

/** What is known of a message while it is read. */
type Known = { header?: Header; charset?: Charset };

/**
 * Answers a message, whatever it is, by an acknowledgement: AA, AE when its content is at fault, AR when it was not judged. Each message of a
 * known sender leaves one event, or that of what it did; one of an unknown sender goes to the security audit.
 */
export async function answer(face: Hl7Face, bytes: Buffer, arrival: Arrival): Promise<Buffer> {
  const known: Known = {};
  const requestId = face.tools.newId();
  const result = await resultOf(face, bytes, { ...arrival, requestId }, known);
  const facts = { header: known.header, controlId: requestId, at: face.tools.now() };
  const text = writeAcknowledgement(result, facts);
  return known.charset?.encode(text) ?? Buffer.from(text);
}

/** The answer to a message of which only this beginning was read. */
export async function answerTooLarge(
  face: Hl7Face,
  beginning: Buffer,
  arrival: Arrival,
  limit: number,
): Promise<Buffer> {
  const requestId = face.tools.newId();
  const detail = `more than ${limit} bytes`;
  await traceUnidentified(face.tools, { ...arrival, requestId, transaction: 'read' }, 'messageTooLarge').catch(
    () => {},
  );
  const header = headerOf(beginning);
  const result = { problems: [problem('messageTooLarge', { detail })] };
  return Buffer.from(writeAcknowledgement(result, { header, controlId: requestId, at: face.tools.now() }));
}

type Came = Omit<Origin, 'transaction'>;

async function resultOf(face: Hl7Face, bytes: Buffer, came: Came, known: Known) {
  try {
    if (!face.isReady()) throw new Refused([problem('busy')]);
    return { notes: await read(face, bytes, came, known) };
  } catch (error) {
    const problems = problemsOf(error);
    if (problems === undefined) face.log.error({ requestId: came.requestId }, 'a message failed', error);
    else
      face.log.info(
        { requestId: came.requestId, problem: problems[0]?.name, why: problems[0]?.private },
        'message refused',
      );
    return { problems: problems ?? [problem('internal')] };
  }
}

async function read(face: Hl7Face, bytes: Buffer, came: Came, known: Known): Promise<Notes> {
  const { tools } = face;
  const header = headerOf(bytes);
  if (header !== undefined) known.header = header;
  const sender = header && senderOf(face.senders, { ...header, address: came.address ?? '' });
  const handling = header && handlingOf(header);
  const caller = callerOf(face, sender, handling ?? (header && unknown));
  if (caller === undefined) {
    await traceUnidentified(tools, { ...came, transaction: handling?.transaction ?? 'read' }, 'senderUnknown');
    if (header === undefined) readMessage(bytes.toString('latin1'));
    throw new Refused([problem('senderUnknown', {}, 'senderUnknown')]);
  }
  const request: Request = { caller, origin: { ...came, transaction: handling?.transaction ?? 'read' } };
  try {
    const charset = charsetOf(header?.charset ?? '');
    known.charset = charset;
    const message = readMessage(decoded(bytes, charset));
    const sound = readHeader(message);
    known.header = sound;
    const problems = headerProblems(sound, face);
    if (problems.length > 0) throw new Refused(problems);
    if (handling === undefined) throw new Refused([notTaken(sound)]);
    return await handling.handle({ tools, request, message, sender });
  } catch (error) {
    await trace(tools, request, handling?.action ?? 'identify', error);
    throw error;
  }
}

/** Every refusal of a known sender has one event; what the use cases did not see is traced here. */
async function trace(tools: Tools, request: Request, action: Action, error: unknown): Promise<void> {
  const problems = problemsOf(error) ?? [problem('internal')];
  if (error instanceof Refused && isTraced(error)) return;
  // A store that is full or busy cannot take the event of its being so.
  if (error instanceof StoreFull || error instanceof StoreBusy) return;
  await traceFailure(tools, request, action, problems);
}

/** The header by the first line alone, whatever the character set of the rest: delimiters and names are ASCII in all of them. */
function headerOf(bytes: Buffer): Header | undefined {
  const [line = ''] = bytes
    .subarray(0, 4096)
    .toString('latin1')
    .split(/[\r\n]/);
  try {
    return readHeader(readMessage(line));
  } catch {
    return undefined;
  }
}

function handlingOf({ type, event }: Header): Handling | undefined {
  const events = Object.hasOwn(messages, type) ? messages[type] : undefined;
  return events !== undefined && Object.hasOwn(events, event) ? events[event] : undefined;
}

function notTaken({ type, event }: Header): Problem {
  return Object.hasOwn(messages, type)
    ? problem('hl7EventUnsupported', { attribute: 'MSH-9', value: `${type}^${event}` })
    : problem('hl7TypeUnsupported', { attribute: 'MSH-9', value: type });
}

/** Of a message that is not taken: whoever may feed is told so. */
const unknown = { action: 'identify' } as const;

/** A sender acts as a feeder or as its structure; where the domain asks for no credential, anybody may feed. */
function callerOf(
  { tools }: Hl7Face,
  sender: Sender | undefined,
  handling: Pick<Handling, 'action'> | undefined,
): Caller | undefined {
  const deposits = handling?.action === 'submitDocuments';
  if (sender !== undefined) return deposits ? depositorOf(sender, false) : feederOf(sender);
  return tools.settings.domain.credentials === 'none' && handling !== undefined && !deposits ? anybody : undefined;
}

function isDepositor(sender: Sender): sender is Depositor {
  return sender.deposits !== undefined;
}

function problemsOf(error: unknown): readonly Problem[] | undefined {
  if (error instanceof Refused) return error.problems;
  if (error instanceof StoreBusy) return [problem('busy')];
  if (error instanceof StoreFull) return [problem('outOfResources')];
  return undefined;
}
