import { X509Certificate } from 'node:crypto';
import {
  type Certificate,
  fingerprintOf,
  type RevocationList,
  readCertificate,
  readRevocationList,
} from '../crypto/certificate.ts';
import { sameName } from '../crypto/distinguished-name.ts';
import { NotIdentified } from './credentials.ts';

/** The authorities whose certificates may sign a credential. */
export type Trust = {
  /**
   * The certificate, when one of the authorities issued it, it is in time, not revoked and made for signing. `now` in milliseconds.
   * An authority without a revocation list is not asked about revocation; with one that is out of date, nobody of it is trusted.
   * @throws NotIdentified
   */
  readonly certificate: (der: Buffer, now: number) => Promise<Certificate>;
};

type Authority = { readonly x509: X509Certificate; readonly list: RevocationList | undefined };
type Known = { readonly certificate: Certificate; readonly authority: Authority };

const known = 10_000;

/**
 * Reads the authorities and their revocation lists, both PEM texts of any number of blocks. Each authority is trusted by itself: roots and
 * intermediates are listed as needed, no chain is followed above them.
 * @throws with words for the operator when a block cannot be read, is no authority, or a list was not signed by one of them
 */
export async function openTrust({ authorities, crls }: { authorities: string; crls: string }): Promise<Trust> {
  const trusted = blocks(authorities, 'CERTIFICATE').map((pem) => new X509Certificate(pem));
  if (trusted.length === 0) throw new Error('the trust store holds no certificate');
  for (const { ca, subject } of trusted)
    if (!ca) throw new Error(`the trust store holds a certificate that is no authority: ${oneLine(subject)}`);
  const revocations = blocks(crls, '(?:X509 )?CRL');
  if (revocations.length === 0 && crls.trim() !== '') throw new Error('the revocation lists are not in PEM form');
  const lists = await listsOf(revocations, trusted);
  const anchors = trusted.map((x509) => ({ x509, list: lists.get(x509) }));
  const judged = new Map<string, Known>();

  const look = async (der: Buffer): Promise<Known> => {
    const fingerprint = fingerprintOf(der);
    const found = judged.get(fingerprint);
    if (found !== undefined) return found;
    const x509 = parsed(der);
    const authority = anchors.find((a) => x509.checkIssued(a.x509) && x509.verify(a.x509.publicKey));
    if (authority === undefined) throw new NotIdentified('certificate of no trusted authority');
    const certificate = await readCertificate(x509);
    if (judged.size >= known) judged.delete(judged.keys().next().value ?? '');
    judged.set(fingerprint, { certificate, authority });
    return { certificate, authority };
  };

  return {
    async certificate(der, now) {
      const { certificate, authority } = await look(der);
      if (authority.x509.validToDate.getTime() < now) throw new NotIdentified('authority out of date');
      if (now < certificate.notBefore) throw new NotIdentified('certificate not yet valid');
      if (now > certificate.notAfter) throw new NotIdentified('certificate expired');
      if (certificate.authority) throw new NotIdentified('certificate of an authority');
      if (!certificate.signs) throw new NotIdentified('certificate not made for signing');
      if (!certificate.strong) throw new NotIdentified('certificate with a weak key');
      if (authority.list !== undefined) {
        if (authority.list.nextUpdate < now) throw new NotIdentified('revocation list out of date');
        if (authority.list.revoked.has(certificate.serial)) throw new NotIdentified('certificate revoked');
      }
      return certificate;
    },
  };
}

/** The newest list of each authority. */
async function listsOf(pems: readonly string[], authorities: readonly X509Certificate[]) {
  const newest = new Map<X509Certificate, RevocationList>();
  for (const pem of pems) {
    const list = await readRevocationList(pem);
    const signer = await signerOf(list, authorities);
    const other = newest.get(signer);
    if (other === undefined || other.thisUpdate < list.thisUpdate) newest.set(signer, list);
  }
  return newest;
}

async function signerOf(list: RevocationList, authorities: readonly X509Certificate[]): Promise<X509Certificate> {
  for (const authority of authorities) {
    const { subject } = await readCertificate(authority);
    if (sameName(subject, list.issuer) && (await list.signedBy(authority))) return authority;
  }
  throw new Error('a revocation list was signed by no authority of the trust store');
}

function parsed(der: Buffer): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch {
    throw new NotIdentified('certificate unreadable');
  }
}

function blocks(text: string, label: string): string[] {
  return text.match(new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`, 'g')) ?? [];
}

function oneLine(subject: string): string {
  return subject.replaceAll('\n', ', ');
}
