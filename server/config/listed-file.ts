import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { z } from 'zod';

/** What a file lists, or all that is wrong with it, each mistake beginning with the setting that names the file. */
export type Listed<T> = { readonly listed: readonly T[]; readonly mistakes: readonly string[] };

/**
 * Reads a JSON file that a setting names, as a list.
 * @param conflicts what is wrong with the entries beside each other, where each is sound by itself
 */
export function readListed<T>(
  setting: string,
  file: string,
  list: z.ZodType<readonly T[]>,
  conflicts: (listed: readonly T[]) => readonly string[],
): Listed<T> {
  const wrong = (mistakes: readonly string[]): Listed<T> => ({
    listed: [],
    mistakes: mistakes.map((mistake) => `${setting} ${mistake}`),
  });
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(resolve(file), 'utf8'));
  } catch (error) {
    return wrong([
      `names a file that cannot be read: ${file}: ${Error.isError(error) ? error.message : String(error)}`,
    ]);
  }
  const parsed = list.safeParse(json);
  if (!parsed.success)
    return wrong(parsed.error.issues.map(({ path, message }) => `${file} [${path.join('.')}] ${message}`));
  const mistakes = conflicts(parsed.data);
  return mistakes.length === 0 ? { listed: parsed.data, mistakes } : wrong(mistakes);
}

/** The first name that stands more than once. */
export function listedTwice(names: readonly string[]): string[] {
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  return twice === undefined ? [] : [`lists ${twice} twice`];
}
