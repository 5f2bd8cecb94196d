/** Placeholder. */
export async function stages(say: (line: string) => void): Promise<string> {
  say('');
  return '';
}
