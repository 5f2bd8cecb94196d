import type { CodeMatch } from '../store/port.ts';

/** One value of a query parameter as it was coded. */
export type Literal = { readonly text: string; readonly quoted: boolean };

const literal = /\s*(?:'([^']*(?:''[^']*)*)'|(\d+))\s*/y;

/**
 * Reads one rim:Value of a query parameter: `'text'` with quotes doubled inside, bare digits, or a list of them in parentheses; white space
 * around commas is allowed. undefined when malformed. IHE ITI TF-2 3.18.4.1.2.3.4, 3.18.4.1.2.3.5.
 */
export function readLiterals(value: string): readonly Literal[] | undefined {
  const text = value.trim();
  const list = text.startsWith('(');
  if (list !== text.endsWith(')')) return undefined;
  const end = list ? text.length - 1 : text.length;
  const found: Literal[] = [];
  let at = list ? 1 : 0;
  for (;;) {
    literal.lastIndex = at;
    const match = literal.exec(text);
    if (match === null) return undefined;
    const [whole, quoted, digits] = match;
    found.push({ text: quoted?.replaceAll("''", "'") ?? digits ?? '', quoted: quoted !== undefined });
    at += whole.length;
    if (at === end) return found;
    if (!list || text[at] !== ',') return undefined;
    at++;
  }
}

/** Reads `code^^scheme`; both are required, a display name between them is not looked at. IHE ITI TF-2 3.18.4.1.2.3.4. */
export function readCodeMatch(text: string): CodeMatch | undefined {
  const [code = '', , system = '', ...more] = text.split('^').map((part) => part.trim());
  return code === '' || system === '' || more.length > 0 ? undefined : { code, system };
}

/**
 * A pattern for HL7 v2 values without the delimiters at its end, which say nothing there as they say nothing in a value; behind `%` they would
 * be all that is asked. IHE ITI TF-3 table 4.2.3.1.7-2 (XCN).
 */
export function withoutTrailingDelimiters(pattern: string): string {
  let end = pattern.length;
  while (pattern[end - 1] === '^' || pattern[end - 1] === '&') end--;
  const text = pattern.slice(0, end);
  return text === '' || text.endsWith('%') ? pattern : text;
}
