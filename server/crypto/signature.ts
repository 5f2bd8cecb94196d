import { constants, hash, type KeyObject, sign, verify } from 'node:crypto';

const ds = 'http://www.w3.org/2000/09/xmldsig#';
const more = 'http://www.w3.org/2001/04/xmldsig-more#';
const enc = 'http://www.w3.org/2001/04/xmlenc#';

/** Namespace of XML Signature. */
export const signatureNamespace = ds;
/** Exclusive XML Canonicalization 1.0, without comments. */
export const exclusiveCanonical = 'http://www.w3.org/2001/10/xml-exc-c14n#';
/** The transform that leaves the signature itself out. XML Signature 1.1 §6.6.4. */
export const envelopedSignature = `${ds}enveloped-signature`;

type Method = { readonly digest: 'sha1' | 'sha256' | 'sha384' | 'sha512'; readonly key: 'rsa' | 'ec' | 'rsa-pss' };

/** Signature methods that are understood. XML Signature 1.1 §6.4; RFC 6931 §2.3. The first one is for old partners alone. */
const signatureMethods: Readonly<Record<string, Method>> = {
  [`${ds}rsa-sha1`]: { digest: 'sha1', key: 'rsa' },
  [`${more}rsa-sha256`]: { digest: 'sha256', key: 'rsa' },
  [`${more}rsa-sha512`]: { digest: 'sha512', key: 'rsa' },
  [`${more}ecdsa-sha256`]: { digest: 'sha256', key: 'ec' },
  [`${more}ecdsa-sha384`]: { digest: 'sha384', key: 'ec' },
  'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1': { digest: 'sha256', key: 'rsa-pss' },
};

const digestMethods: Readonly<Record<string, Method['digest']>> = {
  [`${ds}sha1`]: 'sha1',
  [`${enc}sha256`]: 'sha256',
  [`${enc}sha512`]: 'sha512',
};

/** Whether a signature or digest method is understood, and not SHA-1 unless that is allowed. */
export function methodAccepted(kind: 'signature' | 'digest', uri: string, allowSha1: boolean): boolean {
  const digest = kind === 'digest' ? own(digestMethods, uri) : own(signatureMethods, uri)?.digest;
  return digest !== undefined && (digest !== 'sha1' || allowSha1);
}

/** The digest of a text in UTF-8, undefined for a method that is not understood. */
export function digestOf(uri: string, text: string): Buffer | undefined {
  const digest = own(digestMethods, uri);
  return digest === undefined ? undefined : hash(digest, text, 'buffer');
}

/** Whether `signature` over the text was made with the key's private half; a key of another kind than the method's is a no. */
export function verifies(uri: string, text: string, key: KeyObject, signature: Buffer): boolean {
  const method = own(signatureMethods, uri);
  if (method === undefined || key.asymmetricKeyType !== (method.key === 'ec' ? 'ec' : 'rsa')) return false;
  return verify(method.digest, Buffer.from(text), parameters(method, key), signature);
}

/**
 * Signs a SAML assertion with an enveloped signature, RSA-SHA256 or ECDSA-SHA256 by the kind of key, and answers it with the signature
 * behind its Issuer. The text must be in exclusive canonical form already: it is signed as it stands, so that a verifier that hashes what it
 * received needs no canonicalisation. SAML 2.0 core §5.4; XML Signature 1.1 §4.
 * @param certificate DER, sent in KeyInfo.
 * @throws TypeError when the text has no ID on its root, or no Issuer.
 */
export function signEnveloped(canonical: string, key: KeyObject, certificate: Uint8Array): string {
  const id = /^<[^>]* ID="([^"<&]+)"/.exec(canonical)?.[1];
  const behindIssuer = /<\/(?:[\w.-]+:)?Issuer>/.exec(canonical);
  if (id === undefined || behindIssuer === null) throw new TypeError('no SAML assertion in canonical form');
  const method: Method = { digest: 'sha256', key: key.asymmetricKeyType === 'ec' ? 'ec' : 'rsa' };
  const signatureMethod = `${more}${method.key === 'ec' ? 'ecdsa' : 'rsa'}-sha256`;
  const digest = hash('sha256', canonical, 'base64');
  const inside =
    `<ds:CanonicalizationMethod Algorithm="${exclusiveCanonical}"></ds:CanonicalizationMethod>` +
    `<ds:SignatureMethod Algorithm="${signatureMethod}"></ds:SignatureMethod>` +
    `<ds:Reference URI="#${id}"><ds:Transforms><ds:Transform Algorithm="${envelopedSignature}"></ds:Transform>` +
    `<ds:Transform Algorithm="${exclusiveCanonical}"></ds:Transform></ds:Transforms>` +
    `<ds:DigestMethod Algorithm="${enc}sha256"></ds:DigestMethod><ds:DigestValue>${digest}</ds:DigestValue></ds:Reference>`;
  const signedInfo = `<ds:SignedInfo xmlns:ds="${ds}">${inside}</ds:SignedInfo>`;
  const value = sign(method.digest, Buffer.from(signedInfo), parameters(method, key)).toString('base64');
  const der = Buffer.from(certificate.buffer, certificate.byteOffset, certificate.byteLength).toString('base64');
  const signature =
    `<ds:Signature xmlns:ds="${ds}"><ds:SignedInfo>${inside}</ds:SignedInfo><ds:SignatureValue>${value}</ds:SignatureValue>` +
    `<ds:KeyInfo><ds:X509Data><ds:X509Certificate>${der}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>`;
  const at = behindIssuer.index + behindIssuer[0].length;
  return canonical.slice(0, at) + signature + canonical.slice(at);
}

/** XML Signature writes ECDSA as r ‖ s, and RSASSA-PSS with a salt as long as the digest. */
function parameters(method: Method, key: KeyObject) {
  if (method.key === 'rsa') return key;
  if (method.key === 'ec') return { key, dsaEncoding: 'ieee-p1363' as const };
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}

function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
