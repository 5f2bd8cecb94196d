import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import type { Context } from './context.ts';
import { readBindingToken } from './fhir/subscription-token.ts';
import { openTeller, type Place, type Teller } from './jobs/teller.ts';

/** The websockets of one web thread, by which subscribers are told. */
export type Sockets = {
  /** Opens no more and ends those that are open. */
  readonly close: () => Promise<void>;
};

const path = '/fhir/ws';

const limits = {
  /** Open and bound at once in one thread. */
  connections: 500,
  /** Open besides, of whom nothing is known yet. */
  unbound: 100,
  /** Of one subscriber, who keeps no others out. */
  ofOwner: 20,
  /** Bytes of one message from a client. */
  message: 8192,
  /** Bytes that may wait for one that reads slowly. */
  waiting: 4 * 1024 * 1024,
  /** Tokens that one connection may be bound with, and subscriptions that they may bind. */
  bindings: 10,
  subscriptions: 100,
};

/** Milliseconds: to bind a connection, between looks at what is open, until a connection has to be opened anew, to take leave. */
const times = { bind: 10_000, look: 10_000, age: 12 * 3_600_000, end: 1000 };

/** Whether a request asks for a websocket where there is one. RFC 6455 §4.1. */
export function isSocketRequest({ url = '', headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket' && url.split('?')[0] === path;
}

type Connection = {
  readonly socket: WebSocket;
  readonly openedAt: number;
  readonly places: Map<string, Place>;
  /** Who bound it. */
  readonly owners: Set<string>;
  bindings: number;
  isAlive: boolean;
};

/**
 * Takes websockets of a server. A client binds its connection with tokens of `$get-ws-binding-token`: `bind-with-token <token>`; each subscription
 * bound is greeted, and what happens is told as it happens. Anything else that a client says ends the connection. Nothing runs while none is open.
 * Subscriptions R5 Backport 1.1, websocket.
 */
export function openSockets(server: Server, { tools, linkKey, log, work }: Context): Sockets {
  const connections = new Set<Connection>();
  /** Those that nobody has bound yet, the oldest first: they take no place from those who proved who they are. */
  const unbound = new Set<Connection>();
  const teller: Teller = openTeller(work.notifying);
  const { now } = tools;
  let listening: Promise<WebSocketServer> | undefined;
  let closing = false;
  let looking: NodeJS.Timeout | undefined;
  const forget = work.onChange(() => {
    for (const connection of connections) for (const place of connection.places.values()) tell(connection, place);
  });

  // Loaded with the first one who comes.
  const handshakes = async () => {
    const { WebSocketServer: Handshakes } = await import('ws');
    return new Handshakes({
      noServer: true,
      maxPayload: limits.message,
      perMessageDeflate: false,
      clientTracking: false,
    });
  };

  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on('error', () => stream.destroy());
    if (closing || bound() >= limits.connections) {
      stream.end(
        'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
      );
      return;
    }
    listening ??= handshakes();
    listening.then(
      (taking) => taking.handleUpgrade(request, stream, head, opened),
      (error: unknown) => {
        log.error({}, 'websockets cannot be opened', error);
        stream.destroy();
      },
    );
  });

  function bound(): number {
    return [...connections].filter(({ places }) => places.size > 0).length;
  }

  /** How many other connections tell this subscriber. */
  function countOf(owner: string, but: Connection): number {
    return [...connections].filter((one) => one !== but && one.owners.has(owner)).length;
  }

  function opened(socket: WebSocket): void {
    const connection: Connection = {
      socket,
      openedAt: now(),
      places: new Map(),
      owners: new Set(),
      bindings: 0,
      isAlive: true,
    };
    connections.add(connection);
    unbound.add(connection);
    const [oldest] = unbound;
    if (unbound.size > limits.unbound && oldest !== undefined) {
      unbound.delete(oldest);
      oldest.socket.close(1013, 'others wait');
      setTimeout(() => oldest.socket.terminate(), times.end).unref();
    }
    const late = setTimeout(() => socket.close(1008, 'no binding'), times.bind).unref();
    looking ??= setInterval(look, times.look).unref();
    socket.on('pong', () => {
      connection.isAlive = true;
    });
    socket.on('message', (data, isBinary) => {
      clearTimeout(late);
      bind(connection, isBinary || !Buffer.isBuffer(data) ? '' : data.toString()).catch((error: unknown) =>
        fail(connection, error),
      );
    });
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      clearTimeout(late);
      connections.delete(connection);
      unbound.delete(connection);
      if (connections.size === 0) {
        clearInterval(looking);
        looking = undefined;
      }
    });
  }

  async function bind(connection: Connection, text: string): Promise<void> {
    const { socket, places } = connection;
    const token = /^bind-with-token:?\s+(\S+)\s*$/.exec(text)?.[1];
    const binding = token === undefined ? undefined : readBindingToken(linkKey, token, now());
    connection.bindings += 1;
    if (binding === undefined || connection.bindings > limits.bindings) {
      socket.close(1008, 'bind-with-token and a valid token are expected');
      return;
    }
    if (countOf(binding.owner, connection) >= limits.ofOwner) {
      socket.close(1013, `${limits.ofOwner} connections are the most of one subscriber`);
      return;
    }
    connection.owners.add(binding.owner);
    for (const id of binding.subscriptions) {
      if (places.has(id)) continue;
      if (places.size >= limits.subscriptions) break;
      const greeted = await teller.greet(id, binding.owner);
      if (greeted === undefined) continue;
      places.set(id, greeted.place);
      unbound.delete(connection);
      send(connection, greeted.body);
      tell(connection, greeted.place);
    }
    if (places.size === 0) socket.close(1008, 'nothing is bound');
  }

  /** One after the other for each place: what is told comes in order. */
  function tell(connection: Connection, place: Place): void {
    place.again = true;
    if (place.isBusy) return;
    place.isBusy = true;
    void (async () => {
      try {
        while (place.again && isOpen(connection)) {
          place.again = false;
          for await (const body of teller.next(place)) send(connection, body);
          if (place.isOver) connection.places.delete(place.id);
        }
        if (connection.places.size === 0) connection.socket.close(1000, 'the subscriptions are over');
      } catch (error) {
        fail(connection, error);
      } finally {
        place.isBusy = false;
      }
    })();
  }

  function send({ socket }: Connection, body: string): void {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > limits.waiting) socket.terminate();
    else socket.send(body);
  }

  function isOpen({ socket }: Connection): boolean {
    return !closing && socket.readyState === socket.OPEN;
  }

  function fail({ socket }: Connection, error: unknown): void {
    if (closing) return;
    log.error({}, 'a websocket failed', error);
    socket.close(1011, 'an error of the server');
  }

  /** Who does not answer is gone; who is here for long proves anew who he is; a sign of life where one is due. */
  function look(): void {
    for (const connection of connections) {
      const { socket, openedAt, places, isAlive } = connection;
      if (!isAlive) socket.terminate();
      else if (now() - openedAt > times.age) socket.close(1001, 'open it anew');
      else {
        connection.isAlive = false;
        socket.ping();
        for (const place of places.values()) {
          if ((place.subscription.end ?? Number.POSITIVE_INFINITY) <= now()) tell(connection, place);
          const body = teller.signOfLife(place);
          if (body !== undefined) send(connection, body);
        }
      }
    }
  }

  return {
    async close() {
      closing = true;
      forget();
      clearInterval(looking);
      const ends = [...connections].map(({ socket }) => new Promise<void>((resolve) => socket.once('close', resolve)));
      for (const { socket } of connections) socket.close(1001, 'the server stops');
      const cut = setTimeout(() => {
        for (const { socket } of connections) socket.terminate();
      }, times.end);
      await Promise.all(ends);
      clearTimeout(cut);
    },
  };
}
