import { randomBytes } from 'node:crypto';
import Router, { type RouterContext } from '@koa/router';
import type { Origin, Transaction } from '../domain/event.ts';
import { StoreBusy, StoreFull, StoreStopped } from '../store/port.ts';
import { type Tools, traceUnidentified } from '../usecases/perform.ts';
import type { Log } from '../watch/log.ts';
import { nameRequest } from '../watch/request-id.ts';
import { type Authority, endpoints, lifetimes, type Office } from './authority.ts';
import type { Turn } from './authorize.ts';
import { described, NoWayBack, OAuthError } from './error.ts';
import { type IssuerMetadata, ownCapabilities, ownMetadata, resourceMetadata, smartConfiguration } from './metadata.ts';
import { parametersOf, readForm } from './parameters.ts';

export type OAuthSettings = {
  readonly log: Log;
  /** The public address of the server, without trailing slash. */
  readonly publicUrl: string;
  /** Scopes that open something on the FHIR face. */
  readonly scopes: readonly string[];
  /** What issuers that are not ours say of themselves. */
  readonly issuers: readonly IssuerMetadata[];
  /** Our own authorisation server, where it serves. */
  readonly own?: Authority;
};

/** The issuer that apps are sent to: our own, or the first that says where its tokens are made. */
export function issuerOfApps({ issuers, own }: Pick<OAuthSettings, 'issuers' | 'own'>): IssuerMetadata | undefined {
  return own === undefined ? issuers.find((one) => one['token_endpoint'] !== undefined) : ownMetadata(own);
}

/** The OAuth face: metadata, which need no token, and where it serves, our own authorisation server below `/auth`. */
export function oauthRouter(tools: Tools, settings: OAuthSettings): Router {
  const router = new Router();
  serveMetadata(router, settings);
  if (settings.own !== undefined) serveAuthority(router, { ...settings.own, tools, log: settings.log });
  return router;
}

/** RFC 8414 §3, RFC 9728 §3, SMART App Launch 2.2; each where clients look for it. */
function serveMetadata(router: Router, settings: OAuthSettings): void {
  const issuer = issuerOfApps(settings);
  const base = `${settings.publicUrl}/fhir`;
  const names = [...(settings.own ? [settings.own.issuer] : []), ...settings.issuers.map((one) => one.issuer)];
  const smart = issuer && smartConfiguration(issuer, settings.own === undefined ? [] : ownCapabilities);
  const serve = (document: object | undefined, paths: readonly string[]) => {
    if (document === undefined) return;
    const body = JSON.stringify(document);
    for (const path of paths)
      router.get(path, (ctx) => {
        ctx.set('Cache-Control', 'public, max-age=300');
        ctx.type = 'application/json';
        ctx.body = body;
      });
  };
  const name = '.well-known/oauth-authorization-server';
  serve(issuer, [`/${name}`, `/${name}/auth`, `/${name}/fhir`, `/auth/${name}`, `/fhir/${name}`]);
  const resource = '/.well-known/oauth-protected-resource';
  serve(resourceMetadata(base, names, settings.scopes), [resource, `${resource}/fhir`]);
  serve(smart, ['/fhir/.well-known/smart-configuration']);
  if (settings.own !== undefined) serve(settings.own.jwks, [`/auth${endpoints.jwks}`]);
}

/** What makes tokens is loaded with the first request: at rest a server does without it. */
function serveAuthority(router: Router, office: Office): void {
  router.get(`/auth${endpoints.authorize}`, (ctx) =>
    turning(ctx, office, async () => {
      const { authorize } = await import('./authorize.ts');
      return authorize(office, parametersOf(ctx.querystring), browserOf(ctx, office));
    }),
  );
  router.post(`/auth${endpoints.signIn}`, (ctx) =>
    turning(ctx, office, async () => {
      const { signIn } = await import('./authorize.ts');
      return signIn(office, await readForm(ctx.req), browserOf(ctx, office));
    }),
  );
  router.post(`/auth${endpoints.token}`, (ctx) =>
    answering(ctx, office, 'ITI-71', async (origin) => {
      const { makeToken } = await import('./token.ts');
      return makeToken(office, origin, ctx.headers.authorization, await readForm(ctx.req));
    }),
  );
  router.post(`/auth${endpoints.introspect}`, (ctx) =>
    answering(ctx, office, 'ITI-102', async () => {
      const { introspect } = await import('./introspect.ts');
      return introspect(office, ctx.headers.authorization, await readForm(ctx.req));
    }),
  );
}

/** Answers JSON that nobody keeps; every refusal is logged and in the security audit, without what was sent. RFC 6749 §5. */
async function answering(
  ctx: RouterContext,
  { tools, log, issuer }: Office,
  transaction: Transaction,
  work: (origin: Origin) => Promise<object>,
): Promise<void> {
  const requestId = nameRequest(ctx, tools.newId);
  const origin: Origin = { transaction, requestId, endpoint: issuer, ...(ctx.ip !== '' && { address: ctx.ip }) };
  ctx.set({ 'Cache-Control': 'no-store', Pragma: 'no-cache' });
  try {
    ctx.body = await work(origin);
  } catch (thrown) {
    const error = await traced(thrown, tools, log, origin);
    ctx.status = error.status;
    if (error.status === 401) ctx.set('WWW-Authenticate', 'Basic realm="OpenDMP", charset="UTF-8"');
    if (error.status === 413) ctx.set('Connection', 'close');
    if (error.status === 503) ctx.set('Retry-After', '2');
    ctx.body = { error: error.code, error_description: described(error.message) };
  }
}

async function traced(thrown: unknown, tools: Tools, log: Log, origin: Origin): Promise<OAuthError> {
  const { requestId } = origin;
  const error = errorOf(thrown);
  if (error.status >= 500) {
    if (error.status === 500) log.error({ requestId }, 'a request for a token failed', thrown);
    return error;
  }
  log.warn({ requestId, error: error.code }, 'a request for a token was refused');
  try {
    await traceUnidentified(tools, origin, `${error.code}: ${error.why}`);
    return error;
  } catch (failed) {
    return errorOf(failed);
  }
}

function errorOf(thrown: unknown): OAuthError {
  if (thrown instanceof OAuthError) return thrown;
  if (thrown instanceof StoreBusy || thrown instanceof StoreStopped || thrown instanceof StoreFull)
    return new OAuthError('temporarily_unavailable', 'The server is busy: try again in some seconds.', { status: 503 });
  return new OAuthError('server_error', 'The server failed: the request id names it in its log.', { status: 500 });
}

/** Answers with pages: no script, no frame, no referrer; the form may lead back to the app that asked. */
async function turning(ctx: RouterContext, { tools, log }: Office, work: () => Promise<Turn>): Promise<void> {
  const requestId = nameRequest(ctx, tools.newId);
  const { refusalPage, styleSource } = await import('./page.ts');
  ctx.set({
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
  });
  const show = (page: string, status: number, formAction: string) => {
    ctx.set(
      'Content-Security-Policy',
      `default-src 'none'; style-src ${styleSource}; form-action ${formAction}; frame-ancestors 'none'; base-uri 'none'`,
    );
    ctx.status = status;
    ctx.type = 'text/html; charset=utf-8';
    ctx.body = page;
  };
  try {
    const turn = await work();
    if ('redirect' in turn) {
      ctx.status = 303;
      ctx.set('Location', turn.redirect);
      return;
    }
    // Browsers hold form-action against where the answer to the form leads, too.
    show(turn.page, turn.status ?? 200, `'self' ${sourceOf(turn.redirectUri)}`);
  } catch (error) {
    if (error instanceof NoWayBack) return show(refusalPage(error.message, error.remedy), 400, "'none'");
    if (error instanceof OAuthError)
      return show(
        refusalPage('La demande de connexion est mal formée.', `${error.message} (${error.code})`),
        error.status,
        "'none'",
      );
    log.error({ requestId }, 'a sign-in failed', error);
    show(refusalPage('Le serveur a échoué.', `Réessayez ; demande ${requestId}.`), 500, "'none'");
  }
}

/** Where a redirect address lies, as a source of a Content-Security-Policy. */
function sourceOf(redirectUri: string): string {
  const { protocol, origin } = new URL(redirectUri);
  return origin === 'null' ? protocol : origin;
}

const cookie = 'opendmp-sign-in';

/** What tells one browser from another while somebody signs in; nothing is remembered by it. */
function browserOf(ctx: RouterContext, { issuer }: Office): string {
  const known = ctx.cookies.get(cookie) ?? '';
  if (/^[A-Za-z0-9_-]{43}$/.test(known)) return known;
  const made = randomBytes(32).toString('base64url');
  const secure = issuer.startsWith('https:') ? '; Secure' : '';
  ctx.append(
    'Set-Cookie',
    `${cookie}=${made}; Path=/auth; Max-Age=${lifetimes.signIn}; HttpOnly; SameSite=Lax${secure}`,
  );
  return made;
}
