import { on } from 'node:events';
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
  // `node --watch` hears from threads on the same channel which files they load.
  for await (const [told] of on(thread, 'message') as AsyncIterable<[ConfigTold | object]>) {
    if ('wrong' in told) throw new SettingsWrong(told.wrong);
    if ('config' in told) return told.config;
  }
  throw new Error('The settings were not read');
}
