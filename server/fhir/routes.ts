import type { KeyObject } from 'node:crypto';
import { Readable } from 'node:stream';
import Router, { type RouterContext } from '@koa/router';
import { type Identify, NotIdentified } from '../auth/credentials.ts';
import type { Action } from '../domain/action.ts';
import { type Problem, problem, Refused } from '../domain/error.ts';
import type { Origin } from '../domain/event.ts';
import { StoreBusy, StoreFull, StoreStopped } from '../store/port.ts';
import { isTraced, type Request, type Tools, traceFailure, traceUnidentified } from '../usecases/perform.ts';
import type { Log } from '../watch/log.ts';
import { capabilityStatement } from './capability.ts';
import { documentWriter } from './document-writer.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { readForm } from './form.ts';
import { documentInteractions } from './iti67.ts';
import { binaryInteractions } from './iti68.ts';
import { eventInteractions } from './iti81.ts';
import { answerStatus, outcomeOf } from './outcome.ts';
import { patientInteractions } from './patient.ts';
import type { Given } from './search.ts';
import { fhirJson, jsonTypes } from './vocabulary.ts';

export type FhirSettings = {
  readonly log: Log;
  /** The public address of the server, without trailing slash: the base of every link. */
  readonly publicUrl: string;
  /** Signs page links. */
  readonly linkKey: KeyObject;
};

const interactions: readonly Interaction[] = [
  ...documentInteractions,
  ...binaryInteractions,
  ...patientInteractions,
  ...eventInteractions,
];

/** What is served at which address; for the documentation. */
export const routeTable: readonly Pick<Interaction, 'method' | 'path' | 'transaction' | 'what'>[] = [
  { method: 'GET', path: '/metadata', transaction: 'read', what: 'CapabilityStatement; no token needed' },
  ...interactions,
];

/** How many documents' texts one web thread keeps. */
const keptTexts = 2000;

/**
 * The FHIR face, below `/fhir`. Every answer carries X-Request-Id; every error is an OperationOutcome. Who asks is known before what is asked
 * is looked at; each request of a known caller leaves exactly one event.
 */
export function fhirRouter(tools: Tools, identify: Identify, settings: FhirSettings): Router {
  const base = `${settings.publicUrl}/fhir`;
  const writeDocument = documentWriter(base, keptTexts);
  const capability = JSON.stringify(capabilityStatement(interactions, base, tools.now()));
  const router = new Router();
  const face: Face = { tools, identify, settings, base };

  router.get('/fhir/metadata', (ctx) =>
    answering(face, ctx, () => {
      negotiate(ctx);
      return send(ctx, { body: capability });
    }),
  );
  for (const interaction of interactions) {
    const { method, path, transaction, action, told } = interaction;
    router[method === 'GET' ? 'get' : 'post'](`/fhir${path}`, (ctx) =>
      answering(face, ctx, () =>
        identified(face, ctx, transaction, action, async (request) => {
          const exchange: Exchange = {
            tools,
            request,
            base,
            linkKey: settings.linkKey,
            writeDocument,
            id: ctx.params['id'] ?? '',
            parameters: await parametersOf(ctx),
            strict: /\bhandling=strict\b/.test(ctx.get('Prefer')),
            preferred: (types) => preferredOf(ctx.accepts(...types)),
          };
          if (interaction.ownMediaTypes !== true) negotiate(ctx);
          try {
            return await send(ctx, await interaction.handle(exchange));
          } catch (error) {
            if (told === undefined || !(error instanceof Refused)) throw error;
            if (!isTraced(error)) await traceFailure(tools, request, action, error.problems);
            throw new Told(told(error.problems, exchange));
          }
        }),
      ),
    );
  }
  router.all('/fhir{/*rest}', (ctx) =>
    answering(face, ctx, () =>
      identified(face, ctx, 'read', 'identify', () => Promise.reject(new Refused([notServed(ctx)]))),
    ),
  );
  return router;
}

type Face = {
  readonly tools: Tools;
  readonly identify: Identify;
  readonly settings: FhirSettings;
  readonly base: string;
};

/** Problems that the caller is told; their event is written. */
class Told extends Error {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super('told');
    this.problems = problems;
  }
}

/** Gives the answer its request id and turns whatever is thrown into an OperationOutcome. */
async function answering(
  { tools, settings }: Face,
  ctx: RouterContext,
  work: () => Promise<void> | void,
): Promise<void> {
  const asked = ctx.get('X-Request-Id');
  const requestId = /^[\x21-\x7e]{1,128}$/.test(asked) ? asked : tools.newId();
  ctx.set('X-Request-Id', requestId);
  ctx.set('Cache-Control', 'no-store');
  try {
    await work();
  } catch (error) {
    const problems = problemsOf(error);
    ctx.status = answerStatus(problems);
    if (ctx.status === 500) settings.log.error({ requestId }, 'a FHIR request failed', error);
    if (ctx.status === 401)
      ctx.set(
        'WWW-Authenticate',
        error instanceof NotIdentified && error.absent ? 'Bearer' : 'Bearer error="invalid_token"',
      );
    if (ctx.status === 405) ctx.set('Allow', allowedAt(ctx.path).join(', '));
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
async function identified(
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

function preferredOf(type: string | boolean | readonly string[]): string | undefined {
  return typeof type === 'string' ? type : undefined;
}

/** JSON is what is spoken here. `_format` wins over Accept. FHIR R4 http.html#mime-type. */
function negotiate(ctx: RouterContext): void {
  const format = new URLSearchParams(ctx.querystring).get('_format');
  const wanted = format === null ? ctx.accepts(...jsonTypes) !== false : isJson(format);
  if (!wanted) throw new Refused([problem('notAcceptable', { value: format ?? ctx.get('Accept') })]);
}

async function parametersOf(ctx: RouterContext): Promise<Given> {
  const inUrl = [...new URLSearchParams(ctx.querystring)];
  return ctx.method === 'POST' ? [...inUrl, ...(await readForm(ctx.req))] : inUrl;
}

async function send(ctx: RouterContext, answer: Answer): Promise<void> {
  if ('refused' in answer) throw new Told(answer.refused);
  const { body, mediaType = `${fhirJson}; charset=utf-8`, size, headers = {} } = answer;
  const bytes = typeof body === 'string' ? body : ctx.method === 'HEAD' ? Buffer.alloc(0) : await body();
  ctx.set(headers);
  ctx.status = 200;
  ctx.body = typeof bytes === 'string' ? bytes : ArrayBuffer.isView(bytes) ? bufferOf(bytes) : Readable.from(bytes);
  ctx.set('Content-Type', mediaType);
  if (size !== undefined) ctx.length = size;
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** A type that is not served, or an interaction that is not served on one that is. */
function notServed(ctx: RouterContext): Problem {
  const [type = ''] = ctx.path.split('/').slice(2);
  const isServed = interactions.some(({ resource }) => resource === type) || type === 'metadata' || type === '';
  return isServed
    ? problem('interactionUnsupported', { value: `${ctx.method} ${ctx.path}` })
    : problem('resourceTypeUnknown', { value: type });
}

/** The methods of an address. RFC 9110 §15.5.6. */
function allowedAt(path: string): string[] {
  const parts = path.split('/').slice(2);
  const methods = routeTable
    .filter((route) => matches(route.path.split('/').slice(1), parts))
    .map(({ method }) => method);
  return [...new Set(methods)].flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
}

function matches(pattern: readonly string[], parts: readonly string[]): boolean {
  return pattern.length === parts.length && pattern.every((part, i) => part.startsWith(':') || part === parts[i]);
}
