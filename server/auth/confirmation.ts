import { createHash } from 'node:crypto';
import { NotIdentified } from './credentials.ts';

/**
 * The thumbprint of the certificate that a token is bound to; undefined for a token that is bound to nothing.
 * @throws NotIdentified when it is bound to something else, which cannot be checked here. RFC 7800 §3.1, RFC 8705 §3.1
 */
export function confirmationOf(claims: Readonly<Record<string, unknown>>): string | undefined {
  const cnf = claims['cnf'];
  if (cnf === undefined || cnf === null) return undefined;
  const thumbprint = typeof cnf === 'object' && 'x5t#S256' in cnf ? cnf['x5t#S256'] : undefined;
  if (typeof thumbprint !== 'string' || Object.keys(cnf).length !== 1)
    throw new NotIdentified('token bound to something that is not known here');
  return thumbprint;
}

/**
 * Checks that the client's certificate is the one that the token is bound to. RFC 8705 §3.1 writes the SHA-256 in base64url; the sample of
 * the French transport guide (API Pro Santé Connectée 1.2.0) writes the hexadecimal text of it in base64: both are taken.
 * @throws NotIdentified also when the connection knows no certificate: such a token is not a bearer's
 */
export function checkConfirmation(thumbprint: string, certificate: Uint8Array | undefined): void {
  if (certificate === undefined) throw new NotIdentified('token bound to a certificate, and none is known');
  const digest = createHash('sha256').update(certificate).digest();
  const plain = (text: string) => text.replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_');
  const hexadecimal = digest.toString('hex');
  const forms = [digest, Buffer.from(hexadecimal), Buffer.from(hexadecimal.toUpperCase())];
  if (!forms.some((form) => form.toString('base64url') === plain(thumbprint)))
    throw new NotIdentified('token bound to another certificate');
}
