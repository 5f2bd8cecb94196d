import type { IncomingMessage, ServerResponse } from 'node:http';
import Router from '@koa/router';
import Koa from 'koa';
import type { Context } from './context.ts';
import { fhirRouter } from './fhir/routes.ts';
import { oauthRouter } from './oauth/routes.ts';
import { pour } from './pour.ts';
import { onDemandRouter } from './sandbox/on-demand.ts';
import { StoreBusy } from './store/port.ts';
import { fhirAddressesOf, oauthSettingsOf } from './token-issuers.ts';
import { exposition } from './watch/metrics.ts';
import { nameRequest } from './watch/request-id.ts';
import { xdsRouter } from './xds/routes.ts';
import { xdsTransactions } from './xds/transactions.ts';

/** What the process knows and one thread's application has to ask. */
export type Process = {
  /** True once requests will be served: in the sandbox only after seeding. */
  readonly ready: () => boolean;
  /** Metrics of every web thread. */
  readonly metrics: () => Promise<readonly (readonly unknown[])[]>;
};

/**
 * The HTTP application of one web thread: both faces, health and metrics. Every answer names its request.
 * @param isClosing whether this thread accepts no more connections: then every answer is the last on its own
 */
export function makeApp(
  context: Context,
  process: Process,
  isClosing: () => boolean,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const app = new Koa();
  const { env } = context.config;
  const guards = guardsOf(env.DMP_PUBLIC_URL);
  const failed = (error: unknown) => context.log.error({}, 'a request failed outside its face', error);
  app.use(async (ctx, next) => {
    const begun = performance.now();
    for (const [name, value] of guards) ctx.res.setHeader(name, value);
    nameRequest(ctx, context.tools.newId);
    try {
      await next();
    } catch (error) {
      failed(error);
      ctx.status = 500;
      ctx.body = 'Internal Server Error';
    }
    if (isClosing()) ctx.set('Connection', 'close');
    await pour(ctx);
    const route: unknown = ctx['_matchedRoute'];
    context.metrics.request(typeof route === 'string' ? route : 'none', ctx.status, (performance.now() - begun) / 1000);
  });
  const own = new Router();
  own.get('/health/live', (ctx) => {
    ctx.body = 'alive\n';
  });
  own.get('/health/ready', async (ctx) => {
    const ready = process.ready() && (await isWriting(context));
    ctx.status = ready ? 200 : 503;
    ctx.body = ready ? 'ready\n' : 'not ready\n';
  });
  own.get('/metrics', async (ctx) => {
    ctx.type = 'text/plain; version=0.0.4; charset=utf-8';
    ctx.body = await exposition(await process.metrics());
  });
  const xds = xdsRouter(context.tools, context.identify, xdsTransactions, {
    log: context.log,
    publicUrl: env.DMP_PUBLIC_URL,
    limits: context.limits,
    ownWay: context.work.ownWay,
  });
  const oauthSettings = oauthSettingsOf(context);
  const oauth = oauthRouter(context.tools, oauthSettings);
  const addresses = fhirAddressesOf(oauthSettings);
  const fhir = fhirRouter(context.tools, context.identify, {
    log: context.log,
    publicUrl: env.DMP_PUBLIC_URL,
    linkKey: context.linkKey,
    ...(addresses && { oauth: addresses }),
    limits: {
      entries: env.DMP_MAX_BUNDLE_ENTRIES,
      textBytes: env.DMP_MAX_BUNDLE_TEXT,
      attachmentBytes: env.DMP_MAX_BUNDLE_ATTACHMENTS,
      binaryBytes: env.DMP_MAX_BINARY,
      stagedBytes: env.DMP_MAX_STAGED,
      batchBytes: env.DMP_MAX_BATCH_ANSWER,
    },
    subscribing: context.work.subscribing,
    filing: {
      sourceId: env.DMP_PUBLISH_SOURCE ?? env.DMP_REPOSITORY_ID,
      contentType: env.DMP_PUBLISH_CONTENT_TYPE,
    },
  });
  const sandbox = context.config.sandbox ? [onDemandRouter(context.tools.now)] : [];
  for (const router of [own, xds, oauth, fhir, ...sandbox]) app.use(router.routes()).use(router.allowedMethods());
  app.on('error', failed);
  return app.callback();
}

/** What tells a browser, whatever the answer holds, to take it for nothing else and to run and frame nothing of it; pages say more of their own. */
function guardsOf(publicUrl: string): readonly (readonly [name: string, value: string])[] {
  return [
    ['X-Content-Type-Options', 'nosniff'],
    ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'; sandbox"],
    ...(publicUrl.startsWith('https:') ? [['Strict-Transport-Security', 'max-age=31536000'] as const] : []),
  ];
}

/** Whether the store's writer still takes changes; no request is served without its event. */
async function isWriting({ tools: { store } }: Context): Promise<boolean> {
  try {
    await store.write.note([]);
    return true;
  } catch (error) {
    return error instanceof StoreBusy;
  }
}
