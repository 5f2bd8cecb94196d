import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import * as x509 from '@peculiar/x509';
import { NotIdentified } from '../../server/auth/credentials.ts';
import { openTrust } from '../../server/auth/trust.ts';
import { readName, sameName } from '../../server/crypto/distinguished-name.ts';

const now = Date.parse('2026-03-02T10:00:00Z');
const day = 86_400_000;
const rsa = (modulusLength: number) => ({
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength,
});
const { digitalSignature, nonRepudiation, keyEncipherment, keyCertSign, cRLSign } = x509.KeyUsageFlags;

const makeKeys = (algorithm: webcrypto.RsaHashedKeyGenParams | webcrypto.EcKeyGenParams) =>
  webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

let authority: webcrypto.CryptoKeyPair;
let other: webcrypto.CryptoKeyPair;
let leaf: webcrypto.CryptoKeyPair;
let pem: string;
let otherPem: string;

type Leaf = {
  usage?: number;
  keys?: webcrypto.CryptoKeyPair;
  by?: webcrypto.CryptoKeyPair;
  serial?: string;
  ca?: boolean;
};

async function issue({ usage, keys = leaf, by = authority, serial = '0a01', ca = false }: Leaf): Promise<Buffer> {
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: serial,
    subject: 'CN=899970000016, C=FR',
    issuer: 'CN=AC ESSAI, C=FR',
    notBefore: new Date(now - day),
    notAfter: new Date(now + day),
    signingAlgorithm: rsa(2048),
    publicKey: keys.publicKey,
    signingKey: by.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(ca, undefined, true),
      ...(usage === undefined ? [] : [new x509.KeyUsagesExtension(usage, true)]),
    ],
  });
  return Buffer.from(made.rawData);
}

async function issueAuthority(keys: webcrypto.CryptoKeyPair, subject: string): Promise<string> {
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: subject,
    notBefore: new Date(now - day),
    notAfter: new Date(now + 5 * day),
    signingAlgorithm: rsa(2048),
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(keyCertSign | cRLSign | digitalSignature, true),
    ],
  });
  return made.toString('pem');
}

async function revoke(
  serials: readonly string[],
  { by = authority, from = now - day, to = now + day, delta = false } = {},
) {
  const list = await x509.X509CrlGenerator.create({
    issuer: 'CN=AC ESSAI, C=FR',
    thisUpdate: new Date(from),
    nextUpdate: new Date(to),
    signingAlgorithm: rsa(2048),
    signingKey: by.privateKey,
    entries: serials.map((serialNumber) => ({ serialNumber, revocationDate: new Date(from) })),
    extensions: delta ? [new x509.Extension('2.5.29.27', true, new Uint8Array([2, 1, 1]))] : [],
  });
  // The label of RFC 7468 §6.
  return list.toString('pem').replaceAll(' CRL-----', ' X509 CRL-----');
}

async function verdict(der: Buffer, { authorities = pem, crls = '', at = now } = {}): Promise<string> {
  const trust = await openTrust({ authorities, crls });
  try {
    await trust.certificate(der, at);
    return 'trusted';
  } catch (error) {
    if (error instanceof NotIdentified) return error.why;
    throw error;
  }
}

beforeAll(async () => {
  [authority, other, leaf] = await Promise.all([makeKeys(rsa(2048)), makeKeys(rsa(2048)), makeKeys(rsa(2048))]);
  pem = await issueAuthority(authority, 'CN=AC ESSAI, C=FR');
  otherPem = await issueAuthority(other, 'CN=AC AUTRE, C=FR');
});

describe('a certificate is trusted', () => {
  test.each([
    ['for signatures', digitalSignature],
    ['for commitment', nonRepudiation],
    ['for both', digitalSignature | nonRepudiation | keyEncipherment],
  ])('made %s by an authority of the store', async (_, usage) => {
    expect(await verdict(await issue({ usage }), { authorities: `${otherPem}\n${pem}` })).toBe('trusted');
  });

  test.each(['P-256', 'P-384'])('with a key on %s', async (namedCurve) => {
    const keys = await makeKeys({ name: 'ECDSA', namedCurve });
    expect(await verdict(await issue({ usage: digitalSignature, keys }))).toBe('trusted');
  });

  test('until it ends, and from its beginning', async () => {
    const der = await issue({ usage: digitalSignature });
    expect(await verdict(der, { at: now - day })).toBe('trusted');
    expect(await verdict(der, { at: now - day - 1 })).toBe('certificate not yet valid');
    expect(await verdict(der, { at: now + day + 1 })).toBe('certificate expired');
  });
});

describe('a certificate is not trusted', () => {
  test('for encryption alone, or without a stated use', async () => {
    expect(await verdict(await issue({ usage: keyEncipherment }))).toBe('certificate not made for signing');
    expect(await verdict(await issue({}))).toBe('certificate not made for signing');
  });

  test('of another authority with the same name, or self-signed', async () => {
    expect(await verdict(await issue({ usage: digitalSignature, by: other }))).toBe(
      'certificate of no trusted authority',
    );
    expect(await verdict(await issue({ usage: digitalSignature, by: leaf }))).toBe(
      'certificate of no trusted authority',
    );
  });

  test('of an authority, the trusted one included', async () => {
    expect(await verdict(await issue({ usage: digitalSignature, ca: true }))).toBe('certificate of an authority');
    expect(await verdict(Buffer.from(new x509.X509Certificate(pem).rawData))).toBe('certificate of an authority');
  });

  test('with a short key, or on an unusual curve', async () => {
    expect(await verdict(await issue({ usage: digitalSignature, keys: await makeKeys(rsa(1024)) }))).toBe(
      'certificate with a weak key',
    );
    const keys = await makeKeys({ name: 'ECDSA', namedCurve: 'P-521' });
    expect(await verdict(await issue({ usage: digitalSignature, keys }))).toBe('certificate with a weak key');
  });

  test('when it is none', async () => {
    expect(await verdict(Buffer.from('no certificate'))).toBe('certificate unreadable');
  });

  test('once it is revoked', async () => {
    const der = await issue({ usage: digitalSignature, serial: '00ab' });
    expect(await verdict(der, { crls: await revoke(['ab12', '00cd']) })).toBe('trusted');
    expect(await verdict(der, { crls: await revoke(['00ab']) })).toBe('certificate revoked');
  });

  test('while the list of its authority is out of date; the newest list counts', async () => {
    const der = await issue({ usage: digitalSignature });
    const old = await revoke([], { from: now - 2 * day, to: now - day });
    expect(await verdict(der, { crls: old })).toBe('revocation list out of date');
    expect(await verdict(der, { crls: `${await revoke([])}\n${old}` })).toBe('trusted');
  });
});

describe('a trust store is refused at the start', () => {
  const opened = async (authorities: string, crls = '') => openTrust({ authorities, crls });

  test('when it holds nothing, or something that is no authority', async () => {
    const pemOf = (der: Buffer) => new x509.X509Certificate(der).toString('pem');
    await expect(opened('')).rejects.toThrow('the trust store holds no certificate');
    await expect(opened(pemOf(await issue({ usage: digitalSignature })))).rejects.toThrow(
      'that is no authority: CN=899970000016, C=FR',
    );
  });

  test('when a revocation list is of a stranger, or tells changes only', async () => {
    await expect(opened(pem, await revoke([], { by: other }))).rejects.toThrow('signed by no authority');
    await expect(opened(pem, await revoke([], { delta: true }))).rejects.toThrow('delta');
    await expect(opened(pem, 'MIIB')).rejects.toThrow('not in PEM form');
  });
});

describe('names', () => {
  const same = (a: string, b: string) => {
    const [left, right] = [readName(a), readName(b)];
    return left !== undefined && right !== undefined && sameName(left, right);
  };

  test.each([
    ['CN=a,O=b,C=FR', 'C=FR, O=b, CN=a'],
    ['GN=Zoé+SN=LE GALL+CN=8,C=FR', 'C=FR;CN=8 + SN=Le  Gall + GN=Zoé'],
    ['title=Médecin,C=FR', 'T=médecin,C=FR'],
    ['title=Médecin,C=FR', 'OID.2.5.4.12=M\\C3\\A9decin,C=FR'],
    ['2.5.4.4=#0C064D415254494E', 'SURNAME=MARTIN'],
    ['2.5.4.4=#13064D415254494E', 'SN=MARTIN'],
    ['2.5.4.4=#1E0400C90041', 'SN=ÉA'],
    ['O="Dupont, Frères"', 'O=Dupont\\, Frères'],
    ['ST=Rhône (69),O=a\\+b\\=c', 'S=Rhône (69),O=a\\2Bb\\3Dc'],
    ['GIVENNAME=a,E=x@y', 'G=a,1.2.840.113549.1.9.1=x@y'],
  ])('%s is %s', (a, b) => expect(same(a, b)).toBe(true));

  test.each([
    ['CN=a,O=b,C=FR', 'O=b,CN=a,C=FR'],
    ['CN=a,C=FR', 'CN=a'],
    ['CN=a,O=b', 'CN=a+O=b'],
    ['CN=a', 'OU=a'],
    ['SN=a', 'SERIALNUMBER=a'],
    ['CN=a\\,O\\=b', 'CN=a,O=b'],
  ])('%s is not %s', (a, b) => expect(same(a, b)).toBe(false));

  test.each(['', 'CN', 'XX=a', 'CN=a,', 'CN="a', 'CN=a\\', 'CN=#0C', 'CN=#0C05AB', 'CN=#zz', '1.2.=a'])(
    '%s is no name',
    (text) => expect(readName(text)).toBeUndefined(),
  );
});
