import { isOid } from './identifier.ts';

/** A coded value. `system` is an OID, or `URN`/`ASTM` where the French value sets write it so. IHE ITI TF-3 4.2.3.1.2. */
export type Code = { readonly code: string; readonly system: string; readonly display?: string };

/** Codes are equal when code and system are equal; the display name never decides. IHE ITI TF-3 4.2.3.1.2. */
export function sameCode(a: Code, b: { readonly code: string; readonly system: string }): boolean {
  return a.code === b.code && a.system === b.system;
}

/** The code in a role or specialty of an author, which CI-SIS writes `code^display^oid`; undefined for any other text. */
export function codeInText(text: string): Code | undefined {
  const [code = '', display = '', system = '', ...more] = text.split('^');
  return code !== '' && display !== '' && isOid(system) && more.length === 0 ? { code, system, display } : undefined;
}
