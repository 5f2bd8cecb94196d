import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { benchPatient } from './fill.ts';
import { memoryOf } from './machine.ts';
import { type Bench, type Deposit, depositMessages, reads, retrieves, tokenOf } from './requests.ts';
import type { Target } from './target.ts';
import { uniqueId as newName } from './unique-id.ts';

const MiB = 1024 ** 2;
const chunk = randomBytes(MiB);

/** A document that is there: its names, and the SHA-256 of its bytes. */
type There = { readonly uniqueId: string; readonly id: string; readonly megabytes: number; readonly sha256: string };

/** One way of a large document through the server. What comes back must be what was sent. */
type Way = { readonly what: string; readonly go: (bench: Bench, there: There) => Promise<void> };

const ways: readonly Way[] = [
  { what: 'in by ITI-41', go: async (bench, { megabytes }) => void (await deposited(bench, megabytes)) },
  {
    what: 'in by ITI-41, 4 at once, each a quarter',
    go: async (bench, { megabytes }) =>
      void (await Promise.all([1, 2, 3, 4].map(() => deposited(bench, Math.ceil(megabytes / 4))))),
  },
  { what: 'in as FHIR Binary', go: async (bench, { megabytes }) => void (await staged(bench, megabytes)) },
  {
    what: 'in as FHIR Binary, then ITI-105 that names it',
    go: async (bench, { id, megabytes }) => published(bench, id, await staged(bench, megabytes)),
  },
  {
    what: 'out by ITI-43',
    go: async (bench, there) => {
      const [retrieve] = retrieves({ ...bench, known: new Map([[0, [there]]]) }, 1);
      await readBack(bench, retrieve, there);
    },
  },
  {
    what: 'out as FHIR Binary',
    go: async (bench, there) => readBack(bench, (await reads({ ...bench, known: new Map([[0, [there]]]) }))[0], there),
  },
  {
    what: 'out as FHIR Binary, 4 ranges at once',
    go: async (bench, { id, megabytes }) =>
      void (await Promise.all(
        [0, 1, 2, 3].map((n) => range(bench, id, n * megabytes * (MiB / 4), megabytes * (MiB / 4))),
      )),
  },
];

/** Small enough that what a server takes for it is what any first document takes. */
const smallMegabytes = 2;

/**
 * Tables of how much the server's memory grows while one large document passes, each way: on a server that has worked, and on one that just
 * started, beside what a small document takes there.
 */
export async function large(
  target: Target,
  megabytes: number,
  startAgain: (target: Target) => Promise<Target>,
  say: (line: string) => void,
): Promise<string> {
  const bench: Bench = { data: target.data, url: target.url, patients: 1, known: new Map() };
  const small = await deposited(bench, smallMegabytes);
  // Code that runs for the first time takes memory of its own: on a server that has worked, each way is gone once before.
  for (const { go } of ways) await go(bench, small);
  const there = await deposited(bench, megabytes);
  const hot: string[] = [];
  const cold: string[] = [];
  for (const { what, go } of ways) {
    hot.push(row(what, await watched(target, () => go(bench, there))));
    say(`  has worked: ${hot.at(-1)}`);
  }
  await target.stop();
  const onFreshServer = async ({ go }: Way, document: There) => {
    const started = await startAgain(target);
    const grown = await watched(started, () => go(bench, document));
    await started.stop();
    return grown;
  };
  for (const way of ways) {
    const first = await onFreshServer(way, small);
    const whole = await onFreshServer(way, there);
    const ofSize = Math.max(0, whole.growth - first.growth);
    cold.push(`${row(way.what, whole)} ${first.growth.toFixed(0)} | ${ofSize.toFixed(0)} |`);
    say(`  just started: ${cold.at(-1)}`);
  }
  const head = `${megabytes} MiB | seconds | MB before | growth MB |`;
  return [
    `| Just started: ${head} with ${smallMegabytes} MiB | for the size |\n| --- | --- | --- | --- | --- | --- |\n${cold.join('\n')}`,
    `| Has worked: ${head}\n| --- | --- | --- | --- |\n${hot.join('\n')}\n`,
  ].join('\n\n');
}

type Grown = { readonly seconds: number; readonly before: number; readonly growth: number };

function row(what: string, { seconds, before, growth }: Grown): string {
  return `| ${what} | ${seconds.toFixed(1)} | ${before.toFixed(0)} | ${growth.toFixed(0)} |`;
}

/** From now on `VmHWM` is the most since now. https://docs.kernel.org/filesystems/proc.html */
function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** Resident memory in MB, and how much more it was at most while the work was done. */
async function watched({ pid }: Target, work: () => Promise<void>): Promise<Grown> {
  const before = memoryOf(pid, 'VmRSS');
  forgetPeak(pid);
  const begun = performance.now();
  await work();
  return { seconds: (performance.now() - begun) / 1000, before, growth: memoryOf(pid, 'VmHWM') - before };
}

/** Sends a document by ITI-41. */
async function deposited(bench: Bench, megabytes: number): Promise<There> {
  const [message] = depositMessages(bench, 1);
  if (message === undefined) throw new Error('the bench has no message');
  const digest = createHash('sha256');
  for (let n = 0; n < megabytes; n++) digest.update(chunk);
  await deposit(bench.url, message, megabytes);
  const { uniqueId } = message;
  return { uniqueId, id: await idOf(bench, uniqueId), megabytes, sha256: digest.digest('hex') };
}

/** Sends bytes ahead of their document; answers their address. */
async function staged(bench: Bench, megabytes: number): Promise<string> {
  const body = await send(
    bench.url,
    await fhirHead(bench, 'POST', '/fhir/Binary', 'text/xml', megabytes * MiB),
    megabytes,
  );
  const { id } = JSON.parse(body.slice(body.indexOf('\r\n\r\n'))) as { id?: string };
  if (id === undefined) throw new Error(`the bytes were refused: ${body}`);
  return `${bench.url.origin}/fhir/Binary/${id}`;
}

/** Publishes, as a new document, another one's description with the bytes of an address. */
async function published(bench: Bench, like: string, address: string): Promise<void> {
  const headers = { Authorization: `Bearer ${await tokenOf(bench)}`, 'Content-Type': 'application/fhir+json' };
  const read = await fetch(new URL(`/fhir/DocumentReference/${like}`, bench.url), { headers });
  const known = (await read.json()) as { content: { attachment: object }[]; [element: string]: unknown };
  const { id: _id, meta: _meta, identifier: _identifier, masterIdentifier: _master, ...described } = known;
  const [content] = known.content;
  const attachment = { ...content?.attachment, url: address, hash: undefined, size: undefined };
  const masterIdentifier = { system: 'urn:ietf:rfc:3986', value: `urn:oid:${newName()}` };
  const body = JSON.stringify({ ...described, masterIdentifier, content: [{ ...content, attachment }] });
  const answer = await fetch(new URL('/fhir/DocumentReference', bench.url), { method: 'POST', headers, body });
  if (answer.status !== 201) throw new Error(`the document was refused: ${await answer.text()}`);
}

async function readBack({ url }: Bench, request: Buffer | undefined, { megabytes, sha256 }: There): Promise<void> {
  const got = request && (await lastBytes(url, request, megabytes * MiB));
  if (got !== sha256) throw new Error('other bytes came back than were sent');
}

async function range(bench: Bench, id: string, from: number, length: number): Promise<void> {
  const head = await fhirHead(bench, 'GET', `/fhir/Binary/${id}`, `bytes=${from}-${from + length - 1}`);
  const digest = createHash('sha256');
  for (let n = 0; n < length; n += MiB) digest.update(chunk.subarray(0, Math.min(MiB, length - n)));
  if (from % MiB === 0 && (await lastBytes(bench.url, head, length)) !== digest.digest('hex'))
    throw new Error('other bytes came back than were sent');
}

async function fhirHead(bench: Bench, method: 'GET' | 'POST', path: string, what: string, length = 0): Promise<Buffer> {
  const about =
    method === 'GET' ? `Accept: */*\r\nRange: ${what}` : `Content-Type: ${what}\r\nContent-Length: ${length}`;
  return Buffer.from(
    `${method} ${path} HTTP/1.1\r\nHost: ${bench.url.host}\r\nAuthorization: Bearer ${await tokenOf(bench)}\r\n${about}\r\n\r\n`,
  );
}

/** Sends a head, so many MiB and an end; answers head and beginning of the answer. */
async function send(url: URL, head: Buffer, megabytes: number, tail: Uint8Array = Buffer.alloc(0)): Promise<string> {
  const socket = connect(Number(url.port), url.hostname);
  const answered = answerOf(socket, () => undefined);
  socket.write(head);
  for (let n = 0; n < megabytes; n++) if (!socket.write(chunk)) await once(socket, 'drain');
  socket.write(tail);
  const { text } = await answered;
  socket.destroy();
  return text;
}

async function deposit(url: URL, { body, document, contentType }: Deposit, megabytes: number): Promise<void> {
  const at = body.indexOf(document);
  const head = Buffer.from(body.toString('utf8', 0, at).replace(/<rim:Slot name="(?:hash|size)">.*?<\/rim:Slot>/g, ''));
  const tail = body.subarray(at + document.length);
  const length = head.length + megabytes * MiB + tail.length;
  const line = `POST /xds/repository HTTP/1.1\r\nHost: ${url.host}\r\nContent-Type: ${contentType}\r\nContent-Length: ${length}\r\n\r\n`;
  const text = await send(url, Buffer.concat([Buffer.from(line), head]), megabytes, tail);
  if (!text.includes('ResponseStatusType:Success')) throw new Error(`the document was refused: ${text}`);
}

/** SHA-256 of the document at the end of an answer: all of it, or all but the closing boundary. */
async function lastBytes(url: URL, request: Buffer, size: number): Promise<string> {
  const socket = connect(Number(url.port), url.hostname);
  const digest = createHash('sha256');
  let seen = 0;
  const answered = answerOf(socket, (bytes, length, head) => {
    const boundary = /boundary="([^"]+)"/.exec(head)?.[1];
    const end = boundary === undefined ? length : length - `\r\n--${boundary}--\r\n`.length;
    digest.update(bytes.subarray(Math.max(0, end - size - seen), Math.max(0, end - seen)));
    seen += bytes.length;
  });
  socket.write(request);
  await answered;
  return digest.digest('hex');
}

/** Reads one answer to its end; gives the pieces of its body to `see` and answers its beginning. */
async function answerOf(
  socket: ReturnType<typeof connect>,
  see: (bytes: Buffer, length: number, head: string) => void,
): Promise<{ readonly text: string }> {
  let held = Buffer.alloc(0);
  let head: string | undefined;
  let text = '';
  let length = 0;
  let seen = 0;
  for await (const piece of socket as AsyncIterable<Buffer>) {
    let bytes = piece;
    if (head === undefined) {
      held = Buffer.concat([held, piece]);
      const end = held.indexOf('\r\n\r\n');
      if (end === -1) continue;
      head = held.toString('latin1', 0, end);
      length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]);
      bytes = held.subarray(end + 4);
      text = head;
    }
    if (text.length < 4000) text += `${text === head ? '\r\n\r\n' : ''}${bytes.toString('latin1', 0, 4000)}`;
    see(bytes, length, head);
    seen += bytes.length;
    if (seen >= length) break;
  }
  return { text };
}

async function idOf(bench: Bench, uniqueId: string): Promise<string> {
  const { oid, value } = benchPatient(0);
  const address = new URL(
    `/fhir/DocumentReference?patient.identifier=urn:oid:${oid}%7C${value}&identifier=urn:oid:${uniqueId}`,
    bench.url,
  );
  const answer = await fetch(address, { headers: { Authorization: `Bearer ${await tokenOf(bench)}` } });
  const bundle = (await answer.json()) as { entry?: { resource: { id: string } }[] };
  return bundle.entry?.[0]?.resource.id ?? '';
}
