import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createPlainServer } from 'node:net';
import { guardConnections } from './connections.ts';

export type ListenerSettings = {
  readonly host: string;
  readonly port: number;
  /** Whether further threads listen on the same port. */
  readonly shared: boolean;
  readonly requestTimeoutSeconds: number;
  /** Milliseconds in which the headers of a request have to be there; looked at every quarter of it. */
  readonly headersTimeout?: number;
  readonly newId: () => string;
  /** Which requests may leave HTTP for another protocol; the others are answered as if they had not asked. */
  readonly mayUpgrade?: (request: IncomingMessage) => boolean;
};

/** Listens; the kernel spreads connections over the threads that share a port. */
export async function openListener(app: RequestListener, settings: ListenerSettings): Promise<Server> {
  const { headersTimeout = 7_000 } = settings;
  const server = createServer({
    requestTimeout: settings.requestTimeoutSeconds * 1000,
    headersTimeout,
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: headersTimeout / 4,
    maxHeaderSize: 16_384,
    shouldUpgradeCallback: settings.mayUpgrade ?? (() => false),
  });
  guardConnections(server, app, settings.newId);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: settings.host, port: settings.port, reusePort: settings.shared }, resolve);
  });
  return server;
}

/**
 * Finds out before anything listens that the port is free, since a shared one would be shared with another server too, and whether this
 * platform lets threads share one.
 * @throws the error of the system when the port is taken
 */
export async function canShare(host: string, port: number): Promise<boolean> {
  await tried({ host, port });
  try {
    await tried({ host, port: 0, reusePort: true });
    return true;
  } catch (error) {
    if (Error.isError(error) && 'code' in error && error.code === 'ENOTSUP') return false;
    throw error;
  }
}

async function tried(address: { host: string; port: number; reusePort?: boolean }): Promise<void> {
  const server = createPlainServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, resolve);
  });
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
