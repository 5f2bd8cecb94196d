import { hash } from 'node:crypto';
import type { Certificate } from '../crypto/certificate.ts';
import type { System } from '../domain/system.ts';
import { attributeOf, child, childrenOf, type XmlElement } from '../xml/element.ts';
import { type Verified, verifyAssertion } from './assertion.ts';
import type { Identify } from './credentials.ts';
import { checkIssuer, issuerOf, windowOf } from './saml.ts';
import { type Activities, callerOfStatements, makeSignerOf, only, type Statements } from './statements.ts';
import type { Trust } from './trust.ts';
import { hl7Namespace, samlNamespace as saml } from './vocabulary.ts';

export type AssertionSettings = {
  readonly allowSha1: boolean;
  /** Tolerated difference between clocks. */
  readonly skewSeconds: number;
  /** Oldest IssueInstant of an assertion that states no end. */
  readonly maxAgeSeconds: number;
  /** What an AudienceRestriction has to name, where there is one. */
  readonly audience: string;
  /** The partners' systems: whose certificates are theirs acts as nobody else. */
  readonly systems: readonly System[];
  /** In which structures professionals work whose card does not say it. */
  readonly activities?: Activities;
};

/**
 * Identifies the caller by the VIHF of the envelope: CI-SIS Transport Synchrone, VIHF 2.0, 3.0 and 4.0. `now` answers milliseconds.
 * The assertion is not marked as used here: whoever acts for the caller spends its key together with the action.
 */
export function makeAssertionIdentifier(
  trust: Trust,
  settings: AssertionSettings,
  now: () => number,
): Identify['assertion'] {
  const signerOf = makeSignerOf(settings.systems, settings.activities);
  const lastIssuer = new WeakMap<Certificate, string>();
  const issuerIn = ({ assertion, certificate }: Verified): string => {
    const issuer = issuerOf(assertion);
    if (lastIssuer.get(certificate) === issuer) return issuer;
    checkIssuer(issuer, certificate);
    lastIssuer.set(certificate, issuer);
    return issuer;
  };
  return async (envelope) => {
    const at = now();
    const verified = await verifyAssertion(envelope, trust, { allowSha1: settings.allowSha1, now: at });
    const { assertion, certificate } = verified;
    const issuer = issuerIn(verified);
    const until = windowOf(assertion, settings, at);
    const id = attributeOf(assertion, 'ID') ?? '';
    const nameId = child(child(assertion, saml, 'Subject'), saml, 'NameID')?.text.trim() ?? '';
    return {
      ...callerOfStatements(readStatements(assertion), nameId, signerOf(certificate)),
      credential: { kind: 'assertion', id, issuer, spendKey: spendKeyOf(issuer, id), until },
    };
  };
}

/** By what a second use of an assertion is recognised. */
export function spendKeyOf(issuer: string, id: string): string {
  return hash('sha256', `${issuer}\n${id}`, 'base64url');
}

function readStatements(assertion: XmlElement): Statements {
  const values = new Map<string, XmlElement[]>();
  for (const statement of childrenOf(assertion, saml, 'AttributeStatement'))
    for (const attribute of childrenOf(statement, saml, 'Attribute')) {
      const name = (attributeOf(attribute, 'Name') ?? '').toLowerCase();
      values.set(name, [...(values.get(name) ?? []), ...childrenOf(attribute, saml, 'AttributeValue')]);
    }
  const of = (name: string) => values.get(name.toLowerCase()) ?? [];
  const text = (name: string) =>
    only(
      name,
      of(name).map((value) => value.text.trim()),
    );
  return {
    text,
    coded: (name, local, systems) =>
      only(
        name,
        of(name)
          .flatMap((value) => childrenOf(value, hl7Namespace, local))
          .filter((element) => systems.includes(attributeOf(element, 'codeSystem') ?? ''))
          .map((element) => attributeOf(element, 'code') ?? ''),
      ),
  };
}
