import type { Job, JobKind, QueuedJob } from '../store/port.ts';
import type { Log } from '../watch/log.ts';

/**
 * Does the jobs of one kind. The same job may come twice, after a crash or an answer that was lost: whatever it does outside, a number
 * tells that it is the same. It throws when the job is to be tried again, and answers when it is done or hopeless.
 */
export type Handler = {
  readonly kind: JobKind;
  handle(queued: QueuedJob, signal: AbortSignal): Promise<void>;
};

/** A handler of one kind, which gets jobs of that kind alone. */
export type HandlerOf<Kind extends JobKind> = {
  readonly kind: Kind;
  handle(
    queued: QueuedJob & { readonly job: Extract<Job, { readonly kind: Kind }> },
    signal: AbortSignal,
  ): Promise<void>;
};

export type JobLog = Pick<Log, 'info' | 'error'>;
