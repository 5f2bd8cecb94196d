/**
 * What the caller prefers of this name; undefined where nothing is said. Names are found whatever their case, values may be quoted, and the first
 * one counts. RFC 7240 §2.
 */
export function preference(header: string, name: string): string | undefined {
  for (const part of header.split(',')) {
    const [, said = '', quoted, plain] =
      /^\s*([^\s=;]+)\s*(?:=\s*(?:"([^"]*)"|([^\s;"]+)))?\s*(?:;|$)/.exec(part) ?? [];
    if (said.toLowerCase() === name) return quoted ?? plain;
  }
  return undefined;
}
