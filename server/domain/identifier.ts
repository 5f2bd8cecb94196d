/** The owner of an identifier: an OID (`ISO`), or a bare namespace. HL7 v2 HD. */
export type Authority = { readonly oid?: string; readonly namespace?: string };

/**
 * HL7 v2 CX: a person's identifier. `type` is component 5 (`NH`, `PI`), which the French samples send and which is no identity.
 * `rest` keeps every other component as written, by its 1-based position. IHE ITI TF-3 table 4.2.3.1.7-2.
 */
export type Cx = {
  readonly id: string;
  readonly authority: Authority;
  readonly type?: string;
  readonly rest?: Readonly<Record<string, string>>;
};

/** HL7 v2 CXi: an identifier in referenceIdList; `type` is a URN such as `urn:ihe:iti:xds:2013:accession`. */
export type Cxi = {
  readonly id: string;
  readonly authority: Authority;
  readonly type: string;
  readonly rest?: Readonly<Record<string, string>>;
};

/** An identifier as FHIR writes it: value and OID of its system, nothing else. The identity of a CX. */
export type Identifier = { readonly value: string; readonly oid: string };

const oid = /^[0-2](\.(0|[1-9]\d*))+$/;
const uuid = /^urn:uuid:[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/;

/** Dotted decimal, first arc 0–2, no leading zeros, at most 64 characters. */
export function isOid(text: string): boolean {
  return text.length <= 64 && oid.test(text);
}

/** `urn:uuid:` and 8-4-4-4-12 hexadecimal digits, in any case; anything else is a symbolic id. */
export function isUuid(text: string): boolean {
  return text.length === 45 && uuid.test(text);
}

/** A UUID, without prefix, as an OID. ITU-T X.667 §7. */
export function oidOfUuid(uuid: string): string {
  return `2.25.${BigInt(`0x${uuid.replaceAll('-', '')}`)}`;
}

/** An identifier as a CX names it: value and authority, nothing else. */
export function cxOf({ value, oid }: Identifier): Cx {
  return { id: value, authority: { oid } };
}

/** Whether both are one: value and OID. What is told of the type or use of an identifier is no part of it. */
export function sameIdentifier(a: Identifier, b: Identifier): boolean {
  return a.value === b.value && a.oid === b.oid;
}

/** Whether both CX name the same person: value and authority; components 5 and 7 are not identity. */
export function sameCx(a: Cx, b: Cx): boolean {
  return a.id === b.id && a.authority.oid === b.authority.oid;
}
