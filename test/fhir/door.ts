import { createSecretKey, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OperationOutcome } from 'fhir/r4.js';
import { exportJWK, generateKeyPair } from 'jose';
import Koa from 'koa';
import { makeBearerIdentifier, openTokenVerifier } from '../../server/auth/bearer.ts';
import type { Subscribing } from '../../server/fhir/exchange.ts';
import type { FhirLimits } from '../../server/fhir/limits.ts';
import { fhirRouter } from '../../server/fhir/routes.ts';
import { personOf } from '../../server/sandbox/people.ts';
import { sandboxSystems } from '../../server/sandbox/systems.ts';
import { signToken, type TokenOptions } from '../../server/sandbox/token.ts';
import { openWorld, type WorldOptions } from '../support/world.ts';

export const issuer = 'https://issuer.example.org';

export type HttpAnswer<T = OperationOutcome> = {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  /** The body as the resource that the test says it is, and asserts. */
  readonly json: T;
};

export type TokenChanges = Partial<Pick<TokenOptions, 'mode' | 'reason' | 'audience' | 'issuer' | 'lifetime'>> & {
  /** Slug of the patient that the token names. */
  readonly patient?: string;
};

type Changes = TokenChanges & { readonly headers?: Record<string, string> };

/** A server with the FHIR face over the seeded sandbox in memory, and tokens of its people. */
export async function openDoor(
  options: WorldOptions & { readonly limits?: Partial<FhirLimits>; readonly subscribing?: Partial<Subscribing> } = {},
) {
  const world = await openWorld(options);
  const folder = await mkdtemp(join(tmpdir(), 'opendmp-fhir-'));
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const jwks = join(folder, 'jwks.json');
  writeFileSync(jwks, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k1' }] }));
  const key = { ...(await exportJWK(privateKey)), kid: 'k1' };

  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const publicUrl = `http://127.0.0.1:${port}`;
  const base = `${publicUrl}/fhir`;
  const faults: unknown[] = [];
  const log = {
    info: () => {},
    warn: () => {},
    error: (_: unknown, __: string, cause?: unknown) => void faults.push(cause),
  };
  const issuers = [{ kind: 'own' as const, issuer, audience: base, jwks }];
  const tokens = openTokenVerifier({ issuers, skewSeconds: 5, systems: sandboxSystems() });
  const bearer = makeBearerIdentifier(tokens, world.tools.now);
  const assertion = () => Promise.reject(new Error('no assertion is sent here'));
  const app = new Koa();
  app.on('error', (error: unknown) => void faults.push(error));
  const filing = { sourceId: '1.2.250.1.999.9', contentType: '07^Consultations, soins externes^1.2.250.1.213.2.2' };
  const linkKey = createSecretKey(Buffer.alloc(32, 3));
  const MiB = 2 ** 20;
  const usual = { entries: 1000, textBytes: 8 * MiB, attachmentBytes: 64 * MiB, binaryBytes: 2048 * MiB };
  const limits = { ...usual, stagedBytes: 8192 * MiB, batchBytes: 32 * MiB, ...options.limits };
  const nothing = { isAllowed: () => false, socketUrl: `ws://127.0.0.1:${port}/fhir/ws`, queued: () => {} };
  const subscribing = { ...nothing, ...options.subscribing };
  const settings = { log, publicUrl, linkKey, limits, filing, subscribing };
  app.use(fhirRouter(world.tools, { assertion, bearer }, settings).routes());
  const callback = app.callback();
  server.on('request', (request, response) => void callback(request, response));

  const token = async (slug: string, { patient, ...changes }: TokenChanges = {}) => {
    const person = personOf(slug);
    if (person === undefined) throw new Error(`nobody is called ${slug}`);
    const ins = patient === undefined ? undefined : world.ins(patient);
    return signToken(key, person, {
      mode: 'normal',
      issuer,
      audience: base,
      issuedAt: world.tools.now(),
      lifetime: 300,
      id: randomUUID(),
      ...(ins && { patient: `${ins.value}^^^&${ins.oid}&ISO^NH` }),
      ...changes,
    });
  };
  const ask = async <T = OperationOutcome>(path: string, init: RequestInit = {}): Promise<HttpAnswer<T>> => {
    const response = await fetch(path.startsWith('http') ? path : `${base}/${path}`, init);
    const bytes = Buffer.from(await response.arrayBuffer());
    const isJson = response.headers.get('content-type')?.includes('json') === true && bytes.length > 0;
    const json = (isJson ? JSON.parse(bytes.toString()) : {}) as T;
    return { status: response.status, headers: response.headers, bytes, json };
  };
  return {
    world,
    base,
    faults,
    token,
    ask,
    /** A GET by one of the sandbox's people. */
    get: async <T = OperationOutcome>(slug: string, path: string, changes: Changes = {}): Promise<HttpAnswer<T>> => {
      const { headers, ...claims } = changes;
      return ask<T>(path, { headers: { ...headers, Authorization: `Bearer ${await token(slug, claims)}` } });
    },
    /** The parameter that names a patient. */
    of: (slug: string) => {
      const { oid, value } = world.ins(slug);
      return `urn:oid:${oid}|${value}`;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}
export type Door = Awaited<ReturnType<typeof openDoor>>;
