import { createServer, type Server } from 'node:http';
import { makeApp, type Process } from './app.ts';
import type { Config } from './config/config.ts';
import { type Context, openContext } from './context.ts';
import { seed } from './sandbox/seed.ts';
import { openThreads } from './threads.ts';

export type RunningServer = {
  /** The address that clients use. */
  readonly address: string;
  /** Fills the sandbox; nothing is done where it is full already. */
  readonly seed: (progress: (line: string) => void) => Promise<void>;
  readonly nowReady: () => void;
  /** Stops accepting, finishes what runs (10 s at most), flushes and closes. */
  readonly stop: () => Promise<void>;
};

/** Opens the store and the port of one process. @throws with words for the operator when the port or the data folder is taken */
export async function startServer(config: Config): Promise<RunningServer> {
  const context = await openContext(config);
  let ready = false;
  const threads = openThreads(config, context);
  const server = await listen(context, { ready: () => ready, metrics: async () => await threads.snapshots() });
  const { port } = server.address() as { port: number };
  threads.watch(port);
  context.log.info({ port, mode: config.env.DMP_MODE }, 'listening');
  const stopSweeping = sweepEveryHour(context);
  return {
    address: `http://${config.env.DMP_HOST}:${port}`,
    seed: async (progress) => await seed(context.tools, progress),
    nowReady: () => {
      ready = true;
    },
    async stop() {
      ready = false;
      stopSweeping();
      await Promise.all([threads.stop(), closeServer(server)]);
      await context.close();
    },
  };
}

/** Listens on the port that all web threads share; the kernel spreads connections over them. */
export async function listen(context: Context, process: Process, port = context.config.env.DMP_PORT): Promise<Server> {
  const app = makeApp(context, process);
  const { env } = context.config;
  const server = createServer(
    {
      requestTimeout: env.DMP_REQUEST_TIMEOUT * 1000,
      headersTimeout: 10_000,
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: 5_000,
      maxHeaderSize: 16_384,
    },
    (request, response) => void app(request, response),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: env.DMP_HOST, port, reusePort: env.DMP_WEB_THREADS > 1 }, resolve);
  });
  return server;
}

/** Closes when every running request has been answered, or after 10 s. */
export async function closeServer(server: Server): Promise<void> {
  const cut = setTimeout(() => server.closeAllConnections(), 10_000);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearTimeout(cut);
}

const hour = 3_600_000;

function sweepEveryHour({ tools, log }: Context): () => void {
  const sweep = () => {
    tools.blobs.sweep(tools.now() - hour, tools.store.facts.isNamed).then(
      (swept) => {
        if (swept > 0) log.info({ swept }, 'half-written documents swept');
      },
      (error: unknown) => log.error({}, 'sweeping failed', error),
    );
  };
  sweep();
  const timer = setInterval(sweep, hour).unref();
  return () => clearInterval(timer);
}

