/** One attribute of a name: OID of its type, and its value. */
export type NameAttribute = { readonly oid: string; readonly value: string };

/** A distinguished name: sets of attributes in the order of the certificate. X.501 §9. */
export type DistinguishedName = readonly (readonly NameAttribute[])[];

/** Keywords as the tools of the trade print them. RFC 4514 §3; OpenSSL, Java, .NET. */
const keywords: Readonly<Record<string, string>> = {
  CN: '2.5.4.3',
  SN: '2.5.4.4',
  SURNAME: '2.5.4.4',
  SERIALNUMBER: '2.5.4.5',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  S: '2.5.4.8',
  STREET: '2.5.4.9',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  T: '2.5.4.12',
  TITLE: '2.5.4.12',
  GN: '2.5.4.42',
  G: '2.5.4.42',
  GIVENNAME: '2.5.4.42',
  I: '2.5.4.43',
  INITIALS: '2.5.4.43',
  DC: '0.9.2342.19200300.100.1.25',
  UID: '0.9.2342.19200300.100.1.1',
  E: '1.2.840.113549.1.9.1',
  EMAIL: '1.2.840.113549.1.9.1',
  EMAILADDRESS: '1.2.840.113549.1.9.1',
};

/** The OID of a keyword, or the OID itself. */
export function attributeType(text: string): string | undefined {
  const name = text.replace(/^OID\./i, '');
  if (/^\d+(\.\d+)+$/.test(name)) return name;
  return Object.hasOwn(keywords, name.toUpperCase()) ? keywords[name.toUpperCase()] : undefined;
}

/** All values of one type, in order. */
export function valuesOf(name: DistinguishedName, oid: string): string[] {
  return name.flat().flatMap((a) => (a.oid === oid ? [a.value] : []));
}

/**
 * Reads the text of a name: attributes joined by `,` or `;` and, within one set, by `+`; values escaped by `\`, quoted, or `#` and the
 * hexadecimal DER. Undefined for what is no name. RFC 2253 §3, RFC 4514 §3.
 */
export function readName(text: string): DistinguishedName | undefined {
  const sets: NameAttribute[][] = [[]];
  let at = 0;
  for (;;) {
    const equals = text.indexOf('=', at);
    if (equals < 0) return undefined;
    const oid = attributeType(text.slice(at, equals).trim());
    const end = endOfValue(text, equals + 1);
    const value = end === undefined ? undefined : readValue(text.slice(equals + 1, end).trim());
    if (oid === undefined || end === undefined || value === undefined) return undefined;
    sets.at(-1)?.push({ oid, value });
    if (end === text.length) return sets;
    if (text[end] !== '+') sets.push([]);
    at = end + 1;
  }
}

/**
 * Whether both name the same subject: the same sets in the same or the reversed order (RFC 2253 prints the last first, other tools the
 * first), case and runs of white space ignored. RFC 5280 §7.1.
 */
export function sameName(a: DistinguishedName, b: DistinguishedName): boolean {
  const left = a.map(comparable);
  const right = b.map(comparable);
  const equal = (other: readonly string[]) => left.length === other.length && left.every((set, i) => set === other[i]);
  return equal(right) || equal(right.toReversed());
}

function comparable(set: readonly NameAttribute[]): string {
  return JSON.stringify(
    set.map(({ oid, value }) => `${oid}=${value.trim().replace(/\s+/g, ' ').toLowerCase().normalize('NFC')}`).sort(),
  );
}

function endOfValue(text: string, from: number): number | undefined {
  let quoted = false;
  for (let i = from; i < text.length; i++) {
    const c = text[i];
    if (c === '\\') {
      if (++i === text.length) return undefined;
    } else if (c === '"') quoted = !quoted;
    else if (!quoted && (c === ',' || c === ';' || c === '+')) return i;
  }
  return quoted ? undefined : text.length;
}

function readValue(text: string): string | undefined {
  if (text.startsWith('#')) return readHexadecimal(text.slice(1));
  const bare = text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
  return bare.replace(
    /(?:\\[0-9a-fA-F]{2})+|\\(.)/gs,
    (written: string, single: string | undefined) =>
      single ?? Buffer.from(written.replaceAll('\\', ''), 'hex').toString('utf8'),
  );
}

/** A DER string of the kinds that names are made of: UTF8String, PrintableString, T61String, IA5String, BMPString. */
function readHexadecimal(hex: string): string | undefined {
  if (!/^([0-9a-fA-F]{2})+$/.test(hex)) return undefined;
  const der = Buffer.from(hex, 'hex');
  const long = der[1] === 0x81;
  const from = long ? 3 : 2;
  const length = long ? der[2] : der[1];
  if (length === undefined || length !== der.length - from) return undefined;
  const content = der.subarray(from);
  if (der[0] === 0x0c) return content.toString('utf8');
  if (der[0] === 0x13 || der[0] === 0x14 || der[0] === 0x16) return content.toString('latin1');
  if (der[0] === 0x1e && length % 2 === 0) return Buffer.from(content).swap16().toString('utf16le');
  return undefined;
}
