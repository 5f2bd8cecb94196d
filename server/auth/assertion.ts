import { timingSafeEqual } from 'node:crypto';
import type { Certificate } from '../crypto/certificate.ts';
import {
  digestOf,
  signatureNamespace as ds,
  envelopedSignature,
  exclusiveCanonical,
  methodAccepted,
  verifies,
} from '../crypto/signature.ts';
import { attributeOf, child, type XmlElement } from '../xml/element.ts';
import { defaultXmlLimits, holdsComment, parseXml, XmlRejected } from '../xml/read.ts';
import { canonicalForms } from './canonical.ts';
import { NotIdentified, type ReadEnvelope } from './credentials.ts';
import type { Trust } from './trust.ts';
import { samlNamespace as saml, securityNamespace, soapNamespace } from './vocabulary.ts';

/** A signed assertion as its signer wrote it, without the signature: what the very text says that was digested. */
export type Verified = { readonly assertion: XmlElement; readonly certificate: Certificate };

/** Longest assertion that is looked at, in characters. */
const longest = 65_536;

type SignedInfo = {
  readonly id: string;
  readonly signatureMethod: string;
  readonly digestMethod: string;
  readonly digest: Buffer;
  /** PrefixLists of the canonicalisation of SignedInfo and of the assertion. Exclusive XML Canonicalization §4. */
  readonly prefixes: readonly string[];
  readonly assertionPrefixes: readonly string[];
};

/**
 * Verifies the one signed assertion in the Security header of an envelope: place, ids, shape of the signature, methods, certificate, then
 * signature and digest. Fails at the first thing amiss. Nothing of the answer comes from bytes that were not signed.
 * WS-Security SAML Token Profile 1.1 §3; SAML 2.0 core §5.4; XML Signature 1.1 §3.2. `now` in milliseconds.
 * Costs some 0.1 ms when the assertion arrives in canonical form, else 0.5 ms.
 * @throws NotIdentified
 */
export async function verifyAssertion(
  envelope: ReadEnvelope,
  trust: Trust,
  { allowSha1, now }: { readonly allowSha1: boolean; readonly now: number },
): Promise<Verified> {
  const { source } = envelope;
  const assertion = locate(envelope.root);
  const text = source.slice(assertion.start, assertion.end);
  if (text.length > longest) throw new NotIdentified('assertion too long');
  if (holdsComment(source, assertion)) throw new NotIdentified('comment in the assertion');
  const { signature, signedInfo, signatureValue, claim } = partsOf(assertion);
  const expected = readSignedInfo(signedInfo, idOf(assertion), allowSha1);
  const certificate = await trust.certificate(claim, now);

  let canonical: { readonly signedInfo: string; readonly assertion: string } | undefined;
  const inCanonicalForm = async () => {
    canonical ??= await canonicalForms(source, assertion, expected.prefixes, expected.assertionPrefixes);
    return canonical;
  };
  const readsAlone = !inheritsDefaultNamespace(assertion);
  const signedBy = (candidate: string, read = () => readSignedInfo(parsed(candidate), expected.id, allowSha1)) => {
    const info = unlessRefused(read);
    return info && verifies(info.signatureMethod, candidate, certificate.publicKey, signatureValue) ? info : undefined;
  };
  const info =
    signedBy(withOwnDeclaration(source, signedInfo), readsAlone ? () => expected : undefined) ??
    signedBy((await inCanonicalForm()).signedInfo);
  if (info === undefined) throw new NotIdentified('signature wrong');

  const asSent = expandEmpty(
    source.slice(assertion.start, signature.start) + source.slice(signature.end, assertion.end),
  );
  const isAsSent = hasDigest(asSent, info);
  const signed = isAsSent ? asSent : (await inCanonicalForm()).assertion;
  if (!isAsSent && !hasDigest(signed, info)) throw new NotIdentified('digest wrong');
  const verified = isAsSent && readsAlone ? without(assertion, signature) : parsed(signed);
  if (verified.namespace !== saml || verified.local !== 'Assertion' || idOf(verified) !== info.id)
    throw new NotIdentified('another element was signed');
  return { assertion: verified, certificate };
}

/** The one assertion of the message, at Envelope/Header/Security, whose ID no other attribute can be taken for. */
function locate(root: XmlElement): XmlElement {
  const found: XmlElement[] = [];
  const ids = new Map<string, number>();
  visit(root, (element) => {
    if (element.local === 'Assertion' && element.namespace === saml) found.push(element);
    if (element.local === 'EncryptedAssertion') throw new NotIdentified('encrypted assertion');
    for (const { local, value } of element.attributes) if (isId(local)) ids.set(value, (ids.get(value) ?? 0) + 1);
  });
  const [assertion] = found;
  if (assertion === undefined) throw new NotIdentified('no assertion', true);
  if (found.length > 1) throw new NotIdentified('more than one assertion');
  const security = assertion.parent;
  const header = security?.parent;
  if (
    !is(security, securityNamespace, 'Security') ||
    !is(header, soapNamespace, 'Header') ||
    header.parent !== root ||
    !is(root, soapNamespace, 'Envelope')
  )
    throw new NotIdentified('assertion out of place');
  if (ids.get(idOf(assertion)) !== 1) throw new NotIdentified('ID of the assertion used twice');
  const inSecurity = new Set<string>();
  visit(security, ({ attributes }) => {
    for (const { local, value } of attributes) {
      if (!isId(local)) continue;
      if (inSecurity.has(value)) throw new NotIdentified('id used twice in Security');
      inSecurity.add(value);
    }
  });
  return assertion;
}

function partsOf(assertion: XmlElement) {
  const [issuer, signature] = assertion.children;
  if (!is(issuer, saml, 'Issuer') || !is(signature, ds, 'Signature'))
    throw new NotIdentified('no signature behind Issuer');
  let signatures = 0;
  visit(assertion, ({ local }) => {
    if (local === 'Signature') signatures++;
  });
  if (signatures !== 1) throw new NotIdentified('more than one signature');
  const [signedInfo, value, keyInfo] = exactly(signature, ['SignedInfo', 'SignatureValue', 'KeyInfo']);
  const claim = child(child(keyInfo, ds, 'X509Data'), ds, 'X509Certificate');
  if (claim === undefined) throw new NotIdentified('no certificate in KeyInfo');
  return { signature, signedInfo, signatureValue: base64(value.text), claim: base64(claim.text) };
}

/** The shape of SignedInfo: one reference to the whole assertion, minus its signature, in exclusive canonical form. SAML 2.0 core §5.4. */
function readSignedInfo(signedInfo: XmlElement, id: string, allowSha1: boolean): SignedInfo {
  if (!is(signedInfo, ds, 'SignedInfo')) throw new NotIdentified('no SignedInfo');
  const [form, method, reference] = exactly(signedInfo, ['CanonicalizationMethod', 'SignatureMethod', 'Reference']);
  const [transforms, digestMethod, digestValue] = exactly(reference, ['Transforms', 'DigestMethod', 'DigestValue']);
  const [enveloped, exclusive] = exactly(transforms, ['Transform', 'Transform']);
  if (attributeOf(reference, 'URI') !== `#${id}`) throw new NotIdentified('reference to something else');
  // Some signers write the prefixes of the canonicalisation into both transforms; here they mean nothing.
  if (
    algorithmOf(enveloped) !== envelopedSignature ||
    !enveloped.children.every((inner) => inner.local === 'InclusiveNamespaces')
  )
    throw new NotIdentified('transforms not accepted');
  const signature = algorithmOf(method);
  const digest = algorithmOf(digestMethod);
  if (!methodAccepted('signature', signature, allowSha1)) throw new NotIdentified('signature method not accepted');
  if (!methodAccepted('digest', digest, allowSha1)) throw new NotIdentified('digest method not accepted');
  return {
    id,
    signatureMethod: signature,
    digestMethod: digest,
    digest: base64(digestValue.text),
    prefixes: prefixesOf(form),
    assertionPrefixes: prefixesOf(exclusive),
  };
}

/** The PrefixList of an exclusive canonicalisation. */
function prefixesOf(element: XmlElement): string[] {
  const [list, ...others] = element.children;
  if (algorithmOf(element) !== exclusiveCanonical || others.length > 0)
    throw new NotIdentified('canonicalisation not accepted');
  if (list === undefined) return [];
  if (!is(list, exclusiveCanonical, 'InclusiveNamespaces')) throw new NotIdentified('canonicalisation not accepted');
  return (attributeOf(list, 'PrefixList') ?? '').split(/\s+/).filter((prefix) => prefix !== '');
}

/**
 * An element as it stands, with the declaration of its own prefix that it inherits, and without empty-element tags: most often its
 * canonical form. A wrong guess fails the check of signature or digest and costs the slow way, nothing else.
 */
function withOwnDeclaration(source: string, element: XmlElement): string {
  const text = expandEmpty(source.slice(element.start, element.end));
  const name = /^<(?:([^\s:<>/]+):)?[^\s:<>/]+/.exec(text);
  if (element.declares !== undefined || name === null) return text;
  const declared = name[1] === undefined ? 'xmlns' : `xmlns:${name[1]}`;
  return `${name[0]} ${declared}="${element.namespace}"${text.slice(name[0].length)}`;
}

function expandEmpty(text: string): string {
  if (!text.includes('/>')) return text;
  return text.replace(
    /<([^\s<>/]+)(\s[^<>]*)?\/>/g,
    (_, name: string, rest: string | undefined) => `<${name}${rest?.trimEnd() ?? ''}></${name}>`,
  );
}

/**
 * Whether an element without prefix means here something else than where its text stands alone. Else the tree says what the text does: a
 * prefix that the text does not declare is in nobody's canonical form.
 */
function inheritsDefaultNamespace({ parent }: XmlElement): boolean {
  return parent !== undefined && (parent.declares?.[''] !== undefined || inheritsDefaultNamespace(parent));
}

function without(element: XmlElement, inner: XmlElement): XmlElement {
  return { ...element, children: element.children.filter((one) => one !== inner), parent: undefined };
}

function hasDigest(text: string, { digestMethod, digest }: SignedInfo): boolean {
  const own = digestOf(digestMethod, text);
  return own !== undefined && own.length === digest.length && timingSafeEqual(own, digest);
}

/** Whether some tool or other takes an attribute of this name, in any namespace, for the id of its element. */
function isId(local: string): boolean {
  return local.length === 2 && local.toLowerCase() === 'id';
}

function idOf(assertion: XmlElement): string {
  const id = attributeOf(assertion, 'ID');
  if (id === undefined || id === '') throw new NotIdentified('assertion without ID');
  return id;
}

function algorithmOf(element: XmlElement): string {
  return attributeOf(element, 'Algorithm') ?? '';
}

/** The children, which have to be these elements of XML Signature in this order, and no others. */
function exactly<const Names extends readonly string[]>(element: XmlElement, names: Names) {
  const { children } = element;
  if (children.length !== names.length || !names.every((local, i) => is(children[i], ds, local)))
    throw new NotIdentified(`${element.local} of another shape`);
  return children as unknown as { readonly [I in keyof Names]: XmlElement };
}

function base64(text: string): Buffer {
  const packed = text.replace(/\s+/g, '');
  if (packed === '' || packed.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(packed))
    throw new NotIdentified('base64 broken');
  return Buffer.from(packed, 'base64');
}

function parsed(text: string): XmlElement {
  try {
    return parseXml(text, defaultXmlLimits);
  } catch (error) {
    if (error instanceof XmlRejected) throw new NotIdentified(`signed text unreadable: ${error.message}`);
    throw error;
  }
}

/** As sent, SignedInfo may lean on declarations around it: then it cannot be read alone, and its canonical form decides. */
function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof NotIdentified) return undefined;
    throw error;
  }
}

function is(element: XmlElement | undefined, namespace: string, local: string): element is XmlElement {
  return element?.local === local && element.namespace === namespace;
}

function visit(root: XmlElement, see: (element: XmlElement) => void): void {
  see(root);
  for (const inner of root.children) visit(inner, see);
}
