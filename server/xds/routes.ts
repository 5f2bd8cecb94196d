import { Readable } from 'node:stream';
import Router from '@koa/router';
import type { Context } from 'koa';
import type { Identify } from '../auth/credentials.ts';
import type { Tools } from '../usecases/perform.ts';
import { nameRequest } from '../watch/request-id.ts';
import { describe } from './description.ts';
import { dispatch, type Face, type OwnWay, type Reply } from './dispatch.ts';
import type { XdsTransaction } from './exchange.ts';
import type { TransportLimits } from './limits.ts';
import { RequestBody } from './request-body.ts';

/** Addresses and who answers there: ours, and those that software compatible with the DMP calls. */
const xdsAddresses = {
  '/xds/registry': 'registry',
  '/xds/repository': 'repository',
  '/si-dmp-server/v2/services/registry': 'registry',
  '/si-dmp-server/v2/services/repository': 'repository',
} as const satisfies Record<string, XdsTransaction['receiver']>;

export type XdsOptions = {
  readonly log: Face['log'];
  /** The base of all addresses, without a slash at the end. */
  readonly publicUrl: string;
  readonly limits: TransportLimits;
  /** Absent: all answers go back on the connection of their request. */
  readonly ownWay?: OwnWay;
};

/** The XDS face: SOAP requests by POST, each answered by its transaction or by a fault. */
export function xdsRouter(
  tools: Tools,
  identify: Identify,
  transactions: readonly XdsTransaction[],
  { log, publicUrl, limits, ownWay }: XdsOptions,
): Router {
  const face: Face = { tools, identify, transactions, limits, log, ...(ownWay && { ownWay }) };
  const router = new Router();
  for (const [path, receiver] of Object.entries(xdsAddresses)) {
    router.get(path, (ctx) => describe(ctx, { receiver, address: `${publicUrl}${path}`, transactions }));
    router.post(path, async (ctx) => {
      const requestId = nameRequest(ctx, tools.newId);
      const body = new RequestBody(ctx.req, limits);
      const origin = { requestId, endpoint: `${publicUrl}${path}`, ...addressOf(ctx) };
      const reply = await dispatch(face, { receiver, headers: ctx.req.headers, body, origin });
      await send(ctx, body, reply);
    });
  }
  return router;
}

function addressOf(ctx: Context): { address?: string } {
  const address = ctx.req.socket.remoteAddress?.replace(/^::ffff:/, '');
  return address === undefined ? {} : { address };
}

/** A connection on which part of a request is still under way cannot serve another one: it is closed behind the answer. */
async function send(
  ctx: Context,
  body: RequestBody,
  { status, contentType, length, bytes, headers = {} }: Reply,
): Promise<void> {
  const clean = await body.skip(REST, 1000);
  if (!clean) ctx.set('Connection', 'close');
  ctx.status = status;
  ctx.set('Content-Type', contentType);
  ctx.set({ ...headers });
  if (status === 401) ctx.set('WWW-Authenticate', 'WSSE profile="SAML 2.0"');
  if (clean && Buffer.isBuffer(bytes)) ctx.body = bytes;
  else ctx.body = Readable.from(clean ? bytes : lingering(bytes, body));
  ctx.length = length;
  if (length === 0) ctx.remove('Content-Type');
}

/** Goes on taking what the sender sends for a while: a connection closed under a sender's hands loses the answer. */
async function* lingering(bytes: Reply['bytes'], body: RequestBody): AsyncGenerator<Uint8Array, void, undefined> {
  if (Buffer.isBuffer(bytes)) yield bytes;
  else yield* bytes;
  await body.skip(64 * REST, 5000);
}

const REST = 1024 ** 2;
