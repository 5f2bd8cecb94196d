import { stdout } from 'node:process';
import { readConfig } from './config/read-config.ts';
import { SettingsWrong } from './config/settings-wrong.ts';
import { sandboxCentres } from './sandbox/people.ts';
import { welcome } from './sandbox/welcome.ts';
import type { RunningServer } from './server.ts';

// Whatever is written is for the owner of the process alone.
process.umask(0o077);

const server: { running?: RunningServer; stopping?: true } = {};

/** Once: npm passes on what the terminal has told already. */
function stop(): void {
  if (server.stopping === true) return;
  server.stopping = true;
  Promise.resolve(server.running?.stop()).then(
    () => process.exit(0),
    () => process.exit(1),
  );
}
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);

try {
  // The settings are read in another thread while this one loads what needs them.
  const [config, { startServer }] = await Promise.all([readConfig(sandboxCentres), import('./server.ts')]);
  if (config.sandbox) {
    const { makeCards } = await import('./sandbox/cards.ts');
    await makeCards(config.data, (line) => stdout.write(`${line}\n`));
  }
  const running = await startServer(config);
  server.running = running;
  if (config.sandbox) {
    await running.seed((line) => stdout.write(`${line}\n`));
    stdout.write(welcome(running.address));
  }
  running.nowReady();
} catch (error) {
  // What a stop interrupts ends with the stop.
  if (server.stopping !== true) {
    const wrong = error instanceof SettingsWrong;
    process.stderr.write(wrong ? `${error.message}\n` : `The server could not start: ${reason(error)}\n`);
    process.exit(wrong ? 78 : 1);
  }
}

function reason(error: unknown): string {
  return Error.isError(error) ? error.message : String(error);
}
