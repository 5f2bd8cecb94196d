import { describe, expect, test } from '@jest/globals';
import type { Handler } from '../../server/jobs/port.ts';
import { openWorker } from '../../server/jobs/worker.ts';
import type { Job } from '../../server/store/port.ts';
import { memoryStore } from '../support/memory-store.ts';

const answer = (to: string): Job => ({
  kind: 'deliverAnswer',
  to,
  contentType: 'text/plain',
  size: 1,
  content: { file: to, length: 1 },
  key: { name: to, wrapped: '' },
});
const patience = { first: 2, longest: 8, giveUp: 60 };

/** A worker whose handler does what is said for each attempt; `until` waits for a state of its doings. */
function working(outcome: (to: string, attempt: number) => 'done' | 'fails', now = Date.now) {
  const { outbox } = memoryStore();
  const tried: string[] = [];
  const said: string[] = [];
  let told = () => {};
  const handler: Handler = {
    kind: 'deliverAnswer',
    handle: async ({ job, attempts }) => {
      const to = 'to' in job ? job.to : '';
      tried.push(to);
      told();
      if (outcome(to, attempts) === 'fails') throw new Error('nobody there');
    },
  };
  const log = {
    info: (_fields: unknown, message: string) => said.push(message),
    error: (_fields: unknown, message: string) => {
      said.push(message);
      told();
    },
  };
  const open = (giveUp = patience.giveUp) =>
    openWorker({ outbox, handlers: [handler], now, log, patience: { ...patience, giveUp } });
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise<void>((resolve) => (told = resolve));
  };
  return { outbox, tried, said, open, until };
}

describe('the worker of the outbox', () => {
  test('does what waited before it and what it is woken for', async () => {
    const { outbox, tried, open, until } = working(() => 'done');
    await outbox.add(answer('before'), 0);
    const worker = open();
    await until(() => tried.length === 1);
    await outbox.add(answer('later'), 0);
    worker.wake();
    await until(() => tried.length === 2);
    await worker.stop();
    expect(tried).toEqual(['before', 'later']);
    expect(await outbox.waiting('deliverAnswer')).toBe(0);
  });

  test('tries again what failed, each time later, until it works', async () => {
    const { outbox, tried, open, until } = working((_to, attempt) => (attempt < 3 ? 'fails' : 'done'));
    await outbox.add(answer('a'), Date.now());
    const begun = Date.now();
    const worker = open(60_000);
    await until(() => tried.length === 4);
    await worker.stop();
    expect(Date.now() - begun).toBeGreaterThanOrEqual(2 + 4 + 8);
    expect(await outbox.waiting('deliverAnswer')).toBe(0);
  });

  test('misses nothing that falls due while it looks', async () => {
    let time = 0;
    const { tried, open, outbox, until } = working(
      (_to, attempt) => (attempt === 0 ? 'fails' : 'done'),
      () => ++time,
    );
    await outbox.add(answer('a'), 0);
    const worker = open();
    await until(() => tried.length === 2);
    await worker.stop();
    expect(await outbox.waiting('deliverAnswer')).toBe(0);
  });

  test('gives up what failed for too long, and says so', async () => {
    const { outbox, said, open, until } = working(() => 'fails');
    await outbox.add(answer('a'), Date.now());
    const worker = open();
    await until(() => said.includes('a job is given up'));
    await worker.stop();
    expect(await outbox.waiting('deliverAnswer')).toBe(0);
  });

  test('one that fails holds up no other', async () => {
    const { outbox, tried, open, until } = working((to) => (to === 'bad' ? 'fails' : 'done'));
    for (const to of ['bad', 'a', 'b']) await outbox.add(answer(to), Date.now());
    const worker = open();
    await until(() => tried.includes('b'));
    await worker.stop();
    expect(await outbox.waiting('deliverAnswer')).toBe(1);
  });

  test('has eight in hand at the most, and each once', async () => {
    const { outbox } = memoryStore();
    const names = Array.from({ length: 20 }, (_, i) => String(i));
    for (const name of names) await outbox.add(answer(name), 0);
    const inHand: { readonly to: string; readonly end: () => void }[] = [];
    let begun = () => {};
    const handler: Handler = {
      kind: 'deliverAnswer',
      handle: async ({ job }) =>
        new Promise<void>((end) => {
          inHand.push({ to: 'to' in job ? job.to : '', end });
          begun();
        }),
    };
    const log = { info: () => {}, error: () => {} };
    const worker = openWorker({ outbox, handlers: [handler], now: Date.now, log, patience });
    const done: string[] = [];
    while (done.length < names.length) {
      const expected = Math.min(8, names.length - done.length);
      while (inHand.length < expected) await new Promise<void>((resolve) => (begun = resolve));
      worker.wake();
      await outbox.waiting('deliverAnswer');
      expect(inHand).toHaveLength(expected);
      const { to = '', end } = inHand.shift() ?? {};
      done.push(to);
      end?.();
    }
    await worker.stop();
    expect(done).toEqual(names);
  });

  test('a receiver that is silent holds up its own answers alone, however many wait before others', async () => {
    const { outbox } = memoryStore();
    for (let n = 0; n < 60; n++) await outbox.add(answer(`https://silent.example/${n}`), 0);
    await outbox.add(answer('https://well.example/1'), 1);
    const tried: string[] = [];
    let told = () => {};
    const handler: Handler = {
      kind: 'deliverAnswer',
      handle: async ({ job }, signal) => {
        const to = 'to' in job ? job.to : '';
        tried.push(to);
        told();
        if (to.startsWith('https://silent.'))
          await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
      },
    };
    const log = { info: () => {}, error: () => {} };
    const worker = openWorker({ outbox, handlers: [handler], now: Date.now, log, patience });
    while (!tried.includes('https://well.example/1')) await new Promise<void>((resolve) => (told = resolve));
    await worker.stop();
    expect(tried.filter((to) => to.startsWith('https://silent.'))).toEqual(
      [0, 1, 2].map((n) => `https://silent.example/${n}`),
    );
  });

  test('breaks off when it is stopped: the job stays as it was', async () => {
    const { outbox } = memoryStore();
    await outbox.add(answer('a'), 0);
    let begun = () => {};
    const running = new Promise<void>((resolve) => (begun = resolve));
    const handler: Handler = {
      kind: 'deliverAnswer',
      handle: (_queued, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('stopped')));
          begun();
        }),
    };
    const log = { info: () => {}, error: () => {} };
    const worker = openWorker({ outbox, handlers: [handler], now: Date.now, log, patience });
    await running;
    await worker.stop();
    expect(await outbox.due(['deliverAnswer'], Date.now(), 1)).toEqual([expect.objectContaining({ attempts: 0 })]);
  });
});
