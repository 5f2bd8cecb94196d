import { join } from 'node:path';
import { openBlobs } from './blobs/sealed.ts';
import type { Config } from './config/config.ts';
import { makeAllowList } from './jobs/allow-list.ts';
import { makeAnswerQueue } from './jobs/answers.ts';
import { makeDeliverAnswer } from './jobs/handlers/deliver-answer.ts';
import { openWorker } from './jobs/worker.ts';
import type { Tools } from './usecases/perform.ts';
import type { Log } from './watch/log.ts';
import type { OwnWay } from './xds/dispatch.ts';

/** What is done behind the answers: one thread of the process does it, all of them may queue something. */
export type BackgroundWork = {
  readonly ownWay: OwnWay;
  /** Tells that something was queued, here or in another thread. */
  readonly wake: () => void;
  /** Unlinks files that no job names. */
  readonly sweep: (olderThan: number) => Promise<number>;
  readonly stop: () => Promise<void>;
};

/** @param tell how to tell the thread that does the work; absent in that thread itself */
export function openBackgroundWork(
  { env, data }: Config,
  { store, keyring, now, newId }: Tools,
  log: Log,
  tell: (() => void) | undefined,
): BackgroundWork {
  const { outbox } = store;
  const blobs = openBlobs({ folder: join(data, 'answers'), inlineLimit: 0 });
  const allowList = makeAllowList(env.DMP_REPLY_TO);
  const worker =
    tell === undefined
      ? openWorker({ outbox, now, log, handlers: [makeDeliverAnswer({ blobs, keyring, allowList, log })] })
      : undefined;
  const wake = tell ?? (() => worker?.wake());
  const queue = makeAnswerQueue({ blobs, keyring, outbox, now, newId, most: env.DMP_MAX_REPLIES, queued: wake });
  return {
    ownWay: { ...queue, isAllowed: (address) => allowList.allowed(address) !== undefined },
    wake,
    sweep: (olderThan) => blobs.sweep(olderThan, (file) => outbox.isNamed(file)),
    async stop() {
      await worker?.stop();
      blobs.close();
    },
  };
}
