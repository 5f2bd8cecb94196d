import { type Outbox, type QueuedJob, StoreStopped } from '../store/port.ts';
import type { Handler, JobLog } from './port.ts';

export type Worker = {
  /** Tells that a job may have become due. */
  readonly wake: () => void;
  /** Begins no further job and breaks off what runs, which stays in the outbox. */
  readonly stop: () => Promise<void>;
};

/** When jobs are tried again; times in milliseconds. */
export type Patience = {
  /** After the first failure; each further one doubles it. */
  readonly first: number;
  readonly longest: number;
  /** A job that failed for so long is given up. */
  readonly giveUp: number;
};

const usual: Patience = { first: 1000, longest: 600_000, giveUp: 86_400_000 };

type Work = {
  readonly outbox: Outbox;
  readonly handlers: readonly Handler[];
  readonly now: () => number;
  readonly log: JobLog;
  readonly patience?: Patience;
};

/** Jobs done at the same time. */
const most = 8;

/**
 * Does what waits in the outbox, for the kinds that have a handler: what is left from before at once, what falls due later in its time.
 * Nothing runs while nothing is due.
 */
export function openWorker({ outbox, handlers, now, log, patience = usual }: Work): Worker {
  const kinds = handlers.map(({ kind }) => kind);
  const inHand = new Map<number, Promise<void>>();
  const end = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;
  let again = false;

  async function look(): Promise<void> {
    clearTimeout(timer);
    // One time for both reads: what falls due between them is the next one.
    const at = now();
    const due = await outbox.due(kinds, at, 2 * most);
    for (const queued of due) if (inHand.size < most && !inHand.has(queued.number)) begin(queued);
    const next = await outbox.nextDue(kinds, at);
    if (next !== undefined && !end.signal.aborted) wakeAfter(Math.min(next - at, patience.longest));
  }

  function begin(queued: QueuedJob): void {
    const work = doJob(queued)
      .catch(failed)
      .finally(() => {
        inHand.delete(queued.number);
        wake();
      });
    inHand.set(queued.number, work);
  }

  async function doJob(queued: QueuedJob): Promise<void> {
    const { number, job, attempts, queuedAt } = queued;
    try {
      await handlers.find(({ kind }) => kind === job.kind)?.handle(queued, end.signal);
    } catch (error) {
      if (end.signal.aborted) return;
      const why = Error.isError(error) ? error.message : 'unknown';
      if (now() - queuedAt < patience.giveUp) {
        log.info({ job: number, kind: job.kind, attempts: attempts + 1, why }, 'a job failed and is tried again');
        await outbox.putOff(number, now() + Math.min(patience.first * 2 ** attempts, patience.longest));
        return;
      }
      log.error({ job: number, kind: job.kind, attempts: attempts + 1, why }, 'a job is given up');
    }
    await outbox.remove(number);
  }

  function failed(error: unknown): void {
    if (end.signal.aborted || error instanceof StoreStopped) return;
    log.error({}, 'the outbox could not be read or written', error);
    wakeAfter(patience.longest);
  }

  function wakeAfter(time: number): void {
    clearTimeout(timer);
    timer = setTimeout(wake, time).unref();
  }

  function wake(): void {
    if (end.signal.aborted) return;
    if (looking !== undefined) {
      again = true;
      return;
    }
    again = false;
    looking = look()
      .catch(failed)
      .finally(() => {
        looking = undefined;
        if (again) wake();
      });
  }

  wake();
  return {
    wake,
    async stop() {
      end.abort();
      clearTimeout(timer);
      await looking;
      await Promise.all(inHand.values());
    },
  };
}
