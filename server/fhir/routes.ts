import type { KeyObject } from 'node:crypto';
import Router, { type RouterContext } from '@koa/router';
import type { Identify } from '../auth/credentials.ts';
import { type Problem, Refused } from '../domain/error.ts';
import { isTraced, type Tools, traceFailure } from '../usecases/perform.ts';
import { makeUploads } from '../usecases/staging.ts';
import type { Log } from '../watch/log.ts';
import { inAskedForm } from './asked-form.ts';
import { batchInteractions } from './batch.ts';
import { stagingInteractions } from './binary.ts';
import { readBody } from './body.ts';
import { readBytes } from './bytes.ts';
import { capabilityStatement, type OAuthAddresses } from './capability.ts';
import { directoryInteractions } from './directory.ts';
import { documentHistoryInteractions } from './document-history.ts';
import { documentUpdateInteractions } from './document-update.ts';
import { documentWriter } from './document-writer.ts';
import type { Exchange, Filing, Interaction, Subscribing } from './exchange.ts';
import { incoming } from './incoming.ts';
import { askWithin } from './inner.ts';
import { auditFeedInteractions } from './iti20.ts';
import { provideInteractions } from './iti65.ts';
import { listInteractions } from './iti66.ts';
import { documentInteractions } from './iti67.ts';
import { binaryInteractions } from './iti68.ts';
import { demographicsInteractions } from './iti78.ts';
import { eventInteractions } from './iti81.ts';
import { crossReferenceInteractions } from './iti83.ts';
import { messageInteractions } from './iti93.ts';
import { feedInteractions } from './iti104.ts';
import { publishInteractions } from './iti105.ts';
import { generateInteractions } from './iti106.ts';
import { consentInteractions } from './iti108.ts';
import { matchInteractions } from './iti119.ts';
import type { FhirLimits } from './limits.ts';
import { preferredType } from './media-type.ts';
import { answerStatus } from './outcome.ts';
import { patientInteractions } from './patient.ts';
import { preference } from './preference.ts';
import { matches, notServed } from './route-match.ts';
import { scopesOf, withinScope } from './scope.ts';
import { answering, type Face, identified, negotiate, parametersOf, send, Told } from './serving.ts';
import { subscriptionInteractions } from './subscription.ts';
import { topicInteractions } from './subscription-topic.ts';
import { validateInteractions } from './validate-operation.ts';

export type FhirSettings = {
  readonly log: Log;
  /** The public address of the server, without trailing slash: the base of every link. */
  readonly publicUrl: string;
  /** Signs page links. */
  readonly linkKey: KeyObject;
  readonly filing: Filing;
  readonly subscribing: Subscribing;
  readonly limits: FhirLimits;
  /** Where apps get tokens, where that is known. */
  readonly oauth?: OAuthAddresses;
};

const served: readonly Interaction[] = [
  ...provideInteractions,
  ...publishInteractions,
  ...generateInteractions,
  ...documentInteractions,
  ...documentHistoryInteractions,
  ...documentUpdateInteractions,
  ...binaryInteractions,
  ...stagingInteractions,
  ...listInteractions,
  ...demographicsInteractions,
  ...matchInteractions,
  ...crossReferenceInteractions,
  ...feedInteractions,
  ...messageInteractions,
  ...patientInteractions,
  ...directoryInteractions,
  ...eventInteractions,
  ...auditFeedInteractions,
  ...consentInteractions,
  ...subscriptionInteractions,
  ...topicInteractions,
];

const interactions: readonly Interaction[] = withBatch(
  [...served, ...validateInteractions(served)].map(inAskedForm).map(withinScope),
);

/** The service root takes batches too: each of their entries is within its own scope. */
function withBatch(all: readonly Interaction[]): readonly Interaction[] {
  const batches = all.filter(({ interaction }) => interaction === 'transaction').flatMap(batchInteractions);
  return [...batches, ...all];
}

/** Every scope that opens something here. */
export const scopes: readonly string[] = scopesOf(interactions);

const verbs = { GET: 'get', POST: 'post', PUT: 'put', PATCH: 'patch', DELETE: 'delete' } as const;

/** What is served at which address; for the documentation. */
export const routeTable: readonly Pick<Interaction, 'method' | 'path' | 'transaction' | 'what'>[] = [
  { method: 'GET', path: '/metadata', transaction: 'read', what: 'CapabilityStatement; no token needed' },
  ...interactions,
];

/**
 * The FHIR face, below `/fhir`. Every answer carries X-Request-Id; every error is an OperationOutcome. Who asks is known before what is asked
 * is looked at; each request of a known caller leaves exactly one event.
 */
export function fhirRouter(tools: Tools, identify: Identify, settings: FhirSettings): Router {
  const base = `${settings.publicUrl}/fhir`;
  const writeDocument = documentWriter(base);
  const { oauth } = settings;
  const takesMinimal = tools.settings.domain.credentials === 'none';
  const { limits } = settings;
  const capability = JSON.stringify(
    capabilityStatement(interactions, base, tools.now(), { oauth, takesMinimal, limits }),
  );
  const router = new Router({ sensitive: true });
  const uploads = makeUploads();
  const face: Face = { tools, identify, log: settings.log, base };
  const failed = (error: unknown) => settings.log.error({}, 'a request within a batch failed', error);

  router.get('/fhir/metadata', (ctx) => answering(face, ctx, () => send(ctx, { body: capability }, negotiate(ctx))));
  for (const interaction of interactions) {
    const { method, path, transaction, action, told } = interaction;
    router[verbs[method]](`/fhir${path}`, (ctx) =>
      answering(face, ctx, () =>
        identified(face, ctx, transaction, action, async (request) => {
          const exchange: Exchange = {
            tools,
            request,
            base,
            linkKey: settings.linkKey,
            writeDocument,
            filing: settings.filing,
            subscribing: settings.subscribing,
            limits,
            uploads,
            method: ctx.method,
            id: ctx.params['id'] ?? '',
            version: ctx.params['version'] ?? '',
            header: (name) => ctx.get(name),
            body: (longest, what) => readBytes(ctx.req, longest, what),
            stream: (longest) => incoming(ctx.req, longest),
            json: (alone) => readBody(ctx.req, limits, alone),
            parameters: await parametersOf(ctx),
            strict: preference(ctx.get('Prefer'), 'handling') === 'strict',
            preferred: (types) => preferredType(ctx.headers.accept, types),
            inner: (asked, most) => askWithin(interactions, exchange, asked, { most, failed }),
          };
          const rendering = interaction.ownMediaTypes === true ? undefined : negotiate(ctx, exchange.parameters);
          try {
            return await send(ctx, await interaction.handle(exchange), rendering);
          } catch (error) {
            if (error instanceof Refused && answerStatus(error.problems) === 405) allow(ctx);
            if (told === undefined || !(error instanceof Refused)) throw error;
            if (!isTraced(error)) await traceFailure(tools, request, action, error.problems);
            throw new Told(told(error.problems, exchange));
          }
        }),
      ),
    );
  }
  router.options('/fhir{/*rest}', (ctx) =>
    answering(face, ctx, () => {
      if (allowedAt(ctx.path).length === 0) throw new Refused([notServedAt(ctx)]);
      allow(ctx);
      ctx.status = 204;
    }),
  );
  router.all('/fhir{/*rest}', (ctx) =>
    answering(face, ctx, () =>
      identified(face, ctx, 'read', 'identify', () => {
        const refused = notServedAt(ctx);
        if (refused.name === 'interactionUnsupported') allow(ctx);
        throw new Refused([refused]);
      }),
    ),
  );
  return router;
}

function notServedAt({ method, path }: RouterContext): Problem {
  return notServed(interactions, method, path, path.split('/')[2] ?? '');
}

function allow(ctx: RouterContext): void {
  ctx.set('Allow', allowedAt(ctx.path).join(', '));
}

/** The methods of an address, none where nothing is served. RFC 9110 §9.3.7, §15.5.6. */
function allowedAt(path: string): string[] {
  const parts = path.split('/').slice(2);
  const methods = routeTable
    .filter((route) => matches(route.path.split('/').slice(1), parts))
    .map(({ method }) => method);
  return [...new Set(methods)].flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
}
