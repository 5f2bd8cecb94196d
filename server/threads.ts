import { performance } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import type { Config } from './config/config.ts';
import type { Context } from './context.ts';

/** What the first web thread asks of another, and the answers. */
export type ToThread =
  | { readonly ask: 'metrics'; readonly id: number }
  | { readonly ask: 'stop' }
  /** Something changed that somebody waits for. */
  | { readonly tell: 'changed' };
export type FromThread =
  | { readonly tell: 'metrics'; readonly id: number; readonly snapshot: readonly unknown[] }
  | { readonly tell: 'listening' }
  | { readonly tell: 'queued' }
  | { readonly ask: 'metrics'; readonly id: number };

export type Threads = {
  /** Starts the other web threads at the first sign of load, twice in a row: a start's end is none. `begun` counts the requests so far. */
  readonly watch: (port: number, begun: () => number) => void;
  /** Metrics of all web threads. */
  readonly snapshots: () => Promise<readonly (readonly unknown[])[]>;
  readonly stop: () => Promise<void>;
};

/** What is seen of a web thread in one look at it. */
export type Look = {
  /** Share of the time that its event loop was busy. */
  readonly busy: number;
  /** Requests that began. */
  readonly begun: number;
  /** Milliseconds by which the look itself came late. */
  readonly late: number;
};

/** Milliseconds between two looks. */
const lookEvery = 250;

/**
 * Whether another thread would help: this one is busy with many requests, or so long with one that others wait. Large documents that pass
 * make a thread busy too, but piece by piece: whoever comes between two pieces is served.
 */
export function isLoad({ busy, begun, late }: Look): boolean {
  return busy > 0.5 && (begun >= 8 || late >= 50);
}

/** The further web threads of the process: none at rest, up to the setting under load. */
export function openThreads(config: Config, context: Context): Threads {
  const workers = new Set<Worker>();
  const waiting = new Map<number, (snapshot: readonly unknown[]) => void>();
  let asked = 0;
  let timer: NodeJS.Timeout | undefined;

  const forget = context.work.onChange(() => {
    for (const worker of workers) worker.postMessage({ tell: 'changed' } satisfies ToThread);
  });

  const snapshots = async () => {
    const others = [...workers].map(
      (worker) =>
        new Promise<readonly unknown[]>((resolve) => {
          const id = ++asked;
          const give = setTimeout(() => answer(id, []), 1000);
          waiting.set(id, (snapshot) => {
            clearTimeout(give);
            resolve(snapshot);
          });
          worker.postMessage({ ask: 'metrics', id } satisfies ToThread);
        }),
    );
    return Promise.all([context.metrics.snapshot(), ...others]);
  };

  const answer = (id: number, snapshot: readonly unknown[]) => {
    waiting.get(id)?.(snapshot);
    waiting.delete(id);
  };

  const start = async (port: number) => {
    const toWriter = await context.newWayToWriter?.();
    if (toWriter === undefined) return;
    const worker = new Worker(new URL('./web-thread.ts', import.meta.url), {
      workerData: { config, port, toWriter },
      transferList: [toWriter.port],
    });
    workers.add(worker);
    worker.on('message', (message: FromThread) => {
      if ('tell' in message && message.tell === 'metrics') answer(message.id, message.snapshot);
      if ('tell' in message && message.tell === 'queued') context.work.wake();
      if ('ask' in message)
        void snapshots().then((all) => worker.postMessage({ tell: 'metrics', id: message.id, all }));
      if ('tell' in message && message.tell === 'listening')
        context.log.info({ threads: workers.size + 1 }, 'a further web thread serves');
    });
    worker.on('error', (error) => context.log.error({}, 'a web thread failed', error));
    worker.on('exit', () => workers.delete(worker));
  };

  return {
    watch(port, begun) {
      if (config.env.DMP_WEB_THREADS < 2) return;
      let before = { use: performance.eventLoopUtilization(), begun: begun(), at: performance.now() };
      let signs = 0;
      timer = setInterval(() => {
        const now = { use: performance.eventLoopUtilization(), begun: begun(), at: performance.now() };
        const look = {
          busy: performance.eventLoopUtilization(now.use, before.use).utilization,
          begun: now.begun - before.begun,
          late: now.at - before.at - lookEvery,
        };
        before = now;
        signs = isLoad(look) ? signs + 1 : 0;
        if (signs < 2) return;
        clearInterval(timer);
        for (let n = 1; n < config.env.DMP_WEB_THREADS; n++)
          start(port).catch((error: unknown) => context.log.error({}, 'a web thread did not start', error));
      }, lookEvery).unref();
    },
    snapshots,
    async stop() {
      clearInterval(timer);
      forget();
      await Promise.all(
        [...workers].map(
          (worker) =>
            new Promise<void>((resolve) => {
              worker.once('exit', () => resolve());
              worker.postMessage({ ask: 'stop' } satisfies ToThread);
            }),
        ),
      );
    },
  };
}
