import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { Config } from './config/config.ts';
import { openContext } from './context.ts';
import { closeServer, listen } from './server.ts';
import type { WayToWriter } from './store/embedded/open.ts';
import type { FromThread, ToThread } from './threads.ts';

/** A further web thread: the same application on the same port, changes sent to the one writer. */
const { config, port, toWriter } = workerData as { config: Config; port: number; toWriter: WayToWriter };
const parent = parentPort as MessagePort;
const tell = (message: FromThread) => parent.postMessage(message);

const context = await openContext(config, toWriter, () => tell({ tell: 'queued' }));
const waiting = new Map<number, (all: readonly (readonly unknown[])[]) => void>();
let asked = 0;
const server = await listen(
  context,
  {
    ready: () => true,
    metrics: () =>
      new Promise((resolve) => {
        waiting.set(++asked, resolve);
        tell({ ask: 'metrics', id: asked });
      }),
  },
  port,
  true,
);

parent.on('message', (message: ToThread | { tell: 'metrics'; id: number; all: readonly (readonly unknown[])[] }) => {
  if ('tell' in message && message.tell === 'changed') context.work.changed();
  else if ('tell' in message) {
    waiting.get(message.id)?.(message.all);
    waiting.delete(message.id);
  } else if (message.ask === 'metrics') {
    void context.metrics.snapshot().then((snapshot) => tell({ tell: 'metrics', id: message.id, snapshot }));
  } else {
    void closeServer(server)
      .then(context.close)
      .then(() => parent.close());
  }
});
tell({ tell: 'listening' });
