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
  /** Items of one lane wait for the same other side; whoever is silent there holds up his own lane alone. Absent, each is a lane of its own. */
  readonly laneOf?: (item: Item) => string;
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

type Watch = {
  readonly now: () => number;
  readonly log: JobLog;
  readonly longestSleep: number;
  readonly most: number;
  readonly mostOfLane?: number;
};

/**
 * Does what is due: what is left from before at once, what falls due later in its time. Nothing runs while nothing is due.
 * @param longestSleep milliseconds after which it is looked again whatever was known
 * @param most items in hand at the same time
 * @param mostOfLane of them of one lane
 */
export function openLine<Item>(line: Line<Item>, watch: Watch): Worker {
  const { now, log, longestSleep, most, mostOfLane = most } = watch;
  const inHand = new Map<string | number, Promise<void>>();
  const lanes = new Map<string, number>();
  const end = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;
  let again = false;

  async function look(): Promise<void> {
    clearTimeout(timer);
    // One time for both reads: what falls due between them is the next one.
    const at = now();
    await beginDue(at);
    const next = await line.nextDue(at);
    if (next !== undefined && !end.signal.aborted) wakeAfter(Math.min(next - at, longestSleep));
  }

  /** Looks further down the line as long as full lanes stand before others. */
  async function beginDue(at: number): Promise<void> {
    for (let limit = 2 * most; ; limit *= 4) {
      const due = await line.due(at, limit);
      for (const item of due) if (hasRoom(item)) begin(item);
      if (inHand.size >= most || due.length < limit) return;
    }
  }

  function hasRoom(item: Item): boolean {
    if (inHand.size >= most || inHand.has(line.nameOf(item))) return false;
    const lane = line.laneOf?.(item);
    return lane === undefined || (lanes.get(lane) ?? 0) < mostOfLane;
  }

  function count(item: Item, by: 1 | -1): void {
    const lane = line.laneOf?.(item);
    if (lane === undefined) return;
    const left = (lanes.get(lane) ?? 0) + by;
    if (left === 0) lanes.delete(lane);
    else lanes.set(lane, left);
  }

  function begin(item: Item): void {
    const name = line.nameOf(item);
    count(item, 1);
    const isDone = line.work(item, end.signal).then(
      () => true,
      (error: unknown) => {
        failed(error);
        return false;
      },
    );
    const work = isDone.then((done) => {
      inHand.delete(name);
      count(item, -1);
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
