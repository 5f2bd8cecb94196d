import { StoreStopped } from '../store/port.ts';
import type { JobLog } from './port.ts';

/** Things that fall due and are done, each by itself. */
export type Line<Item> = {
  /** What is due, the most urgent first. */
  readonly due: (now: number, limit: number) => Promise<readonly Item[]>;
  /** When the next one falls due that is not yet. */
  readonly nextDue: (now: number) => Promise<number | undefined>;
  /** The same for the same item: it is in hand once at a time. */
  readonly nameOf: (item: Item) => string | number;
  /** Does what is due of it and says in the store when it is due again; it fails only with the store. */
  readonly work: (item: Item, signal: AbortSignal) => Promise<void>;
};

export type Worker = {
  /** Tells that something may have become due. */
  readonly wake: () => void;
  /** Begins nothing further and breaks off what runs, which stays due. */
  readonly stop: () => Promise<void>;
};

/** Milliseconds until it is looked again when the store could not be read or written. */
const troubled = 30_000;

type Watch = { readonly now: () => number; readonly log: JobLog; readonly longestSleep: number; readonly most: number };

/**
 * Does what is due: what is left from before at once, what falls due later in its time. Nothing runs while nothing is due.
 * @param longestSleep milliseconds after which it is looked again whatever was known
 * @param most items in hand at the same time
 */
export function openLine<Item>(line: Line<Item>, { now, log, longestSleep, most }: Watch): Worker {
  const inHand = new Map<string | number, Promise<void>>();
  const end = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;
  let again = false;

  async function look(): Promise<void> {
    clearTimeout(timer);
    // One time for both reads: what falls due between them is the next one.
    const at = now();
    const due = await line.due(at, 2 * most);
    for (const item of due) if (inHand.size < most && !inHand.has(line.nameOf(item))) begin(item);
    const next = await line.nextDue(at);
    if (next !== undefined && !end.signal.aborted) wakeAfter(Math.min(next - at, longestSleep));
  }

  function begin(item: Item): void {
    const name = line.nameOf(item);
    const isDone = line.work(item, end.signal).then(
      () => true,
      (error: unknown) => {
        failed(error);
        return false;
      },
    );
    const work = isDone.then((done) => {
      inHand.delete(name);
      if (done) wake();
    });
    inHand.set(name, work);
  }

  function failed(error: unknown): void {
    if (end.signal.aborted || error instanceof StoreStopped) return;
    log.error({}, 'what is due could not be read or written', error);
    wakeAfter(Math.min(longestSleep, troubled));
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
