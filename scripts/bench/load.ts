import { connect, type Socket } from 'node:net';

/** One prepared request: the bytes on the wire. Made before the measured window. */
export type Prepared = Buffer;

export type Measured = {
  readonly requests: number;
  readonly seconds: number;
  readonly failures: number;
  /** Latencies in milliseconds, sorted; open loop counts from the due time. */
  readonly latencies: Float64Array;
};

export type Loop = {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** Requests per second offered; absent: closed loop. */
  readonly rate?: number;
  /** The next request to send; undefined ends the run early. */
  readonly next: () => Prepared | undefined;
  /** Whether the answer is the wanted one: sees the status line and the first bytes. */
  readonly good: (head: string, status: number) => boolean;
};

/**
 * Sends prepared requests over kept connections and times the answers. Closed loop: each connection sends when it was answered. Open loop:
 * requests fall due at a steady rate and wait for a free connection; latency counts from the due time, so that queues show.
 */
export async function run(loop: Loop): Promise<Measured> {
  const latencies: number[] = [];
  let failures = 0;
  const begun = performance.now();
  const end = begun + loop.seconds * 1000;
  const due: number[] = [];
  const idle: Line[] = [];
  let ended = false;
  const open = loop.rate !== undefined;

  const lines = await Promise.all(Array.from({ length: loop.connections }, () => openLine(loop)));
  const finished = lines.map(
    (line) =>
      new Promise<void>((resolve) => {
        line.onDone = resolve;
      }),
  );
  const send = (line: Line, from: number) => {
    const request = ended ? undefined : loop.next();
    if (request === undefined) {
      ended = true;
      line.onDone();
      return;
    }
    line.ask(request, (good) => {
      const now = performance.now();
      latencies.push(now - from);
      if (!good) failures++;
      if (now >= end) ended = true;
      if (ended) line.onDone();
      else if (!open) send(line, performance.now());
      else {
        const waiting = due.shift();
        if (waiting === undefined) idle.push(line);
        else send(line, waiting);
      }
    });
  };

  if (!open) for (const line of lines) send(line, performance.now());
  else {
    idle.push(...lines);
    let offered = 0;
    const tick = setInterval(() => {
      const now = performance.now();
      const dueNow = Math.min(((now - begun) / 1000) * (loop.rate ?? 0), loop.seconds * (loop.rate ?? 0));
      for (; offered < dueNow; offered++) {
        const at = begun + (offered / (loop.rate ?? 1)) * 1000;
        const line = idle.pop();
        if (line === undefined) due.push(at);
        else send(line, at);
      }
      if (now >= end) {
        clearInterval(tick);
        ended = true;
        for (const line of idle.splice(0)) line.onDone();
      }
    }, 1);
  }
  await Promise.all(finished);
  const seconds = (performance.now() - begun) / 1000;
  for (const line of lines) line.close();
  return { requests: latencies.length, seconds, failures, latencies: Float64Array.from(latencies).sort() };
}

/** The q-quantile of sorted latencies, in milliseconds. */
export function quantile(sorted: Float64Array, q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

type Line = { ask: (request: Buffer, done: (good: boolean) => void) => void; close: () => void; onDone: () => void };

const headEnd = Buffer.from('\r\n\r\n');

async function openLine(loop: Loop): Promise<Line> {
  let socket = await dial(loop);
  let done: ((good: boolean) => void) | undefined;
  let head: Buffer | undefined;
  let missing = -1;
  let status = 0;
  let text = '';

  const onData = (chunk: Buffer) => {
    let rest = chunk;
    if (missing < 0) {
      head = head === undefined ? rest : Buffer.concat([head, rest]);
      const at = head.indexOf(headEnd);
      if (at < 0) return;
      const header = head.toString('latin1', 0, at);
      status = Number(header.slice(9, 12));
      const length = /\r\ncontent-length: (\d+)/i.exec(header);
      if (length === null) throw new Error(`the answer has no Content-Length: ${header.slice(0, 200)}`);
      text = head.toString('latin1', 0, Math.min(head.length, at + 4 + 1500));
      missing = Number(length[1]);
      rest = head.subarray(at + 4);
      head = undefined;
    } else if (text.length < 1500) text += rest.toString('latin1', 0, 1500);
    missing -= rest.length;
    if (missing > 0) return;
    missing = -1;
    const finish = done;
    done = undefined;
    finish?.(loop.good(text, status));
  };
  const wire = (s: Socket) => {
    s.on('data', onData);
    s.on('error', () => done?.(false));
    s.on('close', () => {
      const finish = done;
      done = undefined;
      missing = -1;
      head = undefined;
      finish?.(false);
    });
  };
  wire(socket);
  return {
    onDone: () => undefined,
    ask(request, finish) {
      if (socket.destroyed) {
        void dial(loop).then((fresh) => {
          socket = fresh;
          wire(socket);
          done = finish;
          socket.write(request);
        });
        return;
      }
      done = finish;
      socket.write(request);
    },
    close: () => socket.destroy(),
  };
}

async function dial({ host, port }: Loop): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}
