import { connect, type Socket } from 'node:net';

/** What an acknowledgement says, taken apart by nothing of the server's. */
export type Ack = {
  readonly text: string;
  readonly code: string;
  readonly controlId: string;
  /** Of each ERR: place (ERR-2), condition (ERR-3.1), severity (ERR-4), name (ERR-5.1), words (ERR-8). */
  readonly errors: readonly {
    readonly place: string;
    readonly condition: string;
    readonly severity: string;
    readonly name: string;
    readonly words: string;
  }[];
};

/** A connection to an HL7 listener. */
export type Line = {
  readonly socket: Socket;
  /** Sends a message, its lines ended by LF, and waits for the answer. */
  readonly ask: (message: string | Buffer) => Promise<Ack>;
  readonly write: (bytes: string | Buffer) => void;
  /** The next answer, or undefined when the connection was closed instead. */
  readonly next: () => Promise<Ack | undefined>;
  readonly close: () => void;
};

export function frame(message: string | Buffer): Buffer {
  const bytes = typeof message === 'string' ? Buffer.from(message.trimEnd().replaceAll('\n', '\r')) : message;
  return Buffer.concat([Buffer.from([0x0b]), bytes, Buffer.from([0x1c, 0x0d])]);
}

export async function dial(port: number): Promise<Line> {
  const socket = connect(port, '127.0.0.1');
  let got = Buffer.alloc(0);
  let wake = () => {};
  socket.on('data', (piece: Buffer) => {
    got = Buffer.concat([got, piece]);
    wake();
  });
  socket.on('error', () => wake());
  socket.on('close', () => wake());
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  const next = async (): Promise<Ack | undefined> => {
    for (;;) {
      const end = got.indexOf('\x1c\r');
      if (end >= 0) {
        const text = got.subarray(1, end).toString();
        got = got.subarray(end + 2);
        return ackOf(text);
      }
      if (socket.closed || socket.destroyed) return undefined;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const write = (bytes: string | Buffer) => void socket.write(bytes);
  return {
    socket,
    next,
    write,
    async ask(message) {
      write(frame(message));
      const ack = await next();
      if (ack === undefined) throw new Error('the connection was closed without an answer');
      return ack;
    },
    close: () => socket.destroy(),
  };
}

export function ackOf(text: string): Ack {
  const segments = text.split('\r').map((line) => line.split('|'));
  const [, code = '', controlId = ''] = segments.find(([name]) => name === 'MSA') ?? [];
  const errors = segments
    .filter(([name]) => name === 'ERR')
    .map((err) => ({
      place: err[2] ?? '',
      condition: err[3]?.split('^')[0] ?? '',
      severity: err[4] ?? '',
      name: err[5]?.split('^')[0] ?? '',
      words: err[8] ?? '',
    }));
  return { text, code, controlId, errors };
}
