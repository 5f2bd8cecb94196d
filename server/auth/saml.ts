import type { Certificate } from '../crypto/certificate.ts';
import { readName, sameName } from '../crypto/distinguished-name.ts';
import { attributeOf, child, childrenOf, type XmlElement } from '../xml/element.ts';
import { NotIdentified } from './credentials.ts';
import { bearerConfirmation, samlNamespace as saml, subjectNameFormat } from './vocabulary.ts';

type Window = { readonly skewSeconds: number; readonly maxAgeSeconds: number; readonly audience: string };

/**
 * The text of the Issuer, which names the subject of a certificate.
 * @throws NotIdentified
 */
export function issuerOf(assertion: XmlElement): string {
  if (attributeOf(assertion, 'Version') !== '2.0') throw new NotIdentified('version of SAML not known');
  const issuer = child(assertion, saml, 'Issuer');
  if (issuer === undefined || (attributeOf(issuer, 'Format') ?? subjectNameFormat) !== subjectNameFormat)
    throw new NotIdentified('issuer of another format');
  return issuer.text.trim();
}

/**
 * Checks that the Issuer is the subject of the certificate that signed.
 * @throws NotIdentified
 */
export function checkIssuer(issuer: string, { subject }: Certificate): void {
  const name = readName(issuer);
  if (name === undefined || !sameName(name, subject)) throw new NotIdentified('issuer is not the signer');
}

/**
 * Checks that the assertion may be used now and here; answers until when a second use could still pass, in milliseconds.
 * Without an end in Conditions it ends `maxAgeSeconds` after IssueInstant. SAML 2.0 core §2.4.1.2, §2.5.1.
 * @throws NotIdentified
 */
export function windowOf(assertion: XmlElement, { skewSeconds, maxAgeSeconds, audience }: Window, now: number): number {
  const skew = skewSeconds * 1000;
  const issued = instantOf(assertion, 'IssueInstant');
  if (issued === undefined) throw new NotIdentified('no IssueInstant');
  const conditions = child(assertion, saml, 'Conditions');
  if (conditions !== undefined) checkConditions(conditions, audience);
  const start = Math.max(issued, (conditions && instantOf(conditions, 'NotBefore')) ?? issued);
  const end = (conditions && instantOf(conditions, 'NotOnOrAfter')) ?? issued + maxAgeSeconds * 1000;
  if (now < start - skew) throw new NotIdentified('not yet valid');
  if (now >= end + skew) throw new NotIdentified('expired');
  checkConfirmation(assertion, now, skew);
  return end + skew;
}

function checkConditions(conditions: XmlElement, audience: string): void {
  for (const { namespace, local } of conditions.children)
    if (namespace !== saml || !['AudienceRestriction', 'OneTimeUse', 'ProxyRestriction'].includes(local))
      throw new NotIdentified('condition not understood');
  for (const restriction of childrenOf(conditions, saml, 'AudienceRestriction'))
    if (!childrenOf(restriction, saml, 'Audience').some(({ text }) => text.trim() === audience))
      throw new NotIdentified('made for another audience');
}

/** The bearer may confirm the subject; a holder of a key could not prove it here. */
function checkConfirmation(assertion: XmlElement, now: number, skew: number): void {
  const confirmations = childrenOf(child(assertion, saml, 'Subject'), saml, 'SubjectConfirmation');
  const holds = confirmations.some((confirmation) => {
    if (attributeOf(confirmation, 'Method') !== bearerConfirmation) return false;
    const data = child(confirmation, saml, 'SubjectConfirmationData');
    if (data === undefined) return true;
    const start = instantOf(data, 'NotBefore');
    const end = instantOf(data, 'NotOnOrAfter');
    return (start === undefined || now >= start - skew) && (end === undefined || now < end + skew);
  });
  if (confirmations.length > 0 && !holds) throw new NotIdentified('subject not confirmed');
}

/** An xs:dateTime in UTC. SAML 2.0 core §1.3.3. */
function instantOf(element: XmlElement, name: string): number | undefined {
  const text = attributeOf(element, name);
  if (text === undefined) return undefined;
  const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(instant)) throw new NotIdentified(`${name} malformed`);
  return instant;
}
