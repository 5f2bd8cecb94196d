import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { benchPatient } from './fill.ts';
import { memoryOf } from './machine.ts';
import { type Bench, type Deposit, depositMessages, reads, retrieves, tokenOf } from './requests.ts';
import type { Target } from './target.ts';

const MiB = 1024 ** 2;
const chunk = randomBytes(MiB);

/**
 * Sends one document by ITI-41, reads it by ITI-43 and as FHIR Binary, and answers a table of how much the server's memory grew meanwhile.
 * What comes back must be what was sent.
 */
export async function large(
  { data, url, pid }: Target,
  megabytes: number,
  say: (line: string) => void,
): Promise<string> {
  const size = megabytes * MiB;
  const bench: Bench = { data, url, patients: 1, known: new Map() };
  const rows: string[] = [];
  const watched = async (what: string, work: () => Promise<unknown>) => {
    const before = memoryOf(pid, 'VmRSS');
    let most = before;
    const timer = setInterval(() => {
      most = Math.max(most, memoryOf(pid, 'VmRSS'));
    }, 10);
    const begun = performance.now();
    await work();
    clearInterval(timer);
    const seconds = (performance.now() - begun) / 1000;
    rows.push(`| ${what} | ${seconds.toFixed(1)} | ${before.toFixed(0)} | ${(most - before).toFixed(0)} |`);
    say(`  ${rows.at(-1)}`);
  };

  // Code that runs for the first time takes memory of its own: each way is gone once before.
  for (const [megabytesSent, watch] of [
    [2, async (_: string, work: () => Promise<unknown>) => work()],
    [megabytes, watched],
  ] as const) {
    const [message] = depositMessages(bench, 1);
    if (message === undefined) throw new Error('the bench has no message');
    const digest = createHash('sha256');
    for (let n = 0; n < megabytesSent; n++) digest.update(chunk);
    const sent = digest.digest('hex');
    await watch('in by ITI-41', () => deposit(url, message, megabytesSent));
    const known = new Map([[0, [{ uniqueId: message.uniqueId, id: await idOf(bench, message.uniqueId) }]]]);
    const [retrieve] = retrieves({ ...bench, known }, 1);
    const [read] = await reads({ ...bench, known });
    for (const [what, request] of [
      ['out by ITI-43', retrieve],
      ['out by FHIR Binary', read],
    ] as const)
      await watch(what, async () => {
        const got = request && (await lastBytes(url, request, megabytesSent * MiB));
        if (got !== sent) throw new Error(`${what}: other bytes came back than were sent`);
      });
  }
  return `| ${(size / MiB).toFixed(0)} MiB | seconds | MB before | growth MB |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

async function deposit(url: URL, { body, document, contentType }: Deposit, megabytes: number): Promise<void> {
  const at = body.indexOf(document);
  const head = Buffer.from(body.toString('utf8', 0, at).replace(/<rim:Slot name="(?:hash|size)">.*?<\/rim:Slot>/g, ''));
  const tail = body.subarray(at + document.length);
  const socket = connect(Number(url.port), url.hostname);
  const answered = answerOf(socket, () => undefined);
  socket.write(
    `POST /xds/repository HTTP/1.1\r\nHost: ${url.host}\r\nContent-Type: ${contentType}\r\n` +
      `Content-Length: ${head.length + megabytes * MiB + tail.length}\r\n\r\n`,
  );
  socket.write(head);
  for (let n = 0; n < megabytes; n++) if (!socket.write(chunk)) await once(socket, 'drain');
  socket.write(tail);
  const { text } = await answered;
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
    if (text.length < 4000) text += bytes.toString('latin1', 0, 4000);
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
