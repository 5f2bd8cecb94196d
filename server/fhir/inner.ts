import { problem, Refused } from '../domain/error.ts';
import { isTraced, traceFailure } from '../usecases/perform.ts';
import { withoutSpace } from './base64.ts';
import { tooLargeAlone } from './body.ts';
import type { Answer, Exchange, InnerAnswer, InnerRequest, Interaction } from './exchange.ts';
import { isObject, isSaidToBe, type Json } from './json.ts';
import { longestAlone } from './limits.ts';
import { preferredType } from './media-type.ts';
import { answerStatus, outcomeOf } from './outcome.ts';
import { matchOf, notServed } from './route-match.ts';
import { problemsOf } from './serving.ts';
import { fhirJson } from './vocabulary.ts';

/**
 * Does what one interaction does, as if it had been asked alone: with its own scope, decision and event, and its own refusal. Only what ends the
 * outer request too is thrown.
 * @param most bytes of a resource that is answered
 */
export async function askWithin(
  interactions: readonly Interaction[],
  outer: Exchange,
  asked: InnerRequest,
  { most, failed }: { readonly most: number; readonly failed: (error: unknown) => void },
): Promise<InnerAnswer> {
  // FHIR R4 http.html#head: like GET, without the resource.
  const method = asked.method === 'HEAD' ? 'GET' : asked.method;
  const found = matchOf(interactions, method, asked.url, outer.base);
  const { interaction, ids, parameters } = found ?? {};
  if (interaction === undefined) {
    const relative = asked.url.startsWith(`${outer.base}/`) ? asked.url.slice(outer.base.length + 1) : asked.url;
    const type = /^[\w$-]+(?![^/?])/.exec(relative)?.[0] ?? '';
    const unsupported = [notServed(interactions, asked.method, asked.url, type)];
    const origin = { ...outer.request.origin, transaction: 'read' as const };
    await traceFailure(outer.tools, { ...outer.request, origin }, 'identify', unsupported);
    return refusedWith(outer, unsupported);
  }
  const { transaction, action, told } = interaction;
  const request = { ...outer.request, origin: { ...outer.request.origin, transaction } };
  const exchange: Exchange = {
    ...outer,
    ...ids,
    request,
    method: asked.method,
    parameters: parameters ?? [],
    ...bodyOf(asked),
    preferred: (types) => preferredType(fhirJson, types),
  };
  try {
    const answer = await interaction.handle(exchange);
    return 'refused' in answer
      ? refusedWith(outer, answer.refused, answer.status, answer.headers)
      : await whole(asked.method === 'HEAD' ? { ...answer, body: '' } : answer, outer, most, method === 'GET');
  } catch (error) {
    if (!(error instanceof Refused)) {
      const problems = problemsOf(error);
      if (answerStatus(problems) === 500) failed(error);
      return refusedWith(outer, problems);
    }
    if (!isTraced(error)) await traceFailure(outer.tools, request, action, error.problems);
    return refusedWith(outer, told === undefined ? error.problems : told(error.problems, exchange));
  }
}

/** What the interaction reads: a Binary of another media type than FHIR's stands for its bytes, as a patch does. FHIR R4 http.html#patch. */
function bodyOf({
  resource,
  conditions,
  method,
  place,
}: InnerRequest): Pick<Exchange, 'header' | 'body' | 'stream' | 'json'> {
  const raw = method === 'PATCH' && isObject(resource ?? null) ? rawIn(resource) : undefined;
  const bytes = raw?.bytes ?? Buffer.from(resource === undefined ? '' : JSON.stringify(resource));
  const headers = new Map([...conditions, ['content-type', raw?.type ?? fhirJson]]);
  return {
    header: (name) => headers.get(name.toLowerCase()) ?? '',
    body: async (longest, what) => {
      if (bytes.length > longest)
        throw new Refused([problem('messageTooLarge', { detail: `${what} may have ${longest} bytes` })]);
      return bytes;
    },
    async *stream() {
      yield bytes;
    },
    json: async (alone) => {
      if (alone !== undefined && bytes.length > longestAlone[alone]) tooLargeAlone(alone);
      if (resource === undefined) throw new Refused([problem('elementMissing', { expression: `${place}.resource` })]);
      return resource;
    },
  };
}

function rawIn(resource: Json | undefined): { readonly type: string; readonly bytes: Buffer } | undefined {
  if (!isSaidToBe('Binary', resource)) return undefined;
  const { contentType, data } = resource;
  if (typeof contentType !== 'string' || typeof data !== 'string') return undefined;
  return { type: contentType, bytes: Buffer.from(withoutSpace(data), 'base64') };
}

function refusedWith(
  { request }: Exchange,
  problems: Parameters<typeof answerStatus>[0],
  status = answerStatus(problems),
  headers: Readonly<Record<string, string>> = {},
): InnerAnswer {
  return { status, headers, outcome: JSON.stringify(outcomeOf(problems, request.origin.requestId)) };
}

/** The answer with its body, as far as there is room for it: what was changed is told without. */
async function whole(
  { body, status = 200, headers = {} }: Exclude<Answer, { refused: unknown }>,
  outer: Exchange,
  most: number,
  isRead: boolean,
): Promise<InnerAnswer> {
  const opened = typeof body === 'function' ? await body() : body;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of typeof opened === 'string' || ArrayBuffer.isView(opened) ? [opened] : opened) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > most && !isRead) return { status, headers };
    if (size > most) return refusedWith(outer, [problem('batchAnswerFull', { detail: `${most} bytes are left` })]);
    chunks.push(bytes);
  }
  const resource = Buffer.concat(chunks).toString();
  return { status, headers, ...(resource !== '' && { resource }) };
}
