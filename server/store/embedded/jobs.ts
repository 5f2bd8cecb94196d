import type { RecordId } from '../../domain/record.ts';
import type { Job, JobKind, QueuedJob } from '../port.ts';
import type { Database } from './driver.ts';

/** A change of the outbox besides the jobs that are added. */
export type Settlement = { readonly number: number; readonly until?: number };

export function makeJobWrites(database: Database, keyOf: (record: RecordId) => number | undefined) {
  const add = database.prepare('INSERT INTO job (kind, record, event, json, queued, due) VALUES (?, ?, ?, ?, ?, ?)');
  const remove = database.prepare('DELETE FROM job WHERE number = ?');
  const putOff = database.prepare('UPDATE job SET due = ?, attempts = attempts + 1 WHERE number = ?');
  return {
    add(job: Job, event: number | undefined, at: number): void {
      if (job.kind === 'deliverAnswer') {
        const { kind, ...delivery } = job;
        add.run(kind, null, event ?? null, JSON.stringify(delivery), at, at);
        return;
      }
      const key = keyOf(job.record);
      if (key === undefined) throw new TypeError('The record of a job is not in the store');
      add.run(job.kind, key, event ?? null, null, at, at);
    },
    settle({ number, until }: Settlement): void {
      if (until === undefined) remove.run(number);
      else putOff.run(until, number);
    },
  };
}

type JobRow = {
  readonly number: number;
  readonly kind: JobKind;
  readonly record: string | null;
  readonly json: string | null;
  readonly queued: number;
  readonly attempts: number;
};

export function makeJobReads(database: Database) {
  const due = database.prepare<JobRow>(
    `SELECT j.number, j.kind, r.id AS record, j.json, j.queued, j.attempts FROM job j LEFT JOIN record r ON r.key = j.record
     WHERE j.kind IN (SELECT value FROM json_each(?)) AND j.due <= ? ORDER BY j.number LIMIT ?`,
  );
  const next = database.prepare<{ due: number | null }>(
    'SELECT min(due) AS due FROM job WHERE kind IN (SELECT value FROM json_each(?)) AND due > ?',
  );
  const count = database.prepare<{ found: number }>('SELECT count(*) AS found FROM job WHERE kind = ?');
  const named = database.prepare(
    "SELECT 1 FROM job WHERE kind = 'deliverAnswer' AND json ->> '$.content.file' = ? LIMIT 1",
  );
  return {
    due: (kinds: readonly JobKind[], now: number, limit: number): QueuedJob[] =>
      due.all(JSON.stringify(kinds), now, limit).map(jobOf),
    nextDue: (kinds: readonly JobKind[], now: number): number | undefined =>
      next.get(JSON.stringify(kinds), now)?.due ?? undefined,
    waiting: (kind: JobKind): number => count.get(kind)?.found ?? 0,
    isNamed: (file: string): boolean => named.get(file) !== undefined,
  };
}

function jobOf({ number, kind, record, json, queued, attempts }: JobRow): QueuedJob {
  // Columns of the store's own writing: what a job of its kind consists of.
  const job = { kind, ...(json === null ? { record } : (JSON.parse(json) as object)) } as Job;
  return { number, job, queuedAt: queued, attempts };
}
