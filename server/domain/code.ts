/** A coded value. `system` is an OID, or `URN`/`ASTM` where the French value sets write it so. IHE ITI TF-3 4.2.3.1.2. */
export type Code = { readonly code: string; readonly system: string; readonly display?: string };

/** Codes are equal when code and system are equal; the display name never decides. IHE ITI TF-3 4.2.3.1.2. */
export function sameCode(a: Code, b: { readonly code: string; readonly system: string }): boolean {
  return a.code === b.code && a.system === b.system;
}
