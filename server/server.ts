import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Process } from './app.ts';
import type { Config } from './config/config.ts';
import { type Context, openContext } from './context.ts';
import type { MllpServer } from './hl7/server.ts';
import { canShare, openListener } from './listener.ts';
import { seed } from './sandbox/seed.ts';
import { sandboxSenders } from './sandbox/senders.ts';
import { isSocketRequest, openSockets, type Sockets } from './sockets.ts';
import { openThreads } from './threads.ts';

export type RunningServer = {
  /** The address that clients use. */
  readonly address: string;
  /** Fills the sandbox; nothing is done where it is full already. */
  readonly seed: (progress: (line: string) => void) => Promise<void>;
  /** From now on the server says that it is ready, and further web threads start under load. */
  readonly nowReady: () => void;
  /** Stops accepting, finishes what runs (10 s at most), flushes and closes. */
  readonly stop: () => Promise<void>;
};

/** Opens the store and the port of one process. @throws with words for the operator when the port or the data folder is taken */
export async function startServer(config: Config): Promise<RunningServer> {
  const { env } = config;
  const shared = env.DMP_WEB_THREADS > 1 && (await canShare(env.DMP_HOST, env.DMP_PORT));
  // The writer's thread starts while this one loads the application.
  const [context] = await Promise.all([openContext(config), import('./app.ts')]);
  let ready = false;
  const threads = openThreads(config, context);
  const server = await listen(
    context,
    { ready: () => ready, metrics: () => threads.snapshots() },
    env.DMP_PORT,
    shared,
  );
  let begun = 0;
  server.on('request', () => {
    begun++;
  });
  const { port } = server.address() as AddressInfo;
  context.log.info({ port, mode: env.DMP_MODE }, 'listening');
  const mllp = await openMllp(context, () => ready);
  const stopSweeping = sweepEveryHour(context);
  return {
    address: `http://${env.DMP_HOST}:${port}`,
    seed: (progress) => seed(context.tools, progress),
    nowReady: () => {
      ready = true;
      if (shared) threads.watch(port, () => begun);
    },
    async stop() {
      ready = false;
      stopSweeping();
      await Promise.all([threads.stop(), closeServer(server), mllp?.close()]);
      await context.close();
    },
  };
}

/** Listens for HL7 version 2 where that is asked for. In production, messages for training and debugging are none. */
async function openMllp(
  { config, tools, log, limits }: Context,
  isReady: () => boolean,
): Promise<MllpServer | undefined> {
  const { env, sandbox } = config;
  if (env.DMP_MLLP_PORT === undefined) return undefined;
  const { listenMllp } = await import('./hl7/server.ts');
  const senders = [...config.senders, ...(sandbox ? sandboxSenders() : [])];
  const face = { tools, senders, processing: sandbox ? ['P', 'T', 'D'] : ['P'], log, isReady };
  const server = await listenMllp(face, {
    host: env.DMP_MLLP_HOST ?? env.DMP_HOST,
    port: env.DMP_MLLP_PORT,
    limits: {
      messageBytes: env.DMP_MLLP_MAX_MESSAGE,
      totalBytes: env.DMP_MLLP_MAX_WAITING,
      connections: env.DMP_MLLP_CONNECTIONS,
      idle: env.DMP_MLLP_IDLE * 1000,
      pause: limits.pause,
      slowest: limits.slowest,
    },
  });
  log.info({ port: server.port }, 'listening for HL7 version 2');
  return server;
}

/** The websockets of each server. */
const sockets = new WeakMap<Server, Sockets>();

/** Serves the application of one web thread. @param shared whether other threads listen on the port too */
export async function listen(context: Context, process: Process, port: number, shared = false): Promise<Server> {
  const { env } = context.config;
  const { makeApp } = await import('./app.ts');
  const app = makeApp(context, process, () => !server.listening);
  const server = await openListener((request, response) => void app(request, response), {
    host: env.DMP_HOST,
    port,
    shared,
    requestTimeoutSeconds: env.DMP_REQUEST_TIMEOUT,
    newId: context.tools.newId,
    mayUpgrade: isSocketRequest,
  });
  sockets.set(server, openSockets(server, context));
  return server;
}

/** Accepts nothing more and waits for what runs; what takes too long is cut, so that all is over within 10 s. */
export async function closeServer(server: Server): Promise<void> {
  await sockets.get(server)?.close();
  const cut = setTimeout(() => server.closeAllConnections(), 9_000);
  // A connection whose answer had begun before it could say that it is the last stays open behind it.
  const idle = setInterval(() => server.closeIdleConnections(), 100);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearTimeout(cut);
  clearInterval(idle);
}

const hour = 3_600_000;

/** Unlinks what neither a document nor bytes that wait for theirs name. */
async function sweepDocuments({ store: { facts, staging }, blobs, now }: Context['tools'], olderThan: number) {
  await staging.expire(now());
  return blobs.sweep(olderThan, async (file) => (await facts.isNamed(file)) || staging.isNamed(file));
}

function sweepEveryHour({ tools, work, log }: Context): () => void {
  const sweep = () => {
    const olderThan = tools.now() - hour;
    Promise.all([sweepDocuments(tools, olderThan), work.sweep(olderThan)]).then(
      ([swept, answers]) => {
        if (swept + answers > 0) log.info({ swept, answers }, 'files that nothing names are swept');
      },
      (error: unknown) => log.error({}, 'sweeping failed', error),
    );
  };
  sweep();
  const timer = setInterval(sweep, hour).unref();
  return () => clearInterval(timer);
}
