import { type IncomingMessage, type RequestListener, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

type Running = { readonly request: IncomingMessage; readonly response: ServerResponse };

/**
 * What an HTTP server does besides calling `app`. A request that waits to be told to go on is judged before its body is sent: it is told so
 * by the first read of its body, and a refusal that comes before that read is all it gets. Bytes that are no HTTP get a status and the end
 * of the connection, but never in the middle of the answer to a request that came whole; so does a request that names two hosts.
 * RFC 9110 §10.1.1, §15.5; RFC 9112 §3.2, §9.6.
 */
export function guardConnections(server: Server, app: RequestListener, newId: () => string): void {
  const running = new WeakMap<Duplex, Running>();
  const refuse = (response: ServerResponse) =>
    response.writeHead(400, { 'X-Request-Id': newId(), 'Content-Length': 0, Connection: 'close' }).end();
  server.on('request', (request, response) => {
    running.set(request.socket, { request, response });
    if (isForOneHost(request)) app(request, response);
    else refuse(response);
  });
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    running.set(request.socket, { request, response });
    continueWhenRead(request, response);
    if (isForOneHost(request)) app(request, response);
    else refuse(response);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const refusal = refusalOf(error.code, newId());
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else endConnection(socket, running.get(socket), refusal);
  });
}

/** Whoever stands before this server could take the other one. */
function isForOneHost({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts < 2;
}

/** A sender that was not told to go on may leave the body out or not: nothing else can follow on its connection. */
function continueWhenRead(request: IncomingMessage, response: ServerResponse): void {
  const { shouldKeepAlive } = response;
  response.shouldKeepAlive = false;
  const read = request._read.bind(request);
  request._read = (size) => {
    request._read = read;
    if (!response.headersSent) {
      response.shouldKeepAlive = shouldKeepAlive;
      response.writeContinue();
    }
    read(size);
  };
}

function endConnection(socket: Duplex, running: Running | undefined, refusal: string): void {
  const { request, response } = running ?? {};
  if (request?.complete === true && response?.writableFinished === false) {
    if (ending.has(response)) return;
    ending.add(response);
    response.shouldKeepAlive = false;
    response.once('finish', () => endGently(socket));
  } else {
    const begun = response?.headersSent === true && !response.writableFinished;
    if (!begun) socket.write(refusal);
    endGently(socket);
  }
}

const ending = new WeakSet<ServerResponse>();

/** A connection closed under a sender's hands loses the answer: what it still sends is taken for a while. */
function endGently(socket: Duplex): void {
  socket.end();
  const cut = setTimeout(() => socket.destroy(), 5000);
  socket.once('close', () => clearTimeout(cut));
}

const statuses: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** The answer to what is no HTTP request, or never became one. */
function refusalOf(code: string | undefined, requestId: string): string {
  const status = statuses[code ?? ''] ?? 400;
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nX-Request-Id: ${requestId}\r\n` +
    'Content-Length: 0\r\nConnection: close\r\n\r\n'
  );
}
