/** A media type; type and names of parameters are lower case. */
export type MediaType = { readonly type: string; readonly parameters: ReadonlyMap<string, string> };

/**
 * Reads a Content-Type. Values may be quoted or not, and hold what senders put there unquoted (`start=<root@host>`).
 * Undefined when it is malformed or a parameter is given twice. RFC 9110 §8.3.1, RFC 2045 §5.1.
 */
export function readMediaType(header: string): MediaType | undefined {
  const type = /^[ \t]*([\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+)[ \t]*(?=;|$)/.exec(header);
  if (type === null) return undefined;
  const parameters = new Map<string, string>();
  parameter.lastIndex = type[0].length;
  while (parameter.lastIndex < header.length) {
    const found = parameter.exec(header);
    if (found === null) return undefined;
    const [, name, quoted, plain = ''] = found;
    if (name === undefined) continue;
    if (parameters.has(name.toLowerCase())) return undefined;
    parameters.set(name.toLowerCase(), quoted === undefined ? plain.trim() : quoted.replace(/\\(.)/g, '$1'));
  }
  return { type: (type[1] ?? '').toLowerCase(), parameters };
}

/** `;` alone, or `; name=value`. */
const parameter = /;[ \t]*(?:([\w!#$%&'*+.^`|~-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"[ \t]*(?=;|$)|([^;"]*)(?=;|$)))?/y;
