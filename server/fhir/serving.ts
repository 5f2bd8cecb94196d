import { Readable } from 'node:stream';
import type { RouterContext } from '@koa/router';
import { type Identify, NotIdentified } from '../auth/credentials.ts';
import type { Action } from '../domain/action.ts';
import { type Problem, problem, Refused } from '../domain/error.ts';
import type { Origin } from '../domain/event.ts';
import { StoreBusy, StoreFull, StoreStopped } from '../store/port.ts';
import { isTraced, type Request, type Tools, traceFailure, traceUnidentified } from '../usecases/perform.ts';
import type { Log } from '../watch/log.ts';
import { nameRequest } from '../watch/request-id.ts';
import type { Answer } from './exchange.ts';
import { readForm } from './form.ts';
import { answerStatus, outcomeOf } from './outcome.ts';
import type { Given } from './search.ts';
import { fhirJson, jsonTypes } from './vocabulary.ts';

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
  constructor(problems: readonly Problem[], status?: number) {
    super('told');
    this.problems = problems;
    this.status = status;
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
    if (ctx.status === 413) ctx.set('Connection', 'close');
    if (ctx.status === 500) log.error({ requestId }, 'a FHIR request failed', error);
    if (ctx.status === 401)
      ctx.set(
        'WWW-Authenticate',
        error instanceof NotIdentified && error.absent ? 'Bearer' : 'Bearer error="invalid_token"',
      );
    if (ctx.status === 503) ctx.set('Retry-After', '2');
    ctx.type = `${fhirJson}; charset=utf-8`;
    ctx.body = JSON.stringify(outcomeOf(problems, requestId));
  }
}

function problemsOf(error: unknown): readonly Problem[] {
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

function isJson(format: string): boolean {
  return ['json', ...jsonTypes].includes(format.split(';')[0]?.trim() ?? '');
}

/** What `ctx.accepts` chose. */
export function preferredOf(type: string | boolean | readonly string[]): string | undefined {
  return typeof type === 'string' ? type : undefined;
}

/** JSON is what is spoken here. `_format` wins over Accept. FHIR R4 http.html#mime-type. */
export function negotiate(ctx: RouterContext): void {
  const format = new URLSearchParams(ctx.querystring).get('_format');
  const wanted = format === null ? ctx.accepts(...jsonTypes) !== false : isJson(format);
  if (!wanted) throw new Refused([problem('notAcceptable', { value: format ?? ctx.get('Accept') })]);
}

/** The parameters of the address, and those of a posted form. */
export async function parametersOf(ctx: RouterContext): Promise<Given> {
  const inUrl = [...new URLSearchParams(ctx.querystring)];
  return ctx.method === 'POST' && ctx.path.endsWith('/_search') ? [...inUrl, ...(await readForm(ctx.req))] : inUrl;
}

/** Sends an answer. @throws Told when it is a refusal */
export async function send(ctx: RouterContext, answer: Answer): Promise<void> {
  if ('refused' in answer) throw new Told(answer.refused, answer.status);
  const { body, status = 200, mediaType = `${fhirJson}; charset=utf-8`, size, headers = {} } = answer;
  const bytes = typeof body !== 'function' ? body : ctx.method === 'HEAD' ? Buffer.alloc(0) : await body();
  ctx.set(headers);
  ctx.status = status;
  ctx.body = typeof bytes === 'string' ? bytes : ArrayBuffer.isView(bytes) ? bufferOf(bytes) : Readable.from(bytes);
  ctx.set('Content-Type', mediaType);
  if (size !== undefined) ctx.length = size;
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
