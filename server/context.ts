import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Identify } from './auth/credentials.ts';
import { type Grants, makeIdentify } from './auth/identify.ts';
import { withoutCredentials } from './auth/open.ts';
import { openBlobs } from './blobs/sealed.ts';
import type { Config } from './config/config.ts';
import { linkKeyOf, masterKeyOf } from './config/keys.ts';
import { makeKeyring } from './crypto/keyring.ts';
import { uuidMaker } from './crypto/uuid.ts';
import { sandboxSources } from './sandbox/on-demand.ts';
import { sandboxActivities, sandboxSystems } from './sandbox/systems.ts';
import { httpSources } from './sources/http.ts';
import { connectEmbedded, openEmbedded, type WayToWriter } from './store/embedded/open.ts';
import { waking } from './store/waking.ts';
import type { Tools } from './usecases/perform.ts';
import { type Log, openLog } from './watch/log.ts';
import { type Metrics, openMetrics } from './watch/metrics.ts';
import { type BackgroundWork, openBackgroundWork } from './work.ts';
import type { TransportLimits } from './xds/limits.ts';

/** Everything long-lived of one web thread; closed in reverse. */
export type Context = {
  readonly config: Config;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tools: Tools;
  readonly identify: Identify;
  /** What an authorisation server takes as proof. */
  readonly proofs: Grants;
  readonly linkKey: KeyObject;
  readonly limits: TransportLimits;
  readonly work: BackgroundWork;
  /** A way by which another thread reaches the writer; the first web thread alone can make one. */
  readonly newWayToWriter: (() => Promise<WayToWriter>) | undefined;
  readonly close: () => Promise<void>;
};

/**
 * Opens what a web thread needs. The first one of the process opens the store with its writer; another one is given a way to that writer.
 * @throws with words for the operator when the data folder is taken or of a newer version
 */
export async function openContext(config: Config, toWriter?: WayToWriter, tellOfWork?: () => void): Promise<Context> {
  const { env } = config;
  const log = openLog(env.DMP_LOG_LEVEL);
  const metrics = openMetrics();
  const first =
    toWriter === undefined
      ? await openEmbedded({ folder: config.data, threads: true, maxWaiting: env.DMP_MAX_WAITING })
      : undefined;
  const opened = first ?? (await connectEmbedded(config.data, toWriter as WayToWriter));
  const now = () => Date.now();
  const blobs = openBlobs({ folder: join(config.data, 'documents'), inlineLimit: env.DMP_INLINE_CONTENT });
  let wake = () => {};
  const tools: Tools = {
    store: waking(opened, () => wake()),
    blobs,
    keyring: makeKeyring(masterKeyOf(config)),
    sources: httpSources([
      ...env.DMP_ON_DEMAND_SOURCES,
      ...(config.sandbox ? sandboxSources(env.DMP_HOST, env.DMP_PORT) : []),
    ]),
    settings: config.settings,
    now,
    newId: uuidMaker(now),
  };
  const credentialed = await makeIdentify(
    {
      authorities: readFileSync(config.trustStore, 'utf8'),
      crls: env.DMP_TRUST_CRL === undefined ? '' : readFileSync(env.DMP_TRUST_CRL, 'utf8'),
      allowSha1: env.DMP_VIHF_SHA1,
      skewSeconds: env.DMP_VIHF_SKEW,
      maxAgeSeconds: env.DMP_VIHF_MAX_AGE,
      audience: env.DMP_PUBLIC_URL,
      systems: [...config.systems, ...(config.sandbox ? sandboxSystems() : [])],
      activities: new Map([
        ...(config.sandbox ? sandboxActivities() : []),
        ...config.activities.map(({ professional, structures }) => [professional, structures] as const),
      ]),
      issuers: config.tokens.issuers,
    },
    now,
  );
  const identify = config.settings.domain.credentials === 'none' ? withoutCredentials(credentialed) : credentialed;
  const work = openBackgroundWork(config, tools, log, tellOfWork);
  wake = work.wake;
  return {
    config,
    log,
    metrics,
    tools,
    identify,
    proofs: credentialed,
    linkKey: linkKeyOf(config),
    limits: {
      rootBytes: env.DMP_MAX_ROOT,
      inlineBytes: env.DMP_MAX_INLINE,
      messageBytes: env.DMP_MAX_MESSAGE,
      spooledBytes: env.DMP_MAX_SPOOLED,
      pause: env.DMP_MAX_PAUSE * 1000,
      slowest: env.DMP_SLOWEST,
      grace: 9_000,
      parts: env.DMP_MAX_PARTS,
      partHeaderBytes: env.DMP_MAX_PART_HEADERS,
      xml: { elements: env.DMP_MAX_ELEMENTS, attributes: env.DMP_MAX_ATTRIBUTES, depth: env.DMP_MAX_DEPTH },
    },
    work,
    newWayToWriter: first && (() => first.newWay()),
    close: async () => {
      await work.stop();
      await opened.close();
      blobs.close();
      metrics.stop();
    },
  };
}
