import { stdout } from 'node:process';
import { configOf } from './config/config.ts';
import { readEnv, SettingsWrong } from './config/env.ts';
import { makeCards } from './sandbox/cards.ts';
import { sandboxCentres } from './sandbox/people.ts';
import { welcome } from './sandbox/welcome.ts';
import { startServer } from './server.ts';

try {
  const config = configOf(readEnv(), sandboxCentres);
  if (config.sandbox) await makeCards(config.data, (line) => stdout.write(`${line}\n`));
  const server = await startServer(config);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      void server.stop().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
  }
  if (config.sandbox) {
    await server.seed((line) => stdout.write(`${line}\n`));
    stdout.write(welcome(server.address));
  }
  server.nowReady();
} catch (error) {
  process.stderr.write(error instanceof SettingsWrong ? `${error.message}\n` : `The server could not start: ${reason(error)}\n`);
  process.exit(error instanceof SettingsWrong ? 78 : 1);
}

function reason(error: unknown): string {
  return Error.isError(error) ? error.message : String(error);
}
