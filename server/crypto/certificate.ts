import { hash, type KeyObject, type X509Certificate } from 'node:crypto';
import { attributeType, type DistinguishedName } from './distinguished-name.ts';

/** What an identification needs of a certificate. Times in milliseconds since 1970, the serial number in hexadecimal, lower case. */
export type Certificate = {
  readonly fingerprint: string;
  readonly publicKey: KeyObject;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  readonly serial: string;
  readonly notBefore: number;
  readonly notAfter: number;
  /** Whether it may sign other certificates. */
  readonly authority: boolean;
  /** Whether KeyUsage allows signing of messages: digitalSignature or nonRepudiation. False without KeyUsage. RFC 5280 §4.2.1.3. */
  readonly signs: boolean;
  /** Whether the key is long enough: RSA of 2048 bits, P-256 or P-384. */
  readonly strong: boolean;
  /** The profession code that IGC-Santé writes into cards (1.2.250.1.71.1.2.7), where there is one. */
  readonly profession?: string;
};

/** Serial numbers revoked by one authority. `nextUpdate` in milliseconds since 1970. */
export type RevocationList = {
  readonly issuer: DistinguishedName;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly revoked: ReadonlySet<string>;
  /** Whether the authority signed it. */
  readonly signedBy: (authority: X509Certificate) => Promise<boolean>;
};

/** SHA-256 of the DER, in hexadecimal. */
export function fingerprintOf(der: Uint8Array): string {
  return hash('sha256', der, 'hex');
}

/** Reads everything of one certificate. Costs about a millisecond: keep the result. */
export async function readCertificate(certificate: X509Certificate): Promise<Certificate> {
  const x509 = await loadX509();
  const read = new x509.X509Certificate(certificate.raw);
  const usage = read.getExtension(x509.KeyUsagesExtension)?.usages ?? 0;
  const profession = read.getExtension(professionExtension);
  return {
    fingerprint: fingerprintOf(certificate.raw),
    publicKey: certificate.publicKey,
    subject: nameOf(read.subjectName.toJSON()),
    issuer: nameOf(read.issuerName.toJSON()),
    serial: serialOf(read.serialNumber),
    notBefore: read.notBefore.getTime(),
    notAfter: read.notAfter.getTime(),
    authority: certificate.ca || read.getExtension(x509.BasicConstraintsExtension)?.ca === true,
    signs: (usage & (x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.nonRepudiation)) !== 0,
    strong: strong(certificate.publicKey),
    ...(profession !== null && { profession: derText(Buffer.from(profession.value)) }),
  };
}

/**
 * Reads a complete list of one authority.
 * @throws when the text is no list, only a delta, or says not when the next one comes
 */
export async function readRevocationList(pem: string): Promise<RevocationList> {
  const x509 = await loadX509();
  const list = new x509.X509Crl(pem);
  if (list.getExtension(deltaExtension) !== null) throw new Error('a delta revocation list cannot be used alone');
  if (list.nextUpdate === undefined) throw new Error('a revocation list without nextUpdate cannot be used');
  return {
    issuer: nameOf(list.issuerName.toJSON()),
    thisUpdate: list.thisUpdate.getTime(),
    nextUpdate: list.nextUpdate.getTime(),
    revoked: new Set(list.entries.map((entry) => serialOf(entry.serialNumber))),
    signedBy: (authority) => list.verify({ publicKey: new x509.X509Certificate(authority.raw) }),
  };
}

const professionExtension = '1.2.250.1.71.1.2.7';
const deltaExtension = '2.5.29.27';

/** Loaded on first use: it takes a tenth of a second and 20 MB, and wants the metadata polyfill before it. */
export async function loadX509() {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

function nameOf(sets: readonly Readonly<Record<string, readonly string[]>>[]): DistinguishedName {
  return sets.map((set) =>
    Object.entries(set).flatMap(([type, values]) =>
      values.map((value) => ({ oid: attributeType(type) ?? type, value })),
    ),
  );
}

function strong({ asymmetricKeyType, asymmetricKeyDetails: details }: KeyObject): boolean {
  if (asymmetricKeyType === 'ec') return details?.namedCurve === 'prime256v1' || details?.namedCurve === 'secp384r1';
  return asymmetricKeyType === 'rsa' && (details?.modulusLength ?? 0) >= 2048;
}

function serialOf(hex: string): string {
  return hex.toLowerCase().replace(/^0+(?=.)/, '');
}

/** The text of a short DER string, or of one inside an OCTET STRING. */
function derText(der: Buffer): string {
  const content = der.length >= 2 && der[1] === der.length - 2 ? der.subarray(2) : der;
  return content.toString('latin1');
}
