import type { Outbox, QueuedJob } from '../store/port.ts';
import { openLine, type Worker } from './line.ts';
import type { Handler, JobLog } from './port.ts';

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

/** Does what waits in the outbox, for the kinds that have a handler. */
export function openWorker({ outbox, handlers, now, log, patience = usual }: Work): Worker {
  const kinds = handlers.map(({ kind }) => kind);

  async function doJob(queued: QueuedJob, signal: AbortSignal): Promise<void> {
    const { number, job, attempts, queuedAt } = queued;
    try {
      await handlers.find(({ kind }) => kind === job.kind)?.handle(queued, signal);
    } catch (error) {
      if (signal.aborted) return;
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

  const jobs = {
    due: (at: number, limit: number) => outbox.due(kinds, at, limit),
    nextDue: (at: number) => outbox.nextDue(kinds, at),
    nameOf: ({ number }: QueuedJob) => number,
    laneOf: ({ job }: QueuedJob) => ('to' in job ? receiverOf(job.to) : job.kind),
    work: doJob,
  };
  return openLine(jobs, { now, log, longestSleep: patience.longest, most: 8, mostOfLane: 3 });
}

/** Scheme, host and port: what is silent is silent at all its paths. */
function receiverOf(address: string): string {
  return URL.canParse(address) ? new URL(address).origin : address;
}
