import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Config } from './config.ts';
import type { ConfigTold } from './config-thread.ts';
import { SettingsWrong } from './settings-wrong.ts';

/**
 * Reads the configuration in a thread that ends: checking it takes 12 MB of code that nobody needs afterwards.
 * @throws SettingsWrong
 */
export async function readConfig(sandboxCentres: readonly string[]): Promise<Config> {
  const thread = new Worker(new URL('./config-thread.ts', import.meta.url), { workerData: { sandboxCentres } });
  const [told] = (await once(thread, 'message')) as [ConfigTold];
  if ('wrong' in told) throw new SettingsWrong(told.wrong);
  return told.config;
}
