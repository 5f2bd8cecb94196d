/**
 * What a kill test is told on its command line: whole numbers from 1, in the order of their defaults. Anything else ends the process with the usage
 * and 64.
 */
export function countsTold(usage: string, defaults: readonly number[]): number[] {
  const told = process.argv.slice(2);
  const counts = defaults.map((usual, index) => (told[index] === undefined ? usual : Number(told[index])));
  if (told.length <= defaults.length && counts.every((count) => Number.isSafeInteger(count) && count > 0))
    return counts;
  console.error(`usage: ${usage}`);
  process.exit(64);
}
