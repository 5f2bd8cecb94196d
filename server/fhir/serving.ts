import { Readable } from 'node:stream';
import type { RouterContext } from '@koa/router';
import { type Identify, NotIdentified } from '../auth/credentials.ts';
import type { Action } from '../domain/action.ts';
import { type Problem, problem, Refused, refuse } from '../domain/error.ts';
import type { Origin } from '../domain/event.ts';
import { StoreBusy, StoreFull, StoreStopped } from '../store/port.ts';
import { isTraced, type Request, type Tools, traceFailure, traceUnidentified } from '../usecases/perform.ts';
import type { Log } from '../watch/log.ts';
import { nameRequest } from '../watch/request-id.ts';
import type { Answer } from './exchange.ts';
import { readForm } from './form.ts';
import type { Json } from './json.ts';
import { type Format, formatAccepted, formatNamed, mediaTypes } from './media-type.ts';
import { answerStatus, outcomeOf } from './outcome.ts';
import type { Given } from './search.ts';
import { NoXmlForm, writeXml } from './xml/write.ts';

export type Face = {
  readonly tools: Tools;
  readonly identify: Identify;
  readonly log: Log;
  /** The public address of this face, without trailing slash. */
  readonly base: string;
};

/** Problems that the caller is told; their event is written. */
export class Told extends Error {
  readonly problems: readonly Problem[];
  /** HTTP status, where it is not that of the problems. */
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  constructor(problems: readonly Problem[], status?: number, headers: Readonly<Record<string, string>> = {}) {
    super('told');
    this.problems = problems;
    this.status = status;
    this.headers = headers;
  }
}

/** Gives the answer its request id and turns whatever is thrown into an OperationOutcome. */
export async function answering(
  { tools, log }: Face,
  ctx: RouterContext,
  work: () => Promise<void> | void,
): Promise<void> {
  const requestId = nameRequest(ctx, tools.newId);
  ctx.set('Cache-Control', 'no-store');
  try {
    await work();
  } catch (error) {
    const problems = problemsOf(error);
    ctx.status = (error instanceof Told ? error.status : undefined) ?? answerStatus(problems);
    if (error instanceof Told) ctx.set(error.headers);
    if (ctx.status === 413) ctx.set('Connection', 'close');
    if (ctx.status === 500) log.error({ requestId }, 'a FHIR request failed', error);
    if (ctx.status === 401)
      ctx.set(
        'WWW-Authenticate',
        error instanceof NotIdentified && error.absent ? 'Bearer' : 'Bearer error="invalid_token"',
      );
    if (ctx.status === 403) challenge(ctx, problems);
    if (ctx.status === 503) ctx.set('Retry-After', '2');
    const outcome = JSON.stringify(outcomeOf(problems, requestId));
    const rendering = renderingOfError(ctx);
    ctx.body = rendering === usual ? outcome : rendered(outcome, rendering);
    ctx.set('Content-Type', mediaTypes[rendering.format]);
  }
}

/** Which scopes are missing, for the software that asks for its next token. RFC 6750 §3.1. */
function challenge(ctx: RouterContext, problems: readonly Problem[]): void {
  const missing = problems.find(({ name }) => name === 'insufficientScope')?.about.detail;
  if (missing !== undefined) ctx.set('WWW-Authenticate', `Bearer error="insufficient_scope", scope="${missing}"`);
}

/** What whoever asked is told of an error. */
export function problemsOf(error: unknown): readonly Problem[] {
  if (error instanceof Refused || error instanceof Told) return error.problems;
  if (error instanceof NotIdentified) return [problem('notIdentified')];
  if (error instanceof StoreBusy || error instanceof StoreStopped) return [problem('busy')];
  if (error instanceof StoreFull) return [problem('outOfResources')];
  return [problem('internal')];
}

/** Runs with the caller that the token proves, and traces what fails before a use case did. */
export async function identified(
  { tools, identify, base }: Face,
  ctx: RouterContext,
  transaction: Origin['transaction'],
  action: Action,
  work: (request: Request) => Promise<void>,
): Promise<void> {
  const requestId = ctx.response.get('X-Request-Id');
  const origin: Origin = { transaction, requestId, endpoint: base, ...(ctx.ip !== '' && { address: ctx.ip }) };
  let request: Request;
  try {
    request = { caller: await identify.bearer(ctx.headers.authorization), origin };
  } catch (error) {
    if (error instanceof NotIdentified) await traceUnidentified(tools, origin, error.why);
    throw error;
  }
  try {
    await work(request);
  } catch (error) {
    if (error instanceof Refused && !isTraced(error)) await traceFailure(tools, request, action, error.problems);
    throw error;
  }
}

/** How the resource of an answer is written. */
export type Rendering = { readonly format: Format; readonly pretty: boolean };

const usual: Rendering = { format: 'json', pretty: false };

/** What was negotiated, for errors that come later. */
const renderings = new WeakMap<RouterContext, Rendering>();

/**
 * The form that the caller wants, JSON where it is open: `_format`, which wins, or Accept; and whether `_pretty` is asked. `parameters` are those
 * of a posted form too. FHIR R4 http.html#mime-type, http.html#parameters.
 * @throws Refused notAcceptable
 */
export function negotiate(ctx: RouterContext, parameters: Given = parametersInUrl(ctx)): Rendering {
  const named = parameters.find(([name]) => name === '_format')?.[1];
  const format = named === undefined ? formatAccepted(ctx.headers.accept) : formatNamed(named);
  if (format === undefined) throw new Refused([problem('notAcceptable', { value: named ?? ctx.get('Accept') })]);
  const pretty = parameters.some(([name, value]) => name === '_pretty' && value === 'true');
  const rendering = format === 'json' && !pretty ? usual : { format, pretty };
  if (rendering !== usual) renderings.set(ctx, rendering);
  return rendering;
}

/** The same where nothing is refused for it: JSON where no form can be met. */
function renderingOfError(ctx: RouterContext): Rendering {
  try {
    return renderings.get(ctx) ?? negotiate(ctx);
  } catch {
    return usual;
  }
}

function parametersInUrl(ctx: RouterContext): Given {
  return ctx.querystring === '' ? [] : [...new URLSearchParams(ctx.querystring)];
}

/** The parameters of the address, and those of a posted form. */
export async function parametersOf(ctx: RouterContext): Promise<Given> {
  const inUrl = parametersInUrl(ctx);
  return ctx.method === 'POST' && ctx.path.endsWith('/_search') ? [...inUrl, ...(await readForm(ctx.req))] : inUrl;
}

/** Sends an answer. @throws Told when it is a refusal; Refused notAcceptable when it has no XML form */
export async function send(ctx: RouterContext, answer: Answer, rendering: Rendering = usual): Promise<void> {
  if ('refused' in answer) throw new Told(answer.refused, answer.status, answer.headers);
  const { body, status = 200, mediaType, size, headers = {} } = answer;
  const isRendered = rendering !== usual && mediaType === undefined && typeof body !== 'function' && body.length > 0;
  const bytes = isRendered
    ? rendered(body.toString(), rendering)
    : typeof body !== 'function'
      ? body
      : ctx.method === 'HEAD'
        ? Buffer.alloc(0)
        : await body();
  ctx.set(headers);
  ctx.status = status;
  ctx.body = typeof bytes === 'string' ? bytes : ArrayBuffer.isView(bytes) ? bufferOf(bytes) : Readable.from(bytes);
  ctx.set('Content-Type', mediaType ?? mediaTypes[rendering.format]);
  if (size !== undefined) ctx.length = size;
}

/** A resource in the form that is wanted. */
function rendered(json: string, { format, pretty }: Rendering): string {
  // Our own resources, written as JSON.
  const resource = JSON.parse(json) as Json;
  try {
    return format === 'xml' ? writeXml(resource, pretty) : `${JSON.stringify(resource, undefined, 2)}\n`;
  } catch (error) {
    if (error instanceof NoXmlForm) refuse('notAcceptable', { value: mediaTypes.xml, detail: error.message });
    throw error;
  }
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
