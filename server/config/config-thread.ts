import { parentPort, workerData } from 'node:worker_threads';
import { type Config, configOf } from './config.ts';
import { readEnv } from './env.ts';
import { SettingsWrong } from './settings-wrong.ts';

/** What the thread tells: the configuration, or the text of a SettingsWrong. */
export type ConfigTold = { readonly config: Config } | { readonly wrong: string };

try {
  const { sandboxCentres } = workerData as { sandboxCentres: readonly string[] };
  parentPort?.postMessage({ config: configOf(readEnv(), sandboxCentres) } satisfies ConfigTold);
} catch (error) {
  if (!(error instanceof SettingsWrong)) throw error;
  parentPort?.postMessage({ wrong: error.message } satisfies ConfigTold);
}
