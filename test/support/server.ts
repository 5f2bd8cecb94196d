import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configOf } from '../../server/config/config.ts';
import { readEnv } from '../../server/config/env.ts';
import { openContext } from '../../server/context.ts';
import { sandboxCentres } from '../../server/sandbox/people.ts';
import { seed } from '../../server/sandbox/seed.ts';
import { closeServer, listen } from '../../server/server.ts';
import { putCards } from './cards.ts';
import { clientsOf, publicUrl } from './clients.ts';

type Environment = Readonly<Record<string, string>>;

const settings: Environment = { DMP_PORT: '0', DMP_PUBLIC_URL: publicUrl, DMP_LOG_LEVEL: 'silent' };

/** An empty folder for one server, to be removed by its maker. */
export async function makeEmptyFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'opendmp-server-'));
}

/** A folder for one server with the cards of its sandbox, to be removed by its maker. */
export async function makeFolder(): Promise<string> {
  const folder = await makeEmptyFolder();
  await putCards(folder);
  return folder;
}

/** The real application in this process, its sandbox seeded, one web thread, in a folder of its own. */
export async function openServer(environment: Environment = {}) {
  const folder = await makeFolder();
  const env = readEnv({ ...settings, DMP_DATA: folder, DMP_WEB_THREADS: '1', ...environment });
  const config = configOf(env, sandboxCentres);
  const context = await openContext(config);
  await seed(context.tools, () => {});
  const server = await listen(
    context,
    { ready: () => true, metrics: async () => [await context.metrics.snapshot()] },
    0,
  );
  const { port } = server.address() as AddressInfo;
  return {
    ...clientsOf({ port, folder }),
    context,
    async close() {
      server.closeAllConnections();
      await closeServer(server);
      await context.close();
      await rm(folder, { recursive: true });
    },
  };
}
export type TestServer = Awaited<ReturnType<typeof openServer>>;

/** The server as users start it, in a process of its own; answers when it is ready. */
export async function startProcess(folder: string, environment: Environment = {}) {
  const child = spawn(process.execPath, ['server/start.mjs'], {
    cwd: join(import.meta.dirname, '../..'),
    env: { PATH: process.env['PATH'], ...settings, DMP_DATA: folder, DMP_LOG_LEVEL: 'info', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const printed = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const found = pattern.exec(output);
      if (found !== null) return found;
      if (child.exitCode !== null) throw new Error(`The server ended:\n${output}`);
      await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data'), once(child, 'exit')]);
    }
  };
  const port = Number((await printed(/"port":(\d+)[^}]*"listening"/))[1]);
  while ((await fetch(`http://127.0.0.1:${port}/health/ready`)).status !== 200)
    await new Promise((resolve) => setTimeout(resolve, 25));
  return {
    ...clientsOf({ port, folder }),
    /** All that it wrote to standard output and standard error. */
    output: () => output,
    /** Waits until it has written something. */
    printed,
    /** Ends it; answers its exit code, null where it was killed. */
    end: (signal: NodeJS.Signals) => ended(child, signal),
  };
}
export type ServerProcess = Awaited<ReturnType<typeof startProcess>>;

/** The same where links of its answers are to be followed: they name the port, so that it has to be known before the server has it. */
export async function startAtAddress(folder: string) {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  await new Promise((resolve) => listener.close(resolve));
  const address = `http://127.0.0.1:${port}`;
  const environment = { DMP_PORT: String(port), DMP_PUBLIC_URL: address, DMP_WEB_THREADS: '1' };
  return { ...(await startProcess(folder, environment)), address };
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exit = once(child, 'close');
  child.kill(signal);
  await exit;
  return child.exitCode;
}
