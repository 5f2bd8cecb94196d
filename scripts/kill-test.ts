import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { openSegmentReader } from '../server/blobs/segments.ts';
import { uuidMaker } from '../server/crypto/uuid.ts';
import { openEmbedded } from '../server/store/embedded/open.ts';
import type { StoredDocument } from '../server/store/port.ts';
import { countsTold } from './kill/counts.ts';
import { bytesOf, creationPermit, deposit, depositPermit, newRecord } from './kill/deposits.ts';
import { chainBegin, verifyFiles } from './kill/verify.ts';

/**
 * Kills the store (SIGKILL) at random moments under load, opens it again, and looks whether everything acknowledged is there, nothing is
 * there by half, and the chain of events is right. `node scripts/kill-test.ts [kills=200] [clients=32]`; exit 1 when anything was lost.
 */
const [kills = 0, clients = 0] = countsTold('npm run kill-test -- [kills, 200] [clients, 32]', [200, 32]);
const folder = mkdtempSync(join(tmpdir(), 'opendmp-kill-'));
const record = uuidMaker(() => Date.now())();
let acknowledged = 0;
let chain = chainBegin;

await create();
for (let kill = 1; kill <= kills; kill++) {
  const ids = await killedUnderLoad(kill);
  acknowledged += ids.length;
  await verifyAcknowledged(ids);
  chain = verifyFiles(folder, { from: chain, thorough: kill % 50 === 0 });
  if (kill % 10 === 0)
    say(`${kill} of ${kills} kills: ${acknowledged} acknowledged, 0 lost, ${chain.sequence} events in the chain`);
}
const whole = verifyFiles(folder, { thorough: true });
await verifyAll(acknowledged);
say(
  `${kills} kills, ${acknowledged} acknowledged deposits, 0 lost; ${whole.sequence} events, chain right from the first; files sound`,
);
rmSync(folder, { recursive: true });

async function create(): Promise<void> {
  const store = await openEmbedded({ folder, threads: false });
  const put = [{ kind: 'record' as const, record: newRecord(record) }];
  await store.write.commit(creationPermit(Date.now()), { expect: [], put, events: [], jobs: [] });
  await store.close();
}

/** Runs a child until it is killed: at times before it has opened the store, mostly some time into its deposits. */
async function killedUnderLoad(kill: number): Promise<string[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'kill/child.ts'), folder, record, String(clients)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const ids: string[] = [];
  const lines = createInterface({ input: child.stdout });
  const begun = once(lines, 'line');
  lines.on('line', (line) => ids.push(line));
  const read = once(lines, 'close');
  if (kill % 10 !== 0) await Promise.race([begun, ended]);
  await sleep(Math.random() * 400);
  child.kill('SIGKILL');
  const [code] = (await ended) as [number | null];
  await read;
  if (code !== null) throw new Error(`The child ended by itself with ${code}; its folder is ${folder}`);
  return ids.filter((id) => id.length === 36);
}

async function verifyAcknowledged(ids: readonly string[]): Promise<void> {
  const { store, permit, segments, close } = await reopen();
  const found = await store.read.documentsByUuid(
    permit,
    ids.map((id) => `urn:uuid:${id}`),
  );
  const byName = new Map(found.map((document) => [document.entry.entryUUID, document]));
  for (const id of ids)
    if (!holds(segments, byName.get(`urn:uuid:${id}`), id))
      throw new Error(`${id} was acknowledged and is lost; the folder is ${folder}`);
  for (const id of ids.slice(-5)) {
    const again = await store.write.note(deposit(record, id, Date.now()).events, { key: id, until: Date.now() + 1000 });
    if (again.done) throw new Error(`The credential of ${id} served twice; the folder is ${folder}`);
  }
  await close();
}

/** Whatever is visible, acknowledged or not, has all its bytes. */
async function verifyAll(atLeast: number): Promise<void> {
  const { store, permit, segments, close } = await reopen();
  let seen = 0;
  for (let before = Number.MAX_SAFE_INTEGER, more = true; more; ) {
    const page = await store.read.documents(permit, {}, { before, limit: 1000 });
    for (const document of page.items)
      if (!holds(segments, document, document.entry.uniqueId.slice(9)))
        throw new Error(`${document.entry.uniqueId} is visible without its bytes; the folder is ${folder}`);
    seen += page.items.length;
    before = page.items.at(-1)?.position ?? 0;
    more = page.more;
  }
  await close();
  if (seen < atLeast) throw new Error(`${atLeast} were acknowledged, ${seen} are there; the folder is ${folder}`);
}

async function reopen() {
  const store = await openEmbedded({ folder, threads: false });
  const segments = openSegmentReader(join(folder, 'documents'));
  const facts = await store.facts.recordById(record);
  if (facts === undefined) throw new Error(`The record is lost; the folder is ${folder}`);
  const close = () => {
    segments.close();
    return store.close();
  };
  return { store, segments, permit: depositPermit(facts, Date.now()), close };
}

function holds(
  segments: ReturnType<typeof openSegmentReader>,
  document: StoredDocument | undefined,
  id: string,
): boolean {
  const place = document?.content;
  if (place === undefined || !('segment' in place)) return false;
  const bytes = Buffer.alloc(place.length);
  return segments.read(place.segment, place.offset, bytes) && bytes.equals(bytesOf(id));
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
