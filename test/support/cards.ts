import { existsSync } from 'node:fs';
import { cp, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeCards, sandboxFolder } from '../../server/sandbox/cards.ts';

/** Puts the cards of the sandbox into a data folder. A run of the tests makes them once, since two seconds go by until all keys are found. */
export async function putCards(data: string): Promise<void> {
  const run = process.env['OPENDMP_TEST_RUN'];
  if (run === undefined) return makeCards(data, () => {});
  const made = sandboxFolder(run);
  if (!existsSync(made)) await keepCards(run, made);
  await cp(made, sandboxFolder(data), { recursive: true });
}

/** Two that make them at once are no matter: those of the first stay. */
async function keepCards(run: string, made: string): Promise<void> {
  const folder = await mkdtemp(join(run, 'making-'));
  await makeCards(folder, () => {});
  await rename(sandboxFolder(folder), made).catch((error: unknown) => {
    if (!existsSync(made)) throw error;
  });
  await rm(folder, { recursive: true });
}
