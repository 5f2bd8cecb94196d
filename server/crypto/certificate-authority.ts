import { randomBytes, webcrypto } from 'node:crypto';
import { loadX509 } from './certificate.ts';
import type { DistinguishedName } from './distinguished-name.ts';

/** A certificate with its private key (PKCS #8). */
export type Issued = { readonly certificate: string; readonly der: Uint8Array; readonly privateKey: string };

export type CertificateAuthority = {
  /** PEM. */
  readonly certificate: string;
  /** An authority below this one, which issues to persons or organisations only. */
  readonly authority: (name: DistinguishedName) => Promise<CertificateAuthority>;
  /** A certificate that signs messages (KeyUsage digitalSignature and nonRepudiation), for ten years, with the given further extensions. */
  readonly issue: (name: DistinguishedName, extensions?: readonly ExtensionValue[]) => Promise<Issued>;
};

/** The DER of an extension's value. */
export type ExtensionValue = { readonly oid: string; readonly der: Uint8Array };

const rsa = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
};
const day = 86_400_000;

/** Makes a root authority with RSA-2048 keys, valid from the day before `now` (milliseconds since 1970) for twenty years. RFC 5280. */
export async function makeRootAuthority(name: DistinguishedName, now: number): Promise<CertificateAuthority> {
  return makeAuthority(name, now, 1, undefined);
}

type Signer = { readonly name: DistinguishedName; readonly keys: webcrypto.CryptoKeyPair };

async function makeAuthority(
  name: DistinguishedName,
  now: number,
  pathLength: number,
  above: Signer | undefined,
): Promise<CertificateAuthority> {
  const { KeyUsageFlags } = await loadX509();
  const self = { name, keys: await makeKeys() };
  const own = await certify(
    self,
    above ?? self,
    { pathLength, years: 20, usage: KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign },
    now,
  );
  return {
    certificate: own.toString('pem'),
    authority: async (below) => makeAuthority(below, now, pathLength - 1, self),
    async issue(holder, extensions = []) {
      const keys = await makeKeys();
      const usage = KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation;
      const certificate = await certify({ name: holder, keys }, self, { years: 10, usage, extensions }, now);
      const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
      return {
        certificate: certificate.toString('pem'),
        der: new Uint8Array(certificate.rawData),
        privateKey: `-----BEGIN PRIVATE KEY-----\n${key.replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`,
      };
    },
  };
}

type Purpose = {
  readonly usage: number;
  readonly years: number;
  readonly pathLength?: number;
  readonly extensions?: readonly ExtensionValue[];
};

async function certify(subject: Signer, issuer: Signer, purpose: Purpose, now: number) {
  const x509 = await loadX509();
  const { pathLength, years, usage, extensions = [] } = purpose;
  return x509.X509CertificateGenerator.create({
    serialNumber: `00${randomBytes(15).toString('hex')}`,
    subject: jsonName(subject.name),
    issuer: jsonName(issuer.name),
    notBefore: new Date(now - day),
    notAfter: new Date(now + years * 365.25 * day),
    signingAlgorithm: rsa,
    publicKey: subject.keys.publicKey,
    signingKey: issuer.keys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(pathLength !== undefined, pathLength, true),
      new x509.KeyUsagesExtension(usage, true),
      await x509.SubjectKeyIdentifierExtension.create(subject.keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey),
      ...extensions.map(({ oid, der }) => new x509.Extension(oid, false, new Uint8Array(der))),
    ],
  });
}

async function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(rsa, true, ['sign', 'verify']);
}

/** The values of one set in the order that DER asks for: by their encoding, hence by length first. X.690 §11.6. */
function jsonName(name: DistinguishedName) {
  return name.map((set) => {
    const ordered = set.toSorted((a, b) => encodedLength(a) - encodedLength(b) || (a.oid < b.oid ? -1 : 1));
    return Object.fromEntries(ordered.map(({ oid, value }) => [oid, [value]]));
  });
}

function encodedLength({ value }: { readonly value: string }): number {
  return Buffer.byteLength(value);
}
