import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { parseStringPromise, processors } from 'xml2js';

export type HttpAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly bytes: Buffer;
};

/** Posts a body in the pieces given; each piece is one write. */
export async function post(
  port: number,
  path: string,
  contentType: string,
  pieces: readonly (string | Uint8Array)[],
  headers: Readonly<Record<string, string>> = {},
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { port, path, method: 'POST', headers: { 'Content-Type': contentType, ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(chunks) }),
        );
      },
    );
    sent.on('error', reject);
    for (const piece of pieces) sent.write(piece);
    sent.end();
  });
}

export const plain = 'application/soap+xml; charset=UTF-8';

/** Writes bytes on a connection of its own and gives back what came until the server closed it or the answer was complete. */
export async function raw(
  port: number,
  text: string | Uint8Array,
  then: 'wait' | 'end' | 'destroy' = 'wait',
): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let got = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      got += chunk;
      const length = /content-length: (\d+)\r\n/i.exec(got)?.[1];
      const begin = got.indexOf('\r\n\r\n') + 4;
      if (length !== undefined && begin > 3 && got.length >= begin + Number(length)) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(got));
    socket.write(text, () => {
      if (then === 'end') socket.end();
      if (then === 'destroy') socket.destroy();
    });
  });
}

export type Fault = {
  readonly code: string;
  readonly subcode: string | undefined;
  readonly reason: string;
  readonly action: string;
  readonly relatesTo: string | undefined;
  readonly notUnderstood: string | undefined;
  readonly upgrade: boolean;
};

/** Reads a fault with another reader than ours; its envelope may be the root of a package. */
export async function faultOf(answer: HttpAnswer): Promise<Fault> {
  const envelope = await envelopeOf(answer);
  const head = (...names: string[]) => textAt(envelope, 'Header', ...names);
  const fault = (...names: string[]) => textAt(envelope, 'Body', 'Fault', ...names);
  return {
    code: fault('Code', 'Value')?.replace(/^env:/, '') ?? '',
    subcode: fault('Code', 'Subcode', 'Value'),
    reason: fault('Reason', 'Text') ?? '',
    action: head('Action') ?? '',
    relatesTo: head('RelatesTo'),
    notUnderstood: head('NotUnderstood', '$', 'qname'),
    upgrade: at(envelope, 'Header', 'Upgrade') !== undefined,
  };
}

/** The envelope of an answer as plain objects without prefixes, read by xml2js. */
export async function envelopeOf({ bytes, headers }: HttpAnswer): Promise<unknown> {
  const parts = partsOf(bytes, String(headers['content-type']));
  const options = { explicitArray: false, tagNameProcessors: [processors.stripPrefix] };
  const parsed: unknown = await parseStringPromise((parts[0]?.body ?? bytes).toString(), options);
  return at(parsed, 'Envelope');
}

/** What lies behind a path of names; undefined where the path ends before. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, name) => (isObject(inner) ? inner[name] : undefined), value);
}

export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = at(value, ...path);
  const text = isObject(found) ? found['_'] : found;
  return typeof text === 'string' ? text : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Takes a package apart in the plainest way; [] when it is none. */
export function partsOf(bytes: Buffer, contentType: string): { readonly head: string; readonly body: Buffer }[] {
  const boundary = /boundary="([^"]+)"/.exec(contentType)?.[1];
  if (boundary === undefined) return [];
  return bytes
    .toString('latin1')
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => {
      const at = part.indexOf('\r\n\r\n');
      return { head: part.slice(2, at), body: Buffer.from(part.slice(at + 4, -2), 'latin1') };
    });
}

/** A part to send. */
export type SentPart = {
  readonly id?: string;
  readonly type?: string;
  readonly encoding?: string;
  readonly body: string | Uint8Array;
};

/** Writes a package as senders do. */
export function packaged(parts: readonly SentPart[], boundary = 'MIMEB1', end = `\r\n--${boundary}--\r\n`): Buffer {
  const pieces = parts.map(({ id, type = 'application/octet-stream', encoding = 'binary', body }, index) =>
    Buffer.concat([
      Buffer.from(
        `${index === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n` +
          `${id === undefined ? '' : `Content-ID: <${id}>\r\n`}\r\n`,
      ),
      Buffer.from(body as string),
    ]),
  );
  return Buffer.concat([...pieces, Buffer.from(end)]);
}

export const xopType = 'application/xop+xml; charset=UTF-8; type="application/soap+xml"';
export const mtom = (start = 'root@example.org', boundary = 'MIMEB1') =>
  `multipart/related; boundary="${boundary}"; type="application/xop+xml"; start="<${start}>"; start-info="application/soap+xml"; ` +
  'action="urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"';
