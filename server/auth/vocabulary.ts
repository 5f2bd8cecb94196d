import { type Mode, modes } from '../domain/actor.ts';

export const soapNamespace = 'http://www.w3.org/2003/05/soap-envelope';
/** Namespace of the Security header. WS-Security SOAP Message Security 1.1. */
export const securityNamespace = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd';
export const samlNamespace = 'urn:oasis:names:tc:SAML:2.0:assertion';
export const bearerConfirmation = 'urn:oasis:names:tc:SAML:2.0:cm:bearer';
/** Format of an Issuer that is the subject of a certificate. SAML 2.0 core §8.3.3. */
export const subjectNameFormat = 'urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName';
export const hl7Namespace = 'urn:hl7-org:v3';

/** TRE_G15, profession. */
export const professionSystem = '1.2.250.1.71.1.2.7';
/** The value set of professions and other roles, as Pro Santé Connect names it in SubjectRole. */
export const roleValueSet = '1.2.250.1.213.1.1.5.5';
/** TRE_R01, savoir-faire, and the sections of the order of pharmacists. */
export const specialtySystems: readonly string[] = ['1.2.250.1.71.4.2.5', '1.2.250.1.71.4.2.6'];
/** Roles of persons without a health profession, and of machines. */
export const otherRoleSystem = '1.2.250.1.213.1.1.4.6';
/** TRE_R248-ModeAcces. */
export const accessModeSystem = '1.2.250.1.213.1.1.4.248';
/** The confidentiality code of a session from which legal representatives are excluded. */
export const secretSession = 'INVISIBLE_REPRESENTANTS_LEGAUX^1.2.250.1.213.1.1.4.13';

/** Attributes of a VIHF that have a name of OASIS (XSPA, XACML); the others have CI-SIS names. */
export const vihf = {
  subjectId: 'urn:oasis:names:tc:xspa:1.0:subject:subject-id',
  role: 'urn:oasis:names:tc:xacml:2.0:subject:role',
  purposeOfUse: 'urn:oasis:names:tc:xspa:1.0:subject:purposeofuse',
  resourceId: 'urn:oasis:names:tc:xacml:2.0:resource:resource-id',
  confidentiality: 'urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code',
} as const;

const modeCodes: Readonly<Record<Mode, string>> = {
  normal: 'normal',
  breakGlass: 'bris_de_glace',
  emergencyCentre: 'centre_15',
};

/** The access code of a mode. TRE_R248-ModeAcces. */
export function codeOfMode(mode: Mode): string {
  return modeCodes[mode];
}

/** The mode of an access code. TRE_R248-ModeAcces. */
export function modeOf(code: string): Mode | undefined {
  return modes.find((mode) => modeCodes[mode] === code);
}
