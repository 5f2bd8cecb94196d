import { createServer, type Server, type Socket } from 'node:net';
import { answer, answerTooLarge, type Hl7Face } from './dispatch.ts';
import { type Frame, framed, makeDeframer } from './mllp.ts';

/** Limits of connections. Sizes in bytes, times in milliseconds. */
export type MllpLimits = {
  readonly messageBytes: number;
  /** Of all messages that are under way together. */
  readonly totalBytes: number;
  readonly connections: number;
  /** Longest silence between two messages. */
  readonly idle: number;
  /** Longest silence in the middle of a message. */
  readonly pause: number;
  /** Slowest sender that is waited for, in bytes per second. */
  readonly slowest: number;
};

export type MllpOptions = { readonly host: string; readonly port: number; readonly limits: MllpLimits };

/** A listener that can be closed in order. */
export type MllpServer = {
  readonly port: number;
  /** Stops accepting, answers the messages that came whole, closes. */
  readonly close: () => Promise<void>;
};

/**
 * Listens for HL7 version 2 messages. Messages of one connection are answered one after the other, in their order; several connections at the
 * same time. A message beyond a limit is answered AR and its connection closed. HL7 MLLP release 1.
 */
export async function listenMllp(face: Hl7Face, { host, port, limits }: MllpOptions): Promise<MllpServer> {
  const connections = new Set<Connection>();
  const budget = { used: 0 };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    if (connections.size >= limits.connections) {
      socket.destroy();
      return;
    }
    const connection = serve(face, socket, limits, budget);
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, resolve);
  });
  server.on('error', (error) => face.log.error({}, 'the HL7 listener failed', error));
  return {
    port: portOf(server),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all([...connections].map(async (connection) => connection.finish()));
      await closed;
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

type Connection = { readonly finish: () => Promise<void> };

function serve(face: Hl7Face, socket: Socket, limits: MllpLimits, budget: { used: number }): Connection {
  const deframer = makeDeframer(limits.messageBytes);
  const arrival = {
    address: socket.remoteAddress?.replace(/^::ffff:/, '') ?? '',
    endpoint: `mllp://${socket.localAddress ?? ''}:${socket.localPort ?? ''}`,
  };
  let working = Promise.resolve();
  let held = 0;
  let begun: number | undefined;
  let finishing = false;

  /** Goes on taking what the sender sends for a while: a connection closed under a sender's hands loses the answer. */
  function endSoon(last?: Buffer): void {
    if (last === undefined) socket.end();
    else socket.end(last);
    setTimeout(() => socket.destroy(), 1000).unref();
  }

  /** What this connection holds of a message counts against all connections together. */
  function account(size: number): void {
    budget.used += size - held;
    held = size;
  }

  async function reply(frame: Frame): Promise<void> {
    const isWhole = 'message' in frame;
    const bytes = isWhole
      ? await answer(face, frame.message, arrival)
      : await answerTooLarge(face, frame.tooLarge, arrival, limits.messageBytes);
    if (socket.destroyed) return;
    if (isWhole && !finishing) socket.write(framed(bytes));
    else endSoon(framed(bytes));
  }

  function take(piece: Buffer): void {
    const now = performance.now();
    begun ??= now;
    const frames = deframer.take(piece);
    const size = deframer.underWay();
    account(size ?? 0);
    if (size === undefined || frames.length > 0) begun = undefined;
    if (budget.used > limits.totalBytes || isTooSlow(now, size ?? 0)) {
      socket.destroy();
      return;
    }
    socket.setTimeout(size === undefined || frames.length > 0 ? limits.idle : limits.pause);
    if (frames.length === 0) return;
    // Nothing more is read before these are answered: a sender that waits for no answer fills no memory.
    socket.pause();
    working = frames
      .reduce((before, frame) => before.then(() => reply(frame)), working)
      .catch((error: unknown) => {
        face.log.error({}, 'a connection failed', error);
        socket.destroy();
      })
      .then(() => {
        socket.resume();
      });
  }

  function isTooSlow(now: number, size: number): boolean {
    return begun !== undefined && now - begun > limits.pause + (size / limits.slowest) * 1000;
  }

  socket.setTimeout(limits.idle, () => socket.destroy());
  socket.on('data', take);
  socket.on('end', () => void working.then(() => endSoon()));
  socket.on('error', () => socket.destroy());
  socket.on('close', () => account(0));
  return {
    async finish() {
      finishing = true;
      await working;
      endSoon();
      await new Promise<void>((resolve) => {
        if (socket.destroyed) resolve();
        else socket.once('close', () => resolve());
      });
    },
  };
}
