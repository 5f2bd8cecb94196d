import type { IncomingHttpHeaders } from 'node:http';
import { type Identify, NotIdentified, type ReadEnvelope } from '../auth/credentials.ts';
import { type Problem, problem, Refused, refuse } from '../domain/error.ts';
import type { Origin } from '../domain/event.ts';
import { type Request, type Tools, traceUnidentified } from '../usecases/perform.ts';
import type { Log } from '../watch/log.ts';
import type { XmlElement } from '../xml/element.ts';
import { parseXmlInTurns } from '../xml/read.ts';
import { actionOf, messageIdOf, type OwnAddress, ownAddressOf } from './addressing.ts';
import { type Packaged, packMtom, packPlain, piecesOf } from './answer.ts';
import { contentCodingOf, gunzipped } from './content-coding.ts';
import { hasDocuments, receiveDocuments } from './documents.ts';
import { errorCodeOf } from './errors.ts';
import type { Answer, Exchange, Written, XdsTransaction } from './exchange.ts';
import { writeFault } from './fault.ts';
import { withHeaderWhole } from './header-parts.ts';
import { checkRootSize, packageLimits, type TransportLimits, xmlLimits } from './limits.ts';
import { type Attachments, openMessage, packagingOf } from './mtom.ts';
import { accountFor, problemsOf } from './refusals.ts';
import type { RequestBody } from './request-body.ts';
import { checkUnderstood, type EnvelopeHead, envelopeAround, shown, takeApart } from './soap.ts';

/** What the XDS face works with. */
export type Face = {
  readonly tools: Tools;
  readonly identify: Identify;
  readonly transactions: readonly XdsTransaction[];
  readonly limits: TransportLimits;
  readonly log: Pick<Log, 'info' | 'error'>;
  readonly ownWay?: OwnWay;
};

/** How answers go that do not go back on the connection of their request. */
export type OwnWay = {
  readonly isAllowed: (address: string) => boolean;
  /** Whether another answer may wait. */
  readonly hasRoom: () => Promise<boolean>;
  /** Takes an answer for delivery; it would survive a power cut when this resolves. */
  readonly add: (answer: Packaged & { readonly to: string }) => Promise<void>;
};

/** An HTTP request, its body not read yet. */
export type Post = {
  readonly receiver: XdsTransaction['receiver'];
  readonly headers: IncomingHttpHeaders;
  readonly body: RequestBody;
  readonly origin: Omit<Origin, 'transaction'>;
};

export type Reply = { readonly status: number; readonly headers?: Readonly<Record<string, string>> } & Packaged;

/** How to answer, as far as it is known while a request is read. */
type Known = {
  packaging: 'mtom' | 'soap';
  relatesTo?: string | undefined;
  transaction?: XdsTransaction;
  own?: OwnAddress | undefined;
};

/**
 * Answers a request, whatever it is: by its transaction, or by a fault. A message is read up to the end of its XML, then judged as SOAP,
 * then its action, then its caller; only then is the rest of it read. Every refusal of a known caller leaves one event.
 * An answer goes its own way when its request names another address than the anonymous one and its caller is known: a message of nobody
 * never makes the server open a connection.
 */
export async function dispatch(face: Face, post: Post): Promise<Reply> {
  const known: Known = { packaging: 'soap' };
  try {
    const reply = await read(face, post, known);
    return known.own === undefined ? reply : await sendOff(face, known.own.replies.address, reply);
  } catch (error) {
    const { told, absent } = await tell(face, post, known, error);
    const { requestId } = post.origin;
    if (told.name !== 'internal')
      face.log.info({ requestId, problem: told.name, why: told.private }, 'message refused');
    const reply = faultReply(face, known, told, absent);
    const own = known.own?.faults;
    if (own === undefined) return reply;
    return sendOff(face, own.address, reply).catch((failure: unknown) => {
      face.log.error({ requestId }, 'an answer could not be kept', failure);
      known.own = undefined;
      return faultReply(face, known, problem('outOfResources'), false);
    });
  }
}

function faultReply(face: Face, known: Known, told: Problem, absent: boolean): Reply {
  const { status, envelope, action } = writeFault(told, headOf(face, known, 'faults'), absent);
  // Tells a coding that is not served from a media type that is not. RFC 9110 §12.5.3.
  const headers = told.name === 'contentCodingUnsupported' ? { 'Accept-Encoding': 'gzip' } : undefined;
  return { status, ...(headers && { headers }), ...pack(face, known, action, envelope) };
}

/** Accepted: the answer follows. WS-Addressing 1.0 SOAP Binding; SOAP 1.2 Part 2 §7.5.1.2. */
async function sendOff(
  { ownWay }: Face,
  to: string,
  { status: _status, headers: _headers, ...reply }: Reply,
): Promise<Reply> {
  await ownWay?.add({ ...reply, to });
  return { status: 202, contentType: '', length: 0, bytes: nothing };
}

const nothing = Buffer.alloc(0);

async function read(face: Face, post: Post, known: Known): Promise<Reply> {
  const { tools, limits } = face;
  const packaging = packagingOf(post.headers);
  if (packaging.boundary !== undefined) known.packaging = 'mtom';
  const coding = contentCodingOf(post.headers);
  post.body.checkPromised();
  const pull = coding === 'gzip' ? gunzipped(post.body.pull, limits.messageBytes) : post.body.pull;
  const { source, attachments } = await openMessage(packaging, pull, tools.blobs, packageLimits(limits));
  try {
    const root = await parseXmlInTurns(source, xmlLimits(limits));
    known.relatesTo = messageIdOf(root);
    const { blocks, body } = takeApart(root);
    checkRootSize(source, body, limits.rootBytes);
    checkUnderstood(blocks);
    const action = actionOf(blocks);
    const own = ownAddressOf(blocks, source, (address) => face.ownWay?.isAllowed(address) ?? false);
    known.transaction = transactionOf(face, post, action);
    known.packaging = known.transaction.packaging;
    if (own !== undefined && known.transaction.synchronous === true)
      refuse('addressingInvalid', {
        attribute: 'wsa:ReplyTo or wsa:FaultTo',
        detail: `${known.transaction.name} is answered on its own connection alone`,
      });
    const envelope = await withHeaderWhole({ source, root }, attachments, xmlLimits(limits));
    return await exchange(face, post, {
      known,
      transaction: known.transaction,
      envelope,
      body: envelope.root === root ? body : takeApart(envelope.root).body,
      attachments,
      own,
    });
  } finally {
    await attachments.discard();
  }
}

type Message = {
  readonly known: Known;
  readonly transaction: XdsTransaction;
  readonly envelope: ReadEnvelope;
  readonly body: XmlElement;
  readonly attachments: Attachments;
  readonly own: OwnAddress | undefined;
};

async function exchange(face: Face, post: Post, message: Message): Promise<Reply> {
  const { known, transaction, envelope } = message;
  const caller = await face.identify.assertion(envelope);
  const request: Request = { caller, origin: { ...post.origin, transaction: transaction.name } };
  try {
    if (message.own !== undefined && (await face.ownWay?.hasRoom()) !== true) refuse('busy');
    known.own = message.own;
    return answered(face, known, transaction, await handle(face, request, message));
  } catch (error) {
    const problems = await accountFor(face.tools, request, transaction, error);
    const fault = problems.find(({ name }) => errorCodeOf(name, transaction.receiver) === undefined);
    if (fault !== undefined) throw new Refused([fault]);
    return answered(face, known, transaction, transaction.refused(problems, { tools: face.tools, body: message.body }));
  }
}

async function handle(
  face: Face,
  request: Request,
  { transaction, envelope, body, attachments }: Message,
): Promise<Answer> {
  const { namespace: uri, local } = transaction.requestRoot;
  if (body.local !== local || body.namespace !== uri)
    refuse('bodyUnexpected', { value: shown(body), detail: `{${uri}}${local}` });
  const { tools, limits } = face;
  let received: ReturnType<Exchange['documents']> | undefined;
  const documents = () => (received ??= receiveDocuments(body, attachments, tools.blobs, limits.inlineBytes));
  // Where no document is announced nobody asks for one, and the message may still be broken further on.
  if (!hasDocuments(body)) await documents();
  return transaction.handle({ tools, request, envelope, body, documents });
}

/** What a fault says about an error; what is unexpected is logged and told as `internal`. */
async function tell(face: Face, post: Post, known: Known, error: unknown): Promise<{ told: Problem; absent: boolean }> {
  const { requestId } = post.origin;
  if (error instanceof NotIdentified) {
    try {
      const origin: Origin = { ...post.origin, transaction: known.transaction?.name ?? 'read' };
      await traceUnidentified(face.tools, origin, error.why);
      return { told: problem('notIdentified', {}, error.why), absent: error.absent };
    } catch (failure) {
      return tell(face, post, known, failure);
    }
  }
  const told = problemsOf(error)?.[0];
  if (told === undefined) face.log.error({ requestId }, 'a request failed', error);
  return { told: told ?? problem('internal'), absent: false };
}

function transactionOf(face: Face, { receiver }: Post, action: string): XdsTransaction {
  const found = face.transactions.find((known) => known.requestAction === action && known.receiver === receiver);
  return found ?? refuse('actionUnknown', { value: action });
}

function answered(face: Face, known: Known, transaction: XdsTransaction, { body, parts = [] }: Answer): Reply {
  const action = transaction.responseAction;
  const [before, after] = envelopeAround({ ...headOf(face, known, 'replies'), action });
  return { status: 200, ...pack(face, known, action, [before, ...piecesOf(body), after], parts) };
}

function pack(
  { tools }: Face,
  { packaging }: Known,
  action: string,
  envelope: Written,
  parts: Answer['parts'] = [],
): Packaged {
  return packaging === 'soap' ? packPlain(action, envelope) : packMtom(action, envelope, parts, tools.newId());
}

function headOf({ tools }: Face, { relatesTo, own }: Known, kind: keyof OwnAddress): Omit<EnvelopeHead, 'action'> {
  return { messageId: `urn:uuid:${tools.newId()}`, relatesTo, to: own?.[kind].blocks ?? '' };
}
