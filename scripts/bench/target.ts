import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import packageFile from '../../package.json' with { type: 'json' };
import { memoryOf } from './machine.ts';

const root = resolve(import.meta.dirname, '../..');

/** A running server with a filled store. */
export type Target = {
  readonly name: string;
  readonly data: string;
  readonly url: URL;
  readonly pid: number;
  /** Milliseconds from start of the process to the first `ready`. */
  readonly startedIn: number;
  /** Resident MB some seconds after the start, before any load. */
  readonly idle: number;
  readonly stop: () => Promise<void>;
};

/** Fills a folder in a process of its own, then starts a server on it. */
export async function startTarget(entries: number, port: number, progress: (line: string) => void): Promise<Target> {
  const data = resolve(root, '.cache', 'bench', String(entries));
  mkdirSync(data, { recursive: true });
  const url = new URL(`http://127.0.0.1:${port}`);
  const env = settingsOf({ data, url });
  const filling = spawn(process.execPath, ['scripts/bench.ts', '--fill', String(entries)], {
    cwd: root,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code] = (await once(filling, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`filling ${entries} entries failed`);
  await serve(url, env);
  progress(`starting the server on ${entries} entries`);
  const { child, startedIn } = await serve(url, env, true);
  const pid = child.pid ?? 0;
  await new Promise((wait) => setTimeout(wait, 5000));
  return {
    name: `${entries.toLocaleString('en')} entries`,
    data,
    url,
    pid,
    startedIn,
    idle: memoryOf(pid, 'VmRSS'),
    stop: () => stop(child),
  };
}

/** A server newly started on the folder of one that was stopped, at rest. */
export async function startAgain({ name, data, url }: Target): Promise<Target> {
  const { child, startedIn } = await serve(url, settingsOf({ data, url }), true);
  const pid = child.pid ?? 0;
  await new Promise((wait) => setTimeout(wait, 2000));
  return { name, data, url, pid, startedIn, idle: memoryOf(pid, 'VmRSS'), stop: () => stop(child) };
}

/** What `stages` answers, in a process of its own, since it needs the folder for itself. */
export async function stagesOf(target: Target, progress: (line: string) => void): Promise<string> {
  progress('measuring the stages');
  const entries = /\d+$/.exec(target.data)?.[0] ?? '';
  const measuring = spawn(process.execPath, ['scripts/bench.ts', '--stages-of', entries], {
    cwd: root,
    env: settingsOf(target),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [code, table] = await Promise.all([once(measuring, 'exit'), text(measuring.stdout)]);
  if (code[0] !== 0) throw new Error('the stages could not be measured');
  return table;
}

function settingsOf({ data, url }: Pick<Target, 'data' | 'url'>): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'] ?? '',
    DMP_DATA: data,
    DMP_PORT: url.port,
    DMP_PUBLIC_URL: url.origin,
    DMP_LOG_LEVEL: 'warn',
  };
}

async function serve(
  url: URL,
  env: NodeJS.ProcessEnv,
  keep = false,
): Promise<{ child: ChildProcess; startedIn: number }> {
  const begun = performance.now();
  // As `npm start` does, which replaces the shell.
  const child = spawn(packageFile.scripts.start, {
    shell: true,
    cwd: root,
    env: { ...env, PATH: `${dirname(process.execPath)}:${env['PATH']}` },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  for (;;) {
    const ready = await fetch(new URL('/health/ready', url)).then(
      async (answer) => {
        await answer.text();
        return answer.status === 200;
      },
      () => false,
    );
    if (ready) break;
    if (child.exitCode !== null) throw new Error('the server did not start');
    await new Promise((wait) => setTimeout(wait, 5));
  }
  const startedIn = performance.now() - begun;
  process.once('exit', () => child.kill('SIGKILL'));
  if (!keep) await stop(child);
  return { child, startedIn };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
