import { signEnveloped } from '../crypto/signature.ts';
import type { Card } from './cards.ts';
import { practiceOf } from './people.ts';
import { rolesOf } from './roles.ts';

/** What one assertion says besides who signs it. Times are milliseconds since 1970. */
export type VihfOptions = {
  /** CX of the patient. */
  readonly patient?: string;
  readonly mode: 'normal' | 'bris_de_glace' | 'centre_15';
  readonly reason?: string;
  /** Legal representatives are excluded from the session (connexion secrète). */
  readonly secret?: boolean;
  readonly issuedAt: number;
  /** A new UUID. */
  readonly id: string;
};

const saml = 'urn:oasis:names:tc:SAML:2.0:assertion';
const validity = 5 * 60_000;

/**
 * A signed VIHF 3.0 assertion in exclusive canonical form, ready to stand in wsse:Security: direct authentication for a card, indirect for
 * the certificate of a structure or of a system (role AUTOMATE). It serves one request and holds for five minutes from a minute before `issuedAt`.
 * CI-SIS volet Transport synchrone; SAML 2.0 core §2.
 */
export function signVihf(card: Card, options: VihfOptions): string {
  const { issuedAt, id } = options;
  const context = `urn:oasis:names:tc:SAML:2.0:ac:classes:${contexts[card.holder.kind]}`;
  const assertion =
    `<saml:Assertion xmlns:saml="${saml}" ID="_${id}" IssueInstant="${instant(issuedAt)}" Version="2.0">` +
    `<saml:Issuer Format="urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName">${text(card.subject)}</saml:Issuer>` +
    `<saml:Subject><saml:NameID>${text(nameId(card))}</saml:NameID></saml:Subject>` +
    `<saml:Conditions NotBefore="${instant(issuedAt - 60_000)}" NotOnOrAfter="${instant(issuedAt + validity)}"></saml:Conditions>` +
    `<saml:AuthnStatement AuthnInstant="${instant(issuedAt)}"><saml:AuthnContext>` +
    `<saml:AuthnContextClassRef>${context}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>` +
    `<saml:AttributeStatement>${attributes(card, options)}</saml:AttributeStatement></saml:Assertion>`;
  return signEnveloped(assertion, card.key, card.certificate);
}

const contexts = { professional: 'SmartcardPKI', structure: 'TLSClient', system: 'unspecified' } as const;

/** The name of the user and the roles; a machine is named by itself. TRE_A00. */
function userOf({ holder }: Card): { readonly name: string; readonly roles: ReturnType<typeof rolesOf> } {
  if (holder.kind === 'system')
    return {
      name: holder.display,
      roles: [{ code: 'AUTOMATE', system: '1.2.250.1.213.1.1.4.6', display: 'Automate' }],
    };
  const person = holder.kind === 'professional' ? holder : holder.employee;
  return { name: `${person.given} ${person.family}`, roles: rolesOf(person) };
}

function attributes(card: Card, { patient, mode, reason, secret = false }: VihfOptions): string {
  const { holder } = card;
  const { name, roles } = userOf(card);
  return [
    attribute('VIHF_Version', '3.0'),
    attribute('Authentification_mode', holder.kind === 'professional' ? 'DIRECTE' : 'INDIRECTE'),
    attribute('Identifiant_Structure', holder.structIdNat),
    attribute('Secteur_Activite', `${practiceOf(holder)?.sector ?? 'SA43'}^1.2.250.1.71.4.2.4`),
    attribute('urn:oasis:names:tc:xspa:1.0:subject:subject-id', name),
    rawAttribute(
      'urn:oasis:names:tc:xacml:2.0:subject:role',
      roles.map((role) => coded('Role', role)),
    ),
    rawAttribute('urn:oasis:names:tc:xspa:1.0:subject:purposeofuse', [
      coded('PurposeOfUse', { code: mode, system: '1.2.250.1.213.1.1.4.248', display: modes[mode] }),
    ]),
    patient === undefined ? '' : attribute('urn:oasis:names:tc:xacml:2.0:resource:resource-id', patient),
    attribute('Ressource_URN', 'urn:dmp'),
    secret
      ? attribute(
          'urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code',
          'INVISIBLE_REPRESENTANTS_LEGAUX^1.2.250.1.213.1.1.4.13',
        )
      : '',
    reason === undefined ? '' : attribute('Mode_Acces_Raison', reason),
    attribute('LPS_ID', '1.2.250.1.999.2.1'),
    attribute('LPS_Nom', 'OpenDMP'),
    attribute('LPS_Version', '0.1.0'),
    attribute('LPS_ID_HOMOLOGATION_DMP', 'BAC-A-SABLE'),
  ].join('');
}

const modes = {
  normal: 'Accès normal',
  bris_de_glace: 'Accès en bris de glace',
  centre_15: 'Accès par un centre de régulation médicale',
} as const;

function nameId({ holder }: Card): string {
  if (holder.kind === 'professional') return holder.idNat;
  return `${holder.structIdNat}/${holder.kind === 'system' ? holder.id : holder.employee.id}`;
}

function attribute(name: string, value: string): string {
  return rawAttribute(name, [text(value)]);
}

function rawAttribute(name: string, values: readonly string[]): string {
  return `<saml:Attribute Name="${name}">${values.map((v) => `<saml:AttributeValue>${v}</saml:AttributeValue>`).join('')}</saml:Attribute>`;
}

/** An HL7 v3 coded element; attributes stand in canonical order. */
function coded(
  element: string,
  { code, system, display }: { readonly code: string; readonly system: string; readonly display: string },
): string {
  return (
    `<${element} xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" code="${quoted(code)}" ` +
    `codeSystem="${system}" displayName="${quoted(display)}" xsi:type="CE"></${element}>`
  );
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}

/** Text and attribute values as canonical XML writes them; line ends and other controls become spaces. Canonical XML 1.0 §2.3. */
function text(value: string): string {
  return value
    .replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

function quoted(value: string): string {
  return text(value).replaceAll('&gt;', '>').replaceAll('"', '&quot;');
}
