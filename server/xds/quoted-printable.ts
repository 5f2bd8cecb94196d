import { refuse } from '../domain/error.ts';

/** What a line may hold at most: senders break at 76 characters. */
const longest = 64 * 1024;

/**
 * Decodes a part while it streams in: white space at the end of a line is not meant, `=` there joins it to the next. RFC 2045 §6.7.
 * @throws Refused multipartBroken
 */
export async function* fromQuotedPrintable(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let rest = '';
  for await (const piece of body) {
    const text = rest + piece.toString('latin1');
    const end = text.lastIndexOf('\n') + 1;
    rest = text.slice(end);
    if (rest.length > longest) broken();
    if (end > 0) yield Buffer.from(decoded(text.slice(0, end)), 'latin1');
  }
  if (rest !== '') yield Buffer.from(decoded(rest), 'latin1');
}

function decoded(lines: string): string {
  const meant = lines.replace(/(?<![ \t])[ \t]+(?=\r?\n|$)/g, '').replace(/=(?:\r?\n|$)/g, '');
  if (/=(?![0-9A-Fa-f]{2})/.test(meant)) broken();
  return meant.replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function broken(): never {
  refuse('multipartBroken', { detail: 'a part that is not quoted-printable as it says' });
}
