import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fill } from './bench/fill.ts';
import { type Bench, type Deposit, depositMessages, tokenOf } from './bench/requests.ts';
import { countsTold } from './kill/counts.ts';
import { chainBegin, verifyFiles } from './kill/verify.ts';

/**
 * Kills the whole server (SIGKILL) at random moments while 16 clients deposit by ITI-41, starts it again, and asks it by FHIR for everything
 * that it had acknowledged: each document, and the bytes of the last ones. `node scripts/kill-server.ts [kills=200]`; exit 1 when anything
 * was lost. In between, the files are checked with nobody running on them.
 */
const root = resolve(import.meta.dirname, '..');
const clients = 16;

if (process.argv[2] === '--fill') await fill(1000, () => undefined);
else await killAll(countsTold('npm run kill-server -- [kills, 200]', [200])[0] ?? 0);

async function killAll(kills: number): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'opendmp-kill-server-'));
  const url = new URL('http://127.0.0.1:18770');
  const env = {
    PATH: process.env['PATH'] ?? '',
    DMP_DATA: data,
    DMP_PORT: url.port,
    DMP_PUBLIC_URL: url.origin,
    DMP_LOG_LEVEL: 'warn',
  };
  const filling = spawn(process.execPath, [import.meta.filename, '--fill'], { cwd: root, env, stdio: 'inherit' });
  await once(filling, 'exit');
  const bench: Bench = { data, url, patients: 10, known: new Map() };
  let acknowledged = 0;
  let chain = chainBegin;
  let child = await start(url, env);
  for (let kill = 1; kill <= kills; kill++) {
    const known: Deposit[] = [];
    const loads = Array.from({ length: clients }, () => load(url, depositMessages(bench, 60), known));
    await sleep(30 + Math.random() * 700);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await Promise.all(loads);
    chain = verifyFiles(data, { from: chain, thorough: kill % 50 === 0 });
    child = await start(url, env);
    await verify(url, await tokenOf(bench), known);
    acknowledged += known.length;
    if (kill % 10 === 0)
      process.stdout.write(
        `${kill} of ${kills} kills: ${acknowledged} acknowledged, 0 lost, ${chain.sequence} events in the chain\n`,
      );
  }
  child.kill('SIGTERM');
  await once(child, 'exit');
  const { sequence } = verifyFiles(data, { thorough: true });
  process.stdout.write(
    `${kills} kills of the server, ${acknowledged} acknowledged deposits, 0 lost; ${sequence} events, chain right from the first\n`,
  );
  rmSync(data, { recursive: true });
}

async function start(url: URL, env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['server/start.mjs'], {
    cwd: root,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  while (!(await answers(new URL('/health/ready', url)))) {
    if (child.exitCode !== null) throw new Error('the server did not start again');
    await sleep(10);
  }
  return child;
}

async function answers(url: URL): Promise<boolean> {
  try {
    const answer = await fetch(url);
    await answer.text();
    return answer.status === 200;
  } catch {
    return false;
  }
}

/** Deposits one after the other until the server is gone. */
async function load(url: URL, messages: readonly Deposit[], acknowledged: Deposit[]): Promise<void> {
  for (const message of messages) {
    const answer = await fetch(new URL('/xds/repository', url), {
      method: 'POST',
      headers: { 'Content-Type': message.contentType },
      body: Uint8Array.from(message.body),
    }).then(
      (response) => response.text(),
      () => undefined,
    );
    if (answer === undefined) return;
    if (!answer.includes('ResponseStatusType:Success')) throw new Error(`a deposit was refused: ${answer}`);
    acknowledged.push(message);
  }
}

async function verify(url: URL, token: string, known: readonly Deposit[]): Promise<void> {
  const headers = { Authorization: `Bearer ${token}` };
  for (const [index, { uniqueId, patient, document }] of known.entries()) {
    const search = new URL(
      `/fhir/DocumentReference?patient.identifier=urn:oid:${patient.oid}%7C${patient.value}&status=current&identifier=urn:oid:${uniqueId}`,
      url,
    );
    const bundle = (await (await fetch(search, { headers })).json()) as {
      entry?: { resource: { content: { attachment: { url: string } }[] } }[];
    };
    const found = bundle.entry?.[0]?.resource.content[0]?.attachment.url;
    if (found === undefined) throw new Error(`${uniqueId} was acknowledged and is lost`);
    if (index < known.length - 5) continue;
    const bytes = Buffer.from(await (await fetch(found, { headers })).arrayBuffer());
    if (!bytes.equals(document)) throw new Error(`${uniqueId} came back with other bytes`);
  }
}
