import { STATUS_CODES } from 'node:http';
import { type Problem, problem, Refused } from '../domain/error.ts';
import { traceFailure } from '../usecases/perform.ts';
import type { Answer, Exchange, InnerAnswer, InnerRequest, Interaction } from './exchange.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import { answerStatus, outcomeOf } from './outcome.ts';
import { unknownAround } from './read/around.ts';

/**
 * A Bundle posted to the service root: a batch, or the transaction that is served there. What cannot be told apart yet is traced as the latter.
 * FHIR R4 http.html#transaction.
 */
export function batchInteractions(transaction: Interaction): readonly Interaction[] {
  return [
    {
      ...transaction,
      interaction: 'batch',
      what: 'Several requests in one, each by itself',
      handle: async (exchange) => {
        const sent = await exchange.json();
        return isObject(sent) && sent['type'] === 'batch'
          ? batch(exchange, sent)
          : transaction.handle({ ...exchange, json: async () => sent });
      },
    },
  ];
}

/**
 * Does what each entry asks, one after the other, each by itself: one that is refused keeps no other back. The answer has an entry for each;
 * once it is full, nothing more is done.
 * FHIR R4 http.html#batch.
 * @throws Refused elementUnknown, elementMissing, tooManyEntries
 */
async function batch(exchange: Exchange, bundle: JsonObject): Promise<Answer> {
  const { inner, limits } = exchange;
  const { entry } = bundle;
  const unknown = unknownAround(bundle, 'Bundle', 'entry');
  if (unknown.length > 0) throw new Refused(unknown);
  const entries = Array.isArray(entry) ? (entry as readonly Json[]) : [];
  if (entries.length === 0) throw new Refused([problem('elementMissing', { expression: 'Bundle.entry' })]);
  if (entries.length > limits.entries)
    throw new Refused([problem('tooManyEntries', { value: String(entries.length), detail: String(limits.entries) })]);
  const answers: string[] = [];
  let room = limits.batchBytes;
  for (const [i, one] of entries.entries()) {
    const asked = room > 0 ? askedIn(one, `Bundle.entry[${i}]`) : [full(i, limits.batchBytes)];
    const written = entryOf(isAsked(asked) ? await inner(asked, room) : await refused(exchange, asked));
    room -= Buffer.byteLength(written);
    answers.push(written);
  }
  return { body: `{"resourceType":"Bundle","type":"batch-response","entry":[${answers.join(',')}]}` };
}

function full(entry: number, most: number): Problem {
  return problem('batchAnswerFull', { expression: `Bundle.entry[${entry}]`, detail: `${most} bytes at most` });
}

/** Conditions of a request by the headers that they stand for. FHIR R4 bundle-definitions.html#Bundle.entry.request. */
const conditions: Readonly<Record<string, string>> = {
  ifNoneMatch: 'if-none-match',
  ifModifiedSince: 'if-modified-since',
  ifMatch: 'if-match',
  ifNoneExist: 'if-none-exist',
};

function askedIn(entry: Json, place: string): InnerRequest | readonly Problem[] {
  const { request, resource } = isObject(entry) ? entry : {};
  const { method, url, ...others } = isObject(request ?? null) ? (request as JsonObject) : {};
  const wrong = (element: string, value: Json | undefined) =>
    typeof value === 'string' && value !== ''
      ? []
      : [
          problem(value === undefined ? 'elementMissing' : 'elementMalformed', {
            expression: `${place}.request.${element}`,
          }),
        ];
  const given = Object.entries(others).filter(([name]) => Object.hasOwn(conditions, name));
  const problems = [
    ...wrong('method', method),
    ...wrong('url', url),
    ...given.flatMap(([name, value]) => wrong(name, value)),
    ...(resource === undefined || isObject(resource)
      ? []
      : [problem('elementMalformed', { expression: `${place}.resource`, detail: 'a resource is expected' })]),
  ];
  if (problems.length > 0 || typeof method !== 'string' || typeof url !== 'string') return problems;
  return {
    method,
    url,
    place,
    conditions: new Map(given.map(([name, value]) => [conditions[name] ?? '', typeof value === 'string' ? value : ''])),
    ...(resource !== undefined && { resource }),
  };
}

function isAsked(asked: InnerRequest | readonly Problem[]): asked is InnerRequest {
  return 'method' in asked;
}

async function refused({ tools, request }: Exchange, problems: readonly Problem[]): Promise<InnerAnswer> {
  const origin = { ...request.origin, transaction: 'read' as const };
  await traceFailure(tools, { ...request, origin }, 'identify', problems);
  const outcome = JSON.stringify(outcomeOf(problems, origin.requestId));
  return { status: answerStatus(problems), headers: {}, outcome };
}

/** The entry that answers, around the JSON that was answered. */
function entryOf({ status, headers, resource, outcome }: InnerAnswer): string {
  const { Location: location, ETag: etag, 'Last-Modified': modified } = headers;
  const response = JSON.stringify({
    status: `${status} ${STATUS_CODES[status] ?? ''}`.trim(),
    ...(location !== undefined && { location }),
    ...(etag !== undefined && { etag }),
    ...(modified !== undefined && { lastModified: new Date(modified).toISOString() }),
  });
  const told = outcome === undefined ? response : `${response.slice(0, -1)},"outcome":${outcome}}`;
  return resource === undefined ? `{"response":${told}}` : `{"resource":${resource},"response":${told}}`;
}
